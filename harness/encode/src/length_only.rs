//! Control: nothing of a sample but its length. An encoder that does no better than this has found long and short
//! histories, not kinds of behaviour.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::{Cost, Embeddings, Failure, Params, SequenceView, Spec};

use crate::counting::{dense, embeddings};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "length_only",
    summary: "control: ln(1 + number of tokens), one dimension, nothing else",
    reference: "a control of this program; Hewitt and Liang 2019, EMNLP, arXiv 1909.03368, on why controls are needed",
    revision: 1,
    cost: Cost { time: "n_samples", memory: "none" },
    params: &[],
};

/// Makes the encoder.
pub(crate) fn build(_params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    Ok(Box::new(LengthOnly))
}

struct LengthOnly;

impl Encoder for LengthOnly {
    fn scope(&self) -> Scope {
        Scope::Frozen
    }

    fn fit<'a>(&'a self, _train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        Ok(Box::new(LengthOnly))
    }
}

impl Transform for LengthOnly {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32, rounded once")]
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let mut x = dense(rows.len(), 1, "raise --memory", ctx)?;
        for i in 0..rows.len() {
            x.row_mut(i)[0] = libm::log1p(rows.tokens(i).len() as f64) as f32;
        }
        embeddings(x)
    }
}
