//! Every verdict and every exit code of the gate.

use trailmark_core::{Failure, Key, Score, Undefined};
use trailmark_report::{
    Baseline, BaselineError, EXIT_GATE_FAILED, EXIT_INCONCLUSIVE, EXIT_NO_BASELINE, EXIT_NOT_COMPARABLE, Gate,
    GateReport, GateRule, GateVerdict, Made, RunView, gate,
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
        "nothing was compared with the baseline of quickstart: no gate selects a cell that it holds"
    );
    let error = Baseline::from_run(&view, &other, Made::default()).unwrap_err();
    assert!(matches!(error, BaselineError::NothingSelected), "{error}");
    assert_eq!(GateReport::no_baseline("quickstart").exit_code, EXIT_NO_BASELINE);
}

#[test]
fn a_new_arm_neither_passes_nor_fails() {
    let gates = rule(GateRule::Margin, 0.02);
    let mut before = fixture::run();
    before.records.retain(|record| record.cell.encoder != "w2v");
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
