//! Soft k-means: every row belongs to every cluster, the more the nearer its centre, by Gaussian weights of one width
//! `sigma`. A mixture of equal, round, equally heavy Gaussians whose width is given instead of fitted.
//!
//! It starts from the best end of hard k-means. Weights are equal, so the most responsible cluster is the nearest
//! centre: labels and the rule for new rows are those of `kmeans`. A `sigma` wider than the clusters are apart pulls
//! centres together; where they meet, clusters become one, with a warning.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, Matrix, ParamKind, ParamSpec, Params, Space, Spec};

use crate::centroids::CentroidPartition;
use crate::element::Element;
use crate::kmeans::{Best, Starts, fit_points, init_of, prepare};
use crate::lloyd::Stop;
use crate::packed::Packed;
use crate::search::Search;
use crate::threads::{share_out, worthwhile};
use crate::width::per_width;

/// Panels whose sums are made together; the sums of these chunks are added in order.
const CHUNK: usize = 64;

/// Chunks under way at a time: their sums are kept until they are added.
const CHUNKS: usize = 16;

/// Responsibilities below this are nothing beside the rounding of the sums.
const NOTHING: f64 = 1e-18;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "soft_kmeans",
    summary: "k-means with Gaussian weights of width sigma instead of hard assignment; labels by the largest weight",
    reference: "MacKay 2003, Information Theory, Inference and Learning Algorithms, ch. 20 (soft K-means, version 1)",
    revision: 1,
    cost: Cost {
        time: "n_init * iterations * n_samples * n_clusters * n_features at most",
        memory: "n_samples * (8 * n_features + 512) + 136 * n_clusters * n_features",
    },
    params: &[
        ParamSpec {
            name: "sigma",
            summary: "width of the weights exp(-d^2 / (2 sigma^2)), in the unit of the vectors; left out: root mean \
                      squared distance to the own centre of hard k-means, per feature",
            kind: ParamKind::Number { min: 1e-12, max: f64::INFINITY },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "n_init",
            summary: "starts of the hard k-means that it begins from; the one of least inertia is kept",
            kind: ParamKind::Integer { min: 1, max: 10_000 },
            default: ParamDefault::Integer(10),
        },
        ParamSpec {
            name: "max_iter",
            summary: "iterations at most, of hard and of soft k-means each; not converging is a warning",
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
    Ok(Box::new(SoftKMeans {
        starts: Starts {
            what: SPEC.name,
            n_init: params.size("n_init"),
            init: init_of(params.text("init")),
            nested: false,
        },
        sigma: params.get("sigma").map(|_| params.number("sigma")),
        max_iter: params.size("max_iter"),
        tol: params.number("tol"),
    }))
}

struct SoftKMeans {
    starts: Starts,
    sigma: Option<f64>,
    max_iter: usize,
    tol: f64,
}

impl Clusterer for SoftKMeans {
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

impl SoftKMeans {
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
            best.iter().map(|hard| self.partition(&packed, hard, stop, ctx)).collect()
        })
    }

    fn partition<T: Element>(
        &self,
        data: &Packed<'_, T>,
        hard: &Best,
        stop: Stop,
        ctx: &Context,
    ) -> Box<dyn Partition> {
        let n_values = (data.data.n_samples() * data.data.n_features()) as f64;
        let sigma = self.sigma.unwrap_or_else(|| (hard.inertia / n_values).sqrt());
        let soft = soften(data, hard.end.centres.clone(), sigma, stop, ctx.threads);
        let mut warnings = Vec::new();
        if !soft.converged {
            warnings.push(format!(
                "soft k-means had not converged after {} iterations; raise max_iter or tol",
                soft.n_iter
            ));
        }
        Box::new(CentroidPartition::nearest(data, &soft.centres, warnings).with(vec![
            ("sigma", ModelValue::Number(sigma)),
            ("responsibility_entropy", ModelValue::Number(soft.entropy)),
            ("objective", ModelValue::Number(soft.objective)),
            ("n_iter", ModelValue::Count(soft.n_iter as u64)),
        ]))
    }
}

/// Where soft k-means ended.
#[derive(Debug)]
struct Soft {
    centres: Matrix<f64>, // (n_clusters, n_features), centred
    /// Mean entropy of the responsibilities of a row, in nats.
    entropy: f64,
    /// Mean of `-ln sum_j exp(-d_j^2 / (2 sigma^2))`, which no iteration raises.
    objective: f64,
    n_iter: usize,
    converged: bool,
}

/// What one pass adds up.
struct Totals {
    sums: Matrix<f64>, // (n_clusters, n_features)
    weights: Vec<f64>, // (n_clusters,)
    entropy: f64,
    objective: f64,
}

impl Totals {
    fn new(k: usize, n_features: usize) -> Self {
        Self { sums: Matrix::zeros(k, n_features), weights: vec![0.0; k], entropy: 0.0, objective: 0.0 }
    }

    fn add(&mut self, other: &Self) {
        self.sums.as_mut_slice().iter_mut().zip(other.sums.as_slice()).for_each(|(sum, value)| *sum += value);
        self.weights.iter_mut().zip(&other.weights).for_each(|(sum, value)| *sum += value);
        self.entropy += other.entropy;
        self.objective += other.objective;
    }
}

/// Iterates from `centres` until they move by no more than `stop.tol`.
fn soften<T: Element>(data: &Packed<'_, T>, mut centres: Matrix<f64>, sigma: f64, stop: Stop, threads: usize) -> Soft {
    let n = data.data.n_samples() as f64;
    if sigma <= 0.0 {
        // All rows lie on their centres, and none is shared.
        return Soft { centres, entropy: 0.0, objective: 0.0, n_iter: 0, converged: true };
    }
    let (mut n_iter, mut converged) = (0, false);
    loop {
        let totals = pass(data, &centres, sigma, threads);
        if converged || n_iter == stop.max_iter {
            let (entropy, objective) = (totals.entropy / n, totals.objective / n);
            return Soft { centres, entropy, objective, n_iter, converged };
        }
        let mut moved = 0.0;
        for (j, weight) in totals.weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            for (centre, sum) in centres.row_mut(j).iter_mut().zip(totals.sums.row(j)) {
                let mean = sum / weight;
                moved += (mean - *centre) * (mean - *centre);
                *centre = mean;
            }
        }
        n_iter += 1;
        converged = moved <= stop.tol;
    }
}

/// Responsibilities of all rows, and what they add up to: chunk by chunk, in the order of rows.
fn pass<T: Element>(data: &Packed<'_, T>, centres: &Matrix<f64>, sigma: f64, threads: usize) -> Totals {
    let search = Search::new(centres, data.scale, data.width);
    let (k, n_features) = (centres.rows(), centres.cols());
    let mut totals = Totals::new(k, n_features);
    let mut parts: Vec<Totals> = Vec::new();
    let n_chunks = data.n_panels().div_ceil(CHUNK);
    let threads = worthwhile(threads, 2 * data.data.n_samples() * k * n_features);
    for first in (0..n_chunks).step_by(CHUNKS) {
        let chunks = first..(first + CHUNKS).min(n_chunks);
        parts.clear();
        parts.resize_with(chunks.len(), || Totals::new(k, n_features));
        share_out(threads, chunks.zip(&mut parts).collect(), |(chunk, totals)| {
            let panels = chunk * CHUNK..((chunk + 1) * CHUNK).min(data.n_panels());
            panels.for_each(|panel| add_panel(data, &search, panel, sigma, totals));
        });
        parts.iter().for_each(|part| totals.add(part));
    }
    totals
}

fn add_panel<T: Element>(data: &Packed<'_, T>, search: &Search<'_, T>, panel: usize, sigma: f64, totals: &mut Totals) {
    let mut scores = vec![T::ZEROS; search.n_clusters()];
    search.scores(&[data.panel(panel)], &mut scores);
    let unit = 2.0 * sigma * sigma * data.scale * data.scale;
    let mut weights = vec![0.0_f64; scores.len()];
    let squares = data.squares(panel);
    let rows = panel * T::LANES..((panel + 1) * T::LANES).min(data.data.n_samples());
    for (lane, row) in rows.enumerate() {
        let distance = |line: &T::Line| {
            let scaled = squares[lane].to_f64() + 2.0 * T::lanes(line)[lane].to_f64();
            scaled.max(0.0) / unit
        };
        let least = scores.iter().map(distance).fold(f64::INFINITY, f64::min);
        let mut all = 0.0;
        for (weight, line) in weights.iter_mut().zip(&scores) {
            *weight = libm::exp(least - distance(line));
            all += *weight;
        }
        let mut beyond = 0.0; // mean distance past the nearest, by responsibility
        for (weight, line) in weights.iter_mut().zip(&scores) {
            *weight /= all;
            beyond += *weight * (distance(line) - least);
        }
        totals.entropy += libm::log(all) + beyond;
        totals.objective += least - libm::log(all);
        let shares = weights.iter().enumerate().filter(|(_, weight)| **weight >= NOTHING);
        for (j, weight) in shares {
            totals.weights[j] += weight;
            add_scaled::<T>(data.width, data.data.x.row(row), *weight, totals.sums.row_mut(j));
        }
    }
}

per_width! {
    /// Adds `weight` times a row.
    fn [T: Element] add_scaled(row: &[T], weight: f64, sums: &mut [f64]) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value.to_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centred::Centred;
    use trailmark_kit::{number, oracle, rows};

    #[test]
    fn the_same_start_ends_at_the_centres_of_the_definition() {
        let table = oracle("cluster", "soft_kmeans");
        for case in &table.case {
            let name = case["name"].as_str().unwrap();
            let data = Centred::new(&Matrix::<f64>::from_rows(&rows(case, "x")).unwrap());
            let mut start = Matrix::<f64>::from_rows(&rows(case, "start")).unwrap();
            for j in 0..start.rows() {
                start.row_mut(j).iter_mut().zip(data.mean.iter()).for_each(|(value, mean)| *value -= mean);
            }
            let stop = Stop { max_iter: 2000, tol: 0.0, unit: false };
            let stop = Stop { max_iter: number(case, "n_iter") as usize, ..stop };
            let soft = soften(&Packed::new(&data, 1), start, number(case, "sigma"), stop, 1);
            table.assert_close(name, soft.entropy, number(case, "entropy"));
            table.assert_close(name, soft.objective, number(case, "objective"));
            for (centre, expected) in soft.centres.iter_rows().zip(rows(case, "centers")) {
                for ((value, mean), expected) in centre.iter().zip(data.mean.iter()).zip(expected) {
                    table.assert_close(name, value + mean, expected);
                }
            }
        }
    }

    #[test]
    fn the_objective_falls_and_threads_change_no_bit() {
        let mut draws = trailmark_core::Stream::new(2);
        let mut x = Matrix::<f32>::zeros(5_000, 12);
        x.as_mut_slice().iter_mut().for_each(|value| *value = draws.normal() as f32);
        let data = Centred::new(&x);
        let packed = Packed::new(&data, 1);
        let start: Matrix<f64> = data.x.select_rows(&[0, 1, 2, 3, 4, 5, 6]).cast();
        let mut before = f64::INFINITY;
        for max_iter in [0, 1, 2, 4, 8] {
            let stop = Stop { max_iter, tol: 0.0, unit: false };
            let one = soften(&packed, start.clone(), 0.9, stop, 1);
            assert!(one.objective < before, "{max_iter} iterations: {} after {before}", one.objective);
            before = one.objective;
            let two = soften(&packed, start.clone(), 0.9, stop, 3);
            assert_eq!(one.centres, two.centres);
            assert_eq!(one.entropy.to_bits(), two.entropy.to_bits());
        }
    }
}
