//! What comes out of an encoder: finite vectors, one row per sample.

use thiserror::Error;

use crate::matrix::Matrix;

/// A vector holds NaN or infinity.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("embeddings hold {value} at row {row}, column {column}")]
pub struct NotFinite {
    /// Row, from 0.
    pub row: usize,
    /// Column, from 0.
    pub column: usize,
    /// The value found.
    pub value: f64,
}

/// Embeddings, (n_samples, n_features), every value finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings(Matrix<f32>);

impl Embeddings {
    /// Checks that every value is finite.
    ///
    /// # Errors
    /// [`NotFinite`] with the first offending row and column.
    pub fn new(matrix: Matrix<f32>) -> Result<Self, NotFinite> {
        match matrix.first_not_finite() {
            Some((row, column, value)) => Err(NotFinite { row, column, value }),
            None => Ok(Self(matrix)),
        }
    }

    /// The vectors, (n_samples, n_features).
    pub fn matrix(&self) -> &Matrix<f32> {
        &self.0
    }

    /// Gives the vectors up.
    pub fn into_matrix(self) -> Matrix<f32> {
        self.0
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.0.rows()
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.0.cols()
    }
}
