//! Vectors of tokens from how often they occur near each other, pooled over a sequence.
//!
//! Counted and trained in one fixed order: cells of the co-occurrence table are shuffled by the step's seed in every
//! epoch, so a seed gives the same bits everywhere.

use std::collections::BTreeMap;

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, FailureClass, ParamKind, ParamSpec, Params, SequenceView, Spec, Stream};

use crate::counting::check_dense;
use crate::lanes::{add, dot};
use crate::negative_sampling::Table;
use crate::pooling::{POOLING, Pooling, SIF_A};
use crate::token_vectors::{Corpus, TokenVectors};

/// Gradients beyond this are cut, as in the authors' program.
const CLIP: f32 = 100.0;

/// Bytes of a cell of the co-occurrence table at most: in a tree while it is counted (about 24), then twice in a list (16
/// each). Together with four numbers per token and dimension that is all that training holds beside the samples.
const CELL_BYTES: u64 = 48;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "glove",
    summary: "token vectors whose inner products follow the logarithm of co-occurrence, trained on training samples, pooled",
    reference: "Pennington, Socher and Manning 2014, EMNLP; update rule as the authors' glove.c 1.2",
    // 2: the direction that sif pooling removes comes from a more exact SVD.
    revision: 2,
    cost: Cost { time: "co-occurrences * epochs * dim", memory: "48 * co-occurrences + 16 * vocabulary * dim" },
    params: &[
        ParamSpec {
            name: "dim",
            summary: "number of dimensions",
            kind: ParamKind::Integer { min: 1, max: 4096 },
            default: ParamDefault::Integer(64),
        },
        ParamSpec {
            name: "window",
            summary: "neighbours to each side that count",
            kind: ParamKind::Integer { min: 1, max: 1000 },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "symmetric",
            summary: "neighbours after a token count as well as those before it",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(true),
        },
        ParamSpec {
            name: "distance_weighting",
            summary: "a neighbour at distance d counts 1 / d",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(true),
        },
        ParamSpec {
            name: "x_max",
            summary: "co-occurrences from this count on weigh the same; the authors' 100 is for billions of words",
            kind: ParamKind::Number { min: 1e-9, max: 1e12 },
            default: ParamDefault::Number(10.0),
        },
        ParamSpec {
            name: "alpha",
            summary: "exponent of the weight of rarer co-occurrences",
            kind: ParamKind::Number { min: 0.0, max: 10.0 },
            default: ParamDefault::Number(0.75),
        },
        ParamSpec {
            name: "epochs",
            summary: "passes over the co-occurrence table",
            kind: ParamKind::Integer { min: 1, max: 10_000 },
            default: ParamDefault::Integer(25),
        },
        ParamSpec {
            name: "min_count",
            summary: "tokens that occur less often in training are unknown",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Integer(1),
        },
        ParamSpec {
            name: "learning_rate",
            summary: "first step size; AdaGrad lowers it per number",
            kind: ParamKind::Number { min: 1e-9, max: 10.0 },
            default: ParamDefault::Number(0.05),
        },
        POOLING,
        SIF_A,
    ],
};

/// Makes the encoder.
pub(crate) fn build(params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    Ok(Box::new(Glove {
        dim: params.size("dim"),
        counting: Counting {
            window: params.size("window"),
            symmetric: params.flag("symmetric"),
            distance_weighting: params.flag("distance_weighting"),
        },
        x_max: params.number("x_max"),
        alpha: params.number("alpha"),
        epochs: params.size("epochs"),
        min_count: params.size("min_count"),
        learning_rate: params.number("learning_rate"),
        pooling: Pooling::of(params),
    }))
}

struct Glove {
    dim: usize,
    counting: Counting,
    x_max: f64,
    alpha: f64,
    epochs: usize,
    min_count: usize,
    learning_rate: f64,
    pooling: Pooling,
}

#[derive(Clone, Copy)]
struct Counting {
    window: usize,
    symmetric: bool,
    distance_weighting: bool,
}

/// How often the second token occurs near the first.
type Cell = (u32, u32, f64);

impl Encoder for Glove {
    fn scope(&self) -> Scope {
        Scope::PerFold
    }

    fn fit<'a>(&'a self, rows: SequenceView<'_>, ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        let corpus = Corpus::learn(rows, self.min_count)?;
        let n = corpus.frequencies.len();
        // A token and a context vector, and AdaGrad's sums for both.
        check_dense("token vectors", 4 * n, self.dim, "lower dim, raise min_count or --memory", ctx)?;
        let cells = self.counting.cells(&corpus.sequences, n, ctx)?;
        let mut warnings = Vec::new();
        if cells.is_empty() {
            warnings.push(
                "glove learnt nothing: no training sample holds two known tokens; its vectors are random".to_owned(),
            );
        }
        let mut draws = Stream::new(ctx.seed);
        let mut model = Model::new(n, self.dim, &mut draws);
        let mut weighted: Vec<(u32, u32, f32, f32)> = cells
            .into_iter()
            .map(|(token, context, x)| {
                let weight = if x < self.x_max { libm::pow(x / self.x_max, self.alpha) } else { 1.0 };
                (token, context, narrow(libm::log(x)), narrow(weight))
            })
            .collect();
        for _ in 0..self.epochs {
            draws.shuffle(&mut weighted);
            for &(token, context, log_x, weight) in &weighted {
                model.step(token, context, log_x, weight, narrow(self.learning_rate));
            }
        }
        Ok(Box::new(TokenVectors::new(corpus, model.sum(), self.dim, self.pooling, warnings, ctx)?))
    }
}

impl Counting {
    /// Counts, by token and context.
    fn cells(self, sequences: &[Vec<u32>], n_tokens: usize, ctx: &Context) -> Result<Vec<Cell>, Failure> {
        let mut rows: Vec<BTreeMap<u32, f64>> = vec![BTreeMap::new(); n_tokens];
        let mut n_cells = 0_u64;
        for sequence in sequences {
            for (at, &token) in sequence.iter().enumerate() {
                for (distance, &before) in (1..=self.window).zip(sequence[..at].iter().rev()) {
                    let count = if self.distance_weighting { 1.0 / distance as f64 } else { 1.0 };
                    let mut add = |token: u32, context: u32| {
                        let cell = rows[token as usize].entry(context).or_insert_with(|| {
                            n_cells += 1;
                            0.0
                        });
                        *cell += count;
                    };
                    add(token, before);
                    if self.symmetric {
                        add(before, token);
                    }
                }
            }
            let need = n_cells * CELL_BYTES;
            if need > ctx.memory_bytes {
                return Err(Failure::new(
                    FailureClass::Oom,
                    format!(
                        "{n_cells} or more co-occurrences of {n_tokens} tokens need {need} bytes, the limit is {} bytes; \
                         lower window, raise min_count or --memory",
                        ctx.memory_bytes
                    ),
                ));
            }
        }
        let cells = (0_u32..).zip(rows);
        Ok(cells.flat_map(|(token, row)| row.into_iter().map(move |(context, x)| (token, context, x))).collect())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "training is in f32, rounded once")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Vectors and biases of one role, with AdaGrad's sums of squares.
struct Role {
    vectors: Table,
    biases: Vec<f32>,
    vector_squares: Table,
    bias_squares: Vec<f32>,
}

impl Role {
    fn new(n: usize, dim: usize, draws: &mut Stream) -> Self {
        let vectors = Table::drawn(n, dim, 0.5, draws);
        let biases = (0..n).map(|_| narrow((draws.uniform() - 0.5) / dim as f64)).collect();
        let mut vector_squares = Table::zeros(n, dim);
        (0..n).for_each(|i| vector_squares.row_mut(i).fill(1.0));
        Self { vectors, biases, vector_squares, bias_squares: vec![1.0; n] }
    }

    /// One vector moves against `push` times `other`.
    fn step(&mut self, at: usize, push: f32, other: &[f32]) {
        let values = self.vectors.row_mut(at).iter_mut().zip(self.vector_squares.row_mut(at));
        for ((value, square), other) in values.zip(other) {
            let gradient = (push * other).clamp(-CLIP, CLIP);
            *value -= gradient / square.sqrt();
            *square += gradient * gradient;
        }
        self.biases[at] -= push / self.bias_squares[at].sqrt();
        self.bias_squares[at] += push * push;
    }
}

struct Model {
    tokens: Role,
    contexts: Role,
    scratch: Vec<f32>,
}

impl Model {
    fn new(n: usize, dim: usize, draws: &mut Stream) -> Self {
        Self { tokens: Role::new(n, dim, draws), contexts: Role::new(n, dim, draws), scratch: Vec::new() }
    }

    /// One cell: the inner product and biases towards `log_x`.
    fn step(&mut self, token: u32, context: u32, log_x: f32, weight: f32, rate: f32) {
        let (token, context) = (token as usize, context as usize);
        let product = dot(self.tokens.vectors.row(token), self.contexts.vectors.row(context));
        let difference = product + self.tokens.biases[token] + self.contexts.biases[context] - log_x;
        let push = weight * difference * rate;
        self.scratch.clear();
        self.scratch.extend_from_slice(self.tokens.vectors.row(token));
        self.tokens.step(token, push, self.contexts.vectors.row(context));
        self.contexts.step(context, push, &self.scratch);
    }

    /// Token and context vectors together, as the authors publish them.
    fn sum(self) -> Table {
        let mut vectors = self.tokens.vectors;
        for i in 0..self.tokens.biases.len() {
            add(vectors.row_mut(i), self.contexts.vectors.row(i));
        }
        vectors
    }
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle, rows};

    use super::*;

    const CTX: Context = Context { seed: 1, threads: 1, memory_bytes: 1 << 30 };

    #[test]
    fn counts_and_steps_agree_with_numpy() {
        let table = oracle("encode", "glove");
        for case in &table.case {
            if case.contains_key("sequences") {
                let sequences: Vec<Vec<u32>> = rows(case, "sequences")
                    .into_iter()
                    .map(|row| row.into_iter().map(|token| token as u32).collect())
                    .collect();
                let flag = |key: &str| case[key].as_bool().unwrap();
                let counting = Counting {
                    window: number(case, "window") as usize,
                    symmetric: flag("symmetric"),
                    distance_weighting: flag("distance_weighting"),
                };
                let cells = counting.cells(&sequences, number(case, "n_tokens") as usize, &CTX).unwrap();
                let expected = rows(case, "cells");
                assert_eq!(cells.len(), expected.len(), "{}", case["name"]);
                for ((token, context, x), expected) in cells.into_iter().zip(expected) {
                    assert_eq!((f64::from(token), f64::from(context)), (expected[0], expected[1]), "{}", case["name"]);
                    table.assert_close(&format!("{} {token} {context}", case["name"]), x, expected[2]);
                }
            } else {
                let (n, dim) = (rows(case, "tokens").len(), rows(case, "tokens")[0].len());
                let mut model = Model::new(n, dim, &mut Stream::new(1));
                for (role, key) in [(&mut model.tokens, "tokens"), (&mut model.contexts, "contexts")] {
                    for (i, row) in rows(case, key).iter().enumerate() {
                        row.iter().enumerate().for_each(|(j, value)| role.vectors.row_mut(i)[j] = narrow(*value));
                    }
                    role.biases = numbers(case, &format!("{key}_bias")).into_iter().map(narrow).collect();
                }
                for cell in rows(case, "steps") {
                    let rate = narrow(number(case, "learning_rate"));
                    model.step(cell[0] as u32, cell[1] as u32, narrow(cell[2]), narrow(cell[3]), rate);
                }
                for (role, key) in [(&model.tokens, "tokens"), (&model.contexts, "contexts")] {
                    for (i, row) in rows(case, &format!("{key}_after")).iter().enumerate() {
                        for (j, expected) in row.iter().enumerate() {
                            let got = role.vectors.row(i)[j];
                            table.assert_close(&format!("{key} [{i}, {j}]"), got.into(), *expected);
                        }
                    }
                    for (i, expected) in numbers(case, &format!("{key}_bias_after")).iter().enumerate() {
                        table.assert_close(&format!("{key} bias {i}"), role.biases[i].into(), *expected);
                    }
                }
            }
        }
    }

    #[test]
    fn a_table_beyond_the_declared_memory_is_refused() {
        let counting = Counting { window: 2, symmetric: true, distance_weighting: true };
        let failure = counting.cells(&[vec![0, 1, 2]], 3, &Context { memory_bytes: 100, ..CTX }).unwrap_err();
        assert_eq!(
            (failure.class, failure.message.as_str()),
            (
                FailureClass::Oom,
                "6 or more co-occurrences of 3 tokens need 288 bytes, the limit is 100 bytes; lower window, raise \
                 min_count or --memory"
            )
        );
    }
}
