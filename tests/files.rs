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

/// Twelve points in three groups, as a CSV file with a header.
fn groups(bench: &Bench) {
    let rows: Vec<String> = (0..12).map(|i| format!("{},{}", 10 * (i % 3), f64::from(i) / 100.0)).collect();
    bench.write("x.csv", &format!("a,b\n{}\n", rows.join("\n")));
}

#[test]
fn plain_vectors_become_labels_a_model_and_labels_of_new_rows() {
    let bench = Bench::new();
    groups(&bench);
    bench.write("new.csv", "20,0\n1,0\n");
    let args = ["cluster", "kmeans", "x.csv", "-k", "3", "-o", "labels.csv", "--model", "model.json"];
    let outcome =
        bench.trailmark(&[&args[..], &["--assign", "new.csv", "--assigned", "new_labels.csv"]].concat()).exits(0);
    assert!(
        outcome.stdout.contains("kmeans, n_clusters = 3: 3 clusters of 4 to 4 samples, inertia "),
        "{}",
        outcome.stdout
    );
    let labels: Vec<String> = bench.read("labels.csv").lines().map(str::to_owned).collect();
    assert_eq!(labels.len(), 13);
    assert_eq!(labels[0], "sample,label");
    let label = |row: usize| labels[row + 1].split_once(',').unwrap().1;
    assert!((0..12).all(|row| label(row) == label(row % 3)), "{labels:?}");
    assert_eq!(bench.read("new_labels.csv"), format!("sample,label\n0,{}\n1,{}\n", label(2), label(0)));
    let model = bench.read("model.json");
    for part in
        ["\"kind\": \"kmeans\"", "\"n_init\": 10", "\"assignment_rule\": \"nearest centroid\"", "\"n_samples\": 12"]
    {
        assert!(model.contains(part), "{part} is not in {model}");
    }
}

#[test]
fn a_sweep_of_plain_vectors_has_a_column_a_value_and_tells_what_failed() {
    let bench = Bench::new();
    groups(&bench);
    let outcome = bench.trailmark(&["cluster", "agglomerative", "x.csv", "-k", "2-3,99", "-o", "labels.csv"]).exits(10);
    assert!(outcome.stderr.contains("n_clusters = 99: 12 users cannot make 99 clusters"), "{}", outcome.stderr);
    assert!(bench.read("labels.csv").starts_with("sample,n_clusters_2,n_clusters_3\n0,0,0\n"));
}

#[test]
fn clustering_plain_vectors_says_what_is_wrong_and_writes_nothing() {
    let bench = Bench::new();
    groups(&bench);
    bench.write("bad.csv", "1,2\n3,x\n");
    bench.write("nan.csv", "1,2\n3,nan\n");
    let run = |args: &[&str], code: i32, says: &str| {
        bench.trailmark(&[&["cluster"], args, &["-o", "labels.csv"]].concat()).exits(code).says(says);
        assert!(!bench.path("labels.csv").exists(), "{args:?} wrote labels");
    };
    run(&["kmean", "x.csv", "-k", "3"], 3, "did you mean \"kmeans\"?");
    run(&["kmeans", "x.csv"], 2, "kmeans needs -k, the number of clusters: -k 8, -k 2,4,8 or -k 2-10");
    run(&["kmeans", "x.csv", "-k", "3", "--set", "n_init=0"], 3, "takes a whole number from 1 to 10000");
    run(&["kmeans", "x.npy", "-k", "3"], 5, "x.npy: No such file");
    run(&["kmeans", "x.xlsx", "-k", "3"], 2, "vectors are read and written as .npy, .safetensors or .csv");
    run(&["kmeans", "bad.csv", "-k", "3"], 5, "bad.csv: line 2, column 2: \"x\" is no number");
    run(&["kmeans", "nan.csv", "-k", "2"], 5, "the vectors hold NaN at row 1, column 1; mend the encoder's output");
    run(&["kmeans", "x.csv", "-k", "99"], 5, "12 users cannot make 99 clusters");
}
