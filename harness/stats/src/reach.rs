//! What a design can show at all: with n blocks no sign or signed-rank test goes below 2^(1 - n), whatever the data.

use thiserror::Error;

/// A test over too few blocks to reach its level.
#[derive(Debug, Clone, PartialEq, Error)]
#[error(
    "{test} over {got} {unit}{} cannot show p < {alpha}: its smallest two-sided p is {smallest}; it needs at least {minimum} {unit}s",
    if *.got == 1 { "" } else { "s" }
)]
pub struct TooFewBlocks {
    /// The test.
    pub test: &'static str,
    /// What a block is: `dataset`.
    pub unit: &'static str,
    /// Blocks there are.
    pub got: usize,
    /// Blocks it needs.
    pub minimum: usize,
    /// The level.
    pub alpha: f64,
    /// The smallest p that these blocks can reach.
    pub smallest: f64,
}

/// The smallest two-sided p that a sign-flip or signed-rank test of `n` untied, nonzero differences can reach:
/// 2^(1 - n), and 1 without any.
pub fn smallest_p(n: usize) -> f64 {
    if n == 0 { 1.0 } else { libm::ldexp(1.0, 1 - i32::try_from(n).unwrap_or(i32::MAX)) }
}

/// The fewest blocks with which such a test can go below `alpha`: 6 for 0.05, 8 for 0.01.
///
/// `alpha` must be positive; what is asked of 1074 blocks is asked in vain.
pub fn min_blocks(alpha: f64) -> usize {
    (1..1075).find(|&n| smallest_p(n) < alpha).unwrap_or(1075)
}

/// Refuses a design that cannot reach its level.
///
/// # Errors
/// [`TooFewBlocks`], which prints the minimum and the smallest p in reach.
pub fn require_blocks(test: &'static str, unit: &'static str, got: usize, alpha: f64) -> Result<(), TooFewBlocks> {
    let minimum = min_blocks(alpha);
    if got < minimum {
        return Err(TooFewBlocks { test, unit, got, minimum, alpha, smallest: smallest_p(got) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_blocks_cannot_reach_five_percent_and_six_can() {
        assert_eq!(smallest_p(5), 0.0625, "pub-20");
        assert_eq!(smallest_p(6), 0.03125, "pub-20");
        assert_eq!(min_blocks(0.05), 6);
        assert_eq!(min_blocks(0.01), 8);
    }

    #[test]
    fn a_p_that_only_equals_the_level_does_not_reach_it() {
        assert_eq!(min_blocks(0.0625), 6);
    }

    #[test]
    fn the_refusal_prints_the_minimum_and_the_smallest_p() {
        let error = require_blocks("wilcoxon", "dataset", 5, 0.05).unwrap_err();
        assert_eq!(
            error.to_string(),
            "wilcoxon over 5 datasets cannot show p < 0.05: its smallest two-sided p is 0.0625; it needs at least 6 datasets"
        );
        let one = require_blocks("wilcoxon", "dataset", 1, 0.05).unwrap_err().to_string();
        assert!(
            one.starts_with("wilcoxon over 1 dataset cannot show p < 0.05: its smallest two-sided p is 1;"),
            "{one}"
        );
        assert!(require_blocks("wilcoxon", "dataset", 6, 0.05).is_ok());
    }
}
