//! The silhouette of every user of one partition, cluster by cluster: blades that reach below zero are users who lie nearer
//! to another cluster.

use std::collections::BTreeMap;

use plotters::style::text_anchor::{HPos, VPos};

use crate::chart::canvas::{GRID, INK, MUTED, PALETTE, Pen, px, text};
use crate::chart::curves::{tick_text, ticks};
use crate::chart::render::{Words, draw};
use crate::chart::{ChartError, Figure};
use crate::number::{fixed, plain};
use crate::table::{Cell, Column, Table};
use crate::view::{RunView, SilhouetteSample};

const WIDTH: f64 = 640.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 52.0;
const GAP: f64 = 8.0;

/// The first stored fold of each arm.
pub(crate) fn samples<'a>(view: &'a RunView, dataset: &str) -> Vec<&'a SilhouetteSample> {
    let mut first: BTreeMap<(&str, &str), &SilhouetteSample> = BTreeMap::new();
    for sample in view.silhouettes.iter().filter(|sample| sample.dataset == dataset && !sample.values.is_empty()) {
        let kept = first.entry((&sample.encoder, &sample.clusterer)).or_insert(sample);
        if (sample.fold, sample.n_clusters) < (kept.fold, kept.n_clusters) {
            *kept = sample;
        }
    }
    first.into_values().collect()
}

pub(crate) fn figure(sample: &SilhouetteSample) -> Result<Figure, ChartError> {
    let SilhouetteSample { dataset, encoder, clusterer, n_clusters, fold, values } = sample;
    let name = format!("knife-{dataset}-{encoder}-{clusterer}");
    let title = format!("Silhouette by cluster: {encoder} + {clusterer}");
    let mut clusters: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for (cluster, value) in values {
        clusters.entry(*cluster).or_default().push(*value);
    }
    for blade in clusters.values_mut() {
        blade.sort_by(|a, b| b.total_cmp(a));
    }
    let mean = values.iter().map(|(_, value)| value).sum::<f64>() / values.len() as f64;
    let lowest = values.iter().map(|(_, value)| *value).fold(0.0, f64::min);
    let highest = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let caption = format!(
        "Silhouette of each user of {dataset}, fold {fold}, n_clusters = {n_clusters}, sorted inside each cluster; the height of \
         a blade is the cluster's size. Dashed: the mean, {}. Left of zero: users who lie nearer to another cluster.",
        plain(mean)
    );

    // Every cluster keeps room for its label, the rest is shared by size.
    let least = 16.0;
    let body = (26.0 * clusters.len() as f64).clamp(260.0, 900.0);
    let shared = body - least * clusters.len() as f64;
    let heights: Vec<f64> =
        clusters.values().map(|blade| least + shared.max(0.0) * blade.len() as f64 / values.len() as f64).collect();
    let height = TOP + heights.iter().sum::<f64>() + GAP * clusters.len() as f64 + BOTTOM;
    let axis = ticks(lowest, highest);
    let x = |value: f64| LEFT + (value - axis.low) / (axis.high - axis.low) * (WIDTH - LEFT - RIGHT);

    let svg =
        draw(&Words { name: &name, title: &title, description: &caption }, (WIDTH as u32, height as u32), |area| {
            let pen = Pen { area };
            let below = height - BOTTOM;
            let small = text(11.5, MUTED, false);
            pen.write((px(14.0), px(20.0)), &title, &text(15.0, INK, true), HPos::Left, VPos::Center)?;
            let facts = format!("{dataset}, fold {fold}, n_clusters = {n_clusters}, {} users", values.len());
            pen.write((px(14.0), px(40.0)), &facts, &text(12.0, MUTED, false), HPos::Left, VPos::Center)?;
            for tick in &axis.at {
                pen.line(vec![(px(x(*tick)), px(TOP - 4.0)), (px(x(*tick)), px(below))], GRID, 1.0, false)?;
                let words = tick_text(*tick, axis.step);
                pen.write((px(x(*tick)), px(below + 8.0)), &words, &small, HPos::Center, VPos::Top)?;
            }
            let mut top = TOP;
            for (at, ((cluster, blade), height)) in clusters.iter().zip(&heights).enumerate() {
                // One corner per half pixel at most: more would not show and would swell the file.
                let rows = blade.len().min((2.0 * height) as usize).max(1);
                let mut outline = vec![(px(x(0.0)), px(top))];
                for row in 0..rows {
                    let value = blade[(row * blade.len()) / rows];
                    for edge in [row, row + 1] {
                        outline.push((px(x(value)), px(top + height * edge as f64 / rows as f64)));
                    }
                }
                outline.push((px(x(0.0)), px(top + height)));
                pen.fill(outline, PALETTE[at % PALETTE.len()], 0.85)?;
                let words = format!("{cluster} (n = {})", blade.len());
                let middle = px(top + height / 2.0);
                pen.write((px(LEFT - 10.0), middle), &words, &text(12.0, INK, false), HPos::Right, VPos::Center)?;
                top += height + GAP;
            }
            pen.line(vec![(px(x(0.0)), px(TOP - 4.0)), (px(x(0.0)), px(below))], MUTED, 1.0, false)?;
            pen.line(vec![(px(x(mean)), px(TOP - 4.0)), (px(x(mean)), px(below))], INK, 1.6, true)?;
            let words = format!("mean {}", fixed(mean, 3));
            pen.write((px(x(mean)), px(TOP - 12.0)), &words, &small, HPos::Center, VPos::Center)?;
            let middle = px((LEFT + WIDTH - RIGHT) / 2.0);
            pen.write(
                (middle, px(below + 28.0)),
                "silhouette of a user",
                &text(12.0, INK, false),
                HPos::Center,
                VPos::Top,
            )
        })?;

    let columns = vec![
        Column::number("cluster", "cluster"),
        Column::number("n", "users"),
        Column::number("mean", "mean silhouette"),
        Column::number("median", "median"),
        Column::number("below_zero", "users below zero"),
    ];
    let mut data = Table::new(&name, title.as_str(), columns);
    for (cluster, blade) in &clusters {
        let n = blade.len();
        let middle = if n % 2 == 1 { blade[n / 2] } else { (blade[n / 2 - 1] + blade[n / 2]) / 2.0 };
        data.push(vec![
            (*cluster as usize).into(),
            n.into(),
            Cell::number(Some(blade.iter().sum::<f64>() / n as f64), plain),
            Cell::number(Some(middle), plain),
            blade.iter().filter(|value| **value < 0.0).count().into(),
        ]);
    }
    Ok(Figure { name, dataset: dataset.clone(), title, caption, svg, small: true, data })
}
