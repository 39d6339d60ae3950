//! Purity.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::external::External;
use crate::external::not_empty;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "purity_score",
    summary: "share of samples in the largest class of their cluster",
    reference: "Manning, Raghavan, Schuetze 2008, ch. 16; scipy",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: purity_score };

/// Sum over clusters of their largest class, over n. Range (0, 1], higher is better. O(n log n) time.
///
/// All singletons score 1: compare only at equal n_clusters.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Errors
/// [`Undefined::Empty`] without samples.
/// # Reference
/// Manning, Raghavan, Schuetze 2008, Introduction to Information Retrieval, ch. 16.
pub fn purity_score(table: &Contingency) -> Result<f64, Undefined> {
    not_empty(table)?;
    let mut largest = vec![0; table.clusters().len()];
    for &(_, cluster, count) in table.cells() {
        largest[cluster] = count.max(largest[cluster]);
    }
    Ok(largest.iter().sum::<u64>() as f64 / table.n() as f64)
}
