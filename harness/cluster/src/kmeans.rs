//! K-means: Lloyd's iteration from several seeded starts, the best kept. Labels and inertia belong to the final
//! centres. All starts of all values of n_clusters share their passes over the data.
//!
//! Starts. `fresh` draws from the seed of each point of the sweep. `nested` draws one sequence of rows a start from the
//! seed of the step, which no n_clusters enters, and every n_clusters takes its first rows; so values of n_clusters begin
//! alike and still none depends on which others are asked for.
//!
//! Empty clusters. A cluster that loses its last row takes the row farthest from its own centre, as in scikit-learn
//! (see `lloyd`); when fewer distinct rows than clusters are left it stays empty and is left out with a warning.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::random::seed;
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, FailureClass, Labels, Matrix, ParamKind, ParamSpec, Params, Space, Spec, Stream};

use crate::centred::Centred;
use crate::centroids::{CentroidPartition, in_place, inertia_on};
use crate::element::Element;
use crate::input::{check_memory, check_n_clusters, check_rows, check_vectors};
use crate::lloyd::{Lloyd, STARTS, Stop, lloyd_all};
use crate::packed::Packed;
use crate::seeding::{Draw, Init, KEPT, starts, usual_trials};

/// Rows tried for each centre of nested starts: as many as scikit-learn tries for 21 to 54 clusters. The number may not
/// depend on n_clusters, or the starts would not be nested.
const NESTED_TRIALS: usize = 5;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "kmeans",
    summary: "k-means by Lloyd's iteration from seeded k-means++ starts; new users go to the nearest centroid",
    reference: "Lloyd 1982, IEEE Trans. Inf. Theory 28; Arthur and Vassilvitskii 2007, SODA; Hamerly 2010, SDM; \
                parameters as scikit-learn's KMeans",
    revision: 2,
    cost: Cost {
        time: "n_init * iterations * n_samples * n_clusters * n_features at most",
        memory: "n_samples * (8 * n_features + 512)",
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
        ParamSpec {
            name: "seeding",
            summary: "fresh: every n_clusters draws its own starts; nested: it takes the first n_clusters centres of one \
                      sequence of draws, which is cheaper for a sweep and makes its values comparable",
            kind: ParamKind::Choice(&["fresh", "nested"]),
            default: ParamDefault::Text("fresh"),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    Ok(Box::new(KMeans {
        starts: Starts {
            what: SPEC.name,
            n_init: params.size("n_init"),
            init: init_of(params.text("init")),
            nested: params.text("seeding") == "nested",
        },
        max_iter: params.size("max_iter"),
        tol: params.number("tol"),
    }))
}

/// The start that a word of the suite means.
pub(crate) fn init_of(word: &str) -> Init {
    if word == "random" { Init::Random } else { Init::PlusPlus }
}

/// Bytes that a fit needs: the centred rows twice, once packed, and bounds and distances per row for all starts that
/// are under way at a time.
pub(crate) fn memory_needed<T>(x: &Matrix<T>) -> u64
where
    T: Element,
{
    let per_row = size_of::<T>() * (2 * x.cols() + KEPT) + 12 * STARTS + 64;
    x.rows() as u64 * per_row as u64
}

/// Values past this have squares that f64 cannot add up.
const LARGEST: f64 = 1e140;

/// Centres vectors, or refuses what no clusterer with centres can take.
pub(crate) fn prepare<T: Element>(what: &str, x: &Matrix<T>, ctx: &Context) -> Result<Centred<T>, Failure>
where
    for<'a> Points<'a>: From<&'a Matrix<T>>,
{
    // Sums of f32 in f64 cannot overflow, so finite means say that all values are finite: one pass less.
    let trusted = size_of::<T>() == 4 && x.rows() > 0 && x.cols() > 0;
    if trusted {
        check_memory(what, memory_needed(x), ctx)?;
    } else {
        check(what, x, ctx)?;
    }
    let data = Centred::on(x, ctx.threads);
    if trusted && data.mean.iter().any(|mean| !mean.is_finite()) {
        check_vectors(x)?;
    }
    Ok(data)
}

/// Refuses vectors that no clusterer with centres can take.
pub(crate) fn check<T: Element>(what: &str, x: &Matrix<T>, ctx: &Context) -> Result<(), Failure>
where
    for<'a> Points<'a>: From<&'a Matrix<T>>,
{
    check_vectors(x)?;
    let large = |value: &T| value.to_f64().abs() > LARGEST;
    if size_of::<T>() == 8
        && let Some(at) = x.as_slice().iter().position(large)
    {
        let (row, column) = (at / x.cols(), at % x.cols());
        let value = x.row(row)[column];
        return Err(Failure::new(
            FailureClass::BadInput,
            format!("the vectors hold {value:?} at row {row}, column {column}, too large to square; scale them down"),
        ));
    }
    check_memory(what, memory_needed(x), ctx)
}

/// Starts of a sweep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Starts {
    /// Whose: part of the seeds.
    pub(crate) what: &'static str,
    /// Number of starts.
    pub(crate) n_init: usize,
    /// How first centres are drawn.
    pub(crate) init: Init,
    /// Whether the starts of fewer clusters are the first centres of the starts of more.
    pub(crate) nested: bool,
}

/// The best end of all starts of one value of n_clusters.
#[derive(Debug)]
pub(crate) struct Best {
    /// Sum of squared distances to the own centre.
    pub(crate) inertia: f64,
    /// The end.
    pub(crate) end: Lloyd,
    run: usize,
}

impl Starts {
    /// Iterates from every start of every value of n_clusters and keeps the end of least inertia of each, of the
    /// earliest start among equals. `asked` is the number of clusters and the seed of each.
    pub(crate) fn best<T: Element>(
        &self,
        data: &Packed<'_, T>,
        asked: &[(usize, u64)],
        stop: Stop,
        ctx: &Context,
    ) -> Vec<Best> {
        let mut owners = Vec::new();
        for (owner, &(n_clusters, _)) in asked.iter().enumerate() {
            // One centre ends at the mean from every start.
            owners.extend((0..if n_clusters == 1 { 1 } else { self.n_init }).map(|run| (owner, run)));
        }
        let centres = self.draw(data, asked, &owners, ctx);
        let mut best: Vec<Option<Best>> = asked.iter().map(|_| None).collect();
        lloyd_all(data, centres, stop, ctx.threads, |index, end| {
            let (owner, run) = owners[index];
            let inertia = inertia_on(&data.data.x, &end.labels, &end.centres, ctx.threads);
            let better = |least: &Best| inertia < least.inertia || (inertia <= least.inertia && run < least.run);
            if best[owner].as_ref().is_none_or(better) {
                best[owner] = Some(Best { inertia, end, run });
            }
        });
        best.into_iter().flatten().collect()
    }

    fn draw<T: Element>(
        &self,
        data: &Packed<'_, T>,
        asked: &[(usize, u64)],
        owners: &[(usize, usize)],
        ctx: &Context,
    ) -> Vec<Matrix<f64>> {
        // A stream per start: raising n_init adds starts and changes none.
        let stream = |of: u64, purpose: &str, run: usize| {
            Stream::new(seed(of, &format!("{} {purpose}", self.what), &[&run.to_string()]))
        };
        if !self.nested {
            let wanted = owners.iter().map(|&(owner, run)| {
                let (n_clusters, of) = asked[owner];
                Draw { n_clusters, n_trials: usual_trials(n_clusters), draws: stream(of, "start", run) }
            });
            return starts(data, self.init, wanted.collect(), ctx.threads);
        }
        let most = asked.iter().map(|(n_clusters, _)| *n_clusters).max().unwrap_or(0);
        let runs = owners.iter().map(|(_, run)| run + 1).max().unwrap_or(0);
        let wanted = (0..runs).map(|run| Draw {
            n_clusters: most,
            n_trials: NESTED_TRIALS,
            draws: stream(ctx.seed, "nested start", run),
        });
        let all = starts(data, self.init, wanted.collect(), ctx.threads);
        let first = |&(owner, run): &(usize, usize)| all[run].select_rows(&(0..asked[owner].0).collect::<Vec<_>>());
        owners.iter().map(first).collect()
    }

    /// What to say of an end.
    pub(crate) fn warnings(&self, end: &Lloyd) -> Vec<String> {
        if end.converged {
            return Vec::new();
        }
        vec![format!(
            "the best of {} starts had not converged after {} iterations; raise max_iter or tol",
            self.n_init, end.n_iter
        )]
    }
}

/// A result for every point of a sweep: a refusal, or what `fit` makes of those that ask for a possible number of
/// clusters, given as number and seed.
pub(crate) fn fit_points(
    n_samples: usize,
    points: &[SweepPoint],
    fit: impl FnOnce(&[(usize, u64)]) -> Vec<Box<dyn Partition>>,
) -> Vec<Result<Box<dyn Partition>, Failure>> {
    let asked: Vec<Result<(usize, u64), Failure>> = points
        .iter()
        .map(|point| {
            let n_clusters = point.asked()?;
            check_n_clusters(n_samples, n_clusters)?;
            Ok((n_clusters, point.seed))
        })
        .collect();
    let possible: Vec<(usize, u64)> = asked.iter().filter_map(|one| one.as_ref().ok().copied()).collect();
    let mut fitted = if possible.is_empty() { Vec::new() } else { fit(&possible) }.into_iter();
    let mut next = || fitted.next().ok_or_else(|| Failure::bug("a start of k-means came to no end"));
    asked.into_iter().map(|one| one.and_then(|_| next())).collect()
}

struct KMeans {
    starts: Starts,
    max_iter: usize,
    tol: f64,
}

impl Clusterer for KMeans {
    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        match space.points {
            Points::F32(x) => self.sweep(x, points, ctx),
            Points::F64(x) => self.sweep(x, points, ctx),
        }
    }
}

impl KMeans {
    fn sweep<T: Element>(
        &self,
        x: &Matrix<T>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>>
    where
        for<'a> Points<'a>: From<&'a Matrix<T>>,
    {
        let data = match prepare(SPEC.name, x, ctx) {
            Ok(data) => data,
            Err(failure) => return points.iter().map(|_| Err(failure.clone())).collect(),
        };
        fit_points(x.rows(), points, |asked| {
            let packed = Packed::new(&data, ctx.threads);
            let stop = Stop { max_iter: self.max_iter, tol: self.tol * data.mean_variance, unit: false };
            let best = self.starts.best(&packed, asked, stop, ctx);
            best.into_iter().map(|best| self.partition(&data, &best, ctx)).collect()
        })
    }

    fn partition<T: Element>(&self, data: &Centred<T>, best: &Best, ctx: &Context) -> Box<dyn Partition> {
        let (end, warnings) = (&best.end, self.starts.warnings(&best.end));
        let partition = CentroidPartition::of_nearest(data, &end.labels, &end.centres, warnings, ctx.threads);
        Box::new(partition.with(vec![("n_iter", ModelValue::Count(end.n_iter as u64))]))
    }
}

/// Where Lloyd's iteration from a given start ended.
#[derive(Debug, Clone, PartialEq)]
pub struct LloydFit {
    /// (n_samples,) the nearest of `cluster_centers`, the lowest index among equals; a centre may be nobody's.
    pub labels: Labels,
    /// (n_clusters, n_features).
    pub cluster_centers: Matrix<f64>,
    /// Sum of squared distances to the own centre.
    pub inertia: f64,
    /// Iterations made, counted as scikit-learn counts them.
    pub n_iter: usize,
    /// Whether it stopped before `max_iter`.
    pub converged: bool,
}

/// Lloyd's iteration from given centres, (n_clusters, n_features), in the precision of the points: what `kmeans` does
/// from each of its starts. `max_iter` and `tol` are those of its parameters.
///
/// # Errors
/// Vectors or centres that hold no rows, differ in width or are not finite; more centres than samples.
pub fn lloyd_from_start(
    points: Points<'_>,
    start: &Matrix<f64>,
    max_iter: usize,
    tol: f64,
    ctx: &Context,
) -> Result<LloydFit, Failure> {
    match points {
        Points::F32(x) => from_start(x, start, max_iter, tol, ctx),
        Points::F64(x) => from_start(x, start, max_iter, tol, ctx),
    }
}

fn from_start<T: Element>(
    x: &Matrix<T>,
    start: &Matrix<f64>,
    max_iter: usize,
    tol: f64,
    ctx: &Context,
) -> Result<LloydFit, Failure>
where
    for<'a> Points<'a>: From<&'a Matrix<T>>,
{
    let data = prepare(SPEC.name, x, ctx)?;
    check_n_clusters(x.rows(), start.rows())?;
    check_rows(x.cols(), start)?;
    let packed = Packed::new(&data, ctx.threads);
    let away: Vec<f64> = data.mean.iter().map(|mean| -mean).collect();
    let stop = Stop { max_iter, tol: tol * data.mean_variance, unit: false };
    let mut found = None;
    lloyd_all(&packed, vec![in_place(start, &away)], stop, ctx.threads, |_, end| found = Some(end));
    let end = found.ok_or_else(|| Failure::bug("a start of k-means came to no end"))?;
    Ok(LloydFit {
        inertia: inertia_on(&data.x, &end.labels, &end.centres, ctx.threads),
        cluster_centers: in_place(&end.centres, &data.mean),
        labels: Labels::from_ids(end.labels),
        n_iter: end.n_iter,
        converged: end.converged,
    })
}
