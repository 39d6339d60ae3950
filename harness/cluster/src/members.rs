//! Assignment of new rows by the members of a cluster rather than its centre: what average, weighted, complete and
//! single linkage mean by "near".

use std::sync::Arc;

use trailmark_core::contract::{Partition, Points};
use trailmark_core::{Failure, Labels};

use crate::centroids::label;
use crate::to_members::Members;

/// What decides which cluster is nearest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum MemberRule {
    /// Mean distance to the members.
    LeastMean,
    /// Mean distance to the members by these weights, (n_samples,), which sum to 1 in every cluster.
    LeastWeightedMean(Vec<f64>),
    /// Distance to the farthest member.
    LeastFarthest,
    /// Distance to the nearest member.
    Nearest,
}

/// A partition that asks its training rows, which all cuts of a sweep share.
pub(crate) struct MemberPartition {
    members: Arc<Members>,
    labels: Labels,
    names: Vec<u32>, // (n_samples,) the same without the option
    counts: Vec<f64>,
    rule: MemberRule,
    inertia: Option<f64>,
}

impl MemberPartition {
    /// A cut with the rule of its linkage. Labels are 0..n_clusters, each of them used.
    pub(crate) fn new(
        members: Arc<Members>,
        names: Vec<u32>,
        n_clusters: usize,
        rule: MemberRule,
        inertia: Option<f64>,
    ) -> Self {
        let mut counts = vec![0.0_f64; n_clusters];
        for &name in &names {
            counts[name as usize] += 1.0;
        }
        Self { members, labels: Labels::from_ids(names.iter().copied()), names, counts, rule, inertia }
    }

    /// The nearest cluster by distances to all training rows; the lowest name among equals.
    fn nearest(&self, distances: &[f64]) -> u32 {
        let start = if self.rule == MemberRule::Nearest { f64::INFINITY } else { 0.0 };
        let mut found = vec![start; self.counts.len()];
        for (at, (&name, &distance)) in self.names.iter().zip(distances).enumerate() {
            let value = &mut found[name as usize];
            match &self.rule {
                MemberRule::LeastMean => *value += distance,
                MemberRule::LeastWeightedMean(weights) => *value += weights[at] * distance,
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
        let mut names = Vec::with_capacity(rows.rows());
        self.members.distances(rows, |distances| names.push(self.nearest(distances)))?;
        Ok(Labels::from_ids(names))
    }

    fn assignment_rule(&self) -> &'static str {
        match self.rule {
            MemberRule::LeastMean => "least mean distance to members",
            MemberRule::LeastWeightedMean(_) => {
                "least mean distance to members, each part of a merge weighing the same"
            }
            MemberRule::LeastFarthest => "least distance to farthest member",
            MemberRule::Nearest => "nearest member",
        }
    }

    fn inertia(&self) -> Option<f64> {
        self.inertia
    }
}
