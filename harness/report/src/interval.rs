//! The 95 % interval of a mean difference over cross-validation folds.

use trailmark_stats::{Sample, corrected_resampled_t as corrected};

/// Corrected resampled t interval over equal folds: each tests `1 / (folds - 1)` of what it trains on. None with fewer
/// than two differences or folds.
pub(crate) fn corrected_resampled_t(differences: &[f64], folds: usize) -> Option<(f64, f64)> {
    if folds < 2 {
        return None;
    }
    let sample = Sample::new(differences.to_vec()).ok()?;
    let ratios = vec![1.0 / (folds - 1) as f64; differences.len()];
    Some(corrected(&sample, &ratios, 0.95).ok()?.interval)
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
