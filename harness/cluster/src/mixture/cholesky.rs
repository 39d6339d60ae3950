//! Cholesky factors of covariances and their inverses.

use crate::width::per_width;

per_width! {
    /// The factor `U` of `A = Uᵀ U`, upper triangular, in place of the upper triangle of `a`, (n, n) row-major; the
    /// lower triangle is set to 0. `refused` becomes the first column whose pivot is not positive, where there is one;
    /// the matrix is then not positive definite, and what is left in `a` means nothing.
    pub(crate) fn [] cholesky(a: &mut [f64], n: usize, refused: &mut Option<usize>) {
        for k in 0..n {
            let (above, below) = a.split_at_mut((k + 1) * n);
            let pivot_row = &mut above[k * n..];
            pivot_row[..k].fill(0.0);
            let pivot = pivot_row[k];
            if !(pivot > 0.0 && pivot.is_finite()) {
                *refused = Some(k);
                return;
            }
            let root = pivot.sqrt();
            pivot_row[k] = root;
            for value in &mut pivot_row[k + 1..] {
                *value /= root;
            }
            for (i, row) in below.chunks_exact_mut(n).enumerate() {
                let i = k + 1 + i;
                let factor = -pivot_row[i];
                for (value, pivot) in row[i..].iter_mut().zip(&pivot_row[i..]) {
                    *value = factor.mul_add(*pivot, *value);
                }
            }
        }
    }
}

per_width! {
    /// The inverse of an upper triangular matrix with a positive diagonal, both (n, n) row-major: upper triangular too.
    pub(crate) fn [] invert_upper(u: &[f64], n: usize, out: &mut [f64]) {
        out.fill(0.0);
        for (i, row) in out.chunks_exact_mut(n).enumerate() {
            // row * U = e_i, solved column by column; what is found is taken out of the columns to come.
            row[i] = 1.0;
            for k in i..n {
                let value = row[k] / u[k * n + k];
                row[k] = value;
                for (rest, u) in row[k + 1..].iter_mut().zip(&u[k * n + k + 1..(k + 1) * n]) {
                    *rest = (-value).mul_add(*u, *rest);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::width::Width;
    use trailmark_core::Stream;

    /// A positive definite matrix with lower triangle filled by NaN, which nothing may read.
    fn covariance(n: usize, draws: &mut Stream) -> Vec<f64> {
        let x: Vec<f64> = (0..n * (n + 5)).map(|_| draws.normal()).collect();
        let mut a = vec![f64::NAN; n * n];
        for i in 0..n {
            for j in i..n {
                a[i * n + j] = (0..n + 5).map(|row| x[row * n + i] * x[row * n + j]).sum();
            }
        }
        a
    }

    #[test]
    fn the_factor_times_its_transpose_is_the_matrix_and_the_inverse_undoes_it() {
        let mut draws = Stream::new(4);
        for n in [1, 2, 7, 40] {
            let a = covariance(n, &mut draws);
            let mut all = Vec::new();
            for width in Width::available() {
                let (mut u, mut inverse, mut refused) = (a.clone(), vec![f64::NAN; n * n], None);
                cholesky(width, &mut u, n, &mut refused);
                assert_eq!(refused, None);
                invert_upper(width, &u, n, &mut inverse);
                for i in 0..n {
                    for j in i..n {
                        let made: f64 = (0..=i).map(|k| u[k * n + i] * u[k * n + j]).sum();
                        assert!((made - a[i * n + j]).abs() < 1e-10 * n as f64, "{made} for {}", a[i * n + j]);
                    }
                    for j in 0..n {
                        let one: f64 = (0..n).map(|k| inverse[i * n + k] * u[k * n + j]).sum();
                        assert!((one - f64::from(u8::from(i == j))).abs() < 1e-10, "{i}, {j}: {one}");
                    }
                }
                all.push((u, inverse));
            }
            assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "vector units agree for n = {n}");
        }
    }

    #[test]
    fn the_first_column_that_adds_nothing_is_told() {
        for (a, column) in [(vec![1.0, 2.0, 2.0, 4.0], 1), (vec![0.0, 0.0, 0.0, 1.0], 0), (vec![f64::NAN; 4], 0)] {
            let mut refused = None;
            cholesky(Width::detect(), &mut a.clone(), 2, &mut refused);
            assert_eq!(refused, Some(column), "{a:?}");
        }
    }
}
