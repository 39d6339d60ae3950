//! Encoders on real texts and command logs: k-means on their vectors must find what scikit-learn's finds.
//!
//! Reference numbers are means over seeds of the same steps in scikit-learn 1.9.1 (see the assets' notes).

use std::collections::BTreeMap;
use std::path::Path;

use trailmark_core::contract::{Assets, Context, Encoder, MetricInput, SweepPoint};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Labels, Matrix, Params, Sequences, Space};
use trailmark_kit::asset;

use crate::{CTX, encode, make, sequences};

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

/// Rows of a delimited file after its header; fields may be quoted and hold line breaks.
fn table(path: &Path, delimiter: char) -> Vec<Vec<String>> {
    let text = String::from_utf8(trailmark_kit::read(path)).unwrap();
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            '\r' if !quoted => {}
            c if c == delimiter && !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows.split_off(1)
}

fn texts(texts: Vec<String>) -> Sequences {
    let mut all = sequences(&vec![vec!["t".to_owned()]; texts.len()]);
    all.texts = texts;
    all
}

fn classes<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<Option<u32>> {
    let numbers: BTreeMap<&str, ()> = names.clone().map(|name| (name, ())).collect();
    let numbers: BTreeMap<&str, u32> = numbers.into_keys().zip(0..).collect();
    names.map(|name| Some(numbers[name])).collect()
}

/// NMI, ARI and accuracy of the rows after the first `n_train` (or of all, where all are trained on), in percent: means
/// over five seeds of k-means on the training rows.
fn scores(
    x: &Matrix<f32>,
    n_train: usize,
    l2: bool,
    truth: &[Option<u32>],
    n_clusters: usize,
    n_init: i64,
) -> [f64; 3] {
    let mut x = x.clone();
    let train: Vec<usize> = (0..n_train).collect();
    if l2 {
        let post = trailmark_evaluate::posts().into_iter().find(|post| post.spec.name == "l2").unwrap();
        (post.build)(&Params::defaults(post.spec)).unwrap().fit(&x.select_rows(&train)).unwrap().apply(&mut x).unwrap();
    }
    let first = if n_train == x.rows() { 0 } else { n_train };
    let scored: Vec<usize> = (first..x.rows()).collect();
    let entry = trailmark_cluster::registry().into_iter().find(|entry| entry.spec.name == "kmeans").unwrap();
    let params = Params::defaults(entry.spec).with("n_init", ParamValue::Integer(n_init));
    let clusterer = (entry.build)(&params).unwrap();
    let mut means = [0.0; 3];
    for seed in SEEDS {
        let point = SweepPoint { n_clusters: Some(n_clusters), seed };
        let partition = clusterer
            .fit_sweep(&Space::of(&x.select_rows(&train)), &[point], &Context { threads: 2, ..CTX })
            .remove(0)
            .unwrap();
        let labels: Labels = partition.assign((&x.select_rows(&scored)).into()).unwrap();
        let input = MetricInput {
            labels_pred: &labels,
            labels_true: Some(&truth[first..]),
            x: None,
            distance: Default::default(),
        };
        let names = ["normalized_mutual_info_score", "adjusted_rand_score", "hungarian_accuracy"];
        for (mean, name) in means.iter_mut().zip(names) {
            let metric = trailmark_metrics::registry().into_iter().find(|metric| metric.spec().name == name).unwrap();
            *mean += 100.0 * metric.score(&input).number().unwrap() / SEEDS.len() as f64;
        }
    }
    means
}

fn svd(dim: i64) -> (&'static str, ParamValue) {
    ("svd_dim", ParamValue::Integer(dim))
}

fn analyzer(name: &str) -> (&'static str, ParamValue) {
    ("analyzer", ParamValue::Text(name.to_owned()))
}

/// BANKING77 as TEXTOIR splits it: texts and classes, training rows first, and their number.
fn banking(folder: &Path) -> (Sequences, Vec<Option<u32>>, usize) {
    let mut rows = table(&folder.join("textoir-split/train.tsv.gz"), '\t');
    let n_train = rows.len();
    rows.extend(table(&folder.join("textoir-split/test.tsv.gz"), '\t'));
    assert_eq!((n_train, rows.len()), (9003, 12_083));
    let truth = classes(rows.iter().map(|row| row[1].as_str()));
    (texts(rows.into_iter().map(|mut row| row.swap_remove(0)).collect()), truth, n_train)
}

#[test]
fn words_of_bank_queries_part_intents_as_in_scikit_learn() {
    let Some(folder) = asset("banking77") else { return };
    let (all, truth, n_train) = banking(&folder);
    let encoder = make("tfidf", &[analyzer("words"), svd(100)]);
    let x = encode(&*encoder, &all, n_train, &CTX).0;
    let got = scores(&x, n_train, true, &truth, 77, 3);
    eprintln!("BANKING77, tfidf words + SVD 100 + l2: NMI, ARI, ACC {got:.2?}");
    for (got, expected) in got.into_iter().zip([54.6, 19.5, 31.9]) {
        assert!((got - expected).abs() <= 2.0, "{got} is not within 2 points of {expected}");
    }
}

/// Mean GloVe vectors of the queries from a file of word vectors: NMI, ARI, ACC.
fn glove_scores(banking77: &Path, vectors: &Path) -> [f64; 3] {
    let (all, truth, n_train) = banking(banking77);
    let path = ("path", ParamValue::Text(vectors.display().to_string()));
    let encoder: Box<dyn Encoder> = make("word_vectors", &[path]);
    let (x, warnings) = encode(&*encoder, &all, 0, &CTX);
    let got = scores(&x, n_train, false, &truth, 77, 3);
    eprintln!("BANKING77, GloVe 50d of {}, mean: NMI, ARI, ACC {got:.2?}; {warnings:?}", vectors.display());
    got
}

/// The reference is of all 400,000 words.
#[test]
fn glove_of_bank_queries_parts_intents_as_in_scikit_learn() {
    let (Some(folder), Some(vectors)) = (asset("banking77"), trailmark_kit::model("glove-6b-50d")) else { return };
    for (got, expected) in glove_scores(&folder, &vectors.join("glove.6B.50d.bin")).into_iter().zip([41.8, 8.1, 20.1]) {
        assert!((got - expected).abs() <= 2.0, "{got} is not within 2 points of {expected}");
    }
}

/// 20,000 words are most of the words of these queries: the same numbers within the same distance.
#[test]
fn the_most_frequent_words_of_glove_part_intents_as_all_of_them_do() {
    let (Some(folder), Some(vectors)) = (asset("banking77"), asset("word-vectors/glove.6B.50d.top20k.txt.gz")) else {
        return;
    };
    for (got, expected) in glove_scores(&folder, &vectors).into_iter().zip([41.8, 8.1, 20.1]) {
        assert!((got - expected).abs() <= 2.0, "{got} is not within 2 points of {expected}");
    }
}

/// Assets of a test that has one model, given as a folder.
struct OneModel(std::path::PathBuf);

impl Assets for OneModel {
    fn model(&self, _name: &str) -> Result<std::path::PathBuf, String> {
        Ok(self.0.clone())
    }
    fn path(&self, path: &str) -> std::path::PathBuf {
        path.into()
    }
}

#[test]
fn minilm_of_bank_queries_parts_intents_as_in_scikit_learn() {
    let (Some(folder), Some(model)) = (asset("banking77"), trailmark_kit::model("minilm")) else { return };
    let (all, truth, n_train) = banking(&folder);
    let entry = trailmark_transformer::registry().into_iter().find(|entry| entry.spec.name == "bert").unwrap();
    let params = Params::defaults(entry.spec).with("model", ParamValue::Text("minilm".to_owned()));
    let encoder = (entry.build)(&params, &OneModel(model)).unwrap();
    let x = encode(&*encoder, &all, 0, &Context { threads: 2, memory_bytes: 1 << 31, ..CTX }).0;
    let got = scores(&x, n_train, false, &truth, 77, 3);
    eprintln!("BANKING77, all-MiniLM-L6-v2: NMI, ARI, ACC {got:.2?}");
    for (got, expected) in got.into_iter().zip([78.8, 49.4, 61.4]) {
        assert!((got - expected).abs() <= 1.5, "{got} is not within 1.5 points of {expected}");
    }
}

/// All rows, n-grams of at least five reviews. Without `sublinear_tf` scikit-learn reaches an NMI of 41, with it 50.
#[test]
fn characters_part_chinese_reviews_by_product_without_a_word_splitter() {
    let Some(folder) = asset("zh-shopping-reviews") else { return };
    let rows = table(&folder.join("reviews_dev.csv.gz"), ',');
    assert_eq!(rows.len(), 18_711);
    let truth = classes(rows.iter().map(|row| row[0].as_str()));
    let all = texts(rows.into_iter().map(|mut row| row.swap_remove(2)).collect());
    let more = [
        analyzer("characters"),
        ("ngram_max", ParamValue::Integer(2)),
        ("min_df", ParamValue::Integer(5)),
        ("sublinear_tf", ParamValue::Flag(true)),
        svd(100),
    ];
    let x = encode(&*make("tfidf", &more), &all, all.ids.len(), &CTX).0;
    let got = scores(&x, x.rows(), true, &truth, 10, 3);
    eprintln!("Chinese reviews, tfidf characters 1-2 + SVD 100 + l2: NMI, ARI, ACC {got:.2?}");
    assert!(got[0] >= 45.0, "NMI {}", got[0]);
}

/// Twenty consecutive sessions of at least five commands make a history. Raw counts drown in a few commands: without
/// `sublinear_tf` scikit-learn's ARI is 69, with it 99.
#[test]
fn histories_of_shell_commands_part_persons() {
    let Some(folder) = asset("unix-user-sessions") else { return };
    let rows = table(&folder.join("sessions_first40pct.csv.gz"), ',');
    let mut files: BTreeMap<&str, Vec<&Vec<String>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row[3].split(' ').count() >= 5) {
        files.entry(&row[0]).or_default().push(row);
    }
    let mut documents = Vec::new();
    let mut persons = Vec::new();
    for sessions in files.into_values() {
        for history in sessions.chunks(20) {
            documents.push(history.iter().flat_map(|row| row[3].split(' ').map(str::to_owned)).collect::<Vec<_>>());
            persons.push(history[0][1].as_str());
        }
    }
    let truth = classes(persons.iter().copied());
    let all = sequences(&documents);
    let x =
        encode(&*make("tfidf", &[svd(20), ("sublinear_tf", ParamValue::Flag(true))]), &all, documents.len(), &CTX).0;
    let got = scores(&x, x.rows(), true, &truth, 8, 10);
    eprintln!("UNIX users, {} histories, tfidf + SVD 20 + l2: NMI, ARI, ACC {got:.2?}", documents.len());
    assert!(got[1] >= 90.0, "ARI {}", got[1]);
}
