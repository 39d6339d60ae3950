//! The page by structure: self-contained, escaped, accessible, and honest.

use trailmark_core::{Failure, FailureClass, Score, Undefined};
use trailmark_report::{Cell, RowKind, RunView, Width, answer, comparisons, html, ranking, write};
use trailmark_store::record::{CellRecord, Outcome, Role, ScoreRow, Split, Verdict};

use crate::fixture;

fn page(view: &RunView) -> String {
    html(view).expect("the page is made")
}

#[test]
fn the_page_fetches_nothing() {
    let page = page(&fixture::run());
    // The namespace of SVG is a name, not an address.
    let addresses = page.replace("http://www.w3.org/2000/svg", "");
    for forbidden in ["http://", "https://", "src=", "<link", "@import", "url(", "<iframe", "fetch("] {
        assert!(!addresses.contains(forbidden), "the page holds {forbidden}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
}

#[test]
fn text_from_the_suite_is_escaped() {
    let page = page(&fixture::run());
    assert!(page.contains("that &lt;event&gt; counts miss?"), "the question is escaped");
    assert!(page.contains("a &lt;b&gt; &amp; c?"), "the suite is escaped");
    assert!(!page.contains("<event>"));
}

#[test]
fn every_part_is_there_and_every_figure_speaks() {
    let page = page(&fixture::run());
    for id in [
        "dataset-1",
        "comparisons-1",
        "charts-1",
        "picks-1",
        "controls-1",
        "internal-1",
        "data-1",
        "problems",
        "cost",
        "provenance",
    ] {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "no section {id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "no link to {id}");
    }
    assert_eq!(page.matches("<figure").count(), 5);
    assert_eq!(page.matches("<figure").count(), page.matches("<figcaption>").count());
    assert_eq!(page.matches("role=\"img\"").count(), 5);
    assert_eq!(page.matches("<th").count() - page.matches("<thead").count(), page.matches("<th scope=").count());
    assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
    assert!(page.contains("a condensed matrix of 640 users"), "the failure's message");
    assert!(page.contains("sequences left out, fewer than 3 events"), "the accounting");
    assert!(page.contains("did not converge in 300 iterations"), "the warning");
}

#[test]
fn ids_are_unique() {
    let page = page(&fixture::run());
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn internal_scores_never_put_two_encoders_in_one_table() {
    let view = fixture::run();
    let tables = trailmark_report::internal(&view, "shop");
    assert_eq!(tables.len(), 2);
    for table in &tables {
        assert!(table.columns.iter().all(|column| column.key != "encoder"), "one space per table");
        assert!(table.rows.iter().flat_map(|row| &row.cells).all(|cell| !cell.best), "nothing is crowned");
    }
    let ranked = ranking(&view, "shop", Width::Full);
    assert!(ranked.columns.iter().all(|column| !column.key.contains("silhouette") && column.key != "inertia"));
}

#[test]
fn the_answer_names_the_better_arm_with_size_interval_and_p() {
    let answer = answer(&fixture::run());
    assert_eq!(
        answer.headline,
        "w2v is better than tfidf with ward on shop: adjusted_rand_score by 0.181, 95 % interval [0.118, 0.244]. 2 of 3 \
         comparisons show a difference."
    );
    assert!(answer.lines.iter().any(|line| line.contains("Holm p < 0.001")), "{:?}", answer.lines);
    assert!(
        answer.lines.iter().any(|line| line.contains("no difference shown between kmeans (a) and ward (b)")),
        "{:?}",
        answer.lines
    );
    assert!(
        !answer.lines.iter().any(|line| line.contains("is not below")),
        "the Holm p stands there already: {:?}",
        answer.lines
    );
    assert!(answer.cautions.iter().any(|line| line.starts_with("1 of 125 cells failed")), "{:?}", answer.cautions);
}

#[test]
fn the_answer_claims_nothing_where_nothing_was_shown() {
    let mut view = fixture::run();
    view.comparisons.iter_mut().for_each(|comparison| comparison.verdict = Verdict::NoDifferenceShown);
    assert!(answer(&view).headline.starts_with("No difference between arms is shown"));
    view.comparisons.iter_mut().for_each(|comparison| comparison.verdict = Verdict::Refused);
    assert!(
        answer(&view).headline.starts_with("No claim can be made: a design with 5 blocks"),
        "{}",
        answer(&view).headline
    );
    view.comparisons.clear();
    assert!(answer(&view).headline.starts_with("This suite declares no comparison"));
}

#[test]
fn synthetic_data_is_called_so_and_other_data_is_not() {
    let cautioned = |view: &RunView| answer(view).cautions.iter().any(|line| line.contains("is synthetic"));
    let mut view = fixture::run();
    let facts = |view: &RunView| view.manifest.datasets["shop"].clone();
    assert!(facts(&view).accounting.iter().all(|line| !line.contains("synthetic")), "no text says it");
    assert!(cautioned(&view));
    view.manifest.datasets.get_mut("shop").unwrap().synthetic = false;
    assert!(!cautioned(&view));
}

/// Keeps the first folds only, in the records and in the plan.
fn keep_folds(view: &mut RunView, folds: usize) {
    view.records.retain(|record| record.cell.fold < folds);
    view.manifest.folds = folds;
    view.manifest.n_cells = view.records.len();
}

fn above(view: &RunView) -> Vec<String> {
    let table = ranking(view, "shop", Width::Terminal);
    let arms = table.rows.iter().filter(|row| row.kind == RowKind::Arm);
    arms.map(|row| row.cells.last().map(Cell::show).unwrap_or_default()).collect()
}

/// Changes scores of test users: arm or control (`random_labels`), metric, fold and value.
fn rescore(view: &mut RunView, change: impl Fn(&CellRecord, &ScoreRow) -> Option<Score>) {
    for record in &mut view.records {
        let copy = record.clone();
        if let Outcome::Ok(scores) = &mut record.outcome {
            for row in scores.rows.iter_mut().filter(|row| row.split == Split::Test) {
                if let Some(score) = change(&copy, row) {
                    row.score = score;
                }
            }
        }
    }
}

#[test]
fn four_folds_show_nothing_above_controls() {
    let mut view = fixture::run();
    keep_folds(&mut view, 4);
    assert_eq!(above(&view), ["unknown: fewer than 5 folds"; 4]);
    let answer = answer(&view);
    let text = [answer.lines, answer.cautions].concat();
    let has = |wanted: &str| text.iter().any(|line| line == wanted);
    assert!(
        has(
            "No arm can be tested against its controls (random_labels and one_cluster) on adjusted_rand_score: fewer than \
             5 folds. These groups may be no better than chance."
        ),
        "{text:?}"
    );
    assert!(
        has("No arm can be tested against global popularity on cluster_popularity/ndcg@10: fewer than 5 folds."),
        "{text:?}"
    );
    let table = trailmark_report::controls(&view, "shop");
    let at = |key: &str| table.columns.iter().position(|column| column.key == key).unwrap();
    assert!(!table.rows[0].cells[at("interval")].show().is_empty(), "the interval stands");
    assert_eq!(table.rows[0].cells[at("p_adjusted")].show(), "");
}

#[test]
fn a_difference_that_is_the_same_in_every_fold_claims_nothing() {
    let mut view = fixture::run();
    rescore(&mut view, |record, row| {
        let constant = record.cell.encoder == "w2v" && row.role == Role::Arm && row.metric == "adjusted_rand_score";
        constant.then(|| Score::value(0.5))
    });
    // one_cluster scores 0 in every fold, random_labels wobbles.
    let row = &above(&view)[3];
    assert_eq!(row, "unknown: one_cluster (all folds differ by the same amount)");
}

#[test]
fn holm_over_all_arms_and_controls_decides_what_is_above() {
    let mut view = fixture::run();
    // p is about 0.02 on its own: shown alone, not among eight tests.
    let lifts = [0.01, 0.02, 0.03, 0.04, 0.05];
    rescore(&mut view, |record, row| {
        let arm = row.role == Role::Arm && row.metric == "adjusted_rand_score" && record.cell.encoder != "none";
        let noise = if row.control == "random_labels" && row.metric == "adjusted_rand_score" {
            Some(Score::value(0.0))
        } else {
            None
        };
        if arm { Some(Score::value(0.01 + lifts[record.cell.fold])) } else { noise }
    });
    assert_eq!(above(&view), ["not shown: random_labels, one_cluster"; 4]);
    view.records.retain(|record| {
        record.cell.encoder == "none" || (record.cell.encoder == "w2v" && record.cell.clusterer == "ward")
    });
    assert_eq!(above(&view), ["yes"], "two tests instead of eight");
}

#[test]
fn the_ratio_of_test_to_training_samples_of_the_records_decides() {
    let mut view = fixture::run();
    assert_eq!(above(&view)[0], "yes");
    view.records.iter_mut().for_each(|record| (record.n_train, record.n_test) = (1, 100_000));
    assert!(above(&view).iter().all(|words| words.starts_with("not shown")), "{:?}", above(&view));
    view.records.iter_mut().for_each(|record| record.n_train = 0);
    assert_eq!(above(&view)[0], "unknown: a fold does not say how many it trained on");
}

#[test]
fn a_control_without_any_score_is_not_counted_as_beaten() {
    let mut view = fixture::run();
    rescore(&mut view, |record, row| {
        let gone = record.cell.encoder == "none" && row.metric == "adjusted_rand_score";
        gone.then(|| Score::from(Undefined::OneCluster))
    });
    assert_eq!(above(&view)[0], "yes (random_labels only)");
    let lines = answer(&view).lines;
    assert!(lines.iter().any(|line| line.contains("on adjusted_rand_score (random_labels; p < 0.05")), "{lines:?}");
}

#[test]
fn a_tie_names_the_first_row_of_the_ranking() {
    let mut view = fixture::run();
    for higher_is_better in [true, false] {
        view.manifest.metrics.get_mut("adjusted_rand_score").unwrap().higher_is_better = higher_is_better;
        rescore(&mut view, |_, row| {
            (row.role == Role::Arm && row.metric == "adjusted_rand_score").then(|| Score::value(0.5))
        });
        let table = ranking(&view, "shop", Width::Terminal);
        let first = &table.rows[0].cells;
        let named = format!("in the ranking: {} + {}, adjusted_rand_score", first[1].show(), first[2].show());
        let lines = answer(&view).lines;
        assert!(lines.iter().any(|line| line.contains(&named)), "{named}: {lines:?}");
        assert_eq!((first[0].show(), table.rows[3].cells[0].show()), ("1".to_owned(), "1".to_owned()));
    }
}

#[test]
fn the_control_row_says_why_a_fold_has_no_score() {
    let mut view = fixture::run();
    rescore(&mut view, |record, row| {
        let gone = row.control == "random_labels" && record.cell.fold >= 3;
        gone.then(|| Score::from(Undefined::BelowMinPoints))
    });
    let table = ranking(&view, "shop", Width::Terminal);
    let row = table.rows.iter().find(|row| row.cells[1].show() == "random_labels").unwrap();
    assert_eq!(row.cells[4].show(), "3/5 (below_min_points x2)");
    view.records.retain(|record| record.cell.fold != 4);
    let table = ranking(&view, "shop", Width::Terminal);
    let row = table.rows.iter().find(|row| row.cells[1].show() == "random_labels").unwrap();
    assert_eq!(row.cells[4].show(), "3/5 (below_min_points, not_run)");
}

#[test]
fn a_mean_over_users_says_so_and_others_do_not() {
    let notes = ranking(&fixture::run(), "shop", Width::Full).notes;
    let weighted: Vec<&String> = notes.iter().filter(|note| note.contains("weighted by users")).collect();
    assert_eq!(
        weighted,
        [
            "cluster_popularity/ndcg@10: mean weighted by users, each fold by its number of them; the standard deviation is over \
          folds, unweighted."
        ]
    );
}

#[test]
fn each_family_of_comparisons_says_its_own_size() {
    let mut view = fixture::run();
    let mut other = view.comparisons[0].clone();
    (other.metric, other.family) = ("cluster_popularity/ndcg@10".to_owned(), 4);
    view.comparisons.push(other);
    let notes = comparisons(&view, "shop", Width::Full).notes;
    for note in [
        "adjusted_rand_score between encoders: Holm over 2 comparisons at 0.05.",
        "adjusted_rand_score between clusterers: Holm over 1 comparison at 0.05.",
        "cluster_popularity/ndcg@10 between encoders: Holm over 4 comparisons at 0.05.",
    ] {
        assert_eq!(notes.iter().filter(|have| *have == note).count(), 1, "{note}: {notes:?}");
    }
}

#[test]
fn a_terminal_shows_all_of_few_comparisons_and_the_telling_ones_of_many() {
    let mut view = fixture::run();
    let few = view.comparisons.len();
    assert_eq!(comparisons(&view, "shop", Width::Terminal).rows.len(), few);
    let dull = view.comparisons.iter().find(|one| one.verdict == Verdict::NoDifferenceShown).unwrap().clone();
    view.comparisons.extend(std::iter::repeat_n(dull, 40));
    let telling = view.comparisons.iter().filter(|one| one.verdict != Verdict::NoDifferenceShown).count();
    let table = comparisons(&view, "shop", Width::Terminal);
    assert_eq!(table.rows.len(), telling);
    let left_out = few + 40 - telling;
    let note = format!("{left_out} without a difference are left out here; `trailmark compare` prints all.");
    assert!(table.notes.contains(&note), "{:?}", table.notes);
    assert_eq!(comparisons(&view, "shop", Width::Full).rows.len(), few + 40);
}

#[test]
fn of_many_claims_the_largest_get_a_sentence_and_the_effect_speaks_of_the_better_arm() {
    let mut view = fixture::run();
    let told = |view: &RunView| answer(view).lines.iter().filter(|line| line.contains(" is better than ")).count();
    let mut claim = view.comparisons.iter().find(|one| one.verdict == Verdict::NoDifferenceShown).unwrap().clone();
    claim.verdict = Verdict::BetterA;
    view.comparisons = (1..=24)
        .map(|at| {
            let mut one = claim.clone();
            one.difference = Some(-0.01 * f64::from(at));
            one.tests.iter_mut().for_each(|test| test.effect = Some(("dz".to_owned(), -0.5)));
            one
        })
        .collect();
    assert_eq!(told(&view), 6);
    let lines = answer(&view).lines;
    assert!(lines[0].contains("by 0.240") && lines[0].contains("dz 0.50"), "{lines:?}");
    assert!(lines[6].starts_with("18 further comparisons show a smaller difference"), "{lines:?}");
    view.comparisons.truncate(10);
    assert_eq!(told(&view), 10, "ten are all told");
}

#[test]
fn a_note_that_repeats_the_holm_p_is_left_out_and_others_stay() {
    let mut view = fixture::run();
    let has_notes = |view: &RunView| {
        let table = comparisons(view, "shop", Width::Full);
        let at = table.columns.iter().position(|column| column.key == "note")?;
        Some(table.rows.iter().map(|row| row.cells[at].show()).collect::<Vec<_>>())
    };
    assert!(view.comparisons[2].note.is_some(), "the fixture has such a note");
    assert_eq!(has_notes(&view), None, "the column is gone");
    view.comparisons[2].note = Some("adjusted p 0.1300 is not below 0.05; over 5 of 6 folds: no_truth".to_owned());
    assert_eq!(has_notes(&view).unwrap(), ["", "", "over 5 of 6 folds: no_truth"]);
}

#[test]
fn silhouettes_by_cluster_stand_side_by_side() {
    let page = page(&fixture::run());
    let (before, grid) = page.split_once("<div class=\"grid\">").expect("a grid");
    assert_eq!((before.matches("<figure").count(), grid.matches("<figure").count()), (3, 2));
    assert!(grid.contains("figure-knife-shop-w2v-kmeans"));
    let mut view = fixture::run();
    view.silhouettes.clear();
    assert!(!self::page(&view).contains("class=\"grid\""));
}

#[test]
fn an_arm_that_lost_a_fold_has_no_rank_and_no_bare_mean() {
    let mut view = fixture::run();
    for record in &mut view.records {
        if record.cell.to_string() == "shop/w2v/kmeans/k=auto/fold=2/rep=0" {
            record.outcome = Outcome::Failed(Failure::new(FailureClass::Timeout, "took longer than 60 s"));
        }
    }
    let table = ranking(&view, "shop", Width::Terminal);
    let row = table
        .rows
        .iter()
        .find(|row| (row.cells[1].show(), row.cells[2].show()) == ("w2v".into(), "kmeans".into()))
        .unwrap();
    assert_eq!(row.cells[0].show(), "");
    assert_eq!(row.cells[4].show(), "4/5 (failed: timeout)");
    assert_eq!(row.cells.last().unwrap().show(), "unknown: the arm has 4/5 (failed: timeout)");
}

#[test]
fn a_run_without_any_result_still_has_a_page() {
    let mut view = fixture::run();
    view.records.clear();
    view.comparisons.clear();
    view.silhouettes.clear();
    view.timings.clear();
    let page = page(&view);
    assert!(page.contains("125 of 125 cells have not been run."));
    assert!(page.contains("Nothing to draw."));
}

#[test]
fn the_folder_holds_the_page_the_charts_and_the_tables() {
    let dir = tempfile::tempdir().unwrap();
    let written = write(&fixture::run(), dir.path()).unwrap();
    for name in [
        "scores.csv",
        "report/index.html",
        "report/report.md",
        "report/elbow-shop.svg",
        "report/elbow-shop.png",
        "report/ranking-shop.tex",
        "report/ranking-shop.csv",
        "report/failures.md",
    ] {
        assert!(written.contains(&dir.path().join(name)), "{name} was not written");
        assert!(dir.path().join(name).metadata().unwrap().len() > 0, "{name} is empty");
    }
    if let Some(kept) = std::env::var_os("TRAILMARK_KEEP") {
        std::fs::copy(dir.path().join("report/index.html"), std::path::Path::new(&kept).join("index.html")).unwrap();
    }
}
