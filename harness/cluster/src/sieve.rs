//! A cheap lower bound on the distances of many pairs at once: products in f32 with the error they can have taken off.
//! Searches ask the bound for every pair and the exact distance only for the few pairs that the bound lets through, so
//! that they cost about one matrix product and answer as if every distance had been exact.

use gemm::Parallelism;
use trailmark_core::Matrix;

/// Rows of a tile.
pub(crate) const SOURCES: usize = 128;
/// Columns of a tile.
pub(crate) const TARGETS: usize = 256;

/// Rows that are asked where the centre is.
const ASKED: usize = 255;

/// Rows in f32, centred and scaled.
#[derive(Debug)]
pub(crate) struct Sieve {
    rows: Vec<f32>,    // (padded, n_features)
    lengths: Vec<f32>, // (padded,) squared, with the error taken off
    n_features: usize,
    centre: Vec<f64>,
    unit: f64, // a power of two
    kept: f64, // 1 - the relative error of |x|² + |y|² - 2xy
}

impl Sieve {
    /// The chosen rows, in the order given.
    pub(crate) fn new(x: &Matrix<f64>, order: &[u32]) -> Self {
        let n_features = x.cols();
        let centre = centre(x);
        let largest = x
            .iter_rows()
            .flat_map(|row| row.iter().zip(&centre).map(|(value, centre)| (value - centre).abs()))
            .fold(0.0, f64::max);
        // Higham's bound for a sum of n_features products in any order, with room for the rounding of the rows and of
        // the squared lengths. 2|x||y| is at most |x|² + |y|², so the error can be taken off the lengths.
        let kept = 1.0 - (n_features as f64 + 32.0) * f64::from(f32::EPSILON);
        let mut sieve =
            Self { rows: Vec::new(), lengths: Vec::new(), n_features, centre, unit: power_of_two_near(largest), kept };
        let padded = order.len().div_ceil(TARGETS) * TARGETS;
        sieve.rows.reserve(padded * n_features);
        sieve.lengths.reserve(padded);
        for &i in order {
            let length = sieve.push_scaled(x.row(i as usize));
            sieve.lengths.push(length);
        }
        sieve.rows.resize(padded * n_features, 0.0);
        sieve.lengths.resize(padded, 0.0);
        sieve
    }

    fn push_scaled(&mut self, row: &[f64]) -> f32 {
        let mut rows = std::mem::take(&mut self.rows);
        let length = self.scale(row, &mut rows);
        self.rows = rows;
        length
    }

    /// Appends a row of another set as this sieve sees it, and returns its squared length with the error taken off.
    pub(crate) fn scale(&self, row: &[f64], out: &mut Vec<f32>) -> f32 {
        let start = out.len();
        out.extend(row.iter().zip(&self.centre).map(|(value, centre)| narrow((value - centre) / self.unit)));
        let squared: f64 = out[start..].iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        narrow(squared * self.kept)
    }

    /// A squared distance in the sieve's unit, rounded up: pairs with a larger bound are farther apart.
    pub(crate) fn above(&self, squared: f64) -> f32 {
        narrow(squared / (self.unit * self.unit) * (1.0 + 1e-6)) + f32::MIN_POSITIVE
    }

    /// A squared distance in the sieve's unit, rounded down.
    pub(crate) fn below(&self, squared: f64) -> f32 {
        narrow(squared / (self.unit * self.unit) * (1.0 - 1e-6))
    }

    /// Squared lengths of the rows with the error taken off; zeros beyond the last row.
    pub(crate) fn lengths(&self) -> &[f32] {
        &self.lengths
    }

    /// Rows `start..start + count`, row-major; zeros beyond the last row.
    pub(crate) fn rows(&self, start: usize, count: usize) -> &[f32] {
        &self.rows[start * self.n_features..(start + count) * self.n_features]
    }

    /// Writes `-2 x y` of source rows and rows `target..target + TARGETS`, (n_sources, TARGETS) row-major. With both
    /// lengths added it is a lower bound on the squared distance.
    pub(crate) fn products(&self, sources: &[f32], target: usize, out: &mut [f32]) {
        let targets = self.rows(target, TARGETS);
        let (m, k) = (sources.len() / self.n_features, self.n_features);
        assert_eq!((sources.len(), out.len()), (m * k, m * TARGETS), "operands fill their shapes");
        let row = k.cast_signed();
        // SAFETY: the shapes were checked against the slices just above, and `out` is borrowed exclusively.
        unsafe {
            gemm::gemm(
                m,
                TARGETS,
                k,
                out.as_mut_ptr(),
                1,
                TARGETS.cast_signed(),
                false,
                sources.as_ptr(),
                1,
                row,
                targets.as_ptr(),
                row,
                1,
                0.0,
                -2.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
}

/// The middle value of every column among some of the rows: near most rows, even where a few are very far from all.
fn centre(x: &Matrix<f64>) -> Vec<f64> {
    let step = x.rows().div_ceil(ASKED).max(1);
    let rows: Vec<&[f64]> = x.iter_rows().step_by(step).collect();
    let mut column = Vec::with_capacity(rows.len());
    (0..x.cols())
        .map(|at| {
            column.clear();
            column.extend(rows.iter().map(|row| row[at]));
            let middle = column.len() / 2;
            *column.select_nth_unstable_by(middle, f64::total_cmp).1
        })
        .collect()
}

/// The power of two at or below a finite magnitude; 1 for zero.
fn power_of_two_near(magnitude: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let power = f64::from_bits(magnitude.to_bits() & EXPONENT);
    if power.is_normal() { power } else { 1.0 }
}

#[expect(clippy::cast_possible_truncation, reason = "the rounding is part of the bound")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Stream;

    #[test]
    fn the_bound_is_never_above_the_distance_and_near_it_for_rows_that_are_apart() {
        let mut draws = Stream::new(3);
        for (n, width, shift) in [(40, 1, 0.0), (300, 7, 1e3), (300, 200, 0.0)] {
            let mut values: Vec<f64> = (0..n * width).map(|_| draws.normal() * 1e-3 + shift).collect();
            values[0] = 1e9; // a row that is very far from all takes nothing from the others
            let x = Matrix::from_vec(n, width, values).unwrap();
            let order: Vec<u32> = (0..n as u32).rev().collect();
            let sieve = Sieve::new(&x, &order);
            let mut tile = vec![0.0; SOURCES * TARGETS];
            sieve.products(sieve.rows(0, SOURCES), 0, &mut tile);
            for i in 0..n.min(SOURCES) {
                for j in 0..n.min(TARGETS) {
                    let (a, b) = (x.row(n - 1 - i), x.row(n - 1 - j));
                    let exact: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
                    let bound = tile[i * TARGETS + j] + sieve.lengths()[i] + sieve.lengths()[j];
                    assert!(bound <= sieve.above(exact), "pair {i} {j} of {n} x {width}: {bound} above {exact}");
                    if width == 200 && i != j && a[0].max(b[0]) < 1e9 {
                        assert!(bound >= 0.999 * sieve.below(exact), "pair {i} {j}: {bound} far below {exact}");
                    }
                }
            }
        }
    }
}
