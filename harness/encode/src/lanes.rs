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
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// The lesser; `other` where either is not a number.
    fn min(self, other: Self) -> Self;
    /// The greater; `other` where either is not a number.
    fn max(self, other: Self) -> Self;
    /// Times 2 to the power that the low bits of `power` hold.
    fn scale(self, power: Self) -> Self;
    /// Folded in halves: lane i and lane i + 8, then i + 4, i + 2, i + 1.
    fn sum(self) -> f32;

    /// Two sums.
    #[inline(always)]
    fn sums(self, other: Self) -> (f32, f32) {
        (self.sum(), other.sum())
    }
}

#[derive(Clone, Copy)]
struct Plain([f32; LANES]);

impl Plain {
    #[inline(always)]
    fn with(mut self, other: Self, operation: impl Fn(f32, f32) -> f32) -> Self {
        for lane in 0..LANES {
            self.0[lane] = operation(self.0[lane], other.0[lane]);
        }
        self
    }
}

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
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.with(other, |a, b| a / b)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.with(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.with(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn scale(self, power: Self) -> Self {
        self.with(power, |a, b| f32::from_bits(a.to_bits().wrapping_add(b.to_bits() << 23)))
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

    #[inline(always)]
    fn scale8(values: __m256, power: __m256) -> __m256 {
        // SAFETY: reached only from functions that enable AVX2.
        unsafe {
            let power = _mm256_slli_epi32::<23>(_mm256_castps_si256(power));
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(values), power))
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
        fn sub(self, other: Self) -> Self {
            unsafe { Self(_mm256_sub_ps(self.0, other.0), _mm256_sub_ps(self.1, other.1)) }
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            unsafe { Self(_mm256_div_ps(self.0, other.0), _mm256_div_ps(self.1, other.1)) }
        }

        #[inline(always)]
        fn min(self, other: Self) -> Self {
            unsafe { Self(_mm256_min_ps(self.0, other.0), _mm256_min_ps(self.1, other.1)) }
        }

        #[inline(always)]
        fn max(self, other: Self) -> Self {
            unsafe { Self(_mm256_max_ps(self.0, other.0), _mm256_max_ps(self.1, other.1)) }
        }

        #[inline(always)]
        fn scale(self, power: Self) -> Self {
            Self(scale8(self.0, power.0), scale8(self.1, power.1))
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
        fn sub(self, other: Self) -> Self {
            unsafe { Self(_mm512_sub_ps(self.0, other.0)) }
        }

        #[inline(always)]
        fn div(self, other: Self) -> Self {
            unsafe { Self(_mm512_div_ps(self.0, other.0)) }
        }

        #[inline(always)]
        fn min(self, other: Self) -> Self {
            unsafe { Self(_mm512_min_ps(self.0, other.0)) }
        }

        #[inline(always)]
        fn max(self, other: Self) -> Self {
            unsafe { Self(_mm512_max_ps(self.0, other.0)) }
        }

        #[inline(always)]
        fn scale(self, power: Self) -> Self {
            unsafe {
                let power = _mm512_slli_epi32::<23>(_mm512_castps_si512(power.0));
                Self(_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(self.0), power)))
            }
        }

        #[inline(always)]
        fn sum(self) -> f32 {
            sum8(unsafe {
                let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)));
                _mm256_add_ps(_mm512_castps512_ps256(self.0), high)
            })
        }

        /// Both are folded side by side, each in half a register.
        #[inline(always)]
        fn sums(self, other: Self) -> (f32, f32) {
            unsafe {
                let low = _mm512_shuffle_f32x4::<0b01_00_01_00>(self.0, other.0);
                let high = _mm512_shuffle_f32x4::<0b11_10_11_10>(self.0, other.0);
                let eight = _mm512_add_ps(low, high);
                let four = _mm512_add_ps(eight, _mm512_shuffle_f32x4::<0b10_11_00_01>(eight, eight));
                let two = _mm512_add_ps(four, _mm512_permute_ps::<0b01_00_11_10>(four));
                let one = _mm512_add_ps(two, _mm512_permute_ps::<0b10_11_00_01>(two));
                let second = _mm512_extractf32x4_ps::<2>(one);
                (_mm512_cvtss_f32(one), _mm_cvtss_f32(second))
            }
        }
    }
}

/// Input vectors that learn together at most: those of a block share a target and its negatives, and each row of output
/// vectors is read and written once for all of them. Longer windows are several blocks, so that the sum of a block's
/// moves stays small.
pub(crate) const BLOCK: usize = 16;

/// One step of negative sampling: input vectors against the output vector of `target`, which they should resemble, and
/// those of `negatives`, which they should not.
pub(crate) struct Step<'a> {
    /// The input vectors, (n_tokens, stride).
    pub(crate) input: &'a mut [f32],
    /// The output vectors, (n_tokens, stride).
    pub(crate) output: &'a mut [f32],
    /// Tokens whose input vectors learn, at least one; at most [`BLOCK`] unless joined.
    pub(crate) inputs: &'a [u32],
    /// CBOW: the mean of the input vectors learns, and each of them moves by the whole gradient.
    pub(crate) joined: bool,
    pub(crate) target: u32,
    /// One that is the target is left out, as in word2vec.c.
    pub(crate) negatives: &'a [u32],
    pub(crate) rate: f32,
    pub(crate) scratch: &'a mut Scratch,
}

/// Output vectors that are handled together at most.
const ROWS: usize = 8;

/// Room for the vectors of one step.
pub(crate) struct Scratch {
    stride: usize,
    hidden: Vec<f32>,   // (BLOCK, stride)
    gradient: Vec<f32>, // (BLOCK, stride)
    old: Vec<f32>,      // (ROWS, stride)
    tokens: Vec<u32>,   // (1 + n_negatives,) at most
}

impl Scratch {
    /// For vectors of `stride` numbers, a multiple of [`LANES`].
    pub(crate) fn new(stride: usize) -> Self {
        let room = |rows: usize| vec![0.0; rows * stride];
        Self { stride, hidden: room(BLOCK), gradient: room(BLOCK), old: room(ROWS), tokens: Vec::new() }
    }
}

/// Moves the output vectors of a step one after the other, each by the sum over the inputs, and then the input vectors,
/// each by the sum over the outputs.
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

/// Usual widths are unrolled.
#[inline(always)]
fn learn_of_width<G: Group>(step: Step<'_>) {
    match step.scratch.stride / LANES {
        1 => learn_in_groups::<G>(step, 1),
        2 => learn_in_groups::<G>(step, 2),
        4 => learn_in_groups::<G>(step, 4),
        8 => learn_in_groups::<G>(step, 8),
        n => learn_in_groups::<G>(step, n),
    }
}

/// `n` is the number of groups in a row.
#[inline(always)]
fn learn_in_groups<G: Group>(step: Step<'_>, n: usize) {
    let Step { input, output, inputs, joined, target, negatives, rate, scratch } = step;
    let Scratch { hidden, gradient, old, tokens, .. } = scratch;
    let (hidden, gradient) = gather::<G>(input, inputs, joined, [hidden, gradient], n);
    let n_inputs = hidden.len() / n;
    let rows = output.as_chunks_mut::<LANES>().0;
    let old = old.as_chunks_mut::<LANES>().0;
    tokens.clear();
    tokens.push(target);
    tokens.extend(negatives.iter().filter(|negative| **negative != target));
    let mut at = 0;
    while at < tokens.len() {
        // Different rows do not see each other, so they are handled together; one drawn again sees what it became.
        let mut end = at + 1;
        while end < tokens.len() && end < at + ROWS && !tokens[at..end].contains(&tokens[end]) {
            end += 1;
        }
        let together = &tokens[at..end];
        let mut pushes = [[0.0_f32; LANES]; ROWS * BLOCK / LANES]; // (together, n_inputs), then padding
        let flat = pushes.as_flattened_mut();
        for ((&token, old), products) in
            together.iter().zip(old.chunks_exact_mut(n)).zip(flat.chunks_exact_mut(n_inputs))
        {
            multiply::<G>(&rows[token as usize * n..][..n], old, hidden, products);
        }
        let mut wanted = [[0.0_f32; LANES]; ROWS * BLOCK / LANES];
        if at == 0 {
            wanted.as_flattened_mut()[..n_inputs].fill(1.0);
        }
        let n_used = (together.len() * n_inputs).div_ceil(LANES);
        for (push, wanted) in pushes.iter_mut().zip(&wanted).take(n_used) {
            let missing = G::load(wanted).sub(sigmoid(G::load(push)));
            missing.mul(G::splat(rate)).store(push);
        }
        let pushes = &pushes.as_flattened()[..together.len() * n_inputs];
        let mut update = Update { rows, old, hidden, gradient, tokens: together, pushes, n };
        let mut from = 0;
        while from + 4 <= n {
            update.groups::<G, 4>(from);
            from += 4;
        }
        while from + 2 <= n {
            update.groups::<G, 2>(from);
            from += 2;
        }
        if from < n {
            update.groups::<G, 1>(from);
        }
        at = end;
    }
    scatter::<G>(input, inputs, joined, gradient, n);
}

/// The inner products of a row with all inputs, and a copy of the row.
#[inline(always)]
fn multiply<G: Group>(row: &[[f32; LANES]], old: &mut [[f32; LANES]], hidden: &[[f32; LANES]], products: &mut [f32]) {
    let n = row.len();
    for (to, from) in old.iter_mut().zip(row) {
        G::load(from).store(to);
    }
    let (pairs, last) = products.as_chunks_mut::<2>();
    let mut inputs = hidden.chunks_exact(2 * n);
    for (products, inputs) in pairs.iter_mut().zip(&mut inputs) {
        let (mut first, mut second) = (G::splat(0.0), G::splat(0.0));
        for ((row, a), b) in row.iter().zip(&inputs[..n]).zip(&inputs[n..]) {
            let row = G::load(row);
            first = first.add(G::load(a).mul(row));
            second = second.add(G::load(b).mul(row));
        }
        (products[0], products[1]) = first.sums(second);
    }
    if let [product] = last {
        let mut sum = G::splat(0.0);
        for (row, input) in row.iter().zip(inputs.remainder()) {
            sum = sum.add(G::load(input).mul(G::load(row)));
        }
        *product = sum.sum();
    }
}

/// What moves when the pushes of some different rows are known.
struct Update<'a> {
    rows: &'a mut [[f32; LANES]],     // (n_tokens, n)
    old: &'a [[f32; LANES]],          // (tokens, n)
    hidden: &'a [[f32; LANES]],       // (n_inputs, n)
    gradient: &'a mut [[f32; LANES]], // (n_inputs, n)
    tokens: &'a [u32],
    pushes: &'a [f32], // (tokens, n_inputs)
    n: usize,
}

impl Update<'_> {
    /// `W` groups of every gradient and row, from group `from` on.
    #[inline(always)]
    fn groups<G: Group, const W: usize>(&mut self, from: usize) {
        let Self { rows, old, hidden, gradient, tokens, pushes, n } = self;
        let n_inputs = hidden.len() / *n;
        for (i, gradient) in gradient.chunks_exact_mut(*n).enumerate() {
            let gradient = &mut gradient[from..from + W];
            let mut sum = [G::splat(0.0); W];
            for j in 0..W {
                sum[j] = G::load(&gradient[j]);
            }
            for (pushes, old) in pushes.chunks_exact(n_inputs).zip(old.chunks_exact(*n)) {
                let (push, old) = (G::splat(pushes[i]), &old[from..from + W]);
                for j in 0..W {
                    sum[j] = sum[j].add(push.mul(G::load(&old[j])));
                }
            }
            for j in 0..W {
                sum[j].store(&mut gradient[j]);
            }
        }
        for ((&token, old), pushes) in tokens.iter().zip(old.chunks_exact(*n)).zip(pushes.chunks_exact(n_inputs)) {
            let old = &old[from..from + W];
            let mut new = [G::splat(0.0); W];
            for j in 0..W {
                new[j] = G::load(&old[j]);
            }
            for (push, hidden) in pushes.iter().zip(hidden.chunks_exact(*n)) {
                let (push, hidden) = (G::splat(*push), &hidden[from..from + W]);
                for j in 0..W {
                    new[j] = new[j].add(push.mul(G::load(&hidden[j])));
                }
            }
            let row = &mut rows[token as usize * *n + from..][..W];
            for j in 0..W {
                new[j].store(&mut row[j]);
            }
        }
    }
}

/// The logistic function, within 3e-7 of the truth: `1 / (1 + exp(-x))` with the exponential of Cephes (Moshier), from
/// additions and multiplications alone. Arguments beyond 30 count as 30; what is not a number counts as -30.
#[inline(always)]
fn sigmoid<G: Group>(x: G) -> G {
    /// Adding it leaves the nearest whole number in the low bits.
    const ROUNDER: f32 = 12_582_912.0;
    let limit = |x: G| x.max(G::splat(-30.0)).min(G::splat(30.0));
    let x = G::splat(0.0).sub(limit(x));
    let rounded = x.mul(G::splat(std::f32::consts::LOG2_E)).add(G::splat(ROUNDER));
    let power = rounded.sub(G::splat(ROUNDER));
    // The logarithm of 2 in two parts, the first of few bits, so that its product with a small whole number is exact.
    let rest = x.sub(power.mul(G::splat(0.693_359_4))).add(power.mul(G::splat(2.121_944_4e-4)));
    let mut series = G::splat(1.987_569_1e-4);
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        series = series.mul(rest).add(G::splat(coefficient));
    }
    let exponential = series.mul(rest.mul(rest)).add(rest).add(G::splat(1.0)).scale(rounded);
    G::splat(1.0).div(exponential.add(G::splat(1.0)))
}

/// Copies of the input vectors, or their mean, and as many gradients of zero.
#[inline(always)]
fn gather<'a, G: Group>(
    input: &[f32],
    inputs: &[u32],
    joined: bool,
    [hidden, gradient]: [&'a mut Vec<f32>; 2],
    n: usize,
) -> (&'a [[f32; LANES]], &'a mut [[f32; LANES]]) {
    let rows = input.as_chunks::<LANES>().0;
    let hidden = hidden.as_chunks_mut::<LANES>().0;
    let n_hidden = if joined {
        let share = G::splat(1.0 / inputs.len() as f32);
        for (i, to) in hidden[..n].iter_mut().enumerate() {
            let mut sum = G::splat(0.0);
            for &token in inputs {
                sum = sum.add(G::load(&rows[token as usize * n + i]));
            }
            sum.mul(share).store(to);
        }
        1
    } else {
        for (&token, to) in inputs.iter().zip(hidden.chunks_exact_mut(n)) {
            for (to, from) in to.iter_mut().zip(&rows[token as usize * n..][..n]) {
                G::load(from).store(to);
            }
        }
        inputs.len()
    };
    let gradient = &mut gradient.as_chunks_mut::<LANES>().0[..n_hidden * n];
    gradient.iter_mut().for_each(|to| G::splat(0.0).store(to));
    (&hidden[..n_hidden * n], gradient)
}

/// Moves the input vectors, each by its gradient or all by the one of their mean.
#[inline(always)]
fn scatter<G: Group>(input: &mut [f32], inputs: &[u32], joined: bool, gradient: &[[f32; LANES]], n: usize) {
    let rows = input.as_chunks_mut::<LANES>().0;
    for (i, &token) in inputs.iter().enumerate() {
        let from = if joined { 0 } else { i * n };
        for (to, from) in rows[token as usize * n..][..n].iter_mut().zip(&gradient[from..][..n]) {
            G::load(to).add(G::load(from)).store(to);
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

#[cfg(test)]
mod tests {
    use trailmark_core::Stream;

    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "draws are narrowed to f32")]
    fn every_level_gives_the_same_bits_at_every_width() {
        let many: Vec<u32> = (0..16).map(|i| i % 6).collect();
        for groups in 1..=12 {
            let stride = groups * LANES;
            for (inputs, joined) in [(&[3][..], false), (&[1, 4, 1], false), (&many, false), (&many[..5], true)] {
                let mut draws = Stream::new(groups as u64);
                let mut fresh = |n: usize| -> Vec<f32> { (0..n).map(|_| draws.normal() as f32 / 2.0).collect() };
                let start = [fresh(6 * stride), fresh(6 * stride)];
                let results: Vec<Vec<u32>> = Level::all()
                    .into_iter()
                    .map(|level| {
                        let [mut input, mut output] = start.clone();
                        let mut scratch = Scratch::new(stride);
                        for _ in 0..3 {
                            let step = Step {
                                input: &mut input,
                                output: &mut output,
                                inputs,
                                joined,
                                target: 2,
                                negatives: &[0, 5, 2, 0, 1, 3, 4, 5, 1, 0],
                                rate: 0.1,
                                scratch: &mut scratch,
                            };
                            learn(level, step);
                        }
                        input.iter().chain(&output).map(|value| value.to_bits()).collect()
                    })
                    .collect();
                let what = format!("{stride} numbers, {inputs:?}, {:?}", Level::all());
                assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{what}");
                let before: Vec<u32> = start.iter().flatten().map(|value| value.to_bits()).collect();
                assert_ne!(results[0], before, "something moved: {what}");
            }
        }
    }

    #[test]
    fn the_logistic_function_is_within_3e_7() {
        for i in -40_000..40_000 {
            let x = i as f32 / 1000.0 * 1.0007;
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            let Plain(got) = sigmoid(Plain::splat(x));
            assert!((f64::from(got[0]) - exact).abs() < 3e-7, "at {x}: {} {exact}", got[0]);
        }
        let Plain(ends) =
            sigmoid(Plain(std::array::from_fn(|i| if i % 2 == 0 { f32::INFINITY } else { f32::NEG_INFINITY })));
        assert!(ends[0] == 1.0 && ends[1] < 1e-12, "{ends:?}");
    }
}
