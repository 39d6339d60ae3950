//! Training of token vectors by negative sampling: what `word2vec` runs.
//!
//! One worker walks the sequences in order with one stream of draws, so a seed gives the same bits whatever the machine
//! or load. As in word2vec.c, a position's neighbours learn to predict its token; unlike there, neighbours of one
//! position share the negatives drawn against them (Ji et al. 2016, arXiv 1604.04661) and meet each row of output vectors
//! as it was before all of them, so that the step is a small matrix product in place of many vector products.
//!
//! Several workers are sharded: sample i goes to worker i modulo their number, each with its own draws. They meet now
//! and then (`shards`, reproducible) or share one copy without locks (`hogwild`, not reproducible). Neither uses more
//! threads than the step was given.

use trailmark_core::contract::Context;
use trailmark_core::{Failure, Stream, random};

use crate::counting::check_dense;
use crate::hogwild;
use crate::lanes::{BLOCK, LANES, Level, Scratch, Step, learn};
use crate::shards;

/// The exponent that flattens token frequencies for negative draws.
const FLATTENING: f64 = 0.75;

/// First vectors spread this far, by the number of dimensions: as gensim 4's. Those of word2vec.c spread half as far,
/// and short logs end before they have parted.
const FIRST_REACH: f64 = 1.0;

/// The learning rate ends at this share of its start.
const LAST_RATE: f64 = 1e-4;

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

    /// Rows one after the other, `stride` numbers each, a multiple of [`LANES`].
    pub(crate) fn of(stride: usize, values: Vec<f32>) -> Self {
        Self { stride, values }
    }

    /// Numbers per row with its padding.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// All rows.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Some rows of this table.
    pub(crate) fn select(&self, rows: impl Iterator<Item = usize>) -> Self {
        Self::of(self.stride, rows.flat_map(|row| self.row(row)).copied().collect())
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
        hogwild::train(&mut workers, &tables, threads)
    } else {
        shards::train(&mut workers, &tables, threads)
    };
    Ok(Trained { vectors, n_steps: workers.iter().map(|worker| worker.n_steps).sum() })
}

/// What all workers read.
pub(crate) struct Common<'a> {
    settings: &'a Settings,
    pub(crate) level: Level,
    noise: Alias,
    keep: Vec<f64>, // (n_tokens,)
}

/// A walk over a shard.
pub(crate) struct Worker<'a> {
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
            scratch: Scratch::new(stride),
        }
    }

    /// Trains on the next sequences, of at least `tokens` tokens in all. True when something is left.
    pub(crate) fn go_on(&mut self, tables: &mut impl Tables, tokens: usize) -> bool {
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
        tables.finish();
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
            self.inputs.clear();
            self.inputs.extend(self.kept[start..at].iter().chain(&self.kept[at + 1..end]));
            let (joined, block) = match settings.architecture {
                Architecture::SkipGram => (false, BLOCK),
                Architecture::Cbow => (true, usize::MAX),
            };
            for inputs in self.inputs.chunks(block) {
                for negative in &mut self.negatives {
                    *negative = self.common.noise.draw(&mut self.draws);
                }
                self.n_steps += 1;
                let (negatives, scratch) = (&self.negatives[..], &mut self.scratch);
                tables.learn(self.common, Update { inputs, joined, target: centre, negatives, rate }, scratch);
            }
        }
    }
}

/// What one step learns from.
#[derive(Clone, Copy)]
pub(crate) struct Update<'a> {
    pub(crate) inputs: &'a [u32],
    /// The mean of the inputs learns.
    pub(crate) joined: bool,
    pub(crate) target: u32,
    pub(crate) negatives: &'a [u32],
    pub(crate) rate: f32,
}

/// Where the vectors are.
pub(crate) trait Tables {
    /// One update: the target's output vector towards the input vectors (or their mean), the negatives' away from them, one
    /// after the other; then every input vector by the sum of its gradients, as word2vec.c does with `cbow_mean`.
    fn learn(&mut self, common: &Common<'_>, update: Update<'_>, scratch: &mut Scratch);

    /// Makes the updates so far known to others.
    fn finish(&mut self) {}
}

/// Tables of one worker.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) input: Table,
    pub(crate) output: Table,
    /// Rows changed since the last merge, of input and output; empty where nothing is merged.
    pub(crate) changed: [Vec<bool>; 2],
}

impl Own {
    /// Number of tokens.
    pub(crate) fn rows(&self) -> usize {
        self.input.values.len() / self.input.stride
    }

    /// A copy that keeps note of the rows it changes.
    pub(crate) fn watched(&self) -> Self {
        Self { changed: [vec![false; self.rows()], vec![false; self.rows()]], ..self.clone() }
    }
}

impl Tables for Own {
    fn learn(&mut self, common: &Common<'_>, update: Update<'_>, scratch: &mut Scratch) {
        let Update { inputs, joined, target, negatives, rate } = update;
        let (input, output) = (&mut self.input.values[..], &mut self.output.values[..]);
        learn(common.level, Step { input, output, inputs, joined, target, negatives, rate, scratch });
        if let [input, output] = &mut self.changed
            && !input.is_empty()
        {
            inputs.iter().for_each(|token| input[*token as usize] = true);
            output[target as usize] = true;
            negatives.iter().for_each(|token| output[*token as usize] = true);
        }
    }
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
    use crate::hogwild::SharedCopy;

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
            let mut hog = SharedCopy::of(&own);
            let common =
                Common { settings: &SETTINGS, level: Level::best(), noise: Alias::new(&[1.0]), keep: Vec::new() };
            let mut scratch = Scratch::new(stride);
            let (inputs, negatives) = (tokens("inputs"), tokens("negatives"));
            let joined = case["joined"].as_bool().unwrap();
            let update = Update { inputs: &inputs, joined, target: token("target"), negatives: &negatives, rate };
            own.learn(&common, update, &mut scratch);
            hog.step(&common, update, &mut scratch);
            let (hog_input, hog_output) = hog.into_tables();
            for (key, got, hog) in [("input_after", &own.input, &hog_input), ("output_after", &own.output, &hog_output)]
            {
                for (i, expected) in trailmark_kit::rows(case, key).iter().enumerate() {
                    for (j, expected) in expected.iter().enumerate() {
                        let what = format!("{} {key} [{i}, {j}]", case["name"]);
                        table.assert_close(&what, got.row(i)[j].into(), *expected);
                        table.assert_close(&format!("hogwild, {what}"), hog.row(i)[j].into(), *expected);
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
}
