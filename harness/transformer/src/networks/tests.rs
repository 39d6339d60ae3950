//! Every layer of every architecture against transformers, on the tiny random models of `tests/fixtures/models` and
//! on those among the assets.

use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use super::bert::{Bert, BertConfig};
use super::gpt2::{Gpt2, Gpt2Config};
use super::t5::{T5, T5Config};
use super::{Network, Workspace};
use crate::checkpoint::{CheckpointError, Folder, Weights};

fn load(kind: &str, path: &Path) -> Result<Box<dyn Network>, CheckpointError> {
    let mut folder = Folder::open(path)?;
    Ok(match kind {
        "gpt2" => {
            let config = Gpt2Config::read(&mut folder)?;
            Box::new(Gpt2::new(&Weights::read(&mut folder)?, config)?)
        }
        "t5" => {
            let config = T5Config::read(&mut folder)?;
            Box::new(T5::new(&Weights::read(&mut folder)?, config, 64)?)
        }
        _ => {
            let config = BertConfig::read(&mut folder)?;
            Box::new(Bert::new(&Weights::read(&mut folder)?, config)?)
        }
    })
}

fn fixture(name: &str) -> PathBuf {
    trailmark_kit::root().join("tests/fixtures/models").join(name)
}

/// Every hidden state of a block, (tokens, hidden) each.
fn states(network: &dyn Network, texts: &[&[u32]]) -> Vec<Vec<f32>> {
    let mut states = Vec::new();
    let show = &mut |at: usize, state: &[f32]| {
        assert_eq!(at, states.len(), "states come in order");
        states.push(state.to_vec());
    };
    network.forward(texts, network.n_layers(), &mut Workspace::default(), show).expect("a forward pass");
    assert_eq!(states.len(), network.n_layers() + 1);
    states
}

fn case_ids(case: &toml::Table) -> Vec<u32> {
    trailmark_kit::numbers(case, "ids").into_iter().map(|id| id as u32).collect()
}

/// Compares each hidden state of each case with a table, and each text alone with itself in the block.
fn check_layers(kind: &str, model: &str, names: &[&str]) {
    let network = load(kind, &fixture(model)).unwrap_or_else(|error| panic!("{model}: {error}"));
    let table = trailmark_kit::oracle("transformer", &model.replace("tiny-", "").replace('-', "_"));
    let ids: Vec<Vec<u32>> = table.case.iter().map(case_ids).collect();
    let all: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
    let together = states(&*network, &all);
    let hidden = network.hidden_size();
    let mut first = 0;
    for (at, case) in table.case.iter().enumerate() {
        let alone = states(&*network, &[all[at]]);
        let rows = first * hidden..(first + all[at].len()) * hidden;
        first += all[at].len();
        for (state, name) in names.iter().enumerate() {
            assert_eq!(alone[state], together[state][rows.clone()], "{model}, case {at}, {name}: alone and in a block");
            let expected = trailmark_kit::rows(case, name);
            assert_eq!(alone[state].len(), expected.len() * hidden, "{model}, case {at}, {name}: one row a token");
            for (token, expected) in expected.iter().enumerate() {
                for (feature, &expected) in expected.iter().enumerate() {
                    let what = format!("{model}, case {at}, {name}, token {token}, feature {feature}");
                    table.assert_close(&what, f64::from(alone[state][token * hidden + feature]), expected);
                }
            }
        }
    }
}

#[test]
fn every_layer_of_bert_agrees_with_transformers() {
    check_layers("bert", "tiny-bert", &["embeddings", "layer_0", "layer_1"]);
}

#[test]
fn every_layer_of_gpt2_agrees_with_transformers() {
    check_layers("gpt2", "tiny-gpt2", &["embeddings", "layer_0", "layer_1"]);
}

#[test]
fn every_layer_of_t5_agrees_with_transformers() {
    check_layers("t5", "tiny-t5-relu", &["embeddings", "layer_0", "layer_1"]);
    check_layers("t5", "tiny-t5-gated", &["embeddings", "layer_0", "layer_1"]);
}

/// A copy of the tiny BERT with other tensors.
fn copy_with(
    change: impl Fn(&str, &TensorView<'_>) -> Option<(String, Vec<u8>, Dtype, Vec<usize>)>,
) -> tempfile::TempDir {
    let from = fixture("tiny-bert");
    let to = tempfile::tempdir().unwrap();
    std::fs::copy(from.join("config.json"), to.path().join("config.json")).unwrap();
    let bytes = std::fs::read(from.join("model.safetensors")).unwrap();
    let tensors: Vec<_> =
        SafeTensors::deserialize(&bytes).unwrap().iter().filter_map(|(name, view)| change(name, &view)).collect();
    let views = tensors
        .iter()
        .map(|(name, data, dtype, shape)| (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap()));
    let bytes = safetensors::serialize(views, None).unwrap();
    std::fs::write(to.path().join("model.safetensors"), bytes).unwrap();
    to
}

fn kept(name: &str, view: &TensorView<'_>) -> (String, Vec<u8>, Dtype, Vec<usize>) {
    (name.to_owned(), view.data().to_vec(), view.dtype(), view.shape().to_vec())
}

fn refusal(folder: &tempfile::TempDir) -> String {
    load("bert", folder.path()).err().expect("the weights are refused").to_string()
}

const IDS: &[u32] = &[2, 40, 41, 3];

#[test]
fn a_missing_tensor_is_named_with_the_names_it_was_looked_for() {
    let folder = copy_with(|name, view| (name != "encoder.layer.1.attention.self.key.bias").then(|| kept(name, view)));
    let message = refusal(&folder);
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
    let folder = copy_with(|name, view| {
        let mut tensor = kept(name, view);
        if name == "encoder.layer.0.output.dense.weight" {
            tensor.1.truncate(4 * 32 * 60);
            tensor.3 = vec![32, 60];
        }
        Some(tensor)
    });
    let message = refusal(&folder);
    assert!(
        message.starts_with("tensor \"encoder.layer.0.output.dense.weight\" of ")
            && message.ends_with("has shape [32, 60], config.json asks for [32, 64]"),
        "{message}"
    );
}

#[test]
fn a_weight_that_is_not_finite_or_not_a_real_number_is_refused_when_the_model_is_read() {
    let folder = copy_with(|name, view| {
        let mut tensor = kept(name, view);
        if name == "embeddings.LayerNorm.bias" {
            tensor.1[..4].copy_from_slice(&f32::NAN.to_le_bytes());
        }
        Some(tensor)
    });
    assert!(refusal(&folder).ends_with("holds a value that is not finite"), "{}", refusal(&folder));
    let folder = copy_with(|name, view| {
        let mut tensor = kept(name, view);
        if name == "embeddings.LayerNorm.bias" {
            tensor.2 = Dtype::I32;
        }
        Some(tensor)
    });
    assert!(refusal(&folder).ends_with("is stored as I32; supported: F64, F32, F16, BF16"), "{}", refusal(&folder));
}

#[test]
fn old_names_and_the_prefix_of_a_pretraining_checkpoint_give_the_same_network() {
    let folder = copy_with(|name, view| {
        let mut tensor = kept(name, view);
        let name = name.replace("LayerNorm.weight", "LayerNorm.gamma");
        tensor.0 = format!("bert.{}", name.replace("LayerNorm.bias", "LayerNorm.beta"));
        Some(tensor)
    });
    let renamed = load("bert", folder.path()).unwrap();
    assert_eq!(states(&*renamed, &[IDS]), states(&*load("bert", &fixture("tiny-bert")).unwrap(), &[IDS]));
}

#[test]
fn half_precision_weights_are_widened() {
    let full = states(&*load("bert", &fixture("tiny-bert")).unwrap(), &[IDS]);
    for dtype in [Dtype::F16, Dtype::BF16] {
        let folder = copy_with(|name, view| {
            let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
            let halves = values.flat_map(|value| match dtype {
                Dtype::F16 => half::f16::from_f32(value).to_le_bytes(),
                _ => half::bf16::from_f32(value).to_le_bytes(),
            });
            Some((name.to_owned(), halves.collect(), dtype, view.shape().to_vec()))
        });
        let halved = states(&*load("bert", folder.path()).unwrap(), &[IDS]);
        for (half, full) in halved[2].iter().zip(&full[2]) {
            assert!((half - full).abs() < 0.1, "{dtype:?}: {half} is far from {full}");
        }
    }
}

/// The asset `tiny-random-models`: hidden states by another implementation (Flax) on padded batches.
#[test]
fn tiny_random_models_among_the_assets_give_their_golden_states() {
    let Some(root) = trailmark_kit::asset("tiny-random-models") else { return };
    for (kind, name, first) in [("gpt2", "gpt2", "hidden_1"), ("t5", "t5-encoder", "hidden_1")] {
        let network = load(kind, &root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let golden: serde_json::Value =
            serde_json::from_slice(&trailmark_kit::read(&root.join(name).join("golden.json"))).expect("JSON");
        let mut worst = 0.0_f64;
        for item in golden["items"].as_array().expect("items") {
            let list = |key: &str| item[key].as_array().expect("a list");
            let real = list("attention_mask").iter().filter(|mask| mask.as_u64() == Some(1)).count();
            let ids: Vec<u32> = list("input_ids")[..real].iter().map(|id| id.as_u64().expect("an id") as u32).collect();
            let states = states(&*network, &[&ids]);
            for (key, state) in [(first, 1), ("last_hidden_state", states.len() - 1)] {
                let Some(rows) = item[key].as_array() else { continue };
                let expected = rows[..real].iter().flat_map(|row| row.as_array().expect("a row"));
                for (actual, expected) in states[state].iter().zip(expected) {
                    worst = worst.max((f64::from(*actual) - expected.as_f64().expect("a number")).abs());
                }
            }
        }
        eprintln!("{name}: largest difference {worst:e}");
        assert!(worst > 0.0 && worst <= 2e-4, "{name}: largest difference {worst:e}");
    }
}
