//! The gate: what it lets through, what it stops, and with which code.

use crate::bench::{Bench, SMALL};

fn gated() -> Bench {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml"]).exits(0);
    bench
}

#[test]
fn without_a_baseline_the_gate_leaves_with_21_and_says_how_to_make_one() {
    gated().trailmark(&["gate", "runs/small"]).exits(21).says("trailmark baseline save runs/small");
}

#[test]
fn an_unchanged_rerun_passes() {
    let bench = gated();
    bench.trailmark(&["baseline", "save", "runs/small"]).exits(0);
    bench.trailmark(&["run", "small.toml", "--fresh"]).exits(0);
    let outcome = bench.trailmark(&["gate", "runs/small-2"]).exits(0);
    assert!(outcome.stdout.contains("identical"), "{}", outcome.stdout);
    assert!(bench.read("runs/small-2/gate.json").contains("\"adjusted_rand_score\""));
}

#[test]
fn a_number_that_got_worse_than_its_margin_leaves_with_20_and_is_named() {
    let bench = gated();
    bench.trailmark(&["baseline", "save", "runs/small"]).exits(0);
    // A worse arm under the same name: fewer epochs and dimensions for the learnt encoder.
    bench
        .trailmark(&[
            "run",
            "small.toml",
            "-o",
            "worse",
            "--set",
            "encoder.w2v.dim=2",
            "--set",
            "encoder.tfidf.ngram_min=3",
            "--set",
            "encoder.tfidf.ngram_max=3",
        ])
        .exits(0);
    let outcome = bench.trailmark(&["gate", "worse"]).exits(20);
    assert!(outcome.stdout.contains("regressed"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("0.02"), "{}", outcome.stdout);
}

#[test]
fn another_protocol_leaves_with_22_and_names_what_differs() {
    let bench = gated();
    bench.trailmark(&["baseline", "save", "runs/small"]).exits(0);
    bench.trailmark(&["run", "small.toml", "-o", "other", "--set", "sequence.min_events=4"]).exits(0);
    let outcome = bench.trailmark(&["gate", "other"]).exits(22);
    assert!(outcome.stdout.contains("sequence"), "{}", outcome.stdout);
}

#[test]
fn a_number_that_is_gone_is_not_a_pass() {
    let bench = gated();
    bench.trailmark(&["baseline", "save", "runs/small"]).exits(0);
    bench.write("fewer.toml", &SMALL.replace("[[clusterer]]\nid = \"ward\"\nkind = \"agglomerative\"\n\n", ""));
    bench.trailmark(&["run", "fewer.toml", "-o", "fewer"]).exits(0);
    let outcome = bench.trailmark(&["gate", "fewer"]).exits(20);
    assert!(outcome.stdout.contains("missing"), "{}", outcome.stdout);
}

#[test]
fn a_suite_that_computes_one_more_metric_is_as_comparable_as_before() {
    let bench = Bench::new();
    let few = SMALL.replace("primary = ", "metrics = [\"adjusted_rand_score\"]\nprimary = ");
    bench.write("few.toml", &few);
    bench.write("more.toml", &few.replace("[\"adjusted_rand_score\"]", "[\"adjusted_rand_score\", \"purity_score\"]"));
    bench.trailmark(&["run", "few.toml", "-o", "few"]).exits(0);
    bench.trailmark(&["baseline", "save", "few"]).exits(0);
    bench.trailmark(&["run", "more.toml", "-o", "more"]).exits(0);
    bench.trailmark(&["gate", "more"]).exits(0);
}
