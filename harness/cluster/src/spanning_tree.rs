//! The minimum spanning tree of mutual reachability, in memory that grows with the samples and not with their pairs.
//!
//! Neighbour lists give a forest that is the tree but for a few edges. It says how far apart any two rows can be in the
//! tree at most (the largest edge on their path), and one pass over all pairs looks for those that are nearer; the tree
//! of both is the minimum (every edge left out is the largest of a cycle). Prim's algorithm, which other
//! implementations use, asks for a whole row of distances a step: the same arithmetic without the reuse that makes a
//! matrix product fast.
//!
//! Ties. Mutual reachability is full of them by construction: a sparse row is at its own core distance from all that
//! are nearer. Edges are therefore ordered by mutual reachability, then distance, then lower row, then higher row. The
//! tree is unique, does not depend on how it is found, and follows a permutation of the rows wherever distances differ.

use std::cmp::Ordering;

use trailmark_core::Neighbors;

use crate::measured::Measured;
use crate::sieve::{SOURCES, Sieve, TARGETS};

/// Members of a component that are asked for the nearest pair between two of them, a guess that only has to be good.
const ASKED: usize = 2048;

/// Edges a thread holds beside four a row, before it drops those that a better tree makes superfluous.
const HELD: usize = 1 << 14;

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
    fn order(&self, other: &Self) -> Ordering {
        (self.weight.total_cmp(&other.weight))
            .then(self.distance.total_cmp(&other.distance))
            .then(self.low.cmp(&other.low))
            .then(self.high.cmp(&other.high))
    }

    fn is_before(&self, other: &Self) -> bool {
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
    fn edge(&self, i: u32, j: u32) -> Edge {
        self.edge_at(i, j, self.data.between(i as usize, j as usize))
    }

    fn edge_at(&self, i: u32, j: u32, distance: f64) -> Edge {
        let weight = self.core[i as usize].max(self.core[j as usize]).max(distance / self.alpha);
        Edge { weight, distance, low: i.min(j), high: i.max(j) }
    }
}

/// Neighbours with exact distances.
#[derive(Debug)]
pub(crate) struct Near<'a> {
    neighbors: &'a Neighbors,
    distances: Vec<f64>, // (n_samples, n_neighbors)
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

/// The edges of the minimum spanning tree, (n_samples - 1,) ascending.
pub(crate) fn minimum_spanning_tree(
    reach: &Reach<'_>,
    near: &Near<'_>,
    first_equal: &[u32],
    threads: usize,
) -> Vec<Edge> {
    let n = first_equal.len();
    // Equal rows hang on the first of them; all else is among those.
    let (firsts, copies): (Vec<u32>, Vec<u32>) = (0..).take(n).partition(|&i| first_equal[i as usize] == i);
    let mut edges: Vec<Edge> = copies.iter().map(|&i| reach.edge_at(first_equal[i as usize], i, 0.0)).collect();

    let k = near.neighbors.n_neighbors;
    let mut listed = Vec::with_capacity(firsts.len() * k);
    for &i in &firsts {
        let line = i as usize * k..(i as usize + 1) * k;
        for (&j, &distance) in near.neighbors.rows[line.clone()].iter().zip(&near.distances[line]) {
            let j = first_equal[j as usize];
            if i != j {
                listed.push(reach.edge_at(i, j, distance));
            }
        }
    }
    let mut forest = Sets::new(n).keep_tree(listed);
    forest.extend(connect(reach, &firsts, &forest, n));
    forest.sort_by(Edge::order);
    edges.extend(shorter_edges(reach, &firsts, &forest, threads));
    edges.extend(forest);
    Sets::new(n).keep_tree(edges)
}

/// Edges that make one tree of a forest over the chosen rows: short ones, where that is cheap to find.
fn connect(reach: &Reach<'_>, rows: &[u32], forest: &[Edge], n: usize) -> Vec<Edge> {
    let mut sets = Sets::new(n);
    for edge in forest {
        sets.join(edge.low, edge.high);
    }
    // Components with the row of the least core distance first.
    let mut at = vec![usize::MAX; n];
    let mut components: Vec<Vec<u32>> = Vec::new();
    for &row in rows {
        let root = sets.find(row) as usize;
        if at[root] == usize::MAX {
            at[root] = components.len();
            components.push(Vec::new());
        }
        let members = &mut components[at[root]];
        members.push(row);
        if reach.core[row as usize] < reach.core[members[0] as usize] {
            let last = members.len() - 1;
            members.swap(0, last);
        }
    }
    // Prim over those rows.
    let mut nearest: Vec<(usize, Edge)> =
        (1..components.len()).map(|to| (to, reach.edge(components[0][0], components[to][0]))).collect();
    let mut from = vec![0; components.len()];
    let mut joined = Vec::with_capacity(nearest.len());
    while let Some(best) = (0..nearest.len()).reduce(|a, b| if nearest[b].1.is_before(&nearest[a].1) { b } else { a }) {
        let (new, edge) = nearest.swap_remove(best);
        joined.push(shorten(reach, &components[from[new]], &components[new], edge));
        for (to, edge) in &mut nearest {
            let other = reach.edge(components[new][0], components[*to][0]);
            if other.is_before(edge) {
                *edge = other;
                from[*to] = new;
            }
        }
    }
    joined
}

/// Walks from one component to the nearest row of the other and back while that is shorter.
fn shorten(reach: &Reach<'_>, a: &[u32], b: &[u32], edge: Edge) -> Edge {
    let nearest = |row: u32, members: &[u32]| {
        let step = members.len().div_ceil(ASKED);
        let edges = members.iter().step_by(step).map(|&other| (other, reach.edge(row, other)));
        edges.reduce(|best, new| if new.1.is_before(&best.1) { new } else { best })
    };
    let (mut best, mut row, mut sides) = (edge, a[0], [b, a]);
    while let Some((other, found)) = nearest(row, sides[0])
        && found.is_before(&best)
    {
        (best, row) = (found, other);
        sides.swap(0, 1);
    }
    best
}

/// All edges among the chosen rows that are before the largest edge of their path in a spanning tree of them, whose
/// edges ascend.
fn shorter_edges(reach: &Reach<'_>, rows: &[u32], tree: &[Edge], threads: usize) -> Vec<Edge> {
    if rows.len() < 2 {
        return Vec::new();
    }
    let search = &Search::new(reach, rows, tree);
    let blocks = rows.len().div_ceil(SOURCES);
    let threads = threads.clamp(1, blocks);
    let part = |first: usize| move || search.blocks((first..blocks).step_by(threads));
    if threads == 1 {
        return part(0)();
    }
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|first| scope.spawn(part(first))).collect();
        let mut found = part(0)();
        for other in others {
            found.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        found
    })
}

/// A tree laid out in a line: between two places of the line, the largest gap is the largest edge of the path.
struct Search<'a> {
    reach: &'a Reach<'a>,
    tree: &'a [Edge],
    order: Vec<u32>,      // (n_rows,) rows along the line
    ranks: Vec<Vec<u32>>, // [power][at]: largest rank in `tree` of the gaps before places at .. at + 2^power
    limits: Vec<f32>,     // (padded,) the gap before a place as a squared distance, rounded up
    cores: Vec<f32>,      // (padded,) core distances likewise, rounded down; infinite beyond the last row
    sieve: Sieve,
}

impl<'a> Search<'a> {
    fn new(reach: &'a Reach<'a>, rows: &[u32], tree: &'a [Edge]) -> Self {
        let (order, ranks) = line(rows, tree, reach.core.len());
        let sieve = Sieve::new(reach.data.rows(), &order);
        let squared = |weight: f64| reach.data.squared(reach.alpha * weight);
        let padded = sieve.lengths().len();
        let mut limits = vec![f32::NEG_INFINITY];
        limits.extend(ranks[1..].iter().map(|&rank| sieve.above(squared(tree[rank as usize].weight))));
        limits.resize(padded, f32::NEG_INFINITY);
        let mut cores: Vec<f32> = order.iter().map(|&row| sieve.below(squared(reach.core[row as usize]))).collect();
        cores.resize(padded, f32::INFINITY);
        let mut levels = vec![ranks];
        let mut width = 1;
        while 2 * width <= order.len() {
            let last = &levels[levels.len() - 1];
            let next = (0..last.len() - width).map(|at| last[at].max(last[at + width])).collect();
            levels.push(next);
            width *= 2;
        }
        Self { reach, tree, order, ranks: levels, limits, cores, sieve }
    }

    /// The largest gap between two places.
    fn largest(&self, low: usize, high: usize) -> &Edge {
        let power = (high - low).ilog2() as usize;
        let level = &self.ranks[power];
        &self.tree[level[low + 1].max(level[high + 1 - (1 << power)]) as usize]
    }

    /// Searches blocks of sources against all places after them.
    fn blocks(&self, blocks: impl Iterator<Item = usize>) -> Vec<Edge> {
        let n = self.order.len();
        let mut found = Vec::new();
        let mut tile = vec![0.0_f32; SOURCES * TARGETS];
        let mut limits = [0.0_f32; TARGETS];
        for block in blocks {
            let source = block * SOURCES;
            let end = (source + SOURCES).min(n);
            // The largest gap so far after the last source.
            let mut so_far = f32::NEG_INFINITY;
            for target in (source / TARGETS * TARGETS..n).step_by(TARGETS) {
                for (at, limit) in limits.iter_mut().enumerate() {
                    if target + at >= end {
                        so_far = larger(so_far, self.limits[target + at]);
                    }
                    *limit = so_far;
                }
                self.sieve.products(self.sieve.rows(source, SOURCES), target, &mut tile);
                for i in (source..end).rev() {
                    let from = (i + 1).saturating_sub(target).min(TARGETS);
                    if i + 1 < n && from < TARGETS {
                        let line = &tile[(i - source) * TARGETS..][..TARGETS];
                        self.row(i, target, from, line, &mut limits, &mut found);
                    }
                }
            }
            if found.len() > 4 * n + HELD {
                found = self.reduce(found);
            }
        }
        found
    }

    /// Pairs of place `i` with places `target + from ..` that the bound lets through are measured.
    fn row(
        &self,
        i: usize,
        target: usize,
        from: usize,
        line: &[f32],
        limits: &mut [f32; TARGETS],
        found: &mut Vec<Edge>,
    ) {
        let (gap, core, length) = (self.limits[i + 1], self.cores[i], self.sieve.lengths()[i]);
        let lengths = &self.sieve.lengths()[target + from..target + TARGETS];
        let cores = &self.cores[target + from..target + TARGETS];
        let limits = &mut limits[from..];
        let line = &line[from..];
        let bound = |at: usize| larger(larger(line[at] + (lengths[at] + length), cores[at]), core);
        let mut hits = 0_u32;
        let (len, mut at) = (limits.len(), 0);
        // Indexed over slices of one length, in the form that compilers turn into vectors.
        assert!(line.len() == len && lengths.len() == len && cores.len() == len, "one length");
        while at < len {
            let limit = larger(limits[at], gap);
            limits[at] = limit;
            hits += u32::from(bound(at) <= limit);
            at += 1;
        }
        if hits == 0 {
            return;
        }
        for at in (0..len).filter(|&at| bound(at) <= limits[at]) {
            let (a, b) = (self.order[i], self.order[target + from + at]);
            let largest = self.largest(i, target + from + at);
            let cores = self.reach.core[a as usize].max(self.reach.core[b as usize]);
            if cores <= largest.weight {
                let edge = self.reach.edge(a, b);
                if edge.is_before(largest) {
                    found.push(edge);
                }
            }
        }
    }

    /// Of the edges found, those that are in the tree of what is known by now.
    #[cold]
    fn reduce(&self, mut found: Vec<Edge>) -> Vec<Edge> {
        found.extend(self.tree);
        let mut kept = Sets::new(self.reach.core.len()).keep_tree(found);
        kept.retain(|edge| self.tree.binary_search_by(|other| other.order(edge)).is_err());
        kept
    }
}

/// Lays a tree out in a line: (rows, rank of the edge before each row; 0 before the first).
fn line(rows: &[u32], tree: &[Edge], n: usize) -> (Vec<u32>, Vec<u32>) {
    const NONE: u32 = u32::MAX;
    let mut sets = Sets::new(n);
    let mut next = vec![NONE; n];
    let mut before = vec![0; n];
    let mut ends: Vec<(u32, u32)> = (0..).take(n).map(|row| (row, row)).collect();
    for (rank, edge) in (0..).zip(tree) {
        let (first, second) = (ends[sets.find(edge.low) as usize], ends[sets.find(edge.high) as usize]);
        next[first.1 as usize] = second.0;
        before[second.0 as usize] = rank;
        if let Some(root) = sets.join(edge.low, edge.high) {
            ends[root as usize] = (first.0, second.1);
        }
    }
    let mut row = ends[sets.find(rows[0]) as usize].0;
    let mut order = Vec::with_capacity(rows.len());
    while row != NONE {
        order.push(row);
        row = next[row as usize];
    }
    let ranks = order.iter().map(|&row| before[row as usize]).collect();
    (order, ranks)
}

/// One of the two that is not smaller; without the care for NaN that costs a comparison.
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
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
    fn keep_tree(mut self, mut edges: Vec<Edge>) -> Vec<Edge> {
        edges.sort_unstable_by(Edge::order);
        edges.retain(|edge| self.join(edge.low, edge.high).is_some());
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::contract::{Distance, Points};
    use trailmark_core::{Matrix, PairNeeds, Stream};
    use trailmark_geometry::gather;

    /// Kruskal over all pairs.
    fn from_all_pairs(reach: &Reach<'_>) -> Vec<Edge> {
        let n = u32::try_from(reach.core.len()).unwrap();
        Sets::new(reach.core.len())
            .keep_tree((0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).map(|(i, j)| reach.edge(i, j)).collect())
    }

    fn sets() -> Vec<(&'static str, Matrix<f64>)> {
        let mut draws = Stream::new(11);
        let mut normal = |n: usize, width: usize, spread: f64, groups: usize| {
            let centres: Vec<f64> = (0..groups * width).map(|_| spread * draws.normal()).collect();
            let values = (0..n * width).map(|at| centres[(at / width) % groups * width + at % width] + draws.normal());
            Matrix::from_vec(n, width, values.collect()).unwrap()
        };
        let mut all = vec![
            ("two rows", normal(2, 3, 1.0, 1)),
            ("one cloud in the plane", normal(400, 2, 0.0, 1)),
            ("far groups that no neighbour list connects", normal(600, 6, 50.0, 20)),
            ("near groups in many dimensions", normal(300, 60, 0.5, 5)),
            ("a far origin", normal(200, 5, 1e6, 2)),
        ];
        let few = normal(30, 3, 1.0, 1);
        let copies: Vec<usize> = (0..300).map(|at| at * at % 30).collect();
        all.push(("copies of thirty rows", few.select_rows(&copies)));
        let lattice = (0..400).flat_map(|at| [f64::from(1 + at % 20), f64::from(1 + at / 20)]).collect();
        all.push(("a lattice", Matrix::from_vec(400, 2, lattice).unwrap()));
        all.push(("equal rows", Matrix::from_vec(40, 2, vec![0.5; 80]).unwrap()));
        all
    }

    #[test]
    fn the_tree_is_that_of_all_pairs_whatever_the_lists_and_threads() {
        for (name, x) in sets() {
            for (distance, min_samples, alpha) in
                [(Distance::Euclidean, 1, 1.0), (Distance::Euclidean, 6, 0.7), (Distance::Cosine, 3, 1.0)]
            {
                let data = Measured::new(Points::F64(&x), distance).unwrap();
                let first_equal = data.first_equal();
                let need = |n_neighbors| PairNeeds { distance, n_neighbors, ..PairNeeds::default() };
                for (k, threads) in [(min_samples + 3, 1), (20, 3)] {
                    let pairs = gather(Points::F64(&x), &need(k), 1).unwrap();
                    let near = Near::new(&data, &pairs.neighbors);
                    let core = near.core_distances(min_samples.min(x.rows()), &first_equal);
                    let reach = Reach { data: &data, core: &core, alpha };
                    let tree = minimum_spanning_tree(&reach, &near, &first_equal, threads);
                    assert_eq!(tree, from_all_pairs(&reach), "{name}, {}, {min_samples}, {k}", distance.name());
                }
            }
        }
    }

    #[test]
    fn any_tree_to_begin_with_is_mended() {
        let (_, x) = sets().swap_remove(1);
        let data = Measured::new(Points::F64(&x), Distance::Euclidean).unwrap();
        let core = vec![0.0; 400];
        let reach = Reach { data: &data, core: &core, alpha: 1.0 };
        let rows: Vec<u32> = (0..400).collect();
        // All rows hang on the first: nearly every pair is nearer, more than a thread holds at a time.
        let star = Sets::new(400).keep_tree((1..400).map(|j| reach.edge(0, j)).collect());
        let mut edges = shorter_edges(&reach, &rows, &star, 1);
        assert!(edges.len() < HELD + 4 * 400, "{} edges are held", edges.len());
        edges.extend(star);
        assert_eq!(Sets::new(400).keep_tree(edges), from_all_pairs(&reach));
    }

    #[test]
    fn ties_of_mutual_reachability_go_to_the_nearer_pair() {
        // The last row is at its core distance from both groups, and nearer to the second.
        let x = Matrix::from_vec(5, 1, vec![0.0, 1.0, 6.0, 7.0, 3.6]).unwrap();
        let data = Measured::new(Points::F64(&x), Distance::Euclidean).unwrap();
        let need = PairNeeds { n_neighbors: 4, ..PairNeeds::default() };
        let pairs = gather(Points::F64(&x), &need, 1).unwrap();
        let near = Near::new(&data, &pairs.neighbors);
        let first_equal = data.first_equal();
        let core = near.core_distances(3, &first_equal);
        let reach = Reach { data: &data, core: &core, alpha: 1.0 };
        let tree = minimum_spanning_tree(&reach, &near, &first_equal, 1);
        let last: Vec<(u32, u32)> =
            tree.iter().filter(|edge| edge.high == 4).map(|edge| (edge.low, edge.high)).collect();
        assert_eq!(last, [(2, 4), (1, 4)], "{tree:?}");
    }
}
