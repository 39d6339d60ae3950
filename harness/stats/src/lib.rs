//! Tests, intervals, effects and corrections on paired differences: one file per method, no other crate of this
//! workspace. `evaluate` asks these questions about arms and blocks; here there are only numbers.
//!
//! Every function takes a [`Sample`]: at least two values, all finite. A difference is positive when the second arm
//! is better, and blocks are independent unless the method says otherwise. Draws come in as a function that gives
//! 64 fresh bits, so that the caller owns the seed.

mod bootstrap;
mod cohen_dz;
mod corrected_resampled_t;
mod draws;
mod hodges_lehmann;
mod holm;
mod probability_of_improvement;
mod rank_biserial;
mod ranks;
mod reach;
mod sample;
mod sign_flip;
mod student_t;
mod wilcoxon;

pub use bootstrap::{Bootstrap, BootstrapError, BootstrapMethod, MIN_RESAMPLES, paired_bootstrap};
pub use cohen_dz::{cohen_dz, hedges_g};
pub use corrected_resampled_t::{CorrectedT, CorrectedTError, MIN_FOLDS, NoClaim, corrected_resampled_t};
pub use hodges_lehmann::hodges_lehmann;
pub use holm::{Holm, holm};
pub use probability_of_improvement::probability_of_improvement;
pub use rank_biserial::rank_biserial;
pub use reach::{TooFewBlocks, min_blocks, require_blocks, smallest_p};
pub use sample::{Sample, SampleError};
pub use sign_flip::{EXACT_BLOCKS, SignFlip, sign_flip};
pub use wilcoxon::{Alternative, EXACT_RANKS, Wilcoxon, wilcoxon};

#[cfg(test)]
mod calibration;
