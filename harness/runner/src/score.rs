//! Scores of partitions: inside their space, against reference labels, and by what they do for a recommender; with
//! shuffled labels of the same sizes beside every one of them.

use std::collections::BTreeMap;

use trailmark_core::config::Future;
use trailmark_core::contract::{Metric, MetricInput, Points, RecommendTrain, Recommender};
use trailmark_core::dataset::ReferenceLabels;
use trailmark_core::{Dataset, Failure, Fold, Labels, Score, Undefined};
use trailmark_recommend::ranking;
use trailmark_store::{LabelsArtifact, Role, ScoreRow, Split, UserScores};

use crate::embed::Space;
use crate::prepare::{Prepared, RANDOM_LABELS};
use crate::shield::shield;

/// The name of a ranking score in `scores.csv`.
pub(crate) fn ranking_name(recommender: &str, metric: &str, k: usize) -> String {
    format!("{recommender}/{metric}@{k}")
}

/// The scores of one cell.
pub(crate) struct Scored {
    pub(crate) rows: Vec<ScoreRow>,
    pub(crate) users: UserScores,
}

/// What partitions of one fold are scored with.
#[derive(Clone, Copy)]
pub(crate) struct Scoring<'a> {
    pub(crate) prepared: &'a Prepared<'a>,
    pub(crate) dataset: usize,
    pub(crate) fold: &'a Fold,
    /// None for controls that belong to no space.
    pub(crate) space: Option<&'a Space>,
}

impl Scoring<'_> {
    fn data(&self) -> &Dataset {
        self.prepared.dataset(self.dataset)
    }

    /// Scores partitions of the same space together, so that passes over the data are shared.
    pub(crate) fn arms(&self, partitions: &[&LabelsArtifact]) -> Vec<Result<Scored, Failure>> {
        // Every arm meets the same shuffle: its seed knows dataset, fold and repeat, not the arm.
        let seed = self.prepared.seed(RANDOM_LABELS, self.dataset, self.fold, &[]);
        let shuffled: Vec<LabelsArtifact> = partitions
            .iter()
            .map(|labels| LabelsArtifact {
                train: trailmark_evaluate::random_labels(&labels.train, seed),
                test: trailmark_evaluate::random_labels(&labels.test, seed),
            })
            .collect();
        let together = shield(|| {
            let mut rows: Vec<Vec<ScoreRow>> = partitions.iter().map(|_| Vec::new()).collect();
            let train: Vec<&Labels> = partitions.iter().map(|labels| &labels.train).collect();
            self.partition_scores(Split::Train, Role::Arm, "", &train, &mut rows);
            let test: Vec<&Labels> = partitions.iter().map(|labels| &labels.test).collect();
            self.partition_scores(Split::Test, Role::Arm, "", &test, &mut rows);
            let random: Vec<&Labels> = shuffled.iter().map(|labels| &labels.test).collect();
            self.partition_scores(Split::Test, Role::Control, RANDOM_LABELS, &random, &mut rows);
            rows
        });
        match together {
            Ok(rows) => rows
                .into_iter()
                .zip(partitions.iter().zip(&shuffled))
                .map(|(mut rows, (labels, shuffled))| {
                    shield(|| {
                        let mut users = self.empty_user_scores();
                        self.recommend(Role::Arm, "", labels, &mut rows, &mut users);
                        self.recommend(Role::Control, RANDOM_LABELS, shuffled, &mut rows, &mut users);
                        Scored { rows: sorted(rows), users }
                    })
                })
                .collect(),
            Err(failure) if partitions.len() == 1 => vec![Err(failure)],
            Err(_) => partitions.iter().flat_map(|labels| self.arms(&[labels])).collect(),
        }
    }

    /// Scores a control that depends on no arm.
    pub(crate) fn shared_control(&self, name: &str, labels: &LabelsArtifact) -> Scored {
        let mut rows = vec![Vec::new()];
        self.partition_scores(Split::Train, Role::Control, name, &[&labels.train], &mut rows);
        self.partition_scores(Split::Test, Role::Control, name, &[&labels.test], &mut rows);
        let mut rows = rows.remove(0);
        let mut users = self.empty_user_scores();
        self.recommend(Role::Control, name, labels, &mut rows, &mut users);
        // The artifact of a shared control holds that control's own columns, under their plain names.
        for (column, _) in &mut users.columns {
            if let Some(plain) = column.strip_prefix(&format!("{name}:")) {
                *column = plain.to_owned();
            }
        }
        Scored { rows: sorted(rows), users }
    }

    fn empty_user_scores(&self) -> UserScores {
        UserScores { users: self.fold.test.iter().map(|&row| self.data().users[row]).collect(), columns: Vec::new() }
    }

    fn partition_scores(
        &self,
        split: Split,
        role: Role,
        control: &str,
        partitions: &[&Labels],
        rows: &mut [Vec<ScoreRow>],
    ) {
        for metric in &self.prepared.metrics {
            let needs = metric.needs();
            if needs.embeddings && self.space.is_none() {
                continue;
            }
            let references: Vec<Option<&ReferenceLabels>> =
                if needs.labels_true { self.data().labels.iter().map(Some).collect() } else { vec![None] };
            for (at, reference) in references.iter().enumerate() {
                let name = match reference {
                    Some(reference) if at > 0 => format!("{}[{}]", metric.spec().name, reference.name),
                    _ => metric.spec().name.to_owned(),
                };
                let scores = self.metric_scores(*metric, split, *reference, partitions);
                for (rows, score) in rows.iter_mut().zip(scores) {
                    rows.push(ScoreRow {
                        split,
                        role,
                        control: control.to_owned(),
                        metric: name.clone(),
                        score,
                        n_users: None,
                    });
                }
            }
        }
    }

    fn metric_scores(
        &self,
        metric: &dyn Metric,
        split: Split,
        reference: Option<&ReferenceLabels>,
        partitions: &[&Labels],
    ) -> Vec<Score> {
        let side = match split {
            Split::Train => &self.fold.train,
            Split::Test => &self.fold.test,
        };
        let truth: Option<Vec<Option<u32>>> =
            reference.map(|reference| side.iter().map(|&row| reference.values[row]).collect());
        let inputs: Vec<MetricInput<'_>> =
            partitions.iter().map(|labels| self.input(split, labels, truth.as_deref())).collect();
        metric.score_all(&inputs)
    }

    fn input<'b>(&'b self, split: Split, labels: &'b Labels, truth: Option<&'b [Option<u32>]>) -> MetricInput<'b> {
        let x = self.space.map(|space| match split {
            Split::Train => Points::F32(&space.train),
            Split::Test => Points::F32(&space.test),
        });
        MetricInput { labels_pred: labels, labels_true: truth, x, distance: self.prepared.job.suite.score.distance }
    }

    fn recommend(
        &self,
        role: Role,
        control: &str,
        labels: &LabelsArtifact,
        rows: &mut Vec<ScoreRow>,
        users: &mut UserScores,
    ) {
        let Some(config) = &self.prepared.job.suite.score.recommend else { return };
        for recommender in &self.prepared.recommenders {
            for (name, values) in self.ranking_scores(*recommender, labels, &config.at, config.exclude_seen) {
                let (score, n_users) = mean_over_users(&users.users, &values);
                rows.push(ScoreRow {
                    split: Split::Test,
                    role,
                    control: control.to_owned(),
                    metric: name.clone(),
                    score,
                    n_users: Some(n_users),
                });
                let column = if control.is_empty() { name } else { format!("{control}:{name}") };
                users.columns.push((column, values));
            }
        }
    }

    /// Every ranking score of every test sample.
    fn ranking_scores(
        &self,
        recommender: &dyn Recommender,
        labels: &LabelsArtifact,
        at: &[usize],
        exclude_seen: bool,
    ) -> Vec<(String, Vec<Option<f64>>)> {
        let data = self.data();
        // Under `after = date` what training users did later is the test period too, and is not learnt from.
        let with_future = matches!(self.prepared.job.suite.split.future, Future::Last(_));
        let whole: Vec<Vec<u32>> = self
            .fold
            .train
            .iter()
            .map(|&row| {
                let future = if with_future { &data.future_items[row][..] } else { &[] };
                data.history_items[row].iter().chain(future).copied().collect()
            })
            .collect();
        let items: Vec<&[u32]> = whole.iter().map(Vec::as_slice).collect();
        let ranker =
            recommender.fit(&RecommendTrain { n_items: data.item_names.len(), items: &items, labels: &labels.train });
        let longest = at.iter().copied().max().unwrap_or(0);
        let mut columns: Vec<(String, Vec<Option<f64>>)> = Vec::new();
        for metric in &ranking::METRICS {
            for k in at {
                columns.push((ranking_name(recommender.spec().name, metric.spec.name, *k), Vec::new()));
            }
        }
        for (&row, cluster) in self.fold.test.iter().zip(&labels.test.0) {
            let mut seen = data.history_items[row].clone();
            seen.sort_unstable();
            seen.dedup();
            let (exclude, truth): (&[u32], Vec<u32>) = if exclude_seen {
                let new = data.future_items[row].iter().filter(|item| seen.binary_search(item).is_err());
                (&seen, new.copied().collect())
            } else {
                (&[], data.future_items[row].clone())
            };
            let list = ranker.rank(*cluster, exclude, longest);
            let scores = ranking::METRICS.iter().flat_map(|metric| at.iter().map(|&k| metric.score(&list, &truth, k)));
            for ((_, values), score) in columns.iter_mut().zip(scores) {
                values.push(score);
            }
        }
        columns
    }
}

/// The mean over users, each counted once: first over a user's samples, then over users. Users without a score leave
/// the mean; how many are in it stands beside it.
fn mean_over_users(users: &[u32], values: &[Option<f64>]) -> (Score, usize) {
    let mut per_user: BTreeMap<u32, (f64, u32)> = BTreeMap::new();
    for (user, value) in users.iter().zip(values) {
        if let Some(value) = value {
            let entry = per_user.entry(*user).or_insert((0.0, 0));
            entry.0 += value;
            entry.1 += 1;
        }
    }
    if per_user.is_empty() {
        return (Undefined::NoTruth.into(), 0);
    }
    let n_users = per_user.len();
    (Score::value(per_user.values().map(|(sum, n)| sum / f64::from(*n)).sum::<f64>() / n_users as f64), n_users)
}

/// Adds the value of every test sample for metrics that are means over samples (the silhouette chart reads them).
pub(crate) fn add_sample_scores(scoring: &Scoring<'_>, labels: &LabelsArtifact, scored: &mut Scored) {
    for metric in &scoring.prepared.metrics {
        if metric.needs().embeddings != scoring.space.is_some() {
            continue;
        }
        if let Some(Ok(values)) = metric.per_sample(&scoring.input(Split::Test, &labels.test, None)) {
            scored.users.columns.push((metric.spec().name.to_owned(), values.into_iter().map(Some).collect()));
        }
    }
}

fn sorted(mut rows: Vec<ScoreRow>) -> Vec<ScoreRow> {
    rows.sort_by(|a, b| (a.split, a.role, &a.control, &a.metric).cmp(&(b.split, b.role, &b.control, &b.metric)));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_counts_once_however_many_sessions() {
        let mean = mean_over_users(&[1, 1, 1, 2, 3], &[Some(1.0), Some(1.0), Some(1.0), Some(0.0), None]);
        assert_eq!(mean, (Score::value(0.5), 2));
        assert_eq!(mean_over_users(&[1], &[None]).0.reason(), "no_truth");
    }
}
