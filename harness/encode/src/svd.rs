//! The leading right singular vectors of a sparse matrix, by subspace iteration on `XᵀX` with Rayleigh-Ritz in f64.
//! Small problems take the whole space as subspace and are exact.

use trailmark_core::contract::Context;
use trailmark_core::{Failure, FailureClass, Stream};

/// Up to this many rows or columns the subspace is the whole space.
const SMALL: usize = 96;
/// Further directions that make the wanted ones converge faster.
const OVERSAMPLE: usize = 16;
/// Steps at most. scikit-learn's randomized solver makes 5 by default; where the spectrum is so flat that 16 do not
/// settle the last directions, which of them are kept says little, and the start decides it (from the step's seed).
const MAX_STEPS: usize = 16;
/// Stop when `|XᵀXv - s²v|` is below this share of the largest `s²`, for every wanted `v`.
const CONVERGED: f64 = 1e-7;
/// Directions with a residual above this share deserve a warning.
const POOR: f64 = 1e-2;
/// Singular values below this share of the largest are rounding.
const NOTHING: f64 = 1e-7;

/// A sparse matrix by rows, (n_rows, n_cols).
pub(crate) struct Sparse {
    n_cols: usize,
    starts: Vec<usize>, // (n_rows + 1)
    entries: Vec<(u32, f64)>,
}

impl Sparse {
    /// Without rows.
    pub(crate) fn new(n_cols: usize) -> Self {
        Self { n_cols, starts: vec![0], entries: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<(u32, f64)>) {
        self.entries.extend(row);
        self.starts.push(self.entries.len());
    }

    fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }

    fn rows(&self) -> impl Iterator<Item = &[(u32, f64)]> {
        self.starts.windows(2).map(|ends| &self.entries[ends[0]..ends[1]])
    }

    /// `XᵀX q` and the Gram matrix `(Xq)ᵀ(Xq)`, for `q` of shape (n_cols, width), row-major.
    fn normal_product(&self, q: &[f64], width: usize) -> (Vec<f64>, Vec<f64>) {
        let mut product = vec![0.0; q.len()];
        let mut gram = vec![0.0; width * width];
        let mut image = vec![0.0; width];
        for row in self.rows() {
            image.fill(0.0);
            for &(column, value) in row {
                add_scaled(&mut image, value, &q[column as usize * width..][..width]);
            }
            for (i, &value) in image.iter().enumerate() {
                add_scaled(&mut gram[i * width..][..width], value, &image);
            }
            for &(column, value) in row {
                add_scaled(&mut product[column as usize * width..][..width], value, &image);
            }
        }
        (product, gram)
    }
}

fn add_scaled(to: &mut [f64], scale: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += scale * from;
    }
}

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
/// equals), as scikit-learn's are. Directions beyond the rank are zero, with a warning.
///
/// # Errors
/// `Oom` when the subspace does not fit the declared memory.
pub(crate) fn truncated(x: &Sparse, dim: usize, ctx: &Context) -> Result<Svd, Failure> {
    let (n_cols, least) = (x.n_cols, x.n_cols.min(x.n_rows()));
    let width = if least <= SMALL { least } else { least.min(dim + OVERSAMPLE) };
    let need = 8 * 3 * n_cols as u64 * width as u64;
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
    let mut draws = Stream::new(ctx.seed);
    let mut q: Vec<f64> = (0..n_cols * width).map(|_| draws.normal()).collect();
    // The first product brings the random directions into the row space.
    q = x.normal_product(&q, width).0;
    orthonormalise(&mut q, width);
    let kept = dim.min(width);
    let mut step = 0;
    let (values, residual) = loop {
        let (product, gram) = x.normal_product(&q, width);
        let (values, rotation) = symmetric_eigen(gram, width);
        let ritz = rotate(&q, &rotation, width);
        let image = rotate(&product, &rotation, width);
        let largest = values[0].max(f64::MIN_POSITIVE);
        let mut squares = vec![0.0; kept];
        for (v, image) in ritz.chunks_exact(width).zip(image.chunks_exact(width)) {
            for (j, square) in squares.iter_mut().enumerate() {
                let difference = image[j] - values[j] * v[j];
                *square += difference * difference;
            }
        }
        let residual = squares.iter().copied().fold(0.0, f64::max).sqrt() / largest;
        step += 1;
        if residual <= CONVERGED || step >= MAX_STEPS || width == least && step >= 2 {
            q = ritz;
            break (values, residual);
        }
        q = image;
        orthonormalise(&mut q, width);
    };
    Ok(finish(&q, width, n_cols, dim, &values, residual))
}

/// Takes the wanted directions, fixes their signs, and blanks those beyond the rank.
fn finish(q: &[f64], width: usize, n_cols: usize, dim: usize, values: &[f64], residual: f64) -> Svd {
    let singular: Vec<f64> = values.iter().map(|value| value.max(0.0).sqrt()).collect();
    let rank = singular.iter().take(dim).filter(|value| **value > NOTHING * singular[0]).count();
    let mut components = vec![0.0; n_cols * dim];
    for j in 0..rank {
        let mut largest = 0.0_f64;
        for row in 0..n_cols {
            let value = q[row * width + j];
            // Entries that differ by rounding only count as equal, so that the sign does not hang on the last bit.
            if value.abs() > largest.abs() * (1.0 + 1e-9) {
                largest = value;
            }
        }
        let sign = if largest < 0.0 { -1.0 } else { 1.0 };
        for row in 0..n_cols {
            components[row * dim + j] = sign * q[row * width + j];
        }
    }
    let warning = if rank < dim {
        Some(format!("the training matrix has rank {rank}: {} of {dim} SVD dimensions are zero", dim - rank))
    } else if residual > POOR {
        Some(format!("the SVD had not settled after {MAX_STEPS} steps (residual {residual:.1e}); lower svd_dim"))
    } else {
        None
    };
    Svd { dim, components, warning }
}

/// `q` times a (width, width) matrix whose columns are the new directions.
fn rotate(q: &[f64], rotation: &[f64], width: usize) -> Vec<f64> {
    let mut rotated = vec![0.0; q.len()];
    for (row, out) in q.chunks_exact(width).zip(rotated.chunks_exact_mut(width)) {
        for (&value, directions) in row.iter().zip(rotation.chunks_exact(width)) {
            add_scaled(out, value, directions);
        }
    }
    rotated
}

/// Makes the columns of (n, width) orthonormal by modified Gram-Schmidt, made twice; columns that depend on those
/// before become zero.
fn orthonormalise(q: &mut [f64], width: usize) {
    let n = q.len() / width;
    let mut columns: Vec<Vec<f64>> = (0..width).map(|j| (0..n).map(|i| q[i * width + j]).collect()).collect();
    for j in 0..width {
        let (before, rest) = columns.split_at_mut(j);
        let column = &mut rest[0];
        let start = dot(column, column).sqrt();
        for _ in 0..2 {
            for other in before.iter() {
                let along = dot(other, column);
                add_scaled(column, -along, other);
            }
        }
        let length = dot(column, column).sqrt();
        let scale = if length > 1e-12 * start { 1.0 / length } else { 0.0 };
        column.iter_mut().for_each(|value| *value *= scale);
    }
    for (j, column) in columns.iter().enumerate() {
        for (i, value) in column.iter().enumerate() {
            q[i * width + j] = *value;
        }
    }
}

/// Eight running sums, then their sum: the same order on every processor.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_tail.iter().zip(b_tail)) {
        *sum += a * b;
    }
    sums.iter().sum()
}

/// Eigenvalues (descending) and eigenvectors (columns) of a symmetric matrix, by cyclic Jacobi rotations.
fn symmetric_eigen(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    // Rows of `v` are eigenvectors while rotating: rows are contiguous.
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    for _ in 0..60 {
        let (mut off, mut all) = (0.0, 0.0);
        for i in 0..n {
            for j in 0..n {
                let square = a[i * n + j] * a[i * n + j];
                all += square;
                off += if i == j { 0.0 } else { square };
            }
        }
        if off <= 1e-30 * all {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate_pair(&mut a, &mut v, n, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[j * n + j].total_cmp(&a[i * n + i]));
    let values = order.iter().map(|&i| a[i * n + i]).collect();
    let mut vectors = vec![0.0; n * n];
    for (to, &from) in order.iter().enumerate() {
        for i in 0..n {
            vectors[i * n + to] = v[from * n + i];
        }
    }
    (values, vectors)
}

/// One Jacobi rotation, which makes `a[p, q]` zero.
fn rotate_pair(a: &mut [f64], v: &mut [f64], n: usize, p: usize, q: usize) {
    let apq = a[p * n + q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    let tan = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cos = 1.0 / (tan * tan + 1.0).sqrt();
    let sin = tan * cos;
    for i in 0..n {
        let (x, y) = (a[i * n + p], a[i * n + q]);
        a[i * n + p] = cos * x - sin * y;
        a[i * n + q] = sin * x + cos * y;
    }
    for matrix in [a, v] {
        for i in 0..n {
            let (x, y) = (matrix[p * n + i], matrix[q * n + i]);
            matrix[p * n + i] = cos * x - sin * y;
            matrix[q * n + i] = sin * x + cos * y;
        }
    }
}
