//! The encoder half of T5 (Raffel et al. 2020): word embeddings, then layers that add attention with a bias by distance
//! and a feed-forward block, plain or gated, each behind a root-mean-square norm; one more norm at the end.

use serde::Deserialize;
use trailmark_core::Failure;

use super::{Network, Workspace, feed_rows, fit, look_up, workspace_bytes};
use crate::checkpoint::{CheckpointError, Folder, Weights};
use crate::kernels::attention::{Attention, DistanceBias};
use crate::kernels::rows::{Activation, add, gate, rms_norm};
use crate::kernels::{Linear, Width};

/// The sizes of a T5 encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct T5Config {
    /// Word embeddings.
    pub vocab_size: usize,
    /// Features of a hidden state.
    pub d_model: usize,
    /// Features of a head; all heads together may have more than a hidden state.
    pub d_kv: usize,
    /// Features between the two products of a feed-forward block.
    pub d_ff: usize,
    /// Layers.
    pub num_layers: usize,
    /// Heads of a layer.
    pub num_heads: usize,
    /// Buckets of distances, both directions together.
    pub relative_attention_num_buckets: usize,
    /// From here on all distances share a bucket.
    pub relative_attention_max_distance: usize,
    /// What a norm adds to the mean of squares.
    pub layer_norm_epsilon: f64,
    /// Between the two products of a feed-forward block.
    pub activation: Activation,
    /// True where a second product multiplies the activated one.
    pub gated: bool,
    /// Tokens it was trained on at once; nothing in the network ends there.
    pub n_positions: usize,
}

#[derive(Deserialize)]
struct Wire {
    vocab_size: usize,
    d_model: usize,
    d_kv: usize,
    d_ff: usize,
    num_layers: usize,
    num_heads: usize,
    // What follows has these defaults in transformers, whose newer versions leave defaults out of the file.
    #[serde(default = "buckets")]
    relative_attention_num_buckets: usize,
    #[serde(default = "distance")]
    relative_attention_max_distance: usize,
    #[serde(default = "small")]
    layer_norm_epsilon: f64,
    #[serde(default)]
    feed_forward_proj: Option<String>,
    #[serde(default)]
    model_type: String,
    #[serde(default = "positions")]
    n_positions: usize,
}

fn buckets() -> usize {
    32
}

fn distance() -> usize {
    128
}

fn small() -> f64 {
    1e-6
}

fn positions() -> usize {
    512
}

impl T5Config {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// When it is missing or malformed, or describes another network.
    pub fn read(folder: &mut Folder) -> Result<Self, CheckpointError> {
        let wire: Wire = folder.config(&["t5", "mt5"])?;
        let default = if wire.model_type == "mt5" { "gated-gelu" } else { "relu" };
        let name = wire.feed_forward_proj.unwrap_or_else(|| default.to_owned());
        // transformers reads "gated-gelu" as the tanh form, and every other name as it stands.
        let (gated, activation) = match name.strip_prefix("gated-") {
            Some("gelu") => (true, Some(Activation::GeluTanh)),
            Some(other) => (true, Activation::from_name(other)),
            None => (false, Activation::from_name(&name)),
        };
        let Some(activation) = activation else {
            let supported = "relu, gelu, gelu_new, gated-gelu, gated-gelu_new, gated-relu";
            return Err(folder.setting("feed_forward_proj", name, supported));
        };
        let (buckets, distance) = (wire.relative_attention_num_buckets, wire.relative_attention_max_distance);
        if buckets < 4 || distance <= buckets / 4 {
            let found = format!("{buckets} with relative_attention_max_distance {distance}");
            let supported = "at least 4 buckets, and a distance above a quarter of their number";
            return Err(folder.setting("relative_attention_num_buckets", found, supported));
        }
        folder.check_heads(wire.num_heads, wire.num_heads * wire.d_kv)?;
        Ok(Self {
            vocab_size: wire.vocab_size,
            d_model: wire.d_model,
            d_kv: wire.d_kv,
            d_ff: wire.d_ff,
            num_layers: wire.num_layers,
            num_heads: wire.num_heads,
            relative_attention_num_buckets: buckets,
            relative_attention_max_distance: distance,
            layer_norm_epsilon: wire.layer_norm_epsilon,
            activation,
            gated,
            n_positions: wire.n_positions,
        })
    }
}

/// The bucket of a distance from query to key, after transformers, which works in f32 here.
fn bucket(distance: i64, buckets: usize, max_distance: usize) -> usize {
    let half = buckets / 2;
    let exact = half / 2;
    let apart = distance.unsigned_abs() as usize;
    let within = if apart < exact {
        apart
    } else {
        let of = (apart as f32 / exact as f32).ln() / (max_distance as f64 / exact as f64).ln() as f32;
        (exact + (of * (half - exact) as f32) as usize).min(half - 1)
    };
    if distance > 0 { half + within } else { within }
}

/// What some checkpoints put before the names.
const PREFIX: &str = "transformer.";

/// The network.
#[derive(Debug)]
pub(crate) struct T5 {
    words: Vec<f32>, // (vocab_size, d_model)
    layers: Vec<Layer>,
    norm: Vec<f32>, // (d_model,)
    attention: Attention,
    config: T5Config,
    width: Width,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Vec<f32>,
    qkv: Linear,
    attended: Linear,
    norm: Vec<f32>,
    up: Linear, // gate and value side by side where gated
    down: Linear,
}

impl T5 {
    /// Takes the encoder's tensors, for texts of up to `longest` tokens; a decoder in the file is left alone.
    ///
    /// # Errors
    /// When one is missing or has not the shape that the configuration asks for.
    pub(crate) fn new(weights: &Weights, config: T5Config, longest: usize) -> Result<Self, CheckpointError> {
        let (hidden, heads, features) = (config.d_model, config.num_heads, config.num_heads * config.d_kv);
        let take = |name: &str, shape: &[usize]| weights.take(name, PREFIX, shape);
        let linear = |name: &str, outputs: usize, inputs: usize| {
            let weight = take(name, &[outputs, inputs])?;
            Ok::<_, CheckpointError>(Linear::new(outputs, inputs, &weight, &[]))
        };
        let mut layers = Vec::with_capacity(config.num_layers);
        for at in 0..config.num_layers {
            let at = format!("encoder.block.{at}.layer");
            let mut qkv = Vec::new();
            for part in ["q", "k", "v"] {
                qkv.extend(take(&format!("{at}.0.SelfAttention.{part}.weight"), &[features, hidden])?);
            }
            let up = if config.gated {
                let mut both = take(&format!("{at}.1.DenseReluDense.wi_0.weight"), &[config.d_ff, hidden])?;
                both.extend(take(&format!("{at}.1.DenseReluDense.wi_1.weight"), &[config.d_ff, hidden])?);
                Linear::new(2 * config.d_ff, hidden, &both, &[])
            } else {
                linear(&format!("{at}.1.DenseReluDense.wi.weight"), config.d_ff, hidden)?
            };
            layers.push(Layer {
                attention_norm: take(&format!("{at}.0.layer_norm.weight"), &[hidden])?,
                qkv: Linear::new(3 * features, hidden, &qkv, &[]),
                attended: linear(&format!("{at}.0.SelfAttention.o.weight"), hidden, features)?,
                norm: take(&format!("{at}.1.layer_norm.weight"), &[hidden])?,
                up,
                down: linear(&format!("{at}.1.DenseReluDense.wo.weight"), hidden, config.d_ff)?,
            });
        }
        let (buckets, distance) = (config.relative_attention_num_buckets, config.relative_attention_max_distance);
        let table = take("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", &[buckets, heads])?;
        let bias = DistanceBias::new(heads, longest, |head, d| table[bucket(d, buckets, distance) * heads + head]);
        Ok(Self {
            words: weights.take_any(
                &["shared.weight", "encoder.embed_tokens.weight"],
                PREFIX,
                &[config.vocab_size, hidden],
            )?,
            layers,
            norm: take("encoder.final_layer_norm.weight", &[hidden])?,
            attention: Attention { heads, size: config.d_kv, scale: 1.0, causal: false, bias: Some(bias) },
            config,
            width: Width::detect(),
        })
    }
}

impl Network for T5 {
    fn hidden_size(&self) -> usize {
        self.config.d_model
    }

    fn n_layers(&self) -> usize {
        self.layers.len()
    }

    fn weight_bytes(&self) -> u64 {
        let layers = self.layers.iter();
        4 * self.words.len() as u64
            + layers.map(|l| l.qkv.bytes() + l.attended.bytes() + l.up.bytes() + l.down.bytes()).sum::<u64>()
    }

    fn block_bytes(&self, tokens: usize, longest: usize) -> u64 {
        let inner = if self.config.gated { 3 * self.config.d_ff } else { self.config.d_ff };
        workspace_bytes(tokens, longest, self.config.d_model, inner, &self.attention)
    }

    fn forward(
        &self,
        texts: &[&[u32]],
        last: usize,
        work: &mut Workspace,
        show: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<(), Failure> {
        let (width, hidden, eps) = (self.width, self.config.d_model, self.config.layer_norm_epsilon);
        work.prepare(texts, hidden, self.attention.features());
        look_up(&self.words, hidden, texts, &mut work.x);
        show(0, &work.x);
        for (at, layer) in self.layers[..last].iter().enumerate() {
            work.normed.copy_from_slice(&work.x);
            rms_norm(width, &layer.attention_norm, eps, &mut work.normed);
            work.attend(width, true, &self.attention, &layer.qkv, &layer.attended);
            add(width, &mut work.x, &work.y);
            work.normed.copy_from_slice(&work.x);
            rms_norm(width, &layer.norm, eps, &mut work.normed);
            if self.config.gated {
                self.feed_gated(layer, work);
            } else {
                work.feed(width, true, &layer.up, self.config.activation, &layer.down);
            }
            add(width, &mut work.x, &work.y);
            if at + 1 == self.layers.len() {
                rms_norm(width, &self.norm, eps, &mut work.x);
            }
            show(at + 1, &work.x);
        }
        Ok(())
    }
}

impl T5 {
    fn feed_gated(&self, layer: &Layer, work: &mut Workspace) {
        let (hidden, inner) = (self.config.d_model, self.config.d_ff);
        let step = feed_rows(3 * inner) * hidden;
        for (from, to) in work.normed.chunks(step).zip(work.y.chunks_mut(step)) {
            let rows = from.len() / hidden;
            fit(&mut work.inner, rows * 2 * inner);
            fit(&mut work.gated, rows * inner);
            layer.up.apply(self.width, from, &mut work.inner);
            gate(self.width, self.config.activation, &work.inner, inner, &mut work.gated);
            layer.down.apply(self.width, &work.gated, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_fall_into_the_buckets_of_transformers() {
        // T5Attention._relative_position_bucket, 32 buckets, 128: the first distance of each bucket.
        let starts: Vec<i64> = (1..600).filter(|&d| bucket(-d, 32, 128) != bucket(1 - d, 32, 128)).collect();
        assert_eq!(starts, [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91]);
        assert!((0..600).all(|d| bucket(d, 32, 128) == bucket(-d, 32, 128) + if d > 0 { 16 } else { 0 }));
        let starts: Vec<i64> = (1..600).filter(|&d| bucket(-d, 8, 20) != bucket(1 - d, 8, 20)).collect();
        assert_eq!(starts, [1, 2, 7]);
    }
}
