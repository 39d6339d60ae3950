//! Normalised mutual information.

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::entropy::{entropy, mutual_information};
use crate::external::External;
use crate::external::not_empty;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "normalized_mutual_info_score",
    summary: "shared information over the average entropy, arithmetic (NMI)",
    reference: "Strehl and Ghosh 2002, JMLR 3; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: normalized_mutual_info_score };

/// Mutual information over the arithmetic mean of the entropies. Range [0, 1], higher is better. O(n log n) time.
///
/// Not corrected for chance: many small clusters score high. Equals the V-measure.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Degenerate cases
/// Identical partitions score 1; where only one side is one cluster, 0.
/// # Errors
/// [`Undefined::Empty`] without samples.
/// # Reference
/// Strehl and Ghosh 2002, JMLR 3. Agrees with scikit-learn's `normalized_mutual_info_score` to 1e-12.
pub fn normalized_mutual_info_score(table: &Contingency) -> Result<f64, Undefined> {
    normalized(table, f64::midpoint)
}

/// The same over the geometric mean of the entropies.
///
/// # Errors
/// [`Undefined::Empty`] without samples.
pub fn normalized_mutual_info_score_geometric(table: &Contingency) -> Result<f64, Undefined> {
    normalized(table, |a, b| (a * b).sqrt())
}

fn normalized(table: &Contingency, average: fn(f64, f64) -> f64) -> Result<f64, Undefined> {
    not_empty(table)?;
    if table.identical() {
        return Ok(1.0);
    }
    let information = mutual_information(table);
    if information == 0.0 {
        return Ok(0.0);
    }
    Ok(information / average(entropy(table.classes()), entropy(table.clusters())))
}
