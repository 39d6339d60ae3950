//! A fitted Gaussian mixture as a partition: labels, the rule for new rows, and the model.

use trailmark_core::contract::{ModelValue, Partition, Points};
use trailmark_core::{Failure, FailureClass, Labels, Matrix};

use crate::input::check_rows;
use crate::mixture::{
    Ascent, BLOCK, BLOCK_LINES, BlockedRows, CovarianceType, Density, Em, LANES, Line, MixtureParameters,
    Responsibilities, greatest, turn,
};

/// Every row with the component of greatest responsibility. Components that no training row is most responsible to
/// stay in the model, after the others, and take no new row either.
pub(crate) struct MixturePartition {
    labels: Labels,
    mean: Vec<f64>, // (n_features,) taken out of rows before they are asked about
    density: Density,
    n_living: usize,
    inertia: f64,
    warnings: Vec<String>,
    model: Vec<(&'static str, ModelValue)>,
}

impl MixturePartition {
    /// The mixture that EM ended with; `work` is overwritten.
    pub(crate) fn new(
        em: Em<'_>,
        end: &Ascent,
        n_init: usize,
        warnings: Vec<String>,
        work: &mut Responsibilities,
    ) -> Result<Self, Failure> {
        let mut partition = Self::of_parameters(em, &end.parameters, work)?;
        partition.model.extend([
            ("lower_bound", ModelValue::Number(end.lower_bound)),
            ("n_iter", ModelValue::Count(end.n_iter as u64)),
            ("converged", ModelValue::Text(end.converged.to_string())),
        ]);
        partition.warnings.splice(0..0, warnings);
        if !end.converged {
            partition.warnings.push(format!(
                "the best of {n_init} starts had not converged after {} iterations; raise max_iter or tol",
                end.n_iter
            ));
        }
        Ok(partition)
    }

    /// Labels, criteria and log-likelihood of given parameters, centred as the rows are; `work` is overwritten.
    pub(crate) fn of_parameters(
        em: Em<'_>,
        parameters: &MixtureParameters,
        work: &mut Responsibilities,
    ) -> Result<Self, Failure> {
        let degenerate = |reason| Failure::from_error(FailureClass::Degenerate, &reason);
        em.expect(&em.density(parameters).map_err(degenerate)?, work).map_err(degenerate)?;
        let asked = parameters.n_clusters();
        let mut used = vec![false; asked];
        work.labels.iter().for_each(|&label| used[label as usize] = true);
        let mut order: Vec<usize> = (0..asked).collect();
        order.sort_by_key(|&component| !used[component]);
        let n_living = used.iter().filter(|used| **used).count();
        let mut names = vec![0_u32; asked];
        for (name, &component) in (0_u32..).zip(&order) {
            names[component] = name;
        }
        let labels: Vec<u32> = work.labels.iter().map(|&label| names[label as usize]).collect();
        let mut warnings = Vec::new();
        if n_living < asked {
            warnings.push(format!(
                "{n_living} clusters instead of {asked}: no user belongs most to the other components (fewer distinct \
                 vectors than clusters?)"
            ));
        }
        let parameters = parameters.reordered(&order);
        Ok(Self {
            inertia: inertia(em.rows, &labels, n_living),
            labels: Labels::from_ids(labels),
            mean: em.rows.mean().to_vec(),
            density: em.density(&parameters).map_err(degenerate)?,
            n_living,
            warnings,
            model: model(em.rows, parameters, work)?,
        })
    }
}

/// Sum of squared distances to the mean of the own label.
fn inertia(rows: &BlockedRows, labels: &[u32], n_clusters: usize) -> f64 {
    let n_lines = rows.n_feature_lines();
    let mut means = vec![Line::ZERO; n_clusters * n_lines];
    let mut counts = vec![0.0_f64; n_clusters];
    labels.iter().for_each(|&label| counts[label as usize] += 1.0);
    let each = |visit: &mut dyn FnMut(usize, &Line)| {
        for (block, labels) in labels.chunks(BLOCK).enumerate() {
            for line in 0..n_lines {
                for (x, &label) in rows.features(block, line).iter().zip(labels) {
                    visit(label as usize * n_lines + line, x);
                }
            }
        }
    };
    each(&mut |at, x| {
        for lane in 0..LANES {
            means[at].0[lane] += x.0[lane];
        }
    });
    for (means, count) in means.chunks_exact_mut(n_lines).zip(&counts) {
        means.iter_mut().flat_map(|line| &mut line.0).for_each(|sum| *sum /= count);
    }
    let mut total = 0.0;
    each(&mut |at, x| {
        let mut squares = Line::ZERO;
        for lane in 0..LANES {
            let difference = x.0[lane] - means[at].0[lane];
            squares.0[lane] = difference * difference;
        }
        total += squares.0.iter().sum::<f64>();
    });
    total
}

/// What is worth keeping, in scikit-learn's words.
fn model(
    rows: &BlockedRows,
    parameters: MixtureParameters,
    fitted: &Responsibilities,
) -> Result<Vec<(&'static str, ModelValue)>, Failure> {
    let (k, width) = (parameters.n_clusters(), parameters.n_features());
    let n_parameters = parameters.covariance_type.n_parameters(k, width);
    let n = rows.n_samples() as f64;
    let bic = n_parameters as f64 * libm::log(n) - 2.0 * fitted.log_likelihood;
    let mut means = parameters.means;
    for component in 0..k {
        means.row_mut(component).iter_mut().zip(rows.mean()).for_each(|(value, mean)| *value += mean);
    }
    let covariances = match parameters.covariance_type {
        CovarianceType::Spherical => ModelValue::Numbers(parameters.covariances),
        _ => {
            let height = parameters.covariances.len() / width;
            let table = Matrix::from_vec(height, width, parameters.covariances)
                .map_err(|error| Failure::from_error(FailureClass::Bug, &error))?;
            ModelValue::Table(table)
        }
    };
    Ok(vec![
        ("covariance_type", ModelValue::Text(parameters.covariance_type.name().to_owned())),
        ("weights", ModelValue::Numbers(parameters.weights)),
        ("means", ModelValue::Table(means)),
        ("covariances", covariances),
        ("log_likelihood", ModelValue::Number(fitted.log_likelihood)),
        ("bic", ModelValue::Number(bic)),
        ("aic", ModelValue::Number(2.0 * n_parameters as f64 - 2.0 * fitted.log_likelihood)),
        ("icl", ModelValue::Number(bic + 2.0 * fitted.doubt)),
        ("n_parameters", ModelValue::Count(n_parameters)),
    ])
}

impl Partition for MixturePartition {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        check_rows(self.density.n_features(), rows)?;
        let mut turned = vec![Line::ZERO; self.density.block_lines()];
        let mut scratch = self.density.scratch();
        let mut logs = vec![Line::ZERO; self.density.n_clusters() * BLOCK_LINES];
        let mut labels = Vec::with_capacity(rows.rows());
        for start in (0..rows.rows()).step_by(BLOCK) {
            turn(rows, start, &self.mean, &mut turned);
            self.density.log_densities(&turned, &mut scratch, &mut logs);
            for line in 0..BLOCK_LINES {
                labels.extend(greatest(&logs, line, self.n_living));
            }
            labels.truncate(rows.rows());
        }
        Ok(Labels::from_ids(labels))
    }

    fn assignment_rule(&self) -> &'static str {
        "greatest responsibility"
    }

    fn inertia(&self) -> Option<f64> {
        Some(self.inertia)
    }

    fn model(&self) -> Vec<(&'static str, ModelValue)> {
        self.model.clone()
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}
