//! One tree of merges, cut anywhere.

use std::borrow::Cow;

use kodama::Float;
use thiserror::Error;
use trailmark_core::{Failure, FailureClass, Matrix};

use crate::linkage::{Linkage, largest, merges};

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
    /// Heights are SciPy's. Squares and sums are taken inside, so distances that are very large or very small are
    /// first brought near 1 by a power of two, which is exact.
    ///
    /// # Errors
    /// When a distance is not finite.
    pub(crate) fn link<T: Float>(
        mut distances: Cow<'_, [T]>,
        n_samples: usize,
        linkage: Linkage,
    ) -> Result<Self, DistanceError> {
        let largest = largest(&distances).ok_or(DistanceError)?.to_f64();
        let scale = if COMFORTABLE.contains(&largest) { 1.0 } else { power_of_two_below(largest) };
        if !COMFORTABLE.contains(&largest) {
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

/// Largest distances whose squares, and sums of them, and those of distances a billion times smaller, are normal f32.
const COMFORTABLE: std::ops::RangeInclusive<f64> = 1e-10..=1e10;

/// The largest power of two that is not above a positive finite number (the smallest normal f32 for what is below
/// it); 1 for 0.
fn power_of_two_below(value: f64) -> f64 {
    if value > 0.0 {
        f64::from_bits(value.max(f64::from(f32::MIN_POSITIVE)).to_bits() & 0x7ff0_0000_0000_0000)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Labels;
    use trailmark_core::contract::Distance;
    use trailmark_core::contract::Points;

    fn link(distances: &[f64], n: usize, linkage: Linkage) -> Dendrogram {
        Dendrogram::link(Cow::Borrowed(distances), n, linkage).unwrap()
    }

    fn heights(tree: &Dendrogram) -> Vec<f64> {
        tree.merges().iter().map(|merge| merge.height).collect()
    }

    #[test]
    fn the_cut_into_n_and_into_one_are_the_trivial_partitions() {
        let tree = link(&[1.0, 5.0, 4.0], 3, Linkage::Average);
        assert_eq!(tree.cut(3), [0, 1, 2]);
        assert_eq!(tree.cut(2), [0, 0, 1]);
        assert_eq!(tree.cut(1), [0, 0, 0]);
        assert_eq!(heights(&tree), [1.0, 4.5]);
        assert_eq!(tree.table().as_slice(), [0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 4.5, 3.0]);
    }

    #[test]
    fn no_samples_and_one_sample_make_trees_without_merges() {
        for linkage in Linkage::ALL.map(|(_, linkage)| linkage) {
            assert!(link(&[], 0, linkage).merges().is_empty());
            let tree = link(&[], 1, linkage);
            assert_eq!(tree.cut(1), [0]);
            assert_eq!(tree.gap_n_clusters(), None);
        }
    }

    #[test]
    fn distances_whose_squares_leave_f32_are_linked_all_the_same() {
        for factor in [1e30_f32, 1e-30] {
            let distances = [factor, 5.0 * factor, 4.0 * factor];
            let tree = Dendrogram::link(Cow::Borrowed(&distances), 3, Linkage::Ward).unwrap();
            assert_eq!(tree.cut(2), [0, 0, 1], "distances times {factor}");
            assert!(heights(&tree).iter().all(|height| height.is_finite() && *height > 0.0), "{:?}", heights(&tree));
        }
    }

    #[test]
    fn a_distance_that_is_not_finite_is_refused() {
        let error = Dendrogram::link(Cow::Borrowed(&[1.0_f32, f32::INFINITY, 2.0]), 3, Linkage::Single).unwrap_err();
        assert_eq!(error.to_string(), "distances between users leave the range of numbers; scale the vectors");
    }

    #[test]
    fn an_inverted_tree_is_cut_by_its_merges_and_not_by_its_heights() {
        // Two sides of 1 and a third sample above their middle: the mean of the first two is nearer to it than 1.
        // SciPy's maxclust for two clusters answers one, because every height that keeps the first merge keeps both.
        let tree = link(&[1.0, 1.01, 1.01], 3, Linkage::Centroid);
        assert_eq!(tree.n_inversions(), 1);
        assert!(tree.merges()[1].height < tree.merges()[0].height);
        assert_eq!(tree.cut(2), [0, 0, 1]);
        assert_eq!(link(&[1.0, 1.01, 1.01], 3, Linkage::Average).n_inversions(), 0);
    }

    #[test]
    fn the_largest_gap_is_between_two_heights_and_the_fewest_clusters_win_ties() {
        // Heights 1, 1, 5: two clusters stand for as long as nothing is merged.
        assert_eq!(link(&[1.0, 5.0, 5.0, 5.0, 5.0, 1.0], 4, Linkage::Average).gap_n_clusters(), Some(2));
        // Heights 1, 2, 3.
        assert_eq!(link(&[1.0, 3.0, 6.0, 2.0, 5.0, 3.0], 4, Linkage::Single).gap_n_clusters(), Some(2));
        assert_eq!(link(&[2.0; 6], 4, Linkage::Single).gap_n_clusters(), None);
        assert_eq!(link(&[2.0], 2, Linkage::Single).gap_n_clusters(), None);
    }

    #[test]
    fn weights_are_halved_at_every_merge_below_the_cut_and_sum_to_one_in_every_cluster() {
        // 0 and 1 merge, then 2 joins them, then 3.
        let tree = link(&[1.0, 3.0, 9.0, 3.0, 9.0, 9.0], 4, Linkage::Weighted);
        assert_eq!(tree.halved_weights(1), [0.125, 0.125, 0.25, 0.5]);
        assert_eq!(tree.halved_weights(2), [0.25, 0.25, 0.5, 1.0]);
        assert_eq!(tree.halved_weights(4), [1.0; 4]);
    }

    #[test]
    fn trees_of_f64_vectors_are_scipys() {
        agree_with_scipy(Distance::Euclidean, true);
        agree_with_scipy(Distance::Cosine, true);
    }

    #[test]
    fn cuts_of_f32_vectors_are_scipys() {
        agree_with_scipy(Distance::Euclidean, false);
        agree_with_scipy(Distance::Cosine, false);
    }

    /// In f32 heights are those of f32 distances: 1e-5 of the height, as `condensed` promises, and for cosine the
    /// rounding of 1 minus a number near 1.
    const F32: (f64, f64) = (2e-5, 2e-6);

    fn agree_with_scipy(metric: Distance, double: bool) {
        let table = trailmark_kit::oracle("cluster", "agglomerative");
        let mut seen = 0;
        for case in &table.case {
            if case["metric"].as_str() != Some(metric.name()) || !(double || case["f32"].as_bool().unwrap()) {
                continue;
            }
            let x: Matrix<f64> = Matrix::from_rows(&trailmark_kit::rows(case, "x")).unwrap();
            for (word, linkage) in
                Linkage::ALL.iter().filter(|(_, l)| metric == Distance::Euclidean || !l.euclidean_only())
            {
                let name = format!("{}, {word}", case["name"]);
                let tree = if double {
                    let distances = trailmark_geometry::condensed_f64(&x, metric, 1).unwrap();
                    Dendrogram::link(Cow::Owned(distances), x.rows(), *linkage).unwrap()
                } else {
                    let distances = trailmark_geometry::condensed(Points::F32(&x.cast()), metric, 1).unwrap();
                    Dendrogram::link(Cow::Owned(distances), x.rows(), *linkage).unwrap()
                };
                if case.contains_key(&format!("heights_{word}")) {
                    let expected = trailmark_kit::numbers(case, &format!("heights_{word}"));
                    assert_eq!(tree.merges().len(), expected.len(), "{name}");
                    for (height, expected) in heights(&tree).into_iter().zip(expected) {
                        if double {
                            table.assert_close(&name, height, expected);
                        } else {
                            assert!(
                                trailmark_kit::close(height, expected, F32.0, F32.1),
                                "{name}: {height} {expected}"
                            );
                        }
                    }
                }
                if double && case.contains_key(&format!("merges_{word}")) {
                    let merges: Vec<Vec<f64>> = tree
                        .merges()
                        .iter()
                        .map(|merge| vec![merge.left as f64, merge.right as f64, merge.size as f64])
                        .collect();
                    assert_eq!(merges, trailmark_kit::rows(case, &format!("merges_{word}")), "{name}");
                    seen += 1;
                }
                for cut in trailmark_kit::rows(case, &format!("cuts_{word}")) {
                    let expected = Labels::from_ids(cut[1..].iter().map(|label| *label as u32));
                    let got = Labels::from_ids(tree.cut(cut[0] as usize));
                    assert_eq!(got, expected.canonical(), "{name} cut into {}", cut[0]);
                }
            }
        }
        assert!(!double || seen > 10, "only {seen} trees of {metric:?} were compared");
    }
}
