//! Commands on plain files, without a suite.

use crate::bench::Bench;

#[test]
fn texts_become_vectors_in_every_format() {
    let bench = Bench::new();
    bench.write("texts.txt", "red dress\nblue coat\nred dress\n");
    let outcome = bench.trailmark(&["encode", "tfidf", "texts.txt", "-o", "x.csv"]).exits(0);
    assert_eq!(outcome.stdout, "x.csv: 3 x 4\n");
    let text = bench.read("x.csv");
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows[0], rows[2], "equal texts have equal vectors");
    assert_ne!(rows[0], rows[1]);
    bench.trailmark(&["encode", "word2vec", "texts.txt", "-o", "x.npy", "--set", "dim=3"]).exits(0);
    assert!(std::fs::read(bench.path("x.npy")).unwrap().starts_with(b"\x93NUMPY"));
    bench.trailmark(&["encode", "tfidf", "texts.txt", "-o", "x.safetensors"]).exits(0);
    assert!(bench.path("x.safetensors").is_file());
    bench.trailmark(&["encode", "tfidf", "texts.txt", "-o", "x.xls"]).exits(2).says(".npy, .safetensors or .csv");
}

#[test]
fn a_column_of_a_csv_file_is_read_with_its_line_breaks() {
    let bench = Bench::new();
    bench.write("texts.csv", "id,text\n1,\"red\ndress\"\n2,coat\n");
    let outcome = bench.trailmark(&["encode", "tfidf", "texts.csv", "--column", "text", "-o", "x.npy"]).exits(0);
    assert_eq!(outcome.stdout, "x.npy: 2 x 3\n");
    bench
        .trailmark(&["encode", "tfidf", "texts.csv", "--column", "txt", "-o", "x.npy"])
        .exits(5)
        .says("no column is named \"txt\"; the columns are: id, text");
}

#[test]
fn mistakes_are_those_of_suites() {
    let bench = Bench::new();
    bench.write("texts.txt", "a\n");
    bench.trailmark(&["encode", "tfid", "texts.txt", "-o", "x.npy"]).exits(3).says("did you mean \"tfidf\"?");
    bench
        .trailmark(&["encode", "tfidf", "texts.txt", "-o", "x.npy", "--set", "dim=3"])
        .exits(3)
        .says("has no key \"dim\"");
    bench.write("empty.txt", "");
    bench.trailmark(&["encode", "tfidf", "empty.txt", "-o", "x.npy"]).exits(5).says("empty.txt: it holds no text");
}
