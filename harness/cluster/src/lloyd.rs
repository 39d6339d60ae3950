//! Lloyd's iteration from given centres: the inside of `kmeans`, and what the oracle table compares with
//! scikit-learn start by start.
//!
//! Rows whose nearest centre cannot have changed are skipped by Hamerly's two bounds per row; sums follow only the
//! rows that moved. Neither changes a label: bounds are strict, and assignment is exact (see `centroids`).

use trailmark_core::Matrix;

use crate::centred::Centred;
use crate::centroids::{Nearest, Search, label};
use crate::kernel::{BLOCK, squared_distance};

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    /// Number of iterations at most.
    pub(crate) max_iter: usize,
    /// Stop when the centres move by no more than this, as a sum of squared distances. scikit-learn's `tol` times the
    /// mean variance of the features.
    pub(crate) tol: f64,
}

/// Where Lloyd's iteration ended.
#[derive(Debug)]
pub(crate) struct Lloyd {
    /// (n_clusters, n_features), centred.
    pub(crate) centres: Matrix<f64>,
    /// (n_samples,) nearest of `centres`.
    pub(crate) labels: Vec<u32>,
    /// Iterations made.
    pub(crate) n_iter: usize,
    /// Whether it stopped by itself.
    pub(crate) converged: bool,
}

struct State<'a> {
    data: &'a Centred,
    labels: Vec<u32>,
    upper: Vec<f64>,
    lower: Vec<f64>,
    sums: Matrix<f64>,
    counts: Vec<usize>,
}

/// Iterates from `centres` until assignments repeat, centres rest, or `max_iter`.
///
/// A cluster that loses its last row takes the row farthest from its own centre (lowest row among equals, never the
/// only row of a cluster), as scikit-learn does; when all rows lie on their centres it keeps its place, empty.
pub(crate) fn lloyd_from(data: &Centred, mut centres: Matrix<f64>, stop: Stop) -> Lloyd {
    let n = data.n_samples();
    let mut state = State {
        data,
        labels: vec![u32::MAX; n],
        upper: vec![f64::INFINITY; n],
        lower: vec![0.0; n],
        sums: Matrix::zeros(centres.rows(), centres.cols()),
        counts: vec![0; centres.rows()],
    };
    let mut resting = false;
    for n_iter in 0..stop.max_iter {
        let moved = state.assign(&centres);
        let refilled = state.refill(&centres);
        if refilled == 0 && (moved == 0 || resting) {
            return Lloyd { centres, labels: state.labels, n_iter, converged: true };
        }
        resting = state.move_centres(&mut centres) <= stop.tol;
    }
    // Labels belong to the final centres, converged or not.
    let moved = state.assign(&centres);
    Lloyd { centres, labels: state.labels, n_iter: stop.max_iter, converged: resting || moved == 0 }
}

impl State<'_> {
    /// Sends every row to its nearest centre and carries the sums of those that moved. Returns their number.
    fn assign(&mut self, centres: &Matrix<f64>) -> usize {
        let (n, width) = (self.data.n_samples(), self.data.n_features());
        let unsure: Vec<usize> = (0..n).filter(|&i| self.upper[i] * (1.0 + 1e-9) >= self.lower[i]).collect();
        let mut search = Search::new(centres);
        let mut rows = vec![0.0_f32; BLOCK.min(n) * width];
        let mut squared = vec![0.0_f64; BLOCK.min(n)];
        let mut moved = 0;
        for block in unsure.chunks(BLOCK) {
            for (slot, &i) in block.iter().enumerate() {
                rows[slot * width..(slot + 1) * width].copy_from_slice(self.data.x.row(i));
                squared[slot] = self.data.squared_lengths[i];
            }
            search.block(&rows[..block.len() * width], &squared[..block.len()], |slot, nearest| {
                moved += usize::from(self.settle(block[slot], nearest));
            });
        }
        moved
    }

    /// Notes a row's nearest centre; true when it is another than before.
    fn settle(&mut self, i: usize, nearest: Nearest) -> bool {
        self.upper[i] = nearest.upper;
        self.lower[i] = nearest.lower;
        let before = self.labels[i];
        if before == nearest.label {
            return false;
        }
        self.carry(i, nearest.label as usize);
        true
    }

    /// Moves a row's share of the sums to another cluster.
    fn carry(&mut self, i: usize, to: usize) {
        let before = self.labels[i] as usize;
        let row = self.data.x.row(i);
        if before < self.counts.len() {
            self.counts[before] -= 1;
            if self.counts[before] == 0 {
                self.sums.row_mut(before).fill(0.0);
            } else {
                for (sum, value) in self.sums.row_mut(before).iter_mut().zip(row) {
                    *sum -= f64::from(*value);
                }
            }
        }
        self.counts[to] += 1;
        for (sum, value) in self.sums.row_mut(to).iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
        self.labels[i] = label(to);
    }

    /// Gives every empty cluster a row. Returns the number of clusters refilled.
    fn refill(&mut self, centres: &Matrix<f64>) -> usize {
        let empty: Vec<usize> = (0..self.counts.len()).filter(|&j| self.counts[j] == 0).collect();
        if empty.is_empty() {
            return 0;
        }
        let mut distances: Vec<f64> = (self.data.x.iter_rows().zip(&self.labels))
            .map(|(row, &label)| squared_distance(row, centres.row(label as usize)))
            .collect();
        let mut refilled = 0;
        for to in empty {
            let mut farthest: Option<usize> = None;
            for i in 0..distances.len() {
                let shared = self.counts[self.labels[i] as usize] > 1;
                if shared && distances[i] > farthest.map_or(0.0, |row| distances[row]) {
                    farthest = Some(i);
                }
            }
            let Some(row) = farthest else { break };
            self.carry(row, to);
            distances[row] = 0.0;
            self.upper[row] = f64::INFINITY;
            refilled += 1;
        }
        refilled
    }

    /// Centres go to the mean of their rows; bounds follow. Returns the sum of squared moves.
    fn move_centres(&mut self, centres: &mut Matrix<f64>) -> f64 {
        let mut moves = vec![0.0_f64; centres.rows()];
        for (j, made) in moves.iter_mut().enumerate() {
            if self.counts[j] == 0 {
                continue;
            }
            let count = self.counts[j] as f64;
            for (centre, sum) in centres.row_mut(j).iter_mut().zip(self.sums.row(j)) {
                let mean = sum / count;
                *made += (mean - *centre) * (mean - *centre);
                *centre = mean;
            }
        }
        let longest = moves.iter().copied().fold(0.0, f64::max).sqrt();
        for i in 0..self.labels.len() {
            self.upper[i] += moves[self.labels[i] as usize].sqrt() * (1.0 + 1e-9);
            self.lower[i] -= longest * (1.0 + 1e-9);
        }
        moves.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centroids::inertia_of;
    use crate::kernel::squared_distance;
    use trailmark_core::Stream;
    use trailmark_kit::{labels, number, oracle, rows};

    fn text<'a>(case: &'a toml::Table, key: &str) -> &'a str {
        case[key].as_str().unwrap()
    }

    fn matrix(rows: &[Vec<f64>]) -> Matrix<f64> {
        Matrix::from_rows(rows).unwrap()
    }

    fn centred_start(data: &Centred, start: &Matrix<f64>) -> Matrix<f64> {
        let mut start = start.clone();
        for j in 0..start.rows() {
            for (value, mean) in start.row_mut(j).iter_mut().zip(data.mean.iter()) {
                *value -= mean;
            }
        }
        start
    }

    #[test]
    fn the_same_start_ends_where_scikit_learn_ends() {
        let table = oracle("cluster", "kmeans");
        for case in &table.case {
            let name = text(case, "name");
            let data = Centred::new(&matrix(&rows(case, "x")).cast());
            let start = centred_start(&data, &matrix(&rows(case, "start")));
            let stop = Stop { max_iter: 300, tol: 1e-4 * data.mean_variance };
            let end = lloyd_from(&data, start, stop);
            assert!(end.converged, "{name}");
            let got: Vec<Option<u32>> = end.labels.iter().map(|label| Some(*label)).collect();
            assert_eq!(got, labels(case, "labels"), "{name}");
            table.assert_close(name, inertia_of(&data.x, &end.labels, &end.centres), number(case, "inertia"));
            for (centre, expected) in end.centres.iter_rows().zip(rows(case, "centers")) {
                for ((value, mean), expected) in centre.iter().zip(data.mean.iter()).zip(expected) {
                    table.assert_close(name, value + mean, expected);
                }
            }
        }
    }

    /// Lloyd's iteration without bounds, products or running sums.
    fn plain(data: &Centred, mut centres: Matrix<f64>, iterations: usize) -> Vec<u32> {
        let nearest = |centres: &Matrix<f64>| -> Vec<u32> {
            data.x
                .iter_rows()
                .map(|row| {
                    let distances: Vec<f64> = centres.iter_rows().map(|centre| squared_distance(row, centre)).collect();
                    let best = (0..distances.len()).fold(0, |b, j| if distances[j] < distances[b] { j } else { b });
                    u32::try_from(best).unwrap()
                })
                .collect()
        };
        for _ in 0..iterations {
            centres = crate::centroids::means(&data.x, &nearest(&centres), centres.rows());
        }
        nearest(&centres)
    }

    #[test]
    fn bounds_and_products_skip_work_and_never_change_a_label() {
        let mut draws = Stream::new(11);
        for (n, width, k) in [(700, 2, 7), (600, 33, 12), (520, 100, 5)] {
            let mut x = Matrix::<f32>::zeros(n, width);
            for value in x.as_mut_slice() {
                *value = draws.normal() as f32;
            }
            let data = Centred::new(&x);
            let start = data.x.select_rows(&(0..k).collect::<Vec<_>>()).cast();
            for iterations in [1, 2, 5, 12] {
                let fast = lloyd_from(&data, Matrix::clone(&start), Stop { max_iter: iterations, tol: 0.0 });
                assert_eq!(fast.labels, plain(&data, Matrix::clone(&start), iterations), "{n} x {width}, {iterations}");
            }
        }
    }
}
