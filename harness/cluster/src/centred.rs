//! The training vectors with their mean taken out: products of centred vectors lose no digits to a common offset
//! (columns that hold Unix times, say).

use std::sync::Arc;

use trailmark_core::Matrix;

use crate::element::Element;
use crate::kernel::squared_length;
use crate::threads::{share_out, worthwhile};
use crate::width::{Width, per_width};

/// Rows that one thread centres at a time.
const ROWS: usize = 1024;

/// Centred vectors with what every pass over them needs.
#[derive(Debug)]
pub(crate) struct Centred<T = f32> {
    /// (n_samples, n_features) vectors minus their mean.
    pub(crate) x: Matrix<T>,
    /// (n_samples,) squared lengths of the centred vectors.
    pub(crate) squared_lengths: Vec<f64>,
    /// (n_features,) the mean that was taken out.
    pub(crate) mean: Arc<[f64]>,
    /// Mean variance of the columns: what a tolerance is relative to.
    pub(crate) mean_variance: f64,
}

impl<T: Element> Centred<T> {
    /// Takes the mean out. `x` has at least one row.
    pub(crate) fn new(x: &Matrix<T>) -> Self {
        Self::on(x, 1)
    }

    /// The same on several threads, to the bit.
    pub(crate) fn on(x: &Matrix<T>, threads: usize) -> Self {
        let threads = worthwhile(threads, x.rows() * x.cols());
        Self::around(x, column_means(x, threads).into(), threads)
    }

    /// Takes another point out than the mean.
    pub(crate) fn around(x: &Matrix<T>, mean: Arc<[f64]>, threads: usize) -> Self {
        let mut centred = Matrix::<T>::zeros(x.rows(), x.cols());
        let mut squared_lengths = vec![0.0_f64; x.rows()];
        let width = Width::detect();
        let parts = x.as_slice().chunks(ROWS * x.cols()).zip(centred.as_mut_slice().chunks_mut(ROWS * x.cols()));
        let parts = parts.zip(squared_lengths.chunks_mut(ROWS)).collect();
        share_out(threads, parts, |((x, out), squared)| centre(width, x, &mean, out, squared));
        let mean_variance = squared_lengths.iter().sum::<f64>() / (x.rows() as f64 * x.cols() as f64);
        Self { x: centred, squared_lengths, mean, mean_variance }
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
fn column_means<T: Element>(x: &Matrix<T>, threads: usize) -> Vec<f64> {
    let mut sums = vec![0.0_f64; x.cols()];
    let (width, each) = (Width::detect(), x.cols().div_ceil(threads).next_multiple_of(16));
    let parts = sums.chunks_mut(each).enumerate().collect();
    share_out(threads, parts, |(part, sums): (usize, &mut [f64])| {
        add_columns(width, x.as_slice(), x.cols(), part * each, sums);
    });
    sums.iter().map(|sum| sum / x.rows() as f64).collect()
}

per_width! {
    /// Adds the columns from `first` on of all rows.
    fn [T: Element] add_columns(x: &[T], n_features: usize, first: usize, sums: &mut [f64]) {
        for row in x.chunks_exact(n_features) {
            for (sum, value) in sums.iter_mut().zip(&row[first..]) {
                *sum += value.to_f64();
            }
        }
    }
}

per_width! {
    /// Every row minus `mean`, rounded once, and its squared length.
    fn [T: Element] centre(x: &[T], mean: &[f64], out: &mut [T], squared_lengths: &mut [f64]) {
        let rows = x.chunks_exact(mean.len()).zip(out.chunks_exact_mut(mean.len()));
        for ((row, out), squared) in rows.zip(squared_lengths) {
            for ((value, mean), out) in row.iter().zip(mean).zip(out.iter_mut()) {
                *out = T::from_f64(value.to_f64() - mean);
            }
            *squared = squared_length(out);
        }
    }
}

/// Every row minus `mean`, rounded once.
pub(crate) fn subtract<T: Element>(x: &Matrix<T>, mean: &[f64]) -> Matrix<T> {
    let mut centred = x.clone();
    for row in 0..centred.rows() {
        for (value, mean) in centred.row_mut(row).iter_mut().zip(mean) {
            *value = T::from_f64(value.to_f64() - mean);
        }
    }
    centred
}
