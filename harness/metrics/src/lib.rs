//! Scores of a partition: against reference labels (external) and against its own vectors (internal). One file per
//! metric; every answer is a value or the reason why there is none, never a stand-in number.
//!
//! Rules that hold for all of them:
//!
//! - Labels are names. Clusters are numbered by first appearance, so names cannot matter.
//! - Noise in the partition (`None`) counts as singletons: every noise sample is a cluster of its own, so that hiding
//!   samples cannot raise a score.
//! - Samples without a reference label are left out of external scores.
//! - Vectors in f32 are widened; sums are f64, pair counts are whole numbers.
//!
//! The plain functions take a [`Contingency`] or vectors, and are what the statistics and stability rules call.

mod contingency;
mod entropy;
mod external;
mod internal;
mod pairs;

pub mod adjusted_mutual_info_score;
pub mod adjusted_rand_score;
pub mod calinski_harabasz_score;
pub mod completeness_score;
pub mod davies_bouldin_score;
pub mod fowlkes_mallows_score;
pub mod homogeneity_score;
pub mod hungarian_accuracy;
pub mod inertia;
pub mod mean_intra_cluster_distance;
pub mod normalized_mutual_info_score;
pub mod pair_f1;
pub mod pair_precision;
pub mod pair_recall;
pub mod purity_score;
pub mod rand_score;
pub mod silhouette_score;
pub mod v_measure_score;

pub use contingency::Contingency;
pub use silhouette_score::silhouette_samples;

use trailmark_core::contract::Metric;

/// All metrics, ascending by name.
pub fn registry() -> Vec<&'static dyn Metric> {
    vec![
        &adjusted_mutual_info_score::METRIC,
        &adjusted_rand_score::METRIC,
        &calinski_harabasz_score::METRIC,
        &completeness_score::METRIC,
        &davies_bouldin_score::METRIC,
        &fowlkes_mallows_score::METRIC,
        &homogeneity_score::METRIC,
        &hungarian_accuracy::METRIC,
        &inertia::METRIC,
        &mean_intra_cluster_distance::METRIC,
        &normalized_mutual_info_score::METRIC,
        &pair_f1::METRIC,
        &pair_precision::METRIC,
        &pair_recall::METRIC,
        &purity_score::METRIC,
        &rand_score::METRIC,
        &silhouette_score::METRIC,
        &v_measure_score::METRIC,
    ]
}
