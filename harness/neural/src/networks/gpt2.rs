//! GPT-2 (Radford et al. 2019) on candle, one text at a time.

use candle_core::{Device, Result, Tensor};
use candle_nn::{Activation, Embedding, LayerNorm, Linear, Module, VarBuilder, embedding, layer_norm};
use trailmark_core::Failure;
use trailmark_transformer::checkpoint::{CheckpointError, Weights};
use trailmark_transformer::{Gpt2Config, Network, Workspace};

use super::{activation, attend, bug, builder, refused, show_all, text_bytes};

/// The network.
#[derive(Debug)]
pub struct Gpt2 {
    words: Embedding,
    positions: Embedding,
    layers: Vec<Layer>,
    norm: LayerNorm,
    config: Gpt2Config,
}

#[derive(Debug)]
struct Layer {
    attention_norm: LayerNorm,
    qkv: Linear,
    attended: Linear,
    norm: LayerNorm,
    up: Linear,
    down: Linear,
    activation: Activation,
    heads: usize,
    scale: f64,
}

/// GPT-2 keeps its weights (inputs, outputs).
fn conv1d(inputs: usize, outputs: usize, tensors: &VarBuilder<'_>) -> Result<Linear> {
    let weight = tensors.get((inputs, outputs), "weight")?.t()?.contiguous()?;
    Ok(Linear::new(weight, Some(tensors.get(outputs, "bias")?)))
}

impl Gpt2 {
    /// Takes the network's tensors; a language-model head in the file is left alone.
    ///
    /// # Errors
    /// When one is missing or has not the shape that the configuration asks for.
    pub fn new(weights: &Weights, config: Gpt2Config) -> std::result::Result<Self, CheckpointError> {
        let tensors = builder(weights, "transformer.");
        Self::from_builder(&tensors, config).map_err(refused)
    }

    fn from_builder(tensors: &VarBuilder<'_>, config: Gpt2Config) -> Result<Self> {
        let layers = tensors.pp("h");
        Ok(Self {
            words: embedding(config.vocab_size, config.n_embd, tensors.pp("wte"))?,
            positions: embedding(config.n_positions, config.n_embd, tensors.pp("wpe"))?,
            layers: (0..config.n_layer).map(|at| Layer::new(&layers.pp(at), &config)).collect::<Result<_>>()?,
            norm: layer_norm(config.n_embd, config.layer_norm_epsilon, tensors.pp("ln_f"))?,
            config,
        })
    }

    fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        let words = self.words.forward(&Tensor::new(ids, &Device::Cpu)?)?;
        words + self.positions.forward(&Tensor::arange(0, ids.len() as u32, &Device::Cpu)?)?
    }
}

impl Layer {
    fn new(tensors: &VarBuilder<'_>, config: &Gpt2Config) -> Result<Self> {
        let (hidden, eps) = (config.n_embd, config.layer_norm_epsilon);
        let size = (hidden / config.n_head) as f64;
        Ok(Self {
            attention_norm: layer_norm(hidden, eps, tensors.pp("ln_1"))?,
            qkv: conv1d(hidden, 3 * hidden, &tensors.pp("attn.c_attn"))?,
            attended: conv1d(hidden, hidden, &tensors.pp("attn.c_proj"))?,
            norm: layer_norm(hidden, eps, tensors.pp("ln_2"))?,
            up: conv1d(hidden, config.n_inner, &tensors.pp("mlp.c_fc"))?,
            down: conv1d(config.n_inner, hidden, &tensors.pp("mlp.c_proj"))?,
            activation: activation(config.activation),
            heads: config.n_head,
            scale: if config.scale_attn_weights { 1.0 / size.sqrt() } else { 1.0 },
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (length, hidden) = x.dims2()?;
        let qkv = self.qkv.forward(&self.attention_norm.forward(x)?)?;
        let part = |at: usize| qkv.narrow(1, at * hidden, hidden)?.contiguous();
        let hide = |at: usize| if at % length > at / length { f32::NEG_INFINITY } else { 0.0 };
        let mask: Vec<f32> = (0..length * length).map(hide).collect();
        let mask = Tensor::from_vec(mask, (length, length), &Device::Cpu)?;
        let context = attend(&part(0)?, &part(1)?, &part(2)?, self.heads, self.scale, Some(&mask))?;
        let x = (x + self.attended.forward(&context)?)?;
        let inner = self.activation.forward(&self.up.forward(&self.norm.forward(&x)?)?)?;
        x + self.down.forward(&inner)?
    }
}

impl Network for Gpt2 {
    fn hidden_size(&self) -> usize {
        self.config.n_embd
    }

    fn n_layers(&self) -> usize {
        self.layers.len()
    }

    fn weight_bytes(&self) -> u64 {
        let config = &self.config;
        let rows = config.vocab_size + config.n_positions;
        let layer = 4 * config.n_embd + 2 * config.n_inner;
        4 * (config.n_embd * (rows + self.layers.len() * layer)) as u64
    }

    fn block_bytes(&self, tokens: usize, longest: usize) -> u64 {
        let (hidden, inner) = (self.config.n_embd, self.config.n_inner);
        8 * (tokens * hidden) as u64 + text_bytes(longest, hidden, inner, self.config.n_head)
    }

    fn forward(
        &self,
        texts: &[&[u32]],
        last: usize,
        _: &mut Workspace,
        show: &mut dyn FnMut(usize, &[f32]),
    ) -> std::result::Result<(), Failure> {
        let mut states: Vec<Tensor> = texts.iter().map(|ids| self.embed(ids)).collect::<Result<_>>().map_err(bug)?;
        show_all(&states, 0, show).map_err(bug)?;
        for (at, layer) in self.layers[..last].iter().enumerate() {
            states = states.iter().map(|x| layer.forward(x)).collect::<Result<_>>().map_err(bug)?;
            if at + 1 == self.layers.len() {
                states = states.iter().map(|x| self.norm.forward(x)).collect::<Result<_>>().map_err(bug)?;
            }
            show_all(&states, at + 1, show).map_err(bug)?;
        }
        Ok(())
    }
}
