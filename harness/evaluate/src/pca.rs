//! Post step: the first principal components of the training rows.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{FittedPost, Post};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Failure, Matrix, ParamKind, ParamSpec, Params, Spec};

use crate::principal::{PRINCIPAL_COST, Principal, dot};
use crate::training_columns::{require_finite, require_rows, require_width};

/// What is usual before distances are compared: van der Maaten and Hinton 2008 reduce to 30, scikit-learn's guide to
/// t-SNE and most single-cell pipelines to 50.
const N_COMPONENTS: i64 = 50;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "pca",
    summary: "projects on the first principal components of the training rows",
    reference: "Pearson 1901, Philos. Mag. 2; scikit-learn PCA",
    revision: 1,
    cost: PRINCIPAL_COST,
    params: &[ParamSpec {
        name: "n_components",
        summary: "components kept; all where there are fewer",
        kind: ParamKind::Integer { min: 1, max: i64::MAX },
        default: ParamDefault::Integer(N_COMPONENTS),
    }],
};

struct Pca {
    n_components: usize,
}

/// Constructor for the catalogue.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Post>, BuildError> {
    Ok(Box::new(Pca { n_components: params.size("n_components") }))
}

struct FittedPca(Principal);

impl Post for Pca {
    fn fit(&self, train: &Matrix<f32>) -> Result<Box<dyn FittedPost>, Failure> {
        require_rows(SPEC.name, train)?;
        let mut principal = Principal::of(train);
        if principal.directions.is_empty() {
            return Err(Failure::bad_input("pca: all training rows are equal, so there is no component to keep"));
        }
        principal.directions.truncate(self.n_components);
        Ok(Box::new(FittedPca(principal)))
    }
}

impl FittedPost for FittedPca {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32; the projection is rounded once")]
    fn apply(&self, x: &mut Matrix<f32>) -> Result<(), Failure> {
        let Self(principal) = self;
        require_width(SPEC.name, principal.mean.len(), x)?;
        let mut out = Matrix::zeros(x.rows(), principal.directions.len());
        for i in 0..x.rows() {
            let centred = principal.centre(x.row(i));
            for (value, direction) in out.row_mut(i).iter_mut().zip(&principal.directions) {
                *value = dot(&centred, direction) as f32;
            }
        }
        *x = out;
        require_finite(SPEC.name, x)
    }
}

#[cfg(test)]
mod tests {
    use trailmark_core::ParamValue;

    use super::*;

    #[test]
    fn equal_training_rows_have_no_component() {
        let Err(failure) =
            build(&Params::defaults(&SPEC)).unwrap().fit(&Matrix::from_rows(&[[1.0_f32, 2.0], [1.0, 2.0]]).unwrap())
        else {
            panic!("fitted")
        };
        assert_eq!(failure.message, "pca: all training rows are equal, so there is no component to keep");
    }

    #[test]
    fn wide_rows_are_reduced_to_fifty_unless_told_otherwise() {
        let mut draws = trailmark_core::Stream::new(5);
        let values: Vec<f32> = (0..80 * 120).map(|_| draws.normal() as f32).collect();
        let train = Matrix::from_vec(80, 120, values).unwrap();
        let reduced = |params: &Params| {
            let mut x = train.clone();
            build(params).unwrap().fit(&train).unwrap().apply(&mut x).unwrap();
            x
        };
        let defaults = Params::defaults(&SPEC);
        let (fifty, three) = (reduced(&defaults), reduced(&defaults.with("n_components", ParamValue::Integer(3))));
        assert_eq!((fifty.rows(), fifty.cols()), (80, 50));
        assert_eq!(three.cols(), 3);
        assert_eq!(three.row(7), &fifty.row(7)[..3], "a component does not depend on how many are kept");
    }
}
