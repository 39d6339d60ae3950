//! A Gaussian mixture as linfa-clustering fits it, for users of that ecosystem and as a second opinion on
//! `gaussian_mixture`.
//!
//! Only the parameters are linfa's; labels, responsibilities and criteria are made from them here. Its known faults:
//! without log-sum-exp, a row whose density underflows under every component (far out, or in many features) becomes
//! NaN and with it the fit; when `max_iter` is reached there is an error and no model; its further runs go on from the
//! last one instead of starting anew, so there is no `n_init`; full covariances only. It is several times slower than
//! `gaussian_mixture`.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::GaussianMixtureModel;
use ndarray::Array2;
use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, Partition, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, FailureClass, Matrix, ParamKind, ParamSpec, Params, Space, Spec, Stream};

use crate::gaussian_mixture::{check_operations, too_large};
use crate::input::{check_memory, check_n_clusters, check_vectors};
use crate::linfa_kmeans::LinfaDraws;
use crate::mixture::{BlockedRows, CovarianceType, Em, MixtureParameters, Responsibilities, memory_of_rows};
use crate::mixture_partition::MixturePartition;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "linfa_gaussian_mixture",
    summary: "Gaussian mixture as fitted by linfa-clustering (full covariances); fails where it does not converge",
    reference: "linfa-clustering 0.8, GaussianMixtureModel (rust-ml/linfa)",
    revision: 1,
    cost: Cost {
        time: "iterations * n_samples * n_clusters * n_features^2",
        memory: "n_samples * (32 * n_features + 32 * n_clusters) + 48 * n_clusters * n_features^2",
    },
    params: &[
        ParamSpec {
            name: "max_iter",
            summary: "EM iterations at most (linfa's max_n_iterations); not converging is a failure without a model",
            kind: ParamKind::Integer { min: 1, max: 1_000_000 },
            default: ParamDefault::Integer(100),
        },
        ParamSpec {
            name: "tol",
            summary: "stop when the mean log-likelihood of a user changes by less than this (linfa's tolerance)",
            kind: ParamKind::Number { min: 1e-12, max: f64::INFINITY },
            default: ParamDefault::Number(1e-3),
        },
        ParamSpec {
            name: "reg_covar",
            summary: "added to every variance, in the square of the features' unit",
            kind: ParamKind::Number { min: 0.0, max: f64::INFINITY },
            default: ParamDefault::Number(1e-6),
        },
        ParamSpec {
            name: "max_operations",
            summary: "fits that may take more multiplications than this, if they do not converge, are refused; 1e12 \
                      take some ten minutes on one core",
            kind: ParamKind::Number { min: 1.0, max: f64::INFINITY },
            default: ParamDefault::Number(1e12),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    Ok(Box::new(LinfaGaussianMixture {
        max_n_iterations: params.size("max_iter") as u64,
        tolerance: params.number("tol"),
        reg_covariance: params.number("reg_covar"),
        max_operations: params.number("max_operations"),
    }))
}

struct LinfaGaussianMixture {
    max_n_iterations: u64,
    tolerance: f64,
    reg_covariance: f64,
    max_operations: f64,
}

impl LinfaGaussianMixture {
    fn check(&self, space: &Space<'_>, n_clusters: usize, ctx: &Context) -> Result<(), Failure> {
        check_n_clusters(space.points.rows(), n_clusters)?;
        let (n, width, k) = (space.points.rows() as u64, space.points.cols() as u64, n_clusters as u64);
        let need = memory_of_rows(space.points.rows(), space.points.cols())
            + n * (32 * width + 32 * k)
            + 48 * k * width * width;
        let what = format!("linfa_gaussian_mixture with {n_clusters} clusters on {n} users");
        check_memory(&what, need, ctx)?;
        let operations = self.max_n_iterations as f64 * (n * k) as f64 * (width * width) as f64;
        check_operations(&what, space.points.cols(), operations, self.max_operations, "max_iter, n_clusters")
    }

    fn fit(
        &self,
        em: Em<'_>,
        records: &Array2<f64>,
        n_clusters: usize,
        seed: u64,
    ) -> Result<MixturePartition, Failure> {
        let fitted = GaussianMixtureModel::params_with_rng(n_clusters, LinfaDraws::new(Stream::new(seed)))
            .max_n_iterations(self.max_n_iterations)
            .tolerance(self.tolerance)
            .reg_covariance(self.reg_covariance)
            .fit(&DatasetBase::from(records.view()))
            .map_err(|error| Failure::from_error(FailureClass::Degenerate, &error))?;
        let means = Matrix::from_vec(n_clusters, records.ncols(), fitted.means().iter().copied().collect())
            .map_err(|error| Failure::from_error(FailureClass::Bug, &error))?;
        let parameters = MixtureParameters {
            covariance_type: CovarianceType::Full,
            weights: fitted.weights().to_vec(),
            means,
            covariances: fitted.covariances().iter().copied().collect(),
        };
        MixturePartition::of_parameters(em, &parameters, &mut Responsibilities::new(em.rows, n_clusters))
    }
}

impl Clusterer for LinfaGaussianMixture {
    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        let ready: Vec<Result<(usize, u64), Failure>> = points
            .iter()
            .map(|point| {
                check_vectors(space.points)?;
                let n_clusters = point.asked()?;
                self.check(space, n_clusters, ctx)?;
                Ok((n_clusters, point.seed))
            })
            .collect();
        if ready.iter().all(Result::is_err) {
            return ready.into_iter().map(|refused| refused.map(|_| unreachable!("all were refused"))).collect();
        }
        let rows = BlockedRows::new(space.points);
        let em = Em { rows: &rows, covariance_type: CovarianceType::Full, threads: ctx.threads };
        let records = Array2::from_shape_fn((rows.n_samples(), rows.n_features()), |(i, j)| rows.value(i, j));
        if records.iter().any(|value| !(value * value).is_finite()) {
            return ready.into_iter().map(|ready| Err(ready.err().unwrap_or_else(too_large))).collect();
        }
        let fit = |(n_clusters, seed)| -> Result<Box<dyn Partition>, Failure> {
            Ok(Box::new(self.fit(em, &records, n_clusters, seed)?))
        };
        ready.into_iter().map(|ready| ready.and_then(fit)).collect()
    }
}
