//! Post step: subtract the mean of the training rows.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{FittedPost, Post};
use trailmark_core::{Cost, Failure, Matrix, Params, Spec};

use crate::training_columns::{TrainingColumns, require_finite, require_rows, require_width};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "center",
    summary: "subtracts the mean of the training rows from every column",
    reference: "Su et al. 2021, arXiv 2103.15316; scikit-learn StandardScaler(with_std=False)",
    revision: 1,
    cost: Cost { time: "n_samples * n_features", memory: "16 * n_features" },
    params: &[],
};

struct Center;

/// Constructor for the catalogue.
pub(crate) fn build(_params: &Params) -> Result<Box<dyn Post>, BuildError> {
    Ok(Box::new(Center))
}

struct FittedCenter {
    mean: Vec<f64>, // (n_features,)
}

impl Post for Center {
    fn fit(&self, train: &Matrix<f32>) -> Result<Box<dyn FittedPost>, Failure> {
        require_rows(SPEC.name, train)?;
        Ok(Box::new(FittedCenter { mean: TrainingColumns::of(train).mean }))
    }
}

impl FittedPost for FittedCenter {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32; the difference is rounded once")]
    fn apply(&self, x: &mut Matrix<f32>) -> Result<(), Failure> {
        require_width(SPEC.name, self.mean.len(), x)?;
        for i in 0..x.rows() {
            for (value, mean) in x.row_mut(i).iter_mut().zip(&self.mean) {
                *value = (f64::from(*value) - mean) as f32;
            }
        }
        require_finite(SPEC.name, x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_leaves_the_range_of_f32_is_named() {
        let train = Matrix::from_rows(&[[-3e38_f32], [-3e38]]).unwrap();
        let fitted = build(&Params::defaults(&SPEC)).unwrap().fit(&train).unwrap();
        let failure = fitted.apply(&mut Matrix::from_rows(&[[0.0_f32], [3e38]]).unwrap()).unwrap_err();
        assert_eq!(failure.message, "center gives inf at row 1, column 0: the vectors are too large for it");
    }
}
