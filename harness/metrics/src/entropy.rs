//! Entropies of a contingency table, in nats, and the mutual information expected by chance.

use std::collections::BTreeMap;

use crate::contingency::Contingency;

/// Entropy of a labelling with groups of these sizes.
pub(crate) fn entropy(sizes: &[u64]) -> f64 {
    let n = sizes.iter().sum::<u64>() as f64;
    // `+ 0.0` turns the -0 of one group into 0.
    -sizes.iter().filter(|&&size| size > 0).map(|&size| size as f64 / n * (size as f64 / n).ln()).sum::<f64>() + 0.0
}

/// Entropy of the class when the cluster is known: exactly 0 when every cluster holds one class.
pub(crate) fn conditional_entropy(table: &Contingency) -> f64 {
    let n = table.n() as f64;
    let terms = table.cells().iter().map(|&(_, cluster, count)| {
        let count = count as f64;
        count / n * (count / table.clusters()[cluster] as f64).ln()
    });
    -terms.sum::<f64>() + 0.0
}

/// Mutual information of class and cluster, never negative.
pub(crate) fn mutual_information(table: &Contingency) -> f64 {
    (entropy(table.classes()) - conditional_entropy(table)).max(0.0)
}

/// Mutual information expected when both labellings keep their sizes and are otherwise random (Vinh, Epps, Bailey
/// 2010).
///
/// The overlap of a class of `a` and a cluster of `b` samples is hypergeometric. Its weights come from the ratio of
/// neighbours, outwards from the most likely overlap until they vanish, and are normed by their own sum: no factorial
/// is needed, no precision lost, and the work is the width of the distribution rather than its range. Equal pairs of
/// sizes are computed once.
pub(crate) fn expected_mutual_information(classes: &[u64], clusters: &[u64]) -> f64 {
    let n = classes.iter().sum::<u64>();
    let (classes, clusters) = (tally(classes), tally(clusters));
    let mut expected = 0.0;
    for (&a, &times_a) in &classes {
        for (&b, &times_b) in &clusters {
            expected += (times_a * times_b) as f64 * expected_of_cell(n, a, b);
        }
    }
    expected
}

fn tally(sizes: &[u64]) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    for &size in sizes {
        *counts.entry(size).or_default() += 1;
    }
    counts
}

/// Expectation of `k / n * ln(n k / (a b))` over overlaps `k` of `a` and `b` samples out of `n`.
fn expected_of_cell(n: u64, a: u64, b: u64) -> f64 {
    const VANISHED: f64 = 1e-25;
    let (low, high) = ((a + b).saturating_sub(n), a.min(b));
    let mode = u64::try_from(u128::from(a + 1) * u128::from(b + 1) / u128::from(n + 2)).unwrap_or(high);
    let mode = mode.clamp(low, high);
    let scale = (n as f64).ln() - (a as f64).ln() - (b as f64).ln();
    let term = |k: u64| if k == 0 { 0.0 } else { k as f64 / n as f64 * ((k as f64).ln() + scale) };

    let (mut weights, mut sum) = (1.0, term(mode));
    let mut weight = 1.0;
    for k in mode..high {
        weight *= (a - k) as f64 * (b - k) as f64 / ((k + 1) as f64 * (n + k + 1 - a - b) as f64);
        if weight < VANISHED {
            break;
        }
        weights += weight;
        sum += weight * term(k + 1);
    }
    weight = 1.0;
    for k in (low + 1..=mode).rev() {
        weight *= k as f64 * (n + k - a - b) as f64 / ((a - k + 1) as f64 * (b - k + 1) as f64);
        if weight < VANISHED {
            break;
        }
        weights += weight;
        sum += weight * term(k - 1);
    }
    sum / weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expectation_of_a_cell_is_that_of_the_definition() {
        // 5 samples, class of 2, cluster of 3: overlaps 0, 1, 2 with weights 1, 6, 3 of 10.
        let expected = 0.6 * 0.2 * (5.0_f64 / 6.0).ln() + 0.3 * 0.4 * (10.0_f64 / 6.0).ln();
        assert!((expected_of_cell(5, 2, 3) - expected).abs() < 1e-15);
    }

    #[test]
    fn knowing_the_cluster_of_a_pure_partition_leaves_no_entropy_at_all() {
        use trailmark_core::Labels;
        let table = Contingency::between(&Labels::from_ids([0, 0, 1]), &Labels::from_ids([2, 2, 5]));
        assert_eq!(conditional_entropy(&table), 0.0);
        assert_eq!(mutual_information(&table), entropy(&[2, 1]));
    }
}
