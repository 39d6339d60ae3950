//! Post step: equal variance along every principal direction of the training rows.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{FittedPost, Post};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Failure, Matrix, ParamKind, ParamSpec, Params, Spec};

use crate::principal::{PRINCIPAL_COST, Principal, dot};
use crate::training_columns::{require_finite, require_rows, require_width};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "whiten",
    summary: "rotates to the principal directions of the training rows and divides by the standard deviations, shrunk \
              towards each other; directions without training variance are left out",
    reference: "Su et al. 2021, arXiv 2103.15316; Ledoit and Wolf 2004, J. Multivar. Anal. 88; scikit-learn ledoit_wolf",
    revision: 1,
    cost: PRINCIPAL_COST,
    params: &[
        ParamSpec {
            name: "n_components",
            summary: "directions kept, the most varying ones; left out: all",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "shrinkage",
            summary: "share of the mean variance in every variance, 0 for plain whitening; left out: as Ledoit and Wolf \
                      estimate it",
            kind: ParamKind::Number { min: 0.0, max: 1.0 },
            default: ParamDefault::Absent,
        },
    ],
};

struct Whiten {
    n_components: Option<usize>,
    /// None estimates it.
    shrinkage: Option<f64>,
}

/// Constructor for the catalogue.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Post>, BuildError> {
    let shrinkage = params.get("shrinkage").map(|_| params.number("shrinkage"));
    Ok(Box::new(Whiten { n_components: params.try_size("n_components"), shrinkage }))
}

struct FittedWhiten {
    principal: Principal,
    factors: Vec<f64>, // (rank,)
}

/// The share of the mean variance that is mixed into every variance, as Ledoit and Wolf estimate it. Without it
/// directions that hardly vary in training, which are estimated worst, would be blown up most.
///
/// Needs no matrix: the squares of the covariances sum up to those of the eigenvalues, and the products of the squared
/// columns to the fourth powers of the rows' lengths.
fn ledoit_wolf(principal: &Principal, train: &Matrix<f32>) -> f64 {
    let (n, p) = (train.rows() as f64, train.cols() as f64);
    let trace: f64 = principal.variances.iter().sum();
    let mu = trace / p;
    let squares: f64 = principal.variances.iter().map(|value| value * value).sum();
    let fourth: f64 = train
        .iter_rows()
        .map(|row| {
            let centred = principal.centre(row);
            dot(&centred, &centred).powi(2)
        })
        .sum();
    let beta = (fourth / n - squares) / (p * n);
    let delta = (squares - 2.0 * mu * trace + p * mu * mu) / p;
    // One column, or equal variances throughout: nothing to shrink. `delta` is 0 then, up to rounding.
    if delta <= 1e-12 * mu * mu { 0.0 } else { (beta / delta).clamp(0.0, 1.0) }
}

impl Post for Whiten {
    fn fit(&self, train: &Matrix<f32>) -> Result<Box<dyn FittedPost>, Failure> {
        require_rows(SPEC.name, train)?;
        let mut principal = Principal::of(train);
        if principal.directions.is_empty() {
            return Err(Failure::bad_input("whiten: all training rows are equal, so there is no variance to equalise"));
        }
        // Of all directions, also where only some are kept.
        let share = self.shrinkage.unwrap_or_else(|| ledoit_wolf(&principal, train));
        let mean_variance = principal.variances.iter().sum::<f64>() / train.cols() as f64;
        principal.directions.truncate(self.n_components.unwrap_or(usize::MAX));
        principal.variances.truncate(principal.directions.len());
        let factor = |variance: &f64| 1.0 / ((1.0 - share) * variance + share * mean_variance).sqrt();
        let factors = principal.variances.iter().map(factor).collect();
        Ok(Box::new(FittedWhiten { principal, factors }))
    }
}

impl FittedPost for FittedWhiten {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32; the quotient is rounded once")]
    fn apply(&self, x: &mut Matrix<f32>) -> Result<(), Failure> {
        let Self { principal, factors } = self;
        require_width(SPEC.name, principal.mean.len(), x)?;
        let mut out = Matrix::zeros(x.rows(), factors.len());
        for i in 0..x.rows() {
            let centred = principal.centre(x.row(i));
            let along = principal.directions.iter().zip(factors);
            for (value, (direction, factor)) in out.row_mut(i).iter_mut().zip(along) {
                *value = (dot(&centred, direction) * factor) as f32;
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
    fn a_copied_column_adds_no_dimension() {
        let train =
            Matrix::from_rows(&[[1.0_f32, 5.0, 1.0], [2.0, 3.0, 2.0], [4.0, 4.0, 4.0], [0.0, 9.0, 0.0]]).unwrap();
        let mut x = train.clone();
        build(&Params::defaults(&SPEC)).unwrap().fit(&train).unwrap().apply(&mut x).unwrap();
        assert_eq!((x.rows(), x.cols()), (4, 2));
    }

    #[test]
    fn equal_training_rows_have_no_variance() {
        let Err(failure) =
            build(&Params::defaults(&SPEC)).unwrap().fit(&Matrix::from_rows(&[[1.0_f32], [1.0]]).unwrap())
        else {
            panic!("fitted")
        };
        assert_eq!(failure.message, "whiten: all training rows are equal, so there is no variance to equalise");
    }
}
