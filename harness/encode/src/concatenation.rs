//! Fusion: the vectors of several encoders side by side.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::Fusion;
use trailmark_core::{Cost, Failure, Matrix, Params, Spec};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "concatenation",
    summary: "vectors of several encoders side by side; give the parts l2 or standardize as post steps, or the one with \
              the larger numbers decides alone",
    reference: "Atrey, Hossain, El Saddik and Kankanhalli 2010, Multimed. Syst. 16 (early fusion); NumPy concatenate",
    revision: 1,
    cost: Cost { time: "n_samples * sum of n_features", memory: "none" },
    params: &[],
};

/// Makes the fusion.
pub(crate) fn build(_params: &Params) -> Result<Box<dyn Fusion>, BuildError> {
    Ok(Box::new(Concatenation))
}

struct Concatenation;

impl Fusion for Concatenation {
    fn fuse(&self, parts: &[&Matrix<f32>]) -> Result<Matrix<f32>, Failure> {
        let rows = super::same_rows(parts)?;
        let width = parts.iter().map(|part| part.cols()).sum();
        let mut values = Vec::with_capacity(rows * width);
        for row in 0..rows {
            for part in parts {
                values.extend_from_slice(part.row(row));
            }
        }
        Matrix::from_vec(rows, width, values).map_err(|error| Failure::bug(error.to_string()))
    }
}
