//! Public word vectors: every format, how a text becomes words, what is refused, and real files.

use std::io::Write;
use std::path::Path;

use trailmark_core::contract::{Encoder, Scope};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Matrix, Sequences};
use trailmark_encode::npy::{NpyMatrix, write};
use trailmark_kit::{asset, number, oracle, rows};

use crate::{CTX, bits, encode, try_make};

fn text(value: impl Into<String>) -> ParamValue {
    ParamValue::Text(value.into())
}

fn load(path: &Path, more: &[(&'static str, ParamValue)]) -> Result<Box<dyn Encoder>, String> {
    let params: Vec<_> =
        std::iter::once(("path", text(path.display().to_string()))).chain(more.iter().cloned()).collect();
    let folder = path.parent().unwrap().display().to_string();
    try_make("word_vectors", &params).map_err(|error| error.0.replace(&format!("{folder}/"), ""))
}

fn texts(texts: &[&str]) -> Sequences {
    Sequences {
        ids: (0..texts.len()).map(|i| format!("u{i}")).collect(),
        texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        tokens: vec![Vec::new(); texts.len()],
        ..Sequences::default()
    }
}

#[test]
fn pooled_vectors_agree_with_numpy() {
    let table = oracle("encode", "word_vectors");
    for case in &table.case {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.txt");
        std::fs::write(&path, case["file"].as_str().unwrap()).unwrap();
        let list = |key: &str| -> Vec<&str> {
            case[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
        };
        let n_train = list("train_texts").len();
        let all = texts(&[list("train_texts"), list("test_texts")].concat());
        let pooling = case["pooling"].as_str().unwrap();
        let params = [("pooling", text(pooling)), ("sif_a", ParamValue::Number(number(case, "sif_a")))];
        let encoder = load(&path, &params).unwrap();
        assert_eq!(encoder.scope(), if pooling == "mean" { Scope::Frozen } else { Scope::PerFold });
        let (x, warnings) = encode(&*encoder, &all, if pooling == "mean" { 0 } else { n_train }, &CTX);
        for (i, expected) in rows(case, "x").iter().enumerate() {
            for (j, expected) in expected.iter().enumerate() {
                table.assert_close(&format!("{pooling}, text {i}, dimension {j}"), x.row(i)[j].into(), *expected);
            }
        }
        assert_eq!(
            warnings,
            [
                "2 of 9 samples hold nothing that the file of word vectors knows, their vectors are zero",
                "6 of 31 words (19.35 %) are not in the file of word vectors"
            ]
        );
    }
}

#[test]
fn every_format_gives_the_same_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        folder.path().join(name)
    };
    let x = Matrix::from_rows(&[vec![1.5_f32, -2.0], vec![0.25, 8.0], vec![3.0, 0.5]]).unwrap();
    let lines = "red 1.5 -2\nblue 0.25 8\n鞋 3 0.5\n";
    let mut binary = b"3 2\n".to_vec();
    for (word, row) in ["red", "blue", "鞋"].into_iter().zip(x.iter_rows()) {
        binary.extend(word.as_bytes());
        binary.push(b' ');
        binary.extend(row.iter().flat_map(|value| value.to_le_bytes()));
        binary.push(b'\n');
    }
    let without_breaks: Vec<u8> = [b"3 2\n".to_vec()]
        .into_iter()
        .chain(["red", "blue", "鞋"].into_iter().zip(x.iter_rows()).map(|(word, row)| {
            [word.as_bytes(), b" ", &row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()].concat()
        }))
        .flatten()
        .collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&binary).unwrap();
    let vocabulary = put("words.list", "red\nblue\n鞋\n".as_bytes());
    let npy = put("x.npy", &write(&NpyMatrix::F32(x.clone())));
    let encoders = [
        load(&put("glove.txt", lines.as_bytes()), &[]),
        load(&put("word2vec.txt", format!("3 2\n{lines}").as_bytes()), &[]),
        load(&put("word2vec.bin", &binary), &[]),
        load(&put("no_breaks.bin", &without_breaks), &[]),
        load(&put("word2vec.bin.gz", &packed.finish().unwrap()), &[]),
        load(&npy, &[("vocabulary", text(vocabulary.display().to_string()))]),
    ];
    let all = texts(&["Red, BLUE", "red鞋鞋", "green"]);
    for encoder in encoders {
        let (got, warnings) = encode(&*encoder.unwrap(), &all, 0, &CTX);
        let expected = [0.875, 3.0, 2.5, -1.0 / 3.0, 0.0, 0.0];
        assert!(got.as_slice().iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-6), "{got:?}");
        assert_eq!(warnings.len(), 2);
    }
    let first = load(&folder.path().join("word2vec.bin"), &[("max_words", ParamValue::Integer(1))]).unwrap();
    assert_eq!(bits(&encode(&*first, &texts(&["red blue"]), 0, &CTX).0), bits(&x.select_rows(&[0])));
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_what_where_and_how_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.txt");
    for (content, message) in [
        (
            &b""[..],
            "w.txt holds no vectors; the formats are word2vec text and binary, GloVe text, and .npy with vocabulary",
        ),
        (b"red 1 2\nblue 1\n", "w.txt, line 2: 1 numbers after the word, 2 are needed"),
        (b"red 1 2\nblue 1 x\n", "w.txt, line 2: \"x\" is not a number"),
        (b"red 1 2\nblue 1 nan\n", "w.txt holds NaN for word \"blue\", dimension 1; mend or leave out that word"),
        (b"3 2\nred 1 2\nblue 1 2\n", "w.txt promises 3 words and ends after 2; was it cut short?"),
        (
            b"2 2\nred \x00\x00\x80\x3f\x00\x00\x80\x3f\nblue \x00\x00",
            "w.txt promises 2 words and ends after 1; was it cut short?",
        ),
        (b"red \xff 2\n", "w.txt is not UTF-8 text"),
    ] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(load(&path, &[]).err().unwrap(), format!("word_vectors: {message}"));
    }
    let npy = folder.path().join("x.npy");
    std::fs::write(&npy, write(&NpyMatrix::F32(Matrix::zeros(2, 2)))).unwrap();
    assert_eq!(
        load(&npy, &[]).err().unwrap(),
        "word_vectors: x.npy is an .npy file, which holds no words: name a text file with one word per row in vocabulary"
    );
    std::fs::write(&path, "one\n").unwrap();
    let vocabulary = [("vocabulary", text(path.display().to_string()))];
    assert_eq!(
        load(&npy, &vocabulary).err().unwrap(),
        "word_vectors: x.npy has 2 rows and w.txt has 1 words; write one word per row, in the same order"
    );
    std::fs::write(&path, "red 1 2\nred 3 4\n").unwrap();
    let (x, warnings) = encode(&*load(&path, &[]).unwrap(), &texts(&["red"]), 0, &CTX);
    assert_eq!(x.as_slice(), [1.0, 2.0]);
    assert_eq!(warnings, ["1 rows of the file repeat an earlier word; the first row of a word counts"]);
}

/// The words of a list by cosine to the first.
fn nearest<'a>(encoder: &dyn Encoder, words: &[&'a str]) -> Vec<&'a str> {
    let (x, _) = encode(encoder, &texts(words), 0, &CTX);
    let cosine = |i: usize| {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        dot(x.row(0), x.row(i)) / (dot(x.row(0), x.row(0)) * dot(x.row(i), x.row(i))).sqrt()
    };
    let mut order: Vec<usize> = (1..words.len()).collect();
    order.sort_by(|&a, &b| cosine(b).total_cmp(&cosine(a)));
    order.into_iter().map(|i| words[i]).collect()
}

#[test]
fn real_vectors_know_their_neighbours() {
    let Some(folder) = asset("word-vectors") else { return };
    let chinese = load(&folder.join("zh-word2vec-synonyms.top15k.bin.gz"), &[]).unwrap();
    let words = ["手机", "水果", "iPhone", "酒店", "电话", "Android", "历史"];
    let mut near = nearest(&*chinese, &words)[..3].to_vec();
    near.sort_unstable();
    assert_eq!(near, ["Android", "iPhone", "电话"]);
    let mut near = nearest(&*chinese, &["购买", "出售", "天气", "购置", "数学", "卖给"])[..3].to_vec();
    near.sort_unstable();
    assert_eq!(near, ["出售", "卖给", "购置"]);
    let english = load(&folder.join("glove.6B.50d.top20k.txt.gz"), &[]).unwrap();
    let near = nearest(&*english, &["Shoes", "boots", "parliament", "jacket", "river"]);
    assert_eq!(near[..2], ["boots", "jacket"]);
}
