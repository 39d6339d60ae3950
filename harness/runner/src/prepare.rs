//! From a job to tasks: components made, ids computed, cells matched with what is there already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use trailmark_core::config::Source;
use trailmark_core::contract::{Clusterer, Encoder, Fusion, Metric, NumberOfClusters, Post, Recommender};
use trailmark_core::{Dataset, Fold, Key, KeyBuilder};
use trailmark_store::record::ProtocolParts;
use trailmark_store::{
    CellName, CellRecord, DatasetFacts, LabelsArtifact, MetricFacts, NClusters, Outcome, UserScores,
};
use trailmark_suite::ids;

use crate::group::{ClustererTask, Task, TaskKind};
use crate::job::{Job, LoadedDataset, RunError};

/// The name of the encoder column in the rows of shared controls.
pub(crate) const NO_ENCODER: &str = "none";
/// The control of one cluster.
pub(crate) const ONE_CLUSTER: &str = "one_cluster";
/// The control of shuffled labels.
pub(crate) const RANDOM_LABELS: &str = "random_labels";

/// A job with its components made and its ids known.
pub struct Prepared<'a> {
    pub(crate) job: Job<'a>,
    /// By position in the suite; only those that the plan uses, so that a filter also spares missing models.
    pub(crate) encoders: BTreeMap<usize, PreparedEncoder>,
    pub(crate) clusterers: Vec<PreparedClusterer>,
    pub(crate) metrics: Vec<&'static dyn Metric>,
    pub(crate) recommenders: Vec<&'static dyn Recommender>,
    pub(crate) protocols: Vec<(Key, ProtocolParts)>,
}

/// Where the vectors of an `[[encoder]]` come from.
pub(crate) enum VectorSource {
    Encoder(Box<dyn Encoder>),
    Fusion {
        fusion: Box<dyn Fusion>,
        /// By position in the suite; none of them a fusion.
        parts: Vec<usize>,
    },
}

pub(crate) struct PreparedEncoder {
    pub(crate) source: VectorSource,
    /// Of kind, parameters, revision and what it reads: not of its name.
    pub(crate) key: Key,
    pub(crate) posts: Vec<Box<dyn Post>>,
    /// Of all that and the post steps.
    pub(crate) arm_key: Key,
}

pub(crate) struct PreparedClusterer {
    pub(crate) clusterer: Box<dyn Clusterer>,
    pub(crate) key: Key,
}

/// Makes every component and computes every id. Nothing is fitted.
///
/// # Errors
/// [`RunError::Build`] when a component cannot be made from its (valid) parameters.
pub fn prepare(job: Job<'_>) -> Result<Prepared<'_>, RunError> {
    let (suite, catalogue) = (job.suite, job.catalogue);
    let planned = job.plan.groups.iter().map(|group| group.encoder);
    let used: BTreeSet<usize> = planned.flat_map(|at| suite.encoders[at].parts.iter().copied().chain([at])).collect();
    // Parts before the fusions that join them: their keys are part of its key.
    let (single, fusions): (Vec<usize>, Vec<usize>) =
        used.into_iter().partition(|&at| suite.encoders[at].parts.is_empty());
    let mut encoders: BTreeMap<usize, PreparedEncoder> = BTreeMap::new();
    for at in single.into_iter().chain(fusions) {
        let arm = &suite.encoders[at];
        let refuse = |source| RunError::Build { arm: format!("encoder {:?}", arm.id), source };
        let (source, fingerprint) = match (catalogue.encoder(arm.spec.name), catalogue.fusion(arm.spec.name)) {
            (Some(entry), _) => {
                let encoder = (entry.build)(&arm.params, job.assets).map_err(refuse)?;
                let fingerprint = encoder.fingerprint();
                (VectorSource::Encoder(encoder), fingerprint)
            }
            (None, Some(entry)) => {
                let fusion = (entry.build)(&arm.params).map_err(refuse)?;
                (VectorSource::Fusion { fusion, parts: arm.parts.clone() }, String::new())
            }
            (None, None) => return Err(refuse(unknown(arm.spec.name))),
        };
        let key = KeyBuilder::new("encoder")
            .key("component", &arm.params.key(arm.spec))
            .text("fingerprint", &fingerprint)
            .finish();
        let mut posts = Vec::new();
        for step in &arm.post {
            let entry = catalogue.post(step.spec.name).ok_or_else(|| refuse(unknown(step.spec.name)))?;
            posts.push((entry.build)(&step.params).map_err(refuse)?);
        }
        let parts: Vec<Key> = arm.parts.iter().map(|part| encoders[part].arm_key).collect();
        let arm_key = ids::encoder_arm_key(arm, &fingerprint, &parts);
        encoders.insert(at, PreparedEncoder { source, key, posts, arm_key });
    }
    let mut clusterers = Vec::new();
    for arm in &suite.clusterers {
        let refuse = |source| RunError::Build { arm: format!("clusterer {:?}", arm.id), source };
        let entry = catalogue.clusterer(arm.spec.name).ok_or_else(|| refuse(unknown(arm.spec.name)))?;
        clusterers.push(PreparedClusterer {
            clusterer: (entry.build)(&arm.params).map_err(refuse)?,
            key: ids::clusterer_arm_key(arm),
        });
    }
    // The K rules read the silhouette and the inertia of the training users, so these are always computed.
    let names: BTreeSet<&str> =
        suite.score.metrics.iter().map(String::as_str).chain(["silhouette_score", "inertia"]).collect();
    let metrics = names.iter().filter_map(|name| catalogue.metric(name)).collect();
    let recommenders = suite
        .score
        .recommend
        .iter()
        .flat_map(|recommend| &recommend.recommenders)
        .filter_map(|name| catalogue.recommender(name))
        .collect();
    let protocols = job
        .datasets
        .iter()
        .map(|loaded| {
            let config = suite.datasets.iter().find(|config| config.id == loaded.dataset.id);
            let mut parts = config
                .map(|config| ids::protocol_parts(suite, config, &loaded.dataset.key, catalogue))
                .unwrap_or_default();
            parts.insert("folds".to_owned(), folds_key(&loaded.folds).to_string());
            (ids::protocol_id(&parts), parts)
        })
        .collect();
    Ok(Prepared { job, encoders, clusterers, metrics, recommenders, protocols })
}

fn unknown(name: &str) -> trailmark_core::catalogue::BuildError {
    trailmark_core::catalogue::BuildError(format!("{name:?} is not in this build's catalogue"))
}

fn fold_key(fold: &Fold) -> Key {
    let rows = |rows: &[usize]| rows.iter().flat_map(|&row| (row as u64).to_le_bytes()).collect::<Vec<u8>>();
    KeyBuilder::new("fold").raw("train", &rows(&fold.train)).raw("test", &rows(&fold.test)).finish()
}

fn folds_key(folds: &[Fold]) -> Key {
    folds
        .iter()
        .fold(KeyBuilder::new("folds"), |key, fold| {
            key.number("repeat", fold.repeat as u64).number("fold", fold.fold as u64).key("rows", &fold_key(fold))
        })
        .finish()
}

impl Prepared<'_> {
    pub(crate) fn dataset(&self, at: usize) -> &Dataset {
        &self.job.datasets[at].dataset
    }

    pub(crate) fn fold(&self, dataset: usize, fold: usize, repeat: usize) -> &Fold {
        let folds = &self.job.datasets[dataset].folds;
        // Folds are few; the plan and the loader agree on them.
        folds
            .iter()
            .find(|candidate| candidate.fold == fold && candidate.repeat == repeat)
            .unwrap_or_else(|| panic!("the plan names fold {fold} of repeat {repeat}, which the loader did not make"))
    }

    /// The encoders that must run for an arm: itself, or the parts of a fusion.
    pub(crate) fn sources(&self, encoder: usize) -> Vec<(usize, &dyn Encoder)> {
        match &self.encoders[&encoder].source {
            VectorSource::Encoder(made) => vec![(encoder, &**made)],
            VectorSource::Fusion { parts, .. } => parts.iter().flat_map(|part| self.sources(*part)).collect(),
        }
    }

    /// The seed of a draw that may vary with dataset, fold and repeat, and with `arm` keys where the table says so.
    pub(crate) fn seed(&self, purpose: &str, dataset: usize, fold: &Fold, arm: &[&Key]) -> u64 {
        let arm: Vec<String> = arm.iter().map(ToString::to_string).collect();
        let (fold_name, repeat) = (fold.fold.to_string(), fold.repeat.to_string());
        let mut parts = vec![self.dataset(dataset).id.as_str(), &fold_name, &repeat];
        parts.extend(arm.iter().map(String::as_str));
        trailmark_core::random::seed(self.job.suite.seed, purpose, &parts)
    }

    /// The key under which vectors are kept: all rows for a frozen encoder, training then test rows of one fold else.
    pub(crate) fn embeddings_key(&self, dataset: usize, encoder: usize, fitted_on: Option<(&Fold, u64)>) -> Key {
        let mut key = KeyBuilder::new("embeddings")
            .key("dataset", &self.dataset(dataset).key)
            .key("encoder", &self.encoders[&encoder].key);
        if let Some((fold, seed)) = fitted_on {
            key = key.key("fold", &fold_key(fold)).number("seed", seed);
        }
        key.finish()
    }

    /// `None` for what a shared control does not have.
    pub(crate) fn arm_id(&self, encoder: Option<usize>, clusterer: Option<usize>, n_clusters: NClusters) -> Key {
        let none = Key::of_bytes(b"none");
        let encoder = encoder.map_or(none, |at| self.encoders[&at].arm_key);
        let key = clusterer.map_or(none, |at| self.clusterers[at].key);
        let chosen_by = clusterer.map_or(NumberOfClusters::Asked, |at| self.job.suite.clusterers[at].n_clusters);
        ids::arm_id(&encoder, &key, chosen_by, n_clusters, &self.job.suite.sweep)
    }

    pub(crate) fn cell_id(&self, dataset: usize, arm_id: &Key, fold: &Fold) -> Key {
        ids::cell_id(&self.protocols[dataset].0, arm_id, fold.fold, fold.repeat)
    }

    pub(crate) fn cell_name(
        &self,
        dataset: usize,
        encoder: Option<usize>,
        clusterer: Option<usize>,
        n_clusters: NClusters,
        fold: &Fold,
    ) -> CellName {
        CellName {
            dataset: self.dataset(dataset).id.clone(),
            encoder: encoder.map_or_else(|| NO_ENCODER.to_owned(), |at| self.job.suite.encoders[at].id.clone()),
            clusterer: clusterer.map_or_else(|| ONE_CLUSTER.to_owned(), |at| self.job.suite.clusterers[at].id.clone()),
            n_clusters,
            fold: fold.fold,
            repeat: fold.repeat,
        }
    }

    /// Cells of the plan with the auto cells and the shared controls.
    pub fn n_cells(&self) -> usize {
        self.tasks(&[]).iter().map(Task::n_pending).sum()
    }

    /// Records of cells that need no work: successes whose artifacts are whole. With them, the new names of artifacts
    /// that were damaged.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn usable(&self, records: Vec<CellRecord>) -> Result<(Vec<CellRecord>, Vec<PathBuf>), RunError> {
        let (mut usable, mut damaged) = (Vec::new(), Vec::new());
        for record in records {
            let Outcome::Ok(scores) = &record.outcome else { continue };
            let labels = self.job.store.load::<LabelsArtifact>(&scores.labels, &mut damaged)?;
            let users = self.job.store.load::<UserScores>(&scores.user_scores, &mut damaged)?;
            if labels.is_some() && users.is_some() {
                usable.push(record);
            }
        }
        Ok((usable, damaged))
    }

    /// Key of every encoder that was made, by its id.
    pub fn encoder_keys(&self) -> BTreeMap<String, Key> {
        self.encoders.iter().map(|(at, encoder)| (self.job.suite.encoders[*at].id.clone(), encoder.arm_key)).collect()
    }

    /// The work that is not in `known` yet: one task a group, and one per fold for the shared controls.
    pub(crate) fn tasks(&self, known: &[CellRecord]) -> Vec<Task> {
        let known: BTreeMap<&CellName, &CellRecord> = known.iter().map(|record| (&record.cell, record)).collect();
        let have = |name: &CellName, id: &Key| known.get(name).filter(|record| record.cell_id == *id).copied().cloned();
        let mut tasks = Vec::new();
        let mut folds_seen = BTreeSet::new();
        for group in &self.job.plan.groups {
            let fold = self.fold(group.dataset, group.fold, group.repeat);
            if folds_seen.insert((group.dataset, group.repeat, group.fold)) {
                let name = self.cell_name(group.dataset, None, None, NClusters::Fixed(1), fold);
                let arm_id = self.arm_id(None, None, NClusters::Fixed(1));
                if have(&name, &self.cell_id(group.dataset, &arm_id, fold)).is_none() {
                    tasks.push(Task {
                        dataset: group.dataset,
                        fold: group.fold,
                        repeat: group.repeat,
                        kind: TaskKind::Controls,
                    });
                }
            }
            let mut clusterers: Vec<ClustererTask> = Vec::new();
            for (clusterer, arm) in self.job.suite.clusterers.iter().enumerate() {
                let sweep = arm.sweep(&self.job.suite.sweep);
                let name = self.cell_name(group.dataset, Some(group.encoder), Some(clusterer), NClusters::Auto, fold);
                let arm_id = self.arm_id(Some(group.encoder), Some(clusterer), NClusters::Auto);
                let whole_sweep = |record: &CellRecord| match &record.outcome {
                    Outcome::Ok(scores) => scores.chosen_from == sweep,
                    Outcome::Failed(_) => false,
                };
                // A choice made while a candidate was missing or failed is made again.
                let auto_is_there =
                    have(&name, &self.cell_id(group.dataset, &arm_id, fold)).is_some_and(|record| whole_sweep(&record));
                let auto = group.autos.contains(&clusterer);
                let planned = |value: &usize| {
                    group.cells.iter().any(|cell| cell.clusterer == clusterer && cell.n_clusters == *value)
                };
                let mut task = ClustererTask::new(clusterer);
                // The choice of n_clusters needs the whole sweep, also where a filter leaves cells of it out.
                for &value in sweep.iter().filter(|value| auto || planned(value)) {
                    let n_clusters = NClusters::Fixed(value);
                    let name = self.cell_name(group.dataset, Some(group.encoder), Some(clusterer), n_clusters, fold);
                    let arm_id = self.arm_id(Some(group.encoder), Some(clusterer), n_clusters);
                    match have(&name, &self.cell_id(group.dataset, &arm_id, fold)) {
                        Some(record) => task.known.push(record),
                        None => task.pending.push(value),
                    }
                }
                task.auto = auto && (!auto_is_there || !task.pending.is_empty());
                clusterers.push(task);
            }
            clusterers.retain(|task| !task.pending.is_empty() || task.auto);
            if !clusterers.is_empty() {
                tasks.push(Task {
                    dataset: group.dataset,
                    fold: group.fold,
                    repeat: group.repeat,
                    kind: TaskKind::Arms { encoder: group.encoder, clusterers },
                });
            }
        }
        tasks
    }

    /// Facts of every dataset, for the manifest.
    pub fn dataset_facts(&self) -> BTreeMap<String, DatasetFacts> {
        self.job
            .datasets
            .iter()
            .zip(&self.protocols)
            .map(|(LoadedDataset { dataset, .. }, (protocol_id, parts))| {
                let users: BTreeSet<u32> = dataset.users.iter().copied().collect();
                let facts = DatasetFacts {
                    protocol_id: *protocol_id,
                    protocol: parts.clone(),
                    synthetic: self
                        .job
                        .suite
                        .datasets
                        .iter()
                        .any(|config| config.id == dataset.id && matches!(config.source, Source::Synthetic { .. })),
                    n_samples: dataset.n_samples(),
                    n_users: users.len(),
                    n_items: dataset.item_names.len(),
                    labels: dataset.labels.iter().map(|labels| (labels.name.clone(), labels.classes.len())).collect(),
                    accounting: accounting(dataset),
                };
                (dataset.id.clone(), facts)
            })
            .collect()
    }

    /// Facts of every metric that will appear in the scores, for the manifest.
    pub fn metric_facts(&self) -> BTreeMap<String, MetricFacts> {
        let mut facts = BTreeMap::new();
        for metric in &self.metrics {
            let fact = MetricFacts {
                higher_is_better: metric.direction() == trailmark_core::spec::Direction::Higher,
                internal: metric.internal(),
                per_user: false,
                summary: metric.spec().summary.to_owned(),
            };
            if metric.needs().labels_true {
                // The first labelling of every dataset has the plain name, further ones carry theirs.
                for labels in self.job.datasets.iter().flat_map(|loaded| loaded.dataset.labels.iter().skip(1)) {
                    facts.insert(format!("{}[{}]", metric.spec().name, labels.name), fact.clone());
                }
            }
            facts.insert(metric.spec().name.to_owned(), fact);
        }
        if let Some(recommend) = &self.job.suite.score.recommend {
            for (recommender, spec, k) in self.recommenders.iter().flat_map(|recommender| {
                self.job
                    .catalogue
                    .ranking_metrics
                    .iter()
                    .flat_map(|spec| recommend.at.iter().map(|k| (*recommender, *spec, *k)))
            }) {
                let fact = MetricFacts {
                    higher_is_better: true,
                    internal: false,
                    per_user: true,
                    summary: format!("{} (mean over held-out users, lists of {k})", spec.summary),
                };
                facts.insert(crate::score::ranking_name(recommender.spec().name, spec.name, k), fact);
            }
        }
        facts
    }
}

fn accounting(dataset: &Dataset) -> Vec<String> {
    let accounting = &dataset.accounting;
    let mut lines = vec![format!("{} rows read, {} kept as events", accounting.rows_read, accounting.rows_kept)];
    lines.extend(accounting.rows_dropped.iter().map(|(reason, n)| format!("{n} rows dropped: {reason}")));
    lines.push(format!("{} sequences found, {} kept", accounting.sequences_found, dataset.n_samples()));
    lines.extend(accounting.sequences_dropped.iter().map(|(reason, n)| format!("{n} sequences left out: {reason}")));
    if accounting.sequences_truncated > 0 {
        lines.push(format!("{} sequences cut to the declared maximum length", accounting.sequences_truncated));
    }
    lines.extend(accounting.notes.iter().cloned());
    lines
}
