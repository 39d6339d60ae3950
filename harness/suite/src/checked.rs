//! A suite after checking: what is meant, with every default filled in and every name valid. Only this form can be
//! planned and run, so no later stage asks again whether it is valid.

use std::path::PathBuf;

use serde::Serialize;
use trailmark_core::config::{DatasetConfig, SequenceConfig, SplitConfig};
use trailmark_core::contract::{Distance, NumberOfClusters};
use trailmark_core::{Params, Spec};

/// A checked suite.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Name; also the default folder under `runs/`.
    pub name: String,
    /// The one seed; every draw derives from it.
    pub seed: u64,
    /// The question the report answers.
    pub question: Option<String>,
    /// Datasets in declared order.
    pub datasets: Vec<DatasetConfig>,
    /// Sequence settings.
    pub sequence: SequenceConfig,
    /// Split settings.
    pub split: SplitConfig,
    /// Encoders in declared order.
    pub encoders: Vec<EncoderArm>,
    /// Clusterers in declared order.
    pub clusterers: Vec<ClustererArm>,
    /// The sweep.
    pub sweep: Sweep,
    /// What is scored.
    pub score: ScoreConfig,
    /// Declared comparisons.
    pub compares: Vec<Compare>,
    /// Declared gates.
    pub gates: Vec<GateRule>,
    /// The folder of the suite file: relative paths start there.
    pub base_dir: PathBuf,
}

/// One `[[encoder]]`.
#[derive(Debug, Clone)]
pub struct EncoderArm {
    /// The suite's id of it.
    pub id: String,
    /// Name card of its kind.
    pub spec: &'static Spec,
    /// Resolved parameters.
    pub params: Params,
    /// Post steps in order.
    pub post: Vec<PostStep>,
    /// Indices into `Suite::encoders` of what a fusion joins, none of them a fusion; empty for an encoder.
    pub parts: Vec<usize>,
}

/// One step of `post`.
#[derive(Debug, Clone)]
pub struct PostStep {
    /// Name card of its kind.
    pub spec: &'static Spec,
    /// Resolved parameters.
    pub params: Params,
}

/// One `[[clusterer]]`.
#[derive(Debug, Clone)]
pub struct ClustererArm {
    /// The suite's id of it.
    pub id: String,
    /// Name card of its kind.
    pub spec: &'static Spec,
    /// Whether it is swept over n_clusters or finds their number, in one cell with n_clusters = auto.
    pub n_clusters: NumberOfClusters,
    /// Resolved parameters.
    pub params: Params,
}

impl ClustererArm {
    /// The values of the sweep that it is fitted at; none for a clusterer that finds the number itself.
    pub fn sweep<'a>(&self, sweep: &'a Sweep) -> &'a [usize] {
        match self.n_clusters {
            NumberOfClusters::Asked => &sweep.n_clusters,
            NumberOfClusters::Found => &[],
        }
    }
}

/// How n_clusters is chosen inside the training folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PickRule {
    /// The largest mean silhouette of the training users, if it exceeds `[sweep] min_silhouette`.
    Silhouette,
    /// The knee of the inertia curve of the training users, if there is one.
    Elbow,
}

impl PickRule {
    /// The TOML word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Silhouette => "silhouette",
            Self::Elbow => "elbow",
        }
    }
}

/// `[sweep]`.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// Values of n_clusters, ascending, distinct, each at least 2.
    pub n_clusters: Vec<usize>,
    /// The rule behind `n_clusters = "auto"`.
    pub pick: PickRule,
    /// A silhouette that does not exceed this is "none": no structure found.
    pub min_silhouette: f64,
}

/// `[score]`.
#[derive(Debug, Clone)]
pub struct ScoreConfig {
    /// The metric of the headline: a partition metric, or `<recommender>/<ranking metric>@<k>`.
    pub primary: String,
    /// Partition metrics to compute, by name, ascending.
    pub metrics: Vec<String>,
    /// The distance of internal scores.
    pub distance: Distance,
    /// Recommendation, where the split declares a future.
    pub recommend: Option<RecommendConfig>,
}

/// `[score] recommend`.
#[derive(Debug, Clone)]
pub struct RecommendConfig {
    /// List lengths, ascending.
    pub at: Vec<usize>,
    /// Recommenders by name.
    pub recommenders: Vec<String>,
    /// Leave the items of a user's own history out of the list.
    pub exclude_seen: bool,
}

/// What a comparison varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CompareArms {
    /// Every pair of encoders, same clusterer, n_clusters = auto.
    Encoder,
    /// Every pair of clusterers, same encoder, n_clusters = auto.
    Clusterer,
}

/// One `[[compare]]`.
#[derive(Debug, Clone)]
pub struct Compare {
    /// What varies.
    pub arms: CompareArms,
    /// The metric; the primary one unless declared. Never an internal one when encoders vary.
    pub metric: String,
    /// Family-wise error rate of the declared family.
    pub alpha: f64,
}

/// How a gate decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// Any difference beyond 1e-9 relative fires.
    Exact,
    /// A loss of the mean beyond the margin fires. For suites whose reruns are bit-equal, as all of ours are.
    Margin,
    /// Passes only if the lower 95 % bound of the paired difference over folds is above -margin; else inconclusive.
    NonInferior,
}

/// One `[[gate]]`.
#[derive(Debug, Clone)]
pub struct GateRule {
    /// The metric.
    pub metric: String,
    /// Allowed loss, in the metric's unit, at least 0.
    pub margin: f64,
    /// The rule.
    pub rule: GateKind,
    /// Regular expression on `dataset/encoder/clusterer/k=..`; none takes every arm with n_clusters = auto.
    pub select: Option<String>,
}
