//! What the numbers must say on data whose truth is known.

use crate::bench::{Bench, scores};

/// Mean adjusted Rand score of every arm and value of n_clusters on held-out users.
fn mean_ari(bench: &Bench, run: &str) -> std::collections::BTreeMap<String, f64> {
    let mut sums = std::collections::BTreeMap::<String, (f64, f64)>::new();
    for row in scores(&bench.path(run).join("scores.csv")) {
        if row["metric"] == "adjusted_rand_score"
            && row["split"] == "test"
            && row["role"] == "arm"
            && row["status"] == "ok"
        {
            let entry =
                sums.entry(format!("{}/{}/{}", row["encoder"], row["clusterer"], row["n_clusters"])).or_default();
            entry.0 += row["value"].parse::<f64>().unwrap();
            entry.1 += 1.0;
        }
    }
    sums.into_iter().map(|(arm, (sum, n))| (arm, sum / n)).collect()
}

fn quickstart(bench: &Bench) {
    let text = std::fs::read_to_string(trailmark_kit::root().join("suites/quickstart.toml")).unwrap();
    bench.write("quickstart.toml", &text);
}

#[test]
fn the_default_generator_has_groups_that_an_arm_finds() {
    let bench = Bench::new();
    quickstart(&bench);
    bench.trailmark(&["run", "quickstart.toml", "-o", "run"]).exits(0);
    let means = mean_ari(&bench, "run");
    let best = means.values().copied().fold(f64::MIN, f64::max);
    assert!(best > 0.8, "{means:#?}");
}

#[test]
fn without_separation_no_arm_finds_anything() {
    let bench = Bench::new();
    quickstart(&bench);
    bench.trailmark(&["run", "quickstart.toml", "-o", "run", "--set", "dataset.shop.separation=0"]).exits(0);
    let means = mean_ari(&bench, "run");
    assert_eq!(means.len(), 2 * 2 * 10, "two encoders, two clusterers, nine values and auto");
    assert!(means.values().all(|mean| mean.abs() <= 0.02), "{means:#?}");
}

#[test]
fn order_only_groups_are_seen_by_bigrams_and_not_by_bags() {
    let bench = Bench::new();
    quickstart(&bench);
    let text = bench.read("quickstart.toml").replace(
        "[[encoder]]\nid = \"w2v\"\nkind = \"word2vec\"\ndim = 64\npost = [\"center\", \"l2\"]\n",
        "[[encoder]]\nid = \"bigrams\"\nkind = \"tfidf\"\nngram_min = 2\nngram_max = 2\n",
    );
    bench.write("order.toml", &text);
    bench
        .trailmark(&[
            "run",
            "order.toml",
            "-o",
            "run",
            "--set",
            "dataset.shop.order_only=true",
            "--set",
            "sweep.n_clusters=[6]",
        ])
        .exits(0);
    let means = mean_ari(&bench, "run");
    let (bag, bigrams) = (means["tfidf/kmeans/6"], means["bigrams/kmeans/6"]);
    assert!(bag.abs() < 0.05, "a bag of events sees {bag}");
    assert!(bigrams > bag + 0.3, "bigrams see {bigrams}, bags {bag}");
}
