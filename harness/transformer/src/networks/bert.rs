//! BERT (Devlin et al. 2019): embeddings, then layers of attention and feed-forward, each followed by a layer norm of
//! the residual sum.

use serde::Deserialize;
use trailmark_core::Failure;

use super::{Network, Workspace, add_positions, look_up, workspace_bytes};
use crate::checkpoint::{CheckpointError, Folder, Weights};
use crate::kernels::attention::Attention;
use crate::kernels::rows::{Activation, Norm, add_norm, layer_norm};
use crate::kernels::{Linear, Width};

/// The sizes of a BERT network.
#[derive(Debug, Clone, PartialEq)]
pub struct BertConfig {
    /// Word embeddings.
    pub vocab_size: usize,
    /// Features of a hidden state.
    pub hidden_size: usize,
    /// Features between the two products of a feed-forward block.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads of a layer.
    pub num_attention_heads: usize,
    /// Positions, which is the longest text.
    pub max_position_embeddings: usize,
    /// Kinds of segments.
    pub type_vocab_size: usize,
    /// What a layer norm adds to the variance.
    pub layer_norm_eps: f64,
    /// Between the two products of a feed-forward block.
    pub activation: Activation,
}

#[derive(Deserialize)]
struct Wire {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    max_position_embeddings: usize,
    // The four below have these defaults in transformers, whose newer versions leave defaults out of the file.
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "tiny")]
    layer_norm_eps: f64,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "absolute")]
    position_embedding_type: String,
}

fn two() -> usize {
    2
}

fn tiny() -> f64 {
    1e-12
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl BertConfig {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// When it is missing or malformed, or describes another network.
    pub fn read(folder: &mut Folder) -> Result<Self, CheckpointError> {
        let wire: Wire = folder.config(&["bert"])?;
        let Some(activation) = Activation::from_name(&wire.hidden_act) else {
            return Err(folder.setting("hidden_act", wire.hidden_act, Activation::NAMES));
        };
        if wire.position_embedding_type != "absolute" {
            return Err(folder.setting("position_embedding_type", wire.position_embedding_type, "absolute"));
        }
        folder.check_heads(wire.num_attention_heads, wire.hidden_size)?;
        Ok(Self {
            vocab_size: wire.vocab_size,
            hidden_size: wire.hidden_size,
            intermediate_size: wire.intermediate_size,
            num_hidden_layers: wire.num_hidden_layers,
            num_attention_heads: wire.num_attention_heads,
            max_position_embeddings: wire.max_position_embeddings,
            type_vocab_size: wire.type_vocab_size,
            layer_norm_eps: wire.layer_norm_eps,
            activation,
        })
    }
}

/// What a checkpoint with heads puts before the names.
const PREFIX: &str = "bert.";

/// The network.
#[derive(Debug)]
pub(crate) struct Bert {
    words: Vec<f32>,     // (vocab_size, hidden)
    positions: Vec<f32>, // (max_position_embeddings, hidden), with token type 0 added in: a text has one segment
    norm: Norm,
    layers: Vec<Layer>,
    attention: Attention,
    config: BertConfig,
    width: Width,
}

#[derive(Debug)]
struct Layer {
    qkv: Linear,
    attended: Linear,
    attention_norm: Norm,
    up: Linear,
    down: Linear,
    norm: Norm,
}

impl Bert {
    /// Takes the network's tensors; a pooler or other heads in the file are left alone.
    ///
    /// # Errors
    /// When one is missing or has not the shape that the configuration asks for.
    pub(crate) fn new(weights: &Weights, config: BertConfig) -> Result<Self, CheckpointError> {
        let hidden = config.hidden_size;
        let take = |name: &str, shape: &[usize]| weights.take(name, PREFIX, shape);
        let norm = |name: &str| {
            let weight = take(&format!("{name}.LayerNorm.weight"), &[hidden])?;
            let bias = take(&format!("{name}.LayerNorm.bias"), &[hidden])?;
            Ok::<_, CheckpointError>(Norm { weight, bias, eps: config.layer_norm_eps })
        };
        let dense = |name: &str, outputs: usize, inputs: usize| {
            let weight = take(&format!("{name}.weight"), &[outputs, inputs])?;
            let bias = take(&format!("{name}.bias"), &[outputs])?;
            Ok::<_, CheckpointError>((weight, bias))
        };
        let linear = |name: &str, outputs: usize, inputs: usize| {
            dense(name, outputs, inputs).map(|(weight, bias)| Linear::new(outputs, inputs, &weight, &bias))
        };
        let words = take("embeddings.word_embeddings.weight", &[config.vocab_size, hidden])?;
        let mut positions = take("embeddings.position_embeddings.weight", &[config.max_position_embeddings, hidden])?;
        let types = take("embeddings.token_type_embeddings.weight", &[config.type_vocab_size, hidden])?;
        for row in positions.chunks_exact_mut(hidden) {
            row.iter_mut().zip(&types).for_each(|(position, kind)| *position += kind);
        }
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for at in 0..config.num_hidden_layers {
            let at = format!("encoder.layer.{at}");
            let (mut weight, mut bias) = (Vec::new(), Vec::new());
            for part in ["query", "key", "value"] {
                let (w, b) = dense(&format!("{at}.attention.self.{part}"), hidden, hidden)?;
                weight.extend(w);
                bias.extend(b);
            }
            layers.push(Layer {
                qkv: Linear::new(3 * hidden, hidden, &weight, &bias),
                attended: linear(&format!("{at}.attention.output.dense"), hidden, hidden)?,
                attention_norm: norm(&format!("{at}.attention.output"))?,
                up: linear(&format!("{at}.intermediate.dense"), config.intermediate_size, hidden)?,
                down: linear(&format!("{at}.output.dense"), hidden, config.intermediate_size)?,
                norm: norm(&format!("{at}.output"))?,
            });
        }
        let (heads, size) = (config.num_attention_heads, hidden / config.num_attention_heads);
        let attention = Attention { heads, size, scale: 1.0 / (size as f32).sqrt(), causal: false, bias: None };
        let norm = norm("embeddings")?;
        Ok(Self { words, positions, norm, layers, attention, config, width: Width::detect() })
    }
}

impl Network for Bert {
    fn hidden_size(&self) -> usize {
        self.config.hidden_size
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
        workspace_bytes(tokens, longest, self.config.hidden_size, self.config.intermediate_size, &self.attention)
    }

    fn forward(
        &self,
        texts: &[&[u32]],
        last: usize,
        work: &mut Workspace,
        show: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<(), Failure> {
        let (width, hidden) = (self.width, self.config.hidden_size);
        work.prepare(texts, hidden, hidden);
        look_up(&self.words, hidden, texts, &mut work.x);
        add_positions(&self.positions, hidden, texts, &mut work.x);
        layer_norm(width, &self.norm, &mut work.x);
        show(0, &work.x);
        for (at, layer) in self.layers[..last].iter().enumerate() {
            work.attend(width, false, &self.attention, &layer.qkv, &layer.attended);
            add_norm(width, &layer.attention_norm, &mut work.x, &work.y);
            work.feed(width, false, &layer.up, self.config.activation, &layer.down);
            add_norm(width, &layer.norm, &mut work.x, &work.y);
            show(at + 1, &work.x);
        }
        Ok(())
    }
}
