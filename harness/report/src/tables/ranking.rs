//! The ranking: arms with n_clusters chosen inside the training folds, best first, controls below.

use std::collections::BTreeSet;

use trailmark_store::record::{NClusters, Split};

use crate::summary::{NOT_SCORED, Summary};
use crate::table::{Align, Cell, Column, Content, Table};
use crate::tables::{
    CONTROL_ALPHA, ControlTests, Width, comparable, distribution, metric_column, pick_counts, standing_words,
};
use crate::view::{Arm, Index, ONE_CLUSTER, RANDOM_LABELS, RunView};

/// Arms of a dataset at n_clusters = auto, scored on test users, by the primary metric. Arms without a complete mean come
/// last and have no rank.
pub fn ranking(view: &RunView, dataset: &str, width: Width) -> Table {
    let index = Index::new(view);
    let metrics = comparable(&index, dataset, width);
    let primary = view.manifest.primary.as_str();
    let mut columns = vec![
        Column::number("rank", "#"),
        Column::text("encoder", "encoder"),
        Column::text("clusterer", "clusterer"),
        Column { align: Align::Right, ..Column::text("n_clusters", "n_clusters") }
            .help("chosen in each training fold; the count of folds follows each value"),
    ];
    let first_metric = columns.len();
    columns.extend(metrics.iter().map(|(name, facts)| metric_column(name, facts)));
    columns.push(Column::text("above_controls", "above controls?").help(&format!(
        "yes when the arm is better than each control on the primary metric with Holm's p below {CONTROL_ALPHA} over every arm and control"
    )));
    let mut table = Table::new(&format!("ranking-{dataset}"), format!("Ranking on {dataset} by {primary}"), columns);

    let arms = ranked(&index, dataset);
    let tests = ControlTests::new(&index, dataset, primary);
    let mut previous: Option<(f64, usize)> = None;
    for (at, (mean, pair)) in arms.iter().enumerate() {
        let rank = mean.map(|mean| match previous {
            Some((value, rank)) if value == mean => rank,
            _ => at + 1,
        });
        previous = mean.zip(rank);
        let mut cells = vec![
            rank.map_or(Cell::from(Content::Empty), Cell::from),
            pair.encoder.into(),
            pair.clusterer.into(),
            distribution(&pick_counts(&index, pair)).into(),
        ];
        cells.extend(metrics.iter().map(|(name, _)| Cell::from(index.summary(pair, Split::Test, "", name))));
        cells.push(standing_words(tests.of(pair)).into());
        table.push(cells);
    }
    for (at, (_, facts)) in metrics.iter().enumerate() {
        table.mark_best(first_metric + at, facts.higher_is_better);
    }

    let control = |name: &str, what: &str, summary: &dyn Fn(&str) -> Summary| {
        let mut cells: Vec<Cell> = vec![Content::Empty.into(), name.into(), what.into(), Content::Empty.into()];
        cells.extend(metrics.iter().map(|(metric, _)| Cell::from(summary(metric))));
        cells.push(Content::Empty.into());
        cells
    };
    let has_random = |metric: &str| {
        index.pairs(dataset).iter().any(|p| index.summary(p, Split::Test, RANDOM_LABELS, metric).n() > 0)
    };
    if metrics.iter().any(|(metric, _)| has_random(metric)) {
        table.push_control(control(RANDOM_LABELS, "same sizes", &|metric| over_arms(&index, dataset, metric)));
    }
    if let Some(shared) = index.shared_control(dataset) {
        let cells =
            control(ONE_CLUSTER, "global popularity", &|metric| index.summary(&shared, Split::Test, "", metric));
        table.push_control(cells);
    }

    let repeats =
        if view.manifest.repeats > 1 { format!(" x {} repeats", view.manifest.repeats) } else { String::new() };
    table.note(format!(
        "Test users; mean ± standard deviation over {} folds{repeats}. A mean is shown only when every fold has a value; else \
         the coverage and the reason.",
        view.manifest.folds
    ));
    table.note_weights();
    let n_complete = arms.iter().filter(|(mean, _)| mean.is_some()).count();
    if n_complete > 1 {
        table.note(format!(
            "The first row is the best of {n_complete} on the same folds: its mean is biased upward. Claims are in the comparisons."
        ));
    }
    table
}

/// Arms of a dataset at n_clusters = auto with their mean on the primary metric, best first. Equal means keep the suite's
/// order; arms without a complete mean come last.
pub(crate) fn ranked<'a>(index: &Index<'a>, dataset: &str) -> Vec<(Option<f64>, Arm<'a>)> {
    let primary = index.view.manifest.primary.as_str();
    let orientation = index.view.orientation(primary);
    let mut arms: Vec<_> = index
        .pairs(dataset)
        .into_iter()
        .map(|pair| (index.summary(&pair, Split::Test, "", primary).mean(), pair))
        .collect();
    // The sort is stable.
    arms.sort_by(|(a, _), (b, _)| match (a, b) {
        (Some(a), Some(b)) => (orientation * b).total_cmp(&(orientation * a)),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    arms
}

/// The random-label control of every arm in one row: the mean over arms of each fold, or why no arm has one there.
fn over_arms(index: &Index<'_>, dataset: &str, metric: &str) -> Summary {
    let pairs = index.pairs(dataset);
    let summaries: Vec<Summary> =
        pairs.iter().map(|pair| index.summary(&pair.at(NClusters::Auto), Split::Test, RANDOM_LABELS, metric)).collect();
    let folds: BTreeSet<(usize, usize)> =
        summaries.iter().flat_map(|summary| summary.values().keys().chain(summary.gaps().keys()).copied()).collect();
    let mut pooled = Summary::planned(index.view.manifest.folds * index.view.manifest.repeats);
    for fold in folds {
        let values: Vec<f64> = summaries.iter().filter_map(|summary| summary.values().get(&fold).copied()).collect();
        if values.is_empty() {
            let reasons: BTreeSet<&str> =
                summaries.iter().filter_map(|summary| summary.gaps().get(&fold)).map(String::as_str).collect();
            let told: Vec<&str> = reasons.into_iter().filter(|reason| *reason != NOT_SCORED).collect();
            pooled.gap(fold, if told.is_empty() { NOT_SCORED.to_owned() } else { told.join(" or ") });
        } else {
            // Every arm is scored on the same users of a fold.
            let n_users = summaries.iter().find_map(|summary| summary.n_users(fold));
            pooled.value(fold, values.iter().sum::<f64>() / values.len() as f64, n_users);
        }
    }
    pooled.finish();
    pooled
}
