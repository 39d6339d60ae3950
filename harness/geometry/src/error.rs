//! What cannot be measured.

use thiserror::Error;

/// Why there are no distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GeometryError {
    /// A vector of zeros under cosine distance.
    #[error("row {row} is a vector of zeros, which has no cosine distance: drop it, or use euclidean")]
    ZeroVector {
        /// The first such row.
        row: usize,
    },
}
