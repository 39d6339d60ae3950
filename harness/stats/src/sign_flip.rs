//! The sign-flip randomisation test: if the arms were equal, every user's difference could as well have the other
//! sign.

use crate::reach::smallest_p;
use crate::sample::{Sample, round12};

/// Up to this many nonzero differences all sign patterns are enumerated.
pub const EXACT_BLOCKS: usize = 20;

/// What the test says.
#[derive(Debug, Clone, PartialEq)]
pub struct SignFlip {
    /// Number of nonzero differences; zeros have no sign to flip.
    pub n: usize,
    /// Mean difference, zeros included.
    pub mean: f64,
    /// Two-sided p.
    pub p: f64,
    /// The smallest p this design can reach.
    pub smallest_p: f64,
    /// Number of random patterns; none when all were enumerated.
    pub resamples: Option<usize>,
    /// True when every difference is 0: p is 1, because there is nothing to explain.
    pub identical_arms: bool,
}

/// Two-sided sign-flip test of a mean difference of 0, one difference per independent unit.
///
/// Differences are rounded to 1e-12. The statistic is the absolute sum; patterns that tie with the observed one
/// count as hits. Exact up to [`EXACT_BLOCKS`] nonzero differences; above, `resamples` random patterns from `next`
/// (64 fresh bits a call, one bit a unit) and p = (1 + hits) / (1 + resamples), so p is never 0.
/// # Degenerate cases
/// All differences 0: `identical_arms`, p = 1.
/// # Reference
/// Fisher 1935, The Design of Experiments; Phipson, Smyth 2010 for the 1 in numerator and denominator.
pub fn sign_flip(differences: &Sample, resamples: usize, next: &mut dyn FnMut() -> u64) -> SignFlip {
    let nonzero: Vec<f64> = differences.values().iter().map(|&d| round12(d)).filter(|&d| d != 0.0).collect();
    let n = nonzero.len();
    let mean = differences.mean();
    if n == 0 {
        return SignFlip { n, mean: 0.0, p: 1.0, smallest_p: 1.0, resamples: None, identical_arms: true };
    }
    // Sums of one multiset in another order differ in their last bits: what ties in truth must tie here.
    let tolerance = 1e-12 * nonzero.iter().map(|d| d.abs()).sum::<f64>();
    let bar = nonzero.iter().sum::<f64>().abs() - tolerance;
    if n <= EXACT_BLOCKS {
        let p = exact(&nonzero, bar);
        return SignFlip { n, mean, p, smallest_p: smallest_p(n), resamples: None, identical_arms: false };
    }
    let hits = (0..resamples).filter(|_| flipped_sum(&nonzero, next).abs() >= bar).count();
    let total = (resamples + 1) as f64;
    SignFlip {
        n,
        mean,
        p: (hits + 1) as f64 / total,
        smallest_p: 1.0 / total,
        resamples: Some(resamples),
        identical_arms: false,
    }
}

/// Share of all patterns whose absolute sum reaches the bar. A pattern and its opposite tie, so the first sign is
/// fixed; the rest is split in two halves whose sums are tabulated, which keeps every sum short and exact to the bit.
fn exact(values: &[f64], bar: f64) -> f64 {
    let (low, high) = values[1..].split_at((values.len() - 1) / 2);
    let (low, high) = (all_sums(low), all_sums(high));
    let hits: usize = high.iter().map(|h| low.iter().filter(|&&l| (values[0] + l + h).abs() >= bar).count()).sum();
    hits as f64 / (low.len() * high.len()) as f64
}

/// The sums of all 2^n sign patterns.
fn all_sums(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0];
    for value in values {
        sums = sums.iter().flat_map(|sum| [sum + value, sum - value]).collect();
    }
    sums
}

/// The sum under a random pattern.
fn flipped_sum(values: &[f64], next: &mut dyn FnMut() -> u64) -> f64 {
    let mut sum = 0.0;
    for chunk in values.chunks(64) {
        let mut bits = next();
        for value in chunk {
            sum += f64::from_bits(value.to_bits() ^ (bits << 63));
            bits >>= 1;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;
    use crate::draws::tests::splitmix;

    #[test]
    fn all_patterns_are_counted_up_to_twenty_differences() {
        let table = oracle("stats", "sign_flip");
        for case in &table.case {
            let sample = Sample::new(numbers(case, "differences")).unwrap();
            let result = sign_flip(&sample, 0, &mut || panic!("the exact test draws nothing"));
            assert_eq!(result.resamples, None);
            table.assert_close("p", result.p, number(case, "p"));
        }
    }

    #[test]
    fn random_patterns_come_close_to_the_normal_limit_and_never_give_zero() {
        let differences: Vec<f64> = (0..400).map(|i| f64::from(i % 7) - 2.8).collect();
        let sample = Sample::new(differences.clone()).unwrap();
        let result = sign_flip(&sample, 9999, &mut splitmix(3));
        let squares: f64 = differences.iter().map(|d| d * d).sum();
        let z = differences.iter().sum::<f64>().abs() / squares.sqrt();
        let limit = libm::erfc(z / std::f64::consts::SQRT_2);
        let se = (limit * (1.0 - limit) / 9999.0).sqrt();
        assert!((result.p - limit).abs() < 4.0 * se + 0.005, "{} against {limit}", result.p);

        let clear = Sample::new(vec![1.0; 100]).unwrap();
        let result = sign_flip(&clear, 9999, &mut splitmix(3));
        assert_eq!((result.p, result.smallest_p), (1e-4, 1e-4));
    }

    #[test]
    fn zeros_cannot_make_a_difference_significant() {
        let mut values = vec![1.0; 5];
        values.extend([0.0; 50]);
        let result = sign_flip(&Sample::new(values).unwrap(), 9999, &mut splitmix(3));
        assert_eq!((result.n, result.p, result.smallest_p), (5, 0.0625, 0.0625));
    }

    #[test]
    fn arms_that_agree_everywhere_have_p_one() {
        let result = sign_flip(&Sample::new(vec![0.0, 1e-16, 0.0]).unwrap(), 9999, &mut splitmix(3));
        assert!(result.identical_arms);
        assert_eq!(result.p, 1.0);
    }
}
