//! How often each event occurs: the simple baseline that anything learnt must beat. It is blind to order.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Embeddings, Failure, ParamKind, ParamSpec, Params, SequenceView, Spec};

use crate::counting::{Counts, dense, embeddings};
use crate::vocabulary::{Rule, Vocabulary};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "bag_of_events",
    summary: "counts of each token, blind to order: the simple baseline",
    reference: "Salton, Wong and Yang 1975, Commun. ACM 18; agrees with scikit-learn's CountVectorizer",
    revision: 1,
    cost: Cost { time: "tokens", memory: "the vocabulary" },
    params: &[
        ParamSpec {
            name: "relative",
            summary: "shares of the sequence's known tokens instead of counts",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(false),
        },
        ParamSpec {
            name: "min_df",
            summary: "leave out tokens that occur in fewer training samples",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Integer(1),
        },
        ParamSpec {
            name: "max_features",
            summary: "keep this many tokens, those of most training samples",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Integer(4096),
        },
    ],
};

/// Makes the encoder.
pub(crate) fn build(params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    let rule = Rule {
        ngram_min: 1,
        ngram_max: 1,
        min_df: params.size("min_df"),
        max_features: Some(params.size("max_features")),
    };
    Ok(Box::new(BagOfEvents { rule, relative: params.flag("relative") }))
}

struct BagOfEvents {
    rule: Rule,
    relative: bool,
}

struct Fitted {
    vocabulary: Vocabulary,
    relative: bool,
    counts: Counts,
}

impl Encoder for BagOfEvents {
    fn scope(&self) -> Scope {
        Scope::PerFold
    }

    fn fit<'a>(&'a self, train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        let vocabulary = Vocabulary::learn(train, self.rule)?;
        Ok(Box::new(Fitted { vocabulary, relative: self.relative, counts: Counts::default() }))
    }
}

impl Transform for Fitted {
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let mut x = dense(rows.len(), self.vocabulary.len(), "lower max_features or raise --memory", ctx)?;
        for i in 0..rows.len() {
            let (found, unknown) = self.vocabulary.counts(rows.tokens(i));
            let known: u32 = found.iter().map(|(_, count)| count).sum();
            self.counts.row(known > 0);
            self.counts.tokens(known as usize + unknown, unknown);
            let scale = if self.relative { f64::from(known) } else { 1.0 };
            for (column, count) in found {
                #[expect(clippy::cast_possible_truncation, reason = "rounding to nearest is meant")]
                let value = (f64::from(count) / scale) as f32;
                x.row_mut(i)[column as usize] = value;
            }
        }
        embeddings(x)
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.vocabulary.warnings();
        warnings.extend(self.counts.warnings());
        warnings
    }
}
