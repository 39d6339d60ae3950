//! The paired bootstrap of a mean difference: users are drawn with replacement, both scores of a user together.

use statrs::distribution::{ContinuousCDF, Normal};
use thiserror::Error;

use crate::draws::below;
use crate::sample::Sample;

/// The fewest resamples whose 2.5 % tails hold enough draws to be an end of an interval.
pub const MIN_RESAMPLES: usize = 1000;

/// Arguments that make no interval.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum BootstrapError {
    /// Too few resamples.
    #[error("a bootstrap interval needs at least {MIN_RESAMPLES} resamples, got {0}")]
    Resamples(usize),
    /// A coverage that no interval has.
    #[error("an interval's level must be between 0 and 1, got {0}")]
    Level(f64),
}

/// How the ends were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootstrapMethod {
    /// Bias-corrected and accelerated.
    Bca,
    /// Plain percentiles, where the correction does not exist: every resample lies on one side of the mean.
    Percentile,
    /// All differences are equal, so is every resample: the interval is a point.
    Constant,
}

impl BootstrapMethod {
    /// The short name for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bca => "BCa",
            Self::Percentile => "percentile",
            Self::Constant => "constant",
        }
    }
}

/// An interval of the mean difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    /// Mean difference of the sample.
    pub mean: f64,
    /// Lower and upper end.
    pub interval: (f64, f64),
    /// Coverage aimed at.
    pub level: f64,
    /// Number of resamples.
    pub resamples: usize,
    /// How the ends were found.
    pub method: BootstrapMethod,
    /// z0, the bias correction; 0 unless the method is BCa.
    pub bias_correction: f64,
    /// a, the acceleration of the jackknife; 0 unless the method is BCa.
    pub acceleration: f64,
}

/// BCa interval of the mean of `differences`, one difference per independent unit.
///
/// Each resample draws n indices by `next` (64 fresh bits a call) and means the differences in that order. The ends
/// are linear percentiles of the resampled means at levels corrected for bias (share of means below the observed
/// one, ties half) and skewness (jackknife acceleration). O(resamples * n) time.
/// # Degenerate cases
/// Equal differences: a point. Every resample on one side of the mean: plain percentiles, named in `method`.
/// # Errors
/// [`BootstrapError`] below [`MIN_RESAMPLES`] and for a level outside (0, 1).
/// # Reference
/// Efron, Tibshirani 1993, An Introduction to the Bootstrap, 14.3. Agrees with scipy's BCa on the same resamples.
pub fn paired_bootstrap(
    differences: &Sample,
    resamples: usize,
    level: f64,
    next: &mut dyn FnMut() -> u64,
) -> Result<Bootstrap, BootstrapError> {
    if resamples < MIN_RESAMPLES {
        return Err(BootstrapError::Resamples(resamples));
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(BootstrapError::Level(level));
    }
    let mean = differences.mean();
    let point = |method, interval, z0, a| Bootstrap {
        mean,
        interval,
        level,
        resamples,
        method,
        bias_correction: z0,
        acceleration: a,
    };
    if differences.is_constant() {
        return Ok(point(BootstrapMethod::Constant, (mean, mean), 0.0, 0.0));
    }
    let values = differences.values();
    let n = values.len();
    let mut means: Vec<f64> =
        (0..resamples).map(|_| (0..n).map(|_| values[below(n, next)]).sum::<f64>() / n as f64).collect();
    means.sort_unstable_by(f64::total_cmp);

    let tail = (1.0 - level) / 2.0;
    let less = means.partition_point(|&m| m < mean);
    let less_or_equal = means.partition_point(|&m| m <= mean);
    let below_mean = (less + less_or_equal) as f64 / (2 * resamples) as f64;
    let acceleration = jackknife_acceleration(differences);
    let normal = Normal::standard();
    let z0 = normal.inverse_cdf(below_mean);
    let corrected = |z: f64| {
        let shifted = z0 + z;
        let scale = 1.0 - acceleration * shifted;
        (z0.is_finite() && scale > 0.0).then(|| normal.cdf(z0 + shifted / scale))
    };
    let z = normal.inverse_cdf(tail);
    Ok(match (corrected(z), corrected(-z)) {
        (Some(low), Some(high)) => {
            point(BootstrapMethod::Bca, (percentile(&means, low), percentile(&means, high)), z0, acceleration)
        }
        _ => {
            let interval = (percentile(&means, tail), percentile(&means, 1.0 - tail));
            point(BootstrapMethod::Percentile, interval, 0.0, 0.0)
        }
    })
}

/// Acceleration of the mean. Leaving out value i moves the mean by `(mean - x_i) / (n - 1)`, so the jackknife needs
/// no second pass over subsets: a = sum(c^3) / (6 * sum(c^2)^1.5) with c the centred values.
fn jackknife_acceleration(differences: &Sample) -> f64 {
    let mean = differences.mean();
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in differences.values() {
        let centred = value - mean;
        squares += centred * centred;
        cubes += centred * centred * centred;
    }
    cubes / (6.0 * squares * libm::sqrt(squares))
}

/// Linear percentile of sorted values, as numpy's default.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let low = (at.floor() as usize).min(sorted.len() - 1);
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64)
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;
    use crate::draws::tests::splitmix;

    #[test]
    fn the_interval_agrees_with_scipy_on_the_same_resamples() {
        let table = oracle("stats", "bootstrap");
        for case in &table.case {
            let sample = Sample::new(numbers(case, "differences")).unwrap();
            let mut next = splitmix(number(case, "seed") as u64);
            let resamples = number(case, "resamples") as usize;
            let result = paired_bootstrap(&sample, resamples, number(case, "level"), &mut next).unwrap();
            assert_eq!(result.method, BootstrapMethod::Bca);
            table.assert_close("bias correction", result.bias_correction, number(case, "z0"));
            table.assert_close("acceleration", result.acceleration, number(case, "acceleration"));
            table.assert_close("low", result.interval.0, number(case, "low"));
            table.assert_close("high", result.interval.1, number(case, "high"));
        }
    }

    #[test]
    fn equal_differences_give_a_point_and_draw_nothing() {
        let sample = Sample::new(vec![0.25; 40]).unwrap();
        let result = paired_bootstrap(&sample, 1000, 0.95, &mut || panic!("a draw")).unwrap();
        assert_eq!((result.interval, result.method), ((0.25, 0.25), BootstrapMethod::Constant));
    }

    #[test]
    fn a_mean_outside_all_resamples_falls_back_to_percentiles_and_says_so() {
        let sample = Sample::new(vec![0.0, 1.0, 2.0]).unwrap();
        let result = paired_bootstrap(&sample, 1000, 0.95, &mut || u64::MAX).unwrap();
        assert_eq!((result.interval, result.method.name()), ((2.0, 2.0), "percentile"));
    }

    #[test]
    fn the_same_draws_give_the_same_interval() {
        let sample = Sample::new((0..40).map(|i| f64::from(i * i % 17)).collect()).unwrap();
        let once = paired_bootstrap(&sample, 1000, 0.95, &mut splitmix(5)).unwrap();
        assert_eq!(once, paired_bootstrap(&sample, 1000, 0.95, &mut splitmix(5)).unwrap());
        assert_ne!(once.interval, paired_bootstrap(&sample, 1000, 0.95, &mut splitmix(6)).unwrap().interval);
    }

    #[test]
    fn too_few_resamples_are_refused_with_the_minimum() {
        let sample = Sample::new(vec![0.0, 1.0]).unwrap();
        let error = paired_bootstrap(&sample, 99, 0.95, &mut splitmix(1)).unwrap_err();
        assert_eq!(error.to_string(), "a bootstrap interval needs at least 1000 resamples, got 99");
    }
}
