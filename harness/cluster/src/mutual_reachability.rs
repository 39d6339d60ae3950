//! Mutual reachability: the distance of two rows, or the larger of their core distances where that is more.
//!
//! Ties. Mutual reachability is full of them by construction: a sparse row is at its own core distance from all that
//! are nearer. Edges are therefore ordered by mutual reachability, then distance, then lower row, then higher row. The
//! tree is unique, does not depend on how it is found, and follows a permutation of the rows wherever distances differ.

use std::cmp::Ordering;

use trailmark_core::Neighbors;

use crate::measured::Measured;

/// An edge between two rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edge {
    /// Mutual reachability.
    pub(crate) weight: f64,
    /// Distance.
    pub(crate) distance: f64,
    /// The lower row.
    pub(crate) low: u32,
    /// The higher row.
    pub(crate) high: u32,
}

impl Edge {
    /// Mutual reachability, then distance, then lower row, then higher row.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        (self.weight.total_cmp(&other.weight))
            .then(self.distance.total_cmp(&other.distance))
            .then(self.low.cmp(&other.low))
            .then(self.high.cmp(&other.high))
    }

    /// Whether it comes first in that order.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Less
    }
}

/// Mutual reachability over rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach<'a> {
    /// The rows.
    pub(crate) data: &'a Measured<'a>,
    /// (n_samples,) core distances.
    pub(crate) core: &'a [f64],
    /// Distances are divided by it.
    pub(crate) alpha: f64,
}

impl Reach<'_> {
    /// The edge between two rows.
    pub(crate) fn edge(&self, i: u32, j: u32) -> Edge {
        self.edge_at(i, j, self.data.between(i as usize, j as usize))
    }

    /// The edge between two rows at a known distance.
    pub(crate) fn edge_at(&self, i: u32, j: u32, distance: f64) -> Edge {
        let weight = self.core[i as usize].max(self.core[j as usize]).max(distance / self.alpha);
        Edge { weight, distance, low: i.min(j), high: i.max(j) }
    }
}

/// Neighbours with exact distances.
#[derive(Debug)]
pub(crate) struct Near<'a> {
    pub(crate) neighbors: &'a Neighbors,
    pub(crate) distances: Vec<f64>, // (n_samples, n_neighbors)
}

impl<'a> Near<'a> {
    /// Measures the listed pairs again.
    pub(crate) fn new(data: &Measured<'_>, neighbors: &'a Neighbors) -> Self {
        let k = neighbors.n_neighbors.max(1);
        let pairs = neighbors.rows.iter().enumerate();
        let distances = pairs.map(|(at, &j)| data.between(at / k, j as usize)).collect();
        Self { neighbors, distances }
    }

    /// Distance of every row to its `min_samples`-th nearest row, itself counted as the first, as in scikit-learn.
    /// Equal rows have equal core distances.
    pub(crate) fn core_distances(&self, min_samples: usize, first_equal: &[u32]) -> Vec<f64> {
        let (k, nth) = (self.neighbors.n_neighbors, min_samples - 1);
        if nth == 0 || k == 0 {
            return vec![0.0; first_equal.len()];
        }
        let own: Vec<f64> = self
            .distances
            .chunks_exact(k)
            .map(|line| {
                let mut line = line.to_vec();
                line.sort_by(f64::total_cmp);
                line[nth.min(k) - 1]
            })
            .collect();
        first_equal.iter().map(|&first| own[first as usize]).collect()
    }
}

/// Disjoint sets of rows.
#[derive(Debug)]
pub(crate) struct Sets {
    parents: Vec<u32>,
    sizes: Vec<u32>,
}

impl Sets {
    /// Every row on its own.
    pub(crate) fn new(n: usize) -> Self {
        Self { parents: (0..).take(n).collect(), sizes: vec![1; n] }
    }

    /// The row that stands for a set.
    pub(crate) fn find(&mut self, row: u32) -> u32 {
        let mut at = row as usize;
        while self.parents[at] as usize != at {
            self.parents[at] = self.parents[self.parents[at] as usize];
            at = self.parents[at] as usize;
        }
        self.parents[at]
    }

    /// Makes one set of two; the row that stands for it, none where they were one already.
    pub(crate) fn join(&mut self, a: u32, b: u32) -> Option<u32> {
        let (mut a, mut b) = (self.find(a), self.find(b));
        if a == b {
            return None;
        }
        if self.sizes[a as usize] < self.sizes[b as usize] {
            (a, b) = (b, a);
        }
        self.parents[b as usize] = a;
        self.sizes[a as usize] += self.sizes[b as usize];
        Some(a)
    }

    /// Kruskal: the edges of the minimum spanning forest, ascending.
    pub(crate) fn keep_tree(mut self, mut edges: Vec<Edge>) -> Vec<Edge> {
        edges.sort_unstable_by(Edge::order);
        edges.retain(|edge| self.join(edge.low, edge.high).is_some());
        edges
    }
}
