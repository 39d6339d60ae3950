//! Post step: scale every row to length 1.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{FittedPost, Post};
use trailmark_core::{Cost, Failure, Matrix, Params, Spec};

use crate::training_columns::{require_rows, require_width};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "l2",
    summary: "divides every row by its Euclidean length; a row of zeros stays as it is",
    reference: "scikit-learn Normalizer(norm=\"l2\")",
    revision: 1,
    cost: Cost { time: "n_samples * n_features", memory: "none" },
    params: &[],
};

struct L2;

/// Constructor for the catalogue.
pub(crate) fn build(_params: &Params) -> Result<Box<dyn Post>, BuildError> {
    Ok(Box::new(L2))
}

/// Learns nothing but the width.
///
/// A row of zeros has no direction. It is not an error here: a test user with events that no training user had is one
/// in a bag of words, and failing the cell for one user would throw all others away. The row stays 0, at distance 1
/// from every unit vector; [`zero_rows`] counts such rows for a warning, and cosine scores refuse them
/// (`zero_vector`).
struct FittedL2 {
    n_features: usize,
}

impl Post for L2 {
    fn fit(&self, train: &Matrix<f32>) -> Result<Box<dyn FittedPost>, Failure> {
        require_rows(SPEC.name, train)?;
        Ok(Box::new(FittedL2 { n_features: train.cols() }))
    }
}

impl FittedPost for FittedL2 {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32; the quotient is at most 1")]
    fn apply(&self, x: &mut Matrix<f32>) -> Result<(), Failure> {
        require_width(SPEC.name, self.n_features, x)?;
        for i in 0..x.rows() {
            let row = x.row_mut(i);
            // In f64 no square of an f32 overflows or vanishes.
            let length = row.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
            if length > 0.0 {
                row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
            }
        }
        Ok(())
    }
}

/// Number of rows that are all zero: they have no direction, and a reader should know how many there are.
pub fn zero_rows(x: &Matrix<f32>) -> usize {
    x.iter_rows().filter(|row| row.iter().all(|&value| value == 0.0)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_zeros_stays_and_is_counted() {
        let mut x = Matrix::from_rows(&[[3.0_f32, 4.0], [0.0, -0.0]]).unwrap();
        build(&Params::defaults(&SPEC)).unwrap().fit(&x.clone()).unwrap().apply(&mut x).unwrap();
        assert_eq!(x.as_slice(), [0.6, 0.8, 0.0, 0.0]);
        assert_eq!(zero_rows(&x), 1);
    }

    #[test]
    fn rows_at_both_ends_of_f32_become_unit_vectors() {
        let mut x = Matrix::from_rows(&[[3e38_f32, 3e38], [1e-40, 0.0]]).unwrap();
        build(&Params::defaults(&SPEC)).unwrap().fit(&x.clone()).unwrap().apply(&mut x).unwrap();
        assert!((x.row(0)[0] - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6);
        assert_eq!(x.row(1), [1.0, 0.0]);
    }
}
