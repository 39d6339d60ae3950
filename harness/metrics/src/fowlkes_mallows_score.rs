//! Fowlkes-Mallows index.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::external::External;
use crate::external::has_pairs;
use crate::pairs::Pairs;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "fowlkes_mallows_score",
    summary: "geometric mean of pair precision and pair recall",
    reference: "Fowlkes and Mallows 1983, JASA 78; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: fowlkes_mallows_score };

/// `TP / sqrt((TP + FP)(TP + FN))` over pairs of samples. Range [0, 1], higher is better. O(n log n) time.
///
/// Not corrected for chance: one cluster scores well above 0.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Errors
/// [`Undefined::Empty`] without samples, [`Undefined::BelowMinPoints`] with one,
/// [`Undefined::ZeroDenominator`] when no two samples share a class, or none a cluster (scikit-learn says 0).
/// # Reference
/// Fowlkes and Mallows 1983, JASA 78. Agrees with scikit-learn's `fowlkes_mallows_score` to 1e-12 elsewhere.
pub fn fowlkes_mallows_score(table: &Contingency) -> Result<f64, Undefined> {
    has_pairs(table)?;
    let pairs = Pairs::of(table);
    let (cluster, class) = (pairs.both + pairs.cluster_only, pairs.both + pairs.class_only);
    if cluster == 0 || class == 0 {
        return Err(Undefined::ZeroDenominator);
    }
    Ok((pairs.both as f64 / cluster as f64).sqrt() * (pairs.both as f64 / class as f64).sqrt())
}
