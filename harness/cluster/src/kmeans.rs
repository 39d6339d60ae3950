//! K-means: Lloyd's iteration from several seeded starts, the best kept. Labels and inertia belong to the final
//! centres.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, Partition, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, Matrix, ParamKind, ParamSpec, Params, Space, Spec, Stream};

use crate::centred::Centred;
use crate::centroids::{CentroidPartition, inertia_of};
use crate::input::{check_memory, check_n_clusters, check_vectors};
use crate::lloyd::{Lloyd, Stop, lloyd_from};
use crate::seeding::{Init, start};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "kmeans",
    summary: "k-means by Lloyd's iteration from seeded k-means++ starts; new users go to the nearest centroid",
    reference: "Lloyd 1982, IEEE Trans. Inf. Theory 28; Arthur and Vassilvitskii 2007, SODA; Hamerly 2010, SDM; \
                parameters as scikit-learn's KMeans",
    revision: 1,
    cost: Cost {
        time: "n_init * iterations * n_samples * n_clusters * n_features at most",
        memory: "n_samples * (4 * n_features + 64)",
    },
    params: &[
        ParamSpec {
            name: "n_init",
            summary: "number of starts, the one of least inertia is kept",
            kind: ParamKind::Integer { min: 1, max: 10_000 },
            default: ParamDefault::Integer(10),
        },
        ParamSpec {
            name: "max_iter",
            summary: "iterations of one start at most; not converging is a warning",
            kind: ParamKind::Integer { min: 1, max: 1_000_000 },
            default: ParamDefault::Integer(300),
        },
        ParamSpec {
            name: "tol",
            summary: "stop when the centres move less than this, relative to the mean variance of the features",
            kind: ParamKind::Number { min: 0.0, max: 1.0 },
            default: ParamDefault::Number(1e-4),
        },
        ParamSpec {
            name: "init",
            summary: "first centres: greedy k-means++, or rows drawn uniformly",
            kind: ParamKind::Choice(&["k-means++", "random"]),
            default: ParamDefault::Text("k-means++"),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    Ok(Box::new(KMeans {
        n_init: params.size("n_init"),
        max_iter: params.size("max_iter"),
        tol: params.number("tol"),
        init: init_of(params.text("init")),
    }))
}

/// The start that a word of the suite means.
pub(crate) fn init_of(word: &str) -> Init {
    if word == "random" { Init::Random } else { Init::PlusPlus }
}

/// Bytes that a fit needs: the centred copy, and bounds and distances per row.
pub(crate) fn memory_needed(x: &Matrix<f32>) -> u64 {
    let (n, width) = (x.rows() as u64, x.cols() as u64);
    n * (4 * width + 64)
}

/// Fits every point of a sweep on its own: no point sees another's draws or results.
pub(crate) fn sweep_over(
    what: &str,
    x: &Matrix<f32>,
    points: &[SweepPoint],
    ctx: &Context,
    fit: impl Fn(&Centred, usize, u64) -> Result<Box<dyn Partition>, Failure>,
) -> Vec<Result<Box<dyn Partition>, Failure>> {
    let ready = check_vectors(x).map_err(Failure::from).and_then(|()| check_memory(what, memory_needed(x), ctx));
    if let Err(failure) = ready {
        return points.iter().map(|_| Err(failure.clone())).collect();
    }
    let data = Centred::new(x);
    points
        .iter()
        .map(|point| {
            let n_clusters = point.asked()?;
            check_n_clusters(x.rows(), n_clusters)?;
            fit(&data, n_clusters, point.seed)
        })
        .collect()
}

struct KMeans {
    n_init: usize,
    max_iter: usize,
    tol: f64,
    init: Init,
}

impl Clusterer for KMeans {
    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        sweep_over("kmeans", &space.points.to_f32(), points, ctx, |data, n_clusters, seed| {
            Ok(Box::new(self.fit(data, n_clusters, seed)))
        })
    }
}

impl KMeans {
    fn fit(&self, data: &Centred, n_clusters: usize, seed: u64) -> CentroidPartition {
        let stop = Stop { max_iter: self.max_iter, tol: self.tol * data.mean_variance };
        let mut best: Option<(f64, Lloyd)> = None;
        for run in 0..self.n_init {
            // A stream per start: raising n_init adds starts and changes none.
            let mut draws = Stream::new(trailmark_core::random::seed(seed, "kmeans start", &[&run.to_string()]));
            let end = lloyd_from(data, start(data, n_clusters, self.init, &mut draws), stop);
            let inertia = inertia_of(&data.x, &end.labels, &end.centres);
            if best.as_ref().is_none_or(|(least, _)| inertia < *least) {
                best = Some((inertia, end));
            }
            if n_clusters == 1 {
                break; // every start ends at the mean
            }
        }
        let (_, end) = best.unwrap_or_else(|| unreachable!("n_init is at least 1 by its Spec"));
        let mut warnings = Vec::new();
        if !end.converged {
            warnings.push(format!(
                "the best of {} starts had not converged after {} iterations; raise max_iter or tol",
                self.n_init, end.n_iter
            ));
        }
        CentroidPartition::nearest(data, &end.centres, warnings)
    }
}
