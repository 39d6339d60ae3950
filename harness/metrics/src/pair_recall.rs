//! Pair recall.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::external::External;
use crate::external::has_pairs;
use crate::pairs::Pairs;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "pair_recall",
    summary: "share of pairs in one class that are in one cluster",
    reference: "pair confusion matrix; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: pair_recall };

/// Of the pairs in one class, the share in one cluster. Range [0, 1], higher is better. O(n log n) time.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Errors
/// [`Undefined::Empty`] without samples, [`Undefined::BelowMinPoints`] with one,
/// [`Undefined::ZeroDenominator`] when no two samples share a class.
/// # Reference
/// From scikit-learn's `pair_confusion_matrix`, to 1e-12.
pub fn pair_recall(table: &Contingency) -> Result<f64, Undefined> {
    has_pairs(table)?;
    let pairs = Pairs::of(table);
    match pairs.both + pairs.class_only {
        0 => Err(Undefined::ZeroDenominator),
        together => Ok(pairs.both as f64 / together as f64),
    }
}
