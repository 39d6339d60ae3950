//! Every verdict and every exit code of the gate.

use trailmark_core::{Failure, Key, Score, Undefined};
use trailmark_report::{
    Baseline, BaselineError, EXIT_GATE_FAILED, EXIT_INCONCLUSIVE, EXIT_NO_BASELINE, EXIT_NOT_COMPARABLE, FoldValue,
    Gate, GateReport, GateRule, GateVerdict, Made, RunView, gate,
};
use trailmark_store::record::{NClusters, Outcome, Role, Split};

use crate::fixture;

const METRIC: &str = "adjusted_rand_score";

pub(crate) fn baseline(view: &RunView, gates: &[Gate]) -> Baseline {
    let made = Made::by(view, Some("2026-11-22".to_owned()), Some("first \"good\" run".to_owned()));
    Baseline::from_run(view, gates, made).expect("the gates select cells")
}

/// Changes a metric of an arm's auto cells, fold by fold.
pub(crate) fn shift(
    view: &mut RunView,
    encoder: &str,
    clusterer: &str,
    metric: &str,
    change: impl Fn(usize, f64) -> f64,
) {
    replace(view, encoder, clusterer, metric, |fold, score| {
        Score::value(change(fold, score.number().expect("the fixture has a value")))
    });
}

fn replace(view: &mut RunView, encoder: &str, clusterer: &str, metric: &str, change: impl Fn(usize, &Score) -> Score) {
    for record in &mut view.records {
        let cell = &record.cell;
        if cell.encoder == encoder && cell.clusterer == clusterer && cell.n_clusters == NClusters::Auto {
            let Outcome::Ok(scores) = &mut record.outcome else { panic!("{} failed", record.cell) };
            for row in &mut scores.rows {
                if row.metric == metric && row.role == Role::Arm && row.split == Split::Test {
                    row.score = change(record.cell.fold, &row.score);
                }
            }
        }
    }
}

fn rule(rule: GateRule, margin: f64) -> [Gate; 1] {
    [Gate { metric: METRIC.to_owned(), margin, rule, select: None }]
}

/// Judges a changed run against the unchanged one and returns the row of w2v + kmeans.
fn judged(gates: &[Gate], change: impl FnOnce(&mut RunView)) -> (GateReport, GateVerdict, String) {
    let before = fixture::run();
    let baseline = Baseline::parse(&baseline(&before, gates).to_toml()).expect("what was written reads back");
    let mut after = before;
    change(&mut after);
    let report = gate(&after, &baseline, gates, false).expect("the gates are valid");
    let row = report.rows.iter().find(|row| row.cell == "shop/w2v/kmeans/k=auto").expect("the arm is judged");
    let (verdict, note) = (row.verdict, row.note.clone());
    (report, verdict, note)
}

#[test]
fn an_unchanged_run_is_identical_through_the_file() {
    let (report, _, _) = judged(&rule(GateRule::Exact, 0.0), |_| {});
    assert!(report.rows.iter().all(|row| row.verdict == GateVerdict::Identical), "{:?}", report.rows);
    assert_eq!((report.exit_code, report.message.as_str()), (0, "gate passed: 4 identical"));
}

#[test]
fn a_baseline_survives_its_file_and_a_newer_one_is_refused() {
    let view = fixture::run();
    let saved = baseline(&view, &rule(GateRule::Margin, 0.02));
    let text = saved.to_toml();
    assert_eq!(Baseline::parse(&text).unwrap(), saved);
    assert_eq!(Baseline::parse(&text).unwrap().to_toml(), text, "saving again changes nothing");
    let newer = text.replace("schema = 1", "schema = 2\nsurprise = true");
    let error = Baseline::parse(&newer).unwrap_err().to_string();
    assert!(error.starts_with("the baseline has schema 2, this program reads up to 1"), "{error}");
}

#[test]
fn a_loss_beyond_the_margin_regresses_and_one_within_it_passes() {
    let gates = rule(GateRule::Margin, 0.02);
    let (report, verdict, _) = judged(&gates, |view| shift(view, "w2v", "kmeans", METRIC, |_, v| v - 0.021));
    assert_eq!((verdict, report.exit_code), (GateVerdict::Regressed, EXIT_GATE_FAILED));
    assert_eq!(report.rows[0].cell, "shop/w2v/kmeans/k=auto", "the worst comes first");
    let (report, verdict, _) = judged(&gates, |view| shift(view, "w2v", "kmeans", METRIC, |_, v| v - 0.02));
    assert_eq!((verdict, report.exit_code), (GateVerdict::Pass, 0), "a loss of just the margin is allowed");
    let (report, verdict, _) = judged(&gates, |view| shift(view, "w2v", "kmeans", METRIC, |_, v| v + 0.03));
    assert_eq!((verdict, report.exit_code), (GateVerdict::Improved, 0));
}

#[test]
fn an_exact_gate_fires_on_any_change_even_when_the_mean_stays() {
    let gates = rule(GateRule::Exact, 0.0);
    let (report, verdict, _) = judged(&gates, |view| {
        shift(view, "w2v", "kmeans", METRIC, |fold, v| v + [1e-4, -1e-4, 0.0, 0.0, 0.0][fold]);
    });
    assert_eq!((verdict, report.exit_code), (GateVerdict::Drifted, EXIT_GATE_FAILED));
    let (_, verdict, _) = judged(&gates, |view| shift(view, "w2v", "kmeans", METRIC, |_, v| v - 1e-6));
    assert_eq!(verdict, GateVerdict::Regressed);
}

#[test]
fn a_cell_that_vanished_is_missing_and_fails() {
    let (report, verdict, note) = judged(&rule(GateRule::Margin, 0.02), |view| {
        view.records.retain(|record| record.cell.encoder != "w2v");
    });
    assert_eq!((verdict, report.exit_code), (GateVerdict::Missing, EXIT_GATE_FAILED));
    assert_eq!(note, "the baseline has this cell, the run does not");
}

#[test]
fn a_value_that_became_undefined_or_failed_is_errored_and_says_why() {
    let gates = rule(GateRule::Margin, 0.02);
    let undefined = |fold: usize, score: &Score| {
        if fold == 1 { Score::from(Undefined::OneCluster) } else { score.clone() }
    };
    let (report, verdict, note) = judged(&gates, |view| replace(view, "w2v", "kmeans", METRIC, undefined));
    assert_eq!((verdict, report.exit_code), (GateVerdict::Errored, EXIT_GATE_FAILED));
    assert_eq!(note, "had a value before; fold 1 of repeat 0: one_cluster");
    let (_, verdict, note) = judged(&gates, |view| {
        let auto = |record: &&mut trailmark_store::record::CellRecord| {
            record.cell.to_string() == "shop/w2v/kmeans/k=auto/fold=0/rep=0"
        };
        view.records.iter_mut().find(auto).unwrap().outcome = Outcome::Failed(Failure::bug("planted"));
    });
    assert_eq!(verdict, GateVerdict::Errored);
    assert_eq!(note, "had a value before; fold 0 of repeat 0: failed: bug");
}

#[test]
fn what_is_undefined_in_both_is_identical_with_a_note() {
    let gates = rule(GateRule::Margin, 0.02);
    let mut view = fixture::run();
    replace(&mut view, "w2v", "kmeans", METRIC, |_, _| Score::from(Undefined::NoTruth));
    let saved = Baseline::parse(&baseline(&view, &gates).to_toml()).unwrap();
    let report = gate(&view, &saved, &gates, false).unwrap();
    let row = report.rows.iter().find(|row| row.cell == "shop/w2v/kmeans/k=auto").unwrap();
    assert_eq!((row.verdict, row.note.as_str()), (GateVerdict::Identical, "no value in both: 0/5 (no_truth x5)"));
    assert_eq!(report.exit_code, 0);
}

#[test]
fn another_protocol_is_not_comparable_and_the_part_is_named() {
    let (report, verdict, _) = judged(&rule(GateRule::Margin, 0.02), |view| {
        let facts = view.manifest.datasets.get_mut("shop").unwrap();
        facts.protocol_id = Key::of_bytes(b"other");
        facts.protocol.insert("split".to_owned(), "last 5".to_owned());
        shift(view, "w2v", "kmeans", METRIC, |_, v| v - 0.3);
    });
    assert_eq!((verdict, report.exit_code), (GateVerdict::NotComparable, EXIT_NOT_COMPARABLE));
    assert_eq!(report.not_comparable.len(), 1);
    assert!(report.not_comparable[0].starts_with("shop: split was "), "{:?}", report.not_comparable);
    assert!(report.not_comparable[0].ends_with(", is last 5"), "{:?}", report.not_comparable);
    assert!(report.rows.iter().all(|row| row.difference.is_none()), "no difference is printed");
}

#[test]
fn non_inferiority_needs_the_whole_interval() {
    let gates = rule(GateRule::NonInferior, 0.02);
    let with = |spread: f64, shift_by: f64| {
        judged(&gates, |view| {
            shift(view, "w2v", "kmeans", METRIC, |fold, v| v + shift_by + spread * [-2.0, -1.0, 0.0, 1.0, 2.0][fold]);
        })
        .1
    };
    assert_eq!(with(0.001, 0.0), GateVerdict::Pass);
    assert_eq!(with(0.02, 0.0), GateVerdict::Inconclusive, "a wide interval straddles the margin");
    assert_eq!(with(0.001, -0.06), GateVerdict::Regressed);
    assert_eq!(with(0.001, 0.06), GateVerdict::Improved);
}

#[test]
fn inconclusive_fails_only_when_asked() {
    let gates = rule(GateRule::NonInferior, 0.02);
    let before = fixture::run();
    let saved = baseline(&before, &gates);
    let mut after = before;
    shift(&mut after, "w2v", "kmeans", METRIC, |fold, v| v + 0.02 * [-2.0, -1.0, 0.0, 1.0, 2.0][fold]);
    assert_eq!(gate(&after, &saved, &gates, false).unwrap().exit_code, 0);
    assert_eq!(gate(&after, &saved, &gates, true).unwrap().exit_code, EXIT_INCONCLUSIVE);
}

#[test]
fn nothing_compared_is_never_a_pass() {
    let view = fixture::run();
    let saved = baseline(&view, &rule(GateRule::Margin, 0.02));
    let other = [Gate { select: Some("^nowhere/".to_owned()), ..rule(GateRule::Margin, 0.02)[0].clone() }];
    let report = gate(&view, &saved, &other, false).unwrap();
    assert_eq!(report.exit_code, EXIT_GATE_FAILED);
    assert_eq!(
        report.message,
        "gate failed: nothing was compared with the baseline of quickstart by gate 1 (adjusted_rand_score, select \
         \"^nowhere/\"): correct `select` and `metric`, or save the baseline again"
    );
    let error = Baseline::from_run(&view, &other, Made::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the run has no cell that gate 1 (adjusted_rand_score, select \"^nowhere/\") selects: correct `select` and `metric` \
         of that [[gate]]"
    );
    assert!(matches!(Baseline::from_run(&view, &[], Made::default()), Err(BaselineError::NoGate)));
    assert_eq!(gate(&view, &saved, &[], false).unwrap().exit_code, EXIT_GATE_FAILED);
    assert_eq!(GateReport::no_baseline("quickstart").exit_code, EXIT_NO_BASELINE);
}

#[test]
fn one_gate_that_compares_nothing_fails_beside_others_that_pass() {
    let view = fixture::run();
    let good = rule(GateRule::Margin, 0.02)[0].clone();
    let saved = baseline(&view, std::slice::from_ref(&good));
    let typo = Gate { metric: "adjusted_rand".to_owned(), ..good.clone() };
    let unsaved = Gate { metric: "adjusted_mutual_info_score".to_owned(), ..good.clone() };
    for (idle, named) in [(typo, "gate 2 (adjusted_rand)"), (unsaved, "gate 2 (adjusted_mutual_info_score)")] {
        let report = gate(&view, &saved, &[good.clone(), idle], false).unwrap();
        assert_eq!(report.exit_code, EXIT_GATE_FAILED, "{}", report.message);
        assert_eq!(report.nothing_compared, [named]);
        assert!(report.message.contains(named) && report.message.contains("4 identical"), "{}", report.message);
        assert!(report.table().notes.contains(&format!("{named} compared nothing")), "{:?}", report.table().notes);
    }
}

/// Replaces the auto cells of an arm by failures, in the folds that are named.
fn fail(view: &mut RunView, encoder: &str, clusterer: &str, folds: &[usize]) {
    for record in &mut view.records {
        let cell = &record.cell;
        let arm = (cell.encoder.as_str(), cell.clusterer.as_str(), cell.n_clusters);
        if arm == (encoder, clusterer, NClusters::Auto) && folds.contains(&cell.fold) {
            record.outcome = Outcome::Failed(Failure::bug("planted"));
        }
    }
}

#[test]
fn a_failure_is_errored_even_where_the_baseline_had_no_value() {
    let gates = rule(GateRule::Margin, 0.02);
    let mut before = fixture::run();
    replace(&mut before, "w2v", "kmeans", METRIC, |_, _| Score::from(Undefined::NoTruth));
    let saved = baseline(&before, &gates);
    let of = |report: &GateReport| {
        let row = report.rows.iter().find(|row| row.cell == "shop/w2v/kmeans/k=auto").unwrap();
        (row.verdict, row.note.clone(), report.exit_code)
    };
    let mut after = before.clone();
    fail(&mut after, "w2v", "kmeans", &[3]);
    let note = "had none before either; fold 3 of repeat 0: failed: bug".to_owned();
    assert_eq!(of(&gate(&after, &saved, &gates, false).unwrap()), (GateVerdict::Errored, note, EXIT_GATE_FAILED));

    let mut without = fixture::run();
    without.records.retain(|record| record.cell.encoder != "w2v");
    without.manifest.n_cells = without.records.len();
    let saved = baseline(&without, &gates);
    let (verdict, note, code) = of(&gate(&after, &saved, &gates, false).unwrap());
    assert_eq!((verdict, code), (GateVerdict::Errored, EXIT_GATE_FAILED), "a new arm that fails");
    assert_eq!(note, "the baseline has no such value, and the run failed: fold 3 of repeat 0: failed: bug");
}

#[test]
fn a_baseline_is_not_saved_of_a_part_of_a_run() {
    let gates = rule(GateRule::Margin, 0.02);
    let refused = |view: &RunView| Baseline::from_run(view, &gates, Made::default()).unwrap_err().to_string();

    let mut view = fixture::run();
    view.records.retain(|record| record.cell.to_string() != "shop/w2v/kmeans/k=auto/fold=2/rep=0");
    let error = refused(&view);
    assert!(error.starts_with("the run is not complete: shop/w2v/kmeans/k=auto has 4 of 5 folds"), "{error}");

    view.records.retain(|record| record.cell.encoder != "w2v");
    let error = refused(&view);
    assert!(error.starts_with("the run is not complete: shop/w2v/kmeans/k=auto has 0 of 5 folds"), "{error}");

    let mut view = fixture::run();
    fail(&mut view, "w2v", "ward", &[0, 1]);
    let error = refused(&view);
    let expected =
        "the run failed where a gate looks: adjusted_rand_score of shop/w2v/ward/k=auto has 3/5 (failed: bug x2)";
    assert!(error.starts_with(expected), "{error}");

    let elsewhere = [Gate { select: Some("tfidf/.*/k=auto$".to_owned()), ..gates[0].clone() }];
    assert!(Baseline::from_run(&view, &elsewhere, Made::default()).is_ok(), "what no gate selects may fail");
}

#[test]
fn a_mean_over_users_weighs_folds_by_their_users_in_baseline_and_gate() {
    let metric = "cluster_popularity/ndcg@10";
    let gates = [Gate { metric: metric.to_owned(), ..rule(GateRule::Margin, 0.02)[0].clone() }];
    let before = fixture::run();
    let saved = baseline(&before, &gates);
    let score = &saved.cell["shop/w2v/kmeans/k=auto"][metric];
    let (mut sum, mut users) = (0.0, 0.0);
    for (fold, value) in score.folds.iter().enumerate() {
        let FoldValue::Number(value) = value else { panic!("fold {fold} has no value") };
        sum += fixture::n_users(fold) as f64 * value;
        users += fixture::n_users(fold) as f64;
    }
    assert!((score.mean.unwrap() - sum / users).abs() < 1e-15);

    let mut after = before;
    shift(&mut after, "w2v", "kmeans", metric, |fold, v| if fold == 0 { v - 0.01 } else { v });
    let report = gate(&after, &saved, &gates, false).unwrap();
    let row = report.rows.iter().find(|row| row.cell == "shop/w2v/kmeans/k=auto").unwrap();
    let expected = -0.01 * fixture::n_users(0) as f64 / users;
    assert!((row.difference.unwrap() - expected).abs() < 1e-12, "{:?}", row.difference);
    assert!((row.baseline.unwrap() - score.mean.unwrap()).abs() < 1e-15);
}

#[test]
fn a_new_arm_neither_passes_nor_fails() {
    let gates = rule(GateRule::Margin, 0.02);
    let mut before = fixture::run();
    before.records.retain(|record| record.cell.encoder != "w2v");
    before.manifest.n_cells = before.records.len();
    let saved = baseline(&before, &gates);
    let report = gate(&fixture::run(), &saved, &gates, false).unwrap();
    assert_eq!((report.exit_code, report.message.as_str()), (0, "gate passed: 2 new, 2 identical"));
}

#[test]
fn a_bad_selection_names_the_gate() {
    let gates = [Gate { select: Some("(".to_owned()), ..rule(GateRule::Margin, 0.02)[0].clone() }];
    let saved = baseline(&fixture::run(), &rule(GateRule::Margin, 0.02));
    let error = gate(&fixture::run(), &saved, &gates, false).unwrap_err().to_string();
    assert!(
        error.starts_with("the gate on adjusted_rand_score selects \"(\", which is not a regular expression"),
        "{error}"
    );
}

#[test]
fn a_lower_is_better_metric_is_judged_the_right_way_round() {
    let gates = [Gate { metric: "silhouette_score".to_owned(), ..rule(GateRule::Margin, 0.02)[0].clone() }];
    let mut before = fixture::run();
    before.manifest.metrics.get_mut("silhouette_score").unwrap().higher_is_better = false;
    let saved = baseline(&before, &gates);
    let mut after = before;
    shift(&mut after, "w2v", "kmeans", "silhouette_score", |_, v| v + 0.1);
    let report = gate(&after, &saved, &gates, false).unwrap();
    assert_eq!(report.rows[0].verdict, GateVerdict::Regressed);
    assert!((report.rows[0].difference.unwrap() + 0.1).abs() < 1e-12, "negative: the run is worse");
}

#[test]
fn a_baseline_without_a_protocol_is_not_comparable() {
    let gates = rule(GateRule::Margin, 0.02);
    let view = fixture::run();
    let mut saved = baseline(&view, &gates);
    saved.data.clear();
    let report = gate(&view, &saved, &gates, false).unwrap();
    assert_eq!(report.exit_code, EXIT_NOT_COMPARABLE);
    assert_eq!(report.not_comparable, ["shop: the baseline does not say its protocol"]);
}
