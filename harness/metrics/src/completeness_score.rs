//! Completeness.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::external::External;
use crate::homogeneity_score::homogeneity_score;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "completeness_score",
    summary: "how far classes lie in one cluster only",
    reference: "Rosenberg and Hirschberg 2007, EMNLP; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: completeness_score };

/// Share of the clusters' entropy that the classes explain. Range [0, 1], higher is better. O(n log n) time.
///
/// `1 - H(pred | true) / H(pred)`. One cluster scores 1: read it beside homogeneity.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Degenerate cases
/// One cluster only scores 1.
/// # Errors
/// [`Undefined::Empty`] without samples.
/// # Reference
/// Rosenberg and Hirschberg 2007, EMNLP. Agrees with scikit-learn's `completeness_score` to 1e-12.
pub fn completeness_score(table: &Contingency) -> Result<f64, Undefined> {
    homogeneity_score(&table.transposed())
}
