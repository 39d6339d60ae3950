//! Mean distance of samples in the same cluster.

use trailmark_core::contract::{Distance, Metric, MetricInput, Points};
use trailmark_core::spec::{Direction, Needs};
use trailmark_core::{Cost, Labels, Score, Spec, Undefined};
use trailmark_geometry::{GeometryError, Grouping, cluster_sums};

use crate::internal::by_shared_points;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "mean_intra_cluster_distance",
    summary: "mean distance over all pairs of samples in the same cluster",
    reference: "average.within of R fpc's cluster.stats; scipy's pdist",
    revision: 1,
    cost: Cost { time: "n_samples^2 * n_features / 2, once for all partitions", memory: "n_samples * n_clusters" },
    params: &[],
};

/// The metric.
pub static METRIC: MeanIntraClusterDistance = MeanIntraClusterDistance;

/// Mean distance over all unordered pairs of different samples in the same cluster. Range [0, inf), lower is better.
///
/// Every pair counts once, so a cluster weighs by its number of pairs. Falls with n_clusters by construction. Costs
/// what the silhouette costs, and shares its pass in the same way.
///
/// # Shapes
/// `x`: (n_samples, n_features). `labels_pred`: (n_samples,); noise as singletons, which have no pairs.
///
/// # Degenerate cases
/// One cluster is the mean over all pairs. All singletons have no pair, no samples and a vector of zeros under cosine
/// distance no answer: undefined.
///
/// # Reference
/// `average.within` of R fpc's `cluster.stats`; agrees with a mean over scipy's `pdist`.
#[derive(Debug)]
pub struct MeanIntraClusterDistance;

impl Metric for MeanIntraClusterDistance {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn needs(&self) -> Needs {
        Needs { embeddings: true, ..Needs::default() }
    }

    fn direction(&self) -> Direction {
        Direction::Lower
    }

    fn score(&self, input: &MetricInput<'_>) -> Score {
        self.score_all(std::slice::from_ref(input)).pop().unwrap_or(Undefined::Empty.into())
    }

    fn score_all(&self, inputs: &[MetricInput<'_>]) -> Vec<Score> {
        by_shared_points(inputs, |points, places| {
            let labels: Vec<&Labels> = places.iter().map(|&at| inputs[at].labels_pred).collect();
            mean_intra_cluster_distances(points, &labels, inputs[places[0]].distance)
                .into_iter()
                .map(Score::from)
                .collect()
        })
    }
}

/// Mean distances inside the clusters of several partitions of the same vectors, in one pass. See
/// [`MeanIntraClusterDistance`].
///
/// # Panics
/// When a partition is of another number of samples: a bug of the caller.
pub fn mean_intra_cluster_distances(
    points: Points<'_>,
    partitions: &[&Labels],
    distance: Distance,
) -> Vec<Result<f64, Undefined>> {
    let groupings: Vec<Grouping> = partitions.iter().map(|labels| Grouping::new(labels)).collect();
    let mut totals = vec![0.0; groupings.len()];
    let outcome = cluster_sums(points, distance, &groupings, |seen| {
        if let Some(own) = groupings[seen.partition].group(seen.row) {
            totals[seen.partition] += seen.sums[own];
        }
    });
    let finish = |(grouping, total): (&Grouping, f64)| {
        let ordered_pairs: f64 = grouping.sizes().iter().map(|&size| size as f64 * (size - 1) as f64).sum();
        match outcome {
            _ if grouping.n_samples() == 0 => Err(Undefined::Empty),
            _ if grouping.sizes().is_empty() => Err(Undefined::AllSingletons),
            Err(GeometryError::ZeroVector { .. }) => Err(Undefined::ZeroVector),
            Ok(()) => Ok(total / ordered_pairs),
        }
    };
    groupings.iter().zip(totals).map(finish).collect()
}
