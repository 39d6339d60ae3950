//! Training of token vectors by negative sampling: what `word2vec` runs.
//!
//! One worker walks the sequences in order with one stream of draws, so a seed gives the same bits whatever the
//! machine or load. Several workers are sharded (sample i goes to worker i modulo their number, each with its own draws
//! and its own copy of the vectors) and meet after every few thousand tokens, when every row moves by the sum of what the workers
//! moved it (less where a round is long for the vocabulary, down to the mean). The result depends on the number of workers, but not on how many threads run them or how
//! fast. Hogwild (Recht et al. 2011) shares one copy without locks, loses an update now and then, and gives other bits
//! in every run.

use std::sync::atomic::{AtomicU32, Ordering};

use trailmark_core::contract::Context;
use trailmark_core::{Failure, Stream, random};

use crate::counting::check_dense;
use crate::lanes::{LANES, Level, Sigmoid, Step, add, learn};

/// The exponent that flattens token frequencies for negative draws.
const FLATTENING: f64 = 0.75;

/// First vectors spread this far, by the number of dimensions: as gensim 4's. Those of word2vec.c spread half as far,
/// and short logs end before they have parted.
const FIRST_REACH: f64 = 1.0;

/// The learning rate ends at this share of its start.
const LAST_RATE: f64 = 1e-4;

/// Tokens that all workers together read before they meet, for each token of the vocabulary: few enough that what the
/// others learnt meanwhile is small. With twice as many, eight workers already learn visibly less.
const ROUND_PER_TOKEN: usize = 1;

/// Bounds of a round: starting threads has its price, and a long round moves frequent rows too far.
const ROUND_BOUNDS: (usize, usize) = (256, 16_384);

/// What is predicted from what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Architecture {
    /// Each neighbour from the token.
    SkipGram,
    /// The token from the mean of its neighbours.
    Cbow,
}

/// How to train.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) architecture: Architecture,
    pub(crate) dim: usize,
    pub(crate) window: usize,
    pub(crate) negative: usize,
    pub(crate) epochs: usize,
    pub(crate) subsample: f64,
    pub(crate) learning_rate: f64,
    pub(crate) workers: usize,
    pub(crate) hogwild: bool,
}

/// What training gives.
pub(crate) struct Trained {
    /// The vectors of tokens.
    pub(crate) vectors: Table,
    /// Number of steps; 0 when no sequence kept two tokens.
    pub(crate) n_steps: u64,
}

/// Rows padded to whole groups of lanes; the padding is zero and stays so.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    stride: usize,
    values: Vec<f32>,
}

impl Table {
    /// A table of zeros.
    pub(crate) fn zeros(rows: usize, dim: usize) -> Self {
        let stride = dim.next_multiple_of(LANES);
        Self { stride, values: vec![0.0; rows * stride] }
    }

    /// Draws that spread evenly over -reach / dim to reach / dim.
    pub(crate) fn drawn(rows: usize, dim: usize, reach: f64, draws: &mut Stream) -> Self {
        let mut table = Self::zeros(rows, dim);
        for i in 0..rows {
            for value in &mut table.row_mut(i)[..dim] {
                *value = narrow((2.0 * draws.uniform() - 1.0) * reach / dim as f64);
            }
        }
        table
    }

    /// One row with its padding.
    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.stride..(i + 1) * self.stride]
    }

    /// One row with its padding, to write to.
    pub(crate) fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.values[i * self.stride..(i + 1) * self.stride]
    }
}

#[expect(clippy::cast_possible_truncation, reason = "training is in f32, rounded once")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Trains on sequences of token numbers below `frequencies.len()`.
///
/// # Errors
/// `Oom` when the tables of all workers do not fit the declared memory.
pub(crate) fn train(
    settings: &Settings,
    sequences: &[Vec<u32>],
    frequencies: &[u64],
    ctx: &Context,
) -> Result<Trained, Failure> {
    let n = frequencies.len();
    // An input and an output vector per token; with several workers a copy for each, and the common one.
    let copies = if settings.workers == 1 || settings.hogwild { 2 } else { 2 * (settings.workers + 1) };
    check_dense(
        "token vectors",
        copies * n,
        settings.dim.next_multiple_of(LANES),
        "lower dim, raise min_count or --memory",
        ctx,
    )?;
    let mut draws = Stream::new(ctx.seed);
    let tables = Own {
        input: Table::drawn(n, settings.dim, FIRST_REACH, &mut draws),
        output: Table::zeros(n, settings.dim),
        changed: [Vec::new(), Vec::new()],
    };
    let weights: Vec<f64> = frequencies.iter().map(|&count| libm::pow(count as f64, FLATTENING)).collect();
    let total: u64 = frequencies.iter().sum();
    let common = Common {
        settings,
        level: Level::best(),
        sigmoid: Sigmoid::new(),
        noise: Alias::new(&weights),
        keep: frequencies.iter().map(|&count| keep_chance(count, total, settings.subsample)).collect(),
    };
    if settings.workers == 1 {
        let mut tables = tables;
        let mut worker = Worker::new(&common, sequences.iter().collect(), draws);
        while worker.go_on(&mut tables, usize::MAX) {}
        return Ok(Trained { vectors: tables.input, n_steps: worker.n_steps });
    }
    let mut workers: Vec<Worker<'_>> = (0..settings.workers)
        .map(|worker| {
            let shard = sequences.iter().skip(worker).step_by(settings.workers).collect();
            let seed = random::seed(ctx.seed, "worker", &[&worker.to_string()]);
            Worker::new(&common, shard, Stream::new(seed))
        })
        .collect();
    let threads = ctx.threads.clamp(1, settings.workers);
    let vectors = if settings.hogwild {
        hogwild(&mut workers, tables, settings.dim, threads)
    } else {
        sharded(&mut workers, tables, threads)
    };
    Ok(Trained { vectors, n_steps: workers.iter().map(|worker| worker.n_steps).sum() })
}

/// Rounds of all workers on copies, each followed by a merge.
fn sharded(workers: &mut [Worker<'_>], start: Own, threads: usize) -> Table {
    let rows = start.input.values.len() / start.input.stride;
    let mut copies: Vec<Own> =
        (0..workers.len()).map(|_| Own { changed: [vec![false; rows], vec![false; rows]], ..start.clone() }).collect();
    let Own { mut input, mut output, .. } = start;
    let mut before = 0;
    let round = (ROUND_PER_TOKEN * rows).clamp(ROUND_BOUNDS.0, ROUND_BOUNDS.1) / workers.len();
    loop {
        let mut left = false;
        for (workers, copies) in workers.chunks_mut(threads).zip(copies.chunks_mut(threads)) {
            let mut pairs = workers.iter_mut().zip(copies);
            let here = pairs.next();
            std::thread::scope(|scope| {
                let others: Vec<_> = pairs.map(|(worker, own)| scope.spawn(move || worker.go_on(own, round))).collect();
                left |= here.is_some_and(|(worker, own)| worker.go_on(own, round));
                for handle in others {
                    // A panic of a worker is a bug of ours and goes on in the caller.
                    left |= handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                }
            });
        }
        let seen = workers.iter().map(|worker| worker.seen).sum::<u64>();
        // Rounds of twice that and more (small vocabularies, long samples) are damped, down to the mean.
        let fits = (2 * ROUND_PER_TOKEN * rows) as f64 / (seen - before).max(1) as f64;
        let share = narrow(fits.clamp(1.0 / workers.len() as f64, 1.0));
        before = seen;
        for row in 0..rows {
            merge(&mut input, &mut copies, row, 0, share, |own| &mut own.input);
            merge(&mut output, &mut copies, row, 1, share, |own| &mut own.output);
        }
        if !left {
            return input;
        }
    }
}

/// Moves a row of the common table by a share of the sum of what the workers moved it, in the workers' order, and gives
/// it to all.
fn merge(
    common: &mut Table,
    copies: &mut [Own],
    row: usize,
    which: usize,
    share: f32,
    table: fn(&mut Own) -> &mut Table,
) {
    if !copies.iter().any(|own| own.changed[which][row]) {
        return;
    }
    let to = common.row_mut(row);
    let start = to.to_vec();
    for own in copies.iter_mut().filter(|own| own.changed[which][row]) {
        for ((to, start), moved) in to.iter_mut().zip(&start).zip(table(own).row(row)) {
            *to += share * (moved - start);
        }
        own.changed[which][row] = false;
    }
    for own in copies {
        table(own).row_mut(row).copy_from_slice(to);
    }
}

/// All workers on one copy, without locks.
fn hogwild(workers: &mut [Worker<'_>], start: Own, dim: usize, threads: usize) -> Table {
    let shared = |table: &Table| table.values.iter().map(|value| AtomicU32::new(value.to_bits())).collect();
    let stride = start.input.stride;
    let (input, output): (Vec<AtomicU32>, Vec<AtomicU32>) = (shared(&start.input), shared(&start.output));
    // With fewer threads than workers they take turns, so that all of them see falling learning rates together.
    let per_thread = workers.len().div_ceil(threads);
    std::thread::scope(|scope| {
        for workers in workers.chunks_mut(per_thread) {
            let mut tables = Shared { stride, input: &input, output: &output, rows: Vec::new(), tokens: Vec::new() };
            scope.spawn(move || {
                while workers.iter_mut().fold(false, |left, worker| worker.go_on(&mut tables, ROUND_BOUNDS.1) | left) {}
            });
        }
    });
    let mut vectors = Table::zeros(input.len() / stride, dim);
    for (to, from) in vectors.values.iter_mut().zip(input) {
        *to = f32::from_bits(from.into_inner());
    }
    vectors
}

/// What all workers read.
struct Common<'a> {
    settings: &'a Settings,
    level: Level,
    sigmoid: Sigmoid,
    noise: Alias,
    keep: Vec<f64>, // (n_tokens,)
}

/// A walk over a shard.
struct Worker<'a> {
    common: &'a Common<'a>,
    shard: Vec<&'a Vec<u32>>,
    draws: Stream,
    next: usize,
    epoch: usize,
    seen: u64,
    all: f64,
    n_steps: u64,
    kept: Vec<u32>,
    inputs: Vec<u32>,
    negatives: Vec<u32>,
    scratch: Scratch,
}

/// The vectors of one step.
#[derive(Default)]
struct Scratch {
    hidden: Vec<f32>,
    gradient: Vec<f32>,
}

impl<'a> Worker<'a> {
    fn new(common: &'a Common<'a>, shard: Vec<&'a Vec<u32>>, draws: Stream) -> Self {
        let stride = common.settings.dim.next_multiple_of(LANES);
        let total: usize = shard.iter().map(|sequence| sequence.len()).sum();
        Self {
            common,
            shard,
            draws,
            next: 0,
            epoch: 0,
            seen: 0,
            all: total as f64 * common.settings.epochs as f64,
            n_steps: 0,
            kept: Vec::new(),
            inputs: Vec::new(),
            negatives: vec![0; common.settings.negative],
            scratch: Scratch { hidden: vec![0.0; stride], gradient: vec![0.0; stride] },
        }
    }

    /// Trains on the next sequences, of at least `tokens` tokens in all. True when something is left.
    fn go_on(&mut self, tables: &mut impl Tables, tokens: usize) -> bool {
        let mut done = 0;
        while done < tokens && self.epoch < self.common.settings.epochs {
            let Some(&sequence) = self.shard.get(self.next) else {
                (self.next, self.epoch) = (0, self.epoch + 1);
                continue;
            };
            self.next += 1;
            self.sequence(tables, sequence);
            done += sequence.len();
        }
        self.epoch < self.common.settings.epochs
    }

    fn sequence(&mut self, tables: &mut impl Tables, sequence: &[u32]) {
        let settings = self.common.settings;
        let left = (1.0 - self.seen as f64 / self.all).max(LAST_RATE);
        let rate = narrow(settings.learning_rate * left);
        self.seen += sequence.len() as u64;
        self.kept.clear();
        for &token in sequence {
            let chance = self.common.keep[token as usize];
            if chance >= 1.0 || self.draws.chance(chance) {
                self.kept.push(token);
            }
        }
        for at in 0..self.kept.len() {
            let centre = self.kept[at];
            let reach = 1 + self.draws.below(settings.window);
            let end = (at + reach + 1).min(self.kept.len());
            let start = at.saturating_sub(reach);
            match settings.architecture {
                Architecture::SkipGram => {
                    for other in (start..end).filter(|other| *other != at) {
                        self.draw_negatives();
                        let neighbour = self.kept[other];
                        self.n_steps += 1;
                        tables.learn(self.common, &[centre], neighbour, &self.negatives, rate, &mut self.scratch);
                    }
                }
                Architecture::Cbow => {
                    self.inputs.clear();
                    self.inputs.extend(self.kept[start..at].iter().chain(&self.kept[at + 1..end]));
                    if !self.inputs.is_empty() {
                        self.draw_negatives();
                        self.n_steps += 1;
                        tables.learn(self.common, &self.inputs, centre, &self.negatives, rate, &mut self.scratch);
                    }
                }
            }
        }
    }

    fn draw_negatives(&mut self) {
        for negative in &mut self.negatives {
            *negative = self.common.noise.draw(&mut self.draws);
        }
    }
}

/// Where the vectors are.
trait Tables {
    /// One update: the target's output vector towards the mean of the input vectors, the negatives' away from it, one
    /// after the other; then every input vector by the sum of the gradients, as word2vec.c does with `cbow_mean`.
    fn learn(
        &mut self,
        common: &Common<'_>,
        inputs: &[u32],
        target: u32,
        negatives: &[u32],
        rate: f32,
        scratch: &mut Scratch,
    );
}

/// Tables of one worker.
#[derive(Debug, Clone)]
struct Own {
    input: Table,
    output: Table,
    /// Rows changed since the last merge, of input and output; empty where nothing is merged.
    changed: [Vec<bool>; 2],
}

impl Tables for Own {
    fn learn(
        &mut self,
        common: &Common<'_>,
        inputs: &[u32],
        target: u32,
        negatives: &[u32],
        rate: f32,
        scratch: &mut Scratch,
    ) {
        let Scratch { hidden, gradient } = scratch;
        let hidden: &[f32] = match inputs {
            [one] => self.input.row(*one as usize),
            several => {
                mean(hidden, several.iter().map(|token| self.input.row(*token as usize)), several.len());
                hidden
            }
        };
        let (output, sigmoid) = (&mut self.output.values[..], &common.sigmoid);
        learn(common.level, Step { hidden, gradient, output, target, negatives, rate, sigmoid });
        for &token in inputs {
            add(self.input.row_mut(token as usize), gradient);
        }
        if let [input, output] = &mut self.changed
            && !input.is_empty()
        {
            inputs.iter().for_each(|token| input[*token as usize] = true);
            output[target as usize] = true;
            negatives.iter().for_each(|token| output[*token as usize] = true);
        }
    }
}

/// Tables of all workers. Rows are copied out, changed and copied back; each number is read and written whole.
struct Shared<'a> {
    stride: usize,
    input: &'a [AtomicU32],
    output: &'a [AtomicU32],
    rows: Vec<f32>,
    tokens: Vec<u32>,
}

fn read(from: &[AtomicU32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = f32::from_bits(from.load(Ordering::Relaxed));
    }
}

fn write(from: &[f32], to: &[AtomicU32]) {
    for (to, from) in to.iter().zip(from) {
        to.store(from.to_bits(), Ordering::Relaxed);
    }
}

impl Tables for Shared<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "at most as many rows as tokens in a step")]
    fn learn(
        &mut self,
        common: &Common<'_>,
        inputs: &[u32],
        target: u32,
        negatives: &[u32],
        rate: f32,
        scratch: &mut Scratch,
    ) {
        let stride = self.stride;
        let place = |token: u32| token as usize * stride..(token as usize + 1) * stride;
        let Scratch { hidden, gradient } = scratch;
        hidden.fill(0.0);
        for &token in inputs {
            read(&self.input[place(token)], gradient);
            add(hidden, gradient);
        }
        let share = 1.0 / inputs.len() as f32;
        hidden.iter_mut().for_each(|value| *value *= share);
        // The step runs on copies of the rows it touches, each once.
        self.tokens.clear();
        for &token in std::iter::once(&target).chain(negatives) {
            if !self.tokens.contains(&token) {
                self.tokens.push(token);
            }
        }
        self.rows.resize(self.tokens.len() * stride, 0.0);
        for (row, &token) in self.rows.chunks_exact_mut(stride).zip(&self.tokens) {
            read(&self.output[place(token)], row);
        }
        let tokens = &self.tokens;
        let local: Vec<u32> =
            negatives.iter().map(|token| tokens.iter().position(|known| known == token).unwrap_or(0) as u32).collect();
        let (output, sigmoid) = (&mut self.rows[..], &common.sigmoid);
        learn(common.level, Step { hidden, gradient, output, target: 0, negatives: &local, rate, sigmoid });
        for (row, &token) in self.rows.chunks_exact(stride).zip(tokens) {
            write(row, &self.output[place(token)]);
        }
        for &token in inputs {
            read(&self.input[place(token)], hidden);
            add(hidden, gradient);
            write(hidden, &self.input[place(token)]);
        }
    }
}

fn mean<'a>(to: &mut [f32], rows: impl Iterator<Item = &'a [f32]>, n: usize) {
    to.fill(0.0);
    rows.for_each(|row| add(to, row));
    let share = 1.0 / n as f32;
    to.iter_mut().for_each(|value| *value *= share);
}

/// Chance that an occurrence is kept: `sqrt(t / f) + t / f` for a token that makes up the share `f` of all.
fn keep_chance(count: u64, total: u64, threshold: f64) -> f64 {
    if threshold <= 0.0 {
        return 1.0;
    }
    let ratio = threshold * total as f64 / count as f64;
    (ratio.sqrt() + ratio).min(1.0)
}

/// Share of all tokens that thinning is expected to keep.
pub(crate) fn kept_share(frequencies: &[u64], threshold: f64) -> f64 {
    let total: u64 = frequencies.iter().sum();
    let kept: f64 = frequencies.iter().map(|&count| count as f64 * keep_chance(count, total, threshold)).sum();
    kept / total as f64
}

/// Draws an index with given weights in constant time (Walker 1977, Vose 1991).
struct Alias {
    chance: Vec<u32>, // of 2^32
    other: Vec<u32>,
}

impl Alias {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "indices of a vocabulary; clamped")]
    fn new(weights: &[f64]) -> Self {
        let n = weights.len();
        let total: f64 = weights.iter().sum();
        let mut scaled: Vec<f64> = weights.iter().map(|weight| weight * n as f64 / total).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| scaled[i] < 1.0);
        let mut chance = vec![u32::MAX; n];
        let mut other: Vec<u32> = (0..n as u32).collect();
        while let (Some(&low), Some(&high)) = (small.last(), large.last()) {
            small.pop();
            chance[low] = (scaled[low] * 4_294_967_296.0).min(4_294_967_295.0) as u32;
            other[low] = high as u32;
            scaled[high] -= 1.0 - scaled[low];
            if scaled[high] < 1.0 {
                large.pop();
                small.push(high);
            }
        }
        Self { chance, other }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves of 64 bits")]
    fn draw(&self, draws: &mut Stream) -> u32 {
        let bits = draws.next_u64();
        let at = (((bits >> 32) * self.chance.len() as u64) >> 32) as usize;
        if (bits as u32) <= self.chance[at] { at as u32 } else { self.other[at] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings {
        architecture: Architecture::SkipGram,
        dim: 0,
        window: 5,
        negative: 0,
        epochs: 1,
        subsample: 0.0,
        learning_rate: 0.025,
        workers: 1,
        hogwild: false,
    };

    #[test]
    fn one_step_changes_the_vectors_as_the_gradient_says() {
        let table = trailmark_kit::oracle("encode", "word2vec");
        for case in &table.case {
            let (input, output) = (trailmark_kit::rows(case, "input"), trailmark_kit::rows(case, "output"));
            let dim = input[0].len();
            let stride = dim.next_multiple_of(LANES);
            let fill = |rows: &[Vec<f64>]| {
                let mut table = Table::zeros(rows.len(), dim);
                for (i, row) in rows.iter().enumerate() {
                    row.iter().enumerate().for_each(|(j, value)| table.row_mut(i)[j] = narrow(*value));
                }
                table
            };
            let token = |key: &str| trailmark_kit::number(case, key) as u32;
            let tokens = |key: &str| -> Vec<u32> {
                trailmark_kit::numbers(case, key).into_iter().map(|token| token as u32).collect()
            };
            let rate = narrow(trailmark_kit::number(case, "learning_rate"));
            let mut own = Own { input: fill(&input), output: fill(&output), changed: [Vec::new(), Vec::new()] };
            let shared = |table: &Table| -> Vec<AtomicU32> {
                table.values.iter().map(|value| AtomicU32::new(value.to_bits())).collect()
            };
            let (hog_input, hog_output) = (shared(&own.input), shared(&own.output));
            let mut hog =
                Shared { stride, input: &hog_input, output: &hog_output, rows: Vec::new(), tokens: Vec::new() };
            let common = Common {
                settings: &SETTINGS,
                level: Level::best(),
                sigmoid: Sigmoid::new(),
                noise: Alias::new(&[1.0]),
                keep: Vec::new(),
            };
            let mut scratch = Scratch { hidden: vec![0.0; stride], gradient: vec![0.0; stride] };
            let (inputs, negatives) = (tokens("inputs"), tokens("negatives"));
            own.learn(&common, &inputs, token("target"), &negatives, rate, &mut scratch);
            hog.learn(&common, &inputs, token("target"), &negatives, rate, &mut scratch);
            for (key, got, hog) in [("input_after", &own.input, &hog_input), ("output_after", &own.output, &hog_output)]
            {
                for (i, expected) in trailmark_kit::rows(case, key).iter().enumerate() {
                    for (j, expected) in expected.iter().enumerate() {
                        let what = format!("{} {key} [{i}, {j}]", case["name"]);
                        table.assert_close(&what, got.row(i)[j].into(), *expected);
                        let hog = f32::from_bits(hog[i * stride + j].load(Ordering::Relaxed));
                        table.assert_close(&format!("hogwild, {what}"), hog.into(), *expected);
                    }
                    assert!(got.row(i)[dim..].iter().all(|value| value.to_bits() == 0), "the padding stays zero");
                }
            }
        }
    }

    #[test]
    fn draws_of_negatives_follow_the_weights() {
        let alias = Alias::new(&[1.0, 2.0, 5.0, 0.5, 1.5]);
        let mut draws = Stream::new(2);
        let mut counts = [0.0_f64; 5];
        for _ in 0..100_000 {
            counts[alias.draw(&mut draws) as usize] += 1e-5;
        }
        for (count, expected) in counts.iter().zip([0.1, 0.2, 0.5, 0.05, 0.15]) {
            assert!((count - expected).abs() < 0.005, "{counts:?}");
        }
    }

    #[test]
    fn frequent_tokens_are_thinned_and_rare_ones_kept() {
        assert_eq!(keep_chance(1, 1_000_000, 1e-3), 1.0);
        assert!((keep_chance(100_000, 1_000_000, 1e-3) - 0.11).abs() < 1e-12);
        assert_eq!(keep_chance(900_000, 1_000_000, 0.0), 1.0, "0 switches it off");
    }

    #[test]
    fn a_merged_row_moves_by_the_sum_of_what_the_workers_moved_it() {
        let table = |value: f32| Table { stride: LANES, values: vec![value; 2 * LANES] };
        let own = |value, first| Own {
            input: table(value),
            output: table(0.0),
            changed: [vec![first, value == 2.0], vec![false; 2]],
        };
        let mut copies = [own(2.0, true), own(5.0, true), own(9.0, false)];
        let mut common = table(0.0);
        for row in 0..2 {
            merge(&mut common, &mut copies, row, 0, 1.0, |own| &mut own.input);
        }
        assert_eq!((common.row(0)[0], common.row(1)[0]), (7.0, 2.0));
        assert!(copies.iter().all(|own| own.input.row(0)[3] == 7.0 && own.input.row(1)[3] == 2.0));
        assert!(copies.iter().all(|own| own.changed[0] == [false, false]));
    }
}
