//! Fusion: a weighted sum of two encoders of equal width.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::Fusion;
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, Matrix, ParamKind, ParamSpec, Params, Spec};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "weighted_sum",
    summary: "(alpha * first + (1 - alpha) * second) / beta of two encoders of equal width; make the widths equal with \
              pca, and the scales with l2 or standardize",
    reference: "Atrey, Hossain, El Saddik and Kankanhalli 2010, Multimed. Syst. 16 (linear weighted fusion)",
    revision: 1,
    cost: Cost { time: "n_samples * n_features", memory: "none" },
    params: &[
        ParamSpec {
            name: "alpha",
            summary: "weight of the first part; 1 is the first alone, 0 the second alone",
            kind: ParamKind::Number { min: 0.0, max: 1.0 },
            default: ParamDefault::Number(0.5),
        },
        ParamSpec {
            name: "beta",
            summary: "what the sum is divided by; matters where a later step or distance has a scale of its own",
            kind: ParamKind::Number { min: 1e-9, max: 1e9 },
            default: ParamDefault::Number(1.0),
        },
    ],
};

/// Makes the fusion.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Fusion>, BuildError> {
    Ok(Box::new(WeightedSum { alpha: params.number("alpha"), beta: params.number("beta") }))
}

struct WeightedSum {
    alpha: f64,
    beta: f64,
}

impl Fusion for WeightedSum {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32; the sum is rounded once")]
    fn fuse(&self, parts: &[&Matrix<f32>]) -> Result<Matrix<f32>, Failure> {
        super::same_rows(parts)?;
        let [first, second] = parts else {
            return Err(Failure::bug(format!("weighted_sum was given {} parts", parts.len())));
        };
        if first.cols() != second.cols() {
            return Err(Failure::bad_input(format!(
                "weighted_sum adds vectors of equal width, and its parts have {} and {} features; give the wider one \
                 the post step pca with n_components = {}, or use concatenation",
                first.cols(),
                second.cols(),
                first.cols().min(second.cols())
            )));
        }
        let mut sum = Matrix::zeros(first.rows(), first.cols());
        for ((out, a), b) in sum.as_mut_slice().iter_mut().zip(first.as_slice()).zip(second.as_slice()) {
            *out = ((self.alpha * f64::from(*a) + (1.0 - self.alpha) * f64::from(*b)) / self.beta) as f32;
        }
        Ok(sum)
    }
}
