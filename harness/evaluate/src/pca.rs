//! Post step: the first 50 principal components of the training rows.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{FittedPost, Post};
use trailmark_core::{Cost, Failure, Matrix, Params, Spec};

use crate::principal::{Principal, dot};
use crate::training_columns::{require_finite, require_rows, require_width};

/// Components kept. Post steps have no parameters; 50 is what is usual before distances are compared (van der Maaten and
/// Hinton 2008 reduce to 30, scikit-learn's guide to t-SNE and most single-cell pipelines to 50).
const MOST: usize = 50;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "pca",
    summary: "projects on the first 50 principal components of the training rows, or on all where they are fewer",
    reference: "Pearson 1901, Philos. Mag. 2; scikit-learn PCA(n_components=50)",
    revision: 1,
    cost: Cost { time: "n_samples * n_features^2", memory: "n_features^2" },
    params: &[],
};

struct Pca;

/// Constructor for the catalogue.
pub(crate) fn build(_params: &Params) -> Result<Box<dyn Post>, BuildError> {
    Ok(Box::new(Pca))
}

struct FittedPca(Principal);

impl Post for Pca {
    fn fit(&self, train: &Matrix<f32>) -> Result<Box<dyn FittedPost>, Failure> {
        require_rows(SPEC.name, train)?;
        let mut principal = Principal::of(train);
        if principal.directions.is_empty() {
            return Err(Failure::bad_input("pca: all training rows are equal, so there is no component to keep"));
        }
        principal.directions.truncate(MOST);
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
    fn wide_rows_are_reduced_to_fifty() {
        let mut draws = trailmark_core::Stream::new(5);
        let values: Vec<f32> = (0..80 * 120).map(|_| draws.normal() as f32).collect();
        let train = Matrix::from_vec(80, 120, values).unwrap();
        let mut x = train.clone();
        build(&Params::defaults(&SPEC)).unwrap().fit(&train).unwrap().apply(&mut x).unwrap();
        assert_eq!((x.rows(), x.cols()), (80, MOST));
    }
}
