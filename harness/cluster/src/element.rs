//! The two precisions of vectors, and the one hot loop that differs between them: products of packed rows with
//! packed centres.
//!
//! Rows lie side by side in the lanes of a vector ([`Element::LANES`] to a line, one line a feature), centres are
//! broadcast. Every product is one chain of fused multiply-adds over the features in ascending order from 0, on every
//! kind of processor. So its bits depend on that row and that centre alone: not on the rows and centres beside it,
//! not on their number, not on the width of the vector unit.

use std::fmt::Debug;
use std::ops::{Add, Mul, Sub};

use trailmark_core::matrix::Real;

use crate::width::Width;

/// Centres of one tile: 12 x 2 vectors of sums stay in the registers of AVX-512.
pub(crate) const TILE: usize = 12;

/// f32 in sweeps, f64 for plain files and oracles.
pub(crate) trait Element: Real + Default + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// One value of each of [`LANES`](Self::LANES) rows, 128 bytes.
    type Line: Copy + Debug + Send + Sync;
    /// Rows of a panel.
    const LANES: usize;
    /// A line of zeros.
    const ZEROS: Self::Line;
    /// Distance from 1 to the next number.
    const EPSILON: f64;
    /// The least normal number.
    const LEAST: f64;
    /// Products of lengths up to this cannot overflow on the way.
    const LARGE: f64;
    /// Infinity.
    const INFINITY: Self;

    /// The values of a line.
    fn lanes(line: &Self::Line) -> &[Self];
    /// The values of a line, to write to.
    fn lanes_mut(line: &mut Self::Line) -> &mut [Self];
    /// Square root, of 0 for what is negative.
    fn root(self) -> Self;
    /// To f32 by rounding.
    fn to_f32(self) -> f32;

    /// `out[m] = sum over features of panel[f] * centres[f][m]` for `out.len() <= TILE` centres; `centres` is
    /// (n_features, out.len()), row-major.
    fn tile(width: Width, panel: &[Self::Line], centres: &[Self], out: &mut [Self::Line]);
}

/// 32 values of f32.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(128))]
pub(crate) struct Line32([f32; 32]);

/// 16 values of f64.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(128))]
pub(crate) struct Line64([f64; 16]);

/// Calls a kernel with its number of centres as a constant, so that its sums stay in registers.
macro_rules! with_centres {
    ($count:expr, $kernel:ident, $($argument:expr),+) => {
        match $count {
            1 => $kernel::<1>($($argument),+),
            2 => $kernel::<2>($($argument),+),
            3 => $kernel::<3>($($argument),+),
            4 => $kernel::<4>($($argument),+),
            5 => $kernel::<5>($($argument),+),
            6 => $kernel::<6>($($argument),+),
            7 => $kernel::<7>($($argument),+),
            8 => $kernel::<8>($($argument),+),
            9 => $kernel::<9>($($argument),+),
            10 => $kernel::<10>($($argument),+),
            11 => $kernel::<11>($($argument),+),
            _ => $kernel::<12>($($argument),+),
        }
    };
}

/// The kernels of one precision: `$lanes` values a line, `$wide` a register of AVX-512, `$half` one of AVX2.
macro_rules! element {
    (
        $type:ident, $line:ident, $lanes:literal, $large:literal, $module:ident,
        $wide:literal, $wide_set:ident, $wide_load:ident, $wide_fma:ident, $wide_zero:ident, $wide_store:ident,
        $half:literal, $half_set:ident, $half_load:ident, $half_fma:ident, $half_zero:ident, $half_store:ident
    ) => {
        impl Element for $type {
            type Line = $line;
            const LANES: usize = $lanes;
            const ZEROS: $line = $line([0.0; $lanes]);
            #[expect(clippy::allow_attributes, reason = "the cast is needed for one of the two precisions")]
            #[allow(clippy::unnecessary_cast, reason = "the same text serves both precisions")]
            const EPSILON: f64 = $type::EPSILON as f64;
            #[expect(clippy::allow_attributes, reason = "the cast is needed for one of the two precisions")]
            #[allow(clippy::unnecessary_cast, reason = "the same text serves both precisions")]
            const LEAST: f64 = $type::MIN_POSITIVE as f64;
            const LARGE: f64 = $large;
            const INFINITY: Self = $type::INFINITY;

            #[inline(always)]
            fn lanes(line: &$line) -> &[Self] {
                &line.0
            }

            #[inline(always)]
            fn lanes_mut(line: &mut $line) -> &mut [Self] {
                &mut line.0
            }

            #[inline(always)]
            fn root(self) -> Self {
                // Not `max`: what is not a number stays so.
                if self < 0.0 { 0.0 } else { self.sqrt() }
            }

            #[expect(clippy::allow_attributes, reason = "the cast is needed for one of the two precisions")]
            #[allow(clippy::cast_possible_truncation, clippy::unnecessary_cast, reason = "rounding is meant")]
            #[inline(always)]
            fn to_f32(self) -> f32 {
                self as f32
            }

            fn tile(width: Width, panel: &[$line], centres: &[Self], out: &mut [$line]) {
                let count = out.len();
                assert!((1..=TILE).contains(&count) && centres.len() == count * panel.len(), "a tile fits its centres");
                match width {
                    // SAFETY: the width says that the processor has it, and the lengths were checked just above.
                    #[cfg(target_arch = "x86_64")]
                    Width::Avx512 => unsafe { $module::avx512(panel, centres, out) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Width::Avx2 => unsafe { $module::avx2(panel, centres, out) },
                    Width::Portable => {
                        for (m, out) in out.iter_mut().enumerate() {
                            let mut sums = [0.0; $lanes];
                            for (step, line) in panel.iter().enumerate() {
                                let centre = centres[step * count + m];
                                sums.iter_mut().zip(&line.0).for_each(|(sum, x)| *sum = x.mul_add(centre, *sum));
                            }
                            out.0 = sums;
                        }
                    }
                }
            }
        }

        #[cfg(target_arch = "x86_64")]
        mod $module {
            use super::$line;
            use std::arch::x86_64::{
                $half_fma, $half_load, $half_set, $half_store, $half_zero, $wide_fma, $wide_load, $wide_set,
                $wide_store, $wide_zero,
            };

            /// # Safety
            /// `centres` holds `panel.len() * out.len()` values and `out` at most 12 lines; the processor has AVX-512.
            pub(super) unsafe fn avx512(panel: &[$line], centres: &[$type], out: &mut [$line]) {
                // SAFETY: the caller's promise.
                unsafe { with_centres!(out.len(), wide, panel, centres, out) }
            }

            #[target_feature(enable = "avx512f")]
            unsafe fn wide<const M: usize>(panel: &[$line], centres: &[$type], out: &mut [$line]) {
                let mut sums = [[$wide_zero(); 2]; M];
                let mut centre = centres.as_ptr();
                for line in panel {
                    // SAFETY: lines are aligned to 128 bytes; `centre` walks M values a line.
                    unsafe {
                        let left = $wide_load(line.0.as_ptr());
                        let right = $wide_load(line.0.as_ptr().add($wide));
                        for (m, sum) in sums.iter_mut().enumerate() {
                            let c = $wide_set(*centre.add(m));
                            *sum = [$wide_fma(left, c, sum[0]), $wide_fma(right, c, sum[1])];
                        }
                        centre = centre.add(M);
                    }
                }
                for (line, sum) in out.iter_mut().zip(sums) {
                    // SAFETY: a line holds two registers and is aligned.
                    unsafe {
                        $wide_store(line.0.as_mut_ptr(), sum[0]);
                        $wide_store(line.0.as_mut_ptr().add($wide), sum[1]);
                    }
                }
            }

            /// # Safety
            /// `centres` holds `panel.len() * out.len()` values; the processor has AVX2 and FMA.
            pub(super) unsafe fn avx2(panel: &[$line], centres: &[$type], out: &mut [$line]) {
                let stride = out.len();
                for first in (0..stride).step_by(3) {
                    let (centres, out) = (&centres[first..], &mut out[first..]);
                    // SAFETY: the caller's promise; `out` has the lines that the constant says.
                    unsafe {
                        match out.len() {
                            1 => half::<1>(panel, centres, stride, out),
                            2 => half::<2>(panel, centres, stride, out),
                            _ => half::<3>(panel, centres, stride, out),
                        }
                    }
                }
            }

            #[target_feature(enable = "avx2,fma")]
            unsafe fn half<const M: usize>(panel: &[$line], centres: &[$type], stride: usize, out: &mut [$line]) {
                let mut sums = [[$half_zero(); 4]; M];
                let centre = centres.as_ptr();
                for (step, line) in panel.iter().enumerate() {
                    // SAFETY: lines are aligned to 128 bytes and hold four registers; centres have M values a line at
                    // this stride.
                    unsafe {
                        let x = [0, 1, 2, 3].map(|part| $half_load(line.0.as_ptr().add(part * $half)));
                        for (m, sum) in sums.iter_mut().enumerate() {
                            let c = $half_set(*centre.add(step * stride + m));
                            for (sum, x) in sum.iter_mut().zip(x) {
                                *sum = $half_fma(x, c, *sum);
                            }
                        }
                    }
                }
                for (line, sum) in out.iter_mut().zip(sums) {
                    for (part, sum) in sum.into_iter().enumerate() {
                        // SAFETY: as above.
                        unsafe { $half_store(line.0.as_mut_ptr().add(part * $half), sum) };
                    }
                }
            }
        }
    };
}

#[rustfmt::skip]
element!(
    f32, Line32, 32, 1e37, kernels_f32,
    16, _mm512_set1_ps, _mm512_load_ps, _mm512_fmadd_ps, _mm512_setzero_ps, _mm512_store_ps,
    8, _mm256_set1_ps, _mm256_load_ps, _mm256_fmadd_ps, _mm256_setzero_ps, _mm256_store_ps
);
#[rustfmt::skip]
element!(
    f64, Line64, 16, 1e300, kernels_f64,
    8, _mm512_set1_pd, _mm512_load_pd, _mm512_fmadd_pd, _mm512_setzero_pd, _mm512_store_pd,
    4, _mm256_set1_pd, _mm256_load_pd, _mm256_fmadd_pd, _mm256_setzero_pd, _mm256_store_pd
);

#[cfg(test)]
mod tests {
    use super::*;

    fn value(at: usize) -> f64 {
        ((at * 2_654_435_761) % 1_000_003) as f64 / 500_000.0 - 1.0
    }

    fn products<T: Element>(width: Width, n_features: usize, count: usize) -> Vec<T> {
        let mut panel = vec![T::ZEROS; n_features];
        for (f, line) in panel.iter_mut().enumerate() {
            for (lane, x) in T::lanes_mut(line).iter_mut().enumerate() {
                *x = T::from_f64(value(f * 32 + lane));
            }
        }
        let centres: Vec<T> = (0..n_features * count).map(|at| T::from_f64(value(77 + at))).collect();
        let mut out = vec![T::ZEROS; count];
        T::tile(width, &panel, &centres, &mut out);
        out.iter().flat_map(|line| T::lanes(line).to_vec()).collect()
    }

    fn check<T: Element>() {
        for n_features in [1, 2, 7, 64] {
            for count in 1..=TILE {
                let portable = products::<T>(Width::Portable, n_features, count);
                for (at, product) in portable.iter().enumerate() {
                    let (m, lane) = (at / T::LANES, at % T::LANES);
                    let terms = |f| {
                        let x = T::from_f64(value(f * 32 + lane)).to_f64();
                        x * T::from_f64(value(77 + f * count + m)).to_f64()
                    };
                    let expected: f64 = (0..n_features).map(terms).sum();
                    assert!((product.to_f64() - expected).abs() < 64.0 * T::EPSILON, "{n_features} x {count} at {at}");
                }
                for width in Width::available() {
                    assert_eq!(products::<T>(width, n_features, count), portable, "{width:?}, {n_features} x {count}");
                }
            }
        }
    }

    #[test]
    fn products_agree_with_double_precision_and_between_vector_widths_to_the_bit() {
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn a_product_has_the_same_bits_whatever_centres_stand_beside_it() {
        let n_features = 50;
        let panel = vec![Line32([0.37; 32]); n_features];
        let all: Vec<f32> = (0..n_features * 12).map(|at| value(at) as f32).collect();
        let mut many = [f32::ZEROS; 12];
        f32::tile(Width::detect(), &panel, &all, &mut many);
        for (m, among) in many.iter().enumerate() {
            let alone: Vec<f32> = (0..n_features).map(|f| all[f * 12 + m]).collect();
            let mut one = [f32::ZEROS];
            f32::tile(Width::detect(), &panel, &alone, &mut one);
            assert_eq!(one[0].0, among.0, "centre {m}");
        }
    }
}
