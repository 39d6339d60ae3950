//! The contracts: what an encoder, a clusterer, a metric and a recommender promise the runner.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::dataset::SequenceView;
use crate::embeddings::Embeddings;
use crate::failure::Failure;
use crate::labels::Labels;
use crate::matrix::Matrix;
use crate::score::{Score, Undefined};
use crate::space::{PairNeeds, Space};
use crate::spec::{Direction, Needs, Spec};

/// What every fitting step gets besides its data.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Seed of this step, derived from the suite's seed by the table of draws.
    pub seed: u64,
    /// Threads it may use. Results must not depend on it.
    pub threads: usize,
    /// Bytes it may use; steps that need more refuse with need and limit.
    pub memory_bytes: u64,
}

/// When an encoder is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Never: a public model or stored vectors. It runs once per suite and dataset.
    Frozen,
    /// On the training rows of every fold.
    PerFold,
}

/// Turns behaviour sequences into vectors.
pub trait Encoder: Send + Sync {
    /// Whether it is fitted at all.
    fn scope(&self) -> Scope;

    /// Hash of what it reads besides its parameters (weights, stored vectors); empty when nothing.
    fn fingerprint(&self) -> String {
        String::new()
    }

    /// Learns from training rows only. A `Frozen` encoder is given no rows.
    ///
    /// # Errors
    /// [`Failure`] when nothing can be learnt from these rows.
    fn fit<'a>(&'a self, train: SequenceView<'_>, ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure>;
}

/// A fitted encoder.
pub trait Transform: Send + Sync {
    /// Embeds the rows in view, one vector each, in their order.
    ///
    /// # Errors
    /// [`Failure`] when a row cannot be embedded.
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure>;

    /// Things the reader should know (share of unknown tokens, truncated texts).
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Joins the vectors of several encoders, row by row; nothing is fitted.
pub trait Fusion: Send + Sync {
    /// Joins matrices of the same rows, (n, n_features of each part), in the order of the suite.
    ///
    /// # Errors
    /// [`Failure`] when the widths do not go together.
    fn fuse(&self, parts: &[&Matrix<f32>]) -> Result<Matrix<f32>, Failure>;
}

/// A step between encoder and clusterer: centre, l2.
pub trait Post: Send + Sync {
    /// Learns from the training vectors, (n_train, n_features).
    ///
    /// # Errors
    /// [`Failure`] when the statistics do not exist.
    fn fit(&self, train: &Matrix<f32>) -> Result<Box<dyn FittedPost>, Failure>;
}

/// A fitted post step.
pub trait FittedPost: Send + Sync {
    /// Changes vectors in place, (n, n_features).
    ///
    /// # Errors
    /// [`Failure`] for a row that has no image.
    fn apply(&self, x: &mut Matrix<f32>) -> Result<(), Failure>;
}

/// One value of n_clusters in a sweep, with the seed of its starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepPoint {
    /// Number of clusters asked for; none asks the clusterer to find it, which only those do whose catalogue entry
    /// says [`NumberOfClusters::Found`].
    pub n_clusters: Option<usize>,
    /// Seed of its random starts.
    pub seed: u64,
}

impl SweepPoint {
    /// The number of clusters asked for.
    ///
    /// # Errors
    /// A bug of the caller: clusterers that take the number are always given one.
    pub fn asked(&self) -> Result<usize, Failure> {
        self.n_clusters.ok_or_else(|| Failure::bug("a clusterer that takes n_clusters was given none"))
    }
}

/// Who says how many clusters there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NumberOfClusters {
    /// The caller asks for a number: one fit a value of the sweep.
    #[default]
    Asked,
    /// The clusterer finds it: one fit, known as n_clusters = auto.
    Found,
}

/// Groups vectors. A whole sweep is fitted at once, so that one dendrogram or one pass serves all values.
pub trait Clusterer: Send + Sync {
    /// What it will read about all pairs of rows. The runner gathers the needs of all clusterers of a group in one
    /// pass; a table that is not there when fitting (plain files, tests) is gathered by the clusterer itself. Nothing
    /// is asked for by a clusterer that would refuse these sizes.
    fn pair_needs(&self, _n_samples: usize, _n_features: usize, _ctx: &Context) -> Vec<PairNeeds> {
        Vec::new()
    }

    /// Fits every point of the sweep on training vectors, (n_train, n_features). One result per point, in order.
    /// A value of n_clusters may not move a bit of another's result.
    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>>;
}

/// One thing worth keeping of a fitted model.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelValue {
    /// A real number: inertia, a log-likelihood.
    Number(f64),
    /// A whole number: iterations, samples used.
    Count(u64),
    /// A word: the assignment rule, a note.
    Text(String),
    /// One number per sample, cluster or step.
    Numbers(Vec<f64>),
    /// A matrix: centres (n_clusters, n_features), a dendrogram (n_samples - 1, 4).
    Table(Matrix<f64>),
}

/// A fitted partition.
pub trait Partition: Send + Sync {
    /// Labels of the training rows, (n_train,), names 0..n_clusters.
    fn labels(&self) -> &Labels;

    /// Assigns new rows, (n, n_features), by the rule of `assignment_rule`.
    ///
    /// # Errors
    /// [`Failure`] when the rows have another number of features.
    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure>;

    /// How new rows are assigned, in a few words: `nearest centroid`.
    fn assignment_rule(&self) -> &'static str;

    /// Sum of squared Euclidean distances to the own centre on the training rows, where the method has centres.
    fn inertia(&self) -> Option<f64> {
        None
    }

    /// What `cluster` writes to the model file: centres, weights, a dendrogram, what was found on the way. Names are
    /// the field's (`cluster_centers`, `n_iter`).
    fn model(&self) -> Vec<(&'static str, ModelValue)> {
        Vec::new()
    }

    /// Not converged, empty cluster refilled, fewer clusters than asked.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The distance in which internal scores are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// The usual distance.
    #[default]
    Euclidean,
    /// Its square.
    SquaredEuclidean,
    /// 1 - cosine of the angle; zero vectors have none.
    Cosine,
}

impl Distance {
    /// The snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Euclidean => "euclidean",
            Self::SquaredEuclidean => "squared_euclidean",
            Self::Cosine => "cosine",
        }
    }
}

/// Vectors in either precision.
#[derive(Debug, Clone, Copy)]
pub enum Points<'a> {
    /// Sweeps.
    F32(&'a Matrix<f32>),
    /// Plain files and oracles.
    F64(&'a Matrix<f64>),
}

impl Points<'_> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::F32(x) => x.rows(),
            Self::F64(x) => x.rows(),
        }
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        match self {
            Self::F32(x) => x.cols(),
            Self::F64(x) => x.cols(),
        }
    }

    /// Row and column of the first value that is NaN or infinite, with the value.
    pub fn first_not_finite(&self) -> Option<(usize, usize, f64)> {
        match self {
            Self::F32(x) => x.first_not_finite(),
            Self::F64(x) => x.first_not_finite(),
        }
    }

    /// The values in f32: as they are, or rounded.
    pub fn to_f32(&self) -> Cow<'_, Matrix<f32>> {
        match self {
            Self::F32(x) => Cow::Borrowed(*x),
            Self::F64(x) => Cow::Owned(x.cast()),
        }
    }

    /// The values in f64, exactly.
    pub fn to_f64(&self) -> Cow<'_, Matrix<f64>> {
        match self {
            Self::F32(x) => Cow::Owned(x.cast()),
            Self::F64(x) => Cow::Borrowed(*x),
        }
    }
}

impl<'a> From<&'a Matrix<f32>> for Points<'a> {
    fn from(x: &'a Matrix<f32>) -> Self {
        Self::F32(x)
    }
}

impl<'a> From<&'a Matrix<f64>> for Points<'a> {
    fn from(x: &'a Matrix<f64>) -> Self {
        Self::F64(x)
    }
}

/// One partition to score.
#[derive(Debug, Clone, Copy)]
pub struct MetricInput<'a> {
    /// (n_samples,) the partition.
    pub labels_pred: &'a Labels,
    /// (n_samples,) reference classes, where there are any; samples without one are left out of external scores.
    pub labels_true: Option<&'a [Option<u32>]>,
    /// (n_samples, n_features) vectors, where there are any.
    pub x: Option<Points<'a>>,
    /// The distance of internal scores.
    pub distance: Distance,
}

/// Scores a partition.
pub trait Metric: Send + Sync {
    /// Its name card.
    fn spec(&self) -> &'static Spec;

    /// What it needs; the runner asks only when it has that.
    fn needs(&self) -> Needs;

    /// Which way is better.
    fn direction(&self) -> Direction;

    /// True when it judges vectors, so that it may never be compared between spaces.
    fn internal(&self) -> bool {
        self.needs().embeddings
    }

    /// Scores one partition.
    fn score(&self, input: &MetricInput<'_>) -> Score;

    /// The score of every sample, for metrics that are a mean over samples; none for the others.
    fn per_sample(&self, _input: &MetricInput<'_>) -> Option<Result<Vec<f64>, Undefined>> {
        None
    }

    /// Scores several partitions of the same vectors; metrics that share a pass over the data override it.
    fn score_all(&self, inputs: &[MetricInput<'_>]) -> Vec<Score> {
        inputs.iter().map(|input| self.score(input)).collect()
    }
}

/// What a recommender learns from: training samples only.
#[derive(Debug, Clone, Copy)]
pub struct RecommendTrain<'a> {
    /// Number of items in the catalogue.
    pub n_items: usize,
    /// One entry per training sample: its whole sequence of items.
    pub items: &'a [&'a [u32]],
    /// (n_train,) cluster of each.
    pub labels: &'a Labels,
}

/// Recommends from clusters.
pub trait Recommender: Send + Sync {
    /// Its name card.
    fn spec(&self) -> &'static Spec;

    /// Learns from training samples.
    fn fit(&self, train: &RecommendTrain<'_>) -> Box<dyn Ranker>;
}

/// A fitted recommender.
pub trait Ranker: Send + Sync {
    /// The best `k` items for a sample of that cluster, best first, leaving out `exclude` (sorted ascending).
    fn rank(&self, cluster: Option<u32>, exclude: &[u32], k: usize) -> Vec<u32>;
}

/// Finds models by name or folder. Implemented by `data`, so that no encoder knows caches or networks.
pub trait Assets: Sync {
    /// The folder of a model given as a manifest name, a hub id or a path, with its files present and checked.
    ///
    /// # Errors
    /// What was looked for, where, and how to bring it.
    fn model(&self, name: &str) -> Result<PathBuf, String>;

    /// Resolves a path of the suite file (relative to the suite's folder).
    fn path(&self, path: &str) -> PathBuf;
}
