//! Internal scores, one table per space. They measure a partition against the vectors it was made from, so they say nothing
//! about which encoder is better, and no table sets two encoders side by side.

use trailmark_store::record::{NClusters, Split};

use crate::table::{Align, Cell, Column, Table};
use crate::tables::{distribution, metric_column, pick_counts};
use crate::view::{Index, RunView};

/// One table per encoder of a dataset: clusterers at n_clusters = auto, on test and training users.
pub fn internal(view: &RunView, dataset: &str) -> Vec<Table> {
    let index = Index::new(view);
    let metrics: Vec<_> = index.metrics(dataset).into_iter().filter(|(_, facts)| facts.internal).collect();
    let mut tables = Vec::new();
    for encoder in index.encoders(dataset) {
        let mut columns = vec![
            Column::text("clusterer", "clusterer"),
            Column { align: Align::Right, ..Column::text("n_clusters", "n_clusters") },
        ];
        for (name, facts) in &metrics {
            let column = metric_column(name, facts);
            let titled = |split: &str| Column {
                key: format!("{name}_{split}"),
                title: format!("{} {split}", column.title),
                ..column.clone()
            };
            columns.extend([titled("test"), titled("train")]);
        }
        let mut table = Table::new(
            &format!("internal-{dataset}-{encoder}"),
            format!("Internal scores in the space of {encoder} on {dataset}"),
            columns,
        );
        for pair in index.pairs(dataset).into_iter().filter(|pair| pair.encoder == encoder) {
            let mut cells: Vec<Cell> = vec![pair.clusterer.into(), distribution(&pick_counts(&index, &pair)).into()];
            let mut any = false;
            for (name, _) in &metrics {
                for split in [Split::Test, Split::Train] {
                    let summary = index.summary(&pair.at(NClusters::Auto), split, "", name);
                    any |= !summary.is_absent();
                    cells.push(summary.into());
                }
            }
            if any {
                table.push(cells);
            }
        }
        table.note("The difference between training and test users is the optimism. Not comparable with another encoder's table.");
        table.drop_empty_columns();
        table.note_weights();
        if !table.rows.is_empty() {
            tables.push(table);
        }
    }
    tables
}
