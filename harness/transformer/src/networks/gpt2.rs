//! GPT-2 (Radford et al. 2019): word and position embeddings, then layers that add attention over the tokens so far
//! and a feed-forward block, each behind a layer norm of its own; one more norm at the end.

use serde::Deserialize;
use trailmark_core::Failure;

use super::{Network, Workspace, add_positions, look_up, workspace_bytes};
use crate::checkpoint::{CheckpointError, Folder, Weights};
use crate::kernels::attention::Attention;
use crate::kernels::rows::{Activation, Norm, add, layer_norm};
use crate::kernels::{Linear, Width};

/// The sizes of a GPT-2 network.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpt2Config {
    /// Word embeddings.
    pub vocab_size: usize,
    /// Positions, which is the longest text.
    pub n_positions: usize,
    /// Features of a hidden state.
    pub n_embd: usize,
    /// Layers.
    pub n_layer: usize,
    /// Heads of a layer.
    pub n_head: usize,
    /// Features between the two products of a feed-forward block.
    pub n_inner: usize,
    /// What a layer norm adds to the variance.
    pub layer_norm_epsilon: f64,
    /// Between the two products of a feed-forward block.
    pub activation: Activation,
    /// False where scores are left unscaled.
    pub scale_attn_weights: bool,
    /// What stands for a text without tokens: `bos_token_id`, or else `eos_token_id`.
    pub stand_in: Option<u32>,
}

#[derive(Deserialize)]
struct Wire {
    vocab_size: usize,
    n_embd: usize,
    n_layer: usize,
    n_head: usize,
    // What follows has these defaults in transformers, whose newer versions leave defaults out of the file.
    #[serde(default = "positions")]
    n_positions: usize,
    #[serde(default)]
    n_inner: Option<usize>,
    #[serde(default = "small")]
    layer_norm_epsilon: f64,
    #[serde(default = "gelu_new")]
    activation_function: String,
    #[serde(default = "yes")]
    scale_attn_weights: bool,
    #[serde(default)]
    scale_attn_by_inverse_layer_idx: bool,
    #[serde(default)]
    bos_token_id: Option<u32>,
    #[serde(default)]
    eos_token_id: Option<u32>,
}

fn positions() -> usize {
    1024
}

fn small() -> f64 {
    1e-5
}

fn gelu_new() -> String {
    "gelu_new".to_owned()
}

fn yes() -> bool {
    true
}

impl Gpt2Config {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// When it is missing or malformed, or describes another network.
    pub fn read(folder: &mut Folder) -> Result<Self, CheckpointError> {
        let wire: Wire = folder.config(&["gpt2"])?;
        let Some(activation) = Activation::from_name(&wire.activation_function) else {
            return Err(folder.setting("activation_function", wire.activation_function, Activation::NAMES));
        };
        if wire.scale_attn_by_inverse_layer_idx {
            return Err(folder.setting("scale_attn_by_inverse_layer_idx", "true", "false"));
        }
        folder.check_heads(wire.n_head, wire.n_embd)?;
        Ok(Self {
            vocab_size: wire.vocab_size,
            n_positions: wire.n_positions,
            n_embd: wire.n_embd,
            n_layer: wire.n_layer,
            n_head: wire.n_head,
            n_inner: wire.n_inner.unwrap_or(4 * wire.n_embd),
            layer_norm_epsilon: wire.layer_norm_epsilon,
            activation,
            scale_attn_weights: wire.scale_attn_weights,
            stand_in: wire.bos_token_id.or(wire.eos_token_id).filter(|&id| (id as usize) < wire.vocab_size),
        })
    }
}

/// What a checkpoint with heads puts before the names.
const PREFIX: &str = "transformer.";

/// The network.
#[derive(Debug)]
pub(crate) struct Gpt2 {
    words: Vec<f32>,     // (vocab_size, n_embd)
    positions: Vec<f32>, // (n_positions, n_embd)
    layers: Vec<Layer>,
    norm: Norm,
    attention: Attention,
    config: Gpt2Config,
    width: Width,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Norm,
    qkv: Linear,
    attended: Linear,
    norm: Norm,
    up: Linear,
    down: Linear,
}

impl Gpt2 {
    /// Takes the network's tensors; a language-model head in the file is left alone.
    ///
    /// # Errors
    /// When one is missing or has not the shape that the configuration asks for.
    pub(crate) fn new(weights: &Weights, config: Gpt2Config) -> Result<Self, CheckpointError> {
        let hidden = config.n_embd;
        let take = |name: &str, shape: &[usize]| weights.take(name, PREFIX, shape);
        let norm = |name: &str| {
            let (weight, bias) =
                (take(&format!("{name}.weight"), &[hidden])?, take(&format!("{name}.bias"), &[hidden])?);
            Ok::<_, CheckpointError>(Norm { weight, bias, eps: config.layer_norm_epsilon })
        };
        let conv1d = |name: &str, outputs: usize, inputs: usize| {
            let weight = take(&format!("{name}.weight"), &[inputs, outputs])?;
            let bias = take(&format!("{name}.bias"), &[outputs])?;
            Ok::<_, CheckpointError>(Linear::from_conv1d(outputs, inputs, &weight, &bias))
        };
        let mut layers = Vec::with_capacity(config.n_layer);
        for at in 0..config.n_layer {
            layers.push(Layer {
                attention_norm: norm(&format!("h.{at}.ln_1"))?,
                qkv: conv1d(&format!("h.{at}.attn.c_attn"), 3 * hidden, hidden)?,
                attended: conv1d(&format!("h.{at}.attn.c_proj"), hidden, hidden)?,
                norm: norm(&format!("h.{at}.ln_2"))?,
                up: conv1d(&format!("h.{at}.mlp.c_fc"), config.n_inner, hidden)?,
                down: conv1d(&format!("h.{at}.mlp.c_proj"), hidden, config.n_inner)?,
            });
        }
        let (heads, size) = (config.n_head, hidden / config.n_head);
        let scale = if config.scale_attn_weights { 1.0 / (size as f32).sqrt() } else { 1.0 };
        Ok(Self {
            words: take("wte.weight", &[config.vocab_size, hidden])?,
            positions: take("wpe.weight", &[config.n_positions, hidden])?,
            layers,
            norm: norm("ln_f")?,
            attention: Attention { heads, size, scale, causal: true, bias: None },
            config,
            width: Width::detect(),
        })
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
        let tables = 4 * (self.words.len() + self.positions.len()) as u64;
        let layers = self.layers.iter();
        tables + layers.map(|l| l.qkv.bytes() + l.attended.bytes() + l.up.bytes() + l.down.bytes()).sum::<u64>()
    }

    fn block_bytes(&self, tokens: usize, longest: usize) -> u64 {
        workspace_bytes(tokens, longest, self.config.n_embd, self.config.n_inner, &self.attention)
    }

    fn forward(
        &self,
        texts: &[&[u32]],
        last: usize,
        work: &mut Workspace,
        show: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<(), Failure> {
        let (width, hidden) = (self.width, self.config.n_embd);
        work.prepare(texts, hidden, hidden);
        look_up(&self.words, hidden, texts, &mut work.x);
        add_positions(&self.positions, hidden, texts, &mut work.x);
        show(0, &work.x);
        for (at, layer) in self.layers[..last].iter().enumerate() {
            work.normed.copy_from_slice(&work.x);
            layer_norm(width, &layer.attention_norm, &mut work.normed);
            work.attend(width, true, &self.attention, &layer.qkv, &layer.attended);
            add(width, &mut work.x, &work.y);
            work.normed.copy_from_slice(&work.x);
            layer_norm(width, &layer.norm, &mut work.normed);
            work.feed(width, true, &layer.up, self.config.activation, &layer.down);
            add(width, &mut work.x, &work.y);
            if at + 1 == self.layers.len() {
                layer_norm(width, &self.norm, &mut work.x);
            }
            show(at + 1, &work.x);
        }
        Ok(())
    }
}
