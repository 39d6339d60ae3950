//! Pair F1.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::external::External;
use crate::external::has_pairs;
use crate::pairs::Pairs;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "pair_f1",
    summary: "harmonic mean of pair precision and pair recall",
    reference: "pair confusion matrix; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: pair_f1 };

/// `2 TP / (2 TP + FP + FN)` over pairs of samples. Range [0, 1], higher is better. O(n log n) time.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Errors
/// [`Undefined::Empty`] without samples, [`Undefined::BelowMinPoints`] with one,
/// [`Undefined::ZeroDenominator`] when no two samples share a class or a cluster.
/// # Reference
/// From scikit-learn's `pair_confusion_matrix`, to 1e-12.
pub fn pair_f1(table: &Contingency) -> Result<f64, Undefined> {
    has_pairs(table)?;
    let pairs = Pairs::of(table);
    let doubled = 2.0 * pairs.both as f64;
    let denominator = doubled + pairs.cluster_only as f64 + pairs.class_only as f64;
    if denominator == 0.0 { Err(Undefined::ZeroDenominator) } else { Ok(doubled / denominator) }
}
