//! Homogeneity.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::entropy::{conditional_entropy, entropy};
use crate::external::External;
use crate::external::not_empty;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "homogeneity_score",
    summary: "how far clusters hold one class only",
    reference: "Rosenberg and Hirschberg 2007, EMNLP; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: homogeneity_score };

/// Share of the classes' entropy that the clusters explain. Range [0, 1], higher is better. O(n log n) time.
///
/// `1 - H(true | pred) / H(true)`. All singletons score 1: read it beside completeness.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Degenerate cases
/// One class only scores 1.
/// # Errors
/// [`Undefined::Empty`] without samples.
/// # Reference
/// Rosenberg and Hirschberg 2007, EMNLP. Agrees with scikit-learn's `homogeneity_score` to 1e-12.
pub fn homogeneity_score(table: &Contingency) -> Result<f64, Undefined> {
    not_empty(table)?;
    if table.classes().len() == 1 {
        return Ok(1.0);
    }
    Ok((1.0 - conditional_entropy(table) / entropy(table.classes())).max(0.0))
}
