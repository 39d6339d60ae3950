//! Counts of pairs of samples, exact.

use crate::contingency::Contingency;

/// Unordered pairs of samples by where they are together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pairs {
    /// In one class and in one cluster.
    pub(crate) both: u64,
    /// In one cluster only.
    pub(crate) cluster_only: u64,
    /// In one class only.
    pub(crate) class_only: u64,
    /// In neither.
    pub(crate) neither: u64,
}

impl Pairs {
    pub(crate) fn of(table: &Contingency) -> Self {
        let both = table.cells().iter().map(|&(_, _, count)| pairs(count)).sum();
        let class: u64 = table.classes().iter().copied().map(pairs).sum();
        let cluster: u64 = table.clusters().iter().copied().map(pairs).sum();
        Self {
            both,
            cluster_only: cluster - both,
            class_only: class - both,
            neither: pairs(table.n()) + both - class - cluster,
        }
    }
}

fn pairs(n: u64) -> u64 {
    if n.is_multiple_of(2) { n / 2 * n.saturating_sub(1) } else { n * (n / 2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Labels;

    #[test]
    fn every_pair_is_counted_once() {
        let table = Contingency::between(&Labels::from_ids([0, 0, 1, 1, 1]), &Labels::from_ids([0, 0, 0, 1, 1]));
        assert_eq!(Pairs::of(&table), Pairs { both: 2, cluster_only: 2, class_only: 2, neither: 4 });
    }
}
