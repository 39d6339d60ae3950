//! Adjusted mutual information.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::entropy::{entropy, expected_mutual_information, mutual_information};
use crate::external::External;
use crate::external::has_pairs;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "adjusted_mutual_info_score",
    summary: "shared information, corrected for chance, arithmetic average (AMI)",
    reference: "Vinh, Epps, Bailey 2010, JMLR 11; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples + n_samples * n_clusters * n_classes at worst", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: adjusted_mutual_info_score };

/// Mutual information, corrected for chance under fixed sizes. At most 1, higher is better.
///
/// `(MI - E[MI]) / (mean(H(true), H(pred)) - E[MI])`, arithmetic mean. O(n log n) time plus, for every pair of different
/// sizes, the width of the distribution of their overlap.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Degenerate cases
/// Identical partitions score 1, even one cluster or all singletons; where only one side is that trivial, 0.
/// # Errors
/// [`Undefined::Empty`] without samples, [`Undefined::BelowMinPoints`] with one.
/// # Reference
/// Vinh, Epps, Bailey 2010, JMLR 11. Agrees with scikit-learn's `adjusted_mutual_info_score` to 1e-9.
pub fn adjusted_mutual_info_score(table: &Contingency) -> Result<f64, Undefined> {
    has_pairs(table)?;
    if table.identical() {
        return Ok(1.0);
    }
    if table.one_side_trivial() {
        return Ok(0.0);
    }
    let expected = expected_mutual_information(table.classes(), table.clusters());
    let average = f64::midpoint(entropy(table.classes()), entropy(table.clusters()));
    Ok((mutual_information(table) - expected) / (average - expected))
}
