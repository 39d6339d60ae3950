//! Standardised mean of paired differences.

use crate::sample::Sample;

/// Cohen's dz: mean difference over the standard deviation of the differences. None when they do not vary.
pub fn cohen_dz(differences: &Sample) -> Option<f64> {
    (!differences.is_constant()).then(|| differences.mean() / differences.sd())
}

/// dz with Hedges' exact small-sample factor `J = gamma(df / 2) / (sqrt(df / 2) * gamma((df - 1) / 2))`, df = n - 1.
/// None when the differences do not vary, and for n = 2, where J does not exist.
pub fn hedges_g(differences: &Sample) -> Option<f64> {
    let df = (differences.len() - 1) as f64;
    if df < 2.0 {
        return None;
    }
    let j = libm::exp(libm::lgamma(df / 2.0) - libm::lgamma((df - 1.0) / 2.0)) / libm::sqrt(df / 2.0);
    cohen_dz(differences).map(|dz| j * dz)
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;

    #[test]
    fn dz_and_its_small_sample_correction_agree_with_the_oracle() {
        let table = oracle("stats", "effects");
        for case in &table.case {
            let sample = Sample::new(numbers(case, "differences")).unwrap();
            table.assert_close("dz", cohen_dz(&sample).unwrap(), number(case, "dz"));
            table.assert_close("g", hedges_g(&sample).unwrap(), number(case, "hedges_g"));
        }
    }

    #[test]
    fn differences_that_do_not_vary_have_no_standardised_mean() {
        let sample = Sample::new(vec![0.61 - 0.59, 0.35 - 0.33, 0.02]).unwrap();
        assert_eq!((cohen_dz(&sample), hedges_g(&sample)), (None, None));
    }

    #[test]
    fn two_differences_have_no_small_sample_factor() {
        assert_eq!(hedges_g(&Sample::new(vec![0.1, 0.3]).unwrap()), None);
    }
}
