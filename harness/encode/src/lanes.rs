//! Vector arithmetic in groups of 16 numbers, with the same bits on every processor.
//!
//! The fastest instructions that the processor has are chosen at run time: AVX-512, AVX2, or what the compiler makes of
//! plain loops. All three add in one order: 16 running sums, folded in halves. None fuses a multiplication with an
//! addition, because a processor without that instruction could only imitate it slowly.

/// Numbers handled together.
pub(crate) const LANES: usize = 16;

/// Which instructions are used. The results do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Plain loops.
    Portable,
    /// 256-bit registers.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit registers.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The best that this processor has.
    pub(crate) fn best() -> Self {
        Self::all().last().copied().unwrap_or(Self::Portable)
    }

    /// All that this processor has, ascending.
    pub(crate) fn all() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                levels.push(Self::Avx2);
            }
            if std::arch::is_x86_feature_detected!("avx512f") {
                levels.push(Self::Avx512);
            }
        }
        levels
    }
}

/// 16 numbers in registers.
trait Group: Copy {
    fn splat(value: f32) -> Self;
    fn load(from: &[f32; LANES]) -> Self;
    fn store(self, to: &mut [f32; LANES]);
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// Folded in halves: lane i and lane i + 8, then i + 4, i + 2, i + 1.
    fn sum(self) -> f32;
}

#[derive(Clone, Copy)]
struct Plain([f32; LANES]);

impl Group for Plain {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        Self(*from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] += other.0[lane];
        }
        self
    }

    #[inline(always)]
    fn mul(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.0[lane] *= other.0[lane];
        }
        self
    }

    #[inline(always)]
    fn sum(mut self) -> f32 {
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                self.0[lane] += self.0[lane + width];
            }
            width /= 2;
        }
        self.0[0]
    }
}

/// The same in registers of x86-64. Values of these types are made only in functions that [`learn`] enters after the
/// processor was asked.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Group, LANES};

    #[inline(always)]
    fn sum8(values: __m256) -> f32 {
        // SAFETY: reached only from functions that enable AVX2.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps::<1>(values));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }

    #[derive(Clone, Copy)]
    pub(super) struct Two(__m256, __m256);

    // SAFETY of all blocks: reached only from functions that enable AVX2; loads and stores stay in their arrays.
    impl Group for Two {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            unsafe { Self(_mm256_set1_ps(value), _mm256_set1_ps(value)) }
        }

        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            unsafe { Self(_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))) }
        }

        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            unsafe {
                _mm256_storeu_ps(to.as_mut_ptr(), self.0);
                _mm256_storeu_ps(to.as_mut_ptr().add(8), self.1);
            }
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            unsafe { Self(_mm256_add_ps(self.0, other.0), _mm256_add_ps(self.1, other.1)) }
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            unsafe { Self(_mm256_mul_ps(self.0, other.0), _mm256_mul_ps(self.1, other.1)) }
        }

        #[inline(always)]
        fn sum(self) -> f32 {
            sum8(unsafe { _mm256_add_ps(self.0, self.1) })
        }
    }

    #[derive(Clone, Copy)]
    pub(super) struct One(__m512);

    // SAFETY of all blocks: reached only from functions that enable AVX-512F; loads and stores stay in their arrays.
    impl Group for One {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            unsafe { Self(_mm512_set1_ps(value)) }
        }

        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            unsafe { Self(_mm512_loadu_ps(from.as_ptr())) }
        }

        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
        }

        #[inline(always)]
        fn add(self, other: Self) -> Self {
            unsafe { Self(_mm512_add_ps(self.0, other.0)) }
        }

        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            unsafe { Self(_mm512_mul_ps(self.0, other.0)) }
        }

        #[inline(always)]
        fn sum(self) -> f32 {
            sum8(unsafe {
                let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)));
                _mm256_add_ps(_mm512_castps512_ps256(self.0), high)
            })
        }
    }
}

/// One step of negative sampling: `hidden` against the row of `target`, which it should resemble, and the rows of
/// `negatives`, which it should not.
pub(crate) struct Step<'a> {
    /// Input vector or mean of input vectors, (stride,).
    pub(crate) hidden: &'a [f32],
    /// Written: what `hidden` should move by, (stride,).
    pub(crate) gradient: &'a mut [f32],
    /// The output vectors, (n_tokens, stride).
    pub(crate) output: &'a mut [f32],
    pub(crate) target: u32,
    /// One that is the target is left out, as in word2vec.c.
    pub(crate) negatives: &'a [u32],
    pub(crate) rate: f32,
    pub(crate) sigmoid: &'a Sigmoid,
}

/// Moves the output vectors of a step one after the other and sums up the gradient.
pub(crate) fn learn(level: Level, step: Step<'_>) {
    match level {
        Level::Portable => learn_of_width::<Plain>(step),
        // SAFETY: the level exists only on processors that have the instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { learn_avx2(step) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { learn_avx512(step) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn learn_avx2(step: Step<'_>) {
    learn_of_width::<x86::Two>(step);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2")]
fn learn_avx512(step: Step<'_>) {
    learn_of_width::<x86::One>(step);
}

/// Widths of up to 128 numbers stay in registers for the whole step.
#[inline(always)]
fn learn_of_width<G: Group>(step: Step<'_>) {
    match step.hidden.len() / LANES {
        1 => learn_in_registers::<G, 1>(step),
        2 => learn_in_registers::<G, 2>(step),
        3 => learn_in_registers::<G, 3>(step),
        4 => learn_in_registers::<G, 4>(step),
        8 => learn_in_registers::<G, 8>(step),
        _ => learn_in_memory::<G>(step),
    }
}

#[inline(always)]
fn learn_in_registers<G: Group, const N: usize>(step: Step<'_>) {
    let Step { hidden, gradient, output, target, negatives, rate, sigmoid } = step;
    let from = hidden.as_chunks::<LANES>().0;
    let hidden: [G; N] = std::array::from_fn(|i| G::load(&from[i]));
    let mut sum = [G::splat(0.0); N];
    let rows = output.as_chunks_mut::<LANES>().0;
    let others = negatives.iter().filter(|negative| **negative != target).map(|negative| (*negative, 0.0_f32));
    for (token, wanted) in std::iter::once((target, 1.0_f32)).chain(others) {
        let row = &mut rows[token as usize * N..][..N];
        let old: [G; N] = std::array::from_fn(|i| G::load(&row[i]));
        let mut product = G::splat(0.0);
        for i in 0..N {
            product = product.add(hidden[i].mul(old[i]));
        }
        let push = G::splat((wanted - sigmoid.at(product.sum())) * rate);
        for i in 0..N {
            sum[i] = sum[i].add(push.mul(old[i]));
            old[i].add(push.mul(hidden[i])).store(&mut row[i]);
        }
    }
    for (to, sum) in gradient.as_chunks_mut::<LANES>().0.iter_mut().zip(sum) {
        sum.store(to);
    }
}

#[inline(always)]
fn learn_in_memory<G: Group>(step: Step<'_>) {
    let Step { hidden, gradient, output, target, negatives, rate, sigmoid } = step;
    gradient.fill(0.0);
    let hidden = hidden.as_chunks::<LANES>().0;
    let sum = gradient.as_chunks_mut::<LANES>().0;
    let n = hidden.len();
    let rows = output.as_chunks_mut::<LANES>().0;
    let others = negatives.iter().filter(|negative| **negative != target).map(|negative| (*negative, 0.0_f32));
    for (token, wanted) in std::iter::once((target, 1.0_f32)).chain(others) {
        let row = &mut rows[token as usize * n..][..n];
        let mut product = G::splat(0.0);
        for (hidden, row) in hidden.iter().zip(row.iter()) {
            product = product.add(G::load(hidden).mul(G::load(row)));
        }
        let push = G::splat((wanted - sigmoid.at(product.sum())) * rate);
        for ((hidden, row), sum) in hidden.iter().zip(row).zip(sum.iter_mut()) {
            let old = G::load(row);
            G::load(sum).add(push.mul(old)).store(sum);
            old.add(push.mul(G::load(hidden))).store(row);
        }
    }
}

/// The inner product in 16 running sums, folded in halves. Lengths are multiples of [`LANES`].
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut product = Plain::splat(0.0);
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        product = product.add(Plain::load(a).mul(Plain::load(b)));
    }
    product.sum()
}

/// `to += from`.
pub(crate) fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// The logistic function from a table with linear interpolation: within 3e-7 of the truth, and the same bits
/// everywhere. The table holds arguments from 0 to 16; the other half follows by symmetry.
pub(crate) struct Sigmoid(Vec<f32>);

impl Sigmoid {
    const REACH: f32 = 16.0;
    const PER_UNIT: f32 = 256.0;

    /// Fills the table.
    #[expect(clippy::cast_possible_truncation, reason = "the table is in f32, rounded once")]
    pub(crate) fn new() -> Self {
        let n = (Self::REACH * Self::PER_UNIT) as usize + 1;
        let at = |i: usize| i as f64 / f64::from(Self::PER_UNIT);
        Self((0..n).map(|i| (1.0 / (1.0 + libm::exp(-at(i)))) as f32).collect())
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the table just before")]
    fn at(&self, x: f32) -> f32 {
        let place = x.abs().min(Self::REACH) * Self::PER_UNIT;
        let below = (place as usize).min(self.0.len() - 2);
        let share = place - below as f32;
        let value = self.0[below] + share * (self.0[below + 1] - self.0[below]);
        if x < 0.0 { 1.0 - value } else { value }
    }
}

#[cfg(test)]
mod tests {
    use trailmark_core::Stream;

    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "draws are narrowed to f32")]
    fn every_level_gives_the_same_bits_at_every_width() {
        let sigmoid = Sigmoid::new();
        for groups in 1..=12 {
            let stride = groups * LANES;
            let mut draws = Stream::new(groups as u64);
            let mut fresh = |n: usize| -> Vec<f32> { (0..n).map(|_| draws.normal() as f32 / 2.0).collect() };
            let (hidden, output) = (fresh(stride), fresh(6 * stride));
            let results: Vec<Vec<u32>> = Level::all()
                .into_iter()
                .map(|level| {
                    let (mut output, mut gradient) = (output.clone(), vec![7.0; stride]);
                    for _ in 0..3 {
                        learn(
                            level,
                            Step {
                                hidden: &hidden,
                                gradient: &mut gradient,
                                output: &mut output,
                                target: 2,
                                negatives: &[0, 5, 2, 0],
                                rate: 0.1,
                                sigmoid: &sigmoid,
                            },
                        );
                    }
                    output.iter().chain(&gradient).map(|value| value.to_bits()).collect()
                })
                .collect();
            assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{stride} numbers, {:?}", Level::all());
        }
    }

    #[test]
    fn the_table_of_the_logistic_function_is_within_3e_7() {
        let table = Sigmoid::new();
        for i in -40_000..40_000 {
            let x = i as f32 / 2000.0 * 1.0007;
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(table.at(x)) - exact).abs() < 3e-7, "at {x}");
        }
    }
}
