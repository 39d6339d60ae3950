//! Tiles by products of centred f32 rows: the one place that multiplies vectors.

use trailmark_core::Matrix;
use trailmark_core::contract::Distance;

use crate::closed::cosine_of_squared;
use crate::error::GeometryError;
use crate::tiles::{SOURCES, Scratch, TARGETS, Tiles, Value};
use crate::widths::per_width;

/// A squared distance below this share of the two squared norms is recomputed from differences. The expansion
/// |x|^2 + |y|^2 - 2xy is off by a few 2^-24 of the norms, so what is kept is right to about 1e-5 in the worst case
/// and far better on average.
const SMALL: f64 = 1.0 / 256.0;

/// Rows as the products read them.
struct Side<'a> {
    x: &'a Matrix<f32>, // (rows, cols), as given
    scales: Vec<f64>,   // (rows,) what brings a row to length 1; empty unless the distance is cosine
    centred: Vec<f32>,  // (padded, cols), scaled, minus the mean of the targets, times 1 / unit
    squared: Vec<f64>,  // (padded,) squared norms of `centred`
}

/// Tiles by matrix products.
pub(crate) struct ProductTiles<'a> {
    sources: Option<Side<'a>>, // none when they are the targets
    targets: Side<'a>,
    distance: Distance,
    cols: usize,
    unit: f64, // a power of two, so that scaling is exact
}

impl<'a> ProductTiles<'a> {
    /// Centres the data and brings it to a largest magnitude of about 1, so that squares neither overflow nor vanish.
    pub(crate) fn new(
        sources: Option<&'a Matrix<f32>>,
        targets: &'a Matrix<f32>,
        distance: Distance,
    ) -> Result<Self, GeometryError> {
        let scales = |x: &Matrix<f32>| match distance {
            Distance::Cosine => unit_scales(x),
            Distance::Euclidean | Distance::SquaredEuclidean => Ok(Vec::new()),
        };
        let target_scales = scales(targets)?;
        let mut mean = vec![0.0_f64; targets.cols()];
        for (row, values) in targets.iter_rows().enumerate() {
            let scale = target_scales.get(row).copied().unwrap_or(1.0);
            mean.iter_mut().zip(values).for_each(|(sum, &value)| *sum += f64::from(value) * scale);
        }
        mean.iter_mut().for_each(|sum| *sum /= targets.rows().max(1) as f64);

        let source_scales = sources.map(scales).transpose()?;
        let largest = largest_centred(targets, &target_scales, &mean)
            .max(sources.map_or(0.0, |x| largest_centred(x, source_scales.as_deref().unwrap_or_default(), &mean)));
        let unit = power_of_two_near(largest);
        let sources = sources.map(|x| Side::new(x, source_scales.unwrap_or_default(), &mean, unit));
        let targets = Side::new(targets, target_scales, &mean, unit);
        Ok(Self { sources, cols: targets.x.cols(), targets, distance, unit })
    }

    fn sources_side(&self) -> &Side<'a> {
        self.sources.as_ref().unwrap_or(&self.targets)
    }

    fn multiply(&self, source: usize, target: usize, products: &mut [f32]) {
        let lhs = &self.sources_side().centred[source * self.cols..(source + SOURCES) * self.cols];
        let rhs = &self.targets.centred[target * self.cols..(target + TARGETS) * self.cols];
        assert_eq!(products.len(), SOURCES * TARGETS, "products fill a tile");
        let row = self.cols.cast_signed();
        // SAFETY: `products` holds SOURCES x TARGETS values, row-major; `lhs` holds SOURCES rows and `rhs` TARGETS
        // rows of `cols` values, `rhs` read transposed. No two of them overlap in memory that is written.
        unsafe {
            gemm::gemm(
                SOURCES,
                TARGETS,
                self.cols,
                products.as_mut_ptr(),
                1,
                TARGETS.cast_signed(),
                false,
                lhs.as_ptr(),
                1,
                row,
                rhs.as_ptr(),
                row,
                1,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }

    /// Recomputes the small distances of one line of a tile from the rows as they were given.
    #[cold]
    fn mend(&self, source: usize, target: usize, products: &[f32], line: &mut [f32]) {
        let rows = self.sources_side();
        let own = rows.squared[source];
        let real = self.targets.x.rows().saturating_sub(target).min(TARGETS);
        for ((j, out), &product) in line.iter_mut().enumerate().take(real).zip(products) {
            let norms = own + self.targets.squared[target + j];
            if norms - 2.0 * f64::from(product) <= SMALL * norms {
                *out = f32::of(self.by_differences(source, target + j));
            }
        }
    }

    fn by_differences(&self, source: usize, target: usize) -> f64 {
        let rows = self.sources_side();
        let (a, b) = (rows.x.row(source), self.targets.x.row(target));
        match self.distance {
            Distance::Euclidean => squared_of_rows(a, b).sqrt(),
            Distance::SquaredEuclidean => squared_of_rows(a, b),
            Distance::Cosine => {
                cosine_of_squared(squared_of_scaled(a, rows.scales[source], b, self.targets.scales[target]))
            }
        }
    }
}

impl Tiles for ProductTiles<'_> {
    type Value = f32;

    fn sources(&self) -> usize {
        self.sources_side().x.rows()
    }

    fn targets(&self) -> usize {
        self.targets.x.rows()
    }

    fn fill(&self, scratch: &mut Scratch, source: usize, target: usize, tile: &mut [f32]) {
        scratch.products.resize(SOURCES * TARGETS, 0.0);
        self.multiply(source, target, &mut scratch.products);
        let rows = self.sources_side();
        let others = &self.targets.squared[target..target + TARGETS];
        let (factor, root) = match self.distance {
            Distance::Euclidean => (1.0, Some(f32::of(self.unit))),
            Distance::SquaredEuclidean => (self.unit * self.unit, None),
            Distance::Cosine => (0.5 * self.unit * self.unit, None),
        };
        let lines = tile.chunks_exact_mut(TARGETS).zip(scratch.products.chunks_exact(TARGETS));
        let real = rows.x.rows().saturating_sub(source).min(SOURCES);
        for (at, (line, products)) in lines.enumerate().take(real) {
            if finish(rows.squared[source + at], others, products, factor, root, line) {
                self.mend(source + at, target, products, line);
            }
        }
    }
}

per_width! {
    /// Distances of one row to TARGETS rows from their products; true when some are too small to be taken from them.
    fn finish(own: f64, others: &[f64], products: &[f32], factor: f64, root: Option<f32>, line: &mut [f32]) -> bool {
        let mut small = 0_u32;
        for ((out, &product), &other) in line.iter_mut().zip(products).zip(others) {
            let norms = own + other;
            let squared = norms - 2.0 * f64::from(product);
            small |= u32::from(squared <= SMALL * norms);
            let squared = if squared > 0.0 { squared } else { 0.0 };
            *out = f32::of(squared * factor);
        }
        if let Some(unit) = root {
            line.iter_mut().for_each(|out| *out = out.sqrt() * unit);
        }
        small != 0
    }
}

impl<'a> Side<'a> {
    fn new(x: &'a Matrix<f32>, scales: Vec<f64>, mean: &[f64], unit: f64) -> Self {
        let (rows, cols) = (x.rows(), x.cols());
        let padded = rows.next_multiple_of(SOURCES);
        let mut centred = Vec::with_capacity(padded * cols);
        let mut squared = Vec::with_capacity(padded);
        for (row, values) in x.iter_rows().enumerate() {
            let start = centred.len();
            let scale = scales.get(row).copied().unwrap_or(1.0);
            let moved = values.iter().zip(mean).map(|(&value, centre)| (f64::from(value) * scale - centre) / unit);
            centred.extend(moved.map(f32::of));
            squared.push(centred[start..].iter().map(|&value| f64::from(value) * f64::from(value)).sum());
        }
        centred.resize(padded * cols, 0.0);
        squared.resize(padded, 0.0);
        Self { x, scales, centred, squared }
    }
}

/// (rows,) what brings every row to length 1. Squares of f32 neither overflow nor vanish in f64.
fn unit_scales(x: &Matrix<f32>) -> Result<Vec<f64>, GeometryError> {
    let norm = |row: &[f32]| row.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt();
    let scale = |(row, values)| match norm(values) {
        0.0 => Err(GeometryError::ZeroVector { row }),
        norm => Ok(1.0 / norm),
    };
    x.iter_rows().enumerate().map(scale).collect()
}

fn largest_centred(x: &Matrix<f32>, scales: &[f64], mean: &[f64]) -> f64 {
    let largest_of = |(row, values): (usize, &[f32])| {
        let scale = scales.get(row).copied().unwrap_or(1.0);
        let distances = values.iter().zip(mean).map(|(&value, centre)| (f64::from(value) * scale - centre).abs());
        distances.fold(0.0, f64::max)
    };
    x.iter_rows().enumerate().map(largest_of).fold(0.0, f64::max)
}

per_width! {
    /// Squared Euclidean distance of two rows: differences and sums in f64, in sixteen fixed lanes.
    fn squared_of_rows(a: &[f32], b: &[f32]) -> f64 {
        let mut lanes = [0.0_f64; 16];
        let (a_head, a_tail) = a.as_chunks::<16>();
        let (b_head, b_tail) = b.as_chunks::<16>();
        for (a, b) in a_head.iter().zip(b_head) {
            for lane in 0..16 {
                let difference = f64::from(a[lane]) - f64::from(b[lane]);
                lanes[lane] += difference * difference;
            }
        }
        for ((a, b), lane) in a_tail.iter().zip(b_tail).zip(&mut lanes) {
            let difference = f64::from(*a) - f64::from(*b);
            *lane += difference * difference;
        }
        lanes.iter().sum()
    }
}

per_width! {
    /// Squared Euclidean distance of two rows, each times its scale.
    fn squared_of_scaled(a: &[f32], a_scale: f64, b: &[f32], b_scale: f64) -> f64 {
        let mut lanes = [0.0_f64; 16];
        let (a_head, a_tail) = a.as_chunks::<16>();
        let (b_head, b_tail) = b.as_chunks::<16>();
        for (a, b) in a_head.iter().zip(b_head) {
            for lane in 0..16 {
                let difference = f64::from(a[lane]) * a_scale - f64::from(b[lane]) * b_scale;
                lanes[lane] += difference * difference;
            }
        }
        for ((a, b), lane) in a_tail.iter().zip(b_tail).zip(&mut lanes) {
            let difference = f64::from(*a) * a_scale - f64::from(*b) * b_scale;
            *lane += difference * difference;
        }
        lanes.iter().sum()
    }
}

/// The power of two at or below a finite magnitude; 1 for zero.
fn power_of_two_near(magnitude: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let power = f64::from_bits(magnitude.to_bits() & EXPONENT);
    if power.is_normal() { power } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Stream;

    fn tiles(x: &Matrix<f32>) -> ProductTiles<'_> {
        ProductTiles::new(None, x, Distance::Euclidean).unwrap()
    }

    fn fill(x: &Matrix<f32>, source: usize, target: usize) -> Vec<f32> {
        let mut tile = vec![0.0; SOURCES * TARGETS];
        tiles(x).fill(&mut Scratch::default(), source, target, &mut tile);
        tile
    }

    #[test]
    fn a_tile_agrees_with_differences_and_the_diagonal_is_exactly_zero() {
        let mut stream = Stream::new(1);
        let data: Vec<f32> = (0..600 * 7).map(|_| (stream.normal() + 1000.0) as f32).collect();
        let x = Matrix::from_vec(600, 7, data).unwrap();
        let tile = fill(&x, 0, TARGETS);
        for at in 0..SOURCES {
            for j in 0..TARGETS {
                let exact = squared_of_rows(x.row(at), x.row(TARGETS + j)).sqrt();
                let got = f64::from(tile[at * TARGETS + j]);
                assert!((got - exact).abs() <= 1e-5 * exact, "{at} {j}: {got} {exact}");
            }
            if let Some(own) = at.checked_sub(TARGETS) {
                assert_eq!(tile[at * TARGETS + own], 0.0, "distance of row {at} to itself");
            }
        }
    }

    #[test]
    fn near_duplicates_far_from_the_mean_keep_their_distance() {
        let x = Matrix::from_vec(3, 2, vec![1000.0_f32, 0.0, 1000.0001, 0.0, -1000.0, 0.0]).unwrap();
        assert_eq!(fill(&x, 0, 0)[1], 1000.0001_f32 - 1000.0);
    }

    #[test]
    fn magnitudes_whose_squares_overflow_in_single_precision_are_fine() {
        let x = Matrix::from_vec(2, 1, vec![1.0e38_f32, -1.0e38]).unwrap();
        assert!((fill(&x, 0, 0)[1] / 2.0e38 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_pair_has_the_same_bits_from_whichever_tile_it_comes() {
        // Both orders of a pair fall into different tiles at different places.
        let mut stream = Stream::new(8);
        let x = Matrix::from_vec(600, 33, (0..600 * 33).map(|_| stream.normal() as f32 + 1.0).collect()).unwrap();
        let mut full = vec![0.0_f32; 600 * 600];
        for source in (0..600).step_by(SOURCES) {
            for target in (0..600).step_by(TARGETS) {
                let tile = fill(&x, source, target);
                for i in source..600.min(source + SOURCES) {
                    for j in target..600.min(target + TARGETS) {
                        full[i * 600 + j] = tile[(i - source) * TARGETS + j - target];
                    }
                }
            }
        }
        for i in 0..600 {
            for j in 0..i {
                assert_eq!(full[i * 600 + j].to_bits(), full[j * 600 + i].to_bits(), "pair {i} {j} from two tiles");
            }
        }
    }
}
