//! Principal directions of the training vectors: shared by `all_but_the_top`, `pca` and `whiten`.

use trailmark_core::{Cost, Matrix};

use crate::symmetric::eigen;
use crate::training_columns::TrainingColumns;

/// A direction along which training rows vary less than this share of the first one's deviation is rounding.
const NOTHING: f64 = 1e-6;

/// What finding them costs; applying them is less.
pub(crate) const PRINCIPAL_COST: Cost = Cost {
    time: "n_samples * n_features * m + 9 * m^3, where m is the smaller of n_samples and n_features",
    memory: "8 * n_samples * n_features + 24 * m^2",
};

/// Mean, and the directions in which the training rows differ at all, descending by variance.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub(crate) mean: Vec<f64>,            // (n_features,)
    pub(crate) variances: Vec<f64>,       // (rank,), n in the denominator
    pub(crate) directions: Vec<Vec<f64>>, // rank x (n_features,)
}

impl Principal {
    /// From the covariance matrix, or from the inner products of the rows where there are fewer rows than columns. Each
    /// direction has its entry of largest absolute value positive (the first among equals).
    pub(crate) fn of(train: &Matrix<f32>) -> Self {
        let mean = TrainingColumns::of(train).mean;
        let (n, d) = (train.rows(), train.cols());
        let centred: Vec<Vec<f64>> = train.iter_rows().map(|row| centre(row, &mean)).collect();
        let (values, vectors, width) = if d <= n {
            let mut products = vec![0.0; d * d];
            for row in &centred {
                for (i, &value) in row.iter().enumerate() {
                    add_scaled(&mut products[i * d + i..(i + 1) * d], value, &row[i..]);
                }
            }
            mirror(&mut products, d);
            let (values, vectors) = eigen(products, d);
            (values, vectors, d)
        } else {
            let mut products = vec![0.0; n * n];
            for i in 0..n {
                for j in i..n {
                    products[i * n + j] = dot(&centred[i], &centred[j]);
                }
            }
            mirror(&mut products, n);
            let (values, vectors) = eigen(products, n);
            (values, vectors, n)
        };
        let least = NOTHING * NOTHING * values.first().copied().unwrap_or(0.0).max(0.0);
        let mut principal = Self { mean, variances: Vec::new(), directions: Vec::new() };
        for (value, vector) in values.into_iter().zip(vectors.chunks_exact(width.max(1))) {
            if value <= least {
                break;
            }
            let mut direction = if d <= n {
                vector.to_vec()
            } else {
                let mut direction = vec![0.0; d];
                centred.iter().zip(vector).for_each(|(row, &share)| add_scaled(&mut direction, share, row));
                let length = dot(&direction, &direction).sqrt();
                direction.iter_mut().for_each(|value| *value /= length);
                direction
            };
            orient(&mut direction);
            principal.variances.push(value / n as f64);
            principal.directions.push(direction);
        }
        principal
    }

    /// A row less the mean.
    pub(crate) fn centre(&self, row: &[f32]) -> Vec<f64> {
        centre(row, &self.mean)
    }
}

/// The inner product of two rows.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Eight running sums, then their sum: the same order on every processor.
    let mut sums = [0.0_f64; 8];
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_tail.iter().zip(b_tail)) {
        *sum += a * b;
    }
    sums.iter().sum()
}

/// `to += scale * from`.
pub(crate) fn add_scaled(to: &mut [f64], scale: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += scale * from;
    }
}

fn centre(row: &[f32], mean: &[f64]) -> Vec<f64> {
    row.iter().zip(mean).map(|(&value, mean)| f64::from(value) - mean).collect()
}

fn mirror(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            a[i * n + j] = a[j * n + i];
        }
    }
}

fn orient(direction: &mut [f64]) {
    let mut largest = 0.0_f64;
    for &value in direction.iter() {
        // Entries that differ by rounding only count as equal, so that the sign does not hang on the last bit.
        if value.abs() > largest.abs() * (1.0 + 1e-9) {
            largest = value;
        }
    }
    if largest < 0.0 {
        direction.iter_mut().for_each(|value| *value = -*value);
    }
}
