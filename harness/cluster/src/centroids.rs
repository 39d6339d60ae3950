//! Nearest centre, exactly: the product in f32 finds the candidates, differences in f64 decide between those that
//! its error bound cannot tell apart. So labels do not depend on the processor's vector width, and equal distances
//! go to the lowest index.

use std::sync::Arc;

use trailmark_core::contract::{Partition, Points};
use trailmark_core::{Failure, Labels, Matrix};

use crate::centred::{Centred, subtract};
use crate::input::check_rows;
use crate::kernel::{BLOCK, add_products, score_error, squared_distance, squared_length};

/// What is known of one row after a search: its nearest centre, and bounds on distances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nearest {
    /// Index of the nearest centre, the lowest among equals.
    pub(crate) label: u32,
    /// At least the distance to it.
    pub(crate) upper: f64,
    /// At most the distance to any other centre.
    pub(crate) lower: f64,
}

/// Centres ready to be searched.
pub(crate) struct Search<'a> {
    centres: &'a Matrix<f64>,  // (n_clusters, n_features)
    narrow: Vec<f32>,          // the same, rounded
    squared_lengths: Vec<f32>, // (n_clusters,)
    longest: f64,
    scores: Vec<f32>, // (BLOCK, n_clusters)
}

impl<'a> Search<'a> {
    /// Prepares a search among these centres.
    #[expect(clippy::cast_possible_truncation, reason = "the rounding is part of `score_error`")]
    pub(crate) fn new(centres: &'a Matrix<f64>) -> Self {
        let exact: Vec<f64> = centres.iter_rows().map(|row| row.iter().map(|value| value * value).sum()).collect();
        Self {
            centres,
            narrow: centres.as_slice().iter().map(|value| *value as f32).collect(),
            squared_lengths: exact.iter().map(|value| *value as f32).collect(),
            longest: exact.iter().copied().fold(0.0, f64::max).sqrt(),
            scores: vec![0.0; BLOCK * centres.rows()],
        }
    }

    /// The nearest centre of every row of a block of at most [`BLOCK`] rows; `rows` is row-major.
    pub(crate) fn block(&mut self, rows: &[f32], squared_lengths: &[f64], mut found: impl FnMut(usize, Nearest)) {
        let (k, width) = (self.centres.rows(), self.centres.cols());
        let scores = &mut self.scores[..squared_lengths.len() * k];
        for row in scores.chunks_exact_mut(k) {
            row.copy_from_slice(&self.squared_lengths);
        }
        add_products(rows, &self.narrow, width, -2.0, scores);
        for (i, (scores, &squared)) in scores.chunks_exact(k).zip(squared_lengths).enumerate() {
            let error = score_error(width, squared.sqrt(), self.longest);
            found(
                i,
                nearest(scores, squared, error, |j| {
                    squared_distance(&rows[i * width..(i + 1) * width], self.centres.row(j))
                }),
            );
        }
    }
}

/// Decides one row from its scores `|c|² - 2xc`, each known up to `error`.
fn nearest(scores: &[f32], squared_length: f64, error: f64, exact: impl Fn(usize) -> f64) -> Nearest {
    let (mut best, mut second, mut at) = (f32::INFINITY, f32::INFINITY, 0);
    for (j, &score) in scores.iter().enumerate() {
        if score < best {
            second = best;
            best = score;
            at = j;
        } else if score < second {
            second = score;
        }
    }
    let reach = f64::from(best) + 2.0 * error;
    let sure = f64::from(second) > reach && reach.is_finite();
    if sure {
        return Nearest {
            label: label(at),
            upper: (f64::from(best) + squared_length + error).max(0.0).sqrt(),
            lower: (f64::from(second) + squared_length - error).max(0.0).sqrt(),
        };
    }
    // Not told apart, or out of the range of f32 (then every score counts as a candidate): ask exactly.
    let (mut best, mut second, mut at) = (f64::INFINITY, f64::INFINITY, 0);
    for (j, &score) in scores.iter().enumerate() {
        let far = reach.is_finite() && f64::from(score) > reach;
        let distance = if far { f64::from(score) + squared_length - error } else { exact(j) };
        if !far && distance < best {
            second = second.min(best);
            best = distance;
            at = j;
        } else {
            second = second.min(distance);
        }
    }
    Nearest { label: label(at), upper: best.sqrt(), lower: second.max(0.0).sqrt() }
}

/// A cluster's index as a label.
#[expect(clippy::cast_possible_truncation, reason = "n_clusters is at most n_samples, which memory keeps below 2^32")]
pub(crate) fn label(index: usize) -> u32 {
    index as u32
}

/// The nearest centre of every row; both in the same coordinates.
pub(crate) fn assign_all(x: &Matrix<f32>, squared_lengths: &[f64], centres: &Matrix<f64>) -> Vec<u32> {
    let mut labels = vec![0_u32; x.rows()];
    let mut search = Search::new(centres);
    for start in (0..x.rows()).step_by(BLOCK) {
        let end = (start + BLOCK).min(x.rows());
        let rows = &x.as_slice()[start * x.cols()..end * x.cols()];
        search.block(rows, &squared_lengths[start..end], |i, nearest| labels[start + i] = nearest.label);
    }
    labels
}

/// Sum over rows of the squared distance to the own centre, rows in order.
pub(crate) fn inertia_of(x: &Matrix<f32>, labels: &[u32], centres: &Matrix<f64>) -> f64 {
    x.iter_rows().zip(labels).map(|(row, &label)| squared_distance(row, centres.row(label as usize))).sum()
}

/// Mean vector of every cluster. Every label below `n_clusters` occurs.
pub(crate) fn means(x: &Matrix<f32>, labels: &[u32], n_clusters: usize) -> Matrix<f64> {
    let mut centres = Matrix::<f64>::zeros(n_clusters, x.cols());
    let mut counts = vec![0.0_f64; n_clusters];
    for (row, &label) in x.iter_rows().zip(labels) {
        counts[label as usize] += 1.0;
        for (sum, value) in centres.row_mut(label as usize).iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
    for (j, count) in counts.iter().enumerate() {
        for sum in centres.row_mut(j) {
            *sum /= count;
        }
    }
    centres
}

/// A partition that sends new rows to the nearest centre.
pub(crate) struct CentroidPartition {
    labels: Labels,
    mean: Arc<[f64]>,
    centres: Matrix<f64>, // (n_clusters, n_features), centred by `mean`
    inertia: f64,
    rule: &'static str,
    warnings: Vec<String>,
}

/// The rule of centres that are the means of their rows.
const NEAREST_CENTROID: &str = "nearest centroid";

impl CentroidPartition {
    /// Labels and inertia come from the centres themselves; centres that nobody is nearest to are left out, with a
    /// warning, and the names of the others close up.
    pub(crate) fn nearest(data: &Centred, centres: &Matrix<f64>, mut warnings: Vec<String>) -> Self {
        let asked = centres.rows();
        let labels = assign_all(&data.x, &data.squared_lengths, centres);
        let mut names = vec![None; asked];
        for &label in &labels {
            names[label as usize] = Some(0_u32);
        }
        let living: Vec<usize> = (0..asked).filter(|&j| names[j].is_some()).collect();
        for (name, &j) in living.iter().enumerate() {
            names[j] = Some(label(name));
        }
        if living.len() < asked {
            warnings.push(format!(
                "{} clusters instead of {asked}: the others would be empty (fewer distinct vectors than clusters?)",
                living.len()
            ));
        }
        let centres = centres.select_rows(&living);
        let labels: Vec<u32> = labels.iter().filter_map(|&label| names[label as usize]).collect();
        let inertia = inertia_of(&data.x, &labels, &centres);
        Self {
            labels: Labels::from_ids(labels),
            mean: Arc::clone(&data.mean),
            centres,
            inertia,
            rule: NEAREST_CENTROID,
            warnings,
        }
    }

    /// A partition made otherwise, whose new rows go to the nearest mean.
    pub(crate) fn of_labels(data: &Centred, labels: Vec<u32>, n_clusters: usize) -> Self {
        let centres = means(&data.x, &labels, n_clusters);
        let inertia = inertia_of(&data.x, &labels, &centres);
        Self {
            labels: Labels::from_ids(labels),
            mean: Arc::clone(&data.mean),
            centres,
            inertia,
            rule: NEAREST_CENTROID,
            warnings: Vec::new(),
        }
    }

    /// The same partition, whose new rows go to the nearest of other centres, by a rule of that name.
    pub(crate) fn with_centres(self, centres: Matrix<f64>, rule: &'static str) -> Self {
        Self { centres, rule, ..self }
    }
}

impl Partition for CentroidPartition {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        let rows = &*rows.to_f32();
        check_rows(self.mean.len(), rows)?;
        let rows = subtract(rows, &self.mean);
        let squared_lengths: Vec<f64> = rows.iter_rows().map(squared_length).collect();
        Ok(Labels::from_ids(assign_all(&rows, &squared_lengths, &self.centres)))
    }

    fn assignment_rule(&self) -> &'static str {
        self.rule
    }

    fn inertia(&self) -> Option<f64> {
        Some(self.inertia)
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}
