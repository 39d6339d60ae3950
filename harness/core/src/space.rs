//! The vectors of a group as clusterers see them, with what is known about all pairs of rows. Several clusterers of one
//! group want the same distances, so each says beforehand what it will read ([`PairNeeds`]), and one pass over the
//! pairs fills the table ([`Pairs`]) for all of them.

use std::cmp::Ordering;

use crate::contract::{Distance, Points};

/// What a clusterer reads about all pairs of rows before it fits, in one distance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PairNeeds {
    /// The distance.
    pub distance: Distance,
    /// Nearest other rows of every row, with their distances; 0 for none.
    pub n_neighbors: usize,
    /// Radii within which the other rows are counted.
    pub radii: Vec<f64>,
    /// Every distance, condensed: 4 bytes a pair.
    pub condensed: bool,
}

impl PairNeeds {
    /// One need a distance that covers them all, in ascending order of the distance. Radii ascend and are distinct.
    pub fn merged(needs: &[Self]) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for need in needs {
            let at = match merged.iter().position(|have| have.distance == need.distance) {
                Some(at) => at,
                None => {
                    merged.push(Self { distance: need.distance, ..Self::default() });
                    merged.len() - 1
                }
            };
            let all = &mut merged[at];
            all.n_neighbors = all.n_neighbors.max(need.n_neighbors);
            all.radii.extend(&need.radii);
            all.condensed |= need.condensed;
        }
        for need in &mut merged {
            need.radii.sort_by(f64::total_cmp);
            need.radii.dedup();
        }
        merged.sort_by_key(|need| need.distance.name());
        merged
    }
}

/// The nearest other rows of every row, nearest first, the lower row first among equals.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Neighbors {
    /// How many are kept of each row: at most n_samples - 1.
    pub n_neighbors: usize,
    /// (n_samples, n_neighbors) rows, row-major.
    pub rows: Vec<u32>,
    /// (n_samples, n_neighbors) distances, row-major.
    pub distances: Vec<f32>,
}

impl Neighbors {
    /// Distance of row `i` to its `k`-th nearest other row, `k` from 1; none where fewer are kept.
    pub fn kth_distance(&self, i: usize, k: usize) -> Option<f32> {
        (1..=self.n_neighbors).contains(&k).then(|| self.distances[i * self.n_neighbors + k - 1])
    }

    /// Nearest other rows of row `i` with their distances, nearest first.
    pub fn of(&self, i: usize) -> impl ExactSizeIterator<Item = (u32, f32)> + '_ {
        let range = i * self.n_neighbors..(i + 1) * self.n_neighbors;
        self.rows[range.clone()].iter().copied().zip(self.distances[range].iter().copied())
    }
}

/// What one pass over all pairs of n_samples rows found, in one distance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairs {
    /// The distance.
    pub distance: Distance,
    /// Nearest other rows; empty unless asked for.
    pub neighbors: Neighbors,
    /// For every radius, ascending: (n_samples,) other rows at that distance or nearer.
    pub within: Vec<(f64, Vec<u32>)>,
    /// (n_samples * (n_samples - 1) / 2,) distances of the pairs (0, 1), (0, 2), .., (1, 2), ..; empty unless asked for.
    pub condensed: Vec<f32>,
}

impl Pairs {
    /// True when this table holds all that is needed.
    pub fn covers(&self, need: &PairNeeds, n_samples: usize) -> bool {
        let others = n_samples.saturating_sub(1);
        self.distance == need.distance
            && self.neighbors.n_neighbors >= need.n_neighbors.min(others)
            && need.radii.iter().all(|radius| self.counts_within(*radius).is_some())
            && (!need.condensed || self.condensed.len() == n_samples * others / 2)
    }

    /// (n_samples,) other rows within a radius that was asked for.
    pub fn counts_within(&self, radius: f64) -> Option<&[u32]> {
        let found = self.within.iter().find(|(have, _)| have.total_cmp(&radius) == Ordering::Equal);
        found.map(|(_, counts)| counts.as_slice())
    }
}

/// The vectors to group, with what a pass over their pairs has already found.
#[derive(Debug, Clone, Copy)]
pub struct Space<'a> {
    /// (n_samples, n_features).
    pub points: Points<'a>,
    /// One table a distance; empty when nobody gathered any. Who misses what it needs gathers it itself.
    pub pairs: &'a [Pairs],
}

impl<'a> Space<'a> {
    /// Vectors alone.
    pub fn of(points: impl Into<Points<'a>>) -> Self {
        Self { points: points.into(), pairs: &[] }
    }

    /// The table that covers a need.
    pub fn pairs(&self, need: &PairNeeds) -> Option<&'a Pairs> {
        self.pairs.iter().find(|pairs| pairs.covers(need, self.points.rows()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_of_one_distance_become_one_need_that_covers_all() {
        let near = PairNeeds { n_neighbors: 5, radii: vec![2.0, 1.0], ..PairNeeds::default() };
        let all = PairNeeds { condensed: true, radii: vec![1.0], ..PairNeeds::default() };
        let cosine = PairNeeds { distance: Distance::Cosine, n_neighbors: 3, ..PairNeeds::default() };
        let merged = PairNeeds::merged(&[near, cosine.clone(), all]);
        let both = PairNeeds { n_neighbors: 5, radii: vec![1.0, 2.0], condensed: true, ..PairNeeds::default() };
        assert_eq!(merged, [cosine, both]);
    }

    #[test]
    fn a_table_covers_what_it_holds_and_nothing_else() {
        let pairs = Pairs {
            neighbors: Neighbors { n_neighbors: 2, rows: vec![1, 2, 0, 2, 1, 0], distances: vec![1.0; 6] },
            within: vec![(0.5, vec![0, 0, 0])],
            ..Pairs::default()
        };
        let need =
            |n_neighbors, radii: &[f64]| PairNeeds { n_neighbors, radii: radii.to_vec(), ..PairNeeds::default() };
        assert!(pairs.covers(&need(2, &[0.5]), 3));
        assert!(pairs.covers(&need(9, &[]), 3), "three rows have no more than two others each");
        assert!(!pairs.covers(&need(1, &[0.25]), 3));
        assert!(!pairs.covers(&PairNeeds { condensed: true, ..PairNeeds::default() }, 3));
        assert!(!pairs.covers(&PairNeeds { distance: Distance::Cosine, ..PairNeeds::default() }, 3));
        assert_eq!(pairs.neighbors.kth_distance(1, 2), Some(1.0));
        assert_eq!(pairs.neighbors.kth_distance(1, 3), None);
    }
}
