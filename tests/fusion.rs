//! Fusions of encoders, through the whole program.

use crate::bench::{Bench, SMALL};

/// The small suite with a second word2vec, a concatenation and a sum in which the second part has no weight.
fn suite() -> String {
    SMALL.replace(
        "[[clusterer]]\nid = \"kmeans\"",
        r#"[[encoder]]
id = "other"
kind = "word2vec"
dim = 16
epochs = 3

[[encoder]]
id = "both"
kind = "concatenation"
parts = ["tfidf", "w2v"]

[[encoder]]
id = "first"
kind = "weighted_sum"
parts = ["w2v", "other"]
alpha = 1

[[clusterer]]
id = "kmeans""#,
    )
}

/// The rows of one encoder with one clusterer, without the encoder's name.
fn rows(scores: &str, encoder: &str, clusterer: &str) -> Vec<String> {
    let start = format!("shop,{encoder},{clusterer},");
    scores.lines().filter_map(|line| line.strip_prefix(&start)).map(str::to_owned).collect()
}

#[test]
fn a_sum_in_which_the_second_part_has_no_weight_is_its_first_part() {
    let bench = Bench::new();
    bench.write("fusion.toml", &suite());
    bench.trailmark(&["run", "fusion.toml", "-o", "run"]).exits(0);
    let scores = bench.read("run/scores.csv");
    // Ward draws nothing, so equal vectors give equal rows.
    assert!(rows(&scores, "first", "ward").len() > 100);
    assert_eq!(rows(&scores, "first", "ward"), rows(&scores, "w2v", "ward"));
    assert_ne!(rows(&scores, "first", "ward"), rows(&scores, "other", "ward"));
    assert_ne!(rows(&scores, "both", "ward"), rows(&scores, "tfidf", "ward"));
}

#[test]
fn a_fusion_alone_has_the_same_rows_and_clusters_no_part() {
    let bench = Bench::new();
    bench.write("fusion.toml", &suite());
    bench.trailmark(&["run", "fusion.toml", "-o", "whole"]).exits(0);
    bench.trailmark(&["run", "fusion.toml", "-o", "alone", "--fresh", "-f", "/both/"]).exits(0);
    let (whole, alone) = (bench.read("whole/scores.csv"), bench.read("alone/scores.csv"));
    for clusterer in ["kmeans", "ward"] {
        assert!(!rows(&whole, "both", clusterer).is_empty());
        assert_eq!(rows(&whole, "both", clusterer), rows(&alone, "both", clusterer));
        assert!(rows(&alone, "tfidf", clusterer).is_empty(), "a part was clustered though the filter leaves it out");
    }
}

#[test]
fn a_changed_part_changes_the_fusion_and_a_renamed_one_does_not() {
    let bench = Bench::new();
    bench.write("fusion.toml", &suite());
    bench.write(
        "renamed.toml",
        &suite().replace("\"tfidf\", \"w2v\"", "\"words\", \"w2v\"").replace("id = \"tfidf\"", "id = \"words\""),
    );
    bench.trailmark(&["run", "fusion.toml", "-o", "run"]).exits(0);
    bench.trailmark(&["run", "renamed.toml", "-o", "renamed", "--fresh"]).exits(0);
    bench.trailmark(&["run", "fusion.toml", "-o", "changed", "--set", "encoder.tfidf.sublinear_tf=true"]).exits(0);
    let read = |run: &str| rows(&bench.read(&format!("{run}/scores.csv")), "both", "kmeans");
    assert_eq!(read("run"), read("renamed"), "names are in no seed");
    assert_ne!(read("run"), read("changed"));
}

#[test]
fn a_sum_of_different_widths_fails_its_cells_and_says_how_to_mend() {
    let bench = Bench::new();
    bench.write("fusion.toml", &suite().replace("parts = [\"w2v\", \"other\"]", "parts = [\"w2v\", \"tfidf\"]"));
    bench
        .trailmark(&["run", "fusion.toml", "-o", "run"])
        .exits(10)
        .says("give the wider one the post step pca with n_components = 16, or use concatenation");
    assert!(!rows(&bench.read("run/scores.csv"), "w2v", "kmeans").is_empty(), "the other cells went on");
}
