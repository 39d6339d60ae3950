//! The product that EM spends its time in: a sum of outer products of 8 by 16 values.
//!
//! Each of the 128 sums is a chain of fused multiply-adds in the order of the terms, on every vector unit.

use crate::width::Width;

/// Values of the left operand in one term.
pub(crate) const LEFT: usize = 8;

/// Values of the right operand in one term: the lanes.
pub(crate) const LANES: usize = 16;

/// 16 values, aligned for the widest vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [f64; LANES]);

impl Line {
    /// All zero.
    pub(crate) const ZERO: Self = Self([0.0; LANES]);
}

/// `out[i][lane] = sum over terms t of a[t][i] * b[t][lane]`. Both operands have the same number of terms.
#[inline]
pub(crate) fn tile(width: Width, a: &[[f64; LEFT]], b: &[Line], out: &mut [Line; LEFT]) {
    assert_eq!(a.len(), b.len(), "every term has two sides");
    match width {
        // SAFETY: a Width comes from `Width::available`, which asks the processor for these features.
        #[cfg(target_arch = "x86_64")]
        Width::Avx512 => unsafe { tile_avx512(a, b, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Width::Avx2 => unsafe { tile_avx2(a, b, out) },
        Width::Portable => tile_portable(a, b, out),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn tile_avx512(a: &[[f64; LEFT]], b: &[Line], out: &mut [Line; LEFT]) {
    use std::arch::x86_64::{_mm512_fmadd_pd, _mm512_load_pd, _mm512_set1_pd, _mm512_setzero_pd, _mm512_store_pd};
    let mut sums = [(_mm512_setzero_pd(), _mm512_setzero_pd()); LEFT];
    for (a, b) in a.iter().zip(b) {
        // SAFETY: a line is 16 values aligned to 64 bytes.
        let (left, right) = unsafe { (_mm512_load_pd(b.0.as_ptr()), _mm512_load_pd(b.0.as_ptr().add(8))) };
        for (sum, &a) in sums.iter_mut().zip(a) {
            let a = _mm512_set1_pd(a);
            *sum = (_mm512_fmadd_pd(a, left, sum.0), _mm512_fmadd_pd(a, right, sum.1));
        }
    }
    for (out, sum) in out.iter_mut().zip(&sums) {
        // SAFETY: as above.
        unsafe {
            _mm512_store_pd(out.0.as_mut_ptr(), sum.0);
            _mm512_store_pd(out.0.as_mut_ptr().add(8), sum.1);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn tile_avx2(a: &[[f64; LEFT]], b: &[Line], out: &mut [Line; LEFT]) {
    use std::arch::x86_64::{_mm256_fmadd_pd, _mm256_load_pd, _mm256_set1_pd, _mm256_setzero_pd, _mm256_store_pd};
    // 16 registers hold 4 by 8 sums with their operands.
    for top in [0, 4] {
        for side in [0, 8] {
            let mut sums = [(_mm256_setzero_pd(), _mm256_setzero_pd()); 4];
            for (a, b) in a.iter().zip(b) {
                // SAFETY: a line is 16 values aligned to 64 bytes, and `side` is 0 or 8.
                let (left, right) =
                    unsafe { (_mm256_load_pd(b.0.as_ptr().add(side)), _mm256_load_pd(b.0.as_ptr().add(side + 4))) };
                for (sum, &a) in sums.iter_mut().zip(&a[top..top + 4]) {
                    let a = _mm256_set1_pd(a);
                    *sum = (_mm256_fmadd_pd(a, left, sum.0), _mm256_fmadd_pd(a, right, sum.1));
                }
            }
            for (out, sum) in out[top..top + 4].iter_mut().zip(&sums) {
                // SAFETY: as above.
                unsafe {
                    _mm256_store_pd(out.0.as_mut_ptr().add(side), sum.0);
                    _mm256_store_pd(out.0.as_mut_ptr().add(side + 4), sum.1);
                }
            }
        }
    }
}

/// For other processors; `mul_add` rounds once, as the vector instructions do.
fn tile_portable(a: &[[f64; LEFT]], b: &[Line], out: &mut [Line; LEFT]) {
    for (i, out) in out.iter_mut().enumerate() {
        let mut sums = [0.0_f64; LANES];
        for (a, b) in a.iter().zip(b) {
            for (sum, &b) in sums.iter_mut().zip(&b.0) {
                *sum = a[i].mul_add(b, *sum);
            }
        }
        out.0 = sums;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Stream;

    #[test]
    fn every_vector_unit_gives_the_bits_of_a_plain_chain() {
        let mut draws = Stream::new(2);
        for terms in [0, 1, 7, 64, 129] {
            let a: Vec<[f64; LEFT]> = (0..terms).map(|_| std::array::from_fn(|_| draws.normal())).collect();
            let b: Vec<Line> = (0..terms).map(|_| Line(std::array::from_fn(|_| draws.normal()))).collect();
            for width in Width::available() {
                let mut out = [Line([f64::NAN; LANES]); LEFT];
                tile(width, &a, &b, &mut out);
                for (i, line) in out.iter().enumerate() {
                    for (lane, got) in line.0.iter().enumerate() {
                        let plain = a.iter().zip(&b).fold(0.0_f64, |sum, (a, b)| a[i].mul_add(b.0[lane], sum));
                        assert_eq!(got.to_bits(), plain.to_bits(), "{width:?}, {terms} terms, {i}, {lane}");
                    }
                }
            }
        }
    }
}
