//! Distances of new rows to the training rows, for the rules that ask every member.

use trailmark_core::contract::Points;
use trailmark_core::{Failure, Matrix};

use crate::centred::{Centred, subtract};
use crate::input::{check_finite, check_rows};
use crate::kernel::{add_products, squared_distance_of_rows, squared_length};
use crate::precomputed::{self, check_new_distances};

/// Training rows of one product.
const TILE: usize = 128;

/// Rows whose distances to all training rows are held at once.
const ROWS: usize = 32;

/// Up to this many features differences are cheaper than a product, and exact.
const NARROW: usize = 16;

/// Share of `|a|² + |b|²` below which a squared distance taken from a product has lost too many digits, and is made
/// again from differences. Leaves a relative error near 1e-5 at worst, 1e-7 as a rule.
const CLOSE: f64 = 0.02;

/// The training rows as new rows meet them.
#[derive(Debug)]
pub(crate) enum Members {
    /// By their vectors.
    Euclidean(Centred),
    /// By their directions: vectors brought to length 1, where half the squared distance is the cosine distance.
    Cosine(Centred),
    /// By distances that come with the new rows: the columns of the training rows among all that were given.
    Given {
        /// Columns of a row.
        width: usize,
        /// (n_samples,) the training rows' columns.
        columns: Vec<usize>,
    },
}

impl Members {
    /// Cosine distances of rows none of which is 0.
    ///
    /// # Errors
    /// The first row of zeros.
    pub(crate) fn cosine(x: &Matrix<f32>) -> Result<Self, Failure> {
        Ok(Self::Cosine(Centred::new(&directions(x)?)))
    }

    /// Shows the distances of every new row to all training rows, (n_samples,), in the order of the new rows.
    ///
    /// # Errors
    /// Rows of another width, values that are not finite, and what has no distance.
    pub(crate) fn distances(&self, rows: Points<'_>, visit: impl FnMut(&[f64])) -> Result<(), Failure> {
        match self {
            Self::Euclidean(data) => {
                let rows = &*rows.to_f32();
                check_rows(data.n_features(), rows)?;
                self.between(&subtract(rows, &data.mean), data, visit);
            }
            Self::Cosine(data) => {
                let rows = &*rows.to_f32();
                check_rows(data.n_features(), rows)?;
                self.between(&subtract(&directions(rows)?, &data.mean), data, visit);
            }
            Self::Given { width, columns } => {
                check_finite(rows)?;
                check_new_distances(*width, rows)?;
                let mut visit = visit;
                let mut found = vec![0.0; columns.len()];
                for row in 0..rows.rows() {
                    for (found, &column) in found.iter_mut().zip(columns) {
                        *found = precomputed::distance(rows, row, column);
                    }
                    visit(&found);
                }
            }
        }
        Ok(())
    }

    /// Shows the distances of every training row to all of them, where they can be made again.
    pub(crate) fn own_distances(&self, visit: impl FnMut(&[f64])) {
        match self {
            Self::Euclidean(data) | Self::Cosine(data) => self.between(&data.x, data, visit),
            Self::Given { .. } => {}
        }
    }

    fn between(&self, rows: &Matrix<f32>, data: &Centred, mut visit: impl FnMut(&[f64])) {
        let mut distances = Vec::new();
        for start in (0..rows.rows()).step_by(ROWS) {
            let chosen: Vec<usize> = (start..(start + ROWS).min(rows.rows())).collect();
            let block = rows.select_rows(&chosen);
            let squared: Vec<f64> = block.iter_rows().map(squared_length).collect();
            distances_to(&block, &squared, data, &mut distances);
            if matches!(self, Self::Cosine(_)) {
                distances.iter_mut().for_each(|distance| *distance *= 0.5 * *distance);
            }
            distances.chunks_exact(data.n_samples()).for_each(&mut visit);
        }
    }
}

/// Every row brought to length 1.
fn directions(x: &Matrix<f32>) -> Result<Matrix<f32>, Failure> {
    let mut unit = x.clone();
    for row in 0..unit.rows() {
        // The largest value first, so that no square leaves the range.
        let values = unit.row_mut(row);
        let largest = values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        if largest == 0.0 {
            return Err(Failure::bad_input(format!(
                "row {row} is a vector of zeros, which has no cosine distance; drop it, or use metric = \"euclidean\""
            )));
        }
        let largest = f64::from(largest);
        let squares: f64 = values.iter().map(|value| (f64::from(*value) / largest).powi(2)).sum();
        let length = largest * squares.sqrt();
        values.iter_mut().for_each(|value| *value = narrow(f64::from(*value) / length));
    }
    Ok(unit)
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to nearest is meant; the magnitude is at most 1")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// The distance of two rows, from their product where that is accurate and from differences where it is not.
/// Equal rows have distance 0 exactly.
fn distance(product: f32, a: (&[f32], f64), b: (&[f32], f64)) -> f64 {
    let sum = a.1 + b.1;
    let squared = sum - 2.0 * f64::from(product);
    let accurate = a.0.len() > NARROW && squared > CLOSE * sum && squared.is_finite();
    if accurate { squared.sqrt() } else { squared_distance_of_rows(a.0, b.0).sqrt() }
}

/// Distances of every row of a block to every training row, (rows, n_samples), row-major in `out`.
fn distances_to(block: &Matrix<f32>, squared_lengths: &[f64], data: &Centred, out: &mut Vec<f64>) {
    let (n, width) = (data.n_samples(), data.n_features());
    out.clear();
    out.resize(block.rows() * n, 0.0);
    let mut products = vec![0.0_f32; block.rows() * TILE];
    for left in (0..n).step_by(TILE) {
        let right = (left + TILE).min(n);
        let products = &mut products[..block.rows() * (right - left)];
        if width > NARROW {
            products.fill(0.0);
            add_products(block.as_slice(), &data.x.as_slice()[left * width..right * width], width, 1.0, products);
        }
        for (i, products) in products.chunks_exact(right - left).enumerate() {
            for (j, product) in (left..right).zip(products) {
                out[i * n + j] =
                    distance(*product, (block.row(i), squared_lengths[i]), (data.x.row(j), data.squared_lengths[j]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Stream;

    #[test]
    fn distances_agree_with_differences_in_any_width_and_are_zero_for_equal_rows() {
        let mut draws = Stream::new(5);
        for (n, width) in [(2, 1), (150, 3), (300, 40)] {
            let mut x = Matrix::<f32>::zeros(n, width);
            for value in x.as_mut_slice() {
                *value = (draws.normal() + 1000.0) as f32;
            }
            let copy = x.row(0).to_vec();
            x.row_mut(n - 1).copy_from_slice(&copy);
            let data = Centred::new(&x);
            let mut distances = Vec::new();
            distances_to(&data.x, &data.squared_lengths, &data, &mut distances);
            for i in 0..n {
                for j in 0..n {
                    let exact = squared_distance_of_rows(x.row(i), x.row(j)).sqrt();
                    let got = distances[i * n + j];
                    assert!((got - exact).abs() <= 1e-4 * exact, "pair {i},{j} of {n} x {width}: {got} for {exact}");
                }
            }
            assert_eq!(distances[n - 1].to_bits(), 0.0_f64.to_bits(), "rows 0 and {} are equal", n - 1);
        }
    }
}
