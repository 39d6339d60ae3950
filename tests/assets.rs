//! The shipped suites on real data. Skipped, with a line that says so, where the data is not there.

use crate::bench::Bench;

fn shipped(bench: &Bench, name: &str) {
    let text = std::fs::read_to_string(trailmark_kit::root().join("suites").join(name)).unwrap();
    bench.write(name, &text);
}

#[test]
fn movielens_runs_on_the_fetched_data() {
    if trailmark_kit::asset(".").is_none() {
        return;
    }
    let bench = Bench::new();
    shipped(&bench, "movielens.toml");
    // Without the sentence encoder, whose own test is in `transformer`: this one is about the data and the protocol.
    bench
        .trailmark(&["run", "movielens.toml", "-o", "run", "-F", "/minilm/", "--set", "sweep.n_clusters=[4,8]"])
        .exits(0);
    let csv = bench.read("run/scores.csv");
    assert!(csv.contains("adjusted_rand_score[occupation]"));
    assert!(csv.contains("cluster_popularity/ndcg@20"));
}

#[test]
fn eshop_sessions_are_all_read() {
    if trailmark_kit::asset("eshop-clothing-2008").is_none() {
        return;
    }
    let bench = Bench::new();
    shipped(&bench, "eshop.toml");
    bench.trailmark(&["run", "eshop.toml", "-o", "run", "-f", "/tfidf/kmeans/k=4/fold=0/"]).exits(0);
    let manifest = bench.read("run/run.json");
    assert!(manifest.contains("165474 rows read"), "{manifest}");
    assert!(manifest.contains("24026 sequences found"), "{manifest}");
    shipped(&bench, "eshop_clusterers.toml");
    bench.trailmark(&["run", "eshop_clusterers.toml", "-o", "found", "-f", "/hdbscan/k=auto/fold=0/"]).exits(0);
    assert!(
        bench.read("found/scores.csv").contains("eshop,w2v,hdbscan,auto,0,0,test,arm,,cluster_popularity/ndcg@10,")
    );
}
