//! Rows packed for products with centres: panels of [`Element::LANES`] rows, one line a feature. Packed once, read by
//! every iteration of every start and every value of n_clusters.

use crate::centred::Centred;
use crate::element::Element;
use crate::threads::{share_out, worthwhile};
use crate::width::Width;

/// Panels handled at a time: 4 x 32 rows of 384 features stay in the second-level cache beside the centres.
pub(crate) const BLOCK: usize = 4;

/// Blocks allocated and filled at a time.
const BLOCKS: usize = 16;

/// Centred rows, packed and scaled by a power of two to lengths of at most 1, so that no product leaves the range
/// of its type.
pub(crate) struct Packed<'a, T: Element> {
    /// The rows as they are.
    pub(crate) data: &'a Centred<T>,
    /// What lengths were multiplied with.
    pub(crate) scale: f64,
    /// The vector unit that products run on.
    pub(crate) width: Width,
    segments: Vec<Vec<T::Line>>, // each (BLOCKS * BLOCK, n_features) lines
    squares: Vec<T>,             // (rows of all panels,) squared lengths, scaled
    lengths: Vec<T>,             // (rows of all panels,) lengths, scaled, rounded up
}

impl<'a, T: Element> Packed<'a, T> {
    /// Packs.
    pub(crate) fn new(data: &'a Centred<T>, threads: usize) -> Self {
        let (n, width) = (data.n_samples(), data.n_features());
        let longest = data.squared_lengths.iter().copied().fold(0.0, f64::max).sqrt();
        let scale = power_above(longest).recip();
        let n_panels = n.div_ceil(T::LANES);
        let of =
            |squared: &f64| (T::from_f64(squared * scale * scale), T::from_f64(squared.sqrt() * scale * 1.000_001));
        let (mut squares, mut lengths): (Vec<T>, Vec<T>) = data.squared_lengths.iter().map(of).unzip();
        squares.resize(n_panels * T::LANES, T::default());
        lengths.resize(n_panels * T::LANES, T::default());
        let mut segments = vec![Vec::new(); n_panels.div_ceil(BLOCKS * BLOCK)];
        let items = segments.iter_mut().enumerate().collect();
        share_out(worthwhile(threads, n * width), items, |(at, segment): (usize, &mut Vec<T::Line>)| {
            let panels = at * BLOCKS * BLOCK..((at + 1) * BLOCKS * BLOCK).min(n_panels);
            segment.resize(panels.len() * width, T::ZEROS);
            for (panel, lines) in panels.zip(segment.chunks_exact_mut(width)) {
                fill(data, scale, panel * T::LANES..((panel + 1) * T::LANES).min(n), lines);
            }
        });
        Self { data, scale, width: Width::detect(), segments, squares, lengths }
    }

    /// Number of panels; the last may be part empty.
    pub(crate) fn n_panels(&self) -> usize {
        self.data.n_samples().div_ceil(T::LANES)
    }

    /// The lines of a panel, (n_features,).
    pub(crate) fn panel(&self, panel: usize) -> &[T::Line] {
        let width = self.data.n_features();
        let at = panel % (BLOCKS * BLOCK);
        &self.segments[panel / (BLOCKS * BLOCK)][at * width..(at + 1) * width]
    }

    /// Scaled squared lengths of the rows of a panel, 0 past the last row.
    pub(crate) fn squares(&self, panel: usize) -> &[T] {
        &self.squares[panel * T::LANES..(panel + 1) * T::LANES]
    }

    /// Scaled lengths of the rows of a panel, 0 past the last row.
    pub(crate) fn lengths(&self, panel: usize) -> &[T] {
        &self.lengths[panel * T::LANES..(panel + 1) * T::LANES]
    }

    /// Packs chosen rows, at most [`Element::LANES`], with their squared lengths and lengths.
    pub(crate) fn gather(&self, rows: &[usize], lines: &mut [T::Line], squares: &mut [T], lengths: &mut [T]) {
        fill(self.data, self.scale, rows.iter().copied(), lines);
        for (lane, &row) in rows.iter().enumerate() {
            squares[lane] = self.squares[row];
            lengths[lane] = self.lengths[row];
        }
    }
}

/// Features packed at a time: their lines stay in the first-level cache while all rows of the panel are written.
const FEATURES: usize = 32;

fn fill<T: Element>(data: &Centred<T>, scale: f64, rows: impl Iterator<Item = usize> + Clone, lines: &mut [T::Line]) {
    let scale = T::from_f64(scale);
    for (at, lines) in lines.chunks_mut(FEATURES).enumerate() {
        for (lane, row) in rows.clone().enumerate() {
            for (line, value) in lines.iter_mut().zip(&data.x.row(row)[at * FEATURES..]) {
                T::lanes_mut(line)[lane] = *value * scale;
            }
        }
    }
}

/// The least power of two above a length, within what f32 can divide by; 1 for 0.
fn power_above(length: f64) -> f64 {
    if length <= 0.0 {
        return 1.0;
    }
    let (_, exponent) = libm::frexp(length);
    libm::ldexp(1.0, exponent.clamp(-100, 100))
}
