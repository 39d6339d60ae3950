//! BERT (Devlin et al. 2019) on candle, one text at a time.

use candle_core::{Device, Result, Tensor};
use candle_nn::{Activation, Embedding, LayerNorm, Linear, Module, VarBuilder, embedding, layer_norm, linear};
use trailmark_core::Failure;
use trailmark_transformer::checkpoint::{CheckpointError, Weights};
use trailmark_transformer::{BertConfig, Network, Workspace};

use super::{activation, attend, bug, builder, refused, show_all, text_bytes};

/// The network.
#[derive(Debug)]
pub struct Bert {
    words: Embedding,
    positions: Embedding,
    types: Embedding,
    norm: LayerNorm,
    layers: Vec<Layer>,
    config: BertConfig,
}

#[derive(Debug)]
struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    down: Linear,
    norm: LayerNorm,
    activation: Activation,
    heads: usize,
}

impl Bert {
    /// Takes the network's tensors; a pooler or other heads in the file are left alone.
    ///
    /// # Errors
    /// When one is missing or has not the shape that the configuration asks for.
    pub fn new(weights: &Weights, config: BertConfig) -> std::result::Result<Self, CheckpointError> {
        let tensors = builder(weights, "bert.");
        Self::from_builder(&tensors, config).map_err(refused)
    }

    fn from_builder(tensors: &VarBuilder<'_>, config: BertConfig) -> Result<Self> {
        let (hidden, eps) = (config.hidden_size, config.layer_norm_eps);
        let embeddings = tensors.pp("embeddings");
        let layers = tensors.pp("encoder.layer");
        Ok(Self {
            words: embedding(config.vocab_size, hidden, embeddings.pp("word_embeddings"))?,
            positions: embedding(config.max_position_embeddings, hidden, embeddings.pp("position_embeddings"))?,
            types: embedding(config.type_vocab_size, hidden, embeddings.pp("token_type_embeddings"))?,
            norm: layer_norm(hidden, eps, embeddings.pp("LayerNorm"))?,
            layers: (0..config.num_hidden_layers)
                .map(|at| Layer::new(&layers.pp(at), &config))
                .collect::<Result<_>>()?,
            config,
        })
    }

    fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        let words = self.words.forward(&Tensor::new(ids, &Device::Cpu)?)?;
        let positions = self.positions.forward(&Tensor::arange(0, ids.len() as u32, &Device::Cpu)?)?;
        let types = self.types.forward(&Tensor::zeros(ids.len(), candle_core::DType::U32, &Device::Cpu)?)?;
        self.norm.forward(&((words + positions)? + types)?)
    }
}

impl Layer {
    fn new(tensors: &VarBuilder<'_>, config: &BertConfig) -> Result<Self> {
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        let attention = tensors.pp("attention");
        Ok(Self {
            query: linear(hidden, hidden, attention.pp("self.query"))?,
            key: linear(hidden, hidden, attention.pp("self.key"))?,
            value: linear(hidden, hidden, attention.pp("self.value"))?,
            attended: linear(hidden, hidden, attention.pp("output.dense"))?,
            attention_norm: layer_norm(hidden, eps, attention.pp("output.LayerNorm"))?,
            up: linear(hidden, inner, tensors.pp("intermediate.dense"))?,
            down: linear(inner, hidden, tensors.pp("output.dense"))?,
            norm: layer_norm(hidden, eps, tensors.pp("output.LayerNorm"))?,
            activation: activation(config.activation),
            heads: config.num_attention_heads,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (q, k, v) = (self.query.forward(x)?, self.key.forward(x)?, self.value.forward(x)?);
        let scale = 1.0 / ((q.dim(1)? / self.heads) as f64).sqrt();
        let context = attend(&q, &k, &v, self.heads, scale, None)?;
        let x = self.attention_norm.forward(&(self.attended.forward(&context)? + x)?)?;
        let inner = self.activation.forward(&self.up.forward(&x)?)?;
        self.norm.forward(&(self.down.forward(&inner)? + x)?)
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
        let config = &self.config;
        let rows = config.vocab_size + config.max_position_embeddings + config.type_vocab_size;
        let layer = 4 * config.hidden_size + 2 * config.intermediate_size;
        4 * (config.hidden_size * (rows + self.layers.len() * layer)) as u64
    }

    fn block_bytes(&self, tokens: usize, longest: usize) -> u64 {
        let (hidden, inner) = (self.config.hidden_size, self.config.intermediate_size);
        8 * (tokens * hidden) as u64 + text_bytes(longest, hidden, inner, self.config.num_attention_heads)
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
            show_all(&states, at + 1, show).map_err(bug)?;
        }
        Ok(())
    }
}
