//! BERT's encoder (Devlin et al. 2019) on candle tensors: embeddings, then layers of attention and feed-forward,
//! each followed by a layer norm of the residual sum.

use candle_core::{Device, Result, Tensor};

use super::kernels::{AddNorm, Attention, Linear};
use crate::checkpoint::CheckpointError;
use crate::checkpoint::config::BertConfig;
use crate::checkpoint::weights::Weights;

/// Texts of one batch as ids, each at its own length; the shorter ones are padded inside.
pub(crate) type Batch<'a> = [&'a [u32]];

/// The network.
#[derive(Debug)]
pub(crate) struct Bert {
    words: Vec<f32>,     // (vocab_size, hidden)
    positions: Vec<f32>, // (max_position_embeddings, hidden), with token type 0 added in: a text has one segment
    norm: AddNorm,
    layers: Vec<Layer>,
    config: BertConfig,
}

#[derive(Debug)]
struct Layer {
    qkv: Linear,
    attended: Linear,
    attention_norm: AddNorm,
    up: Linear,
    down: Linear,
    norm: AddNorm,
}

impl Bert {
    /// Takes the network's tensors; a pooler or other heads in the file are left alone.
    ///
    /// # Errors
    /// When one is missing or has not the shape that the configuration asks for.
    pub(crate) fn new(weights: &Weights, config: BertConfig) -> std::result::Result<Self, CheckpointError> {
        let hidden = config.hidden_size;
        let norm = |name: &str| {
            let weight = weights.take(&format!("{name}.LayerNorm.weight"), &[hidden])?;
            let bias = weights.take(&format!("{name}.LayerNorm.bias"), &[hidden])?;
            Ok::<_, CheckpointError>(AddNorm::new(weight, bias, config.layer_norm_eps))
        };
        let dense = |name: &str, outputs: usize, inputs: usize| {
            let weight = weights.take(&format!("{name}.weight"), &[outputs, inputs])?;
            let bias = weights.take(&format!("{name}.bias"), &[outputs])?;
            Ok::<_, CheckpointError>((weight, bias))
        };
        let words = weights.take("embeddings.word_embeddings.weight", &[config.vocab_size, hidden])?;
        let mut positions =
            weights.take("embeddings.position_embeddings.weight", &[config.max_position_embeddings, hidden])?;
        let types = weights.take("embeddings.token_type_embeddings.weight", &[config.type_vocab_size, hidden])?;
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
            let attended = dense(&format!("{at}.attention.output.dense"), hidden, hidden)?;
            let up = dense(&format!("{at}.intermediate.dense"), config.intermediate_size, hidden)?;
            let down = dense(&format!("{at}.output.dense"), hidden, config.intermediate_size)?;
            layers.push(Layer {
                qkv: Linear::new(weight, bias, None),
                attended: Linear::new(attended.0, attended.1, None),
                attention_norm: norm(&format!("{at}.attention.output"))?,
                up: Linear::new(up.0, up.1, Some(config.activation)),
                down: Linear::new(down.0, down.1, None),
                norm: norm(&format!("{at}.output"))?,
            });
        }
        Ok(Self { words, positions, norm: norm("embeddings")?, layers, config })
    }

    /// The configuration it was made with.
    pub(crate) fn config(&self) -> &BertConfig {
        &self.config
    }

    /// Bytes that one batch of `tokens` tokens, padding counted, needs at its widest point.
    pub(crate) fn batch_bytes(&self, tokens: usize, seq_len: usize) -> u64 {
        let widest = (3 * self.config.hidden_size).max(self.config.intermediate_size) + 3 * self.config.hidden_size;
        4 * (tokens as u64 * widest as u64 + seq_len as u64 * seq_len as u64)
    }

    /// Bytes of its weights.
    pub(crate) fn weight_bytes(&self) -> u64 {
        let (hidden, inner) = (self.config.hidden_size as u64, self.config.intermediate_size as u64);
        let layer = 4 * hidden * hidden + 2 * hidden * inner;
        4 * (self.words.len() as u64 + self.positions.len() as u64 + self.layers.len() as u64 * layer)
    }

    /// The last layer's output, (batch, seq_len, hidden); rows from a text's length on are padding.
    ///
    /// # Errors
    /// candle's, which would be a broken invariant of ours.
    pub(crate) fn forward(&self, batch: &Batch<'_>) -> Result<Tensor> {
        let lengths: Vec<usize> = batch.iter().map(|ids| ids.len()).collect();
        let mut hidden = self.embed(batch)?;
        for layer in &self.layers {
            hidden = layer.forward(&hidden, &lengths, self.config.num_attention_heads)?;
        }
        Ok(hidden)
    }

    /// The sum of word, position and type embeddings, normalised: (batch, seq_len, hidden).
    fn embed(&self, batch: &Batch<'_>) -> Result<Tensor> {
        let hidden = self.config.hidden_size;
        let seq_len = batch.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let row = |table: &[f32], at: usize| table[at * hidden..(at + 1) * hidden].to_vec();
        let mut words = Vec::with_capacity(batch.len() * seq_len * hidden);
        let mut positions = Vec::with_capacity(words.capacity());
        for ids in batch {
            for at in 0..seq_len {
                // Nothing reads a padded position, so that any word does.
                words.extend(row(&self.words, ids.get(at).map_or(0, |&id| id as usize)));
                positions.extend(row(&self.positions, at));
            }
        }
        let shape = (batch.len(), seq_len, hidden);
        let words = Tensor::from_vec(words, shape, &Device::Cpu)?;
        words.apply_op2_no_bwd(&Tensor::from_vec(positions, shape, &Device::Cpu)?, &self.norm)
    }
}

impl Layer {
    fn forward(&self, x: &Tensor, lengths: &[usize], heads: usize) -> Result<Tensor> {
        let context = x.apply_op1_no_bwd(&self.qkv)?.apply_op1_no_bwd(&Attention { lengths, heads })?;
        let x = context.apply_op1_no_bwd(&self.attended)?.apply_op2_no_bwd(x, &self.attention_norm)?;
        let inner = x.apply_op1_no_bwd(&self.up)?.apply_op1_no_bwd(&self.down)?;
        inner.apply_op2_no_bwd(&x, &self.norm)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::checkpoint::Folder;

    fn load(path: &Path) -> std::result::Result<Bert, CheckpointError> {
        let mut folder = Folder::open(path)?;
        let config = BertConfig::read(&mut folder)?;
        Bert::new(&Weights::read(&mut folder)?, config)
    }

    fn tiny() -> Bert {
        load(&trailmark_kit::root().join("tests/fixtures/models/tiny-bert")).expect("the fixture loads")
    }

    /// The output of the embeddings and of each layer, (batch, seq_len, hidden) each.
    fn states(network: &Bert, batch: &Batch<'_>) -> Vec<Tensor> {
        let lengths: Vec<usize> = batch.iter().map(|ids| ids.len()).collect();
        let mut states = vec![network.embed(batch).unwrap()];
        for layer in &network.layers {
            let next = layer.forward(&states[states.len() - 1], &lengths, network.config.num_attention_heads).unwrap();
            states.push(next);
        }
        states
    }

    fn case_ids(case: &toml::Table) -> Vec<u32> {
        trailmark_kit::numbers(case, "ids").into_iter().map(|id| id as u32).collect()
    }

    #[test]
    fn every_layer_agrees_with_transformers_alone_and_in_a_padded_batch() {
        let network = tiny();
        let table = trailmark_kit::oracle("neural", "bert");
        let ids: Vec<Vec<u32>> = table.case.iter().map(case_ids).collect();
        let all: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let padded = states(&network, &all);
        for (at, case) in table.case.iter().enumerate() {
            let alone = states(&network, &[all[at]]);
            for (state, name) in ["embeddings", "layer_0", "layer_1"].iter().enumerate() {
                let alone = alone[state].get(0).unwrap().to_vec2::<f32>().unwrap();
                let padded = padded[state].get(at).unwrap().to_vec2::<f32>().unwrap();
                let expected = trailmark_kit::rows(case, name);
                assert_eq!(alone.len(), expected.len(), "case {at}, {name}: one row a token");
                for (token, expected) in expected.iter().enumerate() {
                    for (feature, &expected) in expected.iter().enumerate() {
                        let what = format!("case {at}, {name}, token {token}, feature {feature}");
                        table.assert_close(&what, f64::from(alone[token][feature]), expected);
                        table.assert_close(&format!("{what}, padded"), f64::from(padded[token][feature]), expected);
                    }
                }
            }
        }
    }

    fn copy_with(change: impl Fn(&mut std::collections::HashMap<String, Tensor>)) -> tempfile::TempDir {
        let from = trailmark_kit::root().join("tests/fixtures/models/tiny-bert");
        let to = tempfile::tempdir().unwrap();
        std::fs::copy(from.join("config.json"), to.path().join("config.json")).unwrap();
        let mut tensors = candle_core::safetensors::load(from.join("model.safetensors"), &Device::Cpu).unwrap();
        change(&mut tensors);
        candle_core::safetensors::save(&tensors, to.path().join("model.safetensors")).unwrap();
        to
    }

    #[test]
    fn a_missing_tensor_is_named_with_the_names_it_was_looked_for() {
        let folder = copy_with(|tensors| {
            tensors.remove("encoder.layer.1.attention.self.key.bias");
        });
        let message = load(folder.path()).unwrap_err().to_string();
        assert!(
            message.ends_with(
                "model.safetensors has no tensor \"encoder.layer.1.attention.self.key.bias\"; with \
                 \"bert.encoder.layer.1.attention.self.key.bias\" it was looked for as well"
            ),
            "{message}"
        );
    }

    #[test]
    fn a_tensor_of_another_shape_is_refused_with_both_shapes() {
        let folder = copy_with(|tensors| {
            let narrow = tensors["encoder.layer.0.output.dense.weight"].narrow(1, 0, 60).unwrap();
            tensors.insert("encoder.layer.0.output.dense.weight".to_owned(), narrow);
        });
        let message = load(folder.path()).unwrap_err().to_string();
        assert!(
            message.starts_with("tensor \"encoder.layer.0.output.dense.weight\" of ")
                && message.ends_with("has shape [32, 60], config.json asks for [32, 64]"),
            "{message}"
        );
    }

    #[test]
    fn a_weight_that_is_not_finite_is_refused_when_the_model_is_read() {
        let folder = copy_with(|tensors| {
            let bias = Tensor::from_vec(vec![f32::NAN; 32], 32, &Device::Cpu).unwrap();
            tensors.insert("embeddings.LayerNorm.bias".to_owned(), bias);
        });
        let message = load(folder.path()).unwrap_err().to_string();
        assert!(message.ends_with("holds a value that is not finite"), "{message}");
    }

    #[test]
    fn old_names_and_the_prefix_of_a_pretraining_checkpoint_give_the_same_network() {
        let folder = copy_with(|tensors| {
            *tensors = tensors
                .drain()
                .map(|(name, tensor)| {
                    let name = name.replace("LayerNorm.weight", "LayerNorm.gamma");
                    (format!("bert.{}", name.replace("LayerNorm.bias", "LayerNorm.beta")), tensor)
                })
                .collect();
        });
        let ids: &[u32] = &[2, 40, 41, 3];
        let output = |network: &Bert| network.forward(&[ids]).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(output(&load(folder.path()).unwrap()), output(&tiny()));
    }

    #[test]
    fn half_precision_weights_are_widened() {
        let folder = copy_with(|tensors| {
            let half = |tensor: Tensor| tensor.to_dtype(candle_core::DType::F16).unwrap();
            *tensors = tensors.drain().map(|(name, tensor)| (name, half(tensor))).collect();
        });
        let ids: &[u32] = &[2, 40, 41, 3];
        let output = |network: &Bert| network.forward(&[ids]).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (half, full) in output(&load(folder.path()).unwrap()).iter().zip(output(&tiny())) {
            assert!((half - full).abs() < 0.05, "{half} is far from {full}");
        }
    }
}
