//! Rand index.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::external::External;
use crate::external::has_pairs;
use crate::pairs::Pairs;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "rand_score",
    summary: "share of pairs grouped alike; grows with n_clusters",
    reference: "Rand 1971, JASA 66; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: rand_score };

/// Share of pairs that both labellings treat alike. Range [0, 1], higher is better. O(n log n) time.
///
/// Grows with n_clusters through pairs that are apart on both sides: a diagnostic, not a headline.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Errors
/// [`Undefined::Empty`] without samples, [`Undefined::BelowMinPoints`] with one.
/// # Reference
/// Rand 1971, JASA 66. Agrees with scikit-learn's `rand_score` to 1e-12.
pub fn rand_score(table: &Contingency) -> Result<f64, Undefined> {
    has_pairs(table)?;
    let pairs = Pairs::of(table);
    let alike = pairs.both + pairs.neither;
    Ok(alike as f64 / (alike + pairs.cluster_only + pairs.class_only) as f64)
}
