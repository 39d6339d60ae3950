//! What is done to each row between two products: activations, layer norms, softmax, sums.
//!
//! Written over fixed lanes of [`LANES`] values, so that the compiler makes vectors of them and every vector unit adds
//! in one order.

use super::per_width;

/// Values that a sum keeps apart until its end.
const LANES: usize = 16;

/// The point-wise function between the two products of a feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x * Phi(x)` with the exact error function.
    Gelu,
    /// The tanh approximation of it.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// The names that a `config.json` may use, for messages.
    pub(crate) const NAMES: &str = "gelu, gelu_new, gelu_pytorch_tanh, relu";

    /// Reads such a name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "gelu" => Some(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Some(Self::GeluTanh),
            "relu" => Some(Self::Relu),
            _ => None,
        }
    }
}

per_width! {
    /// Applies an activation to every value.
    pub(crate) fn activate(activation: Activation, xs: &mut [f32]) {
        match activation {
            Activation::Gelu => xs.iter_mut().for_each(|x| *x = gelu(*x)),
            Activation::GeluTanh => xs.iter_mut().for_each(|x| *x = gelu_tanh(*x)),
            Activation::Relu => xs.iter_mut().for_each(|x| *x = x.max(0.0)),
        }
    }
}

per_width! {
    /// `gate_and_value`: (rows, 2 * features). Writes `activation(gate) * value`, (rows, features).
    pub(crate) fn gate(activation: Activation, gate_and_value: &[f32], features: usize, out: &mut [f32]) {
        for (row, out) in gate_and_value.chunks_exact(2 * features).zip(out.chunks_exact_mut(features)) {
            let (gate, value) = row.split_at(features);
            let values = gate.iter().zip(value).zip(out);
            match activation {
                Activation::Gelu => values.for_each(|((&gate, value), out)| *out = gelu(gate) * value),
                Activation::GeluTanh => values.for_each(|((&gate, value), out)| *out = gelu_tanh(gate) * value),
                Activation::Relu => values.for_each(|((&gate, value), out)| *out = gate.max(0.0) * value),
            }
        }
    }
}

per_width! {
    /// `x += y`.
    pub(crate) fn add(x: &mut [f32], y: &[f32]) {
        x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
    }
}

/// Weight and bias of a layer norm, (features,) each.
#[derive(Debug, Clone)]
pub(crate) struct Norm {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
    pub(crate) eps: f64,
}

per_width! {
    /// `x = norm(x + y)` row by row: `(x - mean) / sqrt(variance + eps) * weight + bias`.
    pub(crate) fn add_norm(norm: &Norm, x: &mut [f32], y: &[f32]) {
        let features = norm.weight.len();
        for (x, y) in x.chunks_exact_mut(features).zip(y.chunks_exact(features)) {
            x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
            normalise(norm, x);
        }
    }
}

per_width! {
    /// `x = norm(x)` row by row.
    pub(crate) fn layer_norm(norm: &Norm, x: &mut [f32]) {
        x.chunks_exact_mut(norm.weight.len()).for_each(|row| normalise(norm, row));
    }
}

per_width! {
    /// T5's norm, row by row: `x / sqrt(mean(x^2) + eps) * weight`.
    pub(crate) fn rms_norm(weight: &[f32], eps: f64, x: &mut [f32]) {
        for row in x.chunks_exact_mut(weight.len()) {
            let squares = sum(row, |v| f64::from(v) * f64::from(v));
            let scale = (1.0 / (squares / row.len() as f64 + eps).sqrt()) as f32;
            row.iter_mut().zip(weight).for_each(|(v, weight)| *v = *v * scale * weight);
        }
    }
}

#[inline(always)]
fn normalise(norm: &Norm, row: &mut [f32]) {
    let features = row.len() as f64;
    let mean = sum(row, f64::from) / features;
    let squares = sum(row, |v| (f64::from(v) - mean) * (f64::from(v) - mean));
    let (mean, scale) = (mean as f32, (1.0 / (squares / features + norm.eps).sqrt()) as f32);
    for ((v, weight), bias) in row.iter_mut().zip(&norm.weight).zip(&norm.bias) {
        *v = ((*v - mean) * scale).mul_add(*weight, *bias);
    }
}

/// The sum of `of(value)` in double precision, in [`LANES`] interleaved parts.
#[inline(always)]
fn sum(values: &[f32], of: impl Fn(f32) -> f64) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, &value)| *lane += of(value));
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, &value)| *lane += of(value));
    folded(lanes, |a, b| a + b)
}

/// Lanes into one, by halves. Written out: over a list of halves the compiler keeps the lanes in memory.
#[inline(always)]
fn folded<T: Copy>(mut lanes: [T; LANES], of: impl Fn(T, T) -> T) -> T {
    for at in 0..8 {
        lanes[at] = of(lanes[at], lanes[at + 8]);
    }
    for at in 0..4 {
        lanes[at] = of(lanes[at], lanes[at + 4]);
    }
    of(of(lanes[0], lanes[2]), of(lanes[1], lanes[3]))
}

/// The keys that a tile of score rows may look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// Rows in the tile.
    pub(crate) rows: usize,
    /// Keys of the first row.
    pub(crate) keys: usize,
    /// 1 where each further row sees one key more (a causal mask), else 0.
    pub(crate) step: usize,
}

per_width! {
    /// Softmax of `scale * score` over the keys in reach of each row of `scores`, (rows, stride); zeros beyond. The
    /// stride is in whole lanes, so that no row has an odd end.
    pub(crate) fn softmax(scores: &mut [f32], stride: usize, reach: Reach, scale: f32) {
        // Row by row each step would wait for the sum over the row before it; over some rows at a time it does not.
        let mut first = 0;
        for scores in scores[..reach.rows * stride].chunks_mut(LANES * stride) {
            let mut folds = [0.0_f32; LANES];
            for ((row, max), keys) in scores.chunks_exact_mut(stride).zip(&mut folds).zip(keys_of(reach, first)) {
                let (chunks, _) = row.as_chunks_mut::<LANES>();
                set_beyond(chunks, keys, f32::NEG_INFINITY);
                let mut lanes = [f32::NEG_INFINITY; LANES];
                for chunk in chunks.iter() {
                    lanes.iter_mut().zip(chunk).for_each(|(lane, &v)| *lane = if v > *lane { v } else { *lane });
                }
                *max = folded(lanes, |a, b| if a > b { a } else { b });
            }
            for (row, fold) in scores.chunks_exact_mut(stride).zip(&mut folds) {
                let (chunks, _) = row.as_chunks_mut::<LANES>();
                let mut lanes = [0.0_f32; LANES];
                for chunk in chunks {
                    for (lane, v) in lanes.iter_mut().zip(chunk) {
                        // Beyond reach this adds exp(-87), which no sum of at least 1 can hold.
                        *v = exp(scale * (*v - *fold));
                        *lane += *v;
                    }
                }
                *fold = folded(lanes, |a, b| a + b);
            }
            folds.iter_mut().for_each(|sum| *sum = 1.0 / *sum);
            for ((row, scale), keys) in scores.chunks_exact_mut(stride).zip(&folds).zip(keys_of(reach, first)) {
                let (chunks, _) = row.as_chunks_mut::<LANES>();
                // First the zeros: exp(-87) times less than 1 is not a normal number, and takes the processor long.
                set_beyond(chunks, keys, 0.0);
                for chunk in chunks {
                    chunk.iter_mut().for_each(|v| *v *= scale);
                }
            }
            first += LANES;
        }
    }
}

/// Keys in reach of each row from `first` on.
#[inline(always)]
fn keys_of(reach: Reach, first: usize) -> impl Iterator<Item = usize> {
    (first..).map(move |at| reach.keys + at * reach.step)
}

/// Sets the values from `keys` on. By comparing lanes, because a fill of an odd length is a call, which costs more than
/// the rest of the row.
#[inline(always)]
fn set_beyond(chunks: &mut [[f32; LANES]], keys: usize, value: f32) {
    const NUMBERS: [i32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    let full = keys / LANES;
    let Some((ending, beyond)) = chunks[full..].split_first_mut() else { return };
    let within = (keys % LANES) as i32;
    let mut kept = [value; LANES];
    for ((kept, v), number) in kept.iter_mut().zip(ending.iter()).zip(NUMBERS) {
        *kept = if number < within { *v } else { *kept };
    }
    *ending = kept;
    beyond.iter_mut().for_each(|chunk| *chunk = [value; LANES]);
}

per_width! {
    /// Adds a bias by distance: row `at` of `scores`, (rows, stride), gets `bias[first - at..]`.
    pub(crate) fn add_diagonal(scores: &mut [f32], stride: usize, rows: usize, keys: usize, bias: &[f32], first: usize) {
        for (at, row) in scores.chunks_exact_mut(stride).take(rows).enumerate() {
            let bias = &bias[first - at..][..keys];
            row[..keys].iter_mut().zip(bias).for_each(|(score, bias)| *score += bias);
        }
    }
}

/// `exp(x)` to 2 units in the last place, without branches so that the compiler makes vectors of it; `x` is held
/// within -87 and 87, where the result is a normal number. Reduction and polynomial after Cephes' `expf`.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest whole number in the low bits
    let x = x.clamp(-87.0, 87.0);
    let biased = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = biased - ROUND;
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x));
    let mut p = 1.987_569_1e-4_f32;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p.mul_add(r, c);
    }
    let power = f32::from_bits(biased.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23);
    (p * r).mul_add(r, r + 1.0) * power
}

/// The error function, to 3.5e-7 absolute: Eigen's rational approximation on [-4, 4], outside of which it is within
/// 2e-8 of 1 or -1.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let s = x * x;
    let mut p = -2.726_142_3e-10_f32;
    for c in [2.770_681_5e-8, -2.101_024_e-6, -5.692_506_5e-5, -7.349_906_3e-4, -2.954_6e-3, -1.609_603_4e-2] {
        p = p.mul_add(s, c);
    }
    let mut q = -1.456_607_2e-5_f32;
    for c in [-2.133_740_5e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2] {
        q = q.mul_add(s, c);
    }
    x * p / q
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    let half = 0.5 * x;
    half.mul_add(erf(x * std::f32::consts::FRAC_1_SQRT_2), half)
}

/// `0.5 x (1 + tanh(u))`, `u = sqrt(2 / pi) (x + 0.044715 x^3)`, which is `x / (1 + exp(-2 u))`.
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    const TWICE_ROOT: f32 = 1.595_769; // 2 sqrt(2 / pi)
    let u = TWICE_ROOT * (0.044_715 * x * x).mul_add(x, x);
    x / (1.0 + exp(-u))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Width;

    fn values(n: usize) -> Vec<f32> {
        (0..n).map(|at| ((at * 2_654_435_761) % 1_000_003) as f32 / 100_000.0 - 5.0).collect()
    }

    #[test]
    fn exp_and_erf_agree_with_the_double_precision_functions() {
        for step in -8700..=8700 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            assert!((f64::from(exp(x)) - expected).abs() <= 2.5e-7 * expected, "exp({x}) = {} not {expected}", exp(x));
        }
        let mut worst = 0.0_f64;
        for step in -6000..=6000 {
            let x = step as f32 / 1000.0;
            worst = worst.max((f64::from(erf(x)) - libm::erf(f64::from(x))).abs());
        }
        assert!(worst <= 3.5e-7, "erf is off by {worst:e}");
    }

    #[test]
    fn activations_agree_with_their_definitions_in_double_precision() {
        let xs = values(4001);
        for (activation, exact) in [
            (Activation::Gelu, (|x: f64| 0.5 * x * (1.0 + libm::erf(x / 2.0_f64.sqrt()))) as fn(f64) -> f64),
            (Activation::GeluTanh, |x| {
                0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x)).tanh())
            }),
            (Activation::Relu, |x| x.max(0.0)),
        ] {
            let mut ys = xs.clone();
            activate(Width::detect(), activation, &mut ys);
            for (x, y) in xs.iter().zip(ys) {
                let expected = exact(f64::from(*x));
                assert!((f64::from(y) - expected).abs() < 1e-6, "{activation:?}({x}) = {y}, not {expected}");
            }
        }
        assert_eq!(Activation::from_name("swish"), None);
    }

    #[test]
    fn every_vector_width_gives_the_same_bits() {
        let norm = Norm { weight: values(77), bias: values(77), eps: 1e-12 };
        let all = |width: Width| {
            let mut results = Vec::new();
            for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
                let mut xs = values(333);
                activate(width, activation, &mut xs);
                results.push(xs);
                let mut out = vec![0.0; 3 * 37];
                gate(width, activation, &values(6 * 37), 37, &mut out);
                results.push(out);
            }
            let mut xs = values(3 * 77);
            add_norm(width, &norm, &mut xs, &values(3 * 77 + 1)[1..]);
            layer_norm(width, &norm, &mut xs[..77]);
            rms_norm(width, &norm.weight, 1e-6, &mut xs[77..154]);
            add(width, &mut xs[..77], &norm.bias);
            results.push(xs);
            let mut xs = values(3 * 64);
            add_diagonal(width, &mut xs, 64, 3, 45, &norm.weight, 5);
            softmax(width, &mut xs, 64, Reach { rows: 3, keys: 40, step: 1 }, 0.3);
            results.push(xs);
            results
        };
        let expected = all(Width::Portable);
        for width in Width::available() {
            assert_eq!(all(width), expected, "{width:?}");
        }
    }

    #[test]
    fn softmax_gives_next_to_no_weight_to_an_unlikely_key_and_none_beyond_reach() {
        let mut scores = [9.0; 32];
        scores[..2].copy_from_slice(&[0.0, -1e30]);
        scores[16..19].copy_from_slice(&[1.0, 1.0, 7.0]);
        softmax(Width::detect(), &mut scores, 16, Reach { rows: 2, keys: 2, step: 1 }, 1.0);
        let (first, second) = scores.split_at(16);
        assert!(first[0] == 1.0 && (0.0..1e-37).contains(&first[1]), "{first:?}");
        assert!((second[..3].iter().sum::<f32>() - 1.0).abs() < 1e-6 && second[0] == second[1], "{second:?}");
        assert!(first[2..].iter().chain(&second[3..]).all(|&v| v == 0.0), "{scores:?}");
    }

    #[test]
    fn a_constant_row_normalises_to_the_bias() {
        let norm = Norm { weight: vec![2.0, 2.0], bias: vec![0.5, -0.5], eps: 1e-12 };
        let mut x = [3.0, 3.0, 1.0, 3.0];
        add_norm(Width::detect(), &norm, &mut x, &[3.0, 3.0, 1.0, 3.0]);
        assert_eq!(x, [0.5, -0.5, -1.5, 1.5]);
    }
}
