//! Networks on candle's building blocks.

pub(crate) mod bert;
pub(crate) mod gpt2;

use candle_core::{DType, Device, Error, Result, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Activation, Init, VarBuilder};
use trailmark_core::Failure;
use trailmark_transformer::checkpoint::{CheckpointError, Weights};

/// A checkpoint as candle's layers ask for it.
struct Checkpoint<'a> {
    weights: &'a Weights,
    prefix: &'static str,
}

impl SimpleBackend for Checkpoint<'_> {
    fn get(&self, shape: Shape, name: &str, _: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        let values = self.weights.take(name, self.prefix, shape.dims()).map_err(Error::wrap)?;
        Tensor::from_vec(values, shape, device)?.to_dtype(dtype)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        Err(Error::Msg(format!("tensor {name:?} is asked for without a shape")))
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.weights.has(name, self.prefix)
    }
}

/// The tensors of a checkpoint, on the processor in f32.
fn builder<'a>(weights: &'a Weights, prefix: &'static str) -> VarBuilder<'a> {
    VarBuilder::from_backend(Box::new(Checkpoint { weights, prefix }), DType::F32, Device::Cpu)
}

/// A refusal in the words of the checkpoint, where they are its own.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn refused(error: Error) -> CheckpointError {
    CheckpointError::Engine(error.to_string())
}

/// candle's activation; its `Gelu` is the exact one, `NewGelu` the tanh form.
fn activation(activation: trailmark_transformer::Activation) -> Activation {
    match activation {
        trailmark_transformer::Activation::Gelu => Activation::Gelu,
        trailmark_transformer::Activation::GeluTanh => Activation::NewGelu,
        trailmark_transformer::Activation::Relu => Activation::Relu,
    }
}

/// Multi-head attention of one text: `q`, `k`, `v` (length, hidden), `mask` (length, length) added to the scores.
fn attend(q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, scale: f64, mask: Option<&Tensor>) -> Result<Tensor> {
    let (length, hidden) = q.dims2()?;
    let split = |x: &Tensor| x.reshape((length, heads, hidden / heads))?.transpose(0, 1)?.contiguous();
    let mut scores = (split(q)?.matmul(&split(k)?.t()?)? * scale)?;
    if let Some(mask) = mask {
        scores = scores.broadcast_add(mask)?;
    }
    let weights = candle_nn::ops::softmax_last_dim(&scores)?;
    weights.matmul(&split(v)?)?.transpose(0, 1)?.contiguous()?.reshape((length, hidden))
}

/// Shows one hidden state of all texts, one after the other.
fn show_all(states: &[Tensor], at: usize, show: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
    let together = Tensor::cat(states, 0)?.flatten_all()?.to_vec1::<f32>()?;
    show(at, &together);
    Ok(())
}

/// An operation of candle that failed, which is a broken invariant of ours.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn bug(error: Error) -> Failure {
    Failure::bug(format!("the forward pass failed: {error}"))
}

/// Bytes of one text on its way, generously: candle keeps every result until it is used.
fn text_bytes(longest: usize, hidden: usize, inner: usize, heads: usize) -> u64 {
    4 * (longest * (10 * hidden + 3 * inner) + 3 * heads * longest * longest) as u64
}
