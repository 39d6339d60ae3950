//! What a report is made from: one run, read from its store and sorted, with the look-ups that every table shares.

use std::collections::BTreeMap;

use trailmark_core::FailureClass;
use trailmark_store::record::{
    CellName, CellRecord, CellScores, Comparison, MetricFacts, NClusters, Outcome, Role, RunManifest, ScoreRow, Split,
    Timing,
};

use crate::summary::{FAILED, NOT_SCORED, Summary};

/// Name of the control that shuffles the arm's own labels: groups of the same sizes, without meaning.
pub const RANDOM_LABELS: &str = "random_labels";

/// Name of the control that puts everybody in one group; its recommender is global popularity.
pub const ONE_CLUSTER: &str = "one_cluster";

/// Silhouette values of the users of one stored partition.
#[derive(Debug, Clone, PartialEq)]
pub struct SilhouetteSample {
    /// Dataset id.
    pub dataset: String,
    /// Encoder id.
    pub encoder: String,
    /// Clusterer id.
    pub clusterer: String,
    /// n_clusters of the partition.
    pub n_clusters: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Cluster and silhouette value of each user.
    pub values: Vec<(u32, f64)>,
}

/// One run as its store holds it. Plain data: whoever reads the store fills it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunView {
    /// `run.json`.
    pub manifest: RunManifest,
    /// One record per cell, sorted by cell.
    pub records: Vec<CellRecord>,
    /// Tested differences.
    pub comparisons: Vec<Comparison>,
    /// Stored silhouette values, a few partitions only.
    pub silhouettes: Vec<SilhouetteSample>,
    /// Wall times.
    pub timings: Vec<Timing>,
    /// `suite.resolved.toml`.
    pub resolved_suite: String,
}

/// A cell without fold and repeat: what a mean over folds is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arm<'a> {
    pub(crate) dataset: &'a str,
    pub(crate) encoder: &'a str,
    pub(crate) clusterer: &'a str,
    pub(crate) n_clusters: NClusters,
}

impl<'a> Arm<'a> {
    pub(crate) fn of(cell: &'a CellName) -> Self {
        Self { dataset: &cell.dataset, encoder: &cell.encoder, clusterer: &cell.clusterer, n_clusters: cell.n_clusters }
    }

    pub(crate) fn at(self, n_clusters: NClusters) -> Self {
        Self { n_clusters, ..self }
    }

    /// `dataset/encoder/clusterer/k=auto`, the name that gates and baselines use.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}/{}/k={}", self.dataset, self.encoder, self.clusterer, self.n_clusters)
    }

    /// `encoder + clusterer`, for people.
    pub(crate) fn label(&self) -> String {
        if self.encoder == "none" {
            self.clusterer.to_owned()
        } else {
            format!("{} + {}", self.encoder, self.clusterer)
        }
    }
}

/// Records by arm. Made once per table: a look-up is then a walk over the folds of one arm.
pub(crate) struct Index<'a> {
    pub(crate) view: &'a RunView,
    arms: BTreeMap<Arm<'a>, Vec<&'a CellRecord>>,
    planned: usize,
}

impl<'a> Index<'a> {
    pub(crate) fn new(view: &'a RunView) -> Self {
        let mut arms: BTreeMap<Arm<'a>, Vec<&'a CellRecord>> = BTreeMap::new();
        for record in &view.records {
            arms.entry(Arm::of(&record.cell)).or_default().push(record);
        }
        Self { view, arms, planned: view.manifest.folds * view.manifest.repeats }
    }

    /// Arms of a dataset, controls left out, in the order in which the suite declares encoders and clusterers.
    pub(crate) fn arms(&self, dataset: &str) -> Vec<Arm<'a>> {
        let manifest = &self.view.manifest;
        let place =
            |list: &[(String, String)], id: &str| list.iter().position(|(name, _)| name == id).unwrap_or(usize::MAX);
        let mut arms: Vec<Arm<'a>> =
            self.arms.keys().copied().filter(|arm| arm.dataset == dataset && !is_shared_control(arm)).collect();
        arms.sort_by_key(|arm| {
            (place(&manifest.encoders, arm.encoder), place(&manifest.clusterers, arm.clusterer), *arm)
        });
        arms
    }

    /// Arms of a dataset by name, and the shared control with them: a gate may select either.
    pub(crate) fn every_arm(&self, dataset: &str) -> Vec<Arm<'a>> {
        self.arms.keys().copied().filter(|arm| arm.dataset == dataset).collect()
    }

    /// Names of declared arms that have no record at all, in a run that lacks cells. Which of them the run planned, only
    /// their absence from a run that lacks none tells.
    pub(crate) fn unstarted(&self) -> Vec<String> {
        let manifest = &self.view.manifest;
        if self.view.records.len() >= manifest.n_cells {
            return Vec::new();
        }
        let mut names = Vec::new();
        for dataset in manifest.datasets.keys() {
            for (encoder, _) in &manifest.encoders {
                for (clusterer, _) in &manifest.clusterers {
                    for n_clusters in manifest.n_clusters.iter().map(|k| NClusters::Fixed(*k)).chain([NClusters::Auto])
                    {
                        let arm = Arm { dataset, encoder, clusterer, n_clusters };
                        if !self.arms.contains_key(&arm) {
                            names.push(arm.name());
                        }
                    }
                }
            }
        }
        names
    }

    /// Encoder and clusterer pairs of a dataset, at auto.
    pub(crate) fn pairs(&self, dataset: &str) -> Vec<Arm<'a>> {
        let mut pairs: Vec<Arm<'a>> = self.arms(dataset).into_iter().map(|arm| arm.at(NClusters::Auto)).collect();
        pairs.dedup();
        pairs
    }

    /// Fixed values of n_clusters of a pair, ascending.
    pub(crate) fn sweep(&self, pair: &Arm<'_>) -> Vec<usize> {
        let mut values: Vec<usize> = self
            .arms
            .keys()
            .filter(|arm| (arm.dataset, arm.encoder, arm.clusterer) == (pair.dataset, pair.encoder, pair.clusterer))
            .filter_map(|arm| match arm.n_clusters {
                NClusters::Fixed(value) => Some(value),
                NClusters::Auto => None,
            })
            .collect();
        values.sort_unstable();
        values
    }

    /// Encoders of a dataset in declared order.
    pub(crate) fn encoders(&self, dataset: &str) -> Vec<&'a str> {
        let mut encoders: Vec<&str> = Vec::new();
        for arm in self.arms(dataset) {
            if !encoders.contains(&arm.encoder) {
                encoders.push(arm.encoder);
            }
        }
        encoders
    }

    /// Clusterers of a dataset in declared order.
    pub(crate) fn clusterers(&self, dataset: &str) -> Vec<&'a str> {
        let declared = &self.view.manifest.clusterers;
        let mut clusterers: Vec<&str> = self.arms(dataset).iter().map(|arm| arm.clusterer).collect();
        clusterers.sort_by_key(|id| (declared.iter().position(|(name, _)| name == id).unwrap_or(usize::MAX), *id));
        clusterers.dedup();
        clusterers
    }

    /// Records of an arm.
    pub(crate) fn records<'b>(&'b self, arm: &Arm<'b>) -> &'b [&'a CellRecord] {
        let arms: &'b BTreeMap<Arm<'b>, Vec<&'a CellRecord>> = &self.arms;
        arms.get(arm).map_or(&[], Vec::as_slice)
    }

    /// The shared control of a dataset: everybody in one cluster.
    pub(crate) fn shared_control(&self, dataset: &str) -> Option<Arm<'a>> {
        self.arms.keys().copied().find(|arm| arm.dataset == dataset && is_shared_control(arm))
    }

    /// A metric of an arm over folds and repeats; `control` is empty for the arm itself.
    pub(crate) fn summary(&self, arm: &Arm<'_>, split: Split, control: &str, metric: &str) -> Summary {
        let shared = is_shared_control(arm);
        let mut summary = Summary::planned(self.planned);
        for record in self.records(arm) {
            let at = (record.cell.repeat, record.cell.fold);
            match &record.outcome {
                Outcome::Failed(failure) => summary.gap(at, failure_reason(failure.class)),
                Outcome::Ok(scores) => match find(scores, split, control, metric, shared) {
                    Some(row) => summary.score(at, &row.score, row.n_users),
                    None => summary.gap(at, NOT_SCORED.to_owned()),
                },
            }
        }
        summary.finish();
        summary
    }

    /// n_test / n_train of each fold of an arm by repeat and fold, where the record says how many it trained on.
    pub(crate) fn ratios(&self, arm: &Arm<'_>) -> BTreeMap<(usize, usize), f64> {
        let records = self.records(arm).iter().filter(|record| record.n_train > 0);
        records
            .map(|record| ((record.cell.repeat, record.cell.fold), record.n_test as f64 / record.n_train as f64))
            .collect()
    }

    /// Metrics that any row of the dataset carries, with their facts, by name.
    pub(crate) fn metrics(&self, dataset: &str) -> Vec<(&'a str, &'a MetricFacts)> {
        let mut names: Vec<&str> = Vec::new();
        for record in self.view.records.iter().filter(|record| record.cell.dataset == dataset) {
            if let Outcome::Ok(scores) = &record.outcome {
                names.extend(scores.rows.iter().map(|row| row.metric.as_str()));
                // A dataset's metrics are few and its rows many.
                names.sort_unstable();
                names.dedup();
            }
        }
        names.into_iter().filter_map(|name| self.view.facts(name).map(|facts| (name, facts))).collect()
    }
}

fn find<'a>(scores: &'a CellScores, split: Split, control: &str, metric: &str, shared: bool) -> Option<&'a ScoreRow> {
    scores.rows.iter().find(|row| {
        let whose = if shared {
            true
        } else if control.is_empty() {
            row.role == Role::Arm
        } else {
            row.role == Role::Control && row.control == control
        };
        whose && row.split == split && row.metric == metric
    })
}

pub(crate) fn is_shared_control(arm: &Arm<'_>) -> bool {
    arm.encoder == "none" && arm.clusterer == ONE_CLUSTER
}

pub(crate) fn failure_reason(class: FailureClass) -> String {
    format!("{FAILED}{class}")
}

impl RunView {
    /// Facts of a metric; a further labelling (`adjusted_rand_score[occupation]`) has those of its metric.
    pub(crate) fn facts(&self, metric: &str) -> Option<&MetricFacts> {
        let metrics = &self.manifest.metrics;
        metrics.get(metric).or_else(|| metrics.get(metric.split_once('[')?.0))
    }

    /// 1 when higher is better, -1 when lower is.
    pub(crate) fn orientation(&self, metric: &str) -> f64 {
        if self.facts(metric).is_none_or(|facts| facts.higher_is_better) { 1.0 } else { -1.0 }
    }

    /// Dataset ids in order.
    pub(crate) fn datasets(&self) -> Vec<&str> {
        self.manifest.datasets.keys().map(String::as_str).collect()
    }
}
