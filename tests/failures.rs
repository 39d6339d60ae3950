//! A failure is a record; the others go on.

use crate::bench::{Bench, SMALL};

#[test]
fn a_planted_panic_fails_its_cell_and_moves_no_other_number() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml", "-o", "good"]).exits(0);
    let cell = "shop/tfidf/kmeans/k=4/fold=1/rep=0";
    bench
        .trailmark_with(&["run", "small.toml", "-o", "bad"], "TRAILMARK_FAULT", &format!("panic:^{cell}$"))
        .exits(10)
        .says(&format!("{cell}  failed: bug: panicked: planted in {cell}"));
    let is_other =
        |line: &&str| !line.starts_with("shop,tfidf,kmeans,4,1,0,") && !line.starts_with("shop,tfidf,kmeans,auto,1,0,");
    let (good, bad) = (bench.read("good/scores.csv"), bench.read("bad/scores.csv"));
    assert_eq!(good.lines().filter(is_other).collect::<Vec<_>>(), bad.lines().filter(is_other).collect::<Vec<_>>());
    assert!(!bad.lines().any(|line| line.starts_with("shop,tfidf,kmeans,4,1,0,") && line.contains(",ok,")));

    let status = bench.trailmark(&["status", "bad"]).exits(10);
    assert!(status.stdout.contains(cell), "{}", status.stdout);
    // The next run mends what failed, and then nothing differs.
    bench.trailmark(&["run", "small.toml", "-o", "bad"]).exits(0);
    assert_eq!(good, bench.read("bad/scores.csv"));
}

#[test]
fn a_choice_made_without_a_failed_candidate_is_made_again_when_it_is_there() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml", "-o", "good"]).exits(0);
    // Six groups are planted, so that six is what the rule picks where it can.
    bench.trailmark_with(&["run", "small.toml", "-o", "bad"], "TRAILMARK_FAULT", "panic:/k=6/").exits(10);
    assert_ne!(bench.read("good/scores.csv"), bench.read("bad/scores.csv"));
    bench.trailmark(&["run", "small.toml", "-o", "bad"]).exits(0);
    assert_eq!(bench.read("good/scores.csv"), bench.read("bad/scores.csv"));
    assert_eq!(bench.read("good/comparisons.json"), bench.read("bad/comparisons.json"));
}

/// The small suite with a comparison over users.
fn by_users() -> String {
    SMALL.replace("arms = \"encoder\"", "arms = \"encoder\"\nmetric = \"cluster_popularity/ndcg@5\"")
}

#[test]
fn a_store_shared_with_a_run_that_failed_changes_no_claim() {
    let bench = Bench::new();
    bench.write("small.toml", &by_users());
    bench.trailmark_with(&["run", "small.toml", "-o", "bad"], "TRAILMARK_FAULT", "panic:/k=6/").exits(10);
    bench.trailmark(&["run", "small.toml", "-o", "shared"]).exits(0);
    let clean = Bench::new();
    clean.write("small.toml", &by_users());
    clean.trailmark(&["run", "small.toml", "-o", "clean"]).exits(0);
    assert_eq!(bench.read("shared/comparisons.json"), clean.read("clean/comparisons.json"));
}

#[test]
fn without_its_per_user_scores_a_comparison_is_undefined_and_another_run_makes_them_anew() {
    let bench = Bench::new();
    bench.write("small.toml", &by_users());
    bench.trailmark(&["run", "small.toml", "-o", "run"]).exits(0);
    let whole = bench.read("run/comparisons.json");
    assert!(whole.contains("sign_flip"));
    std::fs::remove_dir_all(bench.path(".trailmark")).unwrap();
    let outcome = bench.trailmark(&["compare", "run"]).exits(0);
    assert!(
        outcome.stdout.contains("undefined") && !outcome.stdout.contains("corrected_resampled_t"),
        "{}",
        outcome.stdout
    );
    bench.trailmark(&["run", "small.toml", "-o", "run"]).exits(0);
    assert_eq!(bench.read("run/comparisons.json"), whole);
}

#[test]
fn a_design_that_is_not_whole_makes_no_claim() {
    let bench = Bench::new();
    bench.write("small.toml", &by_users());
    bench.trailmark(&["run", "small.toml", "-o", "part", "-f", "/fold=[0-3]/"]).exits(0);
    let comparisons = bench.read("part/comparisons.json");
    assert!(comparisons.contains("4 of 5 folds have run"), "{comparisons}");
    assert!(!comparisons.contains("better_"), "{comparisons}");
}

#[test]
fn more_clusters_than_users_fail_with_both_numbers_and_the_others_stand() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    let outcome = bench.trailmark(&["run", "small.toml", "--set", "sweep.n_clusters=[2,500]", "-o", "run"]).exits(10);
    assert!(outcome.stderr.contains("bad_input"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("500 clusters"), "{}", outcome.stderr);
    let csv = bench.read("run/scores.csv");
    assert!(
        csv.lines()
            .any(|line| line.starts_with("shop,tfidf,kmeans,2,0,0,test,arm,,adjusted_rand_score")
                && line.contains(",ok,"))
    );
    assert!(!csv.lines().any(|line| line.starts_with("shop,tfidf,kmeans,500,") && line.contains(",ok,")));
}

#[test]
fn a_run_stopped_by_its_budget_can_go_on() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench
        .trailmark(&["run", "small.toml", "-o", "run", "--budget", "0s"])
        .exits(11)
        .says("run the same command to go on");
    bench.trailmark(&["run", "small.toml", "-o", "run"]).exits(0);
}

#[test]
fn a_damaged_artifact_is_named_and_made_again() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    bench.trailmark(&["run", "small.toml", "-o", "one"]).exits(0);
    let mut damaged = 0;
    for folder in std::fs::read_dir(bench.path(".trailmark/objects")).unwrap() {
        for object in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = object.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            std::fs::write(&path, bytes).unwrap();
            damaged += 1;
        }
    }
    assert!(damaged > 10);
    bench.trailmark(&["run", "small.toml", "-o", "two"]).exits(0).says("a damaged object was set aside");
    assert_eq!(bench.read("one/scores.csv"), bench.read("two/scores.csv"));
}
