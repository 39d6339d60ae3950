//! The effect size beside the signed-rank test.

use crate::ranks::SignedRanks;
use crate::sample::Sample;

/// Matched-pairs rank-biserial correlation: (W+ - W-) / (W+ + W-), in [-1, 1]. Zeros are dropped as in the test; none
/// when all differences are 0.
/// # Reference
/// Kerby 2014, Comprehensive Psychology 3.
pub fn rank_biserial(differences: &Sample) -> Option<f64> {
    let (plus, minus) = SignedRanks::of(differences).sums();
    let total = (plus + minus) as f64;
    (total > 0.0).then(|| (plus as f64 - minus as f64) / total)
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;

    #[test]
    fn the_correlation_agrees_with_the_oracle() {
        let table = oracle("stats", "effects");
        for case in &table.case {
            let sample = Sample::new(numbers(case, "differences")).unwrap();
            table.assert_close("rank biserial", rank_biserial(&sample).unwrap(), number(case, "rank_biserial"));
        }
    }

    #[test]
    fn differences_that_are_all_zero_have_none() {
        assert_eq!(rank_biserial(&Sample::new(vec![0.0, 0.0]).unwrap()), None);
    }
}
