//! The same suite gives the same bytes, whatever happens on the way.

use std::time::Duration;

use crate::bench::{Bench, SMALL};

#[test]
fn one_thread_and_two_give_the_same_bytes() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml", "-o", "one", "-j", "1"]).exits(0);
    bench.trailmark(&["run", "small.toml", "-o", "two", "-j", "2", "--fresh"]).exits(0);
    assert!(bench.read("one/scores.csv").lines().count() > 1000);
    assert_eq!(bench.read("one/scores.csv"), bench.read("two/scores.csv"));
    assert_eq!(bench.read("one/comparisons.json"), bench.read("two/comparisons.json"));
}

#[test]
fn a_run_killed_at_any_moment_and_resumed_gives_the_same_bytes() {
    let whole = Bench::new();
    whole.write("small.toml", SMALL);
    whole.trailmark(&["run", "small.toml", "-o", "run"]).exits(0);
    let mut interrupted = 0;
    for wait_ms in [15, 60, 150, 300] {
        let bench = Bench::new();
        bench.write("small.toml", SMALL);
        let mut child = bench.start(&["run", "small.toml", "-o", "run", "-j", "1"]);
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        interrupted += usize::from(!bench.path("run/scores.csv").exists());
        bench.trailmark(&["run", "small.toml", "-o", "run"]).exits(0);
        assert_eq!(whole.read("run/scores.csv"), bench.read("run/scores.csv"), "killed after {wait_ms} ms");
    }
    assert!(interrupted > 0, "no kill came before the end");
}

#[test]
fn a_finished_run_computes_nothing_again() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml"]).exits(0).says("computed now");
    bench.trailmark(&["run", "small.toml"]).exits(0).says("0 computed now");
}

#[test]
fn adding_an_encoder_leaves_every_old_row_as_it_was() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    let more = SMALL.replace(
        "[[clusterer]]\nid = \"kmeans\"",
        "[[encoder]]\nid = \"bag\"\nkind = \"bag_of_events\"\n\n[[clusterer]]\nid = \"kmeans\"",
    );
    bench.write("more.toml", &more);
    bench.trailmark(&["run", "small.toml", "-o", "small"]).exits(0);
    bench.trailmark(&["run", "more.toml", "-o", "more", "--fresh"]).exits(0);
    let more = bench.read("more/scores.csv");
    let old: Vec<&str> = more.lines().filter(|line| !line.starts_with("shop,bag,")).collect();
    assert!(old.len() < more.lines().count());
    assert_eq!(bench.read("small/scores.csv").lines().collect::<Vec<_>>(), old);
}

#[test]
fn adding_a_value_of_n_clusters_leaves_every_fixed_row_as_it_was() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml", "-o", "small"]).exits(0);
    bench.trailmark(&["run", "small.toml", "-o", "more", "--set", "sweep.n_clusters=[2,3,4,6]"]).exits(0);
    let keep = |text: &str| -> Vec<String> {
        let fixed = |line: &&str| !line.contains(",auto,") && !line.contains("kmeans,3,") && !line.contains("ward,3,");
        text.lines().filter(fixed).map(str::to_owned).collect()
    };
    assert_eq!(keep(&bench.read("small/scores.csv")), keep(&bench.read("more/scores.csv")));
}

#[test]
fn another_suite_does_not_land_in_the_same_folder() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml"]).exits(0);
    bench.trailmark(&["run", "small.toml", "--set", "suite.seed=8"]).exits(0);
    assert!(bench.path("runs/small-2/scores.csv").is_file());
    bench
        .trailmark(&["run", "small.toml", "--set", "suite.seed=8", "-o", "runs/small"])
        .exits(2)
        .says("holds a run of another suite");
}

#[test]
fn shards_of_a_plan_meet_in_one_folder() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml", "-o", "whole"]).exits(0);
    bench.trailmark(&["run", "small.toml", "-o", "parts", "--shard", "1/2"]).exits(0);
    bench.trailmark(&["status", "parts"]).exits(11);
    bench.trailmark(&["run", "small.toml", "-o", "parts", "--shard", "2/2"]).exits(0);
    bench.trailmark(&["status", "parts"]).exits(0);
    assert_eq!(bench.read("whole/scores.csv"), bench.read("parts/scores.csv"));
}
