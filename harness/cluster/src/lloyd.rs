//! Lloyd's iteration from given centres, for many starts and numbers of clusters at a time: the inside of `kmeans`,
//! and what the oracle table compares with scikit-learn start by start.
//!
//! All starts walk over the data together, block by block, each at its own iteration; who has finished leaves and the
//! next start joins. Rows whose nearest centre cannot have changed are skipped by Hamerly's two bounds per row, and sums
//! follow only the rows that moved. None of this changes a bit: assignment is exact (see `search`), sums are made in
//! the order of rows, and no start reads another's state.

use std::ops::Range;

use trailmark_core::Matrix;

use crate::element::Element;
use crate::packed::{BLOCK, Packed};
use crate::search::{Nearest, Search, Verdicts, exact, label, narrow};
use crate::threads::{share_out, worthwhile};
use crate::width::per_width;

/// Starts under way at a time: their state is 12 bytes a row.
pub(crate) const STARTS: usize = 16;

/// Bytes of centres under way at a time (unless one start has more): they stay in the second-level cache.
const CENTRE_BYTES: usize = 1 << 20;

/// Factors wider than the rounding of a bound that moves.
const UP: f32 = 1.000_000_5;
const DOWN: f32 = 0.999_999_5;

/// When to stop, and what a centre is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    /// Number of iterations at most.
    pub(crate) max_iter: usize,
    /// Stop when the centres move by no more than this, as a sum of squared distances. scikit-learn's `tol` times the
    /// mean variance of the features.
    pub(crate) tol: f64,
    /// Whether means are stretched to length 1.
    pub(crate) unit: bool,
}

/// Where Lloyd's iteration ended.
#[derive(Debug, Clone)]
pub(crate) struct Lloyd {
    /// (n_clusters, n_features), centred.
    pub(crate) centres: Matrix<f64>,
    /// (n_samples,) nearest of `centres`.
    pub(crate) labels: Vec<u32>,
    /// Iterations made, counted as scikit-learn counts them.
    pub(crate) n_iter: usize,
    /// Whether it stopped by itself.
    pub(crate) converged: bool,
}

/// A row that goes to another cluster; `from` is [`NOWHERE`] at first.
#[derive(Debug, Clone, Copy)]
struct Move {
    row: usize,
    from: u32,
    to: u32,
}

const NOWHERE: u32 = u32::MAX;

/// One start under way.
struct Run {
    index: usize,
    centres: Matrix<f64>,
    labels: Vec<u32>,    // (n_samples,)
    upper: Vec<f32>,     // (n_samples,) at least the scaled distance to the own centre
    lower: Vec<f32>,     // (n_samples,) at most the scaled distance to any other
    drift: Drift,        // of the centres since the last assignment
    sums: Vec<Vec<f64>>, // by ranges of columns, each (n_clusters, columns of the range)
    counts: Vec<usize>,  // (n_clusters,)
    searched: usize,     // rows that the last assignment had to search
    n_iter: usize,
    resting: bool,
}

/// How far the centres went, scaled.
struct Drift {
    own: Vec<f32>, // (n_clusters,)
    farthest: usize,
    longest: f32, // of `farthest`
    second: f32,  // of the others
}

/// What all threads read of a run, and its rows to share out.
struct View<'a, T: Element> {
    search: Search<'a, T>,
    drift: &'a Drift,
    labels: &'a mut [u32],
    upper: &'a mut [f32],
    lower: &'a mut [f32],
}

/// The rows of one run that one thread works on.
struct Share<'a, T: Element> {
    search: &'a Search<'a, T>,
    drift: &'a Drift,
    labels: &'a mut [u32],
    upper: &'a mut [f32],
    lower: &'a mut [f32],
    first_row: usize,
    pending: Vec<usize>, // rows to search, too few in their panel to search all of it
    moves: Vec<Move>,
    searched: usize,
}

/// Room for one block of scores.
struct Scratch<T: Element> {
    scores: Vec<T::Line>,   // (BLOCK, n_clusters)
    gathered: Vec<T::Line>, // (n_features,)
    squares: Vec<T>,        // (LANES,)
    lengths: Vec<T>,        // (LANES,)
    verdicts: Verdicts,
}

/// Iterates from every start until assignments repeat, centres rest, or `max_iter`; hands each end over as it comes,
/// with the index of its start.
///
/// A cluster that loses its last row takes the row farthest from its own centre (lowest row among equals, never the
/// only row of a cluster), as scikit-learn does; when all rows lie on their centres it keeps its place, empty.
pub(crate) fn lloyd_all<T: Element>(
    data: &Packed<'_, T>,
    starts: Vec<Matrix<f64>>,
    stop: Stop,
    threads: usize,
    mut finished: impl FnMut(usize, Lloyd),
) {
    let mut waiting = starts.into_iter().enumerate().peekable();
    let mut runs: Vec<Run> = Vec::new();
    loop {
        let busy: usize = runs.iter().map(|run| bytes::<T>(&run.centres)).sum();
        let fits = |(_, start): &(usize, Matrix<f64>)| {
            runs.is_empty() || (runs.len() < STARTS && busy + bytes::<T>(start) <= CENTRE_BYTES)
        };
        if let Some((index, centres)) = waiting.next_if(fits) {
            runs.push(Run::new(index, centres, data.data.n_samples()));
            continue;
        }
        if runs.is_empty() {
            return;
        }
        let moves = assign(data, &mut runs, threads);
        update(data, &mut runs, &moves, stop, threads);
        let stepped = runs.into_iter().zip(&moves).filter_map(|(mut run, moves)| {
            let Some((n_iter, converged)) = run.step(data, moves.len(), stop) else { return Some(run) };
            finished(run.index, Lloyd { centres: run.centres, labels: run.labels, n_iter, converged });
            None
        });
        runs = stepped.collect();
    }
}

/// Bytes of packed centres.
fn bytes<T: Element>(centres: &Matrix<f64>) -> usize {
    size_of::<T>() * centres.as_slice().len()
}

/// Sends every row of every run to its nearest centre. Returns the rows that moved, ascending, per run.
fn assign<T: Element>(data: &Packed<'_, T>, runs: &mut [Run], threads: usize) -> Vec<Vec<Move>> {
    let n_features = data.data.n_features();
    // What was searched last time tells what will be now.
    let work = runs.iter().map(|run| run.searched * run.centres.rows() * n_features + 8 * run.labels.len()).sum();
    let blocks = data.n_panels().div_ceil(BLOCK);
    let rows_each = blocks.div_ceil(worthwhile(threads, work)) * BLOCK * T::LANES;
    let n_runs = runs.len();
    let mut views: Vec<View<'_, T>> = runs.iter_mut().map(|run| run.view(data)).collect();
    let mut parts: Vec<Vec<Share<'_, T>>> = Vec::new();
    for View { search, drift, labels, upper, lower } in &mut views {
        let rows = labels.chunks_mut(rows_each).zip(upper.chunks_mut(rows_each)).zip(lower.chunks_mut(rows_each));
        for (part, ((labels, upper), lower)) in rows.enumerate() {
            if parts.len() == part {
                parts.push(Vec::new());
            }
            parts[part].push(Share {
                search,
                drift,
                labels,
                upper,
                lower,
                first_row: part * rows_each,
                pending: Vec::with_capacity(T::LANES),
                moves: Vec::new(),
                searched: 0,
            });
        }
    }
    share_out(threads, parts.iter_mut().collect(), |shares: &mut Vec<Share<'_, T>>| walk(data, shares));
    let mut all: Vec<(Vec<Move>, usize)> = vec![(Vec::new(), 0); n_runs];
    for shares in parts {
        for ((moves, searched), share) in all.iter_mut().zip(shares) {
            if moves.is_empty() {
                *moves = share.moves;
            } else {
                moves.extend(share.moves);
            }
            *searched += share.searched;
        }
    }
    for (run, (_, searched)) in runs.iter_mut().zip(&all) {
        run.searched = *searched;
    }
    all.into_iter().map(|(moves, _)| moves).collect()
}

/// One thread's walk over its rows, block by block, all runs at each block.
fn walk<T: Element>(data: &Packed<'_, T>, shares: &mut [Share<'_, T>]) {
    let Some(Share { first_row, labels, .. }) = shares.first() else { return };
    let rows = *first_row..first_row + labels.len();
    let most = shares.iter().map(|share| share.search.n_clusters()).max().unwrap_or(0);
    let mut scratch = Scratch {
        scores: vec![T::ZEROS; BLOCK * most],
        gathered: vec![T::ZEROS; data.data.n_features()],
        squares: vec![T::default(); T::LANES],
        lengths: vec![T::default(); T::LANES],
        verdicts: Verdicts::new(),
    };
    for first in rows.clone().step_by(BLOCK * T::LANES) {
        let block = first..(first + BLOCK * T::LANES).min(rows.end);
        for share in &mut *shares {
            share.block(data, block.clone(), &mut scratch);
        }
    }
    for share in shares {
        share.flush(data, &mut scratch);
        share.moves.sort_unstable_by_key(|moved| moved.row);
    }
}

impl<T: Element> Share<'_, T> {
    /// Moves the bounds of some rows along with the centres, and searches where they no longer decide.
    fn block(&mut self, data: &Packed<'_, T>, rows: Range<usize>, scratch: &mut Scratch<T>) {
        let k = self.search.n_clusters();
        // Searching a whole panel costs `k` steps a feature, packing a row of its own about one and `k / 32`.
        let enough = T::LANES * k / (k + T::LANES);
        let mut whole = [(0, 0_u32); BLOCK];
        let mut n_whole = 0;
        for panel in rows.start / T::LANES..rows.end.div_ceil(T::LANES) {
            let first = panel * T::LANES;
            let unsure = self.unsure(first..(first + T::LANES).min(rows.end));
            let count = unsure.count_ones() as usize;
            self.searched += count;
            if count > enough {
                whole[n_whole] = (panel, unsure);
                n_whole += 1;
            } else {
                for lane in lanes_of(unsure) {
                    self.pending.push(first + lane);
                    if self.pending.len() == T::LANES {
                        self.flush(data, scratch);
                    }
                }
            }
        }
        let whole = &whole[..n_whole];
        let mut panels: [&[T::Line]; BLOCK] = [&[]; BLOCK];
        for (lines, (panel, _)) in panels.iter_mut().zip(whole) {
            *lines = data.panel(*panel);
        }
        self.search.scores(&panels[..n_whole], &mut scratch.scores);
        for (&(panel, unsure), scores) in whole.iter().zip(scratch.scores.chunks_exact(k)) {
            self.search.judge(scores, data.squares(panel), data.lengths(panel), &mut scratch.verdicts);
            for lane in lanes_of(unsure) {
                let row = panel * T::LANES + lane;
                self.note(row, self.search.settle(data, row, lane, scores, &scratch.verdicts));
            }
        }
    }

    /// Searches the rows that wait.
    fn flush(&mut self, data: &Packed<'_, T>, scratch: &mut Scratch<T>) {
        if self.pending.is_empty() {
            return;
        }
        data.gather(&self.pending, &mut scratch.gathered, &mut scratch.squares, &mut scratch.lengths);
        let scores = &mut scratch.scores[..self.search.n_clusters()];
        self.search.scores(&[&scratch.gathered], scores);
        self.search.judge(scores, &scratch.squares, &scratch.lengths, &mut scratch.verdicts);
        for (lane, row) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            self.note(row, self.search.settle(data, row, lane, scores, &scratch.verdicts));
        }
    }

    /// The rows of a panel whose bounds do not decide, one bit each.
    fn unsure(&mut self, rows: Range<usize>) -> u32 {
        let rows = rows.start - self.first_row..rows.end - self.first_row;
        let bounds = self.upper[rows.clone()].iter_mut().zip(&mut self.lower[rows.clone()]);
        let mut unsure = 0;
        for (lane, (&label, (upper, lower))) in self.labels[rows].iter().zip(bounds).enumerate() {
            if label != NOWHERE {
                let own = label as usize;
                let others = if own == self.drift.farthest { self.drift.second } else { self.drift.longest };
                *upper = (*upper + self.drift.own[own]) * UP;
                *lower = *lower * DOWN - others;
            }
            unsure |= u32::from(*upper * UP >= *lower) << lane;
        }
        unsure
    }

    /// Notes a row's nearest centre.
    fn note(&mut self, row: usize, nearest: Nearest) {
        let at = row - self.first_row;
        (self.upper[at], self.lower[at]) = (nearest.upper, nearest.lower);
        let from = std::mem::replace(&mut self.labels[at], nearest.label);
        if from != nearest.label {
            self.moves.push(Move { row, from, to: nearest.label });
        }
    }
}

/// The places of the ones in a mask, ascending.
fn lanes_of(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (lane < 32).then_some(lane)
    })
}

/// Carries the rows that moved from sum to sum, in the order of rows; threads share the columns.
fn update<T: Element>(data: &Packed<'_, T>, runs: &mut [Run], moves: &[Vec<Move>], stop: Stop, threads: usize) {
    let (x, n_features) = (data.data.x.as_slice(), data.data.n_features());
    let work = moves.iter().map(Vec::len).sum::<usize>() * n_features;
    let threads = worthwhile(threads, work);
    let parts_each = n_features.div_ceil(columns_each(n_features)).div_ceil(threads);
    let mut items = Vec::new();
    // Who stops now has no use for sums.
    for (run, moves) in runs.iter_mut().zip(moves).filter(|(run, _)| run.n_iter < stop.max_iter) {
        for moved in moves {
            if moved.from != NOWHERE {
                run.counts[moved.from as usize] -= 1;
            }
            run.counts[moved.to as usize] += 1;
        }
        let (counts, columns) = (&run.counts, columns_each(n_features));
        let parts: Vec<_> = run.sums.iter_mut().enumerate().map(|(part, sums)| (part * columns, sums)).collect();
        let mut parts = parts.into_iter().peekable();
        while parts.peek().is_some() {
            items.push((parts.by_ref().take(parts_each).collect::<Vec<_>>(), counts, moves));
        }
    }
    share_out(threads, items, |(mut parts, counts, moves)| {
        // All columns of a few rows at a time, so that each row is fetched once.
        for moves in moves.chunks(64) {
            for (first, sums) in &mut parts {
                let columns = sums.len() / counts.len();
                carry(data.width, x, n_features, *first, columns, moves, sums);
            }
        }
        for (_, sums) in parts {
            let columns = sums.len() / counts.len();
            for (sums, count) in sums.chunks_exact_mut(columns).zip(counts) {
                if *count == 0 {
                    sums.fill(0.0); // what is left is rounding
                }
            }
        }
    });
}

/// Columns of one part of the sums.
fn columns_each(n_features: usize) -> usize {
    n_features.div_ceil(4).next_multiple_of(16).max(32)
}

per_width! {
    /// Carries the columns from `first` on of rows that moved.
    fn [T: Element] carry(x: &[T], n_features: usize, first: usize, columns: usize, moves: &[Move], sums: &mut [f64]) {
        for moved in moves {
            let row = &x[moved.row * n_features + first..][..columns];
            if moved.from != NOWHERE {
                let sums = &mut sums[moved.from as usize * columns..][..columns];
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum -= value.to_f64());
            }
            let sums = &mut sums[moved.to as usize * columns..][..columns];
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value.to_f64());
        }
    }
}

impl Run {
    fn new(index: usize, centres: Matrix<f64>, n: usize) -> Self {
        let (k, n_features) = (centres.rows(), centres.cols());
        let each = columns_each(n_features);
        let part = |first| vec![0.0; k * each.min(n_features - first)];
        Self {
            index,
            labels: vec![NOWHERE; n],
            upper: vec![f32::INFINITY; n],
            lower: vec![0.0; n],
            drift: Drift { own: vec![0.0; k], farthest: 0, longest: 0.0, second: 0.0 },
            sums: (0..n_features).step_by(each).map(part).collect(),
            counts: vec![0; k],
            searched: n,
            n_iter: 0,
            resting: false,
            centres,
        }
    }

    fn view<T: Element>(&mut self, data: &Packed<'_, T>) -> View<'_, T> {
        View {
            search: Search::new(&self.centres, data.scale, data.width),
            drift: &self.drift,
            labels: &mut self.labels,
            upper: &mut self.upper,
            lower: &mut self.lower,
        }
    }

    /// What follows an assignment in which so many rows moved: the end, with iterations and convergence, or centres
    /// in new places.
    fn step<T: Element>(&mut self, data: &Packed<'_, T>, moved: usize, stop: Stop) -> Option<(usize, bool)> {
        if self.n_iter == stop.max_iter {
            return Some((self.n_iter, self.resting || moved == 0));
        }
        let refilled = self.refill(data);
        if refilled == 0 && (moved == 0 || self.resting) {
            // scikit-learn counts the iteration in which nothing moved, unless it had stopped at `tol` before.
            return Some((self.n_iter + usize::from(!self.resting), true));
        }
        self.resting = self.move_centres(data.scale, stop.unit) <= stop.tol;
        self.n_iter += 1;
        None
    }

    /// Gives every empty cluster a row. Returns the number of clusters refilled.
    fn refill<T: Element>(&mut self, data: &Packed<'_, T>) -> usize {
        let empty: Vec<usize> = (0..self.counts.len()).filter(|&j| self.counts[j] == 0).collect();
        if empty.is_empty() {
            return 0;
        }
        let x = &data.data.x;
        let mut distances: Vec<f64> = (x.iter_rows().zip(&self.labels))
            .map(|(row, &label)| exact(data.width, row, self.centres.row(label as usize)))
            .collect();
        let mut moves = Vec::new();
        for to in empty {
            let mut farthest: Option<usize> = None;
            for row in 0..distances.len() {
                let shared = self.counts[self.labels[row] as usize] > 1;
                if shared && distances[row] > farthest.map_or(0.0, |row| distances[row]) {
                    farthest = Some(row);
                }
            }
            let Some(row) = farthest else { break };
            let from = std::mem::replace(&mut self.labels[row], label(to));
            moves.push(Move { row, from, to: label(to) });
            self.counts[from as usize] -= 1;
            self.counts[to] += 1;
            distances[row] = 0.0;
            self.upper[row] = f32::INFINITY;
        }
        let (n_features, each) = (x.cols(), columns_each(x.cols()));
        for (part, sums) in self.sums.iter_mut().enumerate() {
            let columns = sums.len() / self.counts.len();
            carry(data.width, x.as_slice(), n_features, part * each, columns, &moves, sums);
        }
        moves.len()
    }

    /// Centres go to the mean of their rows. Returns the sum of squared moves.
    fn move_centres(&mut self, scale: f64, unit: bool) -> f64 {
        let each = columns_each(self.centres.cols());
        let mut total = 0.0;
        let mut mean = vec![0.0; self.centres.cols()];
        for j in 0..self.centres.rows() {
            self.drift.own[j] = 0.0;
            if self.counts[j] == 0 {
                continue;
            }
            for (mean, sums) in mean.chunks_mut(each).zip(&self.sums) {
                mean.copy_from_slice(&sums[j * mean.len()..(j + 1) * mean.len()]);
            }
            let divisor = if unit { mean.iter().map(|v| v * v).sum::<f64>().sqrt() } else { self.counts[j] as f64 };
            if divisor <= 0.0 {
                continue; // directions that cancel: the centre stays
            }
            let mut made = 0.0;
            for (centre, sum) in self.centres.row_mut(j).iter_mut().zip(&mean) {
                let mean = sum / divisor;
                made += (mean - *centre) * (mean - *centre);
                *centre = mean;
            }
            total += made;
            self.drift.own[j] = narrow(made.sqrt() * scale) * UP * UP;
        }
        let own = &self.drift.own;
        let farthest = (1..own.len()).fold(0, |best, j| if own[j] > own[best] { j } else { best });
        let others = (0..own.len()).filter(|&j| j != farthest).map(|j| own[j]);
        self.drift.second = others.fold(0.0, f32::max);
        self.drift.longest = self.drift.own[farthest];
        self.drift.farthest = farthest;
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centred::Centred;
    use crate::centroids::means;
    use crate::kernel::squared_distance;
    use trailmark_core::Stream;

    const EXACT: Stop = Stop { max_iter: 300, tol: 0.0, unit: false };

    fn normal<T: Element>(n: usize, width: usize, seed: u64) -> Matrix<T> {
        let mut draws = Stream::new(seed);
        let mut x = Matrix::<T>::zeros(n, width);
        x.as_mut_slice().iter_mut().for_each(|value| *value = T::from_f64(draws.normal()));
        x
    }

    fn ends<T: Element>(data: &Packed<'_, T>, starts: Vec<Matrix<f64>>, stop: Stop, threads: usize) -> Vec<Lloyd> {
        let mut ends: Vec<Option<Lloyd>> = starts.iter().map(|_| None).collect();
        lloyd_all(data, starts, stop, threads, |index, end| ends[index] = Some(end));
        ends.into_iter().map(Option::unwrap).collect()
    }

    fn first_rows<T: Element>(data: &Centred<T>, k: usize) -> Matrix<f64> {
        data.x.select_rows(&(0..k).collect::<Vec<_>>()).cast()
    }

    /// Lloyd's iteration without bounds, products or running sums.
    fn plain<T: Element>(data: &Centred<T>, mut centres: Matrix<f64>, iterations: usize) -> Vec<u32> {
        let nearest = |centres: &Matrix<f64>| -> Vec<u32> {
            data.x
                .iter_rows()
                .map(|row| {
                    let distances: Vec<f64> = centres.iter_rows().map(|centre| squared_distance(row, centre)).collect();
                    let best = (0..distances.len()).fold(0, |b, j| if distances[j] < distances[b] { j } else { b });
                    u32::try_from(best).unwrap()
                })
                .collect()
        };
        for _ in 0..iterations {
            centres = means(&data.x, &nearest(&centres), centres.rows());
        }
        nearest(&centres)
    }

    fn against_plain<T: Element>() {
        for (n, width, k) in [(700, 2, 7), (600, 33, 12), (520, 100, 5), (900, 3, 40)] {
            let data = Centred::new(&normal::<T>(n, width, 11));
            let packed = Packed::new(&data, 1);
            for max_iter in [0, 1, 2, 5, 12] {
                let fast = ends(&packed, vec![first_rows(&data, k)], Stop { max_iter, ..EXACT }, 1);
                assert_eq!(fast[0].labels, plain(&data, first_rows(&data, k), max_iter), "{n} x {width}, {max_iter}");
            }
        }
    }

    #[test]
    fn bounds_and_products_skip_work_and_never_change_a_label() {
        against_plain::<f32>();
        against_plain::<f64>();
    }

    #[test]
    fn rows_that_products_cannot_tell_apart_go_to_the_lowest_of_equal_centres() {
        // Lattice points are equally far from many centres, and a common offset leaves products few digits.
        for offset in [0.0_f32, 4096.0] {
            let rows: Vec<Vec<f32>> =
                (0..625).map(|i| vec![(i % 25) as f32 + offset, (i / 25) as f32 - offset]).collect();
            let data = Centred::new(&Matrix::from_rows(&rows).unwrap());
            let packed = Packed::new(&data, 1);
            let start: Vec<usize> = (0..40).map(|j| (j * 31) % 625).collect();
            let start: Matrix<f64> = data.x.select_rows(&start).cast();
            let found = ends(&packed, vec![start.clone()], Stop { max_iter: 0, ..EXACT }, 1);
            assert_eq!(found[0].labels, plain(&data, start, 0), "offset {offset}");
        }
    }

    #[test]
    fn values_at_the_ends_of_the_range_of_f32_are_assigned_exactly() {
        for size in [1e-38_f32, 1e-20, 1e20, 1e38] {
            let rows: Vec<Vec<f32>> =
                (0..90).map(|i| vec![size * (i % 3) as f32, size * 0.01 * (i / 3) as f32]).collect();
            let data = Centred::new(&Matrix::from_rows(&rows).unwrap());
            let packed = Packed::new(&data, 1);
            let found = ends(&packed, vec![first_rows(&data, 3)], EXACT, 1);
            let expected: Vec<u32> = (0..90).map(|i| i % 3).collect();
            assert_eq!(found[0].labels, expected, "values of size {size}");
        }
    }

    #[test]
    fn a_start_ends_the_same_alone_and_among_others_on_one_thread_and_on_more_to_the_bit() {
        let data = Centred::new(&normal::<f32>(20_000, 40, 3));
        let packed = Packed::new(&data, 1);
        let starts: Vec<Matrix<f64>> = (2..40).map(|k| first_rows(&data, k)).collect();
        let stop = Stop { max_iter: 12, ..EXACT };
        let together = ends(&packed, starts.clone(), stop, 1);
        let threaded = ends(&Packed::new(&data, 3), starts.clone(), stop, 3);
        for (at, start) in starts.into_iter().enumerate() {
            let bits = |end: &Lloyd| end.centres.as_slice().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            let k = start.rows();
            for other in [&threaded[at], &ends(&packed, vec![start], stop, 1)[0]] {
                assert_eq!(together[at].labels, other.labels, "{k} clusters");
                assert_eq!(bits(&together[at]), bits(other), "{k} clusters");
                assert_eq!(together[at].n_iter, other.n_iter, "{k} clusters");
            }
        }
    }

    #[test]
    fn the_vector_unit_changes_no_bit() {
        let data = Centred::new(&normal::<f32>(3_000, 20, 9));
        let mut packed = Packed::new(&data, 1);
        let mut found = Vec::new();
        for width in crate::width::Width::available() {
            packed.width = width;
            found.push(ends(&packed, vec![first_rows(&data, 13)], Stop { max_iter: 5, ..EXACT }, 1).remove(0));
        }
        for other in &found[1..] {
            assert_eq!(found[0].labels, other.labels);
            assert_eq!(found[0].centres, other.centres);
        }
    }

    #[test]
    fn permuted_rows_from_the_same_start_get_permuted_labels() {
        let data = Centred::new(&normal::<f64>(400, 6, 5));
        let order: Vec<usize> = (0..400).map(|i| (i * 171) % 400).collect();
        // The same mean, so that both see the same numbers.
        let permuted = Centred::around(&data.x.select_rows(&order), vec![0.0; 6].into(), 1);
        let plain = ends(&Packed::new(&data, 1), vec![first_rows(&data, 9)], EXACT, 1).remove(0);
        let other = ends(&Packed::new(&permuted, 1), vec![first_rows(&data, 9)], EXACT, 1).remove(0);
        let expected: Vec<u32> = order.iter().map(|&row| plain.labels[row]).collect();
        assert_eq!(other.labels, expected);
    }

    #[test]
    fn centres_on_the_unit_sphere_stay_there() {
        let mut x = normal::<f32>(200, 5, 8);
        for row in 0..200 {
            let length = x.row(row).iter().map(|v| v * v).sum::<f32>().sqrt();
            x.row_mut(row).iter_mut().for_each(|v| *v /= length);
        }
        let data = Centred::around(&x, vec![0.0; 5].into(), 1);
        let stop = Stop { unit: true, ..EXACT };
        let end = ends(&Packed::new(&data, 1), vec![first_rows(&data, 4)], stop, 1).remove(0);
        for centre in end.centres.iter_rows() {
            let length: f64 = centre.iter().map(|v| v * v).sum();
            assert!((length - 1.0).abs() < 1e-12, "{length}");
        }
    }
}
