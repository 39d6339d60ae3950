//! The `bert` encoder as the runner sees it: registry, parameters, texts in, embeddings out.

use std::path::{Path, PathBuf};

use trailmark_core::catalogue::EncoderEntry;
use trailmark_core::contract::{Assets, Context, Encoder, Scope};
use trailmark_core::{Embeddings, FailureClass, ParamValue, Params, SequenceView, Sequences};

mod memory;

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

const CTX: Context = Context { seed: 0, threads: 1, memory_bytes: u64::MAX };

fn entry() -> EncoderEntry {
    trailmark_transformer::registry().into_iter().find(|entry| entry.spec.name == "bert").expect("bert is registered")
}

fn tiny() -> PathBuf {
    trailmark_kit::root().join("tests/fixtures/models/tiny-bert")
}

fn params(folder: &Path) -> Params {
    Params::defaults(entry().spec).with("model", ParamValue::Text(folder.display().to_string()))
}

fn build(params: &Params) -> Box<dyn Encoder> {
    (entry().build)(params, &Folders).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(params: &Params) -> String {
    (entry().build)(params, &Folders).err().expect("the model is refused").to_string()
}

fn sequences(texts: &[String]) -> Sequences {
    Sequences {
        ids: (0..texts.len()).map(|at| format!("u{at:04}")).collect(),
        texts: texts.to_vec(),
        tokens: vec![Vec::new(); texts.len()],
        ..Sequences::default()
    }
}

fn encode_with(encoder: &dyn Encoder, texts: &[String], ctx: &Context) -> (Embeddings, Vec<String>) {
    let sequences = sequences(texts);
    let rows: Vec<usize> = (0..texts.len()).collect();
    let fitted = encoder.fit(SequenceView::new(&sequences, &[]), ctx).expect("a frozen encoder needs no rows");
    let x = fitted.transform(SequenceView::new(&sequences, &rows), ctx).unwrap_or_else(|error| panic!("{error}"));
    (x, fitted.warnings())
}

fn encode(encoder: &dyn Encoder, texts: &[String]) -> Embeddings {
    encode_with(encoder, texts, &CTX).0
}

fn text(case: &toml::Table) -> String {
    case["text"].as_str().expect("a case has a text").to_owned()
}

/// A copy of the tiny model without the files named.
fn copy_without(left_out: &[&str]) -> tempfile::TempDir {
    let to = tempfile::tempdir().expect("a temporary folder");
    for entry in std::fs::read_dir(tiny()).expect("the fixture is there") {
        let entry = entry.expect("the fixture is readable");
        if !left_out.iter().any(|name| *name == entry.file_name()) {
            std::fs::copy(entry.path(), to.path().join(entry.file_name())).expect("a copy");
        }
    }
    to
}

/// A copy of the tiny model with another `config.json`.
fn copy_with_config(change: impl Fn(&mut serde_json::Value)) -> tempfile::TempDir {
    let folder = copy_without(&[]);
    let path = folder.path().join("config.json");
    let mut config = serde_json::from_slice(&std::fs::read(&path).expect("a config")).expect("JSON");
    change(&mut config);
    std::fs::write(&path, config.to_string()).expect("a changed config");
    folder
}

/// Texts of many lengths, some twice, from a fixed rule.
fn texts(n: usize) -> Vec<String> {
    let words = ["view", "shoes", "buy", "red", "dress", "cart", "search", "price", "low", "bags"];
    (0..n)
        .map(|at| (0..at * 7 % 23).map(|word| words[(at * 3 + word * word) % 10]).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn pooled_vectors_agree_with_transformers() {
    let table = trailmark_kit::oracle("transformer", "bert");
    let texts: Vec<String> = table.case.iter().map(text).collect();
    for pooling in ["mean", "cls", "max", "last"] {
        let encoder = build(&params(&tiny()).with("pooling", ParamValue::Text(pooling.to_owned())));
        assert_eq!(encoder.scope(), Scope::Frozen);
        let x = encode(&*encoder, &texts);
        for (at, case) in table.case.iter().enumerate() {
            let expected = match pooling {
                "cls" => trailmark_kit::rows(case, "layer_1").swap_remove(0),
                "last" => trailmark_kit::rows(case, "layer_1").pop().expect("a token"),
                other => trailmark_kit::numbers(case, other),
            };
            for (feature, (&value, expected)) in x.matrix().row(at).iter().zip(expected).enumerate() {
                table.assert_close(&format!("{pooling}, case {at}, feature {feature}"), f64::from(value), expected);
            }
        }
    }
}

#[test]
fn a_tokenizer_built_from_vocab_txt_gives_the_same_vectors() {
    let folder = copy_without(&["tokenizer.json"]);
    let texts: Vec<String> = trailmark_kit::oracle("transformer", "bert").case.iter().map(text).collect();
    assert_eq!(encode(&*build(&params(folder.path())), &texts), encode(&*build(&params(&tiny())), &texts));
}

#[test]
fn do_lower_case_of_the_tokenizer_settings_is_heeded() {
    let folder = copy_without(&["tokenizer.json"]);
    let texts = ["shoes".to_owned(), "SHOES".to_owned()];
    let x = encode(&*build(&params(folder.path())), &texts);
    assert_eq!(x.matrix().row(0), x.matrix().row(1));
    std::fs::write(folder.path().join("tokenizer_config.json"), r#"{"do_lower_case": false}"#).expect("written");
    let x = encode(&*build(&params(folder.path())), &texts);
    assert_ne!(x.matrix().row(0), x.matrix().row(1), "SHOES is an unknown piece now");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let encoder = build(&params(&tiny()).with("batch_tokens", ParamValue::Integer(64)));
    let texts = texts(97);
    let one = encode(&*encoder, &texts);
    for threads in [2, 3, 8] {
        let (many, _) = encode_with(&*encoder, &texts, &Context { threads, ..CTX });
        assert_eq!(one, many, "{threads} threads");
    }
}

#[test]
fn rows_keep_their_place_and_a_text_has_one_vector_wherever_it_stands() {
    let encoder = build(&params(&tiny()));
    let texts = texts(40);
    let x = encode(&*encoder, &texts);
    let backwards: Vec<String> = texts.iter().rev().cloned().collect();
    let y = encode(&*encoder, &backwards);
    for at in 0..texts.len() {
        assert_eq!(x.matrix().row(at), y.matrix().row(texts.len() - 1 - at), "row {at}: {:?}", texts[at]);
        let alone = encode(&*encoder, &texts[at..=at]);
        assert_eq!(alone.matrix().row(0), x.matrix().row(at), "row {at}: alone and among others");
    }
}

#[test]
fn no_rows_give_no_vectors() {
    let x = encode(&*build(&params(&tiny())), &[]);
    assert_eq!((x.n_samples(), x.n_features()), (0, 32));
}

#[test]
fn normalize_scales_to_length_one_and_follows_modules_json_when_left_out() {
    let length = |params: &Params| {
        let x = encode(&*build(params), &["view shoes".to_owned()]);
        x.matrix().row(0).iter().map(|v| v * v).sum::<f32>().sqrt()
    };
    assert!((length(&params(&tiny()).with("normalize", ParamValue::Flag(true))) - 1.0).abs() < 1e-6);
    assert!((length(&params(&tiny())) - 1.0).abs() > 0.1, "without modules.json vectors keep their length");
    let folder = copy_without(&[]);
    let modules = r#"[{"type": "sentence_transformers.models.Transformer"},
                      {"type": "sentence_transformers.models.Normalize"}]"#;
    std::fs::write(folder.path().join("modules.json"), modules).expect("written");
    assert!((length(&params(folder.path())) - 1.0).abs() < 1e-6);
    assert!((length(&params(folder.path()).with("normalize", ParamValue::Flag(false))) - 1.0).abs() > 0.1);
}

#[test]
fn a_prefix_is_read_as_part_of_every_text() {
    let prefixed = build(&params(&tiny()).with("prefix", ParamValue::Text("search: ".to_owned())));
    let plain = build(&params(&tiny()));
    assert_eq!(encode(&*prefixed, &["shoes".to_owned()]), encode(&*plain, &["search: shoes".to_owned()]));
}

#[test]
fn truncated_texts_and_unknown_tokens_are_warned_about_per_row() {
    let encoder = build(&params(&tiny()).with("max_tokens", ParamValue::Integer(6)));
    let texts = ["view shoes", "view red shoes sale", "view red shoes sale for men", "view red shoes sale for men"];
    let (x, warnings) = encode_with(&*encoder, &texts.map(str::to_owned), &CTX);
    assert_eq!(x.matrix().row(1), x.matrix().row(2), "four words and two special tokens are what is read");
    assert_eq!(warnings, ["2 of 4 texts are longer than 6 tokens and were cut at their end"]);
    let (_, warnings) = encode_with(&*encoder, &["view \u{5973}".to_owned()], &CTX);
    assert_eq!(
        warnings,
        ["50.0 % of the tokens are unknown to the model: it may not read this language, or the texts hold codes"]
    );
    let (_, warnings) = encode_with(&*encoder, &["view shoes".to_owned()], &CTX);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn another_pooling_than_the_model_was_trained_with_is_warned_about() {
    let folder = copy_without(&[]);
    std::fs::create_dir(folder.path().join("1_Pooling")).expect("made");
    std::fs::write(folder.path().join("1_Pooling/config.json"), r#"{"pooling_mode_cls_token": true}"#)
        .expect("written");
    let (_, warnings) = encode_with(&*build(&params(folder.path())), &["view".to_owned()], &CTX);
    assert_eq!(warnings, ["the model's 1_Pooling/config.json says cls pooling, the suite uses mean"]);
}

#[test]
fn the_models_own_length_is_the_smaller_of_its_two_limits() {
    let long = "view ".repeat(30);
    let folder = copy_without(&[]);
    let warnings = |folder: &Path| encode_with(&*build(&params(folder)), std::slice::from_ref(&long), &CTX).1;
    assert_eq!(warnings(folder.path()), ["1 of 1 texts are longer than 24 tokens and were cut at their end"]);
    std::fs::write(folder.path().join("sentence_bert_config.json"), r#"{"max_seq_length": 12}"#).expect("written");
    assert_eq!(warnings(folder.path()), ["1 of 1 texts are longer than 12 tokens and were cut at their end"]);
    std::fs::write(folder.path().join("sentence_bert_config.json"), r#"{"max_seq_length": 512}"#).expect("written");
    assert_eq!(warnings(folder.path()), ["1 of 1 texts are longer than 24 tokens and were cut at their end"]);
}

#[test]
fn the_fingerprint_is_of_the_files_and_not_of_the_place() {
    let copy = copy_without(&[]);
    let original = build(&params(&tiny())).fingerprint();
    assert_eq!(build(&params(copy.path())).fingerprint(), original);
    let changed = copy_with_config(|config| config["layer_norm_eps"] = 1e-5.into());
    assert_ne!(build(&params(changed.path())).fingerprint(), original);
    let built = copy_without(&["tokenizer.json"]);
    assert_ne!(build(&params(built.path())).fingerprint(), original);
}

#[test]
fn weights_in_parts_are_read_through_their_index() {
    let folder = copy_without(&["model.safetensors"]);
    let bytes = std::fs::read(tiny().join("model.safetensors")).expect("weights");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    let mut map = serde_json::Map::new();
    for part in ["one.safetensors", "two.safetensors"] {
        let mine: Vec<_> = tensors
            .iter()
            .filter(|(name, _)| name.starts_with("encoder.layer.1") == (part == "two.safetensors"))
            .collect();
        map.extend(mine.iter().map(|(name, _)| ((*name).to_owned(), part.into())));
        let bytes = safetensors::serialize(mine, None).expect("a part");
        std::fs::write(folder.path().join(part), bytes).expect("written");
    }
    let index = serde_json::json!({ "weight_map": map }).to_string();
    std::fs::write(folder.path().join("model.safetensors.index.json"), index).expect("written");
    let texts = texts(5);
    assert_eq!(encode(&*build(&params(folder.path())), &texts), encode(&*build(&params(&tiny())), &texts));

    std::fs::remove_file(folder.path().join("two.safetensors")).expect("removed");
    let message = refusal(&params(folder.path()));
    assert!(message.contains("cannot read") && message.contains("two.safetensors: No such file"), "{message}");

    let outside = r#"{"weight_map": {"embeddings.word_embeddings.weight": "../model.safetensors"}}"#;
    std::fs::write(folder.path().join("model.safetensors.index.json"), outside).expect("written");
    let message = refusal(&params(folder.path()));
    assert!(message.contains("names \"../model.safetensors\" as a part"), "{message}");
}

#[test]
fn a_folder_that_is_no_model_is_refused_with_what_it_lacks() {
    let cases: [(&[&str], &str); 3] = [
        (&["config.json"], "has no config.json; it belongs beside the weights and comes with every hub model"),
        (
            &["model.safetensors"],
            "has no model.safetensors; weights are read from it, or from the parts of an index beside it",
        ),
        (
            &["tokenizer.json", "vocab.txt"],
            "has no tokenizer.json; without it, vocab.txt is enough for a BERT tokenizer, vocab.json with merges.txt for \
             GPT-2's; neither is there",
        ),
    ];
    for (left_out, expected) in cases {
        let folder = copy_without(left_out);
        let message = refusal(&params(folder.path()));
        assert!(message.starts_with("model \"") && message.ends_with(expected), "{message}");
    }
    let message = refusal(&params(&tiny().join("absent")));
    assert!(message.contains("tiny-bert/absent is not a folder; a model is a folder with config.json"), "{message}");
}

#[test]
fn pickled_weights_are_refused_with_the_way_to_convert_them() {
    let folder = copy_without(&["model.safetensors"]);
    std::fs::write(folder.path().join("pytorch_model.bin"), b"pickle").expect("written");
    let message = refusal(&params(folder.path()));
    assert!(message.contains("pytorch_model.bin is a pickle"), "{message}");
    assert!(message.ends_with("save_pretrained(folder, safe_serialization=True)"), "{message}");
}

#[test]
fn another_network_is_refused_with_the_supported_ones() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &str); 6] = [
        (
            |config| config["model_type"] = "roberta".into(),
            "config.json says model_type \"roberta\"; this encoder reads: bert (kinds: bert, gpt2, t5)",
        ),
        (
            |config| config["hidden_act"] = "swish".into(),
            "config.json says hidden_act \"swish\"; supported: gelu, gelu_new, gelu_pytorch_tanh, relu",
        ),
        (
            |config| config["position_embedding_type"] = "relative_key".into(),
            "config.json says position_embedding_type \"relative_key\"; supported: absolute",
        ),
        (
            |config| config["num_attention_heads"] = 5.into(),
            "config.json says 5 heads for hidden_size 32, which does not divide",
        ),
        (
            |config| config["hidden_size"] = "wide".into(),
            "config.json is not what it should be: invalid type: string \"wide\", expected usize",
        ),
        (
            |config| config["vocab_size"] = 100.into(),
            "tokenizer.json gives ids up to 179, but the model has 100 word embeddings",
        ),
    ];
    for (change, expected) in cases {
        let folder = copy_with_config(change);
        let message = refusal(&params(folder.path()));
        assert!(message.ends_with(expected), "{message}\nshould end in\n{expected}");
    }
}

#[test]
fn a_layer_that_is_not_there_is_refused_and_an_early_one_is_pooled() {
    let layer = |at: i64| params(&tiny()).with("layer", ParamValue::Integer(at));
    let message = refusal(&layer(3));
    assert!(message.ends_with("layer is 3, but the model has 2 layers; use at most 2"), "{message}");
    let table = trailmark_kit::oracle("transformer", "bert");
    let texts: Vec<String> = table.case.iter().map(text).collect();
    let mean = |case: &toml::Table, name: &str| {
        let rows = trailmark_kit::rows(case, name);
        (0..32).map(|feature| rows.iter().map(|row| row[feature]).sum::<f64>() / rows.len() as f64).collect::<Vec<_>>()
    };
    let first_last = params(&tiny()).with("pooling", ParamValue::Text("first_last".to_owned()));
    let arms = [
        (layer(0), ["embeddings", "embeddings"]),
        (layer(1), ["layer_0", "layer_0"]),
        (layer(2), ["layer_1", "layer_1"]),
        (first_last, ["layer_0", "layer_1"]),
    ];
    for (params, [one, other]) in arms {
        let x = encode(&*build(&params), &texts);
        for (at, case) in table.case.iter().enumerate() {
            let expected = mean(case, one).into_iter().zip(mean(case, other)).map(|(one, other)| (one + other) / 2.0);
            for (feature, (&value, expected)) in x.matrix().row(at).iter().zip(expected).enumerate() {
                table.assert_close(&format!("{one} and {other}, case {at}, {feature}"), f64::from(value), expected);
            }
        }
    }
}

#[test]
fn the_side_of_truncation_decides_which_words_are_read() {
    let left = params(&tiny())
        .with("max_tokens", ParamValue::Integer(4))
        .with("truncation_side", ParamValue::Text("left".to_owned()));
    let (x, warnings) = encode_with(&*build(&left), &["view red shoes sale".to_owned()], &CTX);
    assert_eq!(x, encode(&*build(&params(&tiny())), &["shoes sale".to_owned()]));
    assert_eq!(warnings, ["1 of 1 texts are longer than 4 tokens and were cut at their beginning"]);
}

#[test]
fn damaged_files_are_named() {
    for (file, expected) in [
        ("model.safetensors", "model.safetensors is not a readable safetensors file"),
        ("tokenizer.json", "tokenizer.json is not a usable tokenizer"),
        ("config.json", "config.json is not what it should be"),
    ] {
        let folder = copy_without(&[]);
        std::fs::write(folder.path().join(file), b"{ cut off").expect("written");
        let message = refusal(&params(folder.path()));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn more_tokens_than_the_model_has_positions_are_refused() {
    let message = refusal(&params(&tiny()).with("max_tokens", ParamValue::Integer(25)));
    assert!(message.ends_with("max_tokens is 25, but the model has 24 positions; use at most 24"), "{message}");
}

#[test]
fn what_does_not_fit_the_declared_memory_is_refused_before_it_starts() {
    let encoder = build(&params(&tiny()));
    let sequences = sequences(&texts(3));
    let ctx = Context { memory_bytes: 1000, ..CTX };
    let fitted = encoder.fit(SequenceView::new(&sequences, &[]), &ctx).expect("fitted");
    let failure = fitted.transform(SequenceView::new(&sequences, &[0, 1, 2]), &ctx).unwrap_err();
    assert_eq!(failure.class, FailureClass::Oom);
    assert_eq!(
        failure.message,
        "encoding 3 texts needs about 1 MiB, and 0 MiB are allowed; a smaller batch_tokens or fewer threads need less"
    );
}

#[test]
fn a_cut_of_real_weights_gives_its_golden_vectors() {
    let Some(folder) = trailmark_kit::asset("bert-minilm-cut") else { return };
    let golden: serde_json::Value =
        serde_json::from_slice(&trailmark_kit::read(&folder.join("golden.json"))).expect("golden.json is JSON");
    let items = golden["items"].as_array().expect("items");
    let texts: Vec<String> = items.iter().map(|item| item["text"].as_str().expect("text").to_owned()).collect();
    let arms = [("mean", false, "mean_pool"), ("mean", true, "mean_pool_l2"), ("cls", false, "cls")];
    for (pooling, normalize, key) in arms {
        let params = params(&folder)
            .with("pooling", ParamValue::Text(pooling.to_owned()))
            .with("normalize", ParamValue::Flag(normalize));
        let x = encode(&*build(&params), &texts);
        let mut worst = 0.0_f64;
        for (at, item) in items.iter().enumerate() {
            let expected: Vec<f64> =
                item[key].as_array().expect("a vector").iter().map(|v| v.as_f64().expect("a number")).collect();
            assert_eq!(expected.len(), x.n_features());
            for (&value, expected) in x.matrix().row(at).iter().zip(expected) {
                worst = worst.max((f64::from(value) - expected).abs());
            }
        }
        eprintln!("{key}: largest difference {worst:e}");
        assert!(worst <= 1e-4, "{key}: largest difference {worst:e}");
    }
}

#[test]
fn the_whole_minilm_gives_the_vectors_of_sentence_transformers() {
    let table = trailmark_kit::oracle("transformer", "minilm");
    let Some(folder) = trailmark_kit::model("minilm") else { return };
    let texts: Vec<String> = table.case.iter().map(text).collect();
    let (x, warnings) = encode_with(&*build(&params(&folder)), &texts, &Context { threads: 2, ..CTX });
    let mut worst = 0.0_f64;
    for (at, case) in table.case.iter().enumerate() {
        for (&value, expected) in x.matrix().row(at).iter().zip(trailmark_kit::numbers(case, "vector")) {
            worst = worst.max((f64::from(value) - expected).abs());
            table.assert_close(&texts[at], f64::from(value), expected);
        }
    }
    eprintln!("largest difference {worst:e}; {warnings:?}");
    assert_eq!(warnings[0], "1 of 12 texts are longer than 256 tokens and were cut at their end");
}
