//! Tiles by differences over f64 rows: exact but for the rounding of the sum, and slow with many features.

use std::borrow::Cow;
use std::marker::PhantomData;

use trailmark_core::Matrix;
use trailmark_core::contract::Distance;

use crate::closed::cosine_of_squared;
use crate::tiles::{SOURCES, Scratch, TARGETS, Tiles, Value};
use crate::widths::per_width;

/// Columns whose sums stay in registers while the features go by.
const LANES: usize = 32;

/// Tiles by differences; distances are rounded to `V`.
pub(crate) struct DifferenceTiles<'a, V> {
    sources: Option<Cow<'a, Matrix<f64>>>, // none when they are the targets
    targets: Cow<'a, Matrix<f64>>,
    distance: Distance,
    precision: PhantomData<V>,
}

impl<'a, V: Value> DifferenceTiles<'a, V> {
    /// Rows in f64, of length 1 under cosine distance.
    pub(crate) fn new(
        sources: Option<Cow<'a, Matrix<f64>>>,
        targets: Cow<'a, Matrix<f64>>,
        distance: Distance,
    ) -> Self {
        Self { sources, targets, distance, precision: PhantomData }
    }

    fn load(&self, scratch: &mut Scratch, target: usize) {
        if scratch.loaded == Some(target) {
            return;
        }
        scratch.targets.clear();
        scratch.targets.resize(self.targets.cols() * TARGETS, 0.0);
        for j in 0..self.targets.rows().saturating_sub(target).min(TARGETS) {
            for (p, &value) in self.targets.row(target + j).iter().enumerate() {
                scratch.targets[p * TARGETS + j] = value;
            }
        }
        scratch.loaded = Some(target);
    }
}

impl<V: Value> Tiles for DifferenceTiles<'_, V> {
    type Value = V;

    fn sources(&self) -> usize {
        self.sources.as_ref().map_or(self.targets.rows(), |sources| sources.rows())
    }

    fn targets(&self) -> usize {
        self.targets.rows()
    }

    fn fill(&self, scratch: &mut Scratch, source: usize, target: usize, tile: &mut [V]) {
        self.load(scratch, target);
        scratch.squared.resize(TARGETS, 0.0);
        let rows = self.sources.as_ref().unwrap_or(&self.targets);
        let real = rows.rows().saturating_sub(source).min(SOURCES);
        for (at, line) in tile.chunks_exact_mut(TARGETS).enumerate().take(real) {
            squared_to_block(rows.row(source + at), &scratch.targets, &mut scratch.squared);
            finish(&scratch.squared, self.distance, line);
        }
    }
}

per_width! {
    /// Squared distances of a row to TARGETS rows that lie transposed; features in ascending order.
    fn squared_to_block(row: &[f64], targets: &[f64], squared: &mut [f64]) {
        for (at, out) in squared.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut sums = [0.0_f64; LANES];
            for (&value, others) in row.iter().zip(targets.chunks_exact(TARGETS)) {
                for (sum, &other) in sums.iter_mut().zip(&others[at * LANES..(at + 1) * LANES]) {
                    let difference = value - other;
                    *sum += difference * difference;
                }
            }
            *out = sums;
        }
    }
}

per_width! {
    /// The distances at those squared Euclidean distances.
    fn finish<V: Value>(squared: &[f64], distance: Distance, line: &mut [V]) {
        let pairs = line.iter_mut().zip(squared);
        match distance {
            Distance::Euclidean => pairs.for_each(|(out, squared)| *out = V::of(squared.sqrt())),
            Distance::SquaredEuclidean => pairs.for_each(|(out, squared)| *out = V::of(*squared)),
            Distance::Cosine => pairs.for_each(|(out, squared)| *out = V::of(cosine_of_squared(*squared))),
        }
    }
}
