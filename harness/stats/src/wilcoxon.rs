//! The Wilcoxon signed-rank test over blocks, exact with ties.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::ranks::SignedRanks;
use crate::reach::smallest_p;
use crate::sample::Sample;

/// Up to this many nonzero differences the null distribution is counted; above, the normal limit with tie
/// correction serves. The count costs O(n^3) additions.
pub const EXACT_RANKS: usize = 300;

/// The question asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// The centre differs from 0.
    TwoSided,
    /// The centre is above 0. Only where it was declared before the data were seen.
    Greater,
}

/// What the test says.
#[derive(Debug, Clone, PartialEq)]
pub struct Wilcoxon {
    /// Number of nonzero differences.
    pub n: usize,
    /// Number of differences dropped because they are 0.
    pub zeros: usize,
    /// Rank sum of positive differences.
    pub w_plus: f64,
    /// Rank sum of negative differences.
    pub w_minus: f64,
    /// The p-value.
    pub p: f64,
    /// The smallest p that n untied blocks can reach under this alternative.
    pub smallest_p: f64,
    /// True when p was counted and not approximated.
    pub exact: bool,
    /// True when every difference is 0: p is 1, because there is nothing to explain.
    pub identical_arms: bool,
}

impl Wilcoxon {
    /// The statistic people print: the smaller rank sum.
    pub fn statistic(&self) -> f64 {
        self.w_plus.min(self.w_minus)
    }
}

/// Signed-rank test of differences symmetric around 0, one difference per independent block.
///
/// Differences are rounded to 1e-12 and zeros dropped (Wilcoxon's own treatment, named `wilcox` in scipy). Ties get
/// midranks, and the null distribution of the rank sum is counted by convolution over exactly those ranks, so p is
/// exact with ties too.
/// # Degenerate cases
/// All differences 0: `identical_arms`, p = 1.
/// # Reference
/// Wilcoxon 1945, Biometrics Bulletin 1. Agrees with scipy's exact and permutation methods.
pub fn wilcoxon(differences: &Sample, alternative: Alternative) -> Wilcoxon {
    let ranks = SignedRanks::of(differences);
    let n = ranks.doubled.len();
    let (plus, minus) = ranks.sums();
    let exact = n <= EXACT_RANKS;
    let p = match (n, exact) {
        (0, _) => 1.0,
        (_, true) => exact_p(&ranks, plus, alternative),
        (_, false) => normal_p(&ranks, plus, alternative),
    };
    let smallest = match alternative {
        Alternative::TwoSided => smallest_p(n),
        Alternative::Greater => smallest_p(n + 1),
    };
    Wilcoxon {
        n,
        zeros: ranks.zeros,
        w_plus: plus as f64 / 2.0,
        w_minus: minus as f64 / 2.0,
        p,
        smallest_p: smallest,
        exact,
        identical_arms: n == 0,
    }
}

/// Both tails of the doubled rank sum under random signs.
fn exact_p(ranks: &SignedRanks, plus: usize, alternative: Alternative) -> f64 {
    let total: usize = ranks.doubled.iter().map(|(rank, _)| rank).sum();
    // Probabilities and not counts: 2^n has no room in any integer, and halving a float is exact.
    let mut probability = vec![0.0; total + 1];
    probability[0] = 1.0;
    let mut reached = 0;
    for &(rank, _) in &ranks.doubled {
        reached += rank;
        for sum in (0..=reached).rev() {
            let with = if sum >= rank { probability[sum - rank] } else { 0.0 };
            probability[sum] = 0.5 * (probability[sum] + with);
        }
    }
    let upper: f64 = probability[plus..].iter().sum();
    match alternative {
        Alternative::Greater => upper.min(1.0),
        Alternative::TwoSided => {
            let lower: f64 = probability[..=plus].iter().sum();
            (2.0 * upper.min(lower)).min(1.0)
        }
    }
}

/// The normal limit with tie correction and without continuity correction.
fn normal_p(ranks: &SignedRanks, plus: usize, alternative: Alternative) -> f64 {
    let n = ranks.doubled.len() as f64;
    let ties: f64 = ranks.ties.iter().map(|&t| t as f64).map(|t| t * t * t - t).sum();
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    let z = (plus as f64 / 2.0 - n * (n + 1.0) / 4.0) / libm::sqrt(variance);
    let normal = Normal::standard();
    match alternative {
        Alternative::Greater => normal.sf(z),
        Alternative::TwoSided => (2.0 * normal.sf(z.abs())).min(1.0),
    }
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;

    #[test]
    fn rank_sums_and_p_agree_with_scipy_also_with_ties_and_zeros() {
        let table = oracle("stats", "wilcoxon");
        for case in &table.case {
            let sample = Sample::new(numbers(case, "differences")).unwrap();
            let two_sided = wilcoxon(&sample, Alternative::TwoSided);
            let greater = wilcoxon(&sample, Alternative::Greater);
            table.assert_close("W", two_sided.statistic(), number(case, "statistic"));
            table.assert_close("W+", greater.w_plus, number(case, "w_plus"));
            table.assert_close("two-sided p", two_sided.p, number(case, "p_two_sided"));
            table.assert_close("greater p", greater.p, number(case, "p_greater"));
            assert_eq!(two_sided.exact, two_sided.n <= EXACT_RANKS);
        }
    }

    #[test]
    fn six_blocks_of_one_sign_reach_the_smallest_p() {
        let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let two_sided = wilcoxon(&sample, Alternative::TwoSided);
        assert_eq!((two_sided.p, two_sided.smallest_p), (0.03125, 0.03125));
        let greater = wilcoxon(&sample, Alternative::Greater);
        assert_eq!((greater.p, greater.smallest_p), (0.015625, 0.015625));
    }

    #[test]
    fn differences_equal_up_to_rounding_tie() {
        // 0.61 - 0.59 and 0.35 - 0.33 differ in their last bits.
        let computed = Sample::new(vec![0.61 - 0.59, -(0.35 - 0.33), 0.5, 0.7]).unwrap();
        let meant = Sample::new(vec![0.02, -0.02, 0.5, 0.7]).unwrap();
        assert_eq!(wilcoxon(&computed, Alternative::TwoSided), wilcoxon(&meant, Alternative::TwoSided));
    }

    #[test]
    fn arms_that_agree_everywhere_have_p_one() {
        let result = wilcoxon(&Sample::new(vec![0.0; 8]).unwrap(), Alternative::TwoSided);
        assert!(result.identical_arms);
        assert_eq!((result.n, result.zeros, result.p), (0, 8, 1.0));
    }
}
