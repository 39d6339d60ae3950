//! Nearest centre, exactly: products in the precision of the data find the candidates, differences in f64 decide
//! between those that the error bound cannot tell apart. So labels do not depend on the processor, nor on what else is
//! searched for, and equal distances go to the lowest index.

use trailmark_core::Matrix;

use crate::element::{Element, TILE};
use crate::kernel::{score_error, squared_distance};
use crate::packed::Packed;
use crate::width::{Width, per_width};

/// Lanes of the widest panel.
const LANES: usize = 32;

/// Bounds are kept in f32; these factors are wider than any rounding on their way.
const UP: f32 = 1.000_001;
const DOWN: f32 = 0.999_999;

/// Centres ready to be searched by the rows of one [`Packed`].
pub(crate) struct Search<'a, T: Element> {
    centres: &'a Matrix<f64>, // (n_clusters, n_features)
    packed: Vec<T>,           // per tile of centres (n_features, centres of the tile), scaled
    halves: Vec<T>,           // (n_clusters,) half squared lengths, scaled
    slope: T,                 // error of a score: slope * length of the row + base
    base: T,
    scale: f64,
    width: Width,
}

/// What is known of the rows of a panel after a search; bounds are on scaled distances.
pub(crate) struct Verdicts {
    /// Index of the nearest centre where `sure`.
    at: [u32; LANES],
    /// At least the distance to it.
    upper: [f32; LANES],
    /// At most the distance to any other centre.
    lower: [f32; LANES],
    /// Whether the products can tell.
    sure: [bool; LANES],
}

/// What is known of one row after a search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nearest {
    /// Index of the nearest centre, the lowest among equals.
    pub(crate) label: u32,
    /// At least the scaled distance to it.
    pub(crate) upper: f32,
    /// At most the scaled distance to any other centre.
    pub(crate) lower: f32,
}

impl Verdicts {
    /// Nothing known.
    pub(crate) fn new() -> Self {
        Self { at: [0; LANES], upper: [0.0; LANES], lower: [0.0; LANES], sure: [false; LANES] }
    }
}

impl<'a, T: Element> Search<'a, T> {
    /// Prepares a search among these centres, in the coordinates of the centred rows.
    pub(crate) fn new(centres: &'a Matrix<f64>, scale: f64, width: Width) -> Self {
        let (k, n_features) = (centres.rows(), centres.cols());
        let squared: Vec<f64> =
            centres.iter_rows().map(|row| row.iter().map(|c| c * scale * (c * scale)).sum()).collect();
        let mut packed = Vec::with_capacity(k * n_features);
        for first in (0..k).step_by(TILE) {
            let tile = first..(first + TILE).min(k);
            for feature in 0..n_features {
                packed.extend(tile.clone().map(|j| T::from_f64(centres.row(j)[feature] * scale)));
            }
        }
        let longest = squared.iter().copied().fold(0.0, f64::max).sqrt();
        // Rows are at most 1 long, so half of these errors are `slope * length + base` for the score `|c|²/2 - xc`.
        let base = 0.5 * score_error::<T>(n_features, 0.0, longest);
        let slope = 0.5 * score_error::<T>(n_features, 1.0, longest) - base;
        let far = longest * longest >= T::LARGE || longest.is_nan();
        Self {
            centres,
            packed,
            halves: squared.iter().map(|squared| T::from_f64(0.5 * squared)).collect(),
            slope: T::from_f64(slope * 1.0001),
            base: if far { T::INFINITY } else { T::from_f64(base * 1.0001) },
            scale,
            width,
        }
    }

    /// Number of centres.
    pub(crate) fn n_clusters(&self) -> usize {
        self.halves.len()
    }

    /// Scores `|c|²/2 - xc` of several panels against all centres: `out` holds (n_clusters,) lines for each.
    pub(crate) fn scores(&self, panels: &[&[T::Line]], out: &mut [T::Line]) {
        let k = self.n_clusters();
        let n_features = self.centres.cols();
        for first in (0..k).step_by(TILE) {
            let count = TILE.min(k - first);
            let tile = &self.packed[first * n_features..(first + count) * n_features];
            for (panel, out) in panels.iter().zip(out.chunks_exact_mut(k)) {
                T::tile(self.width, panel, tile, &mut out[first..first + count]);
            }
        }
        for out in out[..panels.len() * k].chunks_exact_mut(k) {
            take_from::<T>(self.width, &self.halves, out);
        }
    }

    /// Finds the nearest centre of every row of a panel from its scores, as far as they can tell.
    pub(crate) fn judge(&self, scores: &[T::Line], squares: &[T], lengths: &[T], verdicts: &mut Verdicts) {
        judge::<T>(self.width, scores, squares, lengths, (self.slope, self.base), verdicts);
    }

    /// The verdict on one row of a panel, made exact where the products could not tell.
    pub(crate) fn settle(
        &self,
        data: &Packed<'_, T>,
        row: usize,
        lane: usize,
        scores: &[T::Line],
        verdicts: &Verdicts,
    ) -> Nearest {
        if verdicts.sure[lane] {
            return Nearest { label: verdicts.at[lane], upper: verdicts.upper[lane], lower: verdicts.lower[lane] };
        }
        let (panel, within) = (row / T::LANES, row % T::LANES);
        let (square, length) = (data.squares(panel)[within].to_f64(), data.lengths(panel)[within].to_f64());
        let error = self.slope.to_f64() * length + self.base.to_f64();
        let least = scores.iter().map(|line| T::lanes(line)[lane].to_f64()).fold(f64::INFINITY, f64::min);
        let reach = least + 2.0 * error;
        let (mut best, mut second, mut at) = (f64::INFINITY, f64::INFINITY, 0);
        for (j, line) in scores.iter().enumerate() {
            let score = T::lanes(line)[lane].to_f64();
            // What is not a number is a candidate too.
            if score > reach {
                let at_least = (square + 2.0 * (score - error)) / (self.scale * self.scale);
                second = second.min(at_least);
                continue;
            }
            let distance = exact(self.width, data.data.x.row(row), self.centres.row(j));
            if distance < best {
                second = second.min(best);
                best = distance;
                at = j;
            } else {
                second = second.min(distance);
            }
        }
        Nearest {
            label: label(at),
            upper: narrow(best.sqrt() * self.scale) * UP,
            lower: narrow(second.max(0.0).sqrt() * self.scale) * DOWN,
        }
    }
}

per_width! {
    /// `half - product` for every centre.
    fn [T: Element] take_from(halves: &[T], products: &mut [T::Line]) {
        for (line, half) in products.iter_mut().zip(halves) {
            for product in T::lanes_mut(line) {
                *product = *half - *product;
            }
        }
    }
}

per_width! {
    /// The least and the second least score of every lane, and what they say of distances.
    fn [T: Element] judge(scores: &[T::Line], squares: &[T], lengths: &[T], error: (T, T), verdicts: &mut Verdicts) {
        let mut best = T::ZEROS;
        let mut second = T::ZEROS;
        T::lanes_mut(&mut best).fill(T::INFINITY);
        T::lanes_mut(&mut second).fill(T::INFINITY);
        let mut at = [0_u32; LANES];
        let (best, second) = (T::lanes_mut(&mut best), T::lanes_mut(&mut second));
        for (index, line) in (0_u32..).zip(scores) {
            let line = T::lanes(line);
            for lane in 0..T::LANES {
                let score = line[lane];
                let better = score < best[lane];
                let loser = if better { best[lane] } else { score };
                second[lane] = if loser < second[lane] { loser } else { second[lane] };
                best[lane] = if better { score } else { best[lane] };
                at[lane] = if better { index } else { at[lane] };
            }
        }
        let (squares, lengths) = (&squares[..T::LANES], &lengths[..T::LANES]);
        let slack = T::from_f64(4.0 * T::EPSILON);
        for lane in 0..T::LANES {
            let error = error.0 * lengths[lane] + error.1;
            let twice = error + error;
            let (near, far) = (best[lane] + error, second[lane] - error);
            verdicts.sure[lane] = second[lane] - best[lane] > twice;
            let loose = slack * squares[lane];
            verdicts.upper[lane] = (squares[lane] + (near + near) + loose).root().to_f32() * UP;
            verdicts.lower[lane] = (squares[lane] + (far + far) - loose).root().to_f32() * DOWN;
        }
        verdicts.at = at;
    }
}

per_width! {
    /// Exact squared distance of a row to a centre.
    pub(crate) fn [T: Element] exact(row: &[T], centre: &[f64]) -> f64 {
        squared_distance(row, centre)
    }
}

/// A cluster's index as a label.
#[expect(clippy::cast_possible_truncation, reason = "n_clusters is at most n_samples, which memory keeps below 2^32")]
pub(crate) fn label(index: usize) -> u32 {
    index as u32
}

#[expect(clippy::cast_possible_truncation, reason = "a bound, widened by the caller")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}
