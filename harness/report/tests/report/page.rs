//! The page by structure: self-contained, escaped, accessible, and honest.

use trailmark_core::{Failure, FailureClass};
use trailmark_report::{RunView, Width, answer, html, ranking, write};
use trailmark_store::record::{Outcome, Verdict};

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
    assert!(answer.lines.iter().any(|line| line.contains("Holm p = 0.001")), "{:?}", answer.lines);
    assert!(
        answer.lines.iter().any(|line| line.contains("no difference shown between kmeans (a) and ward (b)")),
        "{:?}",
        answer.lines
    );
    assert!(answer.cautions.iter().any(|line| line.contains("synthetic")), "{:?}", answer.cautions);
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
    assert_eq!(row.cells.last().unwrap().show(), "unknown: random_labels, one_cluster");
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
