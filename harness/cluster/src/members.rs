//! Assignment of new rows by the members of a cluster rather than its centre: what average, complete and single
//! linkage mean by "near".

use std::sync::Arc;

use trailmark_core::contract::{Partition, Points};
use trailmark_core::{Failure, Labels};

use crate::centred::{Centred, subtract};
use crate::centroids::{inertia_of, label, means};
use crate::input::check_rows;
use crate::kernel::squared_length;
use crate::to_members::distances_to;

/// Rows assigned at a time: their distances to all training rows are held at once.
const ROWS: usize = 32;

/// What decides which cluster is nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberRule {
    /// Mean distance to the members.
    LeastMean,
    /// Distance to the farthest member.
    LeastFarthest,
    /// Distance to the nearest member.
    Nearest,
}

/// A partition that keeps its training rows, shared by all cuts of a sweep.
pub(crate) struct MemberPartition {
    data: Arc<Centred>,
    labels: Labels,
    names: Vec<u32>, // (n_samples,) the same without the option
    counts: Vec<f64>,
    rule: MemberRule,
    inertia: f64,
}

impl MemberPartition {
    /// A cut with the rule of its linkage. Labels are 0..n_clusters, each of them used.
    pub(crate) fn new(data: Arc<Centred>, names: Vec<u32>, n_clusters: usize, rule: MemberRule) -> Self {
        let inertia = inertia_of(&data.x, &names, &means(&data.x, &names, n_clusters));
        let mut counts = vec![0.0_f64; n_clusters];
        for &name in &names {
            counts[name as usize] += 1.0;
        }
        Self { data, labels: Labels::from_ids(names.iter().copied()), names, counts, rule, inertia }
    }

    /// The nearest cluster by distances to all training rows; the lowest name among equals.
    fn nearest(&self, distances: &[f64]) -> u32 {
        let start = if self.rule == MemberRule::Nearest { f64::INFINITY } else { 0.0 };
        let mut found = vec![start; self.counts.len()];
        for (&name, &distance) in self.names.iter().zip(distances) {
            let value = &mut found[name as usize];
            match self.rule {
                MemberRule::LeastMean => *value += distance,
                MemberRule::LeastFarthest => *value = value.max(distance),
                MemberRule::Nearest => *value = value.min(distance),
            }
        }
        if self.rule == MemberRule::LeastMean {
            for (sum, count) in found.iter_mut().zip(&self.counts) {
                *sum /= count;
            }
        }
        label((1..found.len()).fold(0, |best, j| if found[j] < found[best] { j } else { best }))
    }
}

impl Partition for MemberPartition {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        let rows = &*rows.to_f32();
        check_rows(self.data.n_features(), rows)?;
        let rows = subtract(rows, &self.data.mean);
        let mut names = Vec::with_capacity(rows.rows());
        let mut distances = Vec::new();
        for start in (0..rows.rows()).step_by(ROWS) {
            let chosen: Vec<usize> = (start..(start + ROWS).min(rows.rows())).collect();
            let block = rows.select_rows(&chosen);
            let squared: Vec<f64> = block.iter_rows().map(squared_length).collect();
            distances_to(&block, &squared, &self.data, &mut distances);
            names.extend(distances.chunks_exact(self.data.n_samples()).map(|row| self.nearest(row)));
        }
        Ok(Labels::from_ids(names))
    }

    fn assignment_rule(&self) -> &'static str {
        match self.rule {
            MemberRule::LeastMean => "least mean distance to members",
            MemberRule::LeastFarthest => "least distance to farthest member",
            MemberRule::Nearest => "nearest member",
        }
    }

    fn inertia(&self) -> Option<f64> {
        Some(self.inertia)
    }
}
