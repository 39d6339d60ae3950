//! What `word2vec` and `glove` share: the tokens of the training samples, and the pooled vectors of samples.

use std::collections::BTreeMap;

use trailmark_core::contract::{Context, Transform};
use trailmark_core::{Embeddings, Failure, SequenceView};

use crate::counting::{Counts, dense, embeddings};
use crate::negative_sampling::Table;
use crate::pooling::{Pool, Pooling, Vectors};

/// The known tokens of the training samples, numbered from the most frequent.
pub(crate) struct Corpus {
    /// From the dataset's token numbers.
    pub(crate) index: BTreeMap<u32, u32>,
    /// (n_tokens,) occurrences in training.
    pub(crate) frequencies: Vec<u64>,
    /// (n_train,) known tokens of each sample.
    pub(crate) sequences: Vec<Vec<u32>>,
}

impl Corpus {
    /// Reads the training samples.
    ///
    /// # Errors
    /// When no token occurs `min_count` times.
    pub(crate) fn learn(train: SequenceView<'_>, min_count: usize) -> Result<Self, Failure> {
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for i in 0..train.len() {
            for &token in train.tokens(i) {
                *counts.entry(token).or_default() += 1;
            }
        }
        let n_found = counts.len();
        let mut known: Vec<(u32, u64)> = counts.into_iter().filter(|(_, count)| *count >= min_count as u64).collect();
        if known.is_empty() {
            return Err(Failure::bad_input(format!(
                "none of {n_found} tokens occurs {min_count} times or more in {} training samples; lower min_count",
                train.len()
            )));
        }
        // Frequent first, then by name: token numbers come from the whole dataset and may not matter.
        known.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| train.token_name(a.0).cmp(train.token_name(b.0))));
        let index: BTreeMap<u32, u32> = (0_u32..).zip(&known).map(|(at, (token, _))| (*token, at)).collect();
        let sequences = (0..train.len())
            .map(|i| train.tokens(i).iter().filter_map(|token| index.get(token).copied()).collect())
            .collect();
        Ok(Self { index, frequencies: known.into_iter().map(|(_, count)| count).collect(), sequences })
    }
}

/// A fitted encoder: vectors of tokens and how to pool them.
pub(crate) struct TokenVectors {
    dim: usize,
    index: BTreeMap<u32, u32>,
    vectors: Table,
    pool: Pool,
    warnings: Vec<String>,
    counts: Counts,
}

impl TokenVectors {
    /// Fits the pooling on the training samples.
    ///
    /// # Errors
    /// `Oom` of the pooling.
    pub(crate) fn new(
        corpus: Corpus,
        vectors: Table,
        dim: usize,
        pooling: Pooling,
        warnings: Vec<String>,
        ctx: &Context,
    ) -> Result<Self, Failure> {
        let Corpus { index, frequencies, sequences } = corpus;
        let pool = Pool::fit(pooling, dim, &sequences, frequencies.len(), &vectors, ctx)?;
        Ok(Self { dim, index, vectors, pool, warnings, counts: Counts::default() })
    }
}

impl Vectors for Table {
    fn vector(&self, token: u32) -> &[f32] {
        self.row(token as usize)
    }
}

impl Transform for TokenVectors {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32, rounded once")]
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let mut x = dense(rows.len(), self.dim, "lower dim or raise --memory", ctx)?;
        for i in 0..rows.len() {
            let tokens = rows.tokens(i);
            let known: Vec<u32> = tokens.iter().filter_map(|token| self.index.get(token).copied()).collect();
            self.counts.row(!known.is_empty());
            self.counts.tokens(tokens.len(), tokens.len() - known.len());
            for (value, pooled) in x.row_mut(i).iter_mut().zip(self.pool.pool(&known, &self.vectors)) {
                *value = pooled as f32;
            }
        }
        embeddings(x)
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.iter().cloned().chain(self.counts.warnings()).collect()
    }
}
