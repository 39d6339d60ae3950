//! The runner with components that misbehave on purpose.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use trailmark_core::catalogue::{BuildError, ClustererEntry, EncoderEntry};
use trailmark_core::contract::{
    Assets, Clusterer, Context, Encoder, Metric, MetricInput, NumberOfClusters, Partition, Points, Scope, SweepPoint,
    Transform,
};
use trailmark_core::dataset::{Accounting, ReferenceLabels};
use trailmark_core::spec::{Direction, Needs};
use trailmark_core::{
    Catalogue, Cost, Dataset, Embeddings, Failure, FailureClass, Fold, Key, Labels, Matrix, NClusters, Params, Score,
    SequenceView, Sequences, Space, Spec,
};
use trailmark_store::{CellRecord, ObjectStore, Outcome, RunDir, Split};
use trailmark_suite::plan::{Filter, plan};
use trailmark_suite::{CheckContext, Suite};

use crate::{Event, Job, Limits, LoadedDataset, Observer, Summary, prepare, run};

const fn spec(name: &'static str) -> Spec {
    Spec { name, summary: "fake", reference: "none", revision: 1, cost: Cost { time: "", memory: "" }, params: &[] }
}

static PER_FOLD: Spec = spec("per_fold");
static FROZEN: Spec = spec("frozen");
static BROKEN: Spec = spec("broken");
static SPLITTER: Spec = spec("splitter");
static PANICS_AT_3: Spec = spec("panics_at_3");
static FORGETS_A_ROW: Spec = spec("forgets_a_row");
static AGREEMENT: Spec = spec("agreement");

static FITTED_ROWS: Mutex<Vec<Vec<usize>>> = Mutex::new(Vec::new());
static FROZEN_RUNS: AtomicUsize = AtomicUsize::new(0);

/// Embeds a sample as its first token, in two dimensions.
struct FirstToken(Scope);

impl Encoder for FirstToken {
    fn scope(&self) -> Scope {
        self.0
    }
    fn fit<'a>(&'a self, train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        match self.0 {
            Scope::PerFold => FITTED_ROWS.lock().unwrap().push(train.rows().to_vec()),
            Scope::Frozen => assert!(train.is_empty(), "a frozen encoder is shown nothing to learn from"),
        }
        Ok(Box::new(FirstToken(self.0)))
    }
}

impl Transform for FirstToken {
    fn transform(&self, rows: SequenceView<'_>, _ctx: &Context) -> Result<Embeddings, Failure> {
        if self.0 == Scope::Frozen {
            FROZEN_RUNS.fetch_add(1, Ordering::Relaxed);
        }
        let vectors: Vec<[f32; 2]> = (0..rows.len()).map(|i| [rows.tokens(i)[0] as f32, i as f32 * 1e-3]).collect();
        Ok(Embeddings::new(Matrix::from_rows(&vectors).unwrap()).unwrap())
    }
}

struct Broken;

impl Encoder for Broken {
    fn scope(&self) -> Scope {
        Scope::PerFold
    }
    fn fit<'a>(&'a self, _train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        Err(Failure::bad_input("nothing can be learnt here"))
    }
}

/// Names a row by the whole part of its first coordinate, up to n_clusters.
struct Splitter {
    panics_at: Option<usize>,
    forgets: bool,
}

struct Split2 {
    labels: Labels,
    n_clusters: usize,
}

fn name_of(row: &[f32], n_clusters: usize) -> u32 {
    (row[0] as u32).min(n_clusters as u32 - 1)
}

impl Clusterer for Splitter {
    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        _: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        points
            .iter()
            .map(|point| {
                assert_ne!(point.n_clusters, self.panics_at, "three is too many");
                let n_clusters = point.asked()?;
                let x = space.points.to_f32();
                let mut labels = Labels::from_ids(x.iter_rows().map(|row| name_of(row, n_clusters)));
                if self.forgets {
                    labels.0.pop();
                }
                Ok(Box::new(Split2 { labels, n_clusters }) as Box<dyn Partition>)
            })
            .collect()
    }
}

impl Partition for Split2 {
    fn labels(&self) -> &Labels {
        &self.labels
    }
    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        Ok(Labels::from_ids(rows.to_f32().iter_rows().map(|row| name_of(row, self.n_clusters))))
    }
    fn assignment_rule(&self) -> &'static str {
        "whole part"
    }
}

struct Agreement;

impl Metric for Agreement {
    fn spec(&self) -> &'static Spec {
        &AGREEMENT
    }
    fn needs(&self) -> Needs {
        Needs { embeddings: false, labels_true: true }
    }
    fn direction(&self) -> Direction {
        Direction::Higher
    }
    fn score(&self, input: &MetricInput<'_>) -> Score {
        let truth = input.labels_true.unwrap();
        let same = input.labels_pred.0.iter().zip(truth).filter(|(a, b)| a == b).count();
        Score::value(same as f64 / truth.len() as f64)
    }
}

fn catalogue() -> Catalogue {
    fn per_fold(_: &Params, _: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
        Ok(Box::new(FirstToken(Scope::PerFold)))
    }
    fn frozen(_: &Params, _: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
        Ok(Box::new(FirstToken(Scope::Frozen)))
    }
    fn broken(_: &Params, _: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
        Ok(Box::new(Broken))
    }
    Catalogue {
        encoders: vec![
            EncoderEntry { spec: &BROKEN, build: broken },
            EncoderEntry { spec: &FROZEN, build: frozen },
            EncoderEntry { spec: &PER_FOLD, build: per_fold },
        ],
        clusterers: vec![
            ClustererEntry {
                spec: &FORGETS_A_ROW,
                n_clusters: NumberOfClusters::Asked,
                build: |_| Ok(Box::new(Splitter { panics_at: None, forgets: true })),
            },
            ClustererEntry {
                spec: &PANICS_AT_3,
                n_clusters: NumberOfClusters::Asked,
                build: |_| Ok(Box::new(Splitter { panics_at: Some(3), forgets: false })),
            },
            ClustererEntry {
                spec: &SPLITTER,
                n_clusters: NumberOfClusters::Asked,
                build: |_| Ok(Box::new(Splitter { panics_at: None, forgets: false })),
            },
        ],
        metrics: vec![&Agreement],
        datasets: vec!["toy".to_owned()],
        ..Catalogue::default()
    }
}

struct NoAssets;

impl Assets for NoAssets {
    fn model(&self, name: &str) -> Result<PathBuf, String> {
        Err(format!("no model {name}"))
    }
    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

struct Silent;

impl Observer for Silent {
    fn event(&self, _event: Event<'_>) {}
}

fn suite(encoder: &str, clusterer: &str, catalogue: &Catalogue) -> Suite {
    let text = format!(
        r#"schema = 1
[suite]
name = "toy"
seed = 1
[[dataset]]
id = "toy"
source = "toy"
labels = ["group"]
[sequence]
form = {{ text = "{{item}}", tokens = "{{item}}" }}
[split]
folds = 4
[[encoder]]
id = "e"
kind = "{encoder}"
[[clusterer]]
id = "c"
kind = "{clusterer}"
[sweep]
n_clusters = [2, 3]
[score]
primary = "agreement"
metrics = ["agreement"]
"#
    );
    let context = CheckContext { catalogue, placeholders: &["item"] };
    trailmark_suite::parse(&text, "toy.toml", Path::new("."), &[], &context).unwrap_or_else(|error| panic!("{error}"))
}

/// Twenty-four users in three groups, told by their token.
fn toy() -> LoadedDataset {
    let n = 24_u32;
    let group = |user: u32| user % 3;
    let dataset = Dataset {
        id: "toy".into(),
        key: Key::of_bytes(b"toy"),
        sequences: Sequences {
            ids: (0..n).map(|user| format!("u{user:02}")).collect(),
            texts: vec![String::new(); n as usize],
            tokens: (0..n).map(|user| vec![group(user)]).collect(),
            token_names: vec!["a".into(), "b".into(), "c".into()],
            ..Sequences::default()
        },
        users: (0..n).collect(),
        history_items: vec![vec![0]; n as usize],
        future_items: vec![Vec::new(); n as usize],
        cut: vec![(2, Some(3)); n as usize],
        item_names: vec!["i".into()],
        labels: vec![ReferenceLabels {
            name: "group".into(),
            classes: vec!["a".into(), "b".into(), "c".into()],
            values: (0..n).map(|user| Some(group(user))).collect(),
        }],
        accounting: Accounting::default(),
    };
    let folds = (0..4)
        .map(|fold| {
            let (test, train) = (0..n as usize).partition(|row| row % 4 == fold);
            Fold { repeat: 0, fold, train, test }
        })
        .collect();
    LoadedDataset { dataset, folds }
}

struct Ran {
    _folder: tempfile::TempDir,
    summary: Summary,
    records: Vec<CellRecord>,
}

fn run_toy(encoder: &str, clusterer: &str, data: LoadedDataset) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = catalogue();
    let suite = suite(encoder, clusterer, &catalogue);
    let job = Job {
        suite: &suite,
        plan: plan(&suite, &Filter::default()),
        catalogue: &catalogue,
        assets: &NoAssets,
        datasets: vec![data],
        store: ObjectStore::open(&folder.path().join("store")).unwrap(),
        reuse_vectors: true,
        limits: Limits { threads: 2, memory_bytes: 1 << 30, budget_s: None },
        fault: None,
    };
    let prepared = prepare(job).unwrap();
    let run_dir = RunDir::new(&folder.path().join("run"));
    std::fs::create_dir_all(run_dir.path().join("records")).unwrap();
    let summary = run(&prepared, &run_dir, &Silent).unwrap();
    Ran { summary, records: run_dir.records().unwrap(), _folder: folder }
}

fn failure(record: &CellRecord) -> Option<&Failure> {
    match &record.outcome {
        Outcome::Ok(_) => None,
        Outcome::Failed(failure) => Some(failure),
    }
}

#[test]
fn every_cell_of_a_sound_sweep_has_scores_for_both_sides_and_controls() {
    let ran = run_toy("per_fold", "splitter", toy());
    // Four folds of two values, an auto cell and a shared control.
    assert_eq!((ran.summary.cells, ran.summary.computed, ran.summary.failed, ran.records.len()), (16, 16, 0, 16));
    let three = ran.records.iter().find(|record| record.cell.n_clusters == NClusters::Fixed(3)).unwrap();
    let Outcome::Ok(scores) = &three.outcome else { panic!("{three:?}") };
    let test = scores.rows.iter().find(|row| row.split == Split::Test && row.control.is_empty()).unwrap();
    assert_eq!((test.metric.as_str(), &test.score), ("agreement", &Score::value(1.0)));
    assert!(scores.rows.iter().any(|row| row.control == "random_labels"));
    assert_eq!((&scores.sizes_train, scores.assignment.as_str()), (&vec![6, 6, 6], "whole part"));
    assert!(ran.records.iter().any(|record| record.cell.clusterer == "one_cluster" && record.cell.encoder == "none"));
}

#[test]
fn encoders_are_fitted_on_training_rows_and_frozen_ones_run_once() {
    FITTED_ROWS.lock().unwrap().clear();
    let data = toy();
    let trains: Vec<Vec<usize>> = data.folds.iter().map(|fold| fold.train.clone()).collect();
    run_toy("per_fold", "splitter", data);
    // Other tests may run beside this one with the same encoder and the same folds.
    assert!(FITTED_ROWS.lock().unwrap().iter().all(|rows| trains.contains(rows)));
    let before = FROZEN_RUNS.load(Ordering::Relaxed);
    run_toy("frozen", "splitter", toy());
    assert_eq!(FROZEN_RUNS.load(Ordering::Relaxed) - before, 1);
}

#[test]
fn a_panic_at_one_value_fails_that_value_alone() {
    let ran = run_toy("per_fold", "panics_at_3", toy());
    assert_eq!(ran.summary.failed, 4);
    for record in &ran.records {
        let failed = failure(record);
        assert_eq!(failed.is_some(), record.cell.n_clusters == NClusters::Fixed(3), "{}", record.cell);
        if let Some(failure) = failed {
            assert_eq!(failure.class, FailureClass::Bug);
            assert!(failure.message.contains("three is too many"), "{failure}");
        }
    }
}

#[test]
fn an_encoder_that_fails_fails_its_cells_and_leaves_the_controls() {
    let ran = run_toy("broken", "splitter", toy());
    assert_eq!((ran.summary.failed, ran.records.len()), (12, 16));
    let messages: Vec<String> = ran.records.iter().filter_map(failure).map(ToString::to_string).collect();
    assert!(messages.iter().all(|message| message == "bad_input: nothing can be learnt here"), "{messages:?}");
}

#[test]
fn a_history_that_reaches_its_future_fails_every_cell_as_a_leak() {
    let mut data = toy();
    data.dataset.cut[5] = (4, Some(3));
    let ran = run_toy("per_fold", "splitter", data);
    assert!(
        ran.records.iter().any(|record| failure(record).is_some_and(|failure| failure.class == FailureClass::Leak))
    );
    assert!(ran.records.iter().all(|record| failure(record).is_some()), "no number may come of it");
}

#[test]
fn a_user_on_both_sides_is_a_leak() {
    let mut data = toy();
    data.dataset.users[1] = 0; // row 0 is held out in fold 0, row 1 is not
    let ran = run_toy("per_fold", "splitter", data);
    let fold_0: Vec<&CellRecord> = ran.records.iter().filter(|record| record.cell.fold == 0).collect();
    assert!(fold_0.iter().all(|record| failure(record).is_some_and(|failure| failure.class == FailureClass::Leak)));
}

#[test]
fn a_partition_of_the_wrong_length_is_our_bug_and_not_a_score() {
    let ran = run_toy("per_fold", "forgets_a_row", toy());
    let failed = ran.records.iter().filter_map(failure).find(|failure| failure.class == FailureClass::Bug).unwrap();
    assert_eq!(failed.message, "18 training and 6 test rows gave 17 and 6 labels");
}
