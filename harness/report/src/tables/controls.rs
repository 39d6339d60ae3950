//! Arms beside their controls: groups that are no better than shuffled ones, or than no groups, are no use.

use trailmark_store::record::Split;

use crate::interval::corrected_resampled_t;
use crate::number::{interval, signed};
use crate::summary::Summary;
use crate::table::{Cell, Column, Content, Table};
use crate::tables::{Width, comparable, metric_column};
use crate::view::{Arm, Index, ONE_CLUSTER, RANDOM_LABELS, RunView};

/// How an arm stands to one control on a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The whole interval of the difference is above zero.
    Above,
    /// It is not.
    NotShown,
    /// The arm has no complete score, or the folds are too few for an interval.
    Unknown,
}

/// Standing to each control that has a score on a metric.
pub(crate) fn standing<'a>(index: &Index<'a>, pair: &Arm<'a>, metric: &str) -> Vec<(&'static str, Standing)> {
    let arm = index.summary(pair, Split::Test, "", metric);
    control_summaries(index, pair, metric)
        .into_iter()
        .filter(|(_, control)| control.n() > 0)
        .map(|(name, control)| {
            let standing = match (arm.is_complete(), difference(index, &arm, &control, metric)) {
                (true, Some((_, Some((low, _))))) if low > 0.0 => Standing::Above,
                (true, Some((_, Some(_)))) => Standing::NotShown,
                _ => Standing::Unknown,
            };
            (name, standing)
        })
        .collect()
}

fn control_summaries<'a>(index: &Index<'a>, pair: &Arm<'a>, metric: &str) -> Vec<(&'static str, Summary)> {
    let mut controls = vec![(RANDOM_LABELS, index.summary(pair, Split::Test, RANDOM_LABELS, metric))];
    if let Some(shared) = index.shared_control(pair.dataset) {
        controls.push((ONE_CLUSTER, index.summary(&shared, Split::Test, "", metric)));
    }
    controls
}

/// A mean and its interval, where the folds suffice for one.
type Difference = (f64, Option<(f64, f64)>);

/// Oriented mean difference, arm minus control, over the folds where both have a value.
fn difference(index: &Index<'_>, arm: &Summary, control: &Summary, metric: &str) -> Option<Difference> {
    let orientation = index.view.orientation(metric);
    let paired: Vec<f64> = arm.paired(control).into_iter().map(|d| orientation * d).collect();
    let mean = paired.iter().sum::<f64>() / paired.len() as f64;
    (!paired.is_empty()).then(|| (mean, corrected_resampled_t(&paired, index.view.manifest.folds)))
}

/// Controls of each arm of a dataset at n_clusters = auto, with the difference on the primary metric.
pub fn controls(view: &RunView, dataset: &str) -> Table {
    let index = Index::new(view);
    let metrics = comparable(&index, dataset, Width::Page);
    let primary = view.manifest.primary.as_str();
    let mut columns = vec![
        Column::text("encoder", "encoder"),
        Column::text("clusterer", "clusterer"),
        Column::text("control", "control"),
    ];
    columns.extend(metrics.iter().map(|(name, facts)| metric_column(name, facts)));
    columns.push(
        Column::number("difference", "arm - control").help("on the primary metric, positive when the arm is better"),
    );
    columns.push(Column::number("interval", "95 % interval").help("corrected resampled t over folds"));
    let mut table = Table::new(&format!("controls-{dataset}"), format!("Controls on {dataset}"), columns);
    for pair in index.pairs(dataset) {
        let arm = index.summary(&pair, Split::Test, "", primary);
        for (name, on_primary) in control_summaries(&index, &pair, primary) {
            let scores: Vec<Summary> = metrics
                .iter()
                .map(|(metric, _)| {
                    let all = control_summaries(&index, &pair, metric);
                    all.into_iter().find(|(other, _)| *other == name).map(|(_, summary)| summary).unwrap_or_default()
                })
                .collect();
            if scores.iter().all(|summary| summary.n() == 0) {
                continue;
            }
            let difference = arm.is_complete().then(|| difference(&index, &arm, &on_primary, primary)).flatten();
            let mut cells: Vec<Cell> = vec![pair.encoder.into(), pair.clusterer.into(), name.into()];
            cells.extend(scores.into_iter().map(Cell::from));
            cells.push(Cell::number(difference.map(|(mean, _)| mean), signed));
            cells.push(match difference.and_then(|(_, bounds)| bounds) {
                Some((low, high)) => interval(low, high).into(),
                None => Content::Empty.into(),
            });
            table.push(cells);
        }
    }
    table.note(
        "random_labels shuffles the arm's own labels: groups of the same sizes without meaning. one_cluster puts everybody in \
         one group; its recommender is global popularity.",
    );
    table
}
