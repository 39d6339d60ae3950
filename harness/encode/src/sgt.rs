//! Sequence graph transform: for every ordered pair of tokens, how close the second tends to follow the first.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Embeddings, Failure, ParamKind, ParamSpec, Params, SequenceView, Spec};

use crate::alphabet::{Alphabet, MAX_TOKENS};
use crate::counting::{Counts, dense, embeddings};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "sgt",
    summary: "sequence graph transform: closeness of every ordered pair of tokens, (known tokens)^2 numbers",
    reference: "Ranjan, Ebrahimi and Paynabar 2022, Data Min. Knowl. Discov. 36, arXiv 1608.03533; agrees with the \
                authors' package sgt",
    revision: 1,
    cost: Cost { time: "tokens * vocabulary + n_samples * vocabulary^2", memory: "24 * vocabulary^2" },
    params: &[
        ParamSpec {
            name: "kappa",
            summary: "how fast the effect of a gap falls: exp(-kappa * gap), and the power 1 / kappa at the end",
            kind: ParamKind::Number { min: 0.01, max: 100.0 },
            default: ParamDefault::Number(1.0),
        },
        ParamSpec {
            name: "length_sensitive",
            summary: "sequences of different length count as different",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(false),
        },
        MAX_TOKENS,
    ],
};

/// Makes the encoder.
pub(crate) fn build(params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    Ok(Box::new(Sgt {
        settings: Settings { kappa: params.number("kappa"), length_sensitive: params.flag("length_sensitive") },
        max_tokens: params.size("max_tokens"),
    }))
}

#[derive(Clone, Copy)]
struct Settings {
    kappa: f64,
    length_sensitive: bool,
}

struct Sgt {
    settings: Settings,
    max_tokens: usize,
}

impl Encoder for Sgt {
    fn scope(&self) -> Scope {
        Scope::PerFold
    }

    fn fit<'a>(&'a self, train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        let alphabet = Alphabet::learn(train, self.max_tokens)?;
        Ok(Box::new(Fitted { alphabet, settings: self.settings, counts: Counts::default() }))
    }
}

struct Fitted {
    alphabet: Alphabet,
    settings: Settings,
    counts: Counts,
}

impl Settings {
    /// `psi(u, v) = sum of exp(-kappa (m - l)) over positions l of u before m of v, by their number`, to the power
    /// 1 / kappa. One pass: every token keeps the sum over its earlier positions, which shrinks with each step.
    /// Unknown tokens keep their place and their share of the length.
    fn transform(self, columns: &[Option<usize>], n: usize) -> Vec<f64> {
        let fall = libm::exp(-self.kappa);
        let (mut near, mut before) = (vec![0.0_f64; n], vec![0.0_f64; n]);
        let (mut closeness, mut pairs) = (vec![0.0_f64; n * n], vec![0.0_f64; n * n]);
        for &column in columns {
            near.iter_mut().for_each(|near| *near *= fall);
            let Some(to) = column else { continue };
            for from in 0..n {
                closeness[from * n + to] += near[from];
                pairs[from * n + to] += before[from];
            }
            near[to] += 1.0;
            before[to] += 1.0;
        }
        let length = if self.length_sensitive { columns.len() as f64 } else { 1.0 };
        for (closeness, pairs) in closeness.iter_mut().zip(pairs) {
            if pairs > 0.0 {
                *closeness = libm::pow(*closeness * length / pairs, 1.0 / self.kappa);
            }
        }
        closeness
    }
}

impl Transform for Fitted {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32, rounded once")]
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let n = self.alphabet.len();
        let mut x = dense(rows.len(), n * n, "lower max_tokens or raise --memory", ctx)?;
        for i in 0..rows.len() {
            let columns = self.alphabet.columns(rows.tokens(i));
            let n_known = columns.iter().flatten().count();
            self.counts.row(n_known > 0);
            self.counts.tokens(columns.len(), columns.len() - n_known);
            for (value, closeness) in x.row_mut(i).iter_mut().zip(self.settings.transform(&columns, n)) {
                *value = closeness as f32;
            }
        }
        embeddings(x)
    }

    fn warnings(&self) -> Vec<String> {
        self.alphabet.warnings().into_iter().chain(self.counts.warnings()).collect()
    }
}
