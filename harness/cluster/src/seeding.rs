//! Starts of k-means: rows drawn at random, or by greedy k-means++ as scikit-learn does it, for many starts at a time.

use std::ops::Range;

use trailmark_core::{Matrix, Stream};

use crate::element::{Element, TILE};
use crate::kernel::squared_distance_of_rows;
use crate::packed::{BLOCK, Packed};
use crate::threads::{share_out, worthwhile};
use crate::width::per_width;

/// Numbers a row kept at a time, over all starts that are drawn together.
pub(crate) const KEPT: usize = 64;

/// Share of `|a|² + |b|²` below which a squared distance taken from a product has lost too many digits, and is made
/// again from differences. So equal rows are at distance 0 exactly, and are never drawn twice while others are left.
const CLOSE: f64 = 1e-4;

/// How the first centres are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Init {
    /// Greedy k-means++.
    PlusPlus,
    /// Distinct rows, uniformly.
    Random,
}

/// One start to draw.
pub(crate) struct Draw {
    /// Number of centres.
    pub(crate) n_clusters: usize,
    /// Rows tried for each centre of k-means++.
    pub(crate) n_trials: usize,
    /// Where its draws come from.
    pub(crate) draws: Stream,
}

/// As many trials as scikit-learn makes: `2 + ln(n_clusters)`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
pub(crate) fn usual_trials(n_clusters: usize) -> usize {
    2 + libm::log(n_clusters as f64) as usize
}

/// The first centres of every start, each (n_clusters, n_features); the bits of none depend on the others.
pub(crate) fn starts<T: Element>(
    data: &Packed<'_, T>,
    init: Init,
    wanted: Vec<Draw>,
    threads: usize,
) -> Vec<Matrix<f64>> {
    let n = data.data.n_samples();
    let rows: Vec<Vec<usize>> = match init {
        Init::Random => wanted.into_iter().map(|mut one| distinct(n, one.n_clusters, &mut one.draws)).collect(),
        Init::PlusPlus => {
            let mut rows = Vec::with_capacity(wanted.len());
            let mut waiting = wanted.into_iter().peekable();
            while waiting.peek().is_some() {
                let mut together: Vec<Seeding<T>> = Vec::new();
                let kept = |all: &[Seeding<T>]| all.iter().map(|one| one.wanted.n_trials + 1).sum::<usize>();
                while let Some(one) =
                    waiting.next_if(|one| together.is_empty() || kept(&together) + one.n_trials < KEPT)
                {
                    together.push(Seeding::new(data, one));
                }
                plus_plus(data, &mut together, threads);
                rows.extend(together.into_iter().map(|one| one.chosen));
            }
            rows
        }
    };
    rows.iter().map(|rows| data.data.x.select_rows(rows).cast()).collect()
}

/// `n` distinct indices below `of`, by the first steps of a Fisher-Yates shuffle.
pub(crate) fn distinct(of: usize, n: usize, draws: &mut Stream) -> Vec<usize> {
    let mut all: Vec<usize> = (0..of).collect();
    for i in 0..n {
        let other = i + draws.below(of - i);
        all.swap(i, other);
    }
    all.truncate(n);
    all
}

/// One start of k-means++ under way. Squared distances are scaled, and 0 past the last row.
struct Seeding<T: Element> {
    wanted: Draw,
    chosen: Vec<usize>,
    trials: Vec<Trial<T>>,
    /// (rows of all panels,) to the nearest centre so far.
    closest: Vec<T>,
    /// (blocks,) their sums.
    sums: Vec<f64>,
}

/// A row tried as the next centre.
struct Trial<T> {
    row: usize,
    closest: Vec<T>, // (rows of all panels,) if it were taken
    sums: Vec<f64>,  // (blocks,)
}

/// The trials of one start as one thread sees them: its own rows of each.
struct Share<'a, T: Element> {
    rows: Vec<usize>,
    packed: Vec<T>, // (n_features, trials), per tile
    halves: Vec<T>, // (trials,)
    closest: &'a [T],
    out: Vec<(&'a mut [T], &'a mut [f64])>,
}

/// Arthur and Vassilvitskii 2007 with the greedy choice among several trials: each next centre is drawn with
/// probability proportional to the squared distance to the nearest centre so far, several times, and the draw that
/// lowers the sum of these distances most is kept.
///
/// Distances are made of products whose bits agree on every processor, and all starts share each pass over the data.
fn plus_plus<T: Element>(data: &Packed<'_, T>, all: &mut [Seeding<T>], threads: usize) {
    let n = data.data.n_samples();
    for one in &mut *all {
        // The first centre is a trial without rivals.
        one.trials.truncate(1);
        one.trials[0].row = one.wanted.draws.below(n);
    }
    let mut first = true;
    loop {
        let mut active: Vec<&mut Seeding<T>> = Vec::new();
        for one in &mut *all {
            if first || one.draw(n) {
                active.push(one);
            }
        }
        if active.is_empty() {
            return;
        }
        try_all(data, &mut active, threads);
        for one in active {
            one.keep_the_best();
        }
        first = false;
    }
}

impl<T: Element> Seeding<T> {
    fn new(data: &Packed<'_, T>, wanted: Draw) -> Self {
        let rows = data.n_panels() * T::LANES;
        let mut closest = vec![T::INFINITY; rows];
        closest[data.data.n_samples()..].fill(T::default());
        let sums = vec![0.0; data.n_panels().div_ceil(BLOCK)];
        let trial = Trial { row: 0, closest: Vec::new(), sums: Vec::new() };
        Self { wanted, chosen: Vec::new(), trials: vec![trial], closest, sums }
    }

    /// Draws the rows to try next; false when all centres are chosen.
    fn draw(&mut self, n: usize) -> bool {
        while self.chosen.len() < self.wanted.n_clusters {
            let total: f64 = self.sums.iter().sum();
            if total > 0.0 {
                let n_trials = self.wanted.n_trials;
                self.trials.resize_with(n_trials, || Trial { row: 0, closest: Vec::new(), sums: Vec::new() });
                for trial in 0..n_trials {
                    let at = self.wanted.draws.uniform() * total;
                    self.trials[trial].row = self.find(at);
                }
                return true;
            }
            // Every row lies on a centre: any further start is a duplicate.
            let row = self.wanted.draws.below(n);
            self.chosen.push(row);
        }
        false
    }

    /// The first row at which the running sum of distances exceeds a value: by blocks, then by rows.
    fn find(&self, mut left: f64) -> usize {
        let rows = BLOCK * T::LANES;
        let mut last = 0;
        for (block, sum) in self.sums.iter().enumerate() {
            if left >= *sum {
                left -= sum;
                if *sum > 0.0 {
                    last = block;
                }
                continue;
            }
            last = block;
            break;
        }
        let mut found = last * rows;
        for (row, distance) in self.closest.iter().enumerate().skip(last * rows).take(rows) {
            let distance = distance.to_f64();
            if distance > 0.0 {
                found = row;
                if left < distance {
                    break;
                }
                left -= distance;
            }
        }
        found
    }

    /// Takes the trial that leaves the least sum, the first among equals.
    fn keep_the_best(&mut self) {
        let totals: Vec<f64> = self.trials.iter().map(|trial| trial.sums.iter().sum()).collect();
        let best = (1..totals.len()).fold(0, |best, trial| if totals[trial] < totals[best] { trial } else { best });
        let best = &mut self.trials[best];
        self.chosen.push(best.row);
        std::mem::swap(&mut self.closest, &mut best.closest);
        std::mem::swap(&mut self.sums, &mut best.sums);
    }
}

/// Distances to the nearest centre if each trial were taken, in one pass over the data for all starts.
fn try_all<T: Element>(data: &Packed<'_, T>, all: &mut [&mut Seeding<T>], threads: usize) {
    let n_features = data.data.n_features();
    let n_trials: usize = all.iter().map(|one| one.trials.len()).sum();
    let n_blocks = data.n_panels().div_ceil(BLOCK);
    let threads = worthwhile(threads, data.data.n_samples() * n_features * n_trials);
    let blocks_each = n_blocks.div_ceil(threads);
    let rows_each = blocks_each * BLOCK * T::LANES;
    let mut parts: Vec<Vec<Share<'_, T>>> = (0..n_blocks.div_ceil(blocks_each)).map(|_| Vec::new()).collect();
    for one in all {
        let Seeding { trials, closest, sums, .. } = &mut **one;
        let (packed, halves) = pack(data, trials);
        let rows: Vec<usize> = trials.iter().map(|trial| trial.row).collect();
        let mut out: Vec<Vec<(&mut [T], &mut [f64])>> = parts.iter().map(|_| Vec::new()).collect();
        for trial in trials {
            trial.closest.resize(closest.len(), T::default());
            trial.sums.resize(sums.len(), 0.0);
            let slices = trial.closest.chunks_mut(rows_each).zip(trial.sums.chunks_mut(blocks_each));
            out.iter_mut().zip(slices).for_each(|(out, slices)| out.push(slices));
        }
        for ((part, out), closest) in parts.iter_mut().zip(out).zip(closest.chunks(rows_each)) {
            part.push(Share { rows: rows.clone(), packed: packed.clone(), halves: halves.clone(), closest, out });
        }
    }
    let items = parts.into_iter().enumerate().collect();
    share_out(threads, items, |(part, mut shares): (usize, Vec<Share<'_, T>>)| {
        let mut products = vec![T::ZEROS; TILE];
        let blocks = part * blocks_each..((part + 1) * blocks_each).min(n_blocks);
        for block in blocks.clone() {
            let panels = block * BLOCK..((block + 1) * BLOCK).min(data.n_panels());
            for share in &mut shares {
                share.block(data, panels.clone(), block - blocks.start, &mut products);
            }
        }
    });
}

/// The trials of a start as the right factor of a product: per tile (n_features, trials), and half squared lengths.
fn pack<T: Element>(data: &Packed<'_, T>, trials: &[Trial<T>]) -> (Vec<T>, Vec<T>) {
    let scale = T::from_f64(data.scale);
    let mut packed = Vec::with_capacity(trials.len() * data.data.n_features());
    for tile in trials.chunks(TILE) {
        for feature in 0..data.data.n_features() {
            packed.extend(tile.iter().map(|trial| data.data.x.row(trial.row)[feature] * scale));
        }
    }
    let half = |trial: &Trial<T>| T::from_f64(0.5 * data.data.squared_lengths[trial.row] * data.scale * data.scale);
    (packed, trials.iter().map(half).collect())
}

impl<T: Element> Share<'_, T> {
    /// The rows of one block, `at` of this share.
    fn block(&mut self, data: &Packed<'_, T>, panels: Range<usize>, at: usize, products: &mut [T::Line]) {
        let n_features = data.data.n_features();
        let start = at * BLOCK * T::LANES;
        for tile in (0..self.rows.len()).step_by(TILE) {
            let count = TILE.min(self.rows.len() - tile);
            let packed = &self.packed[tile * n_features..(tile + count) * n_features];
            for (slot, panel) in panels.clone().enumerate() {
                let products = &mut products[..count];
                T::tile(data.width, data.panel(panel), packed, products);
                let rows = start + slot * T::LANES..start + (slot + 1) * T::LANES;
                for (trial, line) in (tile..).zip(&*products) {
                    let out = &mut self.out[trial].0[rows.clone()];
                    let halves = self.halves[trial];
                    let before = &self.closest[rows.clone()];
                    if improve::<T>(data.width, line, data.squares(panel), halves, before, out) {
                        again(data, panel, self.rows[trial], before, out);
                    }
                }
            }
        }
        let rows = start..start + panels.len() * T::LANES;
        for (closest, sums) in &mut self.out {
            sums[at] = sum::<T>(data.width, &closest[rows.clone()]);
        }
    }
}

/// Makes the small distances of a panel to a trial again, from differences.
fn again<T: Element>(data: &Packed<'_, T>, panel: usize, trial: usize, before: &[T], out: &mut [T]) {
    let (x, squares) = (&data.data.x, &data.data.squared_lengths);
    let rows = panel * T::LANES..((panel + 1) * T::LANES).min(data.data.n_samples());
    let square = data.scale * data.scale;
    for ((row, before), out) in rows.zip(before).zip(out) {
        if out.to_f64() <= CLOSE * (squares[row] + squares[trial]) * square {
            let exact = T::from_f64(squared_distance_of_rows(x.row(row), x.row(trial)) * square);
            *out = if exact < *before { exact } else { *before };
        }
    }
}

per_width! {
    /// Squared distances of a panel to a trial where they are less than before. True when one of them is too small to
    /// be trusted.
    fn [T: Element] improve(
        products: &T::Line, squares: &[T], half: T, before: &[T], out: &mut [T]
    ) -> bool {
        let products = T::lanes(products);
        let close = T::from_f64(CLOSE);
        let mut near = false;
        for lane in 0..T::LANES {
            let score = half - products[lane];
            let distance = squares[lane] + (score + score);
            near |= distance <= close * (squares[lane] + (half + half));
            out[lane] = if distance < before[lane] { distance } else { before[lane] };
        }
        near
    }
}

per_width! {
    /// Sum over the rows of a block: eight running sums over rows mod 8, then those sums in order.
    fn [T: Element] sum(closest: &[T]) -> f64 {
        let mut sums = [0.0_f64; 8];
        for chunk in closest.chunks_exact(8) {
            for lane in 0..8 {
                sums[lane] += chunk[lane].to_f64();
            }
        }
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centred::Centred;
    use crate::kernel::squared_distance_of_rows;

    fn points(n: usize, width: usize) -> Centred {
        let mut draws = Stream::new(4);
        let mut x = Matrix::<f32>::zeros(n, width);
        x.as_mut_slice().iter_mut().for_each(|value| *value = draws.normal() as f32);
        Centred::new(&x)
    }

    fn draw(n_clusters: usize) -> Draw {
        Draw { n_clusters, n_trials: 3, draws: Stream::new(n_clusters as u64) }
    }

    #[test]
    fn a_start_is_the_same_alone_and_among_others_and_on_more_threads() {
        let data = points(9_000, 24);
        let packed = Packed::new(&data, 1);
        let all = starts(&packed, Init::PlusPlus, (1..60).map(draw).collect(), 1);
        assert_eq!(all, starts(&packed, Init::PlusPlus, (1..60).map(draw).collect(), 3));
        for k in [1, 2, 30, 59] {
            let alone = starts(&packed, Init::PlusPlus, vec![draw(k)], 1);
            assert_eq!(alone[0], all[k - 1], "{k} centres");
        }
    }

    #[test]
    fn distances_to_the_nearest_centre_are_those_of_differences() {
        let data = points(1_000, 30);
        let packed = Packed::new(&data, 1);
        let mut all = vec![Seeding::new(&packed, draw(12))];
        plus_plus(&packed, &mut all, 1);
        assert_eq!(all[0].chosen.len(), 12);
        for row in 0..1_000 {
            let to = |chosen: &usize| squared_distance_of_rows(data.x.row(row), data.x.row(*chosen));
            let nearest = all[0].chosen.iter().map(to).fold(f64::INFINITY, f64::min);
            let got = f64::from(all[0].closest[row]) / (packed.scale * packed.scale);
            assert!((got - nearest).abs() <= 1e-4 * nearest, "row {row}: {got} for {nearest}");
        }
        let exact = all[0].chosen.iter().all(|&row| all[0].closest[row] <= 0.0);
        assert!(exact, "a centre is at distance 0 of itself");
    }

    #[test]
    fn distinct_rows_are_drawn_before_any_is_drawn_twice() {
        let rows: Vec<Vec<f32>> = (0..200).map(|i| vec![1e6 + (i % 8) as f32, 3.0]).collect();
        let data = Centred::new(&Matrix::from_rows(&rows).unwrap());
        let packed = Packed::new(&data, 1);
        for seed in 0..20 {
            let wanted = Draw { n_clusters: 8, n_trials: 2, draws: Stream::new(seed) };
            let start = starts(&packed, Init::PlusPlus, vec![wanted], 1).remove(0);
            let mut values: Vec<i64> = start.iter_rows().map(|row| (row[0] * 10.0).round() as i64).collect();
            values.sort_unstable();
            values.dedup();
            assert_eq!(values.len(), 8, "seed {seed}");
        }
        // Past the distinct rows, duplicates.
        let wanted = Draw { n_clusters: 11, n_trials: 2, draws: Stream::new(1) };
        assert_eq!(starts(&packed, Init::PlusPlus, vec![wanted], 1)[0].rows(), 11);
    }

    #[test]
    fn fewer_centres_of_the_same_draws_are_the_first_of_more() {
        let data = points(500, 6);
        let packed = Packed::new(&data, 1);
        let of = |n_clusters| Draw { n_clusters, n_trials: 5, draws: Stream::new(3) };
        for init in [Init::PlusPlus, Init::Random] {
            let found = starts(&packed, init, vec![of(7), of(20)], 1);
            assert_eq!(found[0], found[1].select_rows(&[0, 1, 2, 3, 4, 5, 6]), "{init:?}");
        }
    }
}
