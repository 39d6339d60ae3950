//! The encoders `gpt2` and `t5` as the runner sees them, where they differ from `bert`.

use std::path::{Path, PathBuf};

use trailmark_core::catalogue::EncoderEntry;
use trailmark_core::contract::{Assets, Context, Encoder};
use trailmark_core::{Embeddings, ParamValue, Params, SequenceView, Sequences};

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

/// Kind, folder under `tests/fixtures/models`, table under `tests/oracle/transformer`.
const MODELS: [(&str, &str, &str); 3] =
    [("gpt2", "tiny-gpt2", "gpt2"), ("t5", "tiny-t5-relu", "t5_relu"), ("t5", "tiny-t5-gated", "t5_gated")];

fn fixture(name: &str) -> PathBuf {
    trailmark_kit::root().join("tests/fixtures/models").join(name)
}

fn entry(kind: &str) -> EncoderEntry {
    trailmark_transformer::registry().into_iter().find(|entry| entry.spec.name == kind).expect("it is registered")
}

fn params(kind: &str, folder: &Path) -> Params {
    Params::defaults(entry(kind).spec).with("model", ParamValue::Text(folder.display().to_string()))
}

fn build(kind: &str, params: &Params) -> Box<dyn Encoder> {
    (entry(kind).build)(params, &Folders).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(kind: &str, params: &Params) -> String {
    (entry(kind).build)(params, &Folders).err().expect("the model is refused").to_string()
}

fn encode(encoder: &dyn Encoder, texts: &[String], threads: usize) -> (Embeddings, Vec<String>) {
    let sequences = Sequences { texts: texts.to_vec(), ..Sequences::default() };
    let rows: Vec<usize> = (0..texts.len()).collect();
    let ctx = Context { seed: 0, threads, memory_bytes: u64::MAX };
    let fitted = encoder.fit(SequenceView::new(&sequences, &[]), &ctx).expect("a frozen encoder needs no rows");
    let x = fitted.transform(SequenceView::new(&sequences, &rows), &ctx).unwrap_or_else(|error| panic!("{error}"));
    (x, fitted.warnings())
}

fn texts_of(table: &trailmark_kit::OracleTable) -> Vec<String> {
    table.case.iter().map(|case| case["text"].as_str().expect("a text").to_owned()).collect()
}

/// A copy of a fixture without the files named.
fn copy_without(name: &str, left_out: &[&str]) -> tempfile::TempDir {
    let to = tempfile::tempdir().expect("a temporary folder");
    for entry in std::fs::read_dir(fixture(name)).expect("the fixture is there") {
        let entry = entry.expect("the fixture is readable");
        if !left_out.iter().any(|name| *name == entry.file_name()) {
            std::fs::copy(entry.path(), to.path().join(entry.file_name())).expect("a copy");
        }
    }
    to
}

#[test]
fn pooled_vectors_agree_with_transformers_and_the_empty_text_has_one() {
    for (kind, model, table) in MODELS {
        let table = trailmark_kit::oracle("transformer", table);
        let texts = texts_of(&table);
        assert_eq!(texts[0], "", "the first case is the empty text");
        for pooling in ["mean", "max", "cls", "last"] {
            let params = params(kind, &fixture(model))
                .with("max_tokens", ParamValue::Integer(24))
                .with("pooling", ParamValue::Text(pooling.to_owned()));
            let (x, _) = encode(&*build(kind, &params), &texts, 1);
            for (at, case) in table.case.iter().enumerate() {
                let mut tokens = trailmark_kit::rows(case, "layer_1");
                let expected = match pooling {
                    "cls" => tokens.swap_remove(0),
                    "last" => tokens.pop().expect("a token"),
                    other => trailmark_kit::numbers(case, other),
                };
                for (feature, (&value, expected)) in x.matrix().row(at).iter().zip(expected).enumerate() {
                    let what = format!("{model}, {pooling}, case {at}, feature {feature}");
                    table.assert_close(&what, f64::from(value), expected);
                }
            }
        }
    }
}

#[test]
fn a_text_has_the_same_bits_alone_in_company_and_with_any_number_of_threads() {
    let words = ["view", "shoes", "buy", "red", "dress", "cart", "12", "search", "low", "bag"];
    let text =
        |at: usize| (0..at * 7 % 29).map(|word| words[(at * 3 + word * word) % 10]).collect::<Vec<_>>().join(" ");
    let texts: Vec<String> = (0..60).map(text).collect();
    for (kind, model, _) in MODELS {
        let params = params(kind, &fixture(model)).with("batch_tokens", ParamValue::Integer(100));
        let encoder = build(kind, &params);
        let (together, _) = encode(&*encoder, &texts, 1);
        assert_eq!(encode(&*encoder, &texts, 3).0, together, "{model}: threads");
        let other = build(kind, &params.with("batch_tokens", ParamValue::Integer(7)));
        assert_eq!(encode(&*other, &texts, 1).0, together, "{model}: blocks");
        for (row, text) in texts.iter().enumerate() {
            let (alone, _) = encode(&*encoder, std::slice::from_ref(text), 1);
            assert_eq!(alone.matrix().row(0), together.matrix().row(row), "{model}: {text:?}");
        }
    }
}

#[test]
fn gpt2_without_tokenizer_json_is_read_from_vocab_and_merges() {
    let table = trailmark_kit::oracle("transformer", "gpt2");
    let texts = texts_of(&table);
    let (expected, _) = encode(&*build("gpt2", &params("gpt2", &fixture("tiny-gpt2"))), &texts, 1);
    let folder = copy_without("tiny-gpt2", &["tokenizer.json"]);
    assert_eq!(encode(&*build("gpt2", &params("gpt2", folder.path())), &texts, 1).0, expected);
    std::fs::write(folder.path().join("merges.txt"), "#version: 0.2\nv i\nbroken\n").expect("written");
    let message = refusal("gpt2", &params("gpt2", folder.path()));
    assert!(
        message.ends_with("merges.txt is not a usable tokenizer: line 3 is not two pieces with a space between"),
        "{message}"
    );
}

#[test]
fn gpt2_without_a_token_for_the_empty_text_says_so() {
    let folder = copy_without("tiny-gpt2", &["config.json"]);
    let config = std::fs::read_to_string(fixture("tiny-gpt2").join("config.json")).expect("a config");
    let config = config.replace("\"bos_token_id\": 450", "\"bos_token_id\": null");
    std::fs::write(folder.path().join("config.json"), &config).expect("written");
    let (x, _) = encode(&*build("gpt2", &params("gpt2", folder.path())), &[String::new()], 1);
    let (expected, _) = encode(&*build("gpt2", &params("gpt2", &fixture("tiny-gpt2"))), &[String::new()], 1);
    assert_eq!(x, expected, "eos_token_id stands in for bos_token_id");

    let config = config.replace("\"eos_token_id\": 450", "\"eos_token_id\": null");
    std::fs::write(folder.path().join("config.json"), config).expect("written");
    let encoder = build("gpt2", &params("gpt2", folder.path()));
    let sequences = Sequences { texts: vec![String::new()], ..Sequences::default() };
    let ctx = Context { seed: 0, threads: 1, memory_bytes: u64::MAX };
    let fitted = encoder.fit(SequenceView::new(&sequences, &[]), &ctx).expect("fitted");
    let failure = fitted.transform(SequenceView::new(&sequences, &[0]), &ctx).expect_err("no token at all");
    assert!(failure.message.contains("config.json names no bos_token_id or eos_token_id"), "{failure}");
}

#[test]
fn gpt2_reads_no_longer_text_than_its_positions_and_t5_any() {
    let long = ["cart ".repeat(40)];
    let (_, warnings) = encode(&*build("gpt2", &params("gpt2", &fixture("tiny-gpt2"))), &long, 1);
    assert_eq!(warnings, ["1 of 1 texts are longer than 24 tokens and were cut at their end"]);
    let message = refusal("gpt2", &params("gpt2", &fixture("tiny-gpt2")).with("max_tokens", ParamValue::Integer(25)));
    assert!(message.ends_with("max_tokens is 25, but the model has 24 positions; use at most 24"), "{message}");

    let (_, warnings) = encode(&*build("t5", &params("t5", &fixture("tiny-t5-relu"))), &long, 1);
    assert!(warnings.is_empty(), "{warnings:?}");
    let long = ["cart ".repeat(600)];
    let (_, warnings) = encode(&*build("t5", &params("t5", &fixture("tiny-t5-relu"))), &long, 1);
    assert_eq!(warnings, ["1 of 1 texts are longer than 512 tokens and were cut at their end"]);
    let longer = params("t5", &fixture("tiny-t5-relu")).with("max_tokens", ParamValue::Integer(700));
    let (_, warnings) = encode(&*build("t5", &longer), &long, 1);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn a_folder_of_another_architecture_is_refused_with_the_kinds_there_are() {
    for (kind, model, found, reads) in [
        ("bert", "tiny-gpt2", "gpt2", "bert"),
        ("gpt2", "tiny-t5-relu", "t5", "gpt2"),
        ("t5", "tiny-bert", "bert", "t5, mt5"),
    ] {
        let message = refusal(kind, &params(kind, &fixture(model)));
        let expected = format!("says model_type \"{found}\"; this encoder reads: {reads} (kinds: bert, gpt2, t5)");
        assert!(message.ends_with(&expected), "{message}");
    }
}

#[test]
fn t5_with_a_sentencepiece_file_alone_says_how_to_convert_it() {
    let folder = copy_without("tiny-t5-relu", &["tokenizer.json"]);
    std::fs::write(folder.path().join("spiece.model"), b"pieces").expect("written");
    let message = refusal("t5", &params("t5", folder.path()));
    assert!(message.contains("spiece.model alone is not read; convert it with transformers"), "{message}");
}
