//! The nearest training row of a new row in mutual reachability: how density clusterers place rows they have not seen.

use trailmark_core::Failure;
use trailmark_core::contract::Points;

use crate::measured::Measured;
use crate::sieve::{Sieve, TARGETS};

/// New rows at a time: the bounds of their distances to all training rows are held at once.
const ROWS: usize = 32;

/// Training rows to approach.
#[derive(Debug)]
pub(crate) struct Approach {
    data: Measured<'static>,
    sieve: Sieve,
    core: Vec<f64>, // (n_samples,)
    alpha: f64,
    others: usize, // training rows within the core distance of a new row
}

/// What a new row is nearest to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Nearest {
    /// The training row.
    pub(crate) row: usize,
    /// The mutual reachability to it.
    pub(crate) weight: f64,
    /// The distance.
    pub(crate) distance: f64,
}

impl Approach {
    /// `core`: (n_samples,) core distances, for `min_samples` that count the row itself.
    pub(crate) fn new(data: Measured<'_>, core: Vec<f64>, alpha: f64, min_samples: usize) -> Self {
        let data = data.into_owned();
        let all: Vec<u32> = (0..).take(data.n_samples()).collect();
        let sieve = Sieve::new(data.rows(), &all);
        let others = (min_samples - 1).min(data.n_samples());
        Self { data, sieve, core, alpha, others }
    }

    /// Number of columns.
    pub(crate) fn n_features(&self) -> usize {
        self.data.n_features()
    }

    /// (n_samples,) core distances.
    pub(crate) fn core(&self) -> &[f64] {
        &self.core
    }

    /// For every row the nearest training row in mutual reachability, then distance, then order. The core distance of
    /// a new row is what it would be were it alone added to the training rows.
    ///
    /// # Errors
    /// A row of zeros under cosine distance.
    pub(crate) fn nearest(&self, rows: Points<'_>) -> Result<Vec<Nearest>, Failure> {
        let rows = Measured::new(rows, self.data.kind())?;
        let padded = self.sieve.lengths().len();
        let mut found = Vec::with_capacity(rows.n_samples());
        let (mut tile, mut bounds) = (vec![0.0_f32; ROWS * TARGETS], vec![0.0_f32; ROWS * padded]);
        let mut scaled = Vec::new();
        for start in (0..rows.n_samples()).step_by(ROWS) {
            let block = start..(start + ROWS).min(rows.n_samples());
            scaled.clear();
            let lengths: Vec<f32> = block.clone().map(|i| self.sieve.scale(rows.rows().row(i), &mut scaled)).collect();
            let tile = &mut tile[..lengths.len() * TARGETS];
            for target in (0..padded).step_by(TARGETS) {
                self.sieve.products(&scaled, target, tile);
                let targets = &self.sieve.lengths()[target..target + TARGETS];
                for (i, line) in tile.chunks_exact(TARGETS).enumerate() {
                    let out = &mut bounds[i * padded + target..][..TARGETS];
                    for ((out, product), length) in out.iter_mut().zip(line).zip(targets) {
                        *out = product + (length + lengths[i]);
                    }
                }
            }
            for (i, bounds) in block.zip(bounds.chunks_exact(padded)) {
                found.push(self.of_row(rows.rows().row(i), &bounds[..self.core.len()]));
            }
        }
        Ok(found)
    }

    /// The nearest for one row, from lower bounds on its squared distances.
    fn of_row(&self, row: &[f64], bounds: &[f32]) -> Nearest {
        let mut within = vec![f64::INFINITY; self.others]; // the least distances so far, ascending
        let mut place = |distance: f64| {
            if within.last().is_some_and(|&last| distance < last) {
                within.pop();
                within.insert(within.partition_point(|&other| other <= distance), distance);
            }
            within.last().copied()
        };
        // First those with the least bounds, so that the limit is tight when all are gone over.
        let mut order: Vec<u32> = (0..).take(bounds.len()).collect();
        let by_bound = |&a: &u32, &b: &u32| bounds[a as usize].total_cmp(&bounds[b as usize]);
        let first = self.others.max(1).min(bounds.len());
        order.select_nth_unstable_by(first - 1, by_bound);
        let mut limit = f32::INFINITY;
        for &j in &order[..first] {
            if let Some(farthest) = place(self.data.to_row(j as usize, row)) {
                limit = self.sieve.above(self.data.squared(farthest));
            }
        }
        if self.others > 0 {
            for &j in &order[first..] {
                if is_within(bounds[j as usize], limit)
                    && let Some(farthest) = place(self.data.to_row(j as usize, row))
                {
                    limit = self.sieve.above(self.data.squared(farthest));
                }
            }
        }
        let core = within.last().copied().unwrap_or(0.0);

        let measure = |j: u32| {
            let distance = self.data.to_row(j as usize, row);
            let weight = core.max(self.core[j as usize]).max(distance / self.alpha);
            Nearest { row: j as usize, weight, distance }
        };
        let mut best = measure(order[0]);
        for &j in &order {
            let limit = self.sieve.above(self.data.squared(self.alpha * best.weight));
            if self.core[j as usize] <= best.weight && is_within(bounds[j as usize], limit) {
                let other = measure(j);
                let order = (other.weight.total_cmp(&best.weight))
                    .then(other.distance.total_cmp(&best.distance))
                    .then(other.row.cmp(&best.row));
                if order.is_lt() {
                    best = other;
                }
            }
        }
        best
    }
}

/// False only where a bound is surely beyond the limit: rows so far away that f32 overflows are measured.
fn is_within(bound: f32, limit: f32) -> bool {
    bound <= limit || bound.is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::contract::Distance;
    use trailmark_core::{Matrix, Stream};

    /// By the definition, from all distances.
    fn nearest(data: &Measured<'_>, row: &[f64], core: &[f64], alpha: f64, min_samples: usize) -> Nearest {
        let distances: Vec<f64> = (0..data.n_samples()).map(|j| data.to_row(j, row)).collect();
        let mut ascending = distances.clone();
        ascending.sort_by(f64::total_cmp);
        let own = if min_samples > 1 { ascending[min_samples - 2] } else { 0.0 };
        let all = distances.iter().enumerate().map(|(row, &distance)| {
            let weight = own.max(core[row]).max(distance / alpha);
            Nearest { row, weight, distance }
        });
        let key = |nearest: &Nearest| (nearest.weight, nearest.distance);
        all.reduce(|best, other| if key(&other) < key(&best) { other } else { best }).unwrap()
    }

    #[test]
    fn the_nearest_row_is_that_of_the_definition() {
        let mut draws = Stream::new(21);
        let mut normal = |n: usize, width: usize| {
            Matrix::from_vec(n, width, (0..n * width).map(|_| (draws.normal() * 4.0).round() + 0.5).collect()).unwrap()
        };
        for (n, width) in [(3, 1), (300, 2), (300, 40)] {
            let (x, new): (Matrix<f64>, Matrix<f64>) = (normal(n, width), normal(70, width));
            for distance in [Distance::Euclidean, Distance::Cosine] {
                for (min_samples, alpha) in [(1, 1.0), (3, 0.6), (3, 2.0)] {
                    let data = Measured::new(Points::F64(&x), distance).unwrap();
                    let core: Vec<f64> = (0..n).map(|i| data.between(i, (i * 7 + 1) % n)).collect();
                    let approach = Approach::new(data, core.clone(), alpha, min_samples);
                    let rows = Measured::new(Points::F64(&new), distance).unwrap();
                    for (i, got) in approach.nearest(Points::F64(&new)).unwrap().into_iter().enumerate() {
                        let expected = nearest(&approach.data, rows.rows().row(i), &core, alpha, min_samples);
                        assert_eq!(got, expected, "row {i} of {n} x {width}, {}, {min_samples}", distance.name());
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_beyond_the_range_of_single_precision_is_placed() {
        let x = Matrix::from_vec(3, 1, vec![0.0_f64, 1e-3, 3e-3]).unwrap();
        let data = Measured::new(Points::F64(&x), Distance::Euclidean).unwrap();
        let approach = Approach::new(data, vec![1e-3; 3], 1.0, 2);
        let far = Matrix::from_vec(2, 1, vec![1e60_f64, -1e60]).unwrap();
        let rows: Vec<f64> =
            approach.nearest(Points::F64(&far)).unwrap().iter().map(|nearest| nearest.weight).collect();
        assert_eq!(rows, [1e60, 1e60]);
    }
}
