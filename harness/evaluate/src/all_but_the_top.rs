//! Post step: subtract the mean and the directions that all vectors share.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{FittedPost, Post};
use trailmark_core::{Cost, Failure, Matrix, Params, Spec};

use crate::principal::{Principal, add_scaled, dot};
use crate::training_columns::{require_finite, require_rows, require_width};

/// One direction is removed for every so many features, and at least one: the authors' rule of thumb.
const FEATURES_PER_DIRECTION: usize = 100;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "all_but_the_top",
    summary: "subtracts the training mean and removes the first max(1, n_features / 100) principal directions",
    reference: "Mu and Viswanath 2018, ICLR, arXiv 1702.01417",
    revision: 1,
    cost: Cost { time: "n_samples * n_features^2", memory: "n_features^2" },
    params: &[],
};

struct AllButTheTop;

/// Constructor for the catalogue.
pub(crate) fn build(_params: &Params) -> Result<Box<dyn Post>, BuildError> {
    Ok(Box::new(AllButTheTop))
}

struct Fitted(Principal);

impl Post for AllButTheTop {
    fn fit(&self, train: &Matrix<f32>) -> Result<Box<dyn FittedPost>, Failure> {
        require_rows(SPEC.name, train)?;
        let mut principal = Principal::of(train);
        principal.directions.truncate((train.cols() / FEATURES_PER_DIRECTION).max(1));
        Ok(Box::new(Fitted(principal)))
    }
}

impl FittedPost for Fitted {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32; the difference is rounded once")]
    fn apply(&self, x: &mut Matrix<f32>) -> Result<(), Failure> {
        let Self(principal) = self;
        require_width(SPEC.name, principal.mean.len(), x)?;
        for i in 0..x.rows() {
            let centred = principal.centre(x.row(i));
            let mut left = centred.clone();
            for direction in &principal.directions {
                add_scaled(&mut left, -dot(&centred, direction), direction);
            }
            x.row_mut(i).iter_mut().zip(left).for_each(|(value, left)| *value = left as f32);
        }
        require_finite(SPEC.name, x)
    }
}
