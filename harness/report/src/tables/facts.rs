//! What went in and what it cost.

use std::collections::BTreeMap;

use crate::number::seconds;
use crate::table::{Cell, Column, Table};
use crate::view::RunView;

/// Counts of a dataset and what happened to its rows and sequences.
pub fn accounting(view: &RunView, dataset: &str) -> Table {
    let columns = vec![Column::text("what", "what"), Column::text("value", "value")];
    let mut table = Table::new(&format!("data-{dataset}"), format!("Data of {dataset}"), columns);
    let Some(facts) = view.manifest.datasets.get(dataset) else { return table };
    for (what, count) in [("samples", facts.n_samples), ("users", facts.n_users), ("items", facts.n_items)] {
        table.push(vec![what.into(), count.into()]);
    }
    for (label, classes) in &facts.labels {
        table.push(vec![format!("reference labels: {label}").into(), format!("{classes} classes").into()]);
    }
    for line in &facts.accounting {
        let (what, value) = line.split_once(": ").unwrap_or((line.as_str(), ""));
        table.push(vec![what.into(), value.into()]);
    }
    table
}

/// Wall seconds by part of the plan and stage, over folds, repeats and n_clusters.
pub fn cost(view: &RunView) -> Table {
    let columns = vec![
        Column::text("what", "what"),
        Column::text("stage", "stage"),
        Column::number("count", "times"),
        Column::number("total_s", "total s"),
        Column::number("mean_s", "mean s"),
        Column::number("max_s", "longest s"),
    ];
    let mut groups: BTreeMap<(String, &str), Vec<f64>> = BTreeMap::new();
    for timing in &view.timings {
        let parts =
            timing.what.split('/').filter(|part| !["fold=", "rep=", "k="].iter().any(|start| part.starts_with(start)));
        let what = parts.collect::<Vec<_>>().join("/");
        groups.entry((what, &timing.stage)).or_default().push(timing.wall_s);
    }
    let mut table = Table::new("cost", "Wall time", columns);
    for ((what, stage), walls) in groups {
        let total: f64 = walls.iter().sum();
        let longest = walls.iter().copied().fold(0.0, f64::max);
        table.push(vec![
            what.into(),
            stage.into(),
            walls.len().into(),
            Cell::number(Some(total), seconds),
            Cell::number(Some(total / walls.len() as f64), seconds),
            Cell::number(Some(longest), seconds),
        ]);
    }
    table.note("Measured while other cells may have been running; kept apart from the scores.");
    table
}
