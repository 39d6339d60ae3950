//! What went wrong or does not exist, printed with the same weight as what went well.

use std::collections::{BTreeMap, BTreeSet};

use trailmark_core::Score;
use trailmark_store::record::{NClusters, Outcome, Role};

use crate::scores::split_name;
use crate::table::{Column, Table};
use crate::view::RunView;

/// Cells without a partition.
pub fn failures(view: &RunView) -> Table {
    let columns =
        vec![Column::text("cell", "cell"), Column::text("class", "class"), Column::text("message", "message")];
    let mut table = Table::new("failures", "Failed cells", columns);
    for record in &view.records {
        if let Outcome::Failed(failure) = &record.outcome {
            let mut message = failure.message.clone();
            for cause in &failure.chain {
                message.push_str(": ");
                message.push_str(cause);
            }
            table.push(vec![record.cell.to_string().into(), failure.class.name().into(), message.into()]);
        }
    }
    table
}

/// Scores that the mathematics does not define or whose computation failed, grouped by arm, metric and reason.
pub fn undefined(view: &RunView) -> Table {
    let columns = vec![
        Column::text("dataset", "dataset"),
        Column::text("encoder", "encoder"),
        Column::text("clusterer", "clusterer"),
        Column::text("of", "of"),
        Column::text("split", "split"),
        Column::text("metric", "metric"),
        Column::text("status", "status"),
        Column::text("reason", "reason"),
        Column::text("n_clusters", "n_clusters"),
        Column::number("scores", "scores"),
    ];
    let mut groups: BTreeMap<[&str; 8], (usize, BTreeSet<NClusters>)> = BTreeMap::new();
    let mut reasons: BTreeMap<String, String> = BTreeMap::new();
    for record in &view.records {
        let Outcome::Ok(scores) = &record.outcome else { continue };
        for row in &scores.rows {
            if row.score.number().is_none() {
                let explained = match &row.score {
                    Score::Undefined { reason } => reason.explain().to_owned(),
                    other => other.reason(),
                };
                reasons.insert(row_reason(&row.score).to_owned(), explained);
                let whose = if row.role == Role::Arm { "arm" } else { row.control.as_str() };
                let cell = &record.cell;
                let key = [
                    cell.dataset.as_str(),
                    cell.encoder.as_str(),
                    cell.clusterer.as_str(),
                    whose,
                    split_name(row.split),
                    row.metric.as_str(),
                    row.score.status(),
                    row_reason(&row.score),
                ];
                let group = groups.entry(key).or_default();
                group.0 += 1;
                group.1.insert(cell.n_clusters);
            }
        }
    }
    let mut table = Table::new("undefined", "Scores that do not exist", columns);
    for (key, (count, values)) in groups {
        let values: Vec<String> = values.iter().map(NClusters::to_string).collect();
        let mut cells: Vec<crate::table::Cell> = key.iter().map(|part| (*part).into()).collect();
        cells.push(values.join(", ").into());
        cells.push(count.into());
        table.push(cells);
    }
    for (reason, explained) in reasons {
        if reason != explained {
            table.note(format!("{reason}: {explained}."));
        }
    }
    table
}

fn row_reason(score: &Score) -> &str {
    match score {
        Score::Undefined { reason } => reason.name(),
        Score::Failed { cause } => cause,
        Score::Ok { .. } | Score::Approximate { .. } => "",
    }
}

/// Warnings of cells, each once with the number of cells it came from.
pub fn warnings(view: &RunView) -> Table {
    let columns =
        vec![Column::text("arm", "arm"), Column::text("warning", "warning"), Column::number("cells", "cells")];
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for record in &view.records {
        if let Outcome::Ok(scores) = &record.outcome {
            for warning in &scores.warnings {
                let cell = &record.cell;
                let arm = format!("{}/{}/{}", cell.dataset, cell.encoder, cell.clusterer);
                *counts.entry((arm, warning)).or_insert(0) += 1;
            }
        }
    }
    let mut table = Table::new("warnings", "Warnings", columns);
    for ((arm, warning), count) in counts {
        table.push(vec![arm.into(), warning.into(), count.into()]);
    }
    table
}
