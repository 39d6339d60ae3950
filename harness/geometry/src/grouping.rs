//! A partition in the form that passes over the data need.

use std::collections::BTreeMap;

use trailmark_core::Labels;

const ALONE: u32 = u32::MAX;

/// Groups of samples, numbered from 0 by first appearance, so that the names of clusters cannot matter.
///
/// A sample that is alone, because its cluster has one member or because it is noise, belongs to no numbered group:
/// a pass keeps one number for all of them instead of one for each, which bounds its memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    of_row: Vec<u32>,  // (n_samples,) group, or ALONE
    sizes: Vec<usize>, // (n_groups,) each at least 2
    alone: usize,
}

impl Grouping {
    /// The groups of a partition; every noise sample is alone.
    pub fn new(labels: &Labels) -> Self {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        for name in labels.0.iter().flatten() {
            *counts.entry(*name).or_default() += 1;
        }
        let mut numbers: BTreeMap<u32, u32> = BTreeMap::new();
        let mut sizes = Vec::new();
        let mut alone = 0;
        let of_row = labels
            .0
            .iter()
            .map(|label| match label.and_then(|name| Some((name, *counts.get(&name)?))) {
                Some((name, size)) if size > 1 => *numbers.entry(name).or_insert_with(|| {
                    sizes.push(size);
                    u32::try_from(sizes.len() - 1).unwrap_or(ALONE)
                }),
                _ => {
                    alone += 1;
                    ALONE
                }
            })
            .collect();
        Self { of_row, sizes, alone }
    }

    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.of_row.len()
    }

    /// Sizes of the groups with at least two samples.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// Number of samples that are alone.
    pub fn n_alone(&self) -> usize {
        self.alone
    }

    /// Number of clusters, every sample that is alone counted as one.
    pub fn n_clusters(&self) -> usize {
        self.sizes.len() + self.alone
    }

    /// The group of a sample; none when it is alone.
    pub fn group(&self, row: usize) -> Option<usize> {
        let group = self.of_row[row];
        (group != ALONE).then_some(group as usize)
    }

    /// (n_samples,) the cluster of each: the numbered groups first, then, ascending, every sample that is alone.
    pub fn clusters(&self) -> Vec<usize> {
        let mut fresh = self.sizes.len();
        let cluster = |row| {
            self.group(row).unwrap_or_else(|| {
                fresh += 1;
                fresh - 1
            })
        };
        (0..self.n_samples()).map(cluster).collect()
    }

    /// Orders samples by group, those alone last; for sorting rows of a block.
    pub(crate) fn sort_key(&self, row: usize) -> u32 {
        self.of_row[row]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_and_single_samples_are_alone_and_names_do_not_matter() {
        let grouping = Grouping::new(&Labels(vec![Some(9), None, Some(4), Some(9), Some(1), Some(1)]));
        assert_eq!(grouping.sizes(), [2, 2]);
        assert_eq!((grouping.n_alone(), grouping.n_clusters()), (2, 4));
        assert_eq!(grouping.clusters(), [0, 2, 3, 0, 1, 1]);
        assert_eq!(
            (0..6).map(|row| grouping.group(row)).collect::<Vec<_>>(),
            [Some(0), None, None, Some(0), Some(1), Some(1)]
        );
        let renamed = Labels(vec![Some(0), Some(7), Some(8), Some(0), Some(3), Some(3)]);
        assert_eq!(Grouping::new(&renamed), grouping);
    }
}
