//! The iteration from given parameters: what the oracle table compares with scikit-learn start by start.

use thiserror::Error;
use trailmark_core::Matrix;

use super::density::Density;
use super::moments::{Weights, scatters, squared_sums, weighted_sums};
use super::rows::{BLOCK, BLOCK_LINES, BlockedRows};
use super::share::{Best, share_out};
use super::tile::{LANES, Line};
use super::turns::in_turn;
use super::{CovarianceType, MixtureParameters};
use crate::width::Width;

/// Why a start led nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Collapse {
    /// A covariance without an inverse.
    #[error(
        "the covariance of {} is not positive definite (feature {feature} varies with none of its own among its rows); \
         raise reg_covar, lower n_clusters, scale the features, or choose another covariance_type",
        component.map_or("all components together".to_owned(), |component| format!("component {component}"))
    )]
    NotPositiveDefinite {
        /// The component, from 0; none for a covariance that all share.
        component: Option<usize>,
        /// The first feature, from 0, that adds no variance to those before it.
        feature: usize,
    },
    /// Overflow.
    #[error("the log-likelihood is not finite: the vectors are too large to be squared; scale the features")]
    NotFinite,
}

/// How EM goes on from a start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixtureStop {
    /// Added to the variances, in the square of the features' unit, as scikit-learn does.
    pub reg_covar: f64,
    /// Iterations at most; 0 makes one all the same.
    pub max_iter: usize,
    /// Stop when the mean log-likelihood of a row changes by less; 0 makes all iterations.
    pub tol: f64,
}

/// Where the iteration ended.
#[derive(Debug, Clone)]
pub(crate) struct Ascent {
    /// The mixture; means are centred as the rows are.
    pub(crate) parameters: MixtureParameters,
    /// Mean log-likelihood before the last maximisation: scikit-learn's `lower_bound_`.
    pub(crate) lower_bound: f64,
    /// Iterations made.
    pub(crate) n_iter: usize,
    /// Whether it stopped by itself.
    pub(crate) converged: bool,
}

/// Which component answers for which row, and how well.
#[derive(Debug, Clone)]
pub(crate) struct Responsibilities {
    n_clusters: usize,
    lines: Vec<Line>, // (n_blocks, n_clusters, BLOCK_LINES)
    /// (n_samples,) the component of greatest responsibility, the lowest among equals.
    pub(crate) labels: Vec<u32>,
    /// (n_clusters,) sums over rows.
    pub(crate) totals: Vec<f64>,
    /// Sum over rows of the log of the density.
    pub(crate) log_likelihood: f64,
    /// Minus the sum over rows of the log of the greatest responsibility.
    pub(crate) doubt: f64,
}

impl Responsibilities {
    /// Memory for a fit, all zero.
    pub(crate) fn new(rows: &BlockedRows, n_clusters: usize) -> Self {
        Self {
            n_clusters,
            lines: vec![Line::ZERO; rows.n_blocks() * n_clusters * BLOCK_LINES],
            labels: vec![0; rows.n_samples()],
            totals: vec![0.0; n_clusters],
            log_likelihood: 0.0,
            doubt: 0.0,
        }
    }

    /// Every row belongs wholly to one component.
    pub(crate) fn assign(&mut self, labels: &[u32]) {
        self.lines.fill(Line::ZERO);
        self.totals.fill(0.0);
        for (i, &label) in labels.iter().enumerate() {
            let line = (i / BLOCK * self.n_clusters + label as usize) * BLOCK_LINES + i % BLOCK / LANES;
            self.lines[line].0[i % LANES] = 1.0;
            self.totals[label as usize] += 1.0;
        }
        self.labels.copy_from_slice(labels);
    }

    fn weights(&self) -> Weights<'_> {
        Weights { n_clusters: self.n_clusters, lines: &self.lines }
    }
}

/// EM over given rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Em<'a> {
    /// The rows.
    pub(crate) rows: &'a BlockedRows,
    /// The model.
    pub(crate) covariance_type: CovarianceType,
    /// Threads it may use.
    pub(crate) threads: usize,
}

impl Em<'_> {
    /// The density of a mixture.
    ///
    /// # Errors
    /// [`Collapse`] when a covariance has no inverse.
    pub(crate) fn density(&self, parameters: &MixtureParameters) -> Result<Density, Collapse> {
        Density::new(Width::detect(), parameters, self.threads)
    }

    /// The expectation step.
    ///
    /// # Errors
    /// [`Collapse`] when the log-likelihood overflows.
    pub(crate) fn expect(&self, density: &Density, out: &mut Responsibilities) -> Result<(), Collapse> {
        let k = out.n_clusters;
        let mut sums = vec![0.0_f64; self.rows.n_blocks() * (k + 2)];
        let pieces: Vec<_> = (out.lines.chunks_exact_mut(k * BLOCK_LINES))
            .zip(out.labels.chunks_mut(BLOCK))
            .zip(sums.chunks_exact_mut(k + 2))
            .enumerate()
            .collect();
        let scratch = || (vec![Line::ZERO; density.block_lines()], density.scratch(), [Best::NONE; BLOCK_LINES]);
        in_turn(self.threads, pieces.into_iter(), scratch, |scratch, (block, ((lines, labels), sums))| {
            let (turned, scratch, found) = scratch;
            self.rows.turned(block, turned);
            density.log_densities(turned, scratch, lines);
            share_out(density.width(), lines, found);
            let count = self.rows.rows_of(block);
            let (log_likelihood, rest) = sums.split_at_mut(1);
            let (doubt, totals) = rest.split_at_mut(1);
            for (i, label) in labels.iter_mut().enumerate() {
                let best = &found[i / LANES];
                let log_sum = libm::log(best.sum.0[i % LANES]);
                log_likelihood[0] += best.log.0[i % LANES] + log_sum;
                doubt[0] += log_sum;
                *label = whole(best.label.0[i % LANES]);
            }
            for (lines, total) in lines.chunks_exact_mut(BLOCK_LINES).zip(totals) {
                for i in count..BLOCK {
                    lines[i / LANES].0[i % LANES] = 0.0;
                }
                *total = lane_sums(lines);
            }
        });
        out.totals.fill(0.0);
        (out.log_likelihood, out.doubt) = (0.0, 0.0);
        for sums in sums.chunks_exact(k + 2) {
            out.log_likelihood += sums[0];
            out.doubt += sums[1];
            for (total, sum) in out.totals.iter_mut().zip(&sums[2..]) {
                *total += sum;
            }
        }
        if out.log_likelihood.is_finite() { Ok(()) } else { Err(Collapse::NotFinite) }
    }

    /// The scatter of all rows about their mean: all that the tied covariance needs of the rows.
    fn total_scatter(&self) -> Vec<f64> {
        let n = self.rows.n_features();
        let mut one = Responsibilities::new(self.rows, 1);
        one.assign(&vec![0; self.rows.n_samples()]);
        let mut out = vec![0.0; n * n];
        scatters(Width::detect(), self.rows, one.weights(), &vec![0.0; n], self.threads, &mut out);
        out
    }

    /// The maximisation step. A component that answers for nothing keeps a share of 10 machine epsilons of a row, the
    /// mean of all rows and no variance but `reg_covar`, as in scikit-learn.
    pub(crate) fn maximise(
        &self,
        from: &Responsibilities,
        reg_covar: f64,
        total_scatter: Option<&[f64]>,
    ) -> MixtureParameters {
        let (k, n) = (from.n_clusters, self.rows.n_features());
        let (width, weights) = (Width::detect(), from.weights());
        let counts: Vec<f64> = from.totals.iter().map(|total| total + 10.0 * f64::EPSILON).collect();
        let count: f64 = counts.iter().sum();
        let mut means = Matrix::<f64>::zeros(k, n);
        means.as_mut_slice().copy_from_slice(&weighted_sums(width, self.rows, weights, self.threads));
        for (component, count) in counts.iter().enumerate() {
            means.row_mut(component).iter_mut().for_each(|sum| *sum /= count);
        }
        let covariances = match self.covariance_type {
            CovarianceType::Full => {
                let mut covariances = vec![0.0; k * n * n];
                scatters(width, self.rows, weights, means.as_slice(), self.threads, &mut covariances);
                for (matrix, count) in covariances.chunks_exact_mut(n * n).zip(&counts) {
                    finish(matrix, n, *count, reg_covar);
                }
                covariances
            }
            CovarianceType::Tied => {
                let mut covariance = total_scatter.map_or_else(|| self.total_scatter(), <[f64]>::to_vec);
                for (mean, count) in means.iter_rows().zip(&counts) {
                    for (i, row) in covariance.chunks_exact_mut(n).enumerate() {
                        for j in i..n {
                            row[j] -= count * mean[i] * mean[j];
                        }
                    }
                }
                finish(&mut covariance, n, count, reg_covar);
                covariance
            }
            CovarianceType::Diag | CovarianceType::Spherical => {
                let mut variances = squared_sums(width, self.rows, weights, means.as_slice(), self.threads);
                for (variances, count) in variances.chunks_exact_mut(n).zip(&counts) {
                    variances.iter_mut().for_each(|sum| *sum = *sum / count + reg_covar);
                }
                if self.covariance_type == CovarianceType::Spherical {
                    variances = variances.chunks_exact(n).map(|row| row.iter().sum::<f64>() / n as f64).collect();
                }
                variances
            }
        };
        MixtureParameters {
            covariance_type: self.covariance_type,
            weights: counts.iter().map(|own| own / count).collect(),
            means,
            covariances,
        }
    }

    /// Iterates until the mean log-likelihood rests or `max_iter`, at least once.
    ///
    /// # Errors
    /// [`Collapse`] when a covariance loses its inverse on the way.
    pub(crate) fn climb(
        &self,
        mut parameters: MixtureParameters,
        until: MixtureStop,
        responsibilities: &mut Responsibilities,
    ) -> Result<Ascent, Collapse> {
        let total_scatter = (self.covariance_type == CovarianceType::Tied).then(|| self.total_scatter());
        let mut lower_bound = f64::NEG_INFINITY;
        for n_iter in 1..=until.max_iter.max(1) {
            self.expect(&self.density(&parameters)?, responsibilities)?;
            parameters = self.maximise(responsibilities, until.reg_covar, total_scatter.as_deref());
            let before = lower_bound;
            lower_bound = responsibilities.log_likelihood / self.rows.n_samples() as f64;
            if (lower_bound - before).abs() < until.tol {
                return Ok(Ascent { parameters, lower_bound, n_iter, converged: true });
            }
        }
        Ok(Ascent { parameters, lower_bound, n_iter: until.max_iter.max(1), converged: false })
    }
}

/// Upper triangle over the count, the diagonal regularised, the lower triangle mirrored.
fn finish(matrix: &mut [f64], n: usize, count: f64, reg_covar: f64) {
    for i in 0..n {
        for j in i..n {
            let value = matrix[i * n + j] / count + if i == j { reg_covar } else { 0.0 };
            matrix[i * n + j] = value;
            matrix[j * n + i] = value;
        }
    }
}

/// Sum of the weights of a block: lanes first, then across them.
fn lane_sums(lines: &[Line]) -> f64 {
    let mut sums = Line::ZERO;
    for line in lines {
        for lane in 0..LANES {
            sums.0[lane] += line.0[lane];
        }
    }
    sums.0.iter().sum()
}

/// A label that was carried in a lane.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number below n_clusters")]
fn whole(label: f64) -> u32 {
    label as u32
}
