//! Silhouette: mean and per sample, exact, for many partitions in one pass over the vectors.

use trailmark_core::contract::{Distance, Metric, MetricInput, Points};
use trailmark_core::spec::{Direction, Needs};
use trailmark_core::{Cost, Labels, Score, Spec, Undefined};
use trailmark_geometry::{GeometryError, Grouping, RowSums, cluster_sums_on};

use crate::internal::{by_shared_points, comparable};

/// Name card.
pub static SPEC: Spec = Spec {
    name: "silhouette_score",
    summary: "mean silhouette over all samples, exact (micro)",
    reference: "Rousseeuw 1987, J. Comput. Appl. Math. 20; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples^2 * n_features / 2, once for all partitions", memory: "n_samples * n_clusters" },
    params: &[],
};

/// The metric.
pub static METRIC: Silhouette = Silhouette;

/// Mean silhouette over all samples. Range [-1, 1], higher is better.
///
/// `s(i) = (b - a) / max(a, b)`; `a` is the mean distance to the own cluster, `b` to the nearest other. Euclidean
/// takes O(n_samples^2 * n_features) time once for all partitions of the same vectors, in bounded memory; squared
/// Euclidean and cosine take O(n_samples * n_clusters * n_features).
///
/// # Shapes
/// `x`: (n_samples, n_features). `labels_pred`: (n_samples,); noise as singletons.
///
/// # Degenerate cases
/// A singleton contributes 0. `a = b = 0` contributes 0. One cluster, all singletons, no samples, and a vector of
/// zeros under cosine distance are undefined.
///
/// # Reference
/// Rousseeuw 1987, J. Comput. Appl. Math. 20. Agrees with scikit-learn's `silhouette_score` to 1e-8 in f64, and to
/// 1e-5 in f32; far from the origin scikit-learn loses precision and this does not.
#[derive(Debug)]
pub struct Silhouette;

impl Metric for Silhouette {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn needs(&self) -> Needs {
        Needs { embeddings: true, ..Needs::default() }
    }

    fn direction(&self) -> Direction {
        Direction::Higher
    }

    fn score(&self, input: &MetricInput<'_>) -> Score {
        self.score_all(std::slice::from_ref(input)).pop().unwrap_or(Undefined::Empty.into())
    }

    fn per_sample(&self, input: &MetricInput<'_>) -> Option<Result<Vec<f64>, Undefined>> {
        Some(silhouette_samples(input.x?, input.labels_pred, input.distance))
    }

    fn score_all(&self, inputs: &[MetricInput<'_>]) -> Vec<Score> {
        by_shared_points(inputs, |points, places| {
            let labels: Vec<&Labels> = places.iter().map(|&at| inputs[at].labels_pred).collect();
            silhouette_scores(points, &labels, inputs[places[0]].distance).into_iter().map(Score::from).collect()
        })
    }
}

/// Mean silhouettes of several partitions of the same vectors, in one pass on one thread. See [`Silhouette`].
///
/// # Panics
/// When a partition is of another number of samples: a bug of the caller.
pub fn silhouette_scores(
    points: Points<'_>,
    partitions: &[&Labels],
    distance: Distance,
) -> Vec<Result<f64, Undefined>> {
    silhouette_scores_on(1, points, partitions, distance)
}

/// As [`silhouette_scores`] on several threads, with the same bits.
///
/// # Panics
/// When a partition is of another number of samples: a bug of the caller.
pub fn silhouette_scores_on(
    threads: usize,
    points: Points<'_>,
    partitions: &[&Labels],
    distance: Distance,
) -> Vec<Result<f64, Undefined>> {
    let mut totals = vec![0.0; partitions.len()];
    let outcome = for_each_sample(threads, points, partitions, distance, |partition, _, s| totals[partition] += s);
    let n = points.rows() as f64;
    outcome.into_iter().zip(totals).map(|(status, total)| status.map(|()| total / n)).collect()
}

/// The silhouette of every sample, (n_samples,). See [`Silhouette`].
///
/// # Errors
/// [`Undefined`] with the reason, for all samples together.
///
/// # Panics
/// When partition and vectors are not of the same samples: a bug of the caller.
pub fn silhouette_samples(points: Points<'_>, labels: &Labels, distance: Distance) -> Result<Vec<f64>, Undefined> {
    let mut samples = Vec::with_capacity(points.rows());
    let mut outcome = for_each_sample(1, points, &[labels], distance, |_, _, s| samples.push(s));
    outcome.pop().unwrap_or(Err(Undefined::Empty)).map(|()| samples)
}

/// Calls `take(partition, sample, silhouette)`, samples ascending, for the partitions whose answer is `Ok`.
fn for_each_sample(
    threads: usize,
    points: Points<'_>,
    partitions: &[&Labels],
    distance: Distance,
    mut take: impl FnMut(usize, usize, f64),
) -> Vec<Result<(), Undefined>> {
    let checked: Vec<Result<Grouping, Undefined>> = partitions.iter().map(|labels| comparable(labels)).collect();
    let (places, groupings): (Vec<usize>, Vec<Grouping>) = checked
        .iter()
        .enumerate()
        .filter_map(|(place, grouping)| grouping.as_ref().ok().map(|grouping| (place, grouping.clone())))
        .unzip();
    let outcome = cluster_sums_on(threads, points, distance, &groupings, |seen| {
        take(places[seen.partition], seen.row, silhouette(&groupings[seen.partition], &seen));
    });
    let overall = match outcome {
        Ok(()) => Ok(()),
        Err(GeometryError::ZeroVector { .. }) => Err(Undefined::ZeroVector),
    };
    checked.into_iter().map(|grouping| grouping.and(overall)).collect()
}

fn silhouette(grouping: &Grouping, seen: &RowSums<'_>) -> f64 {
    let Some(own) = grouping.group(seen.row) else { return 0.0 };
    let sizes = grouping.sizes();
    let a = seen.sums[own] / (sizes[own] - 1) as f64;
    let b = (0..sizes.len())
        .filter(|&group| group != own)
        .map(|group| seen.sums[group] / sizes[group] as f64)
        .fold(seen.nearest_alone, f64::min);
    let larger = a.max(b);
    if larger == 0.0 { 0.0 } else { (b - a) / larger }
}
