//! The types on disk: what the runner writes and reports, gates and comparisons read. Nothing else knows the format.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
pub use trailmark_core::cell::{CellName, NClusters};
pub use trailmark_core::comparison::{Comparison, Interval, TestResult, Verdict};
use trailmark_core::{Failure, Key, Score};

/// Version of everything in a run folder. A reader refuses a newer one.
pub const FORMAT_VERSION: u32 = 1;

/// Which users a score is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Users the partition was fitted on.
    Train,
    /// Held-out users, assigned.
    Test,
}

/// Whether a score is of the arm or of a control that stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The arm.
    Arm,
    /// A control.
    Control,
}

/// One score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// Whose.
    pub split: Split,
    /// Arm or control.
    pub role: Role,
    /// Name of the control: `random_labels`, `one_cluster`. Empty for the arm.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub control: String,
    /// Metric: `adjusted_rand_score`, `adjusted_rand_score[occupation]` for a further labelling,
    /// `cluster_popularity/ndcg@10`.
    pub metric: String,
    /// The score.
    pub score: Score,
    /// For a mean over users: how many users it is over, its weight among folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_users: Option<usize>,
}

/// What a K rule answered on the training users of one group and clusterer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pick {
    /// Rule: `silhouette`, `elbow`.
    pub rule: String,
    /// Its answer; none means no structure found, and the auto cell is scored as one cluster.
    pub n_clusters: Option<usize>,
    /// How strong the answer is, in the rule's unit (silhouette value, knee height).
    pub strength: Option<f64>,
}

/// A cell that has a partition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellScores {
    /// All scores.
    pub rows: Vec<ScoreRow>,
    /// For an auto cell: the values of n_clusters that had a partition to choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chosen_from: Vec<usize>,
    /// For an auto cell: the answers of every rule, the suite's own rule first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub picks: Vec<Pick>,
    /// Warnings for the reader.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Cluster sizes on training users, descending.
    pub sizes_train: Vec<usize>,
    /// Cluster sizes on test users, descending.
    pub sizes_test: Vec<usize>,
    /// How test users were assigned.
    pub assignment: String,
    /// Artifact with the labels of training and test users ([`crate::artifact::LabelsArtifact`]).
    pub labels: Key,
    /// Artifact with per-user scores of test users ([`crate::artifact::UserScores`]).
    pub user_scores: Key,
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// There is a partition; scores may still be undefined.
    Ok(CellScores),
    /// There is none.
    Failed(Failure),
}

/// One line of `records/<attempt>.ndjson`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellRecord {
    /// Which cell.
    pub cell: CellName,
    /// Hash of protocol, arm, fold and repeat.
    pub cell_id: Key,
    /// Hash of encoder, post, clusterer, n_clusters with all parameters.
    pub arm_id: Key,
    /// Hash of data, sequences, split, definitions of metrics and recommenders.
    pub protocol_id: Key,
    /// Samples of the training side of the fold.
    pub n_train: usize,
    /// Samples of the held-out side of the fold.
    pub n_test: usize,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// One line of `timings.ndjson`, kept apart so that scores compare byte for byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Group or cell: `shop/w2v/fold=0/rep=0`, or a whole cell name.
    pub what: String,
    /// Stage: `encode`, `post`, `fit`, `score`, `recommend`.
    pub stage: String,
    /// Wall seconds.
    pub wall_s: f64,
    /// Seconds of processor time of the thread that did it, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_s: Option<f64>,
    /// Largest memory of the whole process up to here, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rss_bytes: Option<u64>,
}

/// What a protocol id is made of, name by name, so that a gate can say which part differs.
pub type ProtocolParts = BTreeMap<String, String>;

/// What is known of one dataset of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetFacts {
    /// Its protocol id.
    pub protocol_id: Key,
    /// The parts of it: `data`, `sequence`, `split`, `metrics`, ..
    pub protocol: ProtocolParts,
    /// True for data of the built-in generator.
    pub synthetic: bool,
    /// Samples after all filters.
    pub n_samples: usize,
    /// Users among them.
    pub n_users: usize,
    /// Items of the catalogue.
    pub n_items: usize,
    /// Reference labellings with their number of classes.
    pub labels: BTreeMap<String, usize>,
    /// Rows read, kept, dropped by reason, sequences dropped by reason, as text lines for the report.
    pub accounting: Vec<String>,
}

/// What a metric is, for those who draw: direction, internal or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricFacts {
    /// True when higher is better.
    pub higher_is_better: bool,
    /// True when it may only be compared inside one space.
    pub internal: bool,
    /// True when it is a mean over users with stored per-user values.
    pub per_user: bool,
    /// One line for people.
    pub summary: String,
}

/// `run.json`, written before the first cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunManifest {
    /// [`FORMAT_VERSION`].
    pub format: u32,
    /// `trailmark` and its version.
    pub tool: String,
    /// Suite name.
    pub suite: String,
    /// Hash of the resolved suite.
    pub suite_hash: Key,
    /// `--set` overrides as given.
    pub overrides: Vec<String>,
    /// The suite's question.
    pub question: Option<String>,
    /// Primary metric.
    pub primary: String,
    /// The K rule behind auto.
    pub pick_rule: String,
    /// Values of n_clusters in the sweep.
    pub n_clusters: Vec<usize>,
    /// Folds and repeats.
    pub folds: usize,
    /// Repeats.
    pub repeats: usize,
    /// Encoder ids in declared order, with kind.
    pub encoders: Vec<(String, String)>,
    /// Clusterer ids in declared order, with kind.
    pub clusterers: Vec<(String, String)>,
    /// Key of every encoder that ran, by id: parameters, post steps and what it reads. A folder holds one of each.
    pub encoder_keys: BTreeMap<String, Key>,
    /// The folder of artifacts, so that later commands find per-user scores.
    pub store: String,
    /// Number of cells planned, controls and auto cells included.
    pub n_cells: usize,
    /// Facts of each dataset, by id.
    pub datasets: BTreeMap<String, DatasetFacts>,
    /// Facts of each metric that appears in the scores, by name.
    pub metrics: BTreeMap<String, MetricFacts>,
    /// Operating system and processor.
    pub host: String,
    /// Threads used.
    pub threads: usize,
    /// Versions of libraries that make numbers.
    pub libraries: BTreeMap<String, String>,
    /// Commit of the working tree, where there is one.
    pub vcs_commit: Option<String>,
    /// True when the working tree had uncommitted changes.
    pub vcs_dirty: Option<bool>,
}
