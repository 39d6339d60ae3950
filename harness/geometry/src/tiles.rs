//! Euclidean distances between two blocks of rows: the one place that multiplies vectors.

use trailmark_core::Matrix;

/// Rows of a tile: the samples whose distances are summed.
pub(crate) const SOURCES: usize = 128;
/// Columns of a tile: the samples for which sums are made. A multiple of `SOURCES`.
pub(crate) const TARGETS: usize = 256;

/// A squared distance below this share of the two squared norms is recomputed from differences. The expansion
/// |x|^2 + |y|^2 - 2xy is off by a few 2^-24 of the norms, so what is kept is right to about 1e-5 in the worst case
/// and far better on average.
const SMALL: f64 = 1.0 / 256.0;

/// Fills tiles of distances.
pub(crate) trait Tiles {
    /// Number of rows of the data.
    fn rows(&self) -> usize;

    /// Writes the distances between rows `source..` and `target..`, (SOURCES, TARGETS) row-major. Entries beyond the
    /// last row are finite and without meaning.
    fn fill(&mut self, source: usize, target: usize, tile: &mut [f64]);
}

/// Tiles by matrix products over centred f32 rows.
pub(crate) struct ProductTiles<'a> {
    x: &'a Matrix<f32>, // (rows, cols), as given
    centred: Vec<f32>,  // (padded, cols), minus the mean, times 1 / unit
    squared: Vec<f64>,  // (padded,) squared norms of `centred`
    products: Vec<f32>, // (SOURCES, TARGETS)
    cols: usize,
    unit: f64, // a power of two, so that scaling is exact
}

impl<'a> ProductTiles<'a> {
    /// Centres the data and brings it to a largest magnitude of about 1, so that squares neither overflow nor vanish.
    pub(crate) fn new(x: &'a Matrix<f32>) -> Self {
        let (rows, cols) = (x.rows(), x.cols());
        let padded = rows.div_ceil(TARGETS) * TARGETS;
        let mut mean = vec![0.0_f64; cols];
        for row in x.iter_rows() {
            mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        mean.iter_mut().for_each(|sum| *sum /= rows.max(1) as f64);

        let largest = x
            .iter_rows()
            .flat_map(|row| row.iter().zip(&mean).map(|(&value, centre)| (f64::from(value) - centre).abs()))
            .fold(0.0, f64::max);
        let unit = power_of_two_near(largest);

        let mut centred = Vec::with_capacity(padded * cols);
        let mut squared = Vec::with_capacity(padded);
        for row in x.iter_rows() {
            let start = centred.len();
            centred.extend(row.iter().zip(&mean).map(|(&value, centre)| narrow((f64::from(value) - centre) / unit)));
            squared.push(centred[start..].iter().map(|&value| f64::from(value) * f64::from(value)).sum());
        }
        centred.resize(padded * cols, 0.0);
        squared.resize(padded, 0.0);
        Self { x, centred, squared, products: vec![0.0; SOURCES * TARGETS], cols, unit }
    }

    fn multiply(&mut self, source: usize, target: usize) {
        let lhs = &self.centred[source * self.cols..(source + SOURCES) * self.cols];
        let rhs = &self.centred[target * self.cols..(target + TARGETS) * self.cols];
        let row = self.cols.cast_signed();
        // SAFETY: `products` holds SOURCES x TARGETS values, row-major; `lhs` holds SOURCES rows and `rhs` TARGETS
        // rows of `cols` values, `rhs` read transposed. No two of them overlap in memory that is written.
        unsafe {
            gemm::gemm(
                SOURCES,
                TARGETS,
                self.cols,
                self.products.as_mut_ptr(),
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
}

impl Tiles for ProductTiles<'_> {
    fn rows(&self) -> usize {
        self.x.rows()
    }

    fn fill(&mut self, source: usize, target: usize, tile: &mut [f64]) {
        self.multiply(source, target);
        let targets = &self.squared[target..target + TARGETS];
        for (at, (line, products)) in
            tile.chunks_exact_mut(TARGETS).zip(self.products.chunks_exact(TARGETS)).enumerate()
        {
            let own = self.squared[source + at];
            let mut closest = f64::INFINITY;
            for ((out, &product), &other) in line.iter_mut().zip(products).zip(targets) {
                let norms = own + other;
                let squared = norms - 2.0 * f64::from(product);
                let margin = squared - SMALL * norms;
                closest = if margin < closest { margin } else { closest };
                *out = squared.max(0.0).sqrt() * self.unit;
            }
            if closest <= 0.0 && source + at < self.x.rows() {
                self.mend(source + at, target, line, at);
            }
        }
    }
}

impl ProductTiles<'_> {
    /// Recomputes the small distances of one line of a tile from the rows as they were given.
    #[cold]
    fn mend(&self, source: usize, target: usize, line: &mut [f64], at: usize) {
        let own = self.squared[source];
        let real = self.x.rows().saturating_sub(target).min(TARGETS);
        for (j, out) in line.iter_mut().enumerate().take(real) {
            let norms = own + self.squared[target + j];
            let squared = norms - 2.0 * f64::from(self.products[at * TARGETS + j]);
            if squared - SMALL * norms <= 0.0 {
                *out = distance_f32(self.x.row(source), self.x.row(target + j));
            }
        }
    }
}

/// Tiles by differences over f64 rows.
pub(crate) struct DifferenceTiles<'a> {
    x: &'a Matrix<f64>,
    targets: Vec<f64>, // (cols, TARGETS), the target block transposed
    loaded: Option<usize>,
}

impl<'a> DifferenceTiles<'a> {
    pub(crate) fn new(x: &'a Matrix<f64>) -> Self {
        Self { x, targets: vec![0.0; x.cols() * TARGETS], loaded: None }
    }

    fn load(&mut self, target: usize) {
        if self.loaded == Some(target) {
            return;
        }
        self.targets.fill(0.0);
        for j in 0..self.x.rows().saturating_sub(target).min(TARGETS) {
            for (p, &value) in self.x.row(target + j).iter().enumerate() {
                self.targets[p * TARGETS + j] = value;
            }
        }
        self.loaded = Some(target);
    }
}

impl Tiles for DifferenceTiles<'_> {
    fn rows(&self) -> usize {
        self.x.rows()
    }

    fn fill(&mut self, source: usize, target: usize, tile: &mut [f64]) {
        self.load(target);
        tile.fill(0.0);
        let real = self.x.rows().saturating_sub(source).min(SOURCES);
        for (at, line) in tile.chunks_exact_mut(TARGETS).enumerate().take(real) {
            for (&value, others) in self.x.row(source + at).iter().zip(self.targets.chunks_exact(TARGETS)) {
                for (out, &other) in line.iter_mut().zip(others) {
                    let difference = value - other;
                    *out += difference * difference;
                }
            }
            line.iter_mut().for_each(|out| *out = out.sqrt());
        }
    }
}

/// Euclidean distance of two f32 rows: differences and sums in f64, in four fixed lanes.
pub(crate) fn distance_f32(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 4];
    let (a_head, a_tail) = a.as_chunks::<4>();
    let (b_head, b_tail) = b.as_chunks::<4>();
    for (a, b) in a_head.iter().zip(b_head) {
        for lane in 0..4 {
            let difference = f64::from(a[lane]) - f64::from(b[lane]);
            lanes[lane] += difference * difference;
        }
    }
    for ((a, b), lane) in a_tail.iter().zip(b_tail).zip(&mut lanes) {
        let difference = f64::from(*a) - f64::from(*b);
        *lane += difference * difference;
    }
    ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])).sqrt()
}

/// The power of two at or below a finite magnitude; 1 for zero.
fn power_of_two_near(magnitude: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff0_0000_0000_0000;
    let power = f64::from_bits(magnitude.to_bits() & EXPONENT);
    if power.is_normal() { power } else { 1.0 }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to nearest is wanted; the magnitude is at most 2")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Stream;

    #[test]
    fn a_tile_agrees_with_differences_and_the_diagonal_is_exactly_zero() {
        let mut stream = Stream::new(1);
        let data: Vec<f32> = (0..300 * 7).map(|_| (stream.normal() + 1000.0) as f32).collect();
        let x = Matrix::from_vec(300, 7, data).unwrap();
        let mut tiles = ProductTiles::new(&x);
        let mut tile = vec![0.0; SOURCES * TARGETS];
        tiles.fill(128, 0, &mut tile);
        for at in 0..SOURCES {
            for j in 0..TARGETS {
                let exact = distance_f32(x.row(128 + at), x.row(j));
                let got = tile[at * TARGETS + j];
                assert!((got - exact).abs() <= 1e-5 * exact, "{at} {j}: {got} {exact}");
            }
            assert_eq!(tile[at * TARGETS + 128 + at], 0.0, "distance of row {at} to itself");
        }
    }

    #[test]
    fn near_duplicates_far_from_the_mean_keep_their_distance() {
        let x = Matrix::from_vec(3, 2, vec![1000.0_f32, 0.0, 1000.0001, 0.0, -1000.0, 0.0]).unwrap();
        let mut tiles = ProductTiles::new(&x);
        let mut tile = vec![0.0; SOURCES * TARGETS];
        tiles.fill(0, 0, &mut tile);
        assert_eq!(tile[1], f64::from(1000.0001_f32) - 1000.0);
    }

    #[test]
    fn magnitudes_whose_squares_overflow_in_single_precision_are_fine() {
        let x = Matrix::from_vec(2, 1, vec![3.0e38_f32, -3.0e38]).unwrap();
        let mut tile = vec![0.0; SOURCES * TARGETS];
        ProductTiles::new(&x).fill(0, 0, &mut tile);
        assert!((tile[1] / 6.0e38 - 1.0).abs() < 1e-6, "{}", tile[1]);
    }
}
