//! The leading right singular vectors of a sparse matrix, by subspace iteration on the smaller of `XᵀX` and `XXᵀ` with
//! Rayleigh-Ritz in f64. Small problems take the whole space as subspace and are exact.

use trailmark_core::contract::Context;
use trailmark_core::{Failure, FailureClass, Stream};

use crate::lanes::Level;
pub(crate) use crate::panels::Sparse;
use crate::panels::{PANEL, Row, add_product, each, gram, image, normal_product, orthonormalise_within};
use crate::symmetric_eigen::symmetric_eigen;

/// Up to this many rows or columns the subspace is the whole space.
const SMALL: usize = 96;
/// Further directions that make the wanted ones converge faster.
const OVERSAMPLE: usize = 16;
/// Steps at most. scikit-learn's randomized solver makes 5 by default; where the spectrum is so flat that 16 do not
/// settle the last directions, which of them are kept says little, and the start decides it (from the step's seed).
const MAX_STEPS: usize = 16;
/// Rayleigh-Ritz, which costs as much as a step, follows these steps; more than two are wanted only where the space is not
/// whole.
const CHECKS: [usize; 5] = [2, 4, 8, 12, MAX_STEPS];
/// Stop when `|XᵀXv - s²v|` is below this share of the largest `s²`, for every wanted `v`.
const CONVERGED: f64 = 1e-7;
/// Directions with a residual above this share deserve a warning.
const POOR: f64 = 1e-2;
/// Singular values below this share of the largest are rounding.
const NOTHING: f64 = 1e-7;

/// A truncated SVD: what projects a row.
#[derive(Debug)]
pub(crate) struct Svd {
    dim: usize,
    components: Vec<f64>, // (n_cols, dim), row-major: columns are right singular vectors
    /// What the reader should know.
    pub(crate) warning: Option<String>,
}

impl Svd {
    /// Number of dimensions.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// A row's coordinates, (dim,).
    pub(crate) fn project(&self, row: &[(u32, f64)]) -> Vec<f64> {
        let mut image = vec![0.0; self.dim];
        for &(column, value) in row {
            add_scaled(&mut image, value, &self.components[column as usize * self.dim..][..self.dim]);
        }
        image
    }
}

/// The leading `dim` singular directions. Each has its entry of largest absolute value positive (the first among
/// equals), as scikit-learn's are. Directions beyond the rank are zero, with a warning. The number of threads shows
/// in no bit.
///
/// # Errors
/// `Oom` when the subspace does not fit the declared memory.
pub(crate) fn truncated(x: &Sparse, dim: usize, ctx: &Context) -> Result<Svd, Failure> {
    let (n_cols, least) = (x.n_cols(), x.n_cols().min(x.n_rows()));
    let width = if least <= SMALL { least } else { least.min(dim + OVERSAMPLE) };
    let padded = width.next_multiple_of(PANEL);
    // Three subspaces of the smaller side, the directions twice, and the transpose.
    let on_rows = x.n_rows() < n_cols;
    let need = 8 * (3 * least * padded + n_cols * (padded + dim)) as u64 + if on_rows { x.bytes() } else { 0 };
    if need > ctx.memory_bytes {
        return Err(Failure::new(
            FailureClass::Oom,
            format!(
                "the SVD of {n_cols} n-grams to {dim} dimensions needs {need} bytes, the limit is {} bytes; raise min_df, \
                 set max_features, or raise --memory",
                ctx.memory_bytes
            ),
        ));
    }
    let transpose = on_rows.then(|| x.transposed());
    let small = Subspace { x: transpose.as_ref().unwrap_or(x), width, threads: ctx.threads, level: Level::best() };
    let mut draws = Stream::new(ctx.seed);
    let mut q = vec![vec![[0.0; PANEL]; least]; padded / PANEL];
    for (row, column) in (0..least).flat_map(|row| (0..width).map(move |column| (row, column))) {
        q[column / PANEL][row][column % PANEL] = draws.normal();
    }
    // The first product brings the random directions into the row space.
    q = small.product(&q);
    small.orthonormalise(&mut q);
    let kept = dim.min(width);
    let mut step = 0;
    let (values, residual) = loop {
        let product = small.product(&q);
        step += 1;
        if !CHECKS.contains(&step) {
            q = product;
            small.orthonormalise(&mut q);
            continue;
        }
        let (values, rotation) = symmetric_eigen(small.rayleigh(&q, &product), width);
        let image = small.rotate(&product, &rotation);
        q = small.rotate(&q, &rotation);
        let residual = residual(&q, &image, &values[..kept]);
        if residual <= CONVERGED || step >= MAX_STEPS || width == least {
            break (values, residual);
        }
        q = image;
        small.orthonormalise(&mut q);
    };
    let singular: Vec<f64> = values.iter().map(|value| value.max(0.0).sqrt()).collect();
    let rank = singular.iter().take(dim).filter(|value| **value > NOTHING * singular[0]).count();
    q.truncate(rank.div_ceil(PANEL));
    if let Some(columns) = &transpose {
        // Left vectors so far; the right ones are their images under Xᵀ by the singular value.
        q = each(ctx.threads, q.iter(), |panel| image(small.level, columns, panel));
        for (at, panel) in q.iter_mut().enumerate() {
            let scale: Row = std::array::from_fn(|lane| singular.get(PANEL * at + lane).map_or(0.0, |s| 1.0 / s));
            panel.iter_mut().for_each(|row| row.iter_mut().zip(scale).for_each(|(value, scale)| *value *= scale));
        }
    }
    let components = components(&q, rank, n_cols, dim);
    let warning = if rank < dim {
        Some(format!("the training matrix has rank {rank}: {} of {dim} SVD dimensions are zero", dim - rank))
    } else if residual > POOR {
        Some(format!("the SVD had not settled after {MAX_STEPS} steps (residual {residual:.1e}); lower svd_dim"))
    } else {
        None
    };
    Ok(Svd { dim, components, warning })
}

/// The largest `|A v - s² v|` by the largest `s²`.
fn residual(q: &[Vec<Row>], image: &[Vec<Row>], values: &[f64]) -> f64 {
    let mut worst = 0.0_f64;
    for (j, value) in values.iter().enumerate() {
        let (q, image, lane) = (&q[j / PANEL], &image[j / PANEL], j % PANEL);
        let square: f64 = q.iter().zip(image).map(|(q, image)| (image[lane] - value * q[lane]).powi(2)).sum();
        worst = worst.max(square);
    }
    worst.sqrt() / values[0].max(f64::MIN_POSITIVE)
}

/// The first `rank` directions by rows, (n_cols, dim), with their signs fixed.
fn components(q: &[Vec<Row>], rank: usize, n_cols: usize, dim: usize) -> Vec<f64> {
    let mut components = vec![0.0; n_cols * dim];
    for (at, panel) in q.iter().enumerate() {
        let mut largest = [0.0_f64; PANEL];
        for row in panel {
            for (largest, value) in largest.iter_mut().zip(row) {
                // Entries that differ by rounding only count as equal, so that the sign does not hang on the last bit.
                if value.abs() > largest.abs() * (1.0 + 1e-9) {
                    *largest = *value;
                }
            }
        }
        let first = at * PANEL;
        let used = PANEL.min(rank - first);
        for (row, to) in panel.iter().zip(components.chunks_exact_mut(dim)) {
            for ((to, value), largest) in to[first..first + used].iter_mut().zip(row).zip(largest) {
                *to = if largest < 0.0 { -value } else { *value };
            }
        }
    }
    components
}

/// Arithmetic on subspaces of n_cols dimensions, in panels: (width, n_cols).
struct Subspace<'a> {
    x: &'a Sparse,
    width: usize,
    threads: usize,
    level: Level,
}

impl Subspace<'_> {
    /// `XᵀX q`.
    fn product(&self, q: &[Vec<Row>]) -> Vec<Vec<Row>> {
        each(self.threads, q.iter(), |panel| normal_product(self.level, self.x, panel))
    }

    /// `qᵀ product`, which is symmetric but for rounding, (width, width).
    fn rayleigh(&self, q: &[Vec<Row>], product: &[Vec<Row>]) -> Vec<f64> {
        let mut matrix = vec![0.0; self.width * self.width];
        let pairs: Vec<(usize, usize)> = (0..q.len()).flat_map(|i| (i..q.len()).map(move |j| (i, j))).collect();
        let squares = each(self.threads, pairs.iter(), |(i, j)| gram(self.level, &q[*i], &product[*j]));
        for ((i, j), square) in pairs.iter().zip(squares) {
            for (row, values) in (i * PANEL..self.width).zip(square) {
                for (column, value) in (j * PANEL..self.width).zip(values) {
                    if row <= column {
                        matrix[row * self.width + column] = value;
                        matrix[column * self.width + row] = value;
                    }
                }
            }
        }
        matrix
    }

    /// `q` times a (width, width) matrix whose columns are the new directions.
    fn rotate(&self, q: &[Vec<Row>], rotation: &[f64]) -> Vec<Vec<Row>> {
        let at = |row: usize, column: usize| {
            if row < self.width && column < self.width { rotation[row * self.width + column] } else { 0.0 }
        };
        each(self.threads, 0..q.len(), |to| {
            let mut panel = vec![[0.0; PANEL]; q[to].len()];
            for (from, old) in q.iter().enumerate() {
                let square = std::array::from_fn(|i| std::array::from_fn(|j| at(from * PANEL + i, to * PANEL + j)));
                add_product(self.level, &mut panel, old, &square);
            }
            panel
        })
    }

    /// Makes the columns orthonormal by Gram-Schmidt panel by panel, made twice; columns that depend on those before
    /// become zero.
    fn orthonormalise(&self, q: &mut [Vec<Row>]) {
        for _ in 0..2 {
            let starts: Vec<Row> = each(self.threads, q.iter(), |panel| {
                let square = gram(self.level, panel, panel);
                std::array::from_fn(|i| square[i][i].sqrt())
            });
            for (at, starts) in starts.iter().enumerate() {
                let (before, rest) = q.split_at_mut(at + 1);
                let panel = &mut before[at];
                orthonormalise_within(self.level, panel, starts);
                each(self.threads.min(rest.len()), rest.iter_mut(), |other| {
                    let along = gram(self.level, panel, other).map(|row| row.map(|value| -value));
                    add_product(self.level, other, panel, &along);
                });
            }
        }
    }
}

fn add_scaled(to: &mut [f64], scale: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += scale * from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three entries per row at random, and one that makes the first columns matter most.
    fn matrix(n_rows: usize, n_cols: usize) -> Sparse {
        let mut draws = Stream::new(3);
        let mut x = Sparse::new(n_cols);
        for row in 0..n_rows {
            let mut values = std::collections::BTreeMap::new();
            for _ in 0..3 {
                values.insert(draws.below(n_cols) as u32, draws.normal());
            }
            values.insert((row % 12) as u32, 30.0 / (1 + row % 12) as f64);
            x.push(values.into_iter().collect());
        }
        x
    }

    fn column_products(values: &[f64], dim: usize) -> Vec<f64> {
        let mut products = vec![0.0; dim * dim];
        for row in values.chunks_exact(dim) {
            for (i, value) in row.iter().enumerate() {
                add_scaled(&mut products[i * dim..][..dim], *value, row);
            }
        }
        products
    }

    #[test]
    fn a_wide_matrix_and_its_transpose_have_the_same_singular_values_and_orthonormal_directions() {
        let ctx = Context { seed: 5, threads: 1, memory_bytes: 1 << 30 };
        let wide = matrix(150, 700);
        let tall = wide.transposed();
        let dim = 10;
        let mut squares = Vec::new();
        for x in [&wide, &tall] {
            let svd = truncated(x, dim, &ctx).unwrap();
            assert_eq!(svd.warning, None);
            let products = column_products(&svd.components, dim);
            let columns = x.transposed();
            let panels = svd.components.chunks_exact(dim).map(|row| (0_u32..).zip(row.iter().copied()).collect());
            let mut images = vec![0.0; x.n_rows() * dim];
            for (column, row) in panels.enumerate() {
                let row: Vec<(u32, f64)> = row;
                for (at, value) in columns.row(column) {
                    row.iter().for_each(|(j, v)| images[*at as usize * dim + *j as usize] += value * v);
                }
            }
            let gram = column_products(&images, dim);
            for i in 0..dim {
                for j in 0..dim {
                    let (expected, largest) = (f64::from(u8::from(i == j)), gram[0]);
                    assert!((products[i * dim + j] - expected).abs() < 1e-9, "direction {i} by {j}");
                    assert!(i == j || gram[i * dim + j].abs() < 1e-6 * largest, "image {i} by {j}");
                }
            }
            squares.push((0..dim).map(|i| gram[i * dim + i]).collect::<Vec<f64>>());
        }
        for (a, b) in squares[0].iter().zip(&squares[1]) {
            assert!((a - b).abs() < 1e-6 * squares[0][0], "{squares:?}");
        }
    }

    #[test]
    fn the_number_of_threads_shows_in_no_bit() {
        for x in [matrix(150, 700), matrix(150, 700).transposed(), matrix(20, 300)] {
            let components = |threads| {
                let svd = truncated(&x, 20, &Context { seed: 5, threads, memory_bytes: 1 << 30 }).unwrap();
                svd.components.into_iter().map(f64::to_bits).collect::<Vec<u64>>()
            };
            let one = components(1);
            assert!([2, 3, 16].into_iter().all(|threads| components(threads) == one), "{} rows", x.n_rows());
        }
    }
}
