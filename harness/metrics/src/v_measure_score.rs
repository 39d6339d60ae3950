//! V-measure.

use trailmark_core::{Cost, Spec, Undefined};

use crate::completeness_score::completeness_score;
use crate::contingency::Contingency;
use crate::external::External;
use crate::homogeneity_score::homogeneity_score;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "v_measure_score",
    summary: "harmonic mean of homogeneity and completeness",
    reference: "Rosenberg and Hirschberg 2007, EMNLP; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: v_measure_score };

/// Harmonic mean of homogeneity and completeness (beta 1). Range [0, 1], higher is better. O(n log n) time.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Degenerate cases
/// Both 0 scores 0.
/// # Errors
/// [`Undefined::Empty`] without samples.
/// # Reference
/// Rosenberg and Hirschberg 2007, EMNLP. Agrees with scikit-learn's `v_measure_score` to 1e-12.
pub fn v_measure_score(table: &Contingency) -> Result<f64, Undefined> {
    let (homogeneity, completeness) = (homogeneity_score(table)?, completeness_score(table)?);
    let sum = homogeneity + completeness;
    Ok(if sum == 0.0 { 0.0 } else { 2.0 * homogeneity * completeness / sum })
}
