//! The frame of the internal scores that look at centroids.

use trailmark_core::contract::{Metric, MetricInput, Points};
use trailmark_core::spec::{Direction, Needs};
use trailmark_core::{Labels, Score, Spec, Undefined};
use trailmark_geometry::Grouping;

/// An internal score of one partition.
#[derive(Debug)]
pub struct Internal {
    pub(crate) spec: &'static Spec,
    pub(crate) direction: Direction,
    pub(crate) compute: fn(Points<'_>, &Labels) -> Result<f64, Undefined>,
}

impl Metric for Internal {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    fn needs(&self) -> Needs {
        Needs { embeddings: true, ..Needs::default() }
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn score(&self, input: &MetricInput<'_>) -> Score {
        match input.x {
            Some(points) => (self.compute)(points, input.labels_pred).into(),
            None => Undefined::NotApplicable.into(),
        }
    }
}

/// The groups of a partition that can be compared with each other: at least two clusters, and not all singletons.
pub(crate) fn comparable(labels: &Labels) -> Result<Grouping, Undefined> {
    let grouping = Grouping::new(labels);
    match grouping.n_clusters() {
        0 => Err(Undefined::Empty),
        1 => Err(Undefined::OneCluster),
        _ if grouping.sizes().is_empty() => Err(Undefined::AllSingletons),
        _ => Ok(grouping),
    }
}

/// Scores inputs that share vectors and distance together. `compute` gets the places of a run of such inputs.
pub(crate) fn by_shared_points(
    inputs: &[MetricInput<'_>],
    mut compute: impl FnMut(Points<'_>, &[usize]) -> Vec<Score>,
) -> Vec<Score> {
    let mut scores: Vec<Score> = vec![Undefined::NotApplicable.into(); inputs.len()];
    let mut done = vec![false; inputs.len()];
    for first in 0..inputs.len() {
        let Some(points) = inputs[first].x else { continue };
        if done[first] {
            continue;
        }
        let places: Vec<usize> = (first..inputs.len())
            .filter(|&at| inputs[at].distance == inputs[first].distance)
            .filter(|&at| inputs[at].x.is_some_and(|other| same(points, other)))
            .collect();
        for (&place, score) in places.iter().zip(compute(points, &places)) {
            scores[place] = score;
            done[place] = true;
        }
    }
    scores
}

fn same(a: Points<'_>, b: Points<'_>) -> bool {
    match (a, b) {
        (Points::F32(a), Points::F32(b)) => std::ptr::eq(a, b),
        (Points::F64(a), Points::F64(b)) => std::ptr::eq(a, b),
        _ => false,
    }
}
