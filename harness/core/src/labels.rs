//! What comes out of a clusterer: one cluster name per sample, or none for noise.

/// Cluster labels, (n_samples,). Names are arbitrary numbers; noise is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(pub Vec<Option<u32>>);

impl Labels {
    /// Labels without noise.
    pub fn from_ids(ids: impl IntoIterator<Item = u32>) -> Self {
        Self(ids.into_iter().map(Some).collect())
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Distinct cluster names, ascending, noise left out.
    pub fn names(&self) -> Vec<u32> {
        let mut names: Vec<u32> = self.0.iter().flatten().copied().collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Number of distinct clusters, noise left out.
    pub fn n_clusters(&self) -> usize {
        self.names().len()
    }

    /// Number of noise samples.
    pub fn n_noise(&self) -> usize {
        self.0.iter().filter(|label| label.is_none()).count()
    }

    /// The same partition with names 0, 1, .. by first appearance, so that equal partitions compare equal.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let mut seen: std::collections::BTreeMap<u32, u32> = std::collections::BTreeMap::new();
        Self(
            self.0
                .iter()
                .map(|label| {
                    label.map(|name| {
                        let next = u32::try_from(seen.len()).unwrap_or(u32::MAX);
                        *seen.entry(name).or_insert(next)
                    })
                })
                .collect(),
        )
    }

    /// The chosen samples, in the order given.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self(rows.iter().map(|&row| self.0[row]).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_names_follow_first_appearance_and_keep_noise() {
        let labels = Labels(vec![Some(7), None, Some(2), Some(7)]);
        assert_eq!(labels.canonical(), Labels(vec![Some(0), None, Some(1), Some(0)]));
        assert_eq!(labels.n_clusters(), 2);
        assert_eq!(labels.n_noise(), 1);
    }
}
