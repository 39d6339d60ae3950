//! K-means as linfa-clustering fits it, for users of that ecosystem and as a second opinion on `kmeans`.
//!
//! Only the centres are linfa's. Of its fitted model, `cluster_count` belongs to the last start rather than the best
//! and `inertia` to the centres before the last update, so labels and inertia are made from the centres here. It
//! does not tell whether it converged. It is several times slower than `kmeans`: row by row, without blocked products.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::{KMeans, KMeansInit};
use ndarray::Array2;
use rand_core_06::RngCore;
use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, Partition, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, FailureClass, Matrix, ParamKind, ParamSpec, Params, Space, Spec, Stream};

use crate::centred::Centred;
use crate::centroids::CentroidPartition;
use crate::input::check_n_clusters;
use crate::kmeans::{check, init_of};
use crate::packed::Packed;
use crate::seeding::Init;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "linfa_kmeans",
    summary: "k-means as fitted by linfa-clustering; labels and inertia are recomputed from its centres",
    reference: "linfa-clustering 0.8, KMeans (rust-ml/linfa)",
    revision: 1,
    cost: Cost {
        time: "n_init * iterations * n_samples * n_clusters * n_features",
        memory: "n_samples * 12 * n_features",
    },
    params: &[
        ParamSpec {
            name: "n_init",
            summary: "number of starts (linfa's n_runs), the one of least inertia is kept",
            kind: ParamKind::Integer { min: 1, max: 10_000 },
            default: ParamDefault::Integer(10),
        },
        ParamSpec {
            name: "max_iter",
            summary: "iterations of one start at most (linfa's max_n_iterations); linfa does not say whether it converged",
            kind: ParamKind::Integer { min: 1, max: 1_000_000 },
            default: ParamDefault::Integer(300),
        },
        ParamSpec {
            name: "tol",
            summary: "stop when the centres move less than this distance (linfa's tolerance, not relative to the data)",
            kind: ParamKind::Number { min: 1e-12, max: f64::INFINITY },
            default: ParamDefault::Number(1e-4),
        },
        ParamSpec {
            name: "init",
            summary: "first centres: k-means++ without trials, or rows drawn uniformly",
            kind: ParamKind::Choice(&["k-means++", "random"]),
            default: ParamDefault::Text("k-means++"),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    Ok(Box::new(LinfaKMeans {
        n_runs: params.size("n_init"),
        max_n_iterations: params.size("max_iter") as u64,
        tolerance: params.number("tol"),
        init: init_of(params.text("init")),
    }))
}

/// Lets linfa, which speaks rand 0.8, draw from our stream.
#[derive(Clone)]
pub(crate) struct LinfaDraws(Stream);

impl LinfaDraws {
    /// Draws from this stream.
    pub(crate) fn new(stream: Stream) -> Self {
        Self(stream)
    }
}

impl RngCore for LinfaDraws {
    fn next_u32(&mut self) -> u32 {
        (self.0.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

struct LinfaKMeans {
    n_runs: usize,
    max_n_iterations: u64,
    tolerance: f64,
    init: Init,
}

impl Clusterer for LinfaKMeans {
    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        let x = &*space.points.to_f32();
        if let Err(failure) = check(SPEC.name, x, ctx) {
            return points.iter().map(|_| Err(failure.clone())).collect();
        }
        let data = Centred::new(x);
        let packed = Packed::new(&data, ctx.threads);
        points
            .iter()
            .map(|point| {
                let n_clusters = point.asked()?;
                check_n_clusters(x.rows(), n_clusters)?;
                Ok(Box::new(self.fit(&packed, n_clusters, point.seed)?) as Box<dyn Partition>)
            })
            .collect()
    }
}

impl LinfaKMeans {
    fn fit(&self, packed: &Packed<'_, f32>, n_clusters: usize, seed: u64) -> Result<CentroidPartition, Failure> {
        let data = packed.data;
        let records = Array2::from_shape_vec((data.n_samples(), data.n_features()), data.x.as_slice().to_vec())
            .map_err(|error| Failure::from_error(FailureClass::Bug, &error))?;
        let init = match self.init {
            Init::PlusPlus => KMeansInit::KMeansPlusPlus,
            Init::Random => KMeansInit::Random,
        };
        #[expect(clippy::cast_possible_truncation, reason = "linfa takes the tolerance in the precision of the data")]
        let tolerance = self.tolerance as f32;
        let model = KMeans::params_with_rng(n_clusters, LinfaDraws(Stream::new(seed)))
            .n_runs(self.n_runs)
            .max_n_iterations(self.max_n_iterations)
            .tolerance(tolerance)
            .init_method(init)
            .fit(&DatasetBase::from(records))
            .map_err(|error| Failure::from_error(FailureClass::Degenerate, &error))?;
        let centres: Vec<f64> = model.centroids().iter().map(|value| f64::from(*value)).collect();
        let centres = Matrix::from_vec(n_clusters, data.n_features(), centres)
            .map_err(|error| Failure::from_error(FailureClass::Bug, &error))?;
        Ok(CentroidPartition::nearest(packed, &centres, Vec::new()))
    }
}
