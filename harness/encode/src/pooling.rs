//! One vector of a sample from the vectors of its tokens or words: shared by `word2vec`, `glove` and `word_vectors`.

use trailmark_core::contract::Context;
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Failure, ParamKind, ParamSpec, Params};

use crate::svd::{Sparse, truncated};

/// The parameter that chooses.
pub(crate) const POOLING: ParamSpec = ParamSpec {
    name: "pooling",
    summary: "mean; idf: mean weighted by inverse document frequency; sif: weighted by sif_a / (sif_a + share), less the \
              first singular direction. Weights and direction are learnt on training samples",
    kind: ParamKind::Choice(&["mean", "idf", "sif"]),
    default: ParamDefault::Text("mean"),
};

/// The constant of `sif`.
pub(crate) const SIF_A: ParamSpec = ParamSpec {
    name: "sif_a",
    summary: "share of all training tokens at which pooling = \"sif\" halves a token's weight; small vocabularies of \
              events need 0.1 or so",
    kind: ParamKind::Number { min: 1e-9, max: 1e9 },
    default: ParamDefault::Number(1e-3),
};

/// How to pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pooling {
    /// All known tokens weigh the same.
    Mean,
    /// `ln((1 + n) / (1 + df)) + 1`, as `tfidf` weighs; the weights of a sample are scaled to sum to 1.
    Idf,
    /// Arora, Liang and Ma 2017.
    Sif { a: f64 },
}

impl Pooling {
    /// What the suite says.
    pub(crate) fn of(params: &Params) -> Self {
        match params.text("pooling") {
            "idf" => Self::Idf,
            "sif" => Self::Sif { a: params.number("sif_a") },
            _ => Self::Mean,
        }
    }
}

/// The vector of every token.
pub(crate) trait Vectors {
    /// (at least dim,) the vector of a token.
    fn vector(&self, token: u32) -> &[f32];
}

/// Fitted pooling.
#[derive(Debug)]
pub(crate) struct Pool {
    pooling: Pooling,
    dim: usize,
    weights: Vec<f64>,           // (n_tokens,), empty for the plain mean
    principal: Option<Vec<f64>>, // (dim,)
}

impl Pool {
    /// The plain mean, which is fitted on nothing.
    pub(crate) fn mean(dim: usize) -> Self {
        Self { pooling: Pooling::Mean, dim, weights: Vec::new(), principal: None }
    }

    /// Learns weights from the known tokens of the training samples; tokens are numbered below `n_tokens`.
    ///
    /// # Errors
    /// `Oom` when the singular direction of `sif` does not fit the declared memory.
    pub(crate) fn fit(
        pooling: Pooling,
        dim: usize,
        samples: &[Vec<u32>],
        n_tokens: usize,
        vectors: &impl Vectors,
        ctx: &Context,
    ) -> Result<Self, Failure> {
        let mut pool = Self { pooling, ..Self::mean(dim) };
        match pooling {
            Pooling::Mean => {}
            Pooling::Idf => {
                let mut df = vec![0_u32; n_tokens];
                for sample in samples {
                    let mut distinct = sample.clone();
                    distinct.sort_unstable();
                    distinct.dedup();
                    distinct.iter().for_each(|token| df[*token as usize] += 1);
                }
                let n = samples.len() as f64 + 1.0;
                pool.weights = df.into_iter().map(|df| libm::log(n / (f64::from(df) + 1.0)) + 1.0).collect();
            }
            Pooling::Sif { a } => {
                let mut counts = vec![0_u64; n_tokens];
                samples.iter().flatten().for_each(|token| counts[*token as usize] += 1);
                let total = counts.iter().sum::<u64>().max(1) as f64;
                pool.weights = counts.into_iter().map(|count| a / (a + count as f64 / total)).collect();
                pool.principal = pool.first_direction(samples, vectors, ctx)?;
            }
        }
        Ok(pool)
    }

    /// The first right singular vector of the training samples' vectors, which are not centred.
    fn first_direction(
        &self,
        samples: &[Vec<u32>],
        vectors: &impl Vectors,
        ctx: &Context,
    ) -> Result<Option<Vec<f64>>, Failure> {
        let mut x = Sparse::new(self.dim);
        let mut n_rows = 0;
        for sample in samples {
            let row = self.pool(sample, vectors);
            if row.iter().any(|value| *value != 0.0) {
                x.push((0_u32..).zip(row).collect());
                n_rows += 1;
            }
        }
        if n_rows == 0 {
            return Ok(None);
        }
        let svd = truncated(&x, 1, ctx)?;
        Ok(Some((0_u32..).take(self.dim).map(|column| svd.project(&[(column, 1.0)])[0]).collect()))
    }

    /// The vector of a sample, (dim,), from its known tokens; zero without any.
    pub(crate) fn pool(&self, tokens: &[u32], vectors: &impl Vectors) -> Vec<f64> {
        let mut sum = vec![0.0_f64; self.dim];
        if tokens.is_empty() {
            return sum;
        }
        let mut total = 0.0;
        for &token in tokens {
            let weight = self.weights.get(token as usize).copied().unwrap_or(1.0);
            total += weight;
            for (sum, value) in sum.iter_mut().zip(vectors.vector(token)) {
                *sum += weight * f64::from(*value);
            }
        }
        // SIF divides by the number of tokens, as its authors do.
        let by = if self.pooling == Pooling::Idf { total } else { tokens.len() as f64 };
        sum.iter_mut().for_each(|value| *value /= by);
        if let Some(direction) = &self.principal {
            let along: f64 = sum.iter().zip(direction).map(|(value, direction)| value * direction).sum();
            sum.iter_mut().zip(direction).for_each(|(value, direction)| *value -= along * direction);
        }
        sum
    }
}
