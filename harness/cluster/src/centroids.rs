//! Partitions by the nearest centre, and what is made of centres: means, inertia, labels of new rows.

use std::sync::Arc;

use trailmark_core::contract::{ModelValue, Partition, Points};
use trailmark_core::{Failure, Labels, Matrix};

use crate::centred::Centred;
use crate::element::Element;
use crate::input::check_rows;
use crate::kernel::squared_distance;
use crate::lloyd::{Lloyd, Stop, lloyd_all};
use crate::packed::Packed;
pub(crate) use crate::search::label;
use crate::threads::{share_out, worthwhile};
use crate::width::{Width, per_width};

/// The nearest centre of every row; both in the same coordinates. The lowest index among equals.
pub(crate) fn assign_all<T: Element>(data: &Packed<'_, T>, centres: &Matrix<f64>, threads: usize) -> Vec<u32> {
    let mut labels = Vec::new();
    let once = Stop { max_iter: 0, tol: 0.0, unit: false };
    lloyd_all(data, vec![centres.clone()], once, threads, |_, end: Lloyd| labels = end.labels);
    labels
}

/// Sum over rows of the squared distance to the own centre, rows in order.
pub(crate) fn inertia_of<T: Element>(x: &Matrix<T>, labels: &[u32], centres: &Matrix<f64>) -> f64 {
    inertia_on(x, labels, centres, 1)
}

/// The same on several threads, to the bit.
pub(crate) fn inertia_on<T: Element>(x: &Matrix<T>, labels: &[u32], centres: &Matrix<f64>, threads: usize) -> f64 {
    const ROWS: usize = 1024;
    let mut distances = vec![0.0_f64; x.rows()];
    let width = Width::detect();
    let rows = x.as_slice().chunks(ROWS * x.cols()).zip(labels.chunks(ROWS)).zip(distances.chunks_mut(ROWS));
    share_out(worthwhile(threads, x.rows() * x.cols()), rows.collect(), |((rows, labels), out)| {
        to_own_centre(width, rows, labels, centres, out);
    });
    distances.iter().sum()
}

per_width! {
    /// Squared distances of rows to the centres they are labelled with.
    fn [T: Element] to_own_centre(rows: &[T], labels: &[u32], centres: &Matrix<f64>, out: &mut [f64]) {
        for ((row, &label), out) in rows.chunks_exact(centres.cols()).zip(labels).zip(out) {
            *out = squared_distance(row, centres.row(label as usize));
        }
    }
}

/// Mean vector of every cluster. Every label below `n_clusters` occurs.
pub(crate) fn means<T: Element>(x: &Matrix<T>, labels: &[u32], n_clusters: usize) -> Matrix<f64> {
    let mut centres = Matrix::<f64>::zeros(n_clusters, x.cols());
    let mut counts = vec![0.0_f64; n_clusters];
    for (row, &label) in x.iter_rows().zip(labels) {
        counts[label as usize] += 1.0;
        for (sum, value) in centres.row_mut(label as usize).iter_mut().zip(row) {
            *sum += value.to_f64();
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
    precise: bool, // fitted on f64
    extras: Vec<(&'static str, ModelValue)>,
    warnings: Vec<String>,
}

impl CentroidPartition {
    /// Labels and inertia come from the centres themselves; centres that nobody is nearest to are left out, with a
    /// warning, and the names of the others close up.
    pub(crate) fn nearest<T: Element>(data: &Packed<'_, T>, centres: &Matrix<f64>, warnings: Vec<String>) -> Self {
        Self::of_nearest(data.data, &assign_all(data, centres, 1), centres, warnings, 1)
    }

    /// The same when the nearest centre of every row is known.
    pub(crate) fn of_nearest<T: Element>(
        data: &Centred<T>,
        labels: &[u32],
        centres: &Matrix<f64>,
        mut warnings: Vec<String>,
        threads: usize,
    ) -> Self {
        let asked = centres.rows();
        let (labels, living) = close_up(labels, asked);
        if living.len() < asked {
            warnings.push(format!(
                "{} clusters instead of {asked}: the others would be empty (fewer distinct vectors than clusters?)",
                living.len()
            ));
        }
        let centres = centres.select_rows(&living);
        let inertia = inertia_on(&data.x, &labels, &centres, threads);
        Self::new(data, labels, centres, inertia, warnings)
    }

    /// A partition made otherwise, whose new rows go to the nearest mean.
    pub(crate) fn of_labels<T: Element>(data: &Centred<T>, labels: Vec<u32>, n_clusters: usize) -> Self {
        let centres = means(&data.x, &labels, n_clusters);
        let inertia = inertia_of(&data.x, &labels, &centres);
        Self::new(data, labels, centres, inertia, Vec::new())
    }

    fn new<T: Element>(
        data: &Centred<T>,
        labels: Vec<u32>,
        centres: Matrix<f64>,
        inertia: f64,
        warnings: Vec<String>,
    ) -> Self {
        let (labels, mean) = (Labels::from_ids(labels), Arc::clone(&data.mean));
        Self { labels, mean, centres, inertia, precise: size_of::<T>() == 8, extras: Vec::new(), warnings }
    }

    /// Adds to what the model file says.
    #[must_use]
    pub(crate) fn with(mut self, extras: Vec<(&'static str, ModelValue)>) -> Self {
        self.extras.extend(extras);
        self
    }
}

/// Labels without gaps in the order of the old ones, and the old names that are in use.
pub(crate) fn close_up(labels: &[u32], n_clusters: usize) -> (Vec<u32>, Vec<usize>) {
    let mut names = vec![None; n_clusters];
    for &label in labels {
        names[label as usize] = Some(0_u32);
    }
    let living: Vec<usize> = (0..n_clusters).filter(|&j| names[j].is_some()).collect();
    for (name, &j) in living.iter().enumerate() {
        names[j] = Some(label(name));
    }
    (labels.iter().filter_map(|&label| names[label as usize]).collect(), living)
}

/// Labels of new rows by the nearest centre, both minus `mean`.
pub(crate) fn assign_rows<T: Element>(rows: &Matrix<T>, mean: &Arc<[f64]>, centres: &Matrix<f64>) -> Labels {
    if rows.rows() == 0 {
        return Labels::from_ids([]);
    }
    let data = Centred::around(rows, Arc::clone(mean), 1);
    Labels::from_ids(assign_all(&Packed::new(&data, 1), centres, 1))
}

/// Centres in the coordinates of the input.
pub(crate) fn in_place(centres: &Matrix<f64>, mean: &[f64]) -> Matrix<f64> {
    let mut centres = centres.clone();
    for j in 0..centres.rows() {
        centres.row_mut(j).iter_mut().zip(mean).for_each(|(value, mean)| *value += mean);
    }
    centres
}

impl Partition for CentroidPartition {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        if self.precise {
            let rows = &*rows.to_f64();
            check_rows(self.mean.len(), rows)?;
            return Ok(assign_rows(rows, &self.mean, &self.centres));
        }
        let rows = &*rows.to_f32();
        check_rows(self.mean.len(), rows)?;
        Ok(assign_rows(rows, &self.mean, &self.centres))
    }

    fn assignment_rule(&self) -> &'static str {
        "nearest centroid"
    }

    fn inertia(&self) -> Option<f64> {
        Some(self.inertia)
    }

    fn model(&self) -> Vec<(&'static str, ModelValue)> {
        let mut model = vec![
            ("cluster_centers", ModelValue::Table(in_place(&self.centres, &self.mean))),
            ("inertia", ModelValue::Number(self.inertia)),
        ];
        model.extend(self.extras.iter().cloned());
        model
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}
