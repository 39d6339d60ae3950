//! The primary metric on test users over n_clusters: a panel per clusterer, a line per encoder. It may stand in one axis
//! because it compares with reference labels or with the future, not with the space.

use std::collections::BTreeMap;

use trailmark_store::record::{NClusters, Split};

use crate::chart::canvas::{Key, Look};
use crate::chart::curves::{At, Curve, Curves, Panel};
use crate::chart::render::Words;
use crate::chart::{ChartError, Figure};
use crate::number::plain;
use crate::table::{Cell, Column, Table};
use crate::tables::pick_counts;
use crate::view::{Arm, Index, RANDOM_LABELS, RunView};

/// Means of a metric over the sweep of an arm, in the form of a curve.
pub(crate) fn points(index: &Index<'_>, pair: &Arm<'_>, split: Split, control: &str, metric: &str) -> Vec<Option<At>> {
    index
        .sweep(pair)
        .into_iter()
        .map(|n_clusters| {
            let arm = Arm {
                dataset: pair.dataset,
                encoder: pair.encoder,
                clusterer: pair.clusterer,
                n_clusters: NClusters::Fixed(n_clusters),
            };
            let summary = index.summary(&arm, split, control, metric);
            summary.mean().map(|mean| At { n_clusters, mean, sd: summary.sd().unwrap_or(0.0) })
        })
        .collect()
}

pub(crate) fn has_points(panels: &[Panel]) -> bool {
    panels.iter().flat_map(|panel| &panel.curves).any(|curve| curve.points.iter().any(Option::is_some))
}

/// The table behind a chart of curves.
pub(crate) struct Data {
    table: Table,
    weighted: bool,
}

impl Data {
    pub(crate) fn new(name: &str, title: &str, metric: &str) -> Self {
        let columns = vec![
            Column::text("encoder", "encoder"),
            Column::text("clusterer", "clusterer"),
            Column::text("line", "line"),
            Column::number("n_clusters", "n_clusters"),
            Column::number("mean", metric),
            Column::number("sd", "sd over folds"),
            Column::text("coverage", "folds"),
        ];
        Self { table: Table::new(name, title, columns), weighted: false }
    }

    pub(crate) fn add(&mut self, index: &Index<'_>, pair: &Arm<'_>, split: Split, control: &str, metric: &str) {
        let line = match (control, split) {
            ("", Split::Test) => "test",
            ("", Split::Train) => "train",
            (control, _) => control,
        };
        for n_clusters in index.sweep(pair) {
            let arm = Arm {
                dataset: pair.dataset,
                encoder: pair.encoder,
                clusterer: pair.clusterer,
                n_clusters: NClusters::Fixed(n_clusters),
            };
            let summary = index.summary(&arm, split, control, metric);
            if !summary.is_absent() {
                self.weighted |= summary.is_weighted();
                self.table.push(vec![
                    pair.encoder.into(),
                    pair.clusterer.into(),
                    line.into(),
                    n_clusters.into(),
                    Cell::number(summary.mean(), plain),
                    Cell::number(summary.sd(), plain),
                    summary.coverage().into(),
                ]);
            }
        }
    }

    pub(crate) fn finish(self) -> Table {
        self.table
    }
}

/// One control line: random labels of the encoders' partitions, averaged where they have a value.
fn mean_over_encoders(controls: &[Vec<Option<At>>]) -> Vec<Option<At>> {
    let mut groups: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for at in controls.iter().flatten().flatten() {
        groups.entry(at.n_clusters).or_default().push(at.mean);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    groups
        .iter()
        .map(|(n_clusters, values)| Some(At { n_clusters: *n_clusters, mean: mean(values), sd: 0.0 }))
        .collect()
}

pub(crate) fn figure(view: &RunView, dataset: &str) -> Result<Option<Figure>, ChartError> {
    let index = Index::new(view);
    let metric = view.manifest.primary.as_str();
    if view.facts(metric).is_some_and(|facts| facts.internal) {
        // Two spaces may not share an axis; the silhouette and elbow charts show internal scores.
        return Ok(None);
    }
    let encoders = index.encoders(dataset);
    let of = view.manifest.folds * view.manifest.repeats;
    let name = format!("primary-{dataset}");
    let title = format!("{metric} on {dataset} over n_clusters");
    let mut data = Data::new(&name, &title, metric);
    let mut panels = Vec::new();
    for clusterer in index.clusterers(dataset) {
        let (mut curves, mut controls) = (Vec::new(), Vec::new());
        for pair in index.pairs(dataset).into_iter().filter(|pair| pair.clusterer == clusterer) {
            let at = encoders.iter().position(|encoder| *encoder == pair.encoder).unwrap_or(0);
            let picks =
                pick_counts(&index, &pair).into_iter().filter_map(|(value, count)| Some((value?, count))).collect();
            data.add(&index, &pair, Split::Test, "", metric);
            data.add(&index, &pair, Split::Test, RANDOM_LABELS, metric);
            controls.push(points(&index, &pair, Split::Test, RANDOM_LABELS, metric));
            curves.push(Curve {
                look: Look::nth(at),
                points: points(&index, &pair, Split::Test, "", metric),
                band: true,
                picks,
                of,
            });
        }
        let points = mean_over_encoders(&controls);
        // First, so that every arm is drawn over it.
        curves.insert(0, Curve { look: Look::control(), points, band: false, picks: Vec::new(), of });
        panels.push(Panel { title: clusterer.to_owned(), curves });
    }
    if !has_points(&panels) {
        return Ok(None);
    }
    let mut legend: Vec<Key> =
        encoders.iter().enumerate().map(|(at, encoder)| Key::Line(Look::nth(at), (*encoder).to_owned())).collect();
    legend.push(Key::Line(Look::control(), "random labels, same sizes".to_owned()));
    legend.push(Key::Ring(format!("picked by {} in training folds", view.manifest.pick_rule)));
    let weights = if data.weighted { ", weighted by users" } else { "" };
    let caption = format!(
        "Mean {metric} of test users over {of} folds{weights}; bands are one standard deviation over folds. Dashed: random labels of \
         the same sizes, mean over encoders. Rings: values picked inside the training folds, larger for more folds. A value \
         is left out where a fold has none."
    );
    let curves = Curves { panels, legend, y_title: metric.to_owned(), shared_y: true, with_zero: false };
    let svg = curves.draw(&Words { name: &name, title: &title, description: &caption })?;
    Ok(Some(Figure { name, dataset: dataset.to_owned(), title, caption, svg, small: false, data: data.finish() }))
}
