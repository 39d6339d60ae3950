//! The rows of a fit, centred in f64 and laid out in blocks, with the two views that EM reads: features in the lanes
//! (sums over rows) and rows in the lanes (densities).

use trailmark_core::contract::Points;

use super::tile::{LANES, Line};

/// Rows in a block. The last one is filled up with zeros.
pub(crate) const BLOCK: usize = 128;

/// Lines that hold one value of each row of a block.
pub(crate) const BLOCK_LINES: usize = BLOCK / LANES;

/// Centred rows in blocks.
#[derive(Debug)]
pub(crate) struct BlockedRows {
    n_samples: usize,
    n_features: usize,
    mean: Vec<f64>,   // (n_features,) what was taken out
    lines: Vec<Line>, // (n_blocks, n_feature_lines, BLOCK): 16 features of one row
}

/// Bytes that a [`BlockedRows`] of these sizes takes.
pub(crate) fn memory_of_rows(n_samples: usize, n_features: usize) -> u64 {
    (n_samples.next_multiple_of(BLOCK) as u64) * (n_features.next_multiple_of(LANES) as u64) * 8
}

/// One row in f64, exactly.
fn widen(points: Points<'_>, i: usize, out: &mut [f64]) {
    match points {
        Points::F32(x) => out.iter_mut().zip(x.row(i)).for_each(|(out, value)| *out = f64::from(*value)),
        Points::F64(x) => out.copy_from_slice(x.row(i)),
    }
}

impl BlockedRows {
    /// Takes the mean out. There is at least one row and one column.
    pub(crate) fn new(points: Points<'_>) -> Self {
        let (n, width) = (points.rows(), points.cols());
        let mut row = vec![0.0; width];
        let mut mean = vec![0.0; width];
        for i in 0..n {
            widen(points, i, &mut row);
            mean.iter_mut().zip(&row).for_each(|(sum, value)| *sum += value);
        }
        mean.iter_mut().for_each(|sum| *sum /= n as f64);
        let per_row = width.div_ceil(LANES);
        let mut lines = vec![Line::ZERO; n.div_ceil(BLOCK) * per_row * BLOCK];
        for i in 0..n {
            widen(points, i, &mut row);
            for (j, (value, mean)) in row.iter().zip(&mean).enumerate() {
                lines[((i / BLOCK) * per_row + j / LANES) * BLOCK + i % BLOCK].0[j % LANES] = value - mean;
            }
        }
        Self { n_samples: n, n_features: width, mean, lines }
    }

    /// Number of samples.
    pub(crate) fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// Number of features.
    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    /// (n_features,) the mean that was taken out.
    pub(crate) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Number of blocks.
    pub(crate) fn n_blocks(&self) -> usize {
        self.n_samples.div_ceil(BLOCK)
    }

    /// Lines of 16 features in a row.
    pub(crate) fn n_feature_lines(&self) -> usize {
        self.n_features.div_ceil(LANES)
    }

    /// Rows of a block that are not filling.
    pub(crate) fn rows_of(&self, block: usize) -> usize {
        (self.n_samples - block * BLOCK).min(BLOCK)
    }

    /// (BLOCK,) features `16 * line ..` of the rows of a block.
    pub(crate) fn features(&self, block: usize, line: usize) -> &[Line] {
        let start = (block * self.n_feature_lines() + line) * BLOCK;
        &self.lines[start..start + BLOCK]
    }

    /// One centred value.
    pub(crate) fn value(&self, row: usize, feature: usize) -> f64 {
        self.features(row / BLOCK, feature / LANES)[row % BLOCK].0[feature % LANES]
    }

    /// The block with rows in the lanes, (BLOCK_LINES, n_features).
    pub(crate) fn turned(&self, block: usize, out: &mut [Line]) {
        for feature in 0..self.n_features {
            let lines = self.features(block, feature / LANES);
            for (i, line) in lines.iter().enumerate() {
                out[(i / LANES) * self.n_features + feature].0[i % LANES] = line.0[feature % LANES];
            }
        }
    }
}

/// Up to BLOCK rows from `start` with rows in the lanes, (BLOCK_LINES, n_features), centred by `mean`. Lanes without
/// a row are 0.
pub(crate) fn turn(points: Points<'_>, start: usize, mean: &[f64], out: &mut [Line]) {
    let width = mean.len();
    let mut row = vec![0.0; width];
    out.fill(Line::ZERO);
    for i in 0..BLOCK.min(points.rows() - start) {
        widen(points, start + i, &mut row);
        for (j, (value, mean)) in row.iter().zip(mean).enumerate() {
            out[(i / LANES) * width + j].0[i % LANES] = value - mean;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::{Matrix, Stream};

    #[test]
    fn both_views_hold_the_centred_rows_and_zeros_behind_them() {
        let mut draws = Stream::new(1);
        for (n, width) in [(1, 1), (128, 16), (131, 19), (300, 3)] {
            let mut x = Matrix::<f64>::zeros(n, width);
            x.as_mut_slice().iter_mut().for_each(|value| *value = draws.normal());
            let rows = BlockedRows::new((&x).into());
            let mut turned = vec![Line([f64::NAN; LANES]); BLOCK_LINES * width];
            let mut same = turned.clone();
            for block in 0..rows.n_blocks() {
                rows.turned(block, &mut turned);
                turn((&x).into(), block * BLOCK, rows.mean(), &mut same);
                assert_eq!(turned, same, "block {block} of {n} x {width}");
                for i in 0..BLOCK {
                    for j in 0..width {
                        let at = block * BLOCK + i;
                        let expected = if at < n { x.row(at)[j] - rows.mean()[j] } else { 0.0 };
                        let value = rows.features(block, j / LANES)[i].0[j % LANES];
                        assert_eq!(value.to_bits(), expected.to_bits(), "row {at}, feature {j} of {n} x {width}");
                        assert_eq!(turned[(i / LANES) * width + j].0[i % LANES].to_bits(), expected.to_bits());
                    }
                }
            }
        }
    }
}
