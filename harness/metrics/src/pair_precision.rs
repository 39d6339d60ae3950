//! Pair precision.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::external::External;
use crate::external::has_pairs;
use crate::pairs::Pairs;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "pair_precision",
    summary: "share of pairs in one cluster that are in one class",
    reference: "pair confusion matrix; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: pair_precision };

/// Of the pairs in one cluster, the share in one class. Range [0, 1], higher is better. O(n log n) time.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Errors
/// [`Undefined::Empty`] without samples, [`Undefined::BelowMinPoints`] with one,
/// [`Undefined::ZeroDenominator`] when no two samples share a cluster.
/// # Reference
/// From scikit-learn's `pair_confusion_matrix`, to 1e-12.
pub fn pair_precision(table: &Contingency) -> Result<f64, Undefined> {
    has_pairs(table)?;
    let pairs = Pairs::of(table);
    match pairs.both + pairs.cluster_only {
        0 => Err(Undefined::ZeroDenominator),
        together => Ok(pairs.both as f64 / together as f64),
    }
}
