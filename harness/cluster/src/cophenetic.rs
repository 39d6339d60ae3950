//! How faithful a tree is to the distances it was made of.

use crate::dendrogram::Dendrogram;

/// Cophenetic distances of a tree: the height at which two samples meet. One row at a time, so that the table of all
/// pairs never exists.
pub(crate) struct Cophenetic<'a> {
    tree: &'a Dendrogram,
    parent: Vec<usize>, // (2 n - 1,) the merge above a node
    first: Vec<usize>,  // (2 n - 1,) where the samples of a node start in `order`
    order: Vec<usize>,  // (n,) samples as the leaves stand side by side
    heights: Vec<f64>,  // (n,) of the current row, in leaf order
}

impl<'a> Cophenetic<'a> {
    /// Lays the leaves out.
    pub(crate) fn new(tree: &'a Dendrogram) -> Self {
        let n = tree.n_samples();
        let nodes = n + tree.merges().len();
        let (mut parent, mut first) = (vec![nodes; nodes], vec![0; nodes]);
        // From the top down every node is told where its samples start.
        for (at, merge) in tree.merges().iter().enumerate().rev() {
            let start = first[n + at];
            first[merge.left] = start;
            first[merge.right] = start + size(tree, merge.left);
            parent[merge.left] = at;
            parent[merge.right] = at;
        }
        let mut order = vec![0; n];
        for (sample, &place) in first[..n].iter().enumerate() {
            order[place] = sample;
        }
        Self { tree, parent, first, order, heights: vec![0.0; n] }
    }

    /// Heights at which a sample meets every other, with the other's number, in leaf order; 0 for itself.
    pub(crate) fn row(&mut self, sample: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let mut node = sample;
        while let Some(merge) = self.tree.merges().get(self.parent[node]) {
            let other = if merge.left == node { merge.right } else { merge.left };
            let start = self.first[other];
            self.heights[start..start + size(self.tree, other)].fill(merge.height);
            node = self.tree.n_samples() + self.parent[node];
        }
        self.heights[self.first[sample]] = 0.0;
        self.order.iter().copied().zip(self.heights.iter().copied())
    }
}

fn size(tree: &Dendrogram, node: usize) -> usize {
    node.checked_sub(tree.n_samples()).map_or(1, |merge| tree.merges()[merge].size)
}

/// Correlation (Pearson) of distances and cophenetic distances over all pairs, as SciPy's `cophenet`; every pair is met
/// from both sides, which changes nothing. O(n²) time, O(n) memory.
pub(crate) struct Correlation<'a> {
    cophenetic: Cophenetic<'a>,
    sample: usize,     // the next
    pairs: f64,        // met so far
    means: [f64; 2],   // of distances and heights
    squares: [f64; 2], // sums of squares about the means
    product: f64,      // sum of products about the means
}

impl<'a> Correlation<'a> {
    /// Nothing met yet.
    pub(crate) fn new(tree: &'a Dendrogram) -> Self {
        let cophenetic = Cophenetic::new(tree);
        Self { cophenetic, sample: 0, pairs: 0.0, means: [0.0; 2], squares: [0.0; 2], product: 0.0 }
    }

    /// Takes the distances of the next sample to all, (n,).
    pub(crate) fn add(&mut self, distances: &[f64]) {
        let sample = self.sample;
        self.sample += 1;
        let others = distances.len() as f64 - 1.0;
        if others < 1.0 {
            return;
        }
        // Means and sums about them of this row, joined to those of the rows before (Chan, Golub and LeVeque 1979):
        // nothing is lost where the spread is small beside the distances.
        let mut sums = [0.0_f64; 2];
        for (other, height) in self.cophenetic.row(sample).filter(|(other, _)| *other != sample) {
            sums[0] += distances[other];
            sums[1] += height;
        }
        let own = sums.map(|sum| sum / others);
        let (mut squares, mut product) = ([0.0_f64; 2], 0.0_f64);
        for (other, height) in self.cophenetic.row(sample).filter(|(other, _)| *other != sample) {
            let (a, b) = (distances[other] - own[0], height - own[1]);
            squares[0] += a * a;
            squares[1] += b * b;
            product += a * b;
        }
        let all = self.pairs + others;
        let apart = [own[0] - self.means[0], own[1] - self.means[1]];
        let weight = self.pairs * others / all;
        for side in 0..2 {
            self.squares[side] += squares[side] + weight * apart[side] * apart[side];
            self.means[side] += apart[side] * others / all;
        }
        self.product += product + weight * apart[0] * apart[1];
        self.pairs = all;
    }

    /// The correlation; none when distances or heights are the same for all pairs.
    pub(crate) fn value(&self) -> Option<f64> {
        let spread = self.squares[0].sqrt() * self.squares[1].sqrt();
        (spread > 0.0).then(|| (self.product / spread).clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linkage::Linkage;
    use std::borrow::Cow;
    use trailmark_core::Matrix;
    use trailmark_core::contract::Distance;

    fn square(condensed: &[f64], n: usize) -> Vec<Vec<f64>> {
        let place = |i: usize, j: usize| condensed[i * (2 * n - i - 1) / 2 + (j - i - 1)];
        let value = |i: usize, j: usize| if i == j { 0.0 } else { place(i.min(j), i.max(j)) };
        (0..n).map(|i| (0..n).map(|j| value(i, j)).collect()).collect()
    }

    #[test]
    fn two_samples_meet_at_the_height_of_the_merge_that_joins_them() {
        let tree = Dendrogram::link(Cow::Owned(vec![1.0_f64, 5.0, 4.0]), 3, Linkage::Average).unwrap();
        let mut cophenetic = Cophenetic::new(&tree);
        for (sample, expected) in [[0.0, 1.0, 4.5], [1.0, 0.0, 4.5], [4.5, 4.5, 0.0]].into_iter().enumerate() {
            let mut found = [f64::NAN; 3];
            cophenetic.row(sample).for_each(|(other, height)| found[other] = height);
            assert_eq!(found, expected, "row {sample}");
        }
    }

    #[test]
    fn correlations_are_scipys_and_undefined_where_nothing_varies() {
        let table = trailmark_kit::oracle("cluster", "agglomerative");
        let mut seen = 0;
        for case in &table.case {
            let x: Matrix<f64> = Matrix::from_rows(&trailmark_kit::rows(case, "x")).unwrap();
            let metric = if case["metric"].as_str() == Some("cosine") { Distance::Cosine } else { Distance::Euclidean };
            let condensed = trailmark_geometry::condensed_f64(&x, metric, 1).unwrap();
            for (word, linkage) in Linkage::ALL {
                let key = format!("cophenetic_{word}");
                if !case.contains_key(&key) {
                    continue;
                }
                let tree = Dendrogram::link(Cow::Borrowed(&condensed), x.rows(), linkage).unwrap();
                let mut correlation = Correlation::new(&tree);
                square(&condensed, x.rows()).iter().for_each(|row| correlation.add(row));
                let found = correlation.value().unwrap();
                table.assert_close(&format!("{}, {word}", case["name"]), found, trailmark_kit::number(case, &key));
                seen += 1;
            }
        }
        assert!(seen > 30, "only {seen} correlations were compared");
        let tree = Dendrogram::link(Cow::Owned(vec![2.0_f64; 3]), 3, Linkage::Single).unwrap();
        let mut correlation = Correlation::new(&tree);
        square(&[2.0; 3], 3).iter().for_each(|row| correlation.add(row));
        assert_eq!(correlation.value(), None);
    }
}
