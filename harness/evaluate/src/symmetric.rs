//! Eigenvalues and eigenvectors of a symmetric matrix: Householder's reduction to three diagonals, then implicit QL, in
//! f64 and one fixed order. About 9 n^3 operations, a few seconds for n = 768.
//!
//! After the public domain JAMA (tred2 and tql2 of EISPACK; Bowdler, Martin, Reinsch and Wilkinson 1968, Numer. Math.
//! 11), with the matrix of vectors transposed, so that every inner loop runs along a row in memory.

/// Eigenvalues, descending, and unit eigenvectors: the rows of the second, (n, n).
pub(crate) fn eigen(a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    if n == 0 {
        return (Vec::new(), Vec::new());
    }
    let mut v = a;
    let (mut d, mut e) = (vec![0.0; n], vec![0.0; n]);
    reduce(&mut v, &mut d, &mut e, n);
    accumulate(&mut v, &mut d, n);
    e[0] = 0.0;
    diagonalise(&mut v, &mut d, &mut e, n);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| d[j].total_cmp(&d[i]));
    let vectors = order.iter().flat_map(|&i| v[i * n..(i + 1) * n].iter().copied()).collect();
    (order.into_iter().map(|i| d[i]).collect(), vectors)
}

/// To three diagonals; `v[j * n + k]` is JAMA's `V[k][j]`.
fn reduce(v: &mut [f64], d: &mut [f64], e: &mut [f64], n: usize) {
    for j in 0..n {
        d[j] = v[j * n + n - 1];
    }
    for i in (1..n).rev() {
        let scale: f64 = d[..i].iter().map(|value| value.abs()).sum();
        let mut h = 0.0;
        if scale == 0.0 {
            e[i] = d[i - 1];
            for j in 0..i {
                d[j] = v[j * n + i - 1];
                v[j * n + i] = 0.0;
                v[i * n + j] = 0.0;
            }
        } else {
            for value in &mut d[..i] {
                *value /= scale;
                h += *value * *value;
            }
            let f = d[i - 1];
            let g = if f > 0.0 { -h.sqrt() } else { h.sqrt() };
            e[i] = scale * g;
            h -= f * g;
            d[i - 1] = f - g;
            e[..i].fill(0.0);
            for j in 0..i {
                let f = d[j];
                v[i * n + j] = f;
                let row = &v[j * n..(j + 1) * n];
                let mut g = e[j] + row[j] * f;
                for k in j + 1..i {
                    g += row[k] * d[k];
                    e[k] += row[k] * f;
                }
                e[j] = g;
            }
            let mut f = 0.0;
            for j in 0..i {
                e[j] /= h;
                f += e[j] * d[j];
            }
            let hh = f / (h + h);
            for j in 0..i {
                e[j] -= hh * d[j];
            }
            for j in 0..i {
                let (f, g) = (d[j], e[j]);
                let row = &mut v[j * n..(j + 1) * n];
                for k in j..i {
                    row[k] -= f * e[k] + g * d[k];
                }
                d[j] = row[i - 1];
                row[i] = 0.0;
            }
        }
        d[i] = h;
    }
}

/// The product of the reflections.
fn accumulate(v: &mut [f64], d: &mut [f64], n: usize) {
    for i in 0..n - 1 {
        v[i * n + n - 1] = v[i * n + i];
        v[i * n + i] = 1.0;
        let h = d[i + 1];
        let (before, after) = v.split_at_mut((i + 1) * n);
        let next = &mut after[..n];
        if h != 0.0 {
            for k in 0..=i {
                d[k] = next[k] / h;
            }
            for row in before.chunks_exact_mut(n) {
                let g: f64 = next[..=i].iter().zip(row.iter()).map(|(a, b)| a * b).sum();
                for (value, d) in row[..=i].iter_mut().zip(d.iter()) {
                    *value -= g * d;
                }
            }
        }
        next[..=i].fill(0.0);
    }
    for j in 0..n {
        d[j] = v[j * n + n - 1];
        v[j * n + n - 1] = 0.0;
    }
    v[n * n - 1] = 1.0;
}

/// Implicit QL.
fn diagonalise(v: &mut [f64], d: &mut [f64], e: &mut [f64], n: usize) {
    e.copy_within(1.., 0);
    e[n - 1] = 0.0;
    let (mut f, mut largest) = (0.0, 0.0_f64);
    for l in 0..n {
        largest = largest.max(d[l].abs() + e[l].abs());
        let small = f64::EPSILON * largest;
        let m = (l..n).find(|&m| e[m].abs() <= small).unwrap_or(n - 1);
        let mut left = m > l;
        while left {
            let g = d[l];
            let p = (d[l + 1] - g) / (2.0 * e[l]);
            let r = if p < 0.0 { -length(p, 1.0) } else { length(p, 1.0) };
            d[l] = e[l] / (p + r);
            d[l + 1] = e[l] * (p + r);
            let dl1 = d[l + 1];
            let h = g - d[l];
            d[l + 2..].iter_mut().for_each(|value| *value -= h);
            f += h;
            let el1 = e[l + 1];
            let (mut p, mut c, mut c2, mut c3, mut s, mut s2) = (d[m], 1.0, 1.0, 1.0, 0.0, 0.0);
            for i in (l..m).rev() {
                (c3, c2, s2) = (c2, c, s);
                let (g, h) = (c * e[i], c * p);
                let r = length(p, e[i]);
                e[i + 1] = s * r;
                s = e[i] / r;
                c = p / r;
                p = c * d[i] - s * g;
                d[i + 1] = h + s * (c * g + s * d[i]);
                let (left, right) = v[i * n..(i + 2) * n].split_at_mut(n);
                for (a, b) in left.iter_mut().zip(right) {
                    let h = *b;
                    *b = s * *a + c * h;
                    *a = c * *a - s * h;
                }
            }
            p = -s * s2 * c3 * el1 * e[l] / dl1;
            e[l] = s * p;
            d[l] = c * p;
            left = e[l].abs() > small;
        }
        d[l] += f;
        e[l] = 0.0;
    }
}

/// `sqrt(a^2 + b^2)` without overflow.
fn length(a: f64, b: f64) -> f64 {
    let (small, large) = if a.abs() < b.abs() { (a.abs(), b.abs()) } else { (b.abs(), a.abs()) };
    if large == 0.0 {
        return 0.0;
    }
    let ratio = small / large;
    large * (1.0 + ratio * ratio).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A symmetric matrix of numbers that look random.
    fn matrix(n: usize) -> Vec<f64> {
        let at = |i: usize, j: usize| ((i * 7 + j * 13 + i * j * 5) % 23) as f64 / 7.0 - 1.3;
        (0..n * n).map(|k| at(k / n, k % n) + at(k % n, k / n)).collect()
    }

    #[test]
    fn the_matrix_is_the_sum_of_its_eigenvectors_outer_products() {
        for n in [1, 2, 3, 7, 40] {
            for a in [matrix(n), vec![0.0; n * n], vec![1.0; n * n]] {
                let (values, vectors) = eigen(a.clone(), n);
                assert!(values.windows(2).all(|pair| pair[0] >= pair[1]), "descending: {values:?}");
                for i in 0..n {
                    for j in 0..n {
                        let dot: f64 = (0..n).map(|k| vectors[i * n + k] * vectors[j * n + k]).sum();
                        assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12, "orthonormal");
                        let sum: f64 = (0..n).map(|k| values[k] * vectors[k * n + i] * vectors[k * n + j]).sum();
                        assert!((sum - a[i * n + j]).abs() < 1e-10, "n = {n}, ({i}, {j}): {sum} {}", a[i * n + j]);
                    }
                }
            }
        }
    }
}
