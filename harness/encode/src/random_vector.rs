//! Control: a vector drawn for each sample, blind to what the sample holds. Whatever a clusterer scores on it is chance.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Embeddings, Failure, ParamKind, ParamSpec, Params, SequenceView, Spec, Stream, random};

use crate::counting::{dense, embeddings};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "random_vector",
    summary: "control: independent standard normal numbers per sample, drawn from the seed and the sample's id",
    reference: "a control of this program; Hewitt and Liang 2019, EMNLP, arXiv 1909.03368, on why controls are needed",
    revision: 1,
    cost: Cost { time: "n_samples * dim", memory: "none" },
    params: &[ParamSpec {
        name: "dim",
        summary: "number of dimensions",
        kind: ParamKind::Integer { min: 1, max: 4096 },
        default: ParamDefault::Integer(64),
    }],
};

/// Makes the encoder.
pub(crate) fn build(params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    Ok(Box::new(RandomVector { dim: params.size("dim") }))
}

struct RandomVector {
    dim: usize,
}

/// Frozen: nothing is learnt, and a sample has the same vector in every fold, as that of a public model would be.
impl Encoder for RandomVector {
    fn scope(&self) -> Scope {
        Scope::Frozen
    }

    fn fit<'a>(&'a self, _train: SequenceView<'_>, ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        Ok(Box::new(Drawn { dim: self.dim, seed: ctx.seed }))
    }
}

struct Drawn {
    dim: usize,
    seed: u64,
}

impl Transform for Drawn {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32, rounded once")]
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let mut x = dense(rows.len(), self.dim, "lower dim or raise --memory", ctx)?;
        for i in 0..rows.len() {
            let mut draws = Stream::new(random::seed(self.seed, "random_vector", &[rows.id(i)]));
            x.row_mut(i).iter_mut().for_each(|value| *value = draws.normal() as f32);
        }
        embeddings(x)
    }
}
