//! Column statistics of the training vectors, and the checks that all post steps share.

use trailmark_core::{Failure, Matrix};

/// Means and standard deviations of the training columns, (n_features,) each, in f64.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainingColumns {
    pub(crate) mean: Vec<f64>,
    pub(crate) sd: Vec<f64>,
}

impl TrainingColumns {
    /// Two passes in row order: means, then squared deviations with n in the denominator, as scikit-learn's scaler.
    /// A constant column has its value as mean and exactly 0 as deviation, with no rounding of a sum in between.
    pub(crate) fn of(train: &Matrix<f32>) -> Self {
        let n = train.rows() as f64;
        let mut mean = vec![0.0; train.cols()];
        for row in train.iter_rows() {
            mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        mean.iter_mut().for_each(|sum| *sum /= n);
        let mut sd = vec![0.0; train.cols()];
        for row in train.iter_rows() {
            for ((sum, mean), &value) in sd.iter_mut().zip(&mean).zip(row) {
                let deviation = f64::from(value) - mean;
                *sum += deviation * deviation;
            }
        }
        sd.iter_mut().for_each(|sum| *sum = (*sum / n).sqrt());
        for (column, (mean, sd)) in mean.iter_mut().zip(&mut sd).enumerate() {
            let first = train.iter_rows().next().map_or(0.0, |row| row[column]);
            if train.iter_rows().all(|row| row[column] == first) {
                (*mean, *sd) = (f64::from(first), 0.0);
            }
        }
        Self { mean, sd }
    }
}

/// Refuses to learn from nothing.
pub(crate) fn require_rows(step: &str, train: &Matrix<f32>) -> Result<(), Failure> {
    if train.rows() == 0 {
        return Err(Failure::bad_input(format!("{step} has no training rows to learn from")));
    }
    Ok(())
}

/// Refuses rows of another width.
pub(crate) fn require_width(step: &str, fitted: usize, x: &Matrix<f32>) -> Result<(), Failure> {
    if x.cols() != fitted {
        let got = x.cols();
        return Err(Failure::bad_input(format!("{step} was fitted on {fitted} features and got rows of {got}")));
    }
    Ok(())
}

/// Refuses results beyond f32: vectors stay finite through every stage.
pub(crate) fn require_finite(step: &str, x: &Matrix<f32>) -> Result<(), Failure> {
    match x.first_not_finite() {
        None => Ok(()),
        Some((row, column, value)) => Err(Failure::bad_input(format!(
            "{step} gives {value} at row {row}, column {column}: the vectors are too large for it"
        ))),
    }
}
