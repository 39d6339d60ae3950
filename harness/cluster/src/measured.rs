//! Rows as density clusterers measure them: in f64, by differences, so that equal rows are at exactly 0, ties are
//! ties, and a pair has the same distance whoever asks and in whatever order the rows stand.

use std::borrow::Cow;

use trailmark_core::contract::{Distance, Points};
use trailmark_core::{Failure, FailureClass, Matrix};
use trailmark_geometry::GeometryError;

/// Running sums of a distance, in a fixed order.
const LANES: usize = 8;

/// Rows with the distance they are compared in.
#[derive(Debug)]
pub(crate) struct Measured<'a> {
    rows: Cow<'a, Matrix<f64>>, // (n_samples, n_features), of length 1 under cosine distance; no negative zero
    distance: Distance,
}

impl<'a> Measured<'a> {
    /// Widens rows, and brings them to length 1 for cosine distance.
    ///
    /// # Errors
    /// A row of zeros under cosine distance.
    pub(crate) fn new(points: Points<'a>, distance: Distance) -> Result<Self, Failure> {
        let mut rows = match points {
            Points::F32(x) => Cow::Owned(x.cast()),
            Points::F64(x) => Cow::Borrowed(x),
        };
        if distance == Distance::Cosine {
            for i in 0..rows.rows() {
                let row = rows.to_mut().row_mut(i);
                // The largest value first: squares of very large and very small values stay in range.
                let largest = row.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
                if largest == 0.0 {
                    let error = GeometryError::ZeroVector { row: i };
                    return Err(Failure::from_error(FailureClass::BadInput, &error));
                }
                row.iter_mut().for_each(|value| *value /= largest);
                let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
                row.iter_mut().for_each(|value| *value /= length);
            }
        }
        Ok(Self { rows, distance })
    }

    /// Number of rows.
    pub(crate) fn n_samples(&self) -> usize {
        self.rows.rows()
    }

    /// Number of columns.
    pub(crate) fn n_features(&self) -> usize {
        self.rows.cols()
    }

    /// The rows that differences are taken of.
    pub(crate) fn rows(&self) -> &Matrix<f64> {
        &self.rows
    }

    /// Which distance it is.
    pub(crate) fn kind(&self) -> Distance {
        self.distance
    }

    /// The same without the borrow.
    pub(crate) fn into_owned(self) -> Measured<'static> {
        Measured { rows: Cow::Owned(self.rows.into_owned()), distance: self.distance }
    }

    /// Distance of two rows.
    pub(crate) fn between(&self, i: usize, j: usize) -> f64 {
        self.of_squared(squared_distance(self.rows.row(i), self.rows.row(j)))
    }

    /// Distance of one of the rows to a row of another set that was measured alike.
    pub(crate) fn to_row(&self, i: usize, other: &[f64]) -> f64 {
        self.of_squared(squared_distance(self.rows.row(i), other))
    }

    /// The squared Euclidean distance of the compared rows at which they are at this distance.
    pub(crate) fn squared(&self, distance: f64) -> f64 {
        match self.distance {
            Distance::Euclidean => distance * distance,
            Distance::SquaredEuclidean => distance,
            Distance::Cosine => 2.0 * distance,
        }
    }

    fn of_squared(&self, squared: f64) -> f64 {
        match self.distance {
            Distance::Euclidean => squared.sqrt(),
            Distance::SquaredEuclidean => squared,
            Distance::Cosine => 0.5 * squared,
        }
    }

    /// For every row the lowest row equal to it, itself where there is none: (n_samples,).
    pub(crate) fn first_equal(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..).take(self.n_samples()).collect();
        let row = |i: u32| self.rows.row(i as usize);
        order.sort_by(|&a, &b| {
            let differ = row(a).iter().zip(row(b)).map(|(a, b)| a.partial_cmp(b)).find(|order| !is_equal(*order));
            differ.flatten().unwrap_or_else(|| a.cmp(&b))
        });
        let mut first = vec![0; self.n_samples()];
        for group in order.chunk_by(|&a, &b| row(a) == row(b)) {
            group.iter().for_each(|&i| first[i as usize] = group[0]);
        }
        first
    }
}

fn is_equal(order: Option<std::cmp::Ordering>) -> bool {
    order == Some(std::cmp::Ordering::Equal)
}

/// Squared Euclidean distance: eight running sums over columns mod 8, then those sums in order.
fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0_f64; LANES];
    let (left, left_tail) = a.as_chunks::<LANES>();
    let (right, right_tail) = b.as_chunks::<LANES>();
    for (a, b) in left.iter().zip(right) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    for ((a, b), sum) in left_tail.iter().zip(right_tail).zip(&mut sums) {
        let difference = a - b;
        *sum += difference * difference;
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_find_the_first_of_them_whatever_the_sign_of_zero() {
        let x = Matrix::from_rows(&[[1.0_f64, 0.0], [0.0, 2.0], [1.0, -0.0], [0.0, 2.0], [3.0, 3.0]]).unwrap();
        let measured = Measured::new(Points::F64(&x), Distance::Euclidean).unwrap();
        assert_eq!(measured.first_equal(), [0, 1, 0, 1, 4]);
    }

    #[test]
    fn cosine_distance_is_one_less_the_cosine_and_has_no_meaning_for_zeros() {
        let x = Matrix::from_rows(&[[3.0_f64, 4.0], [4.0, 3.0], [-6.0, -8.0]]).unwrap();
        let measured = Measured::new(Points::F64(&x), Distance::Cosine).unwrap();
        assert!((measured.between(0, 1) - (1.0 - 24.0 / 25.0)).abs() < 1e-15, "{}", measured.between(0, 1));
        assert!((measured.between(0, 2) - 2.0).abs() < 1e-15, "{}", measured.between(0, 2));
        let zeros = Matrix::<f64>::zeros(2, 2);
        let failure = Measured::new(Points::F64(&zeros), Distance::Cosine).unwrap_err();
        assert_eq!(
            failure.message,
            "row 0 is a vector of zeros, which has no cosine distance: drop it, or use euclidean"
        );
    }
}
