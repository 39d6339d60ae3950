//! The 95 % interval of a mean difference over cross-validation folds.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Corrected resampled t interval (Nadeau and Bengio 2003): folds share training users, so the variance of the mean is
/// inflated by the ratio of test to training size, `1 / (folds - 1)`. None with fewer than two differences or folds.
pub(crate) fn corrected_resampled_t(differences: &[f64], folds: usize) -> Option<(f64, f64)> {
    let n = differences.len();
    if n < 2 || folds < 2 {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / n as f64;
    let variance = differences.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / (n - 1) as f64;
    let standard_error = ((1.0 / n as f64 + 1.0 / (folds - 1) as f64) * variance).sqrt();
    let t = StudentsT::new(0.0, 1.0, (n - 1) as f64).ok()?.inverse_cdf(0.975);
    Some((mean - t * standard_error, mean + t * standard_error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_wider_than_that_of_independent_folds() {
        // mean 0.3, sd 0.158113883; se = sqrt((1/5 + 1/4) * 0.025) = 0.106066017; t(4, 0.975) = 2.776445105.
        let (low, high) = corrected_resampled_t(&[0.1, 0.2, 0.3, 0.4, 0.5], 5).unwrap();
        assert!((low - 0.005_513_525_6).abs() < 1e-8, "{low}");
        assert!((high - 0.594_486_474_4).abs() < 1e-8, "{high}");
    }

    #[test]
    fn one_fold_gives_no_interval() {
        assert_eq!(corrected_resampled_t(&[0.1], 5), None);
        assert_eq!(corrected_resampled_t(&[0.1, 0.2], 1), None);
    }
}
