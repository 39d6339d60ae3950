//! The corrected resampled t-test of Nadeau and Bengio, for scores on overlapping folds.
//!
//! Training sets of a cross-validation overlap, so fold scores are correlated and the plain paired t rejects a true
//! null far too often (the calibration test of this crate shows it). The correction replaces `1 / n` in the variance
//! of the mean by `1 / n + n_test / n_train`.

use thiserror::Error;

use crate::sample::Sample;
use crate::student_t::{critical, two_sided_p};

/// The fewest folds (times repeats) with which the test may claim a difference.
pub const MIN_FOLDS: usize = 5;

/// Arguments that make no test.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CorrectedTError {
    /// Differences and ratios do not belong together.
    #[error("{differences} differences need one n_test / n_train ratio each, got {ratios}")]
    Length {
        /// Number of differences.
        differences: usize,
        /// Number of ratios.
        ratios: usize,
    },
    /// A ratio that no fold has.
    #[error("the n_test / n_train ratio of fold {at} is {value}: it must be finite and not negative")]
    Ratio {
        /// Position, from 0.
        at: usize,
        /// The value.
        value: f64,
    },
    /// A coverage that no interval has.
    #[error("an interval's level must be between 0 and 1, got {0}")]
    Level(f64),
}

/// Why there is an interval and no p-value.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum NoClaim {
    /// Fewer than [`MIN_FOLDS`] folds.
    #[error(
        "corrected_resampled_t needs at least {MIN_FOLDS} folds for a claim, got {got}: with {got} blocks no rank or sign test goes below p = {} either; interval and effect stand",
        crate::reach::smallest_p(*.got)
    )]
    TooFewFolds {
        /// Folds there are.
        got: usize,
    },
    /// The folds differ by the same amount everywhere, so the standard error is 0 and t has no value.
    #[error(
        "all {n} folds differ by the same {value}: the t statistic would divide by zero, and a p of 0 would be an artefact; compare per user"
    )]
    ConstantDifference {
        /// Number of folds.
        n: usize,
        /// The difference.
        value: f64,
    },
}

/// What the test says.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrectedT {
    /// Number of differences.
    pub n: usize,
    /// Mean difference.
    pub mean: f64,
    /// Corrected standard error of the mean.
    pub se: f64,
    /// Degrees of freedom, n - 1.
    pub df: f64,
    /// The statistic; none where the standard error is 0.
    pub t: Option<f64>,
    /// Lower and upper end of the interval of the mean difference.
    pub interval: (f64, f64),
    /// Its coverage.
    pub level: f64,
    /// True when every difference is 0: p is 1, because there is nothing to explain.
    pub identical_arms: bool,
    /// Two-sided p, or why no claim may be made.
    pub p: Result<f64, NoClaim>,
}

/// Corrected resampled t over fold differences. `test_train_ratios` holds n_test / n_train of each fold; the
/// correction uses their mean, so folds of unequal size count as they were.
///
/// `t = mean / sqrt(s^2 * (1 / n + n_test / n_train))` with n - 1 degrees of freedom; ratios of 0 give the plain
/// paired t.
/// # Degenerate cases
/// All differences 0: `identical_arms`, p = 1, interval [0, 0]. All differences equal and not 0: interval
/// [d, d], no t and no p ([`NoClaim::ConstantDifference`]). n of 2 to 4: interval and statistic, no p.
/// # Errors
/// [`CorrectedTError`] for ratios that do not fit and a level outside (0, 1).
/// # Reference
/// Nadeau, Bengio 2003, Machine Learning 52.
pub fn corrected_resampled_t(
    differences: &Sample,
    test_train_ratios: &[f64],
    level: f64,
) -> Result<CorrectedT, CorrectedTError> {
    let n = differences.len();
    if test_train_ratios.len() != n {
        return Err(CorrectedTError::Length { differences: n, ratios: test_train_ratios.len() });
    }
    if let Some((at, &value)) = test_train_ratios.iter().enumerate().find(|(_, r)| !(r.is_finite() && **r >= 0.0)) {
        return Err(CorrectedTError::Ratio { at, value });
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(CorrectedTError::Level(level));
    }
    let df = (n - 1) as f64;
    let mean = differences.mean();
    if differences.is_zero() {
        let (t, se, interval) = (None, 0.0, (0.0, 0.0));
        return Ok(CorrectedT { n, mean: 0.0, se, df, t, interval, level, identical_arms: true, p: Ok(1.0) });
    }
    if differences.is_constant() {
        let (t, se, interval) = (None, 0.0, (mean, mean));
        let p = Err(NoClaim::ConstantDifference { n, value: mean });
        return Ok(CorrectedT { n, mean, se, df, t, interval, level, identical_arms: false, p });
    }
    let ratio = test_train_ratios.iter().sum::<f64>() / n as f64;
    let se = differences.sd() * libm::sqrt(1.0 / n as f64 + ratio);
    let t = mean / se;
    let half = critical(level, df) * se;
    let p = if n < MIN_FOLDS { Err(NoClaim::TooFewFolds { got: n }) } else { Ok(two_sided_p(t, df)) };
    Ok(CorrectedT {
        n,
        mean,
        se,
        df,
        t: Some(t),
        interval: (mean - half, mean + half),
        level,
        identical_arms: false,
        p,
    })
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).unwrap()
    }

    #[test]
    fn t_p_and_interval_agree_with_the_oracle() {
        let table = oracle("stats", "corrected_resampled_t");
        for case in &table.case {
            let differences = sample(&numbers(case, "differences"));
            let ratios = numbers(case, "ratios");
            let result = corrected_resampled_t(&differences, &ratios, number(case, "level")).unwrap();
            table.assert_close("t", result.t.unwrap(), number(case, "t"));
            table.assert_close("low", result.interval.0, number(case, "low"));
            table.assert_close("high", result.interval.1, number(case, "high"));
            assert_eq!(result.df, number(case, "df"));
            if differences.len() >= MIN_FOLDS {
                table.assert_close("p", result.p.unwrap(), number(case, "p"));
            } else {
                assert!(matches!(result.p, Err(NoClaim::TooFewFolds { .. })), "{result:?}");
            }
        }
    }

    #[test]
    fn fewer_than_five_folds_give_an_interval_and_say_why_there_is_no_p() {
        let result = corrected_resampled_t(&sample(&[0.1, 0.2, 0.15]), &[0.5; 3], 0.95).unwrap();
        assert!(result.interval.0 < 0.15 && result.interval.1 > 0.15);
        assert_eq!(
            result.p.unwrap_err().to_string(),
            "corrected_resampled_t needs at least 5 folds for a claim, got 3: with 3 blocks no rank or sign test goes \
             below p = 0.25 either; interval and effect stand"
        );
    }

    #[test]
    fn arms_that_agree_everywhere_have_p_one() {
        let result = corrected_resampled_t(&sample(&[0.0, 1e-15, 0.0]), &[0.5; 3], 0.95).unwrap();
        assert!(result.identical_arms);
        assert_eq!((result.p, result.interval, result.t), (Ok(1.0), (0.0, 0.0), None));
    }

    #[test]
    fn a_constant_difference_has_no_t_and_no_p() {
        let result = corrected_resampled_t(&sample(&[0.25; 6]), &[0.2; 6], 0.95).unwrap();
        assert_eq!((result.interval, result.t), ((0.25, 0.25), None));
        assert_eq!(
            result.p.unwrap_err().to_string(),
            "all 6 folds differ by the same 0.25: the t statistic would divide by zero, and a p of 0 would be an \
             artefact; compare per user"
        );
    }

    #[test]
    fn unequal_folds_use_the_mean_of_their_ratios() {
        let differences = sample(&[0.1, 0.2, 0.15, 0.05, 0.12]);
        let unequal = corrected_resampled_t(&differences, &[0.2, 0.3, 0.25, 0.25, 0.25], 0.95).unwrap();
        let equal = corrected_resampled_t(&differences, &[0.25; 5], 0.95).unwrap();
        assert!((unequal.se - equal.se).abs() < 1e-15);
    }

    #[test]
    fn ratios_and_levels_that_make_no_sense_are_named() {
        let differences = sample(&[0.1, 0.2]);
        let message =
            |ratios: &[f64], level| corrected_resampled_t(&differences, ratios, level).unwrap_err().to_string();
        assert_eq!(message(&[0.25], 0.95), "2 differences need one n_test / n_train ratio each, got 1");
        assert_eq!(
            message(&[0.25, -1.0], 0.95),
            "the n_test / n_train ratio of fold 1 is -1: it must be finite and not negative"
        );
        assert_eq!(message(&[0.25, 0.25], 1.0), "an interval's level must be between 0 and 1, got 1");
    }
}
