//! What clusterers refuse before they start: every message says what, where and how to mend it.

use thiserror::Error;
use trailmark_core::contract::{Context, Points};
use trailmark_core::{Failure, FailureClass};

/// Input that no partition can be made of.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum InputError {
    /// No rows.
    #[error("there is no sample to cluster; check the filters of [sequence] and the number of folds")]
    NoSamples,
    /// No columns.
    #[error("the vectors have no feature; check the encoder's settings")]
    NoFeatures,
    /// More clusters than samples.
    #[error(
        "{n_samples} users cannot make {n_clusters} clusters; lower sweep.n_clusters to at most {n_samples} or bring \
         more users"
    )]
    TooFewSamples {
        /// Samples given.
        n_samples: usize,
        /// Clusters asked for.
        n_clusters: usize,
    },
    /// Zero clusters.
    #[error("n_clusters is 0; ask for at least 1 in sweep.n_clusters")]
    NoClusters,
    /// NaN or infinity.
    #[error("the vectors hold {value} at row {row}, column {column}; mend the encoder's output")]
    NotFinite {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// The value found.
        value: f64,
    },
    /// New rows of another width.
    #[error("the clusters were fitted on {fitted} features, the rows to assign have {got}; encode both alike")]
    Width {
        /// Features of the training rows.
        fitted: usize,
        /// Features of the rows to assign.
        got: usize,
    },
}

/// Refuses a density that the samples cannot have.
pub(crate) fn check_min_samples(name: &str, n_samples: usize, min_samples: usize) -> Result<(), Failure> {
    if min_samples <= n_samples {
        return Ok(());
    }
    Err(Failure::bad_input(format!(
        "{name} with min_samples = {min_samples} needs as many users, there are {n_samples}; lower min_samples or bring \
         more users"
    )))
}

/// Refuses more samples than declared where time grows with their square.
pub(crate) fn check_max_samples(name: &str, n_samples: usize, max_samples: usize) -> Result<(), Failure> {
    if n_samples <= max_samples {
        return Ok(());
    }
    Err(Failure::new(
        FailureClass::Timeout,
        format!(
            "{name} on {n_samples} users compares {} pairs, and max_samples limits it to {max_samples} users ({} pairs); \
             raise max_samples, or take fewer users with sample_users",
            pairs(n_samples),
            pairs(max_samples),
        ),
    ))
}

/// Refuses more samples than declared where all distances are held.
pub(crate) fn check_table(name: &str, n_samples: usize, max_samples: usize, pair_bytes: u64) -> Result<(), Failure> {
    if n_samples <= max_samples {
        return Ok(());
    }
    Err(Failure::new(
        FailureClass::Oom,
        format!(
            "{name} on {n_samples} users needs {} bytes for their distances, and max_samples limits it to {max_samples} \
             users ({} bytes); raise max_samples, or take fewer users with sample_users",
            pair_bytes * pairs(n_samples),
            pair_bytes * pairs(max_samples),
        ),
    ))
}

/// Pairs of samples.
fn pairs(n_samples: usize) -> u64 {
    let n = n_samples as u64;
    n * n.saturating_sub(1) / 2
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::from_error(FailureClass::BadInput, &error)
    }
}

/// Refuses training vectors without rows, without columns or with values that are not finite.
pub(crate) fn check_vectors<'a>(x: impl Into<Points<'a>>) -> Result<(), InputError> {
    let x = x.into();
    if x.rows() == 0 {
        return Err(InputError::NoSamples);
    }
    if x.cols() == 0 {
        return Err(InputError::NoFeatures);
    }
    check_finite(x)
}

/// Refuses values that are not finite.
pub(crate) fn check_finite<'a>(x: impl Into<Points<'a>>) -> Result<(), InputError> {
    match x.into().first_not_finite() {
        Some((row, column, value)) => Err(InputError::NotFinite { row, column, value }),
        None => Ok(()),
    }
}

/// Refuses a number of clusters that the samples cannot make.
pub(crate) fn check_n_clusters(n_samples: usize, n_clusters: usize) -> Result<(), InputError> {
    if n_clusters == 0 {
        Err(InputError::NoClusters)
    } else if n_clusters > n_samples {
        Err(InputError::TooFewSamples { n_samples, n_clusters })
    } else {
        Ok(())
    }
}

/// Refuses rows to assign that do not fit the fitted clusters.
pub(crate) fn check_rows<'a>(fitted: usize, rows: impl Into<Points<'a>>) -> Result<(), InputError> {
    let rows = rows.into();
    if rows.rows() > 0 && rows.cols() != fitted {
        return Err(InputError::Width { fitted, got: rows.cols() });
    }
    check_finite(rows)
}

/// Refuses a step that needs more memory than declared.
pub(crate) fn check_memory(what: &str, need: u64, ctx: &Context) -> Result<(), Failure> {
    if need <= ctx.memory_bytes {
        return Ok(());
    }
    Err(Failure::new(
        FailureClass::Oom,
        format!(
            "{what} needs {need} bytes, the limit is {} bytes; raise --memory or take fewer users",
            ctx.memory_bytes
        ),
    ))
}
