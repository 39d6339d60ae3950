//! The test of paired differences over cross-validation folds: [`trailmark_stats::corrected_resampled_t`] with the sizes
//! that the folds really had.

use std::collections::BTreeMap;

use trailmark_stats::{CorrectedT, Sample, corrected_resampled_t};

/// Coverage of every interval here.
const LEVEL: f64 = 0.95;

/// Corrected resampled t over differences by repeat and fold, with n_test / n_train of the same folds. None with fewer
/// than two differences, or when a fold does not say how many samples it trained on. The interval stands for two folds and
/// more; `p` is an error where no claim may be made.
pub(crate) fn test(
    differences: &BTreeMap<(usize, usize), f64>,
    ratios: &BTreeMap<(usize, usize), f64>,
) -> Option<CorrectedT> {
    let ratios: Vec<f64> = differences.keys().map(|at| ratios.get(at).copied()).collect::<Option<_>>()?;
    let sample = Sample::new(differences.values().copied().collect()).ok()?;
    corrected_resampled_t(&sample, &ratios, LEVEL).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds(values: &[f64]) -> BTreeMap<(usize, usize), f64> {
        values.iter().enumerate().map(|(fold, value)| ((0, fold), *value)).collect()
    }

    #[test]
    fn the_interval_is_wider_than_that_of_independent_folds() {
        // mean 0.3, sd 0.158113883; se = sqrt((1/5 + 1/4) * 0.025) = 0.106066017; t(4, 0.975) = 2.776445105.
        let result = test(&folds(&[0.1, 0.2, 0.3, 0.4, 0.5]), &folds(&[0.25; 5])).unwrap();
        let (low, high) = result.interval;
        assert!((low - 0.005_513_525_6).abs() < 1e-8, "{low}");
        assert!((high - 0.594_486_474_4).abs() < 1e-8, "{high}");
    }

    #[test]
    fn larger_test_folds_make_the_interval_wider() {
        let width = |ratio: f64| {
            let (low, high) = test(&folds(&[0.1, 0.2, 0.3, 0.4, 0.5]), &folds(&[ratio; 5])).unwrap().interval;
            high - low
        };
        assert!(width(1.0) > width(0.25), "a half tested on a half overlaps more than a fifth on the rest");
    }

    #[test]
    fn one_fold_or_an_unknown_size_gives_no_test() {
        assert_eq!(test(&folds(&[0.1]), &folds(&[0.25])), None);
        assert_eq!(test(&folds(&[0.1, 0.2]), &folds(&[0.25])), None);
    }
}
