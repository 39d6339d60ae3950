//! The one search of the spanning tree that looks at all pairs: by blocks, from one matrix product each.

use crate::mutual_reachability::{Edge, Reach, Sets};
use crate::sieve::{SOURCES, Sieve, TARGETS};

/// Edges a thread holds beside four a row, before it drops those that a better tree makes superfluous.
pub(crate) const HELD: usize = 1 << 14;

/// All edges among the chosen rows that are before the largest edge of their path in a spanning tree of them, whose
/// edges ascend.
pub(crate) fn shorter_edges(reach: &Reach<'_>, rows: &[u32], tree: &[Edge], threads: usize) -> Vec<Edge> {
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
