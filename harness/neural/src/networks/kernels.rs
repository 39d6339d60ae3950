//! The arithmetic of a transformer layer as candle operations that run on the calling thread only.
//!
//! candle's own product, softmax and element-wise operations take their thread count once per process from
//! `RAYON_NUM_THREADS`, or from the machine, and meet in one global pool. Here the workers of an encoder are the
//! parallelism: each runs whole batches, so that a number depends on its batch and on nothing else. Sums over
//! features run in f64 in the order of memory. The operations have no gradient.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Error, Layout, Result, Shape};
use gemm::Parallelism;

/// The point-wise function between the two products of a feed-forward block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `x * Phi(x)` with the exact error function.
    Gelu,
    /// The tanh approximation of it.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// The names that `hidden_act` may have, for messages.
    pub(crate) const NAMES: &str = "gelu, gelu_new, gelu_pytorch_tanh, relu";

    /// Reads `hidden_act`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "gelu" => Some(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Some(Self::GeluTanh),
            "relu" => Some(Self::Relu),
            _ => None,
        }
    }

    fn apply(self, xs: &mut [f32]) {
        match self {
            Self::Gelu => xs.iter_mut().for_each(|x| *x *= 0.5 + 0.5 * erf(*x * std::f32::consts::FRAC_1_SQRT_2)),
            Self::GeluTanh => xs.iter_mut().for_each(|x| {
                let inner = (2.0 / std::f32::consts::PI).sqrt() * (*x + 0.044_715 * *x * *x * *x);
                *x *= 0.5 + 0.5 * inner.tanh();
            }),
            Self::Relu => xs.iter_mut().for_each(|x| *x = x.max(0.0)),
        }
    }
}

/// `x W^T + b`, then the activation if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    weight: Vec<f32>, // (outputs, inputs)
    bias: Vec<f32>,   // (outputs,)
    inputs: usize,
    activation: Option<Activation>,
}

impl Linear {
    /// Takes a weight, (outputs, inputs) row-major, and its bias, (outputs,).
    pub(crate) fn new(weight: Vec<f32>, bias: Vec<f32>, activation: Option<Activation>) -> Self {
        let inputs = weight.len() / bias.len().max(1);
        Self { weight, bias, inputs, activation }
    }
}

impl CustomOp1 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    /// `x`: (.., inputs). Gives (.., outputs).
    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(x, layout)?;
        let mut dims = layout.dims().to_vec();
        match dims.last_mut() {
            Some(last) if *last == self.inputs => *last = self.bias.len(),
            _ => return Err(mismatch(self.name(), layout, self.inputs)),
        }
        let (rows, outputs) = (x.len() / self.inputs, self.bias.len());
        let mut out = Vec::with_capacity(rows * outputs);
        for _ in 0..rows {
            out.extend_from_slice(&self.bias);
        }
        product(
            View { data: x, offset: 0, rows, cols: self.inputs, row_stride: self.inputs, col_stride: 1 },
            View {
                data: &self.weight,
                offset: 0,
                rows: self.inputs,
                cols: outputs,
                row_stride: 1,
                col_stride: self.inputs,
            },
            1.0,
            Target { data: &mut out, offset: 0, row_stride: outputs, add: true },
        );
        if let Some(activation) = self.activation {
            activation.apply(&mut out);
        }
        Ok((CpuStorage::F32(out), Shape::from_dims(&dims)))
    }
}

/// Layer normalisation of a sum: `(x + y - mean) / sqrt(variance + eps) * weight + bias` over the last dimension.
#[derive(Debug, Clone)]
pub(crate) struct AddNorm {
    weight: Vec<f32>, // (features,)
    bias: Vec<f32>,   // (features,)
    eps: f64,
}

impl AddNorm {
    /// Takes weight and bias, (features,) each, and what is added to the variance.
    pub(crate) fn new(weight: Vec<f32>, bias: Vec<f32>, eps: f64) -> Self {
        Self { weight, bias, eps }
    }
}

impl CustomOp2 for AddNorm {
    fn name(&self) -> &'static str {
        "add_norm"
    }

    /// `x`, `y`: (.., features). Gives (.., features).
    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, y) = (values(x, x_layout)?, values(y, y_layout)?);
        let features = self.weight.len();
        if x_layout.dims() != y_layout.dims() || x_layout.dims().last() != Some(&features) {
            return Err(mismatch(self.name(), y_layout, features));
        }
        let mut out: Vec<f32> = x.iter().zip(y).map(|(x, y)| x + y).collect();
        for row in out.chunks_exact_mut(features) {
            let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / features as f64;
            let squares = row.iter().map(|&v| (f64::from(v) - mean) * (f64::from(v) - mean)).sum::<f64>();
            let (mean, scale) = (mean as f32, (1.0 / (squares / features as f64 + self.eps).sqrt()) as f32);
            for ((v, weight), bias) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
                *v = (*v - mean) * scale * weight + bias;
            }
        }
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }
}

/// Softmax attention inside each sequence. Positions from a sequence's length on are padding: nobody attends to
/// them, and their own rows come out as zeros.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attention<'a> {
    /// (batch,) tokens of each sequence, at most seq_len.
    pub(crate) lengths: &'a [usize],
    /// Number of heads.
    pub(crate) heads: usize,
}

impl CustomOp1 for Attention<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    /// `qkv`: (batch, seq_len, 3 * hidden), queries, keys and values side by side. Gives (batch, seq_len, hidden).
    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let qkv = values(qkv, layout)?;
        let (batch, seq_len, width) = layout.shape().dims3()?;
        let hidden = width / 3;
        let head_dim = hidden / self.heads;
        if width != 3 * self.heads * head_dim
            || self.lengths.len() != batch
            || self.lengths.iter().any(|&length| length > seq_len)
        {
            return Err(mismatch(self.name(), layout, 3 * hidden));
        }
        let scale = 1.0 / (head_dim as f32).sqrt();
        let mut out = vec![0.0_f32; batch * seq_len * hidden];
        let mut scores = vec![0.0_f32; seq_len * seq_len];
        for (row, &length) in self.lengths.iter().enumerate() {
            let scores = &mut scores[..length * length];
            for head in 0..self.heads {
                let at = row * seq_len * width + head * head_dim;
                let query =
                    View { data: qkv, offset: at, rows: length, cols: head_dim, row_stride: width, col_stride: 1 };
                let key = View {
                    offset: at + hidden,
                    rows: head_dim,
                    cols: length,
                    row_stride: 1,
                    col_stride: width,
                    ..query
                };
                let value = View { offset: at + 2 * hidden, ..query };
                product(query, key, scale, Target { data: scores, offset: 0, row_stride: length, add: false });
                scores.chunks_exact_mut(length).for_each(softmax);
                let weights =
                    View { data: scores, offset: 0, rows: length, cols: length, row_stride: length, col_stride: 1 };
                let offset = row * seq_len * hidden + head * head_dim;
                product(weights, value, 1.0, Target { data: &mut out, offset, row_stride: hidden, add: false });
            }
        }
        Ok((CpuStorage::F32(out), Shape::from((batch, seq_len, hidden))))
    }
}

fn softmax(row: &mut [f32]) {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|v| *v = exp(*v - max));
    let scale = (1.0 / row.iter().map(|&v| f64::from(v)).sum::<f64>()) as f32;
    row.iter_mut().for_each(|v| *v *= scale);
}

/// `exp(x)` for `x <= 0`, to 2 units in the last place, without branches so that the compiler makes vectors of it;
/// below -87 it stays at `exp(-87)`, 1.6e-38. Reduction and polynomial after Cephes' `expf`.
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest whole number in the low bits
    let x = x.max(-87.0);
    let biased = x * std::f32::consts::LOG2_E + ROUND;
    let n = biased - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + c;
    }
    let power = f32::from_bits(biased.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23);
    (p * r * r + r + 1.0) * power
}

/// The error function, to 5e-7 absolute: Eigen's rational approximation on [-4, 4], outside of which it is within
/// 2e-8 of 1 or -1. The exact one of `libm` branches, so the compiler makes no vectors of it; it is the test's reference.
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let s = x * x;
    let mut p = -2.726_142_3e-10_f32;
    for c in [2.770_681_5e-8, -2.101_024_e-6, -5.692_506_5e-5, -7.349_906_3e-4, -2.954_6e-3, -1.609_603_4e-2] {
        p = p * s + c;
    }
    let mut q = -1.456_607_2e-5_f32;
    for c in [-2.133_740_5e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2] {
        q = q * s + c;
    }
    x * p / q
}

/// A matrix inside a slice, (rows, cols).
#[derive(Debug, Clone, Copy)]
struct View<'a> {
    data: &'a [f32],
    offset: usize,
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

/// Where a product goes, with columns side by side; `add` keeps what is there.
struct Target<'a> {
    data: &'a mut [f32],
    offset: usize,
    row_stride: usize,
    add: bool,
}

/// `target = scale * a b`, on this thread.
fn product(a: View<'_>, b: View<'_>, scale: f32, target: Target<'_>) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    let last = |view: &View<'_>| view.offset + (view.rows - 1) * view.row_stride + (view.cols - 1) * view.col_stride;
    assert!(b.rows == k && last(&a) < a.data.len() && last(&b) < b.data.len(), "a factor is inside its slice");
    assert!(n <= target.row_stride || m == 1, "the rows of a product do not overlap");
    assert!(target.offset + (m - 1) * target.row_stride + n <= target.data.len(), "a product is inside its slice");
    // SAFETY: the assertions above keep every element of the three strided matrices inside its slice, strides are
    // below the slice lengths and so fit an isize, and the target is borrowed mutably, so it overlaps no factor.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            target.data.as_mut_ptr().add(target.offset),
            1,
            target.row_stride as isize,
            target.add,
            a.data.as_ptr().add(a.offset),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr().add(b.offset),
            b.col_stride as isize,
            b.row_stride as isize,
            if target.add { 1.0 } else { 0.0 },
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The values of a contiguous f32 tensor.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&all[from..to]),
        None => Err(Error::RequiresContiguous { op: "values" }),
    }
}

fn mismatch(op: &'static str, layout: &Layout, features: usize) -> Error {
    Error::UnexpectedShape {
        msg: format!("{op} takes rows of {features} features"),
        expected: Shape::from(features),
        got: layout.shape().clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    #[test]
    fn exp_and_erf_agree_with_the_double_precision_functions() {
        for step in -8700..=0 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            assert!((f64::from(exp(x)) - expected).abs() <= 2.5e-7 * expected, "exp({x}) = {} not {expected}", exp(x));
        }
        for step in -6000..=6000 {
            let x = step as f32 / 1000.0;
            let expected = libm::erf(f64::from(x));
            assert!((f64::from(erf(x)) - expected).abs() <= 5e-7, "erf({x}) = {} not {expected}", erf(x));
        }
    }

    #[test]
    fn a_very_unlikely_key_gets_next_to_no_weight() {
        let mut row = [0.0, -1e30];
        softmax(&mut row);
        assert!(row[0] == 1.0 && (0.0..1e-37).contains(&row[1]), "{row:?}");
    }

    #[test]
    fn activations_follow_their_definitions() {
        let mut xs = [-3.0, -0.5, 0.0, 1.0, 5.0];
        Activation::Gelu.apply(&mut xs);
        // torch.nn.functional.gelu
        for (x, expected) in xs.iter().zip([-0.004_049_69, -0.154_268_77, 0.0, 0.841_344_8, 4.999_998_6]) {
            assert!((x - expected).abs() < 1e-6, "{x} is not {expected}");
        }
        let mut xs = [-3.0, -0.5, 0.0, 1.0, 5.0];
        Activation::GeluTanh.apply(&mut xs);
        for (x, expected) in xs.iter().zip([-0.003_637_39, -0.154_285_98, 0.0, 0.841_192, 4.999_999_8]) {
            assert!((x - expected).abs() < 1e-6, "{x} is not {expected}");
        }
        let mut xs = [-3.0, 2.0];
        Activation::Relu.apply(&mut xs);
        assert_eq!(xs, [0.0, 2.0]);
        assert_eq!(Activation::from_name("swish"), None);
    }

    #[test]
    fn linear_adds_its_bias_and_refuses_rows_of_another_width() {
        let linear = Linear::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![10.0, 20.0, 30.0], None);
        let x = Tensor::from_vec(vec![1.0_f32, 1.0, 2.0, 0.0], (2, 2), &Device::Cpu).unwrap();
        let y = x.apply_op1_no_bwd(&linear).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(y, [[13.0, 27.0, 41.0], [12.0, 26.0, 40.0]]);
        let wide = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let message = wide.apply_op1_no_bwd(&linear).unwrap_err().to_string();
        assert!(message.contains("linear takes rows of 2 features"), "{message}");
    }

    #[test]
    fn a_constant_row_normalises_to_the_bias() {
        let norm = AddNorm::new(vec![2.0, 2.0], vec![0.5, -0.5], 1e-12);
        let x = Tensor::from_vec(vec![3.0_f32, 3.0, 1.0, 3.0], (2, 2), &Device::Cpu).unwrap();
        let y = x.apply_op2_no_bwd(&x, &norm).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(y, [[0.5, -0.5], [-1.5, 1.5]]);
    }
}
