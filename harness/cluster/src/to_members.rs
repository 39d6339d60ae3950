//! Distances of new rows to the training rows, for the rules that ask every member.

use std::sync::Arc;

use trailmark_core::contract::Points;
use trailmark_core::{Failure, Matrix};

use crate::centred::{Centred, subtract};
use crate::element::Element;
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

/// Vectors in the precision they came in, their mean taken out.
#[derive(Debug)]
pub(crate) enum Vectors {
    /// Sweeps.
    Single(Centred<f32>),
    /// Plain files.
    Double(Centred<f64>),
}

impl Vectors {
    /// Centres at least one row.
    pub(crate) fn new(x: Points<'_>) -> Self {
        match x {
            Points::F32(x) => Self::Single(Centred::new(x)),
            Points::F64(x) => Self::Double(Centred::new(x)),
        }
    }

    /// The directions of at least one row: every row brought to length 1.
    ///
    /// # Errors
    /// The first row of zeros.
    pub(crate) fn directions(x: Points<'_>) -> Result<Self, Failure> {
        Ok(match x {
            Points::F32(x) => Self::Single(Centred::new(&directions(x)?)),
            Points::F64(x) => Self::Double(Centred::new(&directions(x)?)),
        })
    }
}

/// The training rows as new rows meet them.
#[derive(Debug)]
pub(crate) enum Members {
    /// By their vectors.
    Euclidean(Arc<Vectors>),
    /// By their directions, of which half the squared distance is the cosine distance.
    Cosine(Vectors),
    /// By distances that come with the new rows: the columns of the training rows among all that were given.
    Given {
        /// Columns of a row.
        width: usize,
        /// (n_samples,) the training rows' columns.
        columns: Vec<usize>,
    },
}

impl Members {
    /// Shows the distances of every new row to all training rows, (n_samples,), in the order of the new rows.
    ///
    /// # Errors
    /// Rows of another width, values that are not finite, and what has no distance.
    pub(crate) fn distances(&self, rows: Points<'_>, mut visit: impl FnMut(&[f64])) -> Result<(), Failure> {
        let (vectors, cosine) = match self {
            Self::Euclidean(vectors) => (&**vectors, false),
            Self::Cosine(vectors) => (vectors, true),
            Self::Given { width, columns } => {
                check_finite(rows)?;
                check_new_distances(*width, rows)?;
                let mut found = vec![0.0; columns.len()];
                for row in 0..rows.rows() {
                    for (found, &column) in found.iter_mut().zip(columns) {
                        *found = precomputed::distance(rows, row, column);
                    }
                    visit(&found);
                }
                return Ok(());
            }
        };
        match vectors {
            Vectors::Single(data) => {
                let rows = placed(&rows.to_f32(), data, cosine)?;
                blocks(&rows, data, cosine, single_distances_to, visit);
            }
            Vectors::Double(data) => {
                let rows = placed(&rows.to_f64(), data, cosine)?;
                blocks(&rows, data, cosine, double_distances_to, visit);
            }
        }
        Ok(())
    }

    /// Shows the distances of every training row to all of them, where they can be made again.
    pub(crate) fn own_distances(&self, visit: impl FnMut(&[f64])) {
        let (vectors, cosine) = match self {
            Self::Euclidean(vectors) => (&**vectors, false),
            Self::Cosine(vectors) => (vectors, true),
            Self::Given { .. } => return,
        };
        match vectors {
            Vectors::Single(data) => blocks(&data.x, data, cosine, single_distances_to, visit),
            Vectors::Double(data) => blocks(&data.x, data, cosine, double_distances_to, visit),
        }
    }
}

/// New rows in the coordinates of the training rows.
fn placed<'a, T: Element>(rows: &'a Matrix<T>, data: &Centred<T>, cosine: bool) -> Result<Matrix<T>, Failure>
where
    &'a Matrix<T>: Into<Points<'a>>,
{
    check_rows(data.n_features(), rows)?;
    Ok(if cosine { subtract(&directions(rows)?, &data.mean) } else { subtract(rows, &data.mean) })
}

/// Distances of a block of rows to every training row, (rows, n_samples), row-major.
type DistancesTo<T> = fn(block: &Matrix<T>, data: &Centred<T>, out: &mut Vec<f64>);

fn blocks<T: Element>(
    rows: &Matrix<T>,
    data: &Centred<T>,
    cosine: bool,
    distances_to: DistancesTo<T>,
    mut visit: impl FnMut(&[f64]),
) {
    let mut distances = Vec::new();
    for start in (0..rows.rows()).step_by(ROWS) {
        let chosen: Vec<usize> = (start..(start + ROWS).min(rows.rows())).collect();
        distances_to(&rows.select_rows(&chosen), data, &mut distances);
        if cosine {
            distances.iter_mut().for_each(|distance| *distance = 0.5 * distance.powi(2));
        }
        distances.chunks_exact(data.n_samples()).for_each(&mut visit);
    }
}

/// Every row brought to length 1.
fn directions<T: Element>(x: &Matrix<T>) -> Result<Matrix<T>, Failure> {
    let mut unit = x.clone();
    for row in 0..unit.rows() {
        // The largest value first, so that no square leaves the range.
        let values = unit.row_mut(row);
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.to_f64().abs()));
        if largest == 0.0 {
            return Err(Failure::bad_input(format!(
                "row {row} is a vector of zeros, which has no cosine distance: drop it, or use metric = \"euclidean\""
            )));
        }
        let squares: f64 = values.iter().map(|value| (value.to_f64() / largest).powi(2)).sum();
        let length = squares.sqrt();
        values.iter_mut().for_each(|value| *value = T::from_f64(value.to_f64() / largest / length));
    }
    Ok(unit)
}

/// The distance of two rows, from their product where that is accurate and from differences where it is not.
/// Equal rows have distance 0 exactly.
fn distance(product: f32, a: (&[f32], f64), b: (&[f32], f64)) -> f64 {
    let sum = a.1 + b.1;
    let squared = sum - 2.0 * f64::from(product);
    let accurate = a.0.len() > NARROW && squared > CLOSE * sum && squared.is_finite();
    if accurate { squared.sqrt() } else { squared_distance_of_rows(a.0, b.0).sqrt() }
}

/// From products where they are accurate.
fn single_distances_to(block: &Matrix<f32>, data: &Centred<f32>, out: &mut Vec<f64>) {
    let (n, width) = (data.n_samples(), data.n_features());
    let squared_lengths: Vec<f64> = block.iter_rows().map(squared_length).collect();
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

/// From differences.
fn double_distances_to(block: &Matrix<f64>, data: &Centred<f64>, out: &mut Vec<f64>) {
    out.clear();
    for row in block.iter_rows() {
        out.extend(data.x.iter_rows().map(|other| squared_distance_of_rows(row, other).sqrt()));
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
            single_distances_to(&data.x, &data, &mut distances);
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
