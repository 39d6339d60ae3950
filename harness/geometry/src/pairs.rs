//! One streamed pass over all pairs of rows, each pair met once, for whatever wants to look at them.

use std::sync::atomic::{AtomicUsize, Ordering};

use trailmark_core::contract::{Distance, Points};

use crate::error::GeometryError;
use crate::passes;
use crate::tiles::{Prepared, SOURCES, Scratch, TARGETS, Tiles, Value};
use crate::widths::per_width;

/// Distances that are compared with a radius at once before any of them is looked at alone.
const GLANCE: usize = 32;

per_width! {
    /// For every GLANCE distances a bit each: set for those at the radius or nearer.
    fn glance<V: Value>(distances: &[V], radius: V, near: &mut [u32]) {
        for (bits, values) in near.iter_mut().zip(distances.chunks(GLANCE)) {
            *bits = values.iter().enumerate().fold(0, |bits, (at, value)| bits | (u32::from(*value <= radius) << at));
        }
    }
}

/// Distances between a block of rows and a block of rows, each pair of the data in exactly one block of a pass.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a, V> {
    source: usize,
    target: usize,
    n: usize,
    tile: &'a [V], // (SOURCES, TARGETS)
}

impl<'a, V: Value> Block<'a, V> {
    /// The rows whose lines these are; all blocks of one pass have ranges that are equal or disjoint.
    pub fn rows(&self) -> std::ops::Range<usize> {
        self.source..self.n.min(self.source + SOURCES)
    }

    /// The rows to which the distances lead; all blocks of one pass have ranges that are equal or disjoint.
    pub fn columns(&self) -> std::ops::Range<usize> {
        self.target..self.n.min(self.target + TARGETS)
    }

    /// `(row, first, distances)`, rows ascending: distances of `row` to the rows `first`, `first + 1`, .., all of them
    /// higher than `row`. Rows without any are left out.
    pub fn lines(&self) -> impl Iterator<Item = (usize, usize, &'a [V])> + use<'a, V> {
        let (target, end) = (self.target, self.columns().end);
        self.rows().zip(self.tile.chunks_exact(TARGETS)).filter_map(move |(row, line)| {
            let first = target.max(row + 1);
            (first < end).then(|| (row, first, &line[first - target..end - target]))
        })
    }

    /// Calls `take(row, column)` for the pairs at `radius` or nearer, rows ascending, then columns; `row < column`. The
    /// radius is rounded to the precision of the distances, as in [`gather`](crate::gather()).
    pub fn for_each_within(&self, radius: f64, mut take: impl FnMut(usize, usize)) {
        let radius = V::of(radius);
        let mut near = [0_u32; TARGETS / GLANCE];
        for (row, first, distances) in self.lines() {
            glance(distances, radius, &mut near);
            for (chunk, &bits) in near.iter().enumerate().take(distances.len().div_ceil(GLANCE)) {
                let mut bits = bits;
                while bits != 0 {
                    take(row, first + chunk * GLANCE + bits.trailing_zeros() as usize);
                    bits &= bits - 1;
                }
            }
        }
    }
}

/// Looks at pairs. Of f32 points the distances are f32, of f64 points f64.
pub trait PairVisitor<V>: Send {
    /// Takes one block. Which thread meets which block, and when, is not fixed: what is kept must not depend on the
    /// order (counts, minima with ties decided by rows, unions). On one thread blocks ascend by row, then column.
    fn block(&mut self, block: &Block<'_, V>);
}

/// Shows every pair of rows once, by blocks, to visitors of which every thread makes one; they come back in no order
/// that means anything. Memory is a copy of the data and about half a MiB a thread, whatever the number of pairs.
///
/// Euclidean distances of f32 points up to 16 features wide, and all distances of f64 points, come from differences;
/// of wider f32 points from products of centred rows, except where those would cancel. A pair has the same bits in
/// every pass of the same points and distance.
///
/// # Shapes
/// `points`: (n_samples, n_features), finite.
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
pub fn visit_pairs<T: PairVisitor<f32> + PairVisitor<f64>>(
    points: Points<'_>,
    distance: Distance,
    threads: usize,
    make: impl Fn() -> T + Sync,
) -> Result<Vec<T>, GeometryError> {
    Ok(match Prepared::square(points, distance)? {
        Prepared::Products(tiles) => visit(&tiles, threads, make),
        Prepared::Narrow(tiles) => visit(&tiles, threads, make),
        Prepared::Exact(tiles) => visit(&tiles, threads, make),
    })
}

/// As [`visit_pairs`], in the precision of the tiles.
pub(crate) fn visit<K: Tiles, T: PairVisitor<K::Value>>(
    tiles: &K,
    threads: usize,
    make: impl Fn() -> T + Sync,
) -> Vec<T> {
    passes::count();
    let n = tiles.targets();
    // Long strips first: a strip of rows meets all later rows.
    let next = AtomicUsize::new(0);
    let work = || {
        let mut visitor = make();
        let mut scratch = Scratch::default();
        let mut tile = vec![K::Value::INFINITY; SOURCES * TARGETS];
        loop {
            let source = next.fetch_add(1, Ordering::Relaxed) * SOURCES;
            if source >= n {
                return visitor;
            }
            // From the first block of targets that reaches beyond the diagonal.
            for target in (source / TARGETS * TARGETS..n).step_by(TARGETS) {
                tiles.fill(&mut scratch, source, target, &mut tile);
                visitor.block(&Block { source, target, n, tile: &tile });
            }
        }
    };
    let threads = threads.clamp(1, n.div_ceil(SOURCES).max(1));
    if threads == 1 {
        return vec![work()];
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let finish = |worker: std::thread::ScopedJoinHandle<'_, T>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(finish).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::{Matrix, PairNeeds, Stream};

    #[derive(Default)]
    struct Seen {
        pairs: Vec<(usize, usize)>,
        near: Vec<(usize, usize)>,
    }

    impl<V: Value> PairVisitor<V> for Seen {
        fn block(&mut self, block: &Block<'_, V>) {
            for (row, first, distances) in block.lines() {
                assert!(block.rows().contains(&row) && block.columns().contains(&first), "{row} {first}");
                self.pairs.extend((first..first + distances.len()).map(|column| (row, column)));
            }
            block.for_each_within(5.0, |row, column| self.near.push((row, column)));
        }
    }

    #[test]
    fn every_pair_is_shown_once_and_those_within_a_radius_are_those_that_are_counted() {
        let mut stream = Stream::new(3);
        for (n, cols) in [(0, 2), (1, 2), (2, 2), (300, 2), (530, 20)] {
            let x = Matrix::from_vec(n, cols, (0..n * cols).map(|_| stream.normal() as f32).collect()).unwrap();
            for threads in [1, 3] {
                let seen = visit_pairs(Points::F32(&x), Distance::Euclidean, threads, Seen::default).unwrap();
                let sorted = |of: fn(&Seen) -> &Vec<(usize, usize)>| {
                    let mut all: Vec<_> = seen.iter().flat_map(of).copied().collect();
                    all.sort_unstable();
                    all
                };
                let pairs: Vec<_> = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect();
                assert_eq!(sorted(|seen| &seen.pairs), pairs, "{n} rows, {threads} threads");
                let need = PairNeeds { radii: vec![5.0], ..PairNeeds::default() };
                let found = crate::gather(Points::F32(&x), &need, 1).unwrap();
                let mut counts = vec![0; n];
                for (i, j) in sorted(|seen| &seen.near) {
                    counts[i] += 1;
                    counts[j] += 1;
                }
                assert_eq!(found.counts_within(5.0), Some(&counts[..]), "{n} rows, {threads} threads");
            }
        }
    }
}
