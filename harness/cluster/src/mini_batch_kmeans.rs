//! Mini-batch k-means: centres follow small batches of drawn rows, each by the share of what it has seen so far. For
//! data that are too many to pass over until Lloyd's iteration ends, or that arrive bit by bit
//! ([`MiniBatchKMeans::partial_fit`]).
//!
//! The rules are scikit-learn's: three starts on a drawn subset, batches drawn with replacement, clusters that have seen
//! too little moved to a drawn row of the batch, an end when the smoothed inertia of batches no longer falls.

use std::sync::Arc;

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::random::seed;
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, Labels, Matrix, ParamKind, ParamSpec, Params, Space, Spec, Stream};

use crate::centred::Centred;
use crate::centroids::{CentroidPartition, assign_all, assign_rows, in_place, inertia_of};
use crate::element::Element;
use crate::input::{check_n_clusters, check_rows, check_vectors};
use crate::kmeans::{fit_points, init_of, prepare};
use crate::lloyd::{Stop, lloyd_all};
use crate::packed::Packed;
use crate::seeding::{Draw, Init, distinct, starts, usual_trials};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "mini_batch_kmeans",
    summary: "k-means that follows drawn batches of users; new users go to the nearest centroid",
    reference: "Sculley 2010, WWW; rules and parameters as scikit-learn's MiniBatchKMeans",
    revision: 1,
    cost: Cost {
        time: "max_iter * n_samples * n_clusters * n_features at most",
        memory: "n_samples * (8 * n_features + 512)",
    },
    params: &[
        ParamSpec {
            name: "batch_size",
            summary: "users drawn for one step, at most as many as there are",
            kind: ParamKind::Integer { min: 1, max: 1_000_000_000 },
            default: ParamDefault::Integer(1024),
        },
        ParamSpec {
            name: "max_iter",
            summary: "steps at most, as passes over the data",
            kind: ParamKind::Integer { min: 1, max: 1_000_000 },
            default: ParamDefault::Integer(100),
        },
        ParamSpec {
            name: "max_no_improvement",
            summary: "stop after so many steps in which the smoothed inertia of batches reached no new low",
            kind: ParamKind::Integer { min: 1, max: 1_000_000 },
            default: ParamDefault::Integer(10),
        },
        ParamSpec {
            name: "n_init",
            summary: "starts drawn on a subset of three batches, the one of least inertia there is kept",
            kind: ParamKind::Integer { min: 1, max: 10_000 },
            default: ParamDefault::Integer(3),
        },
        ParamSpec {
            name: "init",
            summary: "first centres: greedy k-means++, or rows drawn uniformly",
            kind: ParamKind::Choice(&["k-means++", "random"]),
            default: ParamDefault::Text("k-means++"),
        },
        ParamSpec {
            name: "reassignment_ratio",
            summary: "a cluster that has seen less than this share of the users of the largest is moved to a drawn user",
            kind: ParamKind::Number { min: 0.0, max: 1.0 },
            default: ParamDefault::Number(0.01),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    Ok(Box::new(MiniBatches {
        batch_size: params.size("batch_size"),
        max_iter: params.size("max_iter"),
        max_no_improvement: params.size("max_no_improvement"),
        n_init: params.size("n_init"),
        init: init_of(params.text("init")),
        reassignment_ratio: params.number("reassignment_ratio"),
    }))
}

/// Centres that follow batches.
#[derive(Debug, Clone)]
struct Centres {
    places: Matrix<f64>, // (n_clusters, n_features)
    seen: Vec<f64>,      // (n_clusters,) rows that each has followed
    since: usize,        // rows since clusters were last moved
    reassignment_ratio: f64,
    draws: Stream,
}

impl Centres {
    fn new(places: Matrix<f64>, reassignment_ratio: f64, draws: Stream) -> Self {
        Self { seen: vec![0.0; places.rows()], places, since: 0, reassignment_ratio, draws }
    }

    /// Follows one batch. Returns the inertia of the batch before.
    fn follow<T: Element>(&mut self, batch: &Centred<T>, threads: usize) -> f64 {
        let labels = assign_all(&Packed::new(batch, 1), &self.places, threads);
        let inertia = inertia_of(&batch.x, &labels, &self.places);
        self.since += batch.n_samples();
        let move_few = self.seen.iter().any(|seen| *seen <= 0.0) || self.since >= 10 * self.seen.len();
        if move_few {
            self.since = 0;
        }
        let mut sums = Matrix::<f64>::zeros(self.places.rows(), self.places.cols());
        let mut counts = vec![0.0_f64; self.seen.len()];
        for (row, &label) in batch.x.iter_rows().zip(&labels) {
            counts[label as usize] += 1.0;
            let sums = sums.row_mut(label as usize);
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value.to_f64());
        }
        for (j, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            let before = self.seen[j];
            self.seen[j] += count;
            for (place, sum) in self.places.row_mut(j).iter_mut().zip(sums.row(j)) {
                *place = (*place * before + sum) / self.seen[j];
            }
        }
        if move_few {
            self.move_few(&batch.x);
        }
        inertia
    }

    /// Clusters that have seen too little go to rows of the batch, at most half as many as it has.
    fn move_few<T: Element>(&mut self, batch: &Matrix<T>) {
        let limit = self.reassignment_ratio * self.seen.iter().copied().fold(0.0, f64::max);
        let mut few: Vec<usize> = (0..self.seen.len()).filter(|&j| self.seen[j] < limit).collect();
        few.sort_by(|&a, &b| self.seen[a].total_cmp(&self.seen[b]));
        few.truncate(batch.rows() / 2);
        if few.is_empty() {
            return;
        }
        let others = (0..self.seen.len()).filter(|j| !few.contains(j)).map(|j| self.seen[j]);
        let least = others.fold(f64::INFINITY, f64::min);
        let rows = distinct(batch.rows(), few.len(), &mut self.draws);
        for (j, row) in few.into_iter().zip(rows) {
            for (place, value) in self.places.row_mut(j).iter_mut().zip(batch.row(row)) {
                *place = value.to_f64();
            }
            self.seen[j] = least;
        }
    }
}

/// K-means over batches that arrive one after another, as scikit-learn's `MiniBatchKMeans.partial_fit`. The same batches
/// in the same order give the same centres on every machine.
#[derive(Debug, Clone)]
pub struct MiniBatchKMeans {
    n_clusters: usize,
    reassignment_ratio: f64,
    draws: Stream,
    fitted: Option<(Arc<[f64]>, Centres)>, // a point that products are taken around, and centres minus it
}

impl MiniBatchKMeans {
    /// A model that has seen nothing. Clusters that have seen less than `reassignment_ratio` of the rows of the largest
    /// are now and then moved to a drawn row; 0 never moves any, 0.01 is usual.
    pub fn new(n_clusters: usize, reassignment_ratio: f64, seed: u64) -> Self {
        Self { n_clusters, reassignment_ratio, draws: Stream::new(seed), fitted: None }
    }

    /// A model that starts from given centres, (n_clusters, n_features), instead of rows of its first batch.
    pub fn from_centers(centers: &Matrix<f64>, reassignment_ratio: f64, seed: u64) -> Self {
        let draws = Stream::new(seed);
        let origin = vec![0.0; centers.cols()].into();
        let fitted = Some((origin, Centres::new(centers.clone(), reassignment_ratio, draws.clone())));
        Self { n_clusters: centers.rows(), reassignment_ratio, draws, fitted }
    }

    /// Lets the centres follow a batch, (n_samples, n_features). The first batch also gives the first centres, by
    /// greedy k-means++, unless there were some.
    ///
    /// # Errors
    /// A batch that is empty, holds a value that is not finite or has another width than those before; a first batch
    /// of fewer rows than clusters.
    pub fn partial_fit(&mut self, batch: &Matrix<f32>) -> Result<(), Failure> {
        check_vectors(batch)?;
        if let Some((origin, centres)) = &mut self.fitted {
            check_rows(origin.len(), batch)?;
            centres.follow(&Centred::around(batch, Arc::clone(origin), 1), 1);
            return Ok(());
        }
        check_n_clusters(batch.rows(), self.n_clusters)?;
        let data = Centred::new(batch);
        let wanted =
            Draw { n_clusters: self.n_clusters, n_trials: usual_trials(self.n_clusters), draws: self.draws.clone() };
        let places = starts(&Packed::new(&data, 1), Init::PlusPlus, vec![wanted], 1).swap_remove(0);
        // Draws of moves are apart from those of the start.
        let moves = Stream::new(self.draws.next_u64());
        let mut centres = Centres::new(places, self.reassignment_ratio, moves);
        centres.follow(&data, 1);
        self.fitted = Some((Arc::clone(&data.mean), centres));
        Ok(())
    }

    /// The nearest centre of every row, (n_samples, n_features); the lowest index among equals.
    ///
    /// # Errors
    /// No batch so far, rows of another width or a value that is not finite.
    pub fn predict(&self, rows: &Matrix<f32>) -> Result<Labels, Failure> {
        let Some((origin, centres)) = &self.fitted else {
            return Err(Failure::bug("mini-batch k-means was asked for labels before its first batch"));
        };
        check_rows(origin.len(), rows)?;
        Ok(assign_rows(rows, origin, &centres.places))
    }

    /// The centres, (n_clusters, n_features); none before the first batch.
    pub fn cluster_centers(&self) -> Option<Matrix<f64>> {
        self.fitted.as_ref().map(|(origin, centres)| in_place(&centres.places, origin))
    }

    /// Rows that each centre has followed, (n_clusters,); none before the first batch.
    pub fn counts(&self) -> Option<&[f64]> {
        self.fitted.as_ref().map(|(_, centres)| centres.seen.as_slice())
    }
}

struct MiniBatches {
    batch_size: usize,
    max_iter: usize,
    max_no_improvement: usize,
    n_init: usize,
    init: Init,
    reassignment_ratio: f64,
}

impl Clusterer for MiniBatches {
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

impl MiniBatches {
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
            let ends: Vec<End> = asked.iter().map(|&(n_clusters, of)| self.run(&data, n_clusters, of, ctx)).collect();
            let packed = Packed::new(&data, ctx.threads);
            let mut labels: Vec<Vec<u32>> = vec![Vec::new(); ends.len()];
            let once = Stop { max_iter: 0, tol: 0.0, unit: false };
            let places = ends.iter().map(|end| end.places.clone()).collect();
            lloyd_all(&packed, places, once, ctx.threads, |index, end| labels[index] = end.labels);
            ends.into_iter().zip(labels).map(|(end, labels)| end.partition(&data, &labels, ctx)).collect()
        })
    }

    fn run<T: Element>(&self, data: &Centred<T>, n_clusters: usize, of: u64, ctx: &Context) -> End {
        let n = data.n_samples();
        let batch_size = self.batch_size.min(n);
        let mut draws = Stream::new(seed(of, "mini_batch_kmeans batches", &[]));
        let drawn = |n_rows: usize, draws: &mut Stream| {
            let rows: Vec<usize> = (0..n_rows).map(|_| draws.below(n)).collect();
            select(data, &rows)
        };
        let some = if 3 * batch_size < n_clusters { 3 * n_clusters } else { 3 * batch_size }.min(n);
        let judges = drawn(some, &mut draws);
        let judges_packed = Packed::new(&judges, 1);
        let mut best: Option<(f64, Matrix<f64>)> = None;
        for run in 0..self.n_init {
            // A stream per start: raising n_init adds starts and changes none.
            let mut own = Stream::new(seed(of, "mini_batch_kmeans start", &[&run.to_string()]));
            let subset = if some < n { select(data, &distinct(n, some, &mut own)) } else { drawn_all(data) };
            let wanted = Draw { n_clusters, n_trials: usual_trials(n_clusters), draws: own };
            let places = starts(&Packed::new(&subset, 1), self.init, vec![wanted], ctx.threads).swap_remove(0);
            let labels = assign_all(&judges_packed, &places, ctx.threads);
            let inertia = inertia_of(&judges.x, &labels, &places);
            if best.as_ref().is_none_or(|(least, _)| inertia < *least) {
                best = Some((inertia, places));
            }
        }
        let (_, places) = best.unwrap_or_else(|| unreachable!("n_init is at least 1 by its Spec"));
        let moves = Stream::new(seed(of, "mini_batch_kmeans moves", &[]));
        let mut centres = Centres::new(places, self.reassignment_ratio, moves);
        let mut patience =
            Patience::new(self.max_no_improvement, (batch_size as f64 * 2.0 / (n as f64 + 1.0)).min(1.0));
        let n_steps = (self.max_iter * n / batch_size).max(1);
        for step in 1..=n_steps {
            let inertia = centres.follow(&drawn(batch_size, &mut draws), ctx.threads);
            if patience.ends(inertia / batch_size as f64) {
                return End { places: centres.places, n_steps: step, batch_size, converged: true };
            }
        }
        End { places: centres.places, n_steps, batch_size, converged: false }
    }
}

/// Chosen centred rows, around the same mean.
fn select<T: Element>(data: &Centred<T>, rows: &[usize]) -> Centred<T> {
    Centred {
        x: data.x.select_rows(rows),
        squared_lengths: rows.iter().map(|&row| data.squared_lengths[row]).collect(),
        mean: Arc::clone(&data.mean),
        mean_variance: data.mean_variance,
    }
}

fn drawn_all<T: Element>(data: &Centred<T>) -> Centred<T> {
    select(data, &(0..data.n_samples()).collect::<Vec<_>>())
}

/// When to stop: the inertia of batches, smoothed, reaches no new low.
struct Patience {
    allowed: usize,
    weight: f64, // of the newest batch
    steps: usize,
    smoothed: Option<f64>,
    least: f64,
    without: usize,
}

impl Patience {
    fn new(allowed: usize, weight: f64) -> Self {
        Self { allowed, weight, steps: 0, smoothed: None, least: f64::INFINITY, without: 0 }
    }

    fn ends(&mut self, inertia: f64) -> bool {
        self.steps += 1;
        if self.steps == 1 {
            return false; // that batch saw the start
        }
        let smoothed = match self.smoothed {
            None => inertia,
            Some(before) => before * (1.0 - self.weight) + inertia * self.weight,
        };
        self.smoothed = Some(smoothed);
        if smoothed < self.least {
            (self.least, self.without) = (smoothed, 0);
        } else {
            self.without += 1;
        }
        self.without >= self.allowed
    }
}

/// Where the batches led.
struct End {
    places: Matrix<f64>,
    n_steps: usize,
    batch_size: usize,
    converged: bool,
}

impl End {
    fn partition<T: Element>(&self, data: &Centred<T>, labels: &[u32], ctx: &Context) -> Box<dyn Partition> {
        let mut warnings = Vec::new();
        if !self.converged {
            warnings
                .push(format!("the inertia of batches was still falling after {} steps; raise max_iter", self.n_steps));
        }
        let n_iter = (self.n_steps * self.batch_size).div_ceil(data.n_samples());
        let partition = CentroidPartition::of_nearest(data, labels, &self.places, warnings, ctx.threads);
        Box::new(partition.with(vec![
            ("n_iter", ModelValue::Count(n_iter as u64)),
            ("n_steps", ModelValue::Count(self.n_steps as u64)),
        ]))
    }
}
