//! Student's t: two-sided p and critical value, over the regularised incomplete beta function.

use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};
use statrs::function::beta::beta_reg;

/// `P(|T| >= |t|)` with `df` degrees of freedom. The beta form keeps its digits in the tail, where 1 - cdf loses them.
pub(crate) fn two_sided_p(t: f64, df: f64) -> f64 {
    let square = t * t;
    if square.is_infinite() { 0.0 } else { beta_reg(df / 2.0, 0.5, df / (df + square)) }
}

/// The t with `P(|T| < t) = level`.
pub(crate) fn critical(level: f64, df: f64) -> f64 {
    let distribution = StudentsT::new(0.0, 1.0, df).expect("degrees of freedom are at least 1");
    let mut t = distribution.inverse_cdf(0.5 + level / 2.0);
    // The library's inverse is good to about 1e-10; two Newton steps on the p-value above make the two agree.
    for _ in 0..2 {
        let slope = 2.0 * distribution.pdf(t);
        if slope > 0.0 {
            t += (two_sided_p(t, df) - (1.0 - level)) / slope;
        }
    }
    t
}
