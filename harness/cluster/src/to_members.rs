//! Euclidean distances of new rows to the training rows, for the rules that ask every member.

use trailmark_core::Matrix;

use crate::centred::Centred;
use crate::kernel::{add_products, squared_distance_of_rows};

/// Training rows of one product.
const TILE: usize = 128;

/// Up to this many features differences are cheaper than a product, and exact.
const NARROW: usize = 16;

/// Share of `|a|² + |b|²` below which a squared distance taken from a product has lost too many digits, and is made
/// again from differences. Leaves a relative error near 1e-5 at worst, 1e-7 as a rule.
const CLOSE: f64 = 0.02;

/// The distance of two rows, from their product where that is accurate and from differences where it is not.
/// Equal rows have distance 0 exactly.
pub(crate) fn distance(product: f32, a: (&[f32], f64), b: (&[f32], f64)) -> f64 {
    let sum = a.1 + b.1;
    let squared = sum - 2.0 * f64::from(product);
    let accurate = a.0.len() > NARROW && squared > CLOSE * sum && squared.is_finite();
    if accurate { squared.sqrt() } else { squared_distance_of_rows(a.0, b.0).sqrt() }
}

/// Distances of every row of a block to every training row, (rows, n_samples), row-major in `out`.
pub(crate) fn distances_to(block: &Matrix<f32>, squared_lengths: &[f64], data: &Centred, out: &mut Vec<f64>) {
    let (n, width) = (data.n_samples(), data.n_features());
    out.clear();
    out.resize(block.rows() * n, 0.0);
    let mut products = vec![0.0_f32; block.rows() * TILE];
    for left in (0..n).step_by(TILE) {
        let right = (left + TILE).min(n);
        let products = &mut products[..block.rows() * (right - left)];
        if width > NARROW {
            products.fill(0.0);
            add_products(block.as_slice(), &data.x.as_slice()[left * width..right * width], width, 1.0, products);
        }
        for (i, products) in products.chunks_exact(right - left).enumerate() {
            for (j, product) in (left..right).zip(products) {
                out[i * n + j] =
                    distance(*product, (block.row(i), squared_lengths[i]), (data.x.row(j), data.squared_lengths[j]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Stream;

    #[test]
    fn distances_agree_with_differences_in_any_width_and_are_zero_for_equal_rows() {
        let mut draws = Stream::new(5);
        for (n, width) in [(2, 1), (150, 3), (300, 40)] {
            let mut x = Matrix::<f32>::zeros(n, width);
            for value in x.as_mut_slice() {
                *value = (draws.normal() + 1000.0) as f32;
            }
            let copy = x.row(0).to_vec();
            x.row_mut(n - 1).copy_from_slice(&copy);
            let data = Centred::new(&x);
            let mut distances = Vec::new();
            distances_to(&data.x, &data.squared_lengths, &data, &mut distances);
            for i in 0..n {
                for j in 0..n {
                    let exact = squared_distance_of_rows(x.row(i), x.row(j)).sqrt();
                    let got = distances[i * n + j];
                    assert!((got - exact).abs() <= 1e-4 * exact, "pair {i},{j} of {n} x {width}: {got} for {exact}");
                }
            }
            assert_eq!(distances[n - 1].to_bits(), 0.0_f64.to_bits(), "rows 0 and {} are equal", n - 1);
        }
    }
}
