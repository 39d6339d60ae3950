//! The row-major matrix that every stage passes on. f32 in sweeps (with f64 sums), f64 for plain files and oracles.

use std::fmt::Debug;

use thiserror::Error;

/// A floating point type a [`Matrix`] can hold.
pub trait Real: Copy + Debug + PartialOrd + Send + Sync + 'static {
    /// Widens to f64, exactly.
    fn to_f64(self) -> f64;
    /// Narrows from f64, rounding to nearest.
    fn from_f64(value: f64) -> Self;
}

impl Real for f32 {
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[expect(clippy::cast_possible_truncation, reason = "rounding to nearest is the contract")]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
}

impl Real for f64 {
    fn to_f64(self) -> f64 {
        self
    }
    fn from_f64(value: f64) -> Self {
        value
    }
}

/// The data does not fill the shape.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a {rows} x {cols} matrix needs {} values, got {got}", rows * cols)]
pub struct ShapeError {
    /// Rows asked for.
    pub rows: usize,
    /// Columns asked for.
    pub cols: usize,
    /// Values given.
    pub got: usize,
}

/// A dense row-major matrix, (rows, cols).
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix<T> {
    rows: usize,
    cols: usize,
    data: Vec<T>, // (rows * cols)
}

impl<T: Real> Matrix<T> {
    /// Takes row-major data.
    ///
    /// # Errors
    /// [`ShapeError`] unless `data.len() == rows * cols`.
    pub fn from_vec(rows: usize, cols: usize, data: Vec<T>) -> Result<Self, ShapeError> {
        if rows * cols == data.len() {
            Ok(Self { rows, cols, data })
        } else {
            Err(ShapeError { rows, cols, got: data.len() })
        }
    }

    /// A matrix of zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, data: vec![T::from_f64(0.0); rows * cols] }
    }

    /// Builds a matrix from rows of equal length.
    ///
    /// # Errors
    /// [`ShapeError`] when the rows differ in length.
    pub fn from_rows<R: AsRef<[T]>>(rows: &[R]) -> Result<Self, ShapeError> {
        let cols = rows.first().map_or(0, |row| row.as_ref().len());
        let data: Vec<T> = rows.iter().flat_map(|row| row.as_ref().iter().copied()).collect();
        if rows.iter().any(|row| row.as_ref().len() != cols) {
            return Err(ShapeError { rows: rows.len(), cols, got: data.len() });
        }
        Self::from_vec(rows.len(), cols, data)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// One row, (cols,).
    pub fn row(&self, i: usize) -> &[T] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// One row to write to, (cols,).
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        &mut self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// All rows in order.
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = &[T]> {
        (0..self.rows).map(|i| self.row(i))
    }

    /// The row-major values.
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// The row-major values, to write to.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// Gives the values up.
    pub fn into_vec(self) -> Vec<T> {
        self.data
    }

    /// The chosen rows, in the order given; a row may be taken more than once.
    #[must_use]
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        let mut data = Vec::with_capacity(rows.len() * self.cols);
        for &row in rows {
            data.extend_from_slice(self.row(row));
        }
        Self { rows: rows.len(), cols: self.cols, data }
    }

    /// The same numbers in another precision.
    pub fn cast<U: Real>(&self) -> Matrix<U> {
        Matrix { rows: self.rows, cols: self.cols, data: self.data.iter().map(|&v| U::from_f64(v.to_f64())).collect() }
    }

    /// Row and column of the first value that is NaN or infinite, with the value.
    pub fn first_not_finite(&self) -> Option<(usize, usize, f64)> {
        let at = self.data.iter().position(|v| !v.to_f64().is_finite())?;
        Some((at / self.cols, at % self.cols, self.data[at].to_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_the_data_does_not_fill_is_refused() {
        let error = Matrix::from_vec(2, 3, vec![1.0_f32; 5]).unwrap_err();
        assert_eq!(error.to_string(), "a 2 x 3 matrix needs 6 values, got 5");
        assert!(Matrix::from_rows(&[vec![1.0_f64], vec![1.0, 2.0]]).is_err());
    }

    #[test]
    fn rows_are_selected_in_the_order_given() {
        let x = Matrix::from_vec(3, 2, vec![0.0_f32, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(x.select_rows(&[2, 0]).as_slice(), &[4.0, 5.0, 0.0, 1.0]);
    }

    #[test]
    fn the_first_value_that_is_not_finite_is_located() {
        let x = Matrix::from_vec(2, 2, vec![0.0_f64, 1.0, f64::NAN, 3.0]).unwrap();
        let (row, column, value) = x.first_not_finite().unwrap();
        assert_eq!((row, column), (1, 0));
        assert!(value.is_nan());
    }
}
