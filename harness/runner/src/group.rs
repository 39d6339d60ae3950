//! One group from vectors to records.

use trailmark_core::contract::{Context, NumberOfClusters, Partition, SweepPoint};
use trailmark_core::{Failure, FailureClass, Fold, Labels, PairNeeds, Pairs};
use trailmark_evaluate::LeakGuard;
use trailmark_geometry::{gather, gather_bytes};
use trailmark_store::{CellRecord, CellScores, LabelsArtifact, NClusters, Outcome, Pick, UserScores};

use crate::Sink;
use crate::auto;
use crate::clock::Timer;
use crate::embed::{self, Frozen, Space};
use crate::prepare::{ONE_CLUSTER, Prepared};
use crate::score::{self, Scored, Scoring};
use crate::shield::shield;

/// How everybody gets into one cluster.
const ONE_CLUSTER_RULE: &str = "one cluster for all";

/// What is still to be done of one group.
pub(crate) struct Task {
    pub(crate) dataset: usize,
    pub(crate) fold: usize,
    pub(crate) repeat: usize,
    pub(crate) kind: TaskKind,
}

pub(crate) enum TaskKind {
    /// The controls that depend on no arm.
    Controls,
    /// The arms of one encoder.
    Arms { encoder: usize, clusterers: Vec<ClustererTask> },
}

/// What is still to be done of one clusterer in a group.
pub(crate) struct ClustererTask {
    pub(crate) clusterer: usize,
    /// Values of n_clusters without a record.
    pub(crate) pending: Vec<usize>,
    /// Records of an earlier attempt.
    pub(crate) known: Vec<CellRecord>,
    /// Whether the auto cell is missing.
    pub(crate) auto: bool,
}

impl ClustererTask {
    pub(crate) fn new(clusterer: usize) -> Self {
        Self { clusterer, pending: Vec::new(), known: Vec::new(), auto: false }
    }
}

impl Task {
    pub(crate) fn n_pending(&self) -> usize {
        match &self.kind {
            TaskKind::Controls => 1,
            TaskKind::Arms { clusterers, .. } => {
                clusterers.iter().map(|task| task.pending.len() + usize::from(task.auto)).sum()
            }
        }
    }
}

impl Prepared<'_> {
    pub(crate) fn group_name(&self, task: &Task, encoder: usize) -> String {
        let (dataset, encoder) = (&self.dataset(task.dataset).id, &self.job.suite.encoders[encoder].id);
        format!("{dataset}/{encoder}/fold={}/rep={}", task.fold, task.repeat)
    }
}

pub(crate) fn run(prepared: &Prepared<'_>, task: &Task, frozen: &Frozen, sink: &Sink<'_>) {
    let fold = prepared.fold(task.dataset, task.fold, task.repeat);
    match &task.kind {
        TaskKind::Controls => run_controls(prepared, task, fold, sink),
        TaskKind::Arms { encoder, clusterers } => run_arms(prepared, task, *encoder, clusterers, fold, frozen, sink),
    }
}

fn run_controls(prepared: &Prepared<'_>, task: &Task, fold: &Fold, sink: &Sink<'_>) {
    let n_clusters = NClusters::Fixed(1);
    let labels = LabelsArtifact {
        train: trailmark_evaluate::one_cluster(fold.train.len()),
        test: trailmark_evaluate::one_cluster(fold.test.len()),
    };
    let scored = shield(|| {
        let mut guard = LeakGuard::new(prepared.dataset(task.dataset), fold);
        guard.saw("recommender", &fold.train);
        guard.check()?;
        let scoring = Scoring { prepared, dataset: task.dataset, fold, space: None };
        Ok(scoring.shared_control(ONE_CLUSTER, &labels))
    })
    .and_then(|scored| scored);
    let cell = CellSlot { prepared, task, fold, encoder: None, clusterer: None };
    let done = scored.map(|scored| Done::new(scored, labels, ONE_CLUSTER_RULE));
    sink.cell(&cell.record(n_clusters, done, sink));
}

fn run_arms(
    prepared: &Prepared<'_>,
    task: &Task,
    encoder: usize,
    clusterers: &[ClustererTask],
    fold: &Fold,
    frozen: &Frozen,
    sink: &Sink<'_>,
) {
    let mut guard = LeakGuard::new(prepared.dataset(task.dataset), fold);
    let space = embed::space(prepared, task, encoder, fold, frozen, &mut guard, sink);
    let arms: Vec<Arm<'_>> = clusterers.iter().map(|part| Arm { prepared, task, encoder, part, fold, sink }).collect();
    let space = space.and_then(|space| {
        // Clusterers, the choice of n_clusters and the recommender all learn from these rows.
        for stage in ["clusterer", "choice of n_clusters", "recommender"] {
            guard.saw(stage, &fold.train);
        }
        guard.check().map(|()| space)
    });
    match space {
        Ok(space) => fit_and_score(&arms, &space),
        Err(failure) => arms.iter().for_each(|arm| arm.fail_all(&failure)),
    }
}

/// Fits every clusterer of a group, then scores all their partitions together, so that a pass over the pairs of rows
/// is made once a group and not once a clusterer.
fn fit_and_score(arms: &[Arm<'_>], space: &Space) {
    let Some(first) = arms.first() else { return };
    let group = first.prepared.group_name(first.task, first.encoder);
    let timer = Timer::start();
    let pairs = shared_pairs(arms, space);
    if !pairs.is_empty() {
        first.sink.timing(timer.timing(&group, "pairs", true));
    }
    let mut fitted = Vec::new();
    for arm in arms {
        if first.sink.broken() {
            return;
        }
        fitted.push(arm.fitted(space, &pairs));
    }
    drop(pairs);
    let timer = Timer::start();
    let ready = |outcomes: &[Fitted]| -> Vec<LabelsArtifact> {
        outcomes.iter().filter_map(|one| one.outcome.as_ref().ok()).map(|ready| ready.labels.clone()).collect()
    };
    let all: Vec<LabelsArtifact> = fitted.iter().flat_map(|outcomes| ready(outcomes)).collect();
    let mut scored = first.scoring(space).arms(&all.iter().collect::<Vec<_>>()).into_iter();
    for (arm, outcomes) in arms.iter().zip(fitted) {
        arm.publish(space, outcomes, &mut scored);
    }
    first.sink.timing(timer.timing(&group, "score", true));
}

/// What one pass over all pairs of training rows finds for every clusterer that asks, where more than one does: a
/// single one gathers what it needs itself and may take it over. A table that does not fit the memory beside the
/// others is left out, and so is one that cannot be made: its consumers then refuse in their own words.
fn shared_pairs(arms: &[Arm<'_>], space: &Space) -> Vec<Pairs> {
    let Some(first) = arms.first() else { return Vec::new() };
    let ctx = first.context();
    let (n, width) = (space.train.rows(), space.train.cols());
    let asked: Vec<Vec<PairNeeds>> = arms
        .iter()
        .filter_map(|arm| {
            let clusterer = &arm.prepared.clusterers[arm.part.clusterer].clusterer;
            shield(|| clusterer.pair_needs(n, width, &ctx)).ok()
        })
        .filter(|needs| !needs.is_empty())
        .collect();
    if asked.len() < 2 || space.train.first_not_finite().is_some() {
        return Vec::new();
    }
    let mut left = ctx.memory_bytes;
    let mut tables = Vec::new();
    for need in PairNeeds::merged(&asked.concat()) {
        let bytes = gather_bytes(n, width, &need);
        if bytes <= left
            && let Ok(Ok(pairs)) = shield(|| gather((&space.train).into(), &need, ctx.threads))
        {
            left -= bytes;
            tables.push(pairs);
        }
    }
    tables
}

/// What became of one fit.
struct Fitted {
    n_clusters: NClusters,
    outcome: Result<Ready, Failure>,
}

/// A partition that waits for its scores.
struct Ready {
    labels: LabelsArtifact,
    assignment: &'static str,
    warnings: Vec<String>,
}

/// A cell that has a partition.
struct Done {
    scored: Scored,
    labels: LabelsArtifact,
    picks: Vec<Pick>,
    chosen_from: Vec<usize>,
    assignment: String,
    warnings: Vec<String>,
}

impl Done {
    fn new(scored: Scored, labels: LabelsArtifact, assignment: &str) -> Self {
        let assignment = assignment.to_owned();
        Self { scored, labels, picks: Vec::new(), chosen_from: Vec::new(), assignment, warnings: Vec::new() }
    }
}

/// Names and ids of the cells of one slot of the sweep.
#[derive(Clone, Copy)]
struct CellSlot<'a> {
    prepared: &'a Prepared<'a>,
    task: &'a Task,
    fold: &'a Fold,
    encoder: Option<usize>,
    clusterer: Option<usize>,
}

impl CellSlot<'_> {
    fn name(&self, n_clusters: NClusters) -> trailmark_store::CellName {
        self.prepared.cell_name(self.task.dataset, self.encoder, self.clusterer, n_clusters, self.fold)
    }

    /// The record of a cell; its artifacts are published on the way, under keys of their own bytes.
    fn record(&self, n_clusters: NClusters, done: Result<Done, Failure>, sink: &Sink<'_>) -> CellRecord {
        let arm_id = self.prepared.arm_id(self.encoder, self.clusterer, n_clusters);
        let cell_id = self.prepared.cell_id(self.task.dataset, &arm_id, self.fold);
        let outcome = match done {
            Err(failure) => Outcome::Failed(failure),
            Ok(Done { scored, labels, picks, chosen_from, assignment, warnings }) => {
                let store = &self.prepared.job.store;
                Outcome::Ok(CellScores {
                    rows: scored.rows,
                    chosen_from,
                    picks,
                    warnings,
                    sizes_train: sizes(&labels.train),
                    sizes_test: sizes(&labels.test),
                    assignment,
                    labels: sink.save_by_content(store, &labels),
                    user_scores: sink.save_by_content(store, &scored.users),
                })
            }
        };
        CellRecord {
            cell: self.name(n_clusters),
            cell_id,
            arm_id,
            protocol_id: self.prepared.protocols[self.task.dataset].0,
            n_train: self.fold.train.len(),
            n_test: self.fold.test.len(),
            outcome,
        }
    }
}

fn sizes(labels: &Labels) -> Vec<usize> {
    let mut counts = std::collections::BTreeMap::<u32, usize>::new();
    for name in labels.0.iter().flatten() {
        *counts.entry(*name).or_insert(0) += 1;
    }
    let mut sizes: Vec<usize> = counts.into_values().collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes
}

/// One clusterer in one group.
struct Arm<'a> {
    prepared: &'a Prepared<'a>,
    task: &'a Task,
    encoder: usize,
    part: &'a ClustererTask,
    fold: &'a Fold,
    sink: &'a Sink<'a>,
}

type Fit = Result<Box<dyn Partition>, Failure>;

impl<'a> Arm<'a> {
    fn slot(&self) -> CellSlot<'a> {
        CellSlot {
            prepared: self.prepared,
            task: self.task,
            fold: self.fold,
            encoder: Some(self.encoder),
            clusterer: Some(self.part.clusterer),
        }
    }

    fn failed(&self, n_clusters: NClusters, failure: Failure) -> CellRecord {
        self.slot().record(n_clusters, Err(failure), self.sink)
    }

    fn fail_all(&self, failure: &Failure) {
        let fixed = self.part.pending.iter().map(|&value| NClusters::Fixed(value));
        for n_clusters in fixed.chain(self.part.auto.then_some(NClusters::Auto)) {
            self.sink.cell(&self.failed(n_clusters, failure.clone()));
        }
    }

    /// Fits what is missing of this clusterer, and assigns the test rows.
    fn fitted(&self, space: &Space, pairs: &[Pairs]) -> Vec<Fitted> {
        let arm = &self.prepared.job.suite.clusterers[self.part.clusterer];
        let group = self.prepared.group_name(self.task, self.encoder);
        let timer = Timer::start();
        let asked: Vec<Option<usize>> = match arm.n_clusters {
            NumberOfClusters::Asked => self.part.pending.iter().copied().map(Some).collect(),
            NumberOfClusters::Found => vec![None],
        };
        let points: Vec<SweepPoint> =
            asked.into_iter().map(|n_clusters| SweepPoint { n_clusters, seed: self.seed(n_clusters) }).collect();
        let seen = trailmark_core::Space { points: (&space.train).into(), pairs };
        let fits = self.fit(&seen, &points);
        let fitted = points
            .iter()
            .zip(fits)
            .map(|(point, fit)| Fitted {
                n_clusters: slot_of(point),
                outcome: fit.and_then(|partition| self.ready(space, point, &*partition)),
            })
            .collect();
        self.sink.timing(timer.timing(&format!("{group}/{}", arm.id), "fit", true));
        fitted
    }

    fn ready(&self, space: &Space, point: &SweepPoint, partition: &dyn Partition) -> Result<Ready, Failure> {
        let test = shield(|| partition.assign((&space.test).into())).and_then(|assigned| assigned)?;
        let labels = LabelsArtifact { train: partition.labels().clone(), test };
        check_shape(&labels, self.fold)?;
        let mut warnings = partition.warnings();
        let found = labels.train.n_clusters();
        if let Some(asked) = point.n_clusters
            && found < asked
        {
            warnings.push(format!("{found} clusters were found, {asked} were asked for"));
        }
        warnings.extend(space.warnings.iter().cloned());
        Ok(Ready { labels, assignment: partition.assignment_rule(), warnings })
    }

    /// Makes the records of what was fitted, with the scores in their order, and chooses n_clusters where that is
    /// asked.
    fn publish(&self, space: &Space, fitted: Vec<Fitted>, scored: &mut impl Iterator<Item = Result<Scored, Failure>>) {
        let mut records = Vec::new();
        for Fitted { n_clusters, outcome } in fitted {
            let done = outcome.and_then(|Ready { labels, assignment, warnings }| {
                let scored = scored.next().unwrap_or_else(|| Err(Failure::bug("a partition was not scored")))?;
                let mut done = Done { warnings, ..Done::new(scored, labels, assignment) };
                if n_clusters == NClusters::Auto {
                    self.add_sample_scores(space, &mut done)?;
                }
                Ok(done)
            });
            let record = self.slot().record(n_clusters, done, self.sink);
            self.sink.cell(&record);
            records.push(record);
        }
        let found = records.iter().any(|record| record.cell.n_clusters == NClusters::Auto);
        if self.part.auto && !found {
            let mut all: Vec<&CellRecord> = self.part.known.iter().chain(&records).collect();
            all.sort_by(|a, b| a.cell.cmp(&b.cell));
            self.sink.cell(&self.auto(space, &all));
        }
    }

    fn add_sample_scores(&self, space: &Space, done: &mut Done) -> Result<(), Failure> {
        shield(|| score::add_sample_scores(&self.scoring(space), &done.labels, &mut done.scored))
    }

    fn seed(&self, n_clusters: Option<usize>) -> u64 {
        let encoder = &self.prepared.encoders[&self.encoder];
        let clusterer = &self.prepared.clusterers[self.part.clusterer].key;
        // No sweep holds 0: it stands for "found by the clusterer".
        let value = trailmark_core::Key::of_bytes(&(n_clusters.unwrap_or(0) as u64).to_le_bytes());
        self.prepared.seed("clusterer", self.task.dataset, self.fold, &[&encoder.arm_key, clusterer, &value])
    }

    /// What a fit gets: groups run beside each other, so one has one thread.
    fn context(&self) -> Context {
        Context { seed: self.seed(None), threads: 1, memory_bytes: self.prepared.job.limits.memory_bytes }
    }

    fn scoring(&self, space: &'a Space) -> Scoring<'a> {
        Scoring { prepared: self.prepared, dataset: self.task.dataset, fold: self.fold, space: Some(space) }
    }

    /// Fits the whole sweep at once. When that panics, each value alone, so that only the guilty cell fails: a value
    /// of n_clusters moves no other's result, by contract.
    fn fit(&self, space: &trailmark_core::Space<'_>, points: &[SweepPoint]) -> Vec<Fit> {
        if points.is_empty() {
            return Vec::new();
        }
        let clusterer = &self.prepared.clusterers[self.part.clusterer].clusterer;
        let ctx = self.context();
        let attempt = |points: &[SweepPoint]| {
            shield(|| {
                for point in points {
                    let cell = self.slot().name(slot_of(point)).to_string();
                    if self.prepared.job.fault.as_ref().is_some_and(|fault| fault(&cell)) {
                        panic!("planted in {cell}");
                    }
                }
                clusterer.fit_sweep(space, points, &ctx)
            })
            .and_then(|fits| {
                if fits.len() == points.len() {
                    Ok(fits)
                } else {
                    Err(Failure::bug(format!("{} values of n_clusters gave {} fits", points.len(), fits.len())))
                }
            })
        };
        match attempt(points) {
            Ok(fits) => fits,
            Err(failure) if points.len() == 1 => vec![Err(failure)],
            Err(_) => points
                .iter()
                .map(|point| attempt(std::slice::from_ref(point)).and_then(|mut fits| fits.remove(0)))
                .collect(),
        }
    }

    /// The cell of the chosen n_clusters: its scores, with a value for every sample beside; with "none", those of one
    /// cluster in this space.
    fn auto(&self, space: &Space, records: &[&CellRecord]) -> CellRecord {
        let picks = auto::picks(&self.prepared.job.suite.sweep, records);
        let Some(pick) = picks.first().cloned() else {
            return self.failed(NClusters::Auto, Failure::bug("no K rule was asked"));
        };
        if records.iter().all(|record| matches!(record.outcome, Outcome::Failed(_))) {
            let message = "no value of n_clusters has a partition to choose from";
            return self.failed(NClusters::Auto, Failure::new(FailureClass::Degenerate, message));
        }
        let chosen = pick.n_clusters.and_then(|value| {
            records.iter().find_map(|record| match &record.outcome {
                Outcome::Ok(scores) if record.cell.n_clusters == NClusters::Fixed(value) => Some(scores),
                _ => None,
            })
        });
        let made = match chosen {
            Some(scores) => self.stored(scores).map(|(scored, labels)| Done {
                warnings: scores.warnings.clone(),
                ..Done::new(scored, labels, &scores.assignment)
            }),
            None => {
                let labels = LabelsArtifact {
                    train: trailmark_evaluate::one_cluster(self.fold.train.len()),
                    test: trailmark_evaluate::one_cluster(self.fold.test.len()),
                };
                let scored = self.scoring(space).arms(&[&labels]).remove(0);
                scored.map(|scored| Done::new(scored, labels, ONE_CLUSTER_RULE))
            }
        };
        let made = made.and_then(|mut done| {
            self.add_sample_scores(space, &mut done)?;
            Ok(done)
        });
        let mut done = match made {
            Ok(done) => done,
            Err(failure) => return self.failed(NClusters::Auto, failure),
        };
        let undefined = records.iter().filter(|record| matches!(record.outcome, Outcome::Failed(_))).count();
        if undefined > 0 {
            let total = records.len();
            done.warnings.push(format!("{undefined} of {total} values of n_clusters failed and could not be chosen"));
        }
        match pick.n_clusters {
            None => done.warnings.push(format!("the {} rule found no structure: scored as one cluster", pick.rule)),
            Some(value) => {
                let values = &self.prepared.job.suite.sweep.n_clusters;
                if values.len() > 1 && (values.first() == Some(&value) || values.last() == Some(&value)) {
                    done.warnings.push(format!("n_clusters = {value} is at the edge of the sweep"));
                }
            }
        }
        done.chosen_from = records
            .iter()
            .filter_map(|record| match (record.cell.n_clusters, &record.outcome) {
                (NClusters::Fixed(value), Outcome::Ok(_)) => Some(value),
                _ => None,
            })
            .collect();
        done.picks = picks;
        self.slot().record(NClusters::Auto, Ok(done), self.sink)
    }

    /// What a cell that is done keeps in its record and in the store.
    fn stored(&self, scores: &CellScores) -> Result<(Scored, LabelsArtifact), Failure> {
        let mut damaged = Vec::new();
        let store = &self.prepared.job.store;
        let labels = store.load::<LabelsArtifact>(&scores.labels, &mut damaged);
        let users = store.load::<UserScores>(&scores.user_scores, &mut damaged);
        self.sink.tell_damaged(damaged);
        match (labels, users) {
            (Ok(Some(labels)), Ok(Some(users))) => Ok((Scored { rows: scores.rows.clone(), users }, labels)),
            (Err(error), _) | (_, Err(error)) => {
                let failure = Failure::from_error(FailureClass::External, &error);
                self.sink.fail(error.into());
                Err(failure)
            }
            _ => {
                let message = "the stored labels or scores of the chosen cell are damaged; run again to make them anew";
                Err(Failure::new(FailureClass::External, message))
            }
        }
    }
}

fn slot_of(point: &SweepPoint) -> NClusters {
    point.n_clusters.map_or(NClusters::Auto, NClusters::Fixed)
}

fn check_shape(labels: &LabelsArtifact, fold: &Fold) -> Result<(), Failure> {
    if labels.train.len() == fold.train.len() && labels.test.len() == fold.test.len() {
        Ok(())
    } else {
        Err(Failure::bug(format!(
            "{} training and {} test rows gave {} and {} labels",
            fold.train.len(),
            fold.test.len(),
            labels.train.len(),
            labels.test.len()
        )))
    }
}
