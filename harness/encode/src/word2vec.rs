//! Vectors of tokens learnt from their neighbours (skip-gram with negative sampling), averaged over a sequence.
//!
//! One stream of draws and one order of updates, so a seed gives the same bits whatever the machine or load. Rows
//! are padded to whole groups of [`LANES`] numbers and every loop runs over such groups, which compilers turn into
//! vector instructions without reordering an addition.

use std::collections::BTreeMap;

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Embeddings, Failure, Matrix, ParamKind, ParamSpec, Params, SequenceView, Spec, Stream};

use crate::counting::{Counts, check_dense, dense, embeddings};

/// Numbers handled together.
const LANES: usize = 16;

/// The exponent that flattens token frequencies for negative draws.
const FLATTENING: f64 = 0.75;

/// The learning rate ends at this share of its start.
const LAST_RATE: f64 = 1e-4;

/// Thinning that keeps a smaller share of all tokens than this deserves a warning.
const FEW_KEPT: f64 = 0.25;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "word2vec",
    summary: "skip-gram with negative sampling over tokens, trained on training samples, mean pooled",
    reference: "Mikolov et al. 2013, NeurIPS, arXiv 1310.4546; update rule as the authors' word2vec.c",
    revision: 1,
    params: &[
        ParamSpec {
            name: "dim",
            summary: "number of dimensions",
            kind: ParamKind::Integer { min: 1, max: 4096 },
            default: ParamDefault::Integer(64),
        },
        ParamSpec {
            name: "window",
            summary: "neighbours to each side at most; every position draws its own reach from 1 to this",
            kind: ParamKind::Integer { min: 1, max: 1000 },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "negative",
            summary: "tokens drawn against each neighbour",
            kind: ParamKind::Integer { min: 1, max: 1000 },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "epochs",
            summary: "passes over the training samples",
            kind: ParamKind::Integer { min: 1, max: 10_000 },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "min_count",
            summary: "tokens that occur less often in training are unknown",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Integer(1),
        },
        ParamSpec {
            name: "subsample",
            // gensim's default of 1e-3 is for natural language; with a dozen kinds of event every token is frequent, and
            // it would throw most of the training data away.
            summary: "share of all tokens above which a token is thinned out; 0 switches it off",
            kind: ParamKind::Number { min: 0.0, max: 1.0 },
            default: ParamDefault::Number(0.0),
        },
        ParamSpec {
            name: "learning_rate",
            summary: "first step size; falls in a line to a ten-thousandth of it",
            kind: ParamKind::Number { min: 1e-9, max: 10.0 },
            default: ParamDefault::Number(0.025),
        },
    ],
};

/// Makes the encoder.
pub(crate) fn build(params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    Ok(Box::new(Word2Vec {
        dim: params.size("dim"),
        window: params.size("window"),
        negative: params.size("negative"),
        epochs: params.size("epochs"),
        min_count: params.size("min_count"),
        subsample: params.number("subsample"),
        learning_rate: params.number("learning_rate"),
    }))
}

struct Word2Vec {
    dim: usize,
    window: usize,
    negative: usize,
    epochs: usize,
    min_count: usize,
    subsample: f64,
    learning_rate: f64,
}

impl Encoder for Word2Vec {
    fn scope(&self) -> Scope {
        Scope::PerFold
    }

    fn fit<'a>(&'a self, train: SequenceView<'_>, ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for i in 0..train.len() {
            for &token in train.tokens(i) {
                *counts.entry(token).or_default() += 1;
            }
        }
        let n_found = counts.len();
        let mut known: Vec<(u32, u64)> =
            counts.into_iter().filter(|(_, count)| *count >= self.min_count as u64).collect();
        if known.is_empty() {
            return Err(Failure::bad_input(format!(
                "none of {n_found} tokens occurs {} times or more in {} training samples; lower min_count",
                self.min_count,
                train.len()
            )));
        }
        // Frequent first, then by name: token numbers come from the whole dataset and may not matter.
        known.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| train.token_name(a.0).cmp(train.token_name(b.0))));
        let index: BTreeMap<u32, u32> = (0_u32..).zip(&known).map(|(at, (token, _))| (*token, at)).collect();
        let sequences: Vec<Vec<u32>> = (0..train.len())
            .map(|i| train.tokens(i).iter().filter_map(|token| index.get(token).copied()).collect())
            .collect();
        let frequencies: Vec<u64> = known.iter().map(|(_, count)| *count).collect();
        let mut training = Training::new(&frequencies, self.dim, Stream::new(ctx.seed), ctx)?;
        let n_pairs = training.run(self, &sequences, &frequencies);
        let kept = kept_share(&frequencies, self.subsample);
        let mut warnings = Vec::new();
        if n_pairs == 0 {
            warnings.push(
                "word2vec learnt nothing: no training sample kept two known tokens; its vectors are random".to_owned(),
            );
        }
        if kept < FEW_KEPT {
            warnings.push(format!(
                "subsample = {:?} keeps {:.1} % of the training tokens, as every token of a small vocabulary is frequent; \
                 set subsample = 0 to train on all",
                self.subsample,
                100.0 * kept
            ));
        }
        Ok(Box::new(Fitted { dim: self.dim, index, vectors: training.input, warnings, counts: Counts::default() }))
    }
}

/// The two tables of vectors and what training draws from.
struct Training {
    input: Table,
    output: Table,
    noise: Alias,
    sigmoid: Sigmoid,
    draws: Stream,
    gradient: Vec<f32>,
}

/// Rows padded to whole groups of lanes; the padding is zero and stays so.
struct Table {
    stride: usize,
    values: Vec<f32>,
}

impl Table {
    fn zeros(rows: usize, dim: usize) -> Self {
        let stride = dim.next_multiple_of(LANES);
        Self { stride, values: vec![0.0; rows * stride] }
    }

    fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.stride..(i + 1) * self.stride]
    }

    fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.values[i * self.stride..(i + 1) * self.stride]
    }
}

impl Training {
    fn new(frequencies: &[u64], dim: usize, mut draws: Stream, ctx: &Context) -> Result<Self, Failure> {
        let n = frequencies.len();
        // Two tables of vectors, one per token each.
        check_dense(
            "token vectors",
            2 * n,
            dim.next_multiple_of(LANES),
            "lower dim, raise min_count or --memory",
            ctx,
        )?;
        let mut input = Table::zeros(n, dim);
        for i in 0..n {
            for value in &mut input.row_mut(i)[..dim] {
                *value = narrow((draws.uniform() - 0.5) / dim as f64);
            }
        }
        let weights: Vec<f64> = frequencies.iter().map(|&count| libm::pow(count as f64, FLATTENING)).collect();
        let gradient = vec![0.0; input.stride];
        Ok(Self {
            input,
            output: Table::zeros(n, dim),
            noise: Alias::new(&weights),
            sigmoid: Sigmoid::new(),
            draws,
            gradient,
        })
    }

    /// Trains on all sequences. Returns the number of pairs seen.
    fn run(&mut self, settings: &Word2Vec, sequences: &[Vec<u32>], frequencies: &[u64]) -> u64 {
        let total: u64 = frequencies.iter().sum();
        let keep: Vec<f64> = frequencies.iter().map(|&count| keep_chance(count, total, settings.subsample)).collect();
        let all = total as f64 * settings.epochs as f64;
        let (mut seen, mut n_pairs) = (0_u64, 0_u64);
        let mut kept: Vec<u32> = Vec::new();
        let mut negatives: Vec<u32> = vec![0; settings.negative];
        for _ in 0..settings.epochs {
            for sequence in sequences {
                let left = (1.0 - seen as f64 / all).max(LAST_RATE);
                let rate = narrow(settings.learning_rate * left);
                seen += sequence.len() as u64;
                kept.clear();
                for &token in sequence {
                    let chance = keep[token as usize];
                    if chance >= 1.0 || self.draws.chance(chance) {
                        kept.push(token);
                    }
                }
                for (at, &centre) in kept.iter().enumerate() {
                    let reach = 1 + self.draws.below(settings.window);
                    let end = (at + reach + 1).min(kept.len());
                    let start = at.saturating_sub(reach);
                    for (_, &neighbour) in (start..).zip(&kept[start..end]).filter(|(other, _)| *other != at) {
                        for negative in &mut negatives {
                            *negative = self.noise.draw(&mut self.draws);
                        }
                        self.step(centre, neighbour, &negatives, rate);
                        n_pairs += 1;
                    }
                }
            }
        }
        n_pairs
    }

    /// One update: the neighbour's output vector towards the centre's input vector, the negatives' away from it, one
    /// after the other; then the input vector by the sum of its gradients. A negative that is the neighbour is left
    /// out, as in word2vec.c.
    fn step(&mut self, centre: u32, neighbour: u32, negatives: &[u32], rate: f32) {
        self.gradient.fill(0.0);
        let input = self.input.row_mut(centre as usize);
        let others = negatives.iter().filter(|negative| **negative != neighbour).map(|negative| (*negative, 0.0_f32));
        for (target, wanted) in std::iter::once((neighbour, 1.0_f32)).chain(others) {
            let output = self.output.row_mut(target as usize);
            let push = (wanted - self.sigmoid.at(dot(input, output))) * rate;
            add_scaled(&mut self.gradient, push, output);
            add_scaled(output, push, input);
        }
        add_scaled(input, 1.0, &self.gradient);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "training is in f32, rounded once")]
fn narrow(value: f64) -> f32 {
    value as f32
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
fn kept_share(frequencies: &[u64], threshold: f64) -> f64 {
    let total: u64 = frequencies.iter().sum();
    let kept: f64 = frequencies.iter().map(|&count| count as f64 * keep_chance(count, total, threshold)).sum();
    kept / total as f64
}

/// Products in [`LANES`] running sums, folded in halves: an order that every processor keeps.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}

fn add_scaled(to: &mut [f32], scale: f32, from: &[f32]) {
    for (to, from) in to.as_chunks_mut::<LANES>().0.iter_mut().zip(from.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            to[lane] += scale * from[lane];
        }
    }
}

/// The logistic function from a table with linear interpolation: within 3e-7 of the truth, and the same bits
/// everywhere. The table holds arguments from 0 to 16; the other half follows by symmetry.
struct Sigmoid(Vec<f32>);

impl Sigmoid {
    const REACH: f32 = 16.0;
    const PER_UNIT: f32 = 256.0;

    fn new() -> Self {
        let n = (Self::REACH * Self::PER_UNIT) as usize + 1;
        let at = |i: usize| i as f64 / f64::from(Self::PER_UNIT);
        Self((0..n).map(|i| narrow(1.0 / (1.0 + libm::exp(-at(i))))).collect())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the table just before")]
    fn at(&self, x: f32) -> f32 {
        let place = x.abs().min(Self::REACH) * Self::PER_UNIT;
        let below = (place as usize).min(self.0.len() - 2);
        let share = place - below as f32;
        let value = self.0[below] + share * (self.0[below + 1] - self.0[below]);
        if x < 0.0 { 1.0 - value } else { value }
    }
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

struct Fitted {
    dim: usize,
    index: BTreeMap<u32, u32>,
    vectors: Table,
    warnings: Vec<String>,
    counts: Counts,
}

impl Transform for Fitted {
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let mut x: Matrix<f32> = dense(rows.len(), self.dim, "lower dim or raise --memory", ctx)?;
        let mut sum = vec![0.0_f64; self.dim];
        for i in 0..rows.len() {
            let tokens = rows.tokens(i);
            let known: Vec<u32> = tokens.iter().filter_map(|token| self.index.get(token).copied()).collect();
            self.counts.row(!known.is_empty());
            self.counts.tokens(tokens.len(), tokens.len() - known.len());
            if known.is_empty() {
                continue;
            }
            sum.fill(0.0);
            for &token in &known {
                for (sum, value) in sum.iter_mut().zip(self.vectors.row(token as usize)) {
                    *sum += f64::from(*value);
                }
            }
            for (value, sum) in x.row_mut(i).iter_mut().zip(&sum) {
                *value = narrow(sum / known.len() as f64);
            }
        }
        embeddings(x)
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.iter().cloned().chain(self.counts.warnings()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_changes_the_vectors_as_the_gradient_says() {
        let table = trailmark_kit::oracle("encode", "word2vec");
        for case in &table.case {
            let (input, output) = (trailmark_kit::rows(case, "input"), trailmark_kit::rows(case, "output"));
            let dim = input[0].len();
            let ctx = Context { seed: 1, threads: 1, memory_bytes: 1 << 30 };
            let mut training = Training::new(&vec![1; input.len()], dim, Stream::new(1), &ctx).unwrap();
            for i in 0..input.len() {
                for j in 0..dim {
                    training.input.row_mut(i)[j] = narrow(input[i][j]);
                    training.output.row_mut(i)[j] = narrow(output[i][j]);
                }
            }
            let token = |key: &str| trailmark_kit::number(case, key) as u32;
            let negatives: Vec<u32> =
                trailmark_kit::numbers(case, "negatives").into_iter().map(|token| token as u32).collect();
            let rate = narrow(trailmark_kit::number(case, "learning_rate"));
            training.step(token("centre"), token("neighbour"), &negatives, rate);
            for (key, got) in [("input_after", &training.input), ("output_after", &training.output)] {
                for (i, expected) in trailmark_kit::rows(case, key).iter().enumerate() {
                    for (j, expected) in expected.iter().enumerate() {
                        table.assert_close(
                            &format!("{} {key} [{i}, {j}]", case["name"]),
                            got.row(i)[j].into(),
                            *expected,
                        );
                    }
                    assert!(got.row(i)[dim..].iter().all(|value| value.to_bits() == 0), "the padding stays zero");
                }
            }
        }
    }

    #[test]
    fn the_table_of_the_logistic_function_is_within_3e_7() {
        let table = Sigmoid::new();
        for i in -40_000..40_000 {
            let x = i as f32 / 2000.0 * 1.0007;
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(table.at(x)) - exact).abs() < 3e-7, "at {x}");
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
