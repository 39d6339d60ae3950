//! Post step: subtract the mean and the directions that all vectors share.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{FittedPost, Post};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Failure, Matrix, ParamKind, ParamSpec, Params, Spec};

use crate::principal::{PRINCIPAL_COST, Principal, add_scaled, dot};
use crate::training_columns::{require_finite, require_rows, require_width};

/// One direction is removed for every so many features, and at least one: the authors' rule of thumb.
const FEATURES_PER_DIRECTION: usize = 100;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "all_but_the_top",
    summary: "subtracts the training mean and removes the first principal directions of the training rows",
    reference: "Mu and Viswanath 2018, ICLR, arXiv 1702.01417",
    revision: 1,
    cost: PRINCIPAL_COST,
    params: &[ParamSpec {
        name: "n_components",
        summary: "directions removed, fewer than the training rows have; left out: n_features / 100, and at least 1",
        kind: ParamKind::Integer { min: 1, max: i64::MAX },
        default: ParamDefault::Absent,
    }],
};

struct AllButTheTop {
    n_components: Option<usize>,
}

/// Constructor for the catalogue.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Post>, BuildError> {
    Ok(Box::new(AllButTheTop { n_components: params.try_size("n_components") }))
}

struct Fitted(Principal);

impl Post for AllButTheTop {
    fn fit(&self, train: &Matrix<f32>) -> Result<Box<dyn FittedPost>, Failure> {
        require_rows(SPEC.name, train)?;
        let mut principal = Principal::of(train);
        let rank = principal.directions.len();
        let removed = match self.n_components {
            // What would be left is rounding.
            Some(n_components) if n_components >= rank => {
                return Err(Failure::bad_input(format!(
                    "all_but_the_top: n_components = {n_components} leaves nothing: the training rows differ in {rank} \
                     directions"
                )));
            }
            Some(n_components) => n_components,
            None => (train.cols() / FEATURES_PER_DIRECTION).max(1),
        };
        principal.directions.truncate(removed);
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

#[cfg(test)]
mod tests {
    use trailmark_core::ParamValue;

    use super::*;

    #[test]
    fn removing_every_direction_is_refused_with_their_number() {
        let params = Params::defaults(&SPEC).with("n_components", ParamValue::Integer(2));
        let train = Matrix::from_rows(&[[1.0_f32, 5.0], [2.0, 3.0], [4.0, 4.0]]).unwrap();
        let Err(failure) = build(&params).unwrap().fit(&train) else { panic!("fitted") };
        assert_eq!(
            failure.message,
            "all_but_the_top: n_components = 2 leaves nothing: the training rows differ in 2 directions"
        );
    }
}
