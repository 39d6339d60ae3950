//! The training vectors with their mean taken out: products of centred vectors lose no digits to a common offset
//! (columns that hold Unix times, say).

use std::sync::Arc;

use trailmark_core::Matrix;

use crate::kernel::squared_length;

/// Centred vectors with what every pass over them needs.
#[derive(Debug)]
pub(crate) struct Centred {
    /// (n_samples, n_features) vectors minus their mean.
    pub(crate) x: Matrix<f32>,
    /// (n_samples,) squared lengths of the centred vectors.
    pub(crate) squared_lengths: Vec<f64>,
    /// (n_features,) the mean that was taken out.
    pub(crate) mean: Arc<[f64]>,
    /// Mean variance of the columns: what a tolerance is relative to.
    pub(crate) mean_variance: f64,
}

impl Centred {
    /// Takes the mean out. `x` has at least one row.
    pub(crate) fn new(x: &Matrix<f32>) -> Self {
        let mean = column_means(x);
        let centred = subtract(x, &mean);
        let squared_lengths: Vec<f64> = centred.iter_rows().map(squared_length).collect();
        let mean_variance = squared_lengths.iter().sum::<f64>() / (x.rows() as f64 * x.cols() as f64);
        Self { x: centred, squared_lengths, mean: mean.into(), mean_variance }
    }

    /// Number of samples.
    pub(crate) fn n_samples(&self) -> usize {
        self.x.rows()
    }

    /// Number of features.
    pub(crate) fn n_features(&self) -> usize {
        self.x.cols()
    }
}

/// Column means in f64, rows in order.
fn column_means(x: &Matrix<f32>) -> Vec<f64> {
    let mut sums = vec![0.0_f64; x.cols()];
    for row in x.iter_rows() {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
    sums.iter().map(|sum| sum / x.rows() as f64).collect()
}

/// Every row minus `mean`, rounded once.
#[expect(clippy::cast_possible_truncation, reason = "rounding to nearest is meant: the sweep's precision is f32")]
pub(crate) fn subtract(x: &Matrix<f32>, mean: &[f64]) -> Matrix<f32> {
    let mut centred = x.clone();
    for row in 0..centred.rows() {
        for (value, mean) in centred.row_mut(row).iter_mut().zip(mean) {
            *value = (f64::from(*value) - mean) as f32;
        }
    }
    centred
}
