//! Calinski-Harabasz index.

use trailmark_core::contract::Points;
use trailmark_core::spec::Direction;
use trailmark_core::{Cost, Labels, Spec, Undefined};
use trailmark_geometry::{Centroids, Grouping};

use crate::internal::{Internal, comparable};

/// Name card.
pub static SPEC: Spec = Spec {
    name: "calinski_harabasz_score",
    summary: "dispersion between clusters over dispersion inside, per degree of freedom (CH)",
    reference: "Calinski and Harabasz 1974, Comm. Statist. 3; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples * n_features", memory: "n_clusters * n_features" },
    params: &[],
};

/// The metric.
pub static METRIC: Internal = Internal { spec: &SPEC, direction: Direction::Higher, compute: calinski_harabasz_score };

/// Dispersion between clusters over dispersion inside. Range [0, inf), higher is better. O(n_samples * n_features).
///
/// `(B / (K - 1)) / (W / (n - K))`, always of squared Euclidean distances, whatever distance the suite declares. Grows
/// with n_samples: never compare it across folds of unlike size.
///
/// # Shapes
/// `points`: (n_samples, n_features). `labels`: (n_samples,); noise as singletons.
///
/// # Errors
/// [`Undefined::Empty`], [`Undefined::OneCluster`], [`Undefined::AllSingletons`]; [`Undefined::ZeroDispersion`] when
/// the samples of every cluster are equal (scikit-learn says 1).
///
/// # Reference
/// Calinski and Harabasz 1974, Comm. Statist. 3. Agrees with scikit-learn's `calinski_harabasz_score` to 1e-9.
pub fn calinski_harabasz_score(points: Points<'_>, labels: &Labels) -> Result<f64, Undefined> {
    let grouping = comparable(labels)?;
    let clusters = Centroids::new(points, &grouping);
    let within: f64 = clusters.inertia().iter().sum();
    if within == 0.0 {
        return Err(Undefined::ZeroDispersion);
    }
    let overall = Centroids::new(points, &Grouping::new(&Labels(vec![Some(0); grouping.n_samples()])));
    let between: f64 = clusters
        .sizes()
        .iter()
        .enumerate()
        .map(|(cluster, &size)| size as f64 * clusters.squared_between(cluster, &overall, 0))
        .sum();
    let (n, k) = (grouping.n_samples() as f64, clusters.n_clusters() as f64);
    Ok(between / (k - 1.0) / (within / (n - k)))
}
