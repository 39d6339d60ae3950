//! How often each class meets each cluster: all that external scores know of two labellings.

use std::collections::BTreeMap;

use trailmark_core::Labels;

/// The contingency table of reference classes (rows) and clusters (columns), without its zeros.
///
/// Rows and columns are numbered by first appearance, so the table is the same whatever the names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contingency {
    n: u64,
    classes: Vec<u64>,               // (n_classes,) samples of each
    clusters: Vec<u64>,              // (n_clusters,) samples of each
    cells: Vec<(usize, usize, u64)>, // (class, cluster, samples), ascending, none 0
}

impl Contingency {
    /// The table of reference labels and a partition. Samples without a reference label are left out; every noise
    /// sample of the partition is a cluster of its own.
    ///
    /// # Panics
    /// When the two are not of the same samples: a bug of the caller.
    pub fn new(labels_true: &[Option<u32>], labels_pred: &Labels) -> Self {
        assert_eq!(labels_true.len(), labels_pred.len(), "both labellings are of the same samples");
        let pairs = labels_true.iter().zip(&labels_pred.0).filter(|(class, _)| class.is_some());
        Self::count(pairs)
    }

    /// The table of two partitions; every noise sample of either is a cluster of its own.
    ///
    /// # Panics
    /// When the two are not of the same samples: a bug of the caller.
    pub fn between(labels_true: &Labels, labels_pred: &Labels) -> Self {
        assert_eq!(labels_true.len(), labels_pred.len(), "both labellings are of the same samples");
        Self::count(labels_true.0.iter().zip(&labels_pred.0))
    }

    fn count<'a>(pairs: impl Iterator<Item = (&'a Option<u32>, &'a Option<u32>)>) -> Self {
        let (mut rows, mut columns) = (Numbering::default(), Numbering::default());
        let mut cells: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        let mut n = 0;
        for (class, cluster) in pairs {
            *cells.entry((rows.add(*class), columns.add(*cluster))).or_default() += 1;
            n += 1;
        }
        let cells = cells.into_iter().map(|((class, cluster), count)| (class, cluster, count)).collect();
        Self { n, classes: rows.sizes, clusters: columns.sizes, cells }
    }

    /// The same table with the roles exchanged.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut cells: Vec<_> = self.cells.iter().map(|&(class, cluster, count)| (cluster, class, count)).collect();
        cells.sort_unstable();
        Self { n: self.n, classes: self.clusters.clone(), clusters: self.classes.clone(), cells }
    }

    /// Number of samples with a reference label.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// (n_classes,) samples of each class.
    pub fn classes(&self) -> &[u64] {
        &self.classes
    }

    /// (n_clusters,) samples of each cluster.
    pub fn clusters(&self) -> &[u64] {
        &self.clusters
    }

    /// The cells that are not 0: class, cluster, samples; ascending.
    pub fn cells(&self) -> &[(usize, usize, u64)] {
        &self.cells
    }

    /// True when both labellings group the samples alike.
    pub fn identical(&self) -> bool {
        self.cells.len() == self.classes.len() && self.cells.len() == self.clusters.len()
    }

    /// True when either labelling is one group, or all singletons.
    pub fn one_side_trivial(&self) -> bool {
        [&self.classes, &self.clusters].iter().any(|sizes| sizes.len() <= 1 || sizes.len() as u64 == self.n)
    }
}

#[derive(Default)]
struct Numbering {
    numbers: BTreeMap<u32, usize>,
    sizes: Vec<u64>,
}

impl Numbering {
    fn add(&mut self, label: Option<u32>) -> usize {
        let fresh = self.sizes.len();
        let number = label.map_or(fresh, |name| *self.numbers.entry(name).or_insert(fresh));
        if number == fresh {
            self.sizes.push(0);
        }
        self.sizes[number] += 1;
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_without_a_class_are_left_out_and_noise_is_singletons() {
        let table = Contingency::new(
            &[Some(1), Some(1), None, Some(0), Some(0)],
            &Labels(vec![Some(5), None, Some(5), None, Some(5)]),
        );
        assert_eq!(table.n(), 4);
        assert_eq!(table.classes(), [2, 2]);
        assert_eq!(table.clusters(), [2, 1, 1]);
        assert_eq!(table.cells(), [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 2, 1)]);
    }

    #[test]
    fn partitions_that_differ_in_names_only_are_identical() {
        let a = Labels::from_ids([3, 3, 1, 2]);
        let b = Labels::from_ids([0, 0, 9, 4]);
        assert!(Contingency::between(&a, &b).identical());
        assert!(!Contingency::between(&a, &Labels::from_ids([0, 0, 9, 9])).identical());
    }
}
