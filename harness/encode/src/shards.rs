//! Several workers on copies of the vectors that meet now and then: the reproducible way to train in parallel.
//!
//! Every worker walks its own shard and moves its own copy. When each has read its part of a round, they meet: every
//! row that anyone moved becomes what all of them learnt, and goes back to all. Rounds are cut by tokens read and rows
//! are merged in the workers' order, so neither the number of threads nor their speed shows in the result.
//!
//! Moves are merged by Adasum (Maleki et al. 2021, MLSys): two that point in different directions are added, two that
//! agree are averaged, as both workers then have learnt the same thing, and twice of it would be too far.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::lanes::dot;
use crate::negative_sampling::{Own, Table, Worker};

/// Tokens that all workers together read before they meet, for each token of the vocabulary. On the corpus of
/// `scripts/peers/word2vec.py` (500,000 tokens, 1,700 distinct) the share of neighbours in the right group is 0.549 with one
/// worker, 0.532 with two that meet thus, 0.545 where they meet after a third of it, and 0.487 after five times of it.
const ROUND_PER_TOKEN: usize = 3;

/// Bounds of a round in tokens: meeting has its price, and what the others learnt meanwhile should not be much.
const ROUND_BOUNDS: (usize, usize) = (1024, 65_536);

/// Looks at the others this often before giving the processor away.
const SPINS: u32 = 2000;

/// A worker's copy of the vectors, and whether it has something left to read.
struct Copy {
    own: Own,
    left: bool,
}

/// Rows `p`, `p + n_parts`, `p + 2 n_parts`, .. of the vectors as of the last meeting: what one thread merges. Frequent
/// tokens come first, so every part has its share of them.
struct Part {
    tables: [Table; 2],
    /// Rows of the whole table that moved in the last round, by table.
    moved: [Vec<usize>; 2],
}

/// Trains all workers to the end and returns the input vectors.
pub(crate) fn train(workers: &mut [Worker<'_>], start: &Own, threads: usize) -> Table {
    let rows = start.rows();
    let round = (ROUND_PER_TOKEN * rows).clamp(ROUND_BOUNDS.0, ROUND_BOUNDS.1) / workers.len();
    let per_thread = workers.len().div_ceil(threads);
    let n_parts = workers.len().div_ceil(per_thread);
    let copies: Vec<RwLock<Copy>> =
        workers.iter().map(|_| RwLock::new(Copy { own: start.watched(), left: true })).collect();
    let parts: Vec<RwLock<Part>> = (0..n_parts)
        .map(|part| {
            let rows = || (part..rows).step_by(n_parts);
            let tables = [start.input.select(rows()), start.output.select(rows())];
            RwLock::new(Part { tables, moved: [Vec::new(), Vec::new()] })
        })
        .collect();
    let meeting =
        Meeting { n: n_parts, arrived: AtomicUsize::new(0), met: AtomicUsize::new(0), broken: AtomicBool::new(false) };
    std::thread::scope(|scope| {
        for (at, workers) in workers.chunks_mut(per_thread).enumerate() {
            let (copies, parts, meeting) = (&copies, &parts, &meeting);
            scope.spawn(move || {
                let _guard = Guard(meeting);
                let mine = &copies[at * per_thread..][..workers.len()];
                loop {
                    for (worker, copy) in workers.iter_mut().zip(mine) {
                        let mut copy = copy.write().unwrap_or_else(PoisonError::into_inner);
                        copy.left = worker.go_on(&mut copy.own, round);
                    }
                    meeting.wait();
                    if !merge_part(copies, &parts[at], at, n_parts) {
                        return;
                    }
                    meeting.wait();
                    for copy in mine {
                        take(&mut copy.write().unwrap_or_else(PoisonError::into_inner).own, parts);
                    }
                }
            });
        }
    });
    let parts: Vec<Part> =
        parts.into_iter().map(|part| part.into_inner().unwrap_or_else(PoisonError::into_inner)).collect();
    let mut vectors = start.input.clone();
    for row in 0..rows {
        vectors.row_mut(row).copy_from_slice(parts[row % n_parts].tables[0].row(row / n_parts));
    }
    vectors
}

/// Merges the rows of a part. True when a worker has something left to read.
fn merge_part(copies: &[RwLock<Copy>], part: &RwLock<Part>, at: usize, n_parts: usize) -> bool {
    let copies: Vec<_> = copies.iter().map(|copy| copy.read().unwrap_or_else(PoisonError::into_inner)).collect();
    let mut part = part.write().unwrap_or_else(PoisonError::into_inner);
    let Part { tables, moved } = &mut *part;
    let mut moves = Vec::new();
    for (which, (table, moved)) in tables.iter_mut().zip(moved).enumerate() {
        moved.clear();
        for row in (at..copies[0].own.rows()).step_by(n_parts) {
            if !copies.iter().any(|copy| copy.own.changed[which][row]) {
                continue;
            }
            moved.push(row);
            let common = table.row_mut(row / n_parts);
            moves.clear();
            for copy in &copies {
                let own = if which == 0 { &copy.own.input } else { &copy.own.output };
                moves.extend(own.row(row).iter().zip(&*common).map(|(to, from)| to - from));
            }
            let moved = merge(&mut moves, common.len());
            common.iter_mut().zip(moved).for_each(|(to, moved)| *to += moved);
        }
    }
    copies.iter().any(|copy| copy.left)
}

/// All workers' moves of a row, (n_workers, stride), as one: neighbours are merged, then those, and so on.
fn merge(moves: &mut [f32], stride: usize) -> &[f32] {
    let mut gap = stride;
    while gap < moves.len() {
        for pair in moves.chunks_mut(2 * gap).filter(|pair| pair.len() > gap) {
            let (first, second) = pair.split_at_mut(gap);
            let (first, second) = (&mut first[..stride], &second[..stride]);
            let (along, a, b) = (dot(first, second), dot(first, first), dot(second, second));
            let share = |square: f32| if square > 0.0 { 1.0 - along / (2.0 * square) } else { 1.0 };
            let (a, b) = (share(a), share(b));
            first.iter_mut().zip(second).for_each(|(to, from)| *to = a * *to + b * *from);
        }
        gap *= 2;
    }
    &moves[..stride]
}

/// A copy becomes what the parts say.
fn take(own: &mut Own, parts: &[RwLock<Part>]) {
    for part in parts {
        let part = part.read().unwrap_or_else(PoisonError::into_inner);
        for (which, moved) in part.moved.iter().enumerate() {
            let table = if which == 0 { &mut own.input } else { &mut own.output };
            for &row in moved {
                table.row_mut(row).copy_from_slice(part.tables[which].row(row / parts.len()));
                own.changed[which][row] = false;
            }
        }
    }
}

/// Where threads wait for each other. Rounds are short, so they look for each other a while before they yield.
struct Meeting {
    n: usize,
    arrived: AtomicUsize,
    met: AtomicUsize,
    broken: AtomicBool,
}

impl Meeting {
    fn wait(&self) {
        let met = self.met.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.n {
            self.arrived.store(0, Ordering::Release);
            self.met.store(met + 1, Ordering::Release);
            return;
        }
        let mut looks = 0;
        while self.met.load(Ordering::Acquire) == met {
            assert!(!self.broken.load(Ordering::Acquire), "another worker of word2vec panicked");
            if looks < SPINS {
                looks += 1;
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

/// Tells those who wait that one will not come.
struct Guard<'a>(&'a Meeting);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_that_part_are_added_and_moves_that_agree_are_averaged() {
        let merged = |first: [f32; 2], second: [f32; 2]| -> [f32; 2] {
            let mut moves = vec![0.0; 2 * 16];
            moves[..2].copy_from_slice(&first);
            moves[16..18].copy_from_slice(&second);
            let moved = merge(&mut moves, 16);
            [moved[0], moved[1]]
        };
        assert_eq!(merged([1.0, 0.0], [0.0, 3.0]), [1.0, 3.0]);
        assert_eq!(merged([1.0, 2.0], [1.0, 2.0]), [1.0, 2.0]);
        assert_eq!(merged([1.0, 2.0], [0.0, 0.0]), [1.0, 2.0]);
        // Of two that agree but differ in length, the mean.
        assert_eq!(merged([2.0, 0.0], [4.0, 0.0]), [3.0, 0.0]);
    }

    #[test]
    fn the_moves_of_many_workers_merge_in_pairs() {
        for workers in 1..=9 {
            let mut same = vec![0.5; workers * 16];
            assert_eq!(merge(&mut same, 16), [0.5; 16], "{workers} workers that learnt the same");
            let mut apart: Vec<f32> = (0..workers * 16).map(|i| f32::from(u8::from(i % 16 == i / 16))).collect();
            let moved = merge(&mut apart, 16);
            assert!((0..16).all(|i| moved[i] == f32::from(u8::from(i < workers))), "{workers} workers: {moved:?}");
        }
    }
}
