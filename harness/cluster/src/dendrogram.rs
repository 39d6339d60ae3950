//! One tree of merges, cut anywhere.

use std::borrow::Cow;

use kodama::Float;
use thiserror::Error;
use trailmark_core::{Failure, FailureClass, Matrix};

use crate::linkage::{Linkage, merges};

/// Distances that no tree can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("distances between users leave the range of numbers; scale the vectors")]
pub(crate) struct DistanceError;

impl From<DistanceError> for Failure {
    fn from(error: DistanceError) -> Self {
        Self::from_error(FailureClass::BadInput, &error)
    }
}

/// Two clusters become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Merge {
    /// The lower node. Samples are 0..n, the cluster made by merge `i` is `n + i`, as in SciPy.
    pub(crate) left: usize,
    /// The higher node.
    pub(crate) right: usize,
    /// Their distance.
    pub(crate) height: f64,
    /// Samples in the cluster made.
    pub(crate) size: usize,
}

/// The merges of a linkage in the order they are made: by height, except where a height inverts.
#[derive(Debug)]
pub(crate) struct Dendrogram {
    n_samples: usize,
    merges: Vec<Merge>, // (n_samples - 1)
}

impl Dendrogram {
    /// Links samples by their condensed distances. An owned table is used up.
    ///
    /// Heights are SciPy's. Squares are taken inside for Ward, centroid and median, so distances are first brought
    /// near 1 by a power of two, which is exact and keeps squares in range.
    ///
    /// # Errors
    /// When a distance is not finite.
    pub(crate) fn link<T: Float>(
        mut distances: Cow<'_, [T]>,
        n_samples: usize,
        linkage: Linkage,
    ) -> Result<Self, DistanceError> {
        let largest = distances.iter().fold(0.0_f64, |largest, distance| largest.max(distance.to_f64()));
        if !distances.iter().all(|distance| distance.to_f64().is_finite()) {
            return Err(DistanceError);
        }
        let scale = power_of_two_below(largest);
        #[expect(clippy::float_cmp, reason = "a power of two")]
        if scale != 1.0 {
            let scale = T::from_float(scale);
            distances.to_mut().iter_mut().for_each(|distance| *distance = *distance / scale);
        }
        let steps = merges(distances, n_samples, linkage);

        let mut parent: Vec<usize> = (0..(2 * n_samples).max(1) - 1).collect();
        let mut tree: Vec<Merge> = Vec::with_capacity(steps.len());
        for (at, (a, b, height)) in steps.into_iter().enumerate() {
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent[a] = n_samples + at;
            parent[b] = n_samples + at;
            let size = |node: usize| node.checked_sub(n_samples).map_or(1, |merge| tree[merge].size);
            let size = size(a) + size(b);
            tree.push(Merge { left: a.min(b), right: a.max(b), height: height.to_f64() * scale, size });
        }
        Ok(Self { n_samples, merges: tree })
    }

    /// Number of samples linked.
    pub(crate) fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// The merges in order.
    pub(crate) fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// SciPy's matrix of merges, (n_samples - 1, 4): the two nodes, height, samples.
    pub(crate) fn table(&self) -> Matrix<f64> {
        let mut table = Matrix::zeros(self.merges.len(), 4);
        for (at, merge) in self.merges.iter().enumerate() {
            table.row_mut(at).copy_from_slice(&[
                merge.left as f64,
                merge.right as f64,
                merge.height,
                merge.size as f64,
            ]);
        }
        table
    }

    /// The cluster, by its node, that every sample is in after all but the last `n_clusters - 1` merges.
    fn roots(&self, n_clusters: usize) -> Vec<usize> {
        let mut parent: Vec<usize> = (0..self.n_samples + self.merges.len()).collect();
        for (at, merge) in self.merges[..self.n_samples - n_clusters].iter().enumerate() {
            parent[merge.left] = self.n_samples + at;
            parent[merge.right] = self.n_samples + at;
        }
        // Parents have higher numbers: from the top down each node learns its root.
        for node in (0..parent.len()).rev() {
            parent[node] = parent[parent[node]];
        }
        parent.truncate(self.n_samples);
        parent
    }

    /// Labels of the cut into `n_clusters` (from 1 to n_samples), named 0, 1, .. by first appearance.
    ///
    /// The last merges are undone, whatever their heights, as R's `cutree` does: there are always as many clusters as
    /// asked for. Without inversions and ties this is SciPy's `maxclust`; where heights invert, or tie at the cut,
    /// SciPy cuts at a height and finds fewer clusters.
    pub(crate) fn cut(&self, n_clusters: usize) -> Vec<u32> {
        let mut names: Vec<Option<u32>> = vec![None; self.n_samples + self.merges.len()];
        let mut next = 0_u32;
        self.roots(n_clusters)
            .into_iter()
            .map(|root| {
                *names[root].get_or_insert_with(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect()
    }

    /// Share of every sample in its cluster when both parts of a merge count alike: halved at each merge below the
    /// cut. They sum to 1 in every cluster, and are what weighted and median linkage weigh by.
    pub(crate) fn halved_weights(&self, n_clusters: usize) -> Vec<f64> {
        let mut weights = vec![1.0_f64; self.n_samples + self.merges.len()];
        for (at, merge) in self.merges[..self.n_samples - n_clusters].iter().enumerate().rev() {
            let half = 0.5 * weights[self.n_samples + at];
            weights[merge.left] = half;
            weights[merge.right] = half;
        }
        weights.truncate(self.n_samples);
        weights
    }

    /// The number of clusters between the two heights that are farthest apart, from 2 to n_samples - 1; the fewest
    /// among equals. None when there is no such gap: fewer than three samples, or all heights equal.
    pub(crate) fn gap_n_clusters(&self) -> Option<usize> {
        let mut best = (0.0, None);
        for n_clusters in 2..self.n_samples {
            let first_undone = self.n_samples - n_clusters;
            let gap = self.merges[first_undone].height - self.merges[first_undone - 1].height;
            if gap > best.0 {
                best = (gap, Some(n_clusters));
            }
        }
        best.1
    }

    /// Merges that are lower than one of the merges they join.
    pub(crate) fn n_inversions(&self) -> usize {
        let height = |node: usize| node.checked_sub(self.n_samples).map_or(0.0, |merge| self.merges[merge].height);
        self.merges.iter().filter(|merge| merge.height < height(merge.left).max(height(merge.right))).count()
    }
}

/// The node at the top of a node's path, which is shortened on the way.
fn root(parent: &mut [usize], mut node: usize) -> usize {
    while parent[node] != node {
        parent[node] = parent[parent[node]];
        node = parent[node];
    }
    node
}

/// The largest power of two that is not above a positive finite number (the smallest normal f32 for what is below
/// it); 1 for 0.
fn power_of_two_below(value: f64) -> f64 {
    if value > 0.0 {
        f64::from_bits(value.max(f64::from(f32::MIN_POSITIVE)).to_bits() & 0x7ff0_0000_0000_0000)
    } else {
        1.0
    }
}
