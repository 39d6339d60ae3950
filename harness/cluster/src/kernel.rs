//! Products of rows known up to an error bound, and exact squared distances by differences in f64 whose order of
//! additions is written down, so that their bits agree on every processor.

use gemm::Parallelism;
use trailmark_core::matrix::Real;

use crate::element::Element;

/// Adds `scale * a bᵀ` to `out`: `a` is (m, k), `b` (n, k), `out` (m, n), all row-major. One thread.
pub(crate) fn add_products(a: &[f32], b: &[f32], k: usize, scale: f32, out: &mut [f32]) {
    assert!(k > 0, "vectors without features are refused on entry");
    let (m, n) = (a.len() / k, b.len() / k);
    assert_eq!((a.len(), b.len(), out.len()), (m * k, n * k, m * n), "operands fill their shapes");
    if m == 0 || n == 0 {
        return;
    }
    let (k_stride, n_stride) = (k.cast_signed(), n.cast_signed());
    // SAFETY: the shapes were checked against the slices just above, and `out` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n_stride,
            true,
            a.as_ptr(),
            1,
            k_stride,
            b.as_ptr(),
            k_stride,
            1,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Bound on the error of `|b|² - 2ab` computed in `T` from vectors of these lengths, with room for the rounding of
/// `b` and of `|b|²`. The bound of Higham for a sum of `k` products in any order, so it holds for every kernel.
pub(crate) fn score_error<T: Element>(k: usize, length_a: f64, length_b: f64) -> f64 {
    let k = k as f64 + 8.0;
    T::EPSILON * (k * length_a * length_b + 4.0 * length_b * length_b) + k * T::LEAST
}

/// Exact squared Euclidean distance: eight running sums over columns mod 8, then those sums in order.
#[inline(always)]
pub(crate) fn squared_distance<T: Real>(row: &[T], centre: &[f64]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let (rows, centres) = (row.chunks_exact(8), centre.chunks_exact(8));
    let tail = rows.remainder().iter().zip(centres.remainder());
    for (row, centre) in rows.zip(centres) {
        for lane in 0..8 {
            let difference = row[lane].to_f64() - centre[lane];
            sums[lane] += difference * difference;
        }
    }
    for (lane, (value, centre)) in tail.enumerate() {
        let difference = value.to_f64() - centre;
        sums[lane] += difference * difference;
    }
    sums.iter().sum()
}

/// Exact squared Euclidean distance between two rows, summed like [`squared_distance`].
#[inline(always)]
pub(crate) fn squared_distance_of_rows<T: Real>(a: &[T], b: &[T]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let (left, right) = (a.chunks_exact(8), b.chunks_exact(8));
    let tail = left.remainder().iter().zip(right.remainder());
    for (a, b) in left.zip(right) {
        for lane in 0..8 {
            let difference = a[lane].to_f64() - b[lane].to_f64();
            sums[lane] += difference * difference;
        }
    }
    for (lane, (a, b)) in tail.enumerate() {
        let difference = a.to_f64() - b.to_f64();
        sums[lane] += difference * difference;
    }
    sums.iter().sum()
}

/// Squared length of a row, summed like [`squared_distance`].
#[inline(always)]
pub(crate) fn squared_length<T: Real>(row: &[T]) -> f64 {
    let mut sums = [0.0_f64; 8];
    for chunk in row.chunks(8) {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value.to_f64() * value.to_f64();
        }
    }
    sums.iter().sum()
}
