//! What encoders count while they transform, so that the reader learns of rows and tokens they could not use; and
//! the check that a dense matrix fits the declared memory.

use std::sync::atomic::{AtomicU64, Ordering};

use trailmark_core::contract::Context;
use trailmark_core::{Embeddings, Failure, FailureClass, Matrix};

/// Counters that a shared reference may raise; sums do not depend on the order of calls.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    rows: AtomicU64,
    unknown_rows: AtomicU64,
    tokens: AtomicU64,
    unknown_tokens: AtomicU64,
}

impl Counts {
    /// Notes a row.
    pub(crate) fn row(&self, known: bool) {
        self.rows.fetch_add(1, Ordering::Relaxed);
        self.unknown_rows.fetch_add(u64::from(!known), Ordering::Relaxed);
    }

    /// Notes tokens of a row.
    pub(crate) fn tokens(&self, all: usize, unknown: usize) {
        self.tokens.fetch_add(all as u64, Ordering::Relaxed);
        self.unknown_tokens.fetch_add(unknown as u64, Ordering::Relaxed);
    }

    /// What there is to tell where tokens are known from training.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings_of("training knows", "tokens", "the training vocabulary")
    }

    /// What there is to tell: samples that hold nothing `known`, and `units` that are not in `vocabulary`.
    pub(crate) fn warnings_of(&self, known: &str, units: &str, vocabulary: &str) -> Vec<String> {
        let mut warnings = Vec::new();
        let (rows, unknown) = (self.rows.load(Ordering::Relaxed), self.unknown_rows.load(Ordering::Relaxed));
        if unknown > 0 {
            warnings.push(format!("{unknown} of {rows} samples hold nothing that {known}, their vectors are zero"));
        }
        let (tokens, unknown) = (self.tokens.load(Ordering::Relaxed), self.unknown_tokens.load(Ordering::Relaxed));
        if unknown > 0 {
            let percent = 100.0 * unknown as f64 / tokens as f64;
            warnings.push(format!("{unknown} of {tokens} {units} ({percent:.2} %) are not in {vocabulary}"));
        }
        warnings
    }
}

/// Refuses a dense matrix of f32 that would not fit the declared memory.
pub(crate) fn check_dense(
    what: &str,
    rows: usize,
    cols: usize,
    how_to_mend: &str,
    ctx: &Context,
) -> Result<(), Failure> {
    let need = 4 * rows as u64 * cols as u64;
    if need <= ctx.memory_bytes {
        return Ok(());
    }
    Err(Failure::new(
        FailureClass::Oom,
        format!(
            "{rows} {what} x {cols} features need {need} bytes, the limit is {} bytes; {how_to_mend}",
            ctx.memory_bytes
        ),
    ))
}

/// An empty matrix of embeddings, refused when it would not fit the declared memory.
pub(crate) fn dense(rows: usize, cols: usize, how_to_mend: &str, ctx: &Context) -> Result<Matrix<f32>, Failure> {
    check_dense("samples", rows, cols, how_to_mend, ctx)?;
    Ok(Matrix::zeros(rows, cols))
}

/// Embeddings of a matrix that was computed to be finite.
pub(crate) fn embeddings(matrix: Matrix<f32>) -> Result<Embeddings, Failure> {
    Embeddings::new(matrix).map_err(|error| Failure::from_error(FailureClass::Bug, &error))
}
