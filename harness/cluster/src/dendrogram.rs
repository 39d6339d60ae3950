//! One tree of merges, cut anywhere.

use kodama::Method;

/// The merges of a linkage, nearest first. Samples are 0..n, the cluster made by merge `i` is `n + i`, as in SciPy.
#[derive(Debug)]
pub(crate) struct Dendrogram {
    n_samples: usize,
    merges: Vec<(usize, usize, f32)>, // (n_samples - 1)
}

impl Dendrogram {
    /// Links samples by their condensed distances, which are used up.
    ///
    /// Heights are SciPy's. Squares are taken inside for Ward (`ward.D2`), so distances are first brought near 1 by
    /// a power of two, which is exact and keeps squares in the range of f32.
    pub(crate) fn link(mut distances: Vec<f32>, n_samples: usize, method: Method) -> Self {
        let largest = distances.iter().copied().fold(0.0_f32, f32::max);
        let scale = if largest > 0.0 { power_of_two_below(largest) } else { 1.0 };
        for distance in &mut distances {
            *distance /= scale;
        }
        let tree = kodama::linkage(&mut distances, n_samples, method);
        let merges =
            tree.steps().iter().map(|step| (step.cluster1, step.cluster2, step.dissimilarity * scale)).collect();
        Self { n_samples, merges }
    }

    /// Height of every merge, ascending.
    #[cfg(test)]
    pub(crate) fn heights(&self) -> Vec<f32> {
        self.merges.iter().map(|merge| merge.2).collect()
    }

    /// Labels of the cut into `n_clusters` (from 1 to n_samples), named 0, 1, .. by first appearance. The last
    /// merges are undone, whatever their heights: ties never change the number of clusters.
    pub(crate) fn cut(&self, n_clusters: usize) -> Vec<u32> {
        let mut parent: Vec<usize> = (0..self.n_samples + self.merges.len()).collect();
        for (at, &(a, b, _)) in self.merges[..self.n_samples - n_clusters].iter().enumerate() {
            parent[a] = self.n_samples + at;
            parent[b] = self.n_samples + at;
        }
        // Parents have higher numbers: from the top down each node learns its root.
        for node in (0..parent.len()).rev() {
            parent[node] = parent[parent[node]];
        }
        let mut names: Vec<Option<u32>> = vec![None; parent.len()];
        let mut next = 0_u32;
        parent[..self.n_samples]
            .iter()
            .map(|&root| {
                *names[root].get_or_insert_with(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect()
    }
}

/// The largest power of two that is not above a positive finite number (the smallest normal one for subnormals).
fn power_of_two_below(value: f32) -> f32 {
    f32::from_bits(value.max(f32::MIN_POSITIVE).to_bits() & 0x7f80_0000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_into_n_and_into_one_are_the_trivial_partitions() {
        let tree = Dendrogram::link(vec![1.0, 5.0, 4.0], 3, Method::Average);
        assert_eq!(tree.cut(3), [0, 1, 2]);
        assert_eq!(tree.cut(2), [0, 0, 1]);
        assert_eq!(tree.cut(1), [0, 0, 0]);
        assert_eq!(tree.heights(), [1.0, 4.5]);
    }

    #[test]
    fn distances_whose_squares_leave_f32_are_linked_all_the_same() {
        for factor in [1e30_f32, 1e-30] {
            let tree = Dendrogram::link(vec![factor, 5.0 * factor, 4.0 * factor], 3, Method::Ward);
            assert_eq!(tree.cut(2), [0, 0, 1], "distances times {factor}");
            assert!(tree.heights().iter().all(|height| height.is_finite() && *height > 0.0), "{:?}", tree.heights());
        }
    }

    #[test]
    fn heights_and_unique_cuts_agree_with_scipy() {
        let table = trailmark_kit::oracle("cluster", "agglomerative");
        for case in &table.case {
            let name = format!("{}, {}", case["name"], case["linkage"]);
            let x: trailmark_core::Matrix<f64> =
                trailmark_core::Matrix::from_rows(&trailmark_kit::rows(case, "x")).unwrap();
            let method = match case["linkage"].as_str().unwrap() {
                "ward" => Method::Ward,
                "average" => Method::Average,
                "complete" => Method::Complete,
                _ => Method::Single,
            };
            let tree = Dendrogram::link(trailmark_geometry::condensed_euclidean(&x.cast()), x.rows(), method);
            let expected = trailmark_kit::numbers(case, "heights");
            assert_eq!(tree.heights().len(), expected.len(), "{name}");
            for (height, expected) in tree.heights().into_iter().zip(expected) {
                table.assert_close(&name, f64::from(height), expected);
            }
            for cut in trailmark_kit::rows(case, "cuts") {
                let names = |labels: &[f64]| {
                    trailmark_core::Labels::from_ids(labels.iter().map(|label| *label as u32)).canonical()
                };
                let got = trailmark_core::Labels::from_ids(tree.cut(cut[0] as usize));
                assert_eq!(got, names(&cut[1..]), "{name} cut into {}", cut[0]);
            }
        }
    }
}
