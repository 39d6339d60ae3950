//! Inertia of a partition.

use trailmark_core::contract::Points;
use trailmark_core::spec::Direction;
use trailmark_core::{Cost, Labels, Spec, Undefined};
use trailmark_geometry::{Centroids, Grouping};

use crate::internal::Internal;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "inertia",
    summary: "sum of squared Euclidean distances to the centroid of the own cluster (WCSS)",
    reference: "Lloyd 1982, IEEE Trans. Inf. Theory 28; scikit-learn's KMeans.inertia_ at the centroids of the labels",
    revision: 1,
    cost: Cost { time: "n_samples * n_features", memory: "n_clusters * n_features" },
    params: &[],
};

/// The metric.
pub static METRIC: Internal = Internal { spec: &SPEC, direction: Direction::Lower, compute: inertia };

/// Sum of squared Euclidean distances to the centroid of the own cluster. Range [0, inf), lower is better.
///
/// The centroids are those of the given labels, on the samples that are scored, whatever the clusterer kept. Always
/// squared Euclidean, whatever distance the suite declares. Falls with n_clusters by construction: compare it over
/// n_clusters only through a rule. O(n_samples * n_features) time.
///
/// # Shapes
/// `points`: (n_samples, n_features). `labels`: (n_samples,); noise as singletons, which add 0.
///
/// # Degenerate cases
/// One cluster is the total sum of squares, where an elbow curve starts; all singletons are 0.
///
/// # Errors
/// [`Undefined::Empty`] without samples.
///
/// # Panics
/// When partition and vectors are not of the same samples: a bug of the caller.
///
/// # Reference
/// Lloyd 1982, IEEE Trans. Inf. Theory 28. Agrees with numpy to 1e-9.
pub fn inertia(points: Points<'_>, labels: &Labels) -> Result<f64, Undefined> {
    assert_eq!(labels.len(), points.rows(), "a partition and its vectors are of the same samples");
    if labels.is_empty() {
        return Err(Undefined::Empty);
    }
    Ok(Centroids::new(points, &Grouping::new(labels)).inertia().iter().sum::<f64>() + 0.0)
}
