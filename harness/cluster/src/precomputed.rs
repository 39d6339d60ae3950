//! Distances given instead of vectors: a square table, row `i` the distances of sample `i` to all samples.

use thiserror::Error;
use trailmark_core::contract::Points;
use trailmark_core::{Failure, FailureClass};

/// How far, as a share of the largest distance, the two triangles may differ and the diagonal may be from 0: what is
/// left of products in f32.
const SLACK: f64 = 1e-6;

/// A table that holds no distances.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum PrecomputedError {
    /// Not square.
    #[error(
        "metric = \"precomputed\" takes a square table of distances, got {rows} rows and {cols} columns; give the \
         distances of all samples to all, or vectors with metric = \"euclidean\""
    )]
    NotSquare {
        /// Rows given.
        rows: usize,
        /// Columns given.
        cols: usize,
    },
    /// Below 0.
    #[error("the distance at row {row}, column {column} is {value}; distances are not negative")]
    Negative {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value found.
        value: f64,
    },
    /// A sample away from itself.
    #[error("the distance of sample {row} to itself is {value}; the diagonal must be 0")]
    Diagonal {
        /// Row and column, from 0.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// Two directions, two distances.
    #[error(
        "the table is not symmetric: {upper} at row {row}, column {column}, and {lower} at row {column}, column {row}; \
         give (d + d.T) / 2 if that is meant"
    )]
    Asymmetric {
        /// Row, from 0.
        row: usize,
        /// Column, from 0, above the row's number.
        column: usize,
        /// Value in the upper triangle.
        upper: f64,
        /// Value in the lower triangle.
        lower: f64,
    },
    /// New rows that do not fit.
    #[error(
        "the clusters were fitted on the distances of {n_samples} samples to each other; rows to assign are their \
         distances to these {n_samples}, got {got} columns"
    )]
    Columns {
        /// Samples of the fit.
        n_samples: usize,
        /// Columns given.
        got: usize,
    },
}

impl From<PrecomputedError> for Failure {
    fn from(error: PrecomputedError) -> Self {
        Self::from_error(FailureClass::BadInput, &error)
    }
}

/// The value at a place, exactly.
fn at(table: Points<'_>, row: usize, column: usize) -> f64 {
    match table {
        Points::F32(table) => f64::from(table.row(row)[column]),
        Points::F64(table) => table.row(row)[column],
    }
}

/// The distance at a place; what rounding left below 0 is 0.
pub(crate) fn distance(table: Points<'_>, row: usize, column: usize) -> f64 {
    at(table, row, column).max(0.0)
}

/// Checks a table of finite values: square, symmetric, 0 on the diagonal, nowhere below 0.
///
/// # Errors
/// The first place that is not as it should be.
pub(crate) fn check_distances(table: Points<'_>) -> Result<(), PrecomputedError> {
    let n = table.rows();
    if n != table.cols() {
        return Err(PrecomputedError::NotSquare { rows: n, cols: table.cols() });
    }
    let slack = check_not_negative(table)?;
    for row in 0..n {
        let value = at(table, row, row);
        if value > slack {
            return Err(PrecomputedError::Diagonal { row, value });
        }
        for column in row + 1..n {
            let (upper, lower) = (at(table, row, column), at(table, column, row));
            if (upper - lower).abs() > slack {
                return Err(PrecomputedError::Asymmetric { row, column, upper, lower });
            }
        }
    }
    Ok(())
}

/// Checks distances of new samples to those of the fit.
///
/// # Errors
/// Another number of columns, or a distance below 0.
pub(crate) fn check_new_distances(n_samples: usize, rows: Points<'_>) -> Result<(), PrecomputedError> {
    if rows.rows() > 0 && rows.cols() != n_samples {
        return Err(PrecomputedError::Columns { n_samples, got: rows.cols() });
    }
    check_not_negative(rows).map(|_| ())
}

/// What counts as 0 beside the largest distance; an error when a value is farther below 0 than that.
fn check_not_negative(table: Points<'_>) -> Result<f64, PrecomputedError> {
    let places = || (0..table.rows()).flat_map(|row| (0..table.cols()).map(move |column| (row, column)));
    let slack = SLACK * places().map(|(row, column)| at(table, row, column)).fold(0.0, f64::max);
    for (row, column) in places() {
        let value = at(table, row, column);
        if value < -slack {
            return Err(PrecomputedError::Negative { row, column, value });
        }
    }
    Ok(slack)
}

/// The upper triangle of the chosen samples, row by row.
pub(crate) fn condensed(table: Points<'_>, samples: &[usize]) -> Vec<f64> {
    let mut condensed = Vec::with_capacity(samples.len() * samples.len().saturating_sub(1) / 2);
    for (at_row, &row) in samples.iter().enumerate() {
        condensed.extend(samples[at_row + 1..].iter().map(|&column| distance(table, row, column)));
    }
    condensed
}
