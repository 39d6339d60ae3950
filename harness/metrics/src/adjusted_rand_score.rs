//! Adjusted Rand index.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::external::External;
use crate::external::has_pairs;
use crate::pairs::Pairs;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "adjusted_rand_score",
    summary: "pairs grouped alike, corrected for chance (ARI)",
    reference: "Hubert and Arabie 1985, J. Classification 2; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: adjusted_rand_score };

/// Agreement of pairs, corrected for chance under fixed sizes. Range [-1/2, 1], higher is better. O(n log n) time.
///
/// `2 (ad - bc) / ((a + b)(b + d) + (a + c)(c + d))` over the counts of pairs, in 128 bits.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Degenerate cases
/// Identical partitions score 1, even one cluster or all singletons; where only one side is that trivial, 0.
/// # Errors
/// [`Undefined::Empty`] without samples, [`Undefined::BelowMinPoints`] with one.
/// # Reference
/// Hubert and Arabie 1985, J. Classification 2. Agrees with scikit-learn's `adjusted_rand_score` to 1e-12.
pub fn adjusted_rand_score(table: &Contingency) -> Result<f64, Undefined> {
    has_pairs(table)?;
    if table.identical() {
        return Ok(1.0);
    }
    let pairs = Pairs::of(table);
    let [both, cluster, class, neither] =
        [pairs.both, pairs.cluster_only, pairs.class_only, pairs.neither].map(i128::from);
    let numerator = 2 * (both * neither - cluster * class);
    let denominator = (both + cluster) * (cluster + neither) + (both + class) * (class + neither);
    Ok(numerator as f64 / denominator as f64)
}
