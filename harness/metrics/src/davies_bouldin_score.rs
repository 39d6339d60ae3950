//! Davies-Bouldin index.

use trailmark_core::contract::Points;
use trailmark_core::matrix::Real;
use trailmark_core::spec::Direction;
use trailmark_core::{Cost, Labels, Matrix, Spec, Undefined};
use trailmark_geometry::Centroids;

use crate::internal::{Internal, comparable};

/// Name card.
pub static SPEC: Spec = Spec {
    name: "davies_bouldin_score",
    summary: "mean over clusters of the worst ratio of spreads to the distance of centres (DB)",
    reference: "Davies and Bouldin 1979, IEEE PAMI 1; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples * n_features", memory: "n_clusters * n_features" },
    params: &[],
};

/// The metric.
pub static METRIC: Internal = Internal { spec: &SPEC, direction: Direction::Lower, compute: davies_bouldin_score };

/// Mean over clusters of the largest `(s_i + s_j) / d_ij`. Range [0, inf), lower is better.
///
/// `s` is the mean distance to the own centroid, `d` the distance of centroids; always Euclidean, whatever distance the
/// suite declares. O((n_samples + n_clusters^2) * n_features) time.
///
/// # Shapes
/// `points`: (n_samples, n_features). `labels`: (n_samples,); noise as singletons, of spread 0.
///
/// # Errors
/// [`Undefined::Empty`], [`Undefined::OneCluster`], [`Undefined::AllSingletons`]; [`Undefined::ZeroDispersion`] when
/// all spreads are 0 (scikit-learn says 0, its best); [`Undefined::CoincidentCentroids`] when two centroids are equal
/// but for rounding (scikit-learn says 0, or leaves the pair out).
///
/// # Reference
/// Davies and Bouldin 1979, IEEE PAMI 1. Agrees with scikit-learn's `davies_bouldin_score` to 1e-7:
/// that expands squares, which gives a singleton a spread of about 1e-8.
pub fn davies_bouldin_score(points: Points<'_>, labels: &Labels) -> Result<f64, Undefined> {
    let grouping = comparable(labels)?;
    let clusters = Centroids::new(points, &grouping);
    if clusters.spread().iter().all(|&spread| spread == 0.0) {
        return Err(Undefined::ZeroDispersion);
    }
    let k = clusters.n_clusters();
    let spreads: Vec<f64> =
        clusters.spread().iter().zip(clusters.sizes()).map(|(sum, &size)| sum / size as f64).collect();
    let grain = grain(points);
    let mut worst = vec![0.0_f64; k];
    for i in 0..k {
        for j in i + 1..k {
            if clusters.difference(i, &clusters, j).zip(&grain).all(|(apart, grain)| apart.abs() <= *grain) {
                return Err(Undefined::CoincidentCentroids);
            }
            let apart = clusters.squared_between(i, &clusters, j).sqrt();
            let ratio = (spreads[i] + spreads[j]) / apart;
            worst[i] = worst[i].max(ratio);
            worst[j] = worst[j].max(ratio);
        }
    }
    Ok(worst.iter().sum::<f64>() / k as f64)
}

/// (n_features,) what rounding of the samples alone can move a centroid by: a smaller difference is none.
fn grain(points: Points<'_>) -> Vec<f64> {
    match points {
        Points::F32(x) => grain_of(x),
        Points::F64(x) => grain_of(x),
    }
}

fn grain_of<T: Real>(x: &Matrix<T>) -> Vec<f64> {
    let mut largest = vec![0.0_f64; x.cols()];
    for row in x.iter_rows() {
        largest.iter_mut().zip(row).for_each(|(largest, value)| *largest = largest.max(value.to_f64().abs()));
    }
    largest.iter().map(|largest| 4.0 * f64::EPSILON * largest).collect()
}
