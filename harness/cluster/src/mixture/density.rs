//! Log densities of blocks of rows under every component.
//!
//! A row's squared Mahalanobis distance is the squared length of `(x - mean) P`, where `P Pᵀ` is the inverse of the
//! covariance and `P` upper triangular. Rows stand in the lanes, so that every sum is a chain in the order of the
//! features, on every vector unit.

use trailmark_core::Matrix;

use super::cholesky::{cholesky, invert_upper};
use super::em::Collapse;
use super::rows::BLOCK_LINES;
use super::tile::{LANES, LEFT, Line, tile};
use super::turns::in_turn;
use super::{CovarianceType, MixtureParameters};
use crate::width::{Width, per_width};

/// A mixture ready to be asked for densities.
#[derive(Debug, Clone)]
pub(crate) struct Density {
    width: Width,
    covariance_type: CovarianceType,
    n_clusters: usize,
    n_features: usize,
    constants: Vec<f64>,       // (n_clusters,) all of the log density that the row does not enter
    centres: Vec<f64>,         // (n_clusters, n_features) means; tied: means times the factor
    scales: Vec<f64>,          // diag, spherical: (n_clusters, n_features) inverse standard deviations
    factors: Vec<[f64; LEFT]>, // full: P of every component, tied: P; packed by `pack`
}

/// Memory that [`Density::log_densities`] works in.
#[derive(Debug)]
pub(crate) struct DensityScratch {
    row: Vec<Line>, // (n_features,) differences from a mean, or rows times the factor
    tile: [Line; LEFT],
}

/// Packs the upper triangular `p`, (n, n): 8 columns at a time, as many rows of them as are not 0.
fn pack(p: &[f64], n: usize, out: &mut Vec<[f64; LEFT]>) {
    for first in (0..n).step_by(LEFT) {
        for row in 0..(first + LEFT).min(n) {
            out.push(std::array::from_fn(|i| if first + i < n { p[row * n + first + i] } else { 0.0 }));
        }
    }
}

/// A packed `P` with its log determinant.
type Factor = (Vec<[f64; LEFT]>, f64);

/// Length of what [`pack`] makes.
fn packed(n: usize) -> usize {
    (0..n).step_by(LEFT).map(|first| (first + LEFT).min(n)).sum()
}

/// `P` with its log determinant, of one covariance; only the upper triangle is read.
fn factor(width: Width, of: &MixtureParameters, component: Option<usize>) -> Result<(Vec<f64>, f64), Collapse> {
    let n = of.n_features();
    let (mut u, mut p, mut refused) = (of.covariance(component.unwrap_or(0)).to_vec(), vec![0.0; n * n], None);
    if !u.iter().all(|value| value.is_finite()) {
        return Err(Collapse::NotFinite);
    }
    cholesky(width, &mut u, n, &mut refused);
    if let Some(feature) = refused {
        return Err(Collapse::NotPositiveDefinite { component, feature });
    }
    invert_upper(width, &u, n, &mut p);
    let log_determinant = (0..n).map(|i| libm::log(p[i * n + i])).sum::<f64>();
    if log_determinant.is_finite() { Ok((p, log_determinant)) } else { Err(Collapse::NotFinite) }
}

impl Density {
    /// Factors the covariances.
    ///
    /// # Errors
    /// [`Collapse::NotFinite`] after an overflow, [`Collapse::NotPositiveDefinite`] with the first component whose covariance has no inverse.
    pub(crate) fn new(width: Width, of: &MixtureParameters, threads: usize) -> Result<Self, Collapse> {
        let (k, n) = (of.n_clusters(), of.n_features());
        let mut density = Self {
            width,
            covariance_type: of.covariance_type,
            n_clusters: k,
            n_features: n,
            constants: Vec::with_capacity(k),
            centres: of.means.as_slice().to_vec(),
            scales: Vec::new(),
            factors: Vec::new(),
        };
        let log_determinants: Vec<f64> = match of.covariance_type {
            CovarianceType::Full => density.factor_all(of, threads)?,
            CovarianceType::Tied => {
                let (p, log_determinant) = factor(width, of, None)?;
                pack(&p, n, &mut density.factors);
                times(width, &of.means, &p, &mut density.centres);
                vec![log_determinant; k]
            }
            CovarianceType::Diag | CovarianceType::Spherical => density.scale_all(of)?,
        };
        let shared = 0.5 * n as f64 * libm::log(std::f64::consts::TAU);
        density.constants.extend(of.weights.iter().zip(log_determinants).map(|(w, det)| libm::log(*w) + det - shared));
        Ok(density)
    }

    fn factor_all(&mut self, of: &MixtureParameters, threads: usize) -> Result<Vec<f64>, Collapse> {
        let (width, n) = (self.width, self.n_features);
        let mut found: Vec<Result<Factor, Collapse>> = vec![Err(Collapse::NotFinite); self.n_clusters];
        let pieces = found.iter_mut().enumerate();
        in_turn(
            threads,
            pieces,
            || (),
            |(), (component, found)| {
                *found = factor(width, of, Some(component)).map(|(p, log_determinant)| {
                    let mut panels = Vec::with_capacity(packed(n));
                    pack(&p, n, &mut panels);
                    (panels, log_determinant)
                });
            },
        );
        let mut log_determinants = Vec::with_capacity(self.n_clusters);
        for found in found {
            let (panels, log_determinant) = found?;
            self.factors.extend(panels);
            log_determinants.push(log_determinant);
        }
        Ok(log_determinants)
    }

    fn scale_all(&mut self, of: &MixtureParameters) -> Result<Vec<f64>, Collapse> {
        let mut log_determinants = Vec::with_capacity(self.n_clusters);
        for component in 0..self.n_clusters {
            let variances = of.covariance(component);
            let mut log_determinant = 0.0;
            for feature in 0..self.n_features {
                let variance = variances[feature % variances.len()];
                let scale = 1.0 / variance.sqrt();
                if !variance.is_finite() {
                    return Err(Collapse::NotFinite);
                }
                if !(variance > 0.0 && scale.is_finite()) {
                    return Err(Collapse::NotPositiveDefinite { component: Some(component), feature });
                }
                self.scales.push(scale);
                log_determinant += libm::log(scale);
            }
            log_determinants.push(log_determinant);
        }
        Ok(log_determinants)
    }

    /// The vector unit it runs on.
    pub(crate) fn width(&self) -> Width {
        self.width
    }

    /// Number of components.
    pub(crate) fn n_clusters(&self) -> usize {
        self.n_clusters
    }

    /// Number of features.
    pub(crate) fn n_features(&self) -> usize {
        self.n_features
    }

    /// Lines of one block with rows in the lanes.
    pub(crate) fn block_lines(&self) -> usize {
        BLOCK_LINES * self.n_features
    }

    /// Memory for one thread.
    pub(crate) fn scratch(&self) -> DensityScratch {
        DensityScratch { row: vec![Line::ZERO; self.n_features.next_multiple_of(LEFT)], tile: [Line::ZERO; LEFT] }
    }

    /// Log of weight times density of one block: `turned` is (BLOCK_LINES, n_features) with rows in the lanes, `out`
    /// (n_clusters, BLOCK_LINES).
    pub(crate) fn log_densities(&self, turned: &[Line], scratch: &mut DensityScratch, out: &mut [Line]) {
        let (k, n) = (self.n_clusters, self.n_features);
        let DensityScratch { row, tile: out_tile } = scratch;
        let per = packed(n);
        match self.covariance_type {
            CovarianceType::Full => {
                for component in 0..k {
                    let centre = &self.centres[component * n..(component + 1) * n];
                    let panels = &self.factors[component * per..(component + 1) * per];
                    for (line, x) in turned.chunks_exact(n).enumerate() {
                        subtract(self.width, x, centre, row);
                        let sum = &mut out[component * BLOCK_LINES + line];
                        *sum = Line::ZERO;
                        each_tile(self.width, n, panels, row, out_tile, |_, made| add_squares(self.width, made, sum));
                    }
                }
            }
            CovarianceType::Tied => {
                for (line, x) in turned.chunks_exact(n).enumerate() {
                    each_tile(self.width, n, &self.factors, x, out_tile, |at, made| {
                        row[at..at + LEFT].copy_from_slice(made);
                    });
                    for (component, centre) in self.centres.chunks_exact(n).enumerate() {
                        squared_differences(self.width, &row[..n], centre, &mut out[component * BLOCK_LINES + line]);
                    }
                }
            }
            CovarianceType::Diag | CovarianceType::Spherical => {
                for (component, (centre, scale)) in
                    self.centres.chunks_exact(n).zip(self.scales.chunks_exact(n)).enumerate()
                {
                    for (line, x) in turned.chunks_exact(n).enumerate() {
                        let sum = &mut out[component * BLOCK_LINES + line];
                        scaled_differences(self.width, x, centre, scale, sum);
                    }
                }
            }
        }
        complete(self.width, out, &self.constants);
    }
}

/// Calls `done` with the first column and the values of every 8 columns of `x P`.
#[inline]
fn each_tile(
    width: Width,
    n: usize,
    panels: &[[f64; LEFT]],
    x: &[Line],
    out: &mut [Line; LEFT],
    mut done: impl FnMut(usize, &[Line; LEFT]),
) {
    let mut start = 0;
    for first in (0..n).step_by(LEFT) {
        let depth = (first + LEFT).min(n);
        tile(width, &panels[start..start + depth], &x[..depth], out);
        done(first, out);
        start += depth;
    }
}

per_width! {
    /// (n_clusters, n) rows times the upper triangular `p`, in the order of additions of [`tile`].
    fn [] times(rows: &Matrix<f64>, p: &[f64], out: &mut [f64]) {
        let n = rows.cols();
        for (row, out) in rows.iter_rows().zip(out.chunks_exact_mut(n)) {
            out.fill(0.0);
            for (i, value) in row.iter().enumerate() {
                for (out, p) in out[i..].iter_mut().zip(&p[i * n + i..(i + 1) * n]) {
                    *out = value.mul_add(*p, *out);
                }
            }
        }
    }
}

per_width! {
    /// Log densities from squared distances, (n_clusters, BLOCK_LINES), and the constants of the components.
    fn [] complete(out: &mut [Line], constants: &[f64]) {
        for (lines, constant) in out.chunks_exact_mut(BLOCK_LINES).zip(constants) {
            for line in lines {
                for lane in 0..LANES {
                    line.0[lane] = (-0.5_f64).mul_add(line.0[lane], *constant);
                }
            }
        }
    }
}

per_width! {
    /// Rows minus a mean.
    fn [] subtract(x: &[Line], mean: &[f64], out: &mut [Line]) {
        for ((out, x), mean) in out.iter_mut().zip(x).zip(mean) {
            for lane in 0..LANES {
                out.0[lane] = x.0[lane] - mean;
            }
        }
    }
}

per_width! {
    /// Adds the squares of 8 columns.
    fn [] add_squares(columns: &[Line; LEFT], sum: &mut Line) {
        for column in columns {
            for lane in 0..LANES {
                sum.0[lane] = column.0[lane].mul_add(column.0[lane], sum.0[lane]);
            }
        }
    }
}

per_width! {
    /// Squared distances from a centre.
    fn [] squared_differences(x: &[Line], centre: &[f64], out: &mut Line) {
        let mut sum = Line::ZERO;
        for (x, centre) in x.iter().zip(centre) {
            for lane in 0..LANES {
                let difference = x.0[lane] - centre;
                sum.0[lane] = difference.mul_add(difference, sum.0[lane]);
            }
        }
        *out = sum;
    }
}

per_width! {
    /// Squared distances from a centre, every feature in units of its own.
    fn [] scaled_differences(x: &[Line], centre: &[f64], scale: &[f64], out: &mut Line) {
        let mut sum = Line::ZERO;
        for ((x, centre), scale) in x.iter().zip(centre).zip(scale) {
            for lane in 0..LANES {
                let difference = (x.0[lane] - centre) * scale;
                sum.0[lane] = difference.mul_add(difference, sum.0[lane]);
            }
        }
        *out = sum;
    }
}

#[cfg(test)]
mod tests {
    use super::super::share::{Best, share_out};
    use super::*;
    use trailmark_core::Stream;

    const TYPES: [CovarianceType; 4] =
        [CovarianceType::Full, CovarianceType::Tied, CovarianceType::Diag, CovarianceType::Spherical];

    /// A mixture with diagonal covariances, told in the numbers of any type.
    fn mixture(covariance_type: CovarianceType, k: usize, n: usize, draws: &mut Stream) -> MixtureParameters {
        let values = covariance_type.n_values(k, n);
        let diagonal = |at: usize| (at % (n * n)).is_multiple_of(n + 1);
        let matrix = matches!(covariance_type, CovarianceType::Full | CovarianceType::Tied);
        let covariances =
            (0..values).map(|at| if matrix && !diagonal(at) { 0.0 } else { 0.5 + draws.uniform() }).collect();
        let means = (0..k * n).map(|_| draws.normal()).collect();
        let weights = vec![1.0 / k as f64; k];
        MixtureParameters { covariance_type, weights, means: Matrix::from_vec(k, n, means).unwrap(), covariances }
    }

    #[test]
    fn log_densities_follow_the_formula_with_the_same_bits_on_every_vector_unit() {
        let mut draws = Stream::new(8);
        for (covariance_type, n) in TYPES.into_iter().flat_map(|one| [(one, 1), (one, 8), (one, 19)]) {
            let k = 3;
            let of = mixture(covariance_type, k, n, &mut draws);
            let turned: Vec<Line> =
                (0..BLOCK_LINES * n).map(|_| Line(std::array::from_fn(|_| 2.0 * draws.normal()))).collect();
            let all: Vec<Vec<Line>> = Width::available()
                .into_iter()
                .map(|width| {
                    let density = Density::new(width, &of, 1).unwrap();
                    let mut out = vec![Line([f64::NAN; LANES]); k * BLOCK_LINES];
                    density.log_densities(&turned, &mut density.scratch(), &mut out);
                    out
                })
                .collect();
            assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "bits of {covariance_type:?}, {n} features");
            for (at, got) in all[0].iter().flat_map(|line| line.0).enumerate() {
                let (component, line, lane) = (at / LANES / BLOCK_LINES, at / LANES % BLOCK_LINES, at % LANES);
                let variance = |feature: usize| match covariance_type {
                    CovarianceType::Full | CovarianceType::Tied => of.covariance(component)[feature * n + feature],
                    CovarianceType::Diag => of.covariance(component)[feature],
                    CovarianceType::Spherical => of.covariance(component)[0],
                };
                let expected = (0..n).fold(of.weights[component].ln(), |sum, feature| {
                    let off = turned[line * n + feature].0[lane] - of.means.row(component)[feature];
                    sum - 0.5 * (off * off / variance(feature) + (std::f64::consts::TAU * variance(feature)).ln())
                });
                assert!((got - expected).abs() < 1e-11 * expected.abs().max(1.0), "{covariance_type:?}, {n}: {got}");
            }
        }
    }

    #[test]
    fn responsibilities_of_rows_far_from_every_component_still_sum_to_one() {
        let of = MixtureParameters {
            covariance_type: CovarianceType::Spherical,
            weights: vec![0.5, 0.5],
            means: Matrix::from_vec(2, 1, vec![-1.0, 1.0]).unwrap(),
            covariances: vec![1.0, 1.0],
        };
        let density = Density::new(Width::detect(), &of, 1).unwrap();
        let turned = vec![Line(std::array::from_fn(|lane| 100.0 * (lane as f64 - 7.0))); BLOCK_LINES];
        let mut logs = vec![Line::ZERO; 2 * BLOCK_LINES];
        let mut found = [Best::NONE; BLOCK_LINES];
        density.log_densities(&turned, &mut density.scratch(), &mut logs);
        share_out(density.width(), &mut logs, &mut found);
        for lane in 0..LANES {
            let (left, right) = (logs[0].0[lane], logs[BLOCK_LINES].0[lane]);
            assert!((left + right - 1.0).abs() < 1e-15, "lane {lane}: {left} and {right}");
            assert_eq!(found[0].label.0[lane] > 0.5, lane > 7, "the tie at 0 goes to the first component");
        }
    }
}
