//! The packed forward of `trailmark-transformer` against candle, hidden state by hidden state.

use std::path::{Path, PathBuf};

use trailmark_core::catalogue::EncoderEntry;
use trailmark_core::contract::{Assets, Context};
use trailmark_core::{Embeddings, ParamValue, Params, SequenceView, Sequences};
use trailmark_neural::{Bert, Gpt2};
use trailmark_transformer::checkpoint::{CheckpointError, Folder, Weights};
use trailmark_transformer::{BERT, Family, GPT2, LoadedNetwork, Network, Workspace};

fn fixture(name: &str) -> PathBuf {
    trailmark_kit::root().join("tests/fixtures/models").join(name)
}

/// Ours, and candle's.
fn load<C: Clone>(path: &Path, family: &Family<C>, candle: fn(&Weights, C) -> LoadedNetwork) -> [Box<dyn Network>; 2] {
    let load = || {
        let mut folder = Folder::open(path)?;
        let config = (family.read)(&mut folder)?;
        let weights = Weights::read(&mut folder)?;
        Ok::<_, CheckpointError>([(family.network)(&weights, config.clone(), 64)?, candle(&weights, config)?])
    };
    load().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn states(network: &dyn Network, texts: &[&[u32]]) -> Vec<Vec<f32>> {
    let mut states = Vec::new();
    let mut workspace = Workspace::default();
    network
        .forward(texts, network.n_layers(), &mut workspace, &mut |_, state| states.push(state.to_vec()))
        .expect("runs");
    states
}

/// The largest difference over all hidden states of texts of many lengths.
fn largest_difference([ours, candle]: &[Box<dyn Network>; 2], vocab_size: u32) -> f32 {
    let texts: Vec<Vec<u32>> =
        (1..24).map(|length| (0..length).map(|at| (at * at * 31 + length * 7) % vocab_size).collect()).collect();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let (ours, candle) = (states(&**ours, &texts), states(&**candle, &texts));
    assert_eq!(ours.len(), candle.len(), "as many hidden states");
    let mut worst = 0.0_f32;
    for (ours, candle) in ours.iter().zip(&candle) {
        assert_eq!(ours.len(), candle.len(), "of the same size");
        worst = ours.iter().zip(candle).map(|(a, b)| (a - b).abs()).fold(worst, f32::max);
    }
    worst
}

#[test]
fn every_layer_of_the_packed_bert_is_that_of_candle() {
    let networks = load(&fixture("tiny-bert"), &BERT, |weights, config| Ok(Box::new(Bert::new(weights, config)?)));
    let worst = largest_difference(&networks, 180);
    assert!(worst <= 1e-5, "largest difference {worst:e}");
}

#[test]
fn every_layer_of_the_packed_gpt2_is_that_of_candle() {
    let networks = load(&fixture("tiny-gpt2"), &GPT2, |weights, config| Ok(Box::new(Gpt2::new(weights, config)?)));
    let worst = largest_difference(&networks, 451);
    assert!(worst <= 2e-5, "largest difference {worst:e}");
}

#[test]
fn every_layer_of_a_cut_of_real_weights_is_that_of_candle() {
    let Some(folder) = trailmark_kit::asset("bert-minilm-cut") else { return };
    let networks = load(&folder, &BERT, |weights, config| Ok(Box::new(Bert::new(weights, config)?)));
    let worst = largest_difference(&networks, 5000);
    assert!(worst <= 1e-5, "largest difference {worst:e}");
}

/// Every name is a folder.
struct Folders;

impl Assets for Folders {
    fn model(&self, name: &str) -> Result<PathBuf, String> {
        Ok(PathBuf::from(name))
    }

    fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(path)
    }
}

fn encode(entry: EncoderEntry, model: &str, texts: &[&str]) -> Embeddings {
    let folder = fixture(model).display().to_string();
    let params = Params::defaults(entry.spec).with("model", ParamValue::Text(folder));
    let encoder = (entry.build)(&params, &Folders).unwrap_or_else(|error| panic!("{error}"));
    let sequences = Sequences { texts: texts.iter().map(|&text| text.to_owned()).collect(), ..Sequences::default() };
    let rows: Vec<usize> = (0..texts.len()).collect();
    let ctx = Context { seed: 0, threads: 2, memory_bytes: u64::MAX };
    let fitted = encoder.fit(SequenceView::new(&sequences, &[]), &ctx).expect("a frozen encoder needs no rows");
    fitted.transform(SequenceView::new(&sequences, &rows), &ctx).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_oracle_arms_give_the_vectors_of_the_fast_ones() {
    let texts = ["", "view shoes", "view red shoes, then buy a dress", "view shoes"];
    for entry in trailmark_neural::registry() {
        let kind = entry.spec.name.trim_end_matches("_candle");
        let fast = trailmark_transformer::registry().into_iter().find(|fast| fast.spec.name == kind).expect(kind);
        let model = format!("tiny-{kind}");
        let (slow, fast) = (encode(entry, &model, &texts), encode(fast, &model, &texts));
        for (row, text) in texts.iter().enumerate() {
            for (slow, fast) in slow.matrix().row(row).iter().zip(fast.matrix().row(row)) {
                assert!((slow - fast).abs() <= 1e-5, "{kind}, {text:?}: {slow} and {fast}");
            }
        }
    }
}

#[test]
fn a_missing_tensor_is_refused_by_the_oracle_in_the_words_of_the_checkpoint() {
    let mut folder = Folder::open(&fixture("tiny-bert")).expect("the fixture");
    let mut config = (BERT.read)(&mut folder).expect("its config");
    config.num_hidden_layers = 3;
    let weights = Weights::read(&mut folder).expect("its weights");
    let message = Bert::new(&weights, config).expect_err("there are two layers").to_string();
    assert!(message.contains("has no tensor \"encoder.layer.2.attention.self.query.weight\""), "{message}");
}
