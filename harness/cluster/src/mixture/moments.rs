//! Weighted sums over rows: means, scatter matrices and variances of every component. Rows are added in blocks, each
//! block in its order, and blocks in theirs.

use super::rows::{BLOCK, BLOCK_LINES, BlockedRows};
use super::tile::{LANES, LEFT, Line, tile};
use super::turns::in_turn;
use crate::width::{Width, per_width};

/// Rows of a scatter matrix made by one piece of work: two lines of features.
const BAND: usize = 2 * LANES;

/// Responsibilities, (n_blocks, n_clusters, BLOCK_LINES): rows in the lanes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights<'a> {
    /// Number of components.
    pub(crate) n_clusters: usize,
    /// The values; those of filling rows are 0.
    pub(crate) lines: &'a [Line],
}

impl Weights<'_> {
    /// (BLOCK_LINES,) weights of a block's rows in one component.
    fn of(&self, block: usize, component: usize) -> &[Line] {
        let start = (block * self.n_clusters + component) * BLOCK_LINES;
        &self.lines[start..start + BLOCK_LINES]
    }
}

/// Adds up 16 lanes at a time: (n_clusters, n_features) sums of weight times row.
pub(crate) fn weighted_sums(width: Width, rows: &BlockedRows, weights: Weights<'_>, threads: usize) -> Vec<f64> {
    let (k, n) = (weights.n_clusters, rows.n_features());
    let n_lines = rows.n_feature_lines();
    let mut tiles = vec![[Line::ZERO; LEFT]; k.div_ceil(LEFT) * n_lines];
    let scratch = || (vec![[0.0_f64; LEFT]; BLOCK], [Line::ZERO; LEFT]);
    in_turn(threads, tiles.iter_mut().enumerate(), scratch, |(left, made), (at, total)| {
        let (group, line) = (at / n_lines * LEFT, at % n_lines);
        for block in 0..rows.n_blocks() {
            for i in 0..LEFT.min(k - group) {
                for (left, weight) in left.iter_mut().zip(weights.of(block, group + i).iter().flat_map(|line| line.0)) {
                    left[i] = weight;
                }
            }
            tile(width, left, rows.features(block, line), made);
            add(width, made, total);
        }
    });
    let mut sums = vec![0.0; k * n];
    for (component, sums) in sums.chunks_exact_mut(n).enumerate() {
        for (feature, sum) in sums.iter_mut().enumerate() {
            let tile = &tiles[component / LEFT * n_lines + feature / LANES];
            *sum = tile[component % LEFT].0[feature % LANES];
        }
    }
    sums
}

/// Memory for one piece of [`scatters`].
struct ScatterScratch {
    kept: Vec<usize>,          // rows of a block that weigh anything
    weights: Vec<f64>,         // theirs
    left: Vec<[f64; LEFT]>,    // (BAND / LEFT, BLOCK) weight times difference
    right: Vec<Line>,          // (n_feature_lines, BLOCK) differences
    totals: Vec<[Line; LEFT]>, // (BAND / LEFT, n_feature_lines)
    made: [Line; LEFT],
}

/// Upper triangles of (n_clusters, n_features, n_features) sums of weight times the outer square of the difference
/// from the component's mean. The lower triangles are left as they are.
pub(crate) fn scatters(
    width: Width,
    rows: &BlockedRows,
    weights: Weights<'_>,
    means: &[f64],
    threads: usize,
    out: &mut [f64],
) {
    let n = rows.n_features();
    let n_lines = rows.n_feature_lines();
    let pieces: Vec<(usize, usize, &mut [f64])> = (out.chunks_exact_mut(n * n).enumerate())
        .flat_map(|(component, matrix)| {
            matrix.chunks_mut(BAND * n).enumerate().map(move |(band, rows)| (component, band, rows))
        })
        .collect();
    let scratch = || ScatterScratch {
        kept: Vec::with_capacity(BLOCK),
        weights: Vec::with_capacity(BLOCK),
        left: vec![[0.0; LEFT]; BAND / LEFT * BLOCK],
        right: vec![Line::ZERO; n_lines * BLOCK],
        totals: vec![[Line::ZERO; LEFT]; BAND / LEFT * n_lines],
        made: [Line::ZERO; LEFT],
    };
    in_turn(threads, pieces.into_iter(), scratch, |scratch, (component, band, out)| {
        let mean = &means[component * n..(component + 1) * n];
        scratch.totals.fill([Line::ZERO; LEFT]);
        for block in 0..rows.n_blocks() {
            scratch.keep(weights.of(block, component));
            scratch.add_block(width, rows, block, band, mean);
        }
        for (i, out) in out.chunks_exact_mut(n).enumerate() {
            for (j, out) in out.iter_mut().enumerate().skip(band * BAND + i) {
                *out = scratch.totals[i / LEFT * n_lines + j / LANES][i % LEFT].0[j % LANES];
            }
        }
    });
}

impl ScatterScratch {
    /// Notes which rows weigh anything: the others would add exact zeros.
    fn keep(&mut self, weights: &[Line]) {
        self.kept.clear();
        self.weights.clear();
        for (i, weight) in weights.iter().flat_map(|line| line.0).enumerate() {
            if weight != 0.0 {
                self.kept.push(i);
                self.weights.push(weight);
            }
        }
    }

    fn add_block(&mut self, width: Width, rows: &BlockedRows, block: usize, band: usize, mean: &[f64]) {
        let (n, n_lines, count) = (rows.n_features(), rows.n_feature_lines(), self.kept.len());
        if count == 0 {
            return;
        }
        let first = band * (BAND / LANES);
        for line in first..n_lines {
            let centre = Line(std::array::from_fn(|lane| mean.get(line * LANES + lane).copied().unwrap_or(0.0)));
            let right = &mut self.right[line * BLOCK..][..count];
            differences(width, rows.features(block, line), &self.kept, &centre, right);
        }
        let n_left = (n - band * BAND).min(BAND).div_ceil(LEFT);
        for i in 0..n_left {
            let line = first + i * LEFT / LANES;
            let left = &mut self.left[i * BLOCK..][..count];
            weigh(width, &self.right[line * BLOCK..][..count], &self.weights, i * LEFT % LANES, left);
            for line in line..n_lines {
                let right = &self.right[line * BLOCK..][..count];
                tile(width, &self.left[i * BLOCK..][..count], right, &mut self.made);
                add(width, &self.made, &mut self.totals[i * n_lines + line]);
            }
        }
    }
}

/// (n_clusters, n_features) sums of weight times the squared difference from the component's mean.
pub(crate) fn squared_sums(
    width: Width,
    rows: &BlockedRows,
    weights: Weights<'_>,
    means: &[f64],
    threads: usize,
) -> Vec<f64> {
    let n = rows.n_features();
    let mut sums = vec![0.0; weights.n_clusters * n];
    in_turn(
        threads,
        sums.chunks_exact_mut(n).enumerate(),
        || (),
        |(), (component, sums)| {
            let mean = &means[component * n..(component + 1) * n];
            for (line, sums) in sums.chunks_mut(LANES).enumerate() {
                let centre = Line(std::array::from_fn(|lane| mean.get(line * LANES + lane).copied().unwrap_or(0.0)));
                let mut total = Line::ZERO;
                for block in 0..rows.n_blocks() {
                    let x = rows.features(block, line);
                    weighted_squares(width, x, weights.of(block, component), &centre, &mut total);
                }
                sums.copy_from_slice(&total.0[..sums.len()]);
            }
        },
    );
    sums
}

per_width! {
    /// Adds a tile.
    fn [] add(made: &[Line; LEFT], total: &mut [Line; LEFT]) {
        for (total, made) in total.iter_mut().zip(made) {
            for lane in 0..LANES {
                total.0[lane] += made.0[lane];
            }
        }
    }
}

per_width! {
    /// The kept rows minus a mean.
    fn [] differences(x: &[Line], kept: &[usize], mean: &Line, out: &mut [Line]) {
        for (out, &i) in out.iter_mut().zip(kept) {
            let x = &x[i];
            for lane in 0..LANES {
                out.0[lane] = x.0[lane] - mean.0[lane];
            }
        }
    }
}

per_width! {
    /// Half a line of every row, times its weight.
    fn [] weigh(x: &[Line], weights: &[f64], half: usize, out: &mut [[f64; LEFT]]) {
        for ((out, x), weight) in out.iter_mut().zip(x).zip(weights) {
            for (out, x) in out.iter_mut().zip(&x.0[half..half + LEFT]) {
                *out = weight * x;
            }
        }
    }
}

per_width! {
    /// Adds one block's weighted squared differences from a mean.
    fn [] weighted_squares(x: &[Line], weights: &[Line], mean: &Line, total: &mut Line) {
        let mut sum = Line::ZERO;
        for (x, weights) in x.chunks_exact(LANES).zip(weights) {
            for (x, weight) in x.iter().zip(&weights.0) {
                for lane in 0..LANES {
                    let difference = x.0[lane] - mean.0[lane];
                    sum.0[lane] = (weight * difference).mul_add(difference, sum.0[lane]);
                }
            }
        }
        for lane in 0..LANES {
            total.0[lane] += sum.0[lane];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::{Matrix, Stream};

    #[test]
    fn sums_agree_with_plain_loops_and_on_every_vector_unit_and_thread_count() {
        let mut draws = Stream::new(9);
        for (n, cols, k) in [(5, 1, 1), (140, 19, 3), (300, 70, 9)] {
            let mut x = Matrix::<f64>::zeros(n, cols);
            x.as_mut_slice().iter_mut().for_each(|value| *value = draws.normal() + 3.0);
            let rows = BlockedRows::new((&x).into());
            let plain: Vec<f64> = (0..n * k).map(|_| if draws.chance(0.3) { 0.0 } else { draws.uniform() }).collect();
            let means: Vec<f64> = (0..k * cols).map(|_| draws.normal()).collect();
            let mut lines = vec![Line::ZERO; rows.n_blocks() * k * BLOCK_LINES];
            for i in 0..n {
                for c in 0..k {
                    let at = (i / BLOCK * k + c) * BLOCK_LINES + i % BLOCK / LANES;
                    lines[at].0[i % LANES] = plain[i * k + c];
                }
            }
            let weights = Weights { n_clusters: k, lines: &lines };
            let mut all = Vec::new();
            for (width, threads) in Width::available().into_iter().flat_map(|width| [(width, 1), (width, 3)]) {
                let sums = weighted_sums(width, &rows, weights, threads);
                let squares = squared_sums(width, &rows, weights, &means, threads);
                let mut products = vec![0.0; k * cols * cols];
                scatters(width, &rows, weights, &means, threads, &mut products);
                all.push((sums, squares, products));
            }
            assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "bits of {n} x {cols}, {k}");
            let (sums, squares, products) = &all[0];
            let value = |i: usize, j: usize| x.row(i)[j] - rows.mean()[j];
            let close = |got: f64, expected: f64| (got - expected).abs() <= 1e-11 * n as f64;
            for c in 0..k {
                let over = |term: &dyn Fn(usize) -> f64| (0..n).map(|i| plain[i * k + c] * term(i)).sum::<f64>();
                for a in 0..cols {
                    assert!(close(sums[c * cols + a], over(&|i| value(i, a))), "sum {c}, {a} of {n} x {cols}");
                    let off = |i, j: usize| value(i, j) - means[c * cols + j];
                    assert!(close(squares[c * cols + a], over(&|i| off(i, a) * off(i, a))), "square {c}, {a}");
                    for b in a..cols {
                        let got = products[(c * cols + a) * cols + b];
                        assert!(close(got, over(&|i| off(i, a) * off(i, b))), "product {c}, {a}, {b} of {n} x {cols}");
                    }
                }
            }
        }
    }
}
