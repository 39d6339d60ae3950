//! The nearest rows of every row of a block, kept while pairs stream by in any order.

use std::cmp::Ordering;

use crate::tiles::Value;
use crate::widths::per_width;

/// Distances compared at once before any of them is looked at alone.
const LANES: usize = 32;

/// Candidates of every row: at least the `k` nearest so far. What is kept in the end is the `k` least by distance, then
/// by row, so the order in which pairs come cannot matter.
pub(crate) struct Nearest<V> {
    k: usize,
    capacity: usize,
    bounds: Vec<V>,            // (rows,) no farther candidate can be among the k nearest
    sizes: Vec<usize>,         // (rows,)
    candidates: Vec<(V, u32)>, // (rows, capacity)
}

impl<V: Value> Nearest<V> {
    /// Candidates that are held of each row.
    pub(crate) fn capacity(k: usize) -> usize {
        k + k.max(16)
    }

    /// Nothing seen yet.
    pub(crate) fn new(k: usize, rows: usize) -> Self {
        let capacity = Self::capacity(k);
        Self {
            k,
            capacity,
            bounds: vec![V::INFINITY; rows],
            sizes: vec![0; rows],
            candidates: vec![(V::INFINITY, 0); rows * capacity],
        }
    }

    /// Distances of the row at `at` to the rows `first`, `first + 1`, ..
    pub(crate) fn offer_row(&mut self, at: usize, first: usize, distances: &[V]) {
        offer_row(self, at, first, distances);
    }

    /// Distances of the rows at `at`, `at + 1`, .. to the row `row`.
    pub(crate) fn offer_columns(&mut self, row: usize, at: usize, distances: &[V]) {
        offer_columns(self, row, at, distances);
    }

    #[inline(never)]
    fn push(&mut self, at: usize, row: usize, distance: V) {
        if distance > self.bounds[at] {
            return;
        }
        let held = &mut self.candidates[at * self.capacity..(at + 1) * self.capacity];
        held[self.sizes[at]] = (distance, u32::try_from(row).unwrap_or(u32::MAX));
        self.sizes[at] += 1;
        if self.sizes[at] == self.capacity {
            held.select_nth_unstable_by(self.k - 1, nearer);
            self.bounds[at] = held[self.k - 1].0;
            self.sizes[at] = self.k;
        }
    }

    /// Hands out the `k` nearest of each of the first `rows` rows, nearest first.
    pub(crate) fn finish(mut self, rows: usize, mut take: impl FnMut(u32, V)) {
        let held = self.candidates.chunks_exact_mut(self.capacity).zip(&self.sizes);
        for (held, &size) in held.take(rows) {
            let held = &mut held[..size];
            held.sort_unstable_by(nearer);
            held.iter().take(self.k).for_each(|&(distance, row)| take(row, distance));
        }
    }
}

fn nearer<V: Value>(a: &(V, u32), b: &(V, u32)) -> Ordering {
    a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1))
}

per_width! {
    fn offer_row<V: Value>(nearest: &mut Nearest<V>, at: usize, first: usize, distances: &[V]) {
        for (chunk, values) in distances.chunks(LANES).enumerate() {
            let bound = nearest.bounds[at];
            if values.iter().map(|value| u32::from(*value <= bound)).sum::<u32>() == 0 {
                continue;
            }
            for (j, &value) in values.iter().enumerate() {
                if value <= nearest.bounds[at] {
                    nearest.push(at, first + chunk * LANES + j, value);
                }
            }
        }
    }
}

per_width! {
    fn offer_columns<V: Value>(nearest: &mut Nearest<V>, row: usize, at: usize, distances: &[V]) {
        for (chunk, values) in distances.chunks(LANES).enumerate() {
            let start = at + chunk * LANES;
            let bounds = &nearest.bounds[start..start + values.len()];
            if values.iter().zip(bounds).map(|(value, bound)| u32::from(value <= bound)).sum::<u32>() == 0 {
                continue;
            }
            for (j, &value) in values.iter().enumerate() {
                if value <= nearest.bounds[start + j] {
                    nearest.push(start + j, row, value);
                }
            }
        }
    }
}
