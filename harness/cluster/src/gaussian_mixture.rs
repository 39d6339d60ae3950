//! Gaussian mixture: EM in f64 from seeded starts, the one of greatest likelihood kept. Labels, criteria and
//! log-likelihood belong to the final parameters.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, FailureClass, ParamKind, ParamSpec, Params, Space, Spec, Stream};

use crate::centred::Centred;
use crate::centroids::assign_all;
use crate::input::{check_memory, check_n_clusters, check_vectors};
use crate::kmeans::Starts;
use crate::lloyd::Stop;
use crate::mixture::{
    Ascent, BLOCK, BlockedRows, Collapse, CovarianceType, Em, MixtureParameters, MixtureStop, Responsibilities,
    memory_of_rows,
};
use crate::mixture_partition::MixturePartition;
use crate::packed::Packed;
use crate::seeding::{Draw, Init, starts, usual_trials};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "gaussian_mixture",
    summary: "Gaussian mixture by EM in f64; users go to the component of greatest responsibility",
    reference: "Dempster, Laird, Rubin 1977, J. R. Stat. Soc. B 39; ICL: Biernacki, Celeux, Govaert 2000, IEEE Trans. \
                PAMI 22; parameters as scikit-learn's GaussianMixture",
    revision: 1,
    cost: Cost {
        time: "n_init * iterations * n_samples * n_clusters * n_features^2 (full), * n_features (others)",
        memory: "n_samples * (16 * n_features + 8 * n_clusters + 512) + 24 * n_clusters * n_features^2 (full)",
    },
    params: &[
        ParamSpec {
            name: "covariance_type",
            summary: "covariances: one matrix a component (full), one shared by all (tied), variances a component \
                      (diag), one variance a component (spherical)",
            kind: ParamKind::Choice(&["full", "tied", "diag", "spherical"]),
            default: ParamDefault::Text("full"),
        },
        ParamSpec {
            name: "n_init",
            summary: "number of starts, the one of greatest likelihood is kept",
            kind: ParamKind::Integer { min: 1, max: 10_000 },
            default: ParamDefault::Integer(1),
        },
        ParamSpec {
            name: "max_iter",
            summary: "EM iterations of one start at most; not converging is a warning",
            kind: ParamKind::Integer { min: 1, max: 1_000_000 },
            default: ParamDefault::Integer(100),
        },
        ParamSpec {
            name: "tol",
            summary: "stop when the mean log-likelihood of a user changes by less than this",
            kind: ParamKind::Number { min: 0.0, max: f64::INFINITY },
            default: ParamDefault::Number(1e-3),
        },
        ParamSpec {
            name: "reg_covar",
            summary: "added to every variance, in the square of the features' unit",
            kind: ParamKind::Number { min: 0.0, max: f64::INFINITY },
            default: ParamDefault::Number(1e-6),
        },
        ParamSpec {
            name: "init",
            summary: "first responsibilities: the clusters of one k-means fit, or every user with the nearest of users \
                      drawn by k-means++ or uniformly",
            kind: ParamKind::Choice(&["kmeans", "k-means++", "random_from_data"]),
            default: ParamDefault::Text("kmeans"),
        },
        ParamSpec {
            name: "max_operations",
            summary: "fits that may take more multiplications than this, if no start converges, are refused; 1e13 take \
                      some ten minutes on one core",
            kind: ParamKind::Number { min: 1.0, max: f64::INFINITY },
            default: ParamDefault::Number(1e13),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    Ok(Box::new(GaussianMixture {
        covariance_type: match params.text("covariance_type") {
            "tied" => CovarianceType::Tied,
            "diag" => CovarianceType::Diag,
            "spherical" => CovarianceType::Spherical,
            _ => CovarianceType::Full,
        },
        n_init: params.size("n_init"),
        stop: MixtureStop {
            reg_covar: params.number("reg_covar"),
            max_iter: params.size("max_iter"),
            tol: params.number("tol"),
        },
        first: match params.text("init") {
            "k-means++" => First::Nearest(Init::PlusPlus),
            "random_from_data" => First::Nearest(Init::Random),
            _ => First::KMeans,
        },
        max_operations: params.number("max_operations"),
    }))
}

/// Who belongs to which component at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// The clusters of one k-means fit.
    KMeans,
    /// Every row belongs to the nearest of some rows.
    Nearest(Init),
}

struct GaussianMixture {
    covariance_type: CovarianceType,
    n_init: usize,
    stop: MixtureStop,
    first: First,
    max_operations: f64,
}

/// Bytes of a fit: the rows in blocks, what starts are drawn from (two narrow copies
/// and k-means), responsibilities, covariances
/// with their factors, and what every thread works in.
fn memory_needed(points: Points<'_>, n_clusters: usize, covariance_type: CovarianceType, threads: usize) -> u64 {
    let (n, width, k) = (points.rows() as u64, points.cols() as u64, n_clusters as u64);
    let narrowed = if matches!(points, Points::F64(_)) { 4 * n * width } else { 0 };
    memory_of_rows(points.rows(), points.cols())
        + narrowed
        + n * (8 * width + 512)
        + (n.next_multiple_of(BLOCK as u64)) * 8 * k
        + 24 * covariance_type.n_values(n_clusters, points.cols()) as u64
        + threads.max(1) as u64 * 4 * memory_of_rows(BLOCK, points.cols())
}

/// Refuses a fit that may take more multiplications than declared; `levers` are the parameters that lower them.
pub(crate) fn check_operations(
    what: &str,
    n_features: usize,
    operations: f64,
    limit: f64,
    levers: &str,
) -> Result<(), Failure> {
    if operations <= limit {
        return Ok(());
    }
    Err(Failure::new(
        FailureClass::Timeout,
        format!(
            "{what} with {n_features} features may take {operations:.1e} multiplications, max_operations limits them \
             to {limit:.1e}; lower {levers} or n_features, or raise max_operations"
        ),
    ))
}

/// The refusal of vectors whose squares are not finite.
pub(crate) fn too_large() -> Failure {
    Failure::from_error(FailureClass::Degenerate, &Collapse::NotFinite)
}

impl GaussianMixture {
    /// Multiplications if no start converges.
    fn operations(&self, points: Points<'_>, n_clusters: usize) -> f64 {
        let (n, width, k) = (points.rows() as f64, points.cols() as f64, n_clusters as f64);
        let starts = if n_clusters == 1 { 1.0 } else { self.n_init as f64 };
        let pass = match self.covariance_type {
            CovarianceType::Full => k * width * width,
            CovarianceType::Tied => 0.5 * width * width + 2.0 * k * width,
            CovarianceType::Diag | CovarianceType::Spherical => 5.0 * k * width,
        };
        starts * self.stop.max_iter as f64 * n * pass
    }

    fn check(&self, points: Points<'_>, n_clusters: usize, ctx: &Context) -> Result<(), Failure> {
        check_n_clusters(points.rows(), n_clusters)?;
        let what = format!("gaussian_mixture with {n_clusters} clusters on {} users", points.rows());
        check_memory(&what, memory_needed(points, n_clusters, self.covariance_type, ctx.threads), ctx)?;
        let operations = self.operations(points, n_clusters);
        check_operations(&what, points.cols(), operations, self.max_operations, "max_iter, n_init, n_clusters")
    }

    /// First labels of one start, whatever else is fitted.
    fn first_labels(&self, data: &Packed<'_, f32>, n_clusters: usize, seed: u64, ctx: &Context) -> Vec<u32> {
        match self.first {
            First::KMeans => {
                let one = Starts { what: SPEC.name, n_init: 1, init: Init::PlusPlus, nested: false };
                let stop = Stop { max_iter: 300, tol: 1e-4 * data.data.mean_variance, unit: false };
                one.best(data, &[(n_clusters, seed)], stop, ctx).into_iter().flat_map(|best| best.end.labels).collect()
            }
            First::Nearest(init) => {
                let draw = Draw { n_clusters, n_trials: usual_trials(n_clusters), draws: Stream::new(seed) };
                let drawn = starts(data, init, vec![draw], ctx.threads);
                drawn.iter().flat_map(|centres| assign_all(data, centres, ctx.threads)).collect()
            }
        }
    }

    fn fit(
        &self,
        data: &Packed<'_, f32>,
        em: Em<'_>,
        (n_clusters, seed): (usize, u64),
        ctx: &Context,
    ) -> Result<MixturePartition, Failure> {
        let n_init = if n_clusters == 1 { 1 } else { self.n_init };
        let mut responsibilities = Responsibilities::new(em.rows, n_clusters);
        let mut best: Option<Ascent> = None;
        let mut collapsed: Option<(usize, Collapse)> = None;
        for run in 0..n_init {
            // A seed per start: raising n_init adds starts and changes none.
            let own = trailmark_core::random::seed(seed, "mixture start", &[&run.to_string()]);
            responsibilities.assign(&self.first_labels(data, n_clusters, own, ctx));
            let first = em.maximise(&responsibilities, self.stop.reg_covar, None);
            match em.climb(first, self.stop, &mut responsibilities) {
                Ok(end) if best.as_ref().is_none_or(|best| end.lower_bound > best.lower_bound) => best = Some(end),
                Ok(_) => {}
                Err(reason) => collapsed = Some((collapsed.map_or(0, |(times, _)| times) + 1, reason)),
            }
        }
        let Some(best) = best else {
            let reason = collapsed.map_or(Collapse::NotFinite, |(_, reason)| reason);
            return Err(Failure::from_error(FailureClass::Degenerate, &reason));
        };
        let mut warnings = Vec::new();
        if let Some((times, reason)) = collapsed {
            warnings.push(format!("{times} of {n_init} starts were left out: {reason}"));
        }
        MixturePartition::new(em, &best, n_init, warnings, &mut responsibilities)
    }
}

impl Clusterer for GaussianMixture {
    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        let x = space.points;
        let ready: Vec<Result<(usize, u64), Failure>> = points
            .iter()
            .map(|point| {
                check_vectors(x)?;
                let n_clusters = point.asked()?;
                self.check(x, n_clusters, ctx)?;
                Ok((n_clusters, point.seed))
            })
            .collect();
        if ready.iter().all(Result::is_err) {
            return ready.into_iter().map(|refused| refused.map(|_| unreachable!("all were refused"))).collect();
        }
        // Starts are drawn in f32, in either precision; EM reads the values as they are.
        let data = Centred::on(&*x.to_f32(), ctx.threads);
        if data.x.first_not_finite().is_some() {
            return ready.into_iter().map(|ready| Err(ready.err().unwrap_or_else(too_large))).collect();
        }
        let packed = Packed::new(&data, ctx.threads);
        let rows = BlockedRows::new(x);
        let em = Em { rows: &rows, covariance_type: self.covariance_type, threads: ctx.threads };
        let fit = |asked| -> Result<Box<dyn Partition>, Failure> { Ok(Box::new(self.fit(&packed, em, asked, ctx)?)) };
        ready.into_iter().map(|ready| ready.and_then(fit)).collect()
    }
}

/// Runs EM from given parameters instead of drawn ones: to go on from an earlier fit, and to compare with other
/// implementations start by start.
///
/// # Shapes
/// `points`: (n_samples, n_features); `start`: means in the coordinates of `points`.
///
/// # Errors
/// [`Failure`] as the clusterer `gaussian_mixture` gives it: input that no partition can be made of, or a covariance
/// without an inverse.
pub fn gaussian_mixture_from(
    points: Points<'_>,
    start: &MixtureParameters,
    stop: MixtureStop,
    threads: usize,
) -> Result<Box<dyn Partition>, Failure> {
    check_vectors(points)?;
    let (k, width) = (start.n_clusters(), start.n_features());
    check_n_clusters(points.rows(), k)?;
    let expected = start.covariance_type.n_values(k, width);
    if width != points.cols() || start.weights.len() != k || start.covariances.len() != expected {
        return Err(Failure::bad_input(format!(
            "the start has {} weights, {k} x {width} means and {} numbers of {} covariance; {k} components on {} \
             features need {k} weights, {k} x {} means and {expected} numbers",
            start.weights.len(),
            start.covariances.len(),
            start.covariance_type.name(),
            points.cols(),
            points.cols(),
        )));
    }
    let rows = BlockedRows::new(points);
    let em = Em { rows: &rows, covariance_type: start.covariance_type, threads };
    let mut centred = start.clone();
    for component in 0..k {
        for (value, mean) in centred.means.row_mut(component).iter_mut().zip(rows.mean()) {
            *value -= mean;
        }
    }
    let mut responsibilities = Responsibilities::new(&rows, k);
    let end = em
        .climb(centred, stop, &mut responsibilities)
        .map_err(|reason| Failure::from_error(FailureClass::Degenerate, &reason))?;
    Ok(Box::new(MixturePartition::new(em, &end, 1, Vec::new(), &mut responsibilities)?))
}
