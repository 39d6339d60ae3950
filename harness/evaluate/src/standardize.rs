//! Post step: zero mean and unit standard deviation on the training rows, or one of the two.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{FittedPost, Post};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, Matrix, ParamKind, ParamSpec, Params, Spec};

use crate::training_columns::{TrainingColumns, require_finite, require_rows, require_width};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "standardize",
    summary: "subtracts the training mean and divides by the training standard deviation; columns that are constant in training become 0",
    reference: "scikit-learn StandardScaler; constant columns differ, see the file",
    revision: 1,
    cost: Cost { time: "n_samples * n_features", memory: "16 * n_features" },
    params: &[
        ParamSpec {
            name: "with_mean",
            summary: "subtract the training mean",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(true),
        },
        ParamSpec {
            name: "with_std",
            summary: "divide by the training standard deviation; columns that are constant in training become 0",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(true),
        },
    ],
};

struct Standardize {
    with_mean: bool,
    with_std: bool,
}

/// Constructor for the catalogue.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Post>, BuildError> {
    let (with_mean, with_std) = (params.flag("with_mean"), params.flag("with_std"));
    if !with_mean && !with_std {
        let message = "standardize does nothing with with_mean = false and with_std = false: leave the step out";
        return Err(BuildError(message.to_owned()));
    }
    Ok(Box::new(Standardize { with_mean, with_std }))
}

/// Shift and factor of each column, (n_features,). The shift is the mean, the factor 1 / sd, with n in the denominator
/// of the variance; what is switched off is 0 and 1.
///
/// A column that is constant in training has no scale. Where columns are scaled, its factor is 0, so it is 0 for every row: no training row
/// speaks for any other scale, and scikit-learn's factor of 1 would let a raw count of a test row outweigh all
/// standardised columns.
struct FittedStandardize {
    columns: Vec<(f64, f64)>,
}

impl Post for Standardize {
    fn fit(&self, train: &Matrix<f32>) -> Result<Box<dyn FittedPost>, Failure> {
        require_rows(SPEC.name, train)?;
        let TrainingColumns { mean, sd } = TrainingColumns::of(train);
        let shift = |mean: f64| if self.with_mean { mean } else { 0.0 };
        let factor = |sd: f64| match (self.with_std, sd == 0.0) {
            (false, _) => 1.0,
            (true, true) => 0.0,
            (true, false) => 1.0 / sd,
        };
        let columns = mean.into_iter().zip(sd).map(|(mean, sd)| (shift(mean), factor(sd))).collect();
        Ok(Box::new(FittedStandardize { columns }))
    }
}

impl FittedPost for FittedStandardize {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32; the quotient is rounded once")]
    fn apply(&self, x: &mut Matrix<f32>) -> Result<(), Failure> {
        require_width(SPEC.name, self.columns.len(), x)?;
        for i in 0..x.rows() {
            for (value, (shift, factor)) in x.row_mut(i).iter_mut().zip(&self.columns) {
                *value = ((f64::from(*value) - shift) * factor) as f32;
            }
        }
        require_finite(SPEC.name, x)
    }
}

#[cfg(test)]
mod tests {
    use trailmark_core::ParamValue;

    use super::*;

    #[test]
    fn a_column_that_is_constant_in_training_is_zero_for_every_row() {
        let train = Matrix::from_rows(&[[0.1_f32, 1.0], [0.1, 3.0], [0.1, 5.0]]).unwrap();
        let fitted = build(&Params::defaults(&SPEC)).unwrap().fit(&train).unwrap();
        let mut x = Matrix::from_rows(&[[0.1_f32, 3.0], [900.0, 3.0]]).unwrap();
        fitted.apply(&mut x).unwrap();
        assert_eq!(x.as_slice(), [0.0; 4]);
    }

    #[test]
    fn a_step_that_does_nothing_is_refused() {
        let off = |name| (name, ParamValue::Flag(false));
        let params = [off("with_mean"), off("with_std")]
            .into_iter()
            .fold(Params::defaults(&SPEC), |params, (name, value)| params.with(name, value));
        let Err(error) = build(&params) else { panic!("built") };
        assert_eq!(
            error.to_string(),
            "standardize does nothing with with_mean = false and with_std = false: leave the step out"
        );
    }
}
