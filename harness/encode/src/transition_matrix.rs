//! Which token follows which: a sample's smoothed first-order transition probabilities, one row of the matrix after the
//! other.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Embeddings, Failure, ParamKind, ParamSpec, Params, SequenceView, Spec};

use crate::alphabet::{Alphabet, MAX_TOKENS};
use crate::counting::{Counts, dense, embeddings};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "transition_matrix",
    summary: "probability of every token after every other in the sample, (known tokens)^2 numbers",
    reference: "Cadez, Heckerman, Meek, Smyth and White 2003, Data Min. Knowl. Discov. 7; smoothing: Lidstone 1920, \
                Trans. Fac. Actuaries 8",
    revision: 1,
    cost: Cost { time: "tokens + n_samples * vocabulary^2", memory: "8 * vocabulary^2" },
    params: &[
        ParamSpec {
            name: "smoothing",
            summary: "added to every count of a pair; with 0 the row of a token that nothing follows is zero",
            kind: ParamKind::Number { min: 0.0, max: 1e9 },
            default: ParamDefault::Number(1.0),
        },
        MAX_TOKENS,
    ],
};

/// Makes the encoder.
pub(crate) fn build(params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    Ok(Box::new(TransitionMatrix { smoothing: params.number("smoothing"), max_tokens: params.size("max_tokens") }))
}

struct TransitionMatrix {
    smoothing: f64,
    max_tokens: usize,
}

impl Encoder for TransitionMatrix {
    fn scope(&self) -> Scope {
        Scope::PerFold
    }

    fn fit<'a>(&'a self, train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        let alphabet = Alphabet::learn(train, self.max_tokens)?;
        Ok(Box::new(Fitted { alphabet, smoothing: self.smoothing, counts: Counts::default() }))
    }
}

struct Fitted {
    alphabet: Alphabet,
    smoothing: f64,
    counts: Counts,
}

impl Transform for Fitted {
    /// A pair with an unknown token is not counted; tokens on both sides of one are no pair.
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32, rounded once")]
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let n = self.alphabet.len();
        let mut x = dense(rows.len(), n * n, "lower max_tokens or raise --memory", ctx)?;
        let mut pairs = vec![0.0_f64; n * n];
        for i in 0..rows.len() {
            let columns = self.alphabet.columns(rows.tokens(i));
            let n_known = columns.iter().flatten().count();
            self.counts.row(n_known > 0);
            self.counts.tokens(columns.len(), columns.len() - n_known);
            if n_known == 0 {
                continue;
            }
            pairs.fill(self.smoothing);
            for pair in columns.windows(2) {
                if let [Some(from), Some(to)] = pair {
                    pairs[from * n + to] += 1.0;
                }
            }
            for (out, row) in x.row_mut(i).chunks_exact_mut(n).zip(pairs.chunks_exact(n)) {
                let total: f64 = row.iter().sum();
                if total > 0.0 {
                    out.iter_mut().zip(row).for_each(|(out, count)| *out = (count / total) as f32);
                }
            }
        }
        embeddings(x)
    }

    fn warnings(&self) -> Vec<String> {
        self.alphabet.warnings().into_iter().chain(self.counts.warnings()).collect()
    }
}
