//! Gaussian mixtures by expectation and maximisation (EM), in f64: the inside of `gaussian_mixture`.
//!
//! Rows are held once, centred, in blocks (`rows`). The expectation step (`density`) and the weighted scatters of the
//! maximisation step (`moments`) are made of one small product (`tile`), written once per vector unit with the same
//! bits on each. Work is shared out by blocks of rows or by components (`turns`), and what blocks add up to
//! is merged in their order, so that nothing depends on the number of threads.

mod cholesky;
mod density;
mod em;
mod moments;
mod rows;
mod share;
mod tile;
mod turns;

pub(crate) use density::Density;
pub use em::MixtureStop;
pub(crate) use em::{Ascent, Collapse, Em, Responsibilities};
pub(crate) use rows::{BLOCK, BLOCK_LINES, BlockedRows, memory_of_rows, turn};
pub(crate) use share::greatest;
pub(crate) use tile::{LANES, Line};

use trailmark_core::Matrix;

/// What the covariances of the components have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CovarianceType {
    /// Nothing: each component has its own matrix.
    Full,
    /// All components share one matrix.
    Tied,
    /// Each component has its own variance per feature.
    Diag,
    /// Each component has one variance.
    Spherical,
}

impl CovarianceType {
    /// The word of the suite, scikit-learn's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Tied => "tied",
            Self::Diag => "diag",
            Self::Spherical => "spherical",
        }
    }

    /// Numbers that describe all covariances: the length of [`MixtureParameters::covariances`].
    pub(crate) fn n_values(self, n_clusters: usize, n_features: usize) -> usize {
        match self {
            Self::Full => n_clusters * n_features * n_features,
            Self::Tied => n_features * n_features,
            Self::Diag => n_clusters * n_features,
            Self::Spherical => n_clusters,
        }
    }

    /// Free parameters of a mixture: weights, means and covariances.
    pub(crate) fn n_parameters(self, n_clusters: usize, n_features: usize) -> u64 {
        let (k, width) = (n_clusters as u64, n_features as u64);
        let covariances = match self {
            Self::Full => k * (width * (width + 1) / 2),
            Self::Tied => width * (width + 1) / 2,
            Self::Diag => k * width,
            Self::Spherical => k,
        };
        covariances + k * width + k - 1
    }
}

/// A mixture of Gaussians.
#[derive(Debug, Clone, PartialEq)]
pub struct MixtureParameters {
    /// What the covariances have in common.
    pub covariance_type: CovarianceType,
    /// (n_clusters,) shares of the components.
    pub weights: Vec<f64>,
    /// (n_clusters, n_features) means.
    pub means: Matrix<f64>,
    /// Row-major: full (n_clusters, n_features, n_features), tied (n_features, n_features), diag (n_clusters,
    /// n_features), spherical (n_clusters,). Of a matrix only the upper triangle is read.
    pub covariances: Vec<f64>,
}

impl MixtureParameters {
    /// Number of components.
    pub fn n_clusters(&self) -> usize {
        self.means.rows()
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.means.cols()
    }

    /// The numbers of component `k`'s own covariance; the shared one for tied.
    pub(crate) fn covariance(&self, k: usize) -> &[f64] {
        let per = match self.covariance_type {
            CovarianceType::Tied => return &self.covariances,
            _ => self.covariances.len() / self.n_clusters(),
        };
        &self.covariances[k * per..(k + 1) * per]
    }

    /// The same mixture with its components in another order.
    pub(crate) fn reordered(&self, order: &[usize]) -> Self {
        let covariances = match self.covariance_type {
            CovarianceType::Tied => self.covariances.clone(),
            _ => order.iter().flat_map(|&k| self.covariance(k).iter().copied()).collect(),
        };
        Self {
            covariance_type: self.covariance_type,
            weights: order.iter().map(|&k| self.weights[k]).collect(),
            means: self.means.select_rows(order),
            covariances,
        }
    }
}
