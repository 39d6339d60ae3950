//! One arm over n_clusters, and which values the rules picked.

use std::collections::BTreeMap;

use trailmark_store::record::{NClusters, Outcome, Pick, Split};

use crate::number::plain;
use crate::summary::Summary;
use crate::table::{Align, Cell, Column, Table};
use crate::tables::{Width, comparable, distribution, metric_column, n_clusters_cell};
use crate::view::{Arm, Index, RANDOM_LABELS, RunView};

/// How often each value was picked by the suite's own rule, or found by a clusterer that finds the number itself: its
/// clusters of training users, without noise.
pub(crate) fn pick_counts<'a>(index: &Index<'a>, pair: &Arm<'a>) -> BTreeMap<Option<usize>, usize> {
    let mut counts = BTreeMap::new();
    for record in index.records(&pair.at(NClusters::Auto)) {
        if let Outcome::Ok(scores) = &record.outcome {
            let value = match scores.picks.first() {
                Some(pick) => pick.n_clusters,
                None => Some(scores.sizes_train.len()),
            };
            *counts.entry(value).or_insert(0) += 1;
        }
    }
    counts
}

fn pick_lists<'a>(index: &Index<'a>, pair: &Arm<'a>) -> Vec<&'a [Pick]> {
    let auto = pair.at(NClusters::Auto);
    let records = index.records(&auto).iter();
    records
        .filter_map(|record| match &record.outcome {
            Outcome::Ok(scores) => Some(scores.picks.as_slice()),
            Outcome::Failed(_) => None,
        })
        .collect()
}

/// One arm over its sweep: comparable metrics, the random-label control, internal scores, and how often each value was picked.
pub fn per_n_clusters(view: &RunView, dataset: &str, encoder: &str, clusterer: &str) -> Table {
    let index = Index::new(view);
    let pair = Arm { dataset, encoder, clusterer, n_clusters: NClusters::Auto };
    let primary = view.manifest.primary.as_str();
    let headline = comparable(&index, dataset, Width::Terminal);
    let internal: Vec<_> = index.metrics(dataset).into_iter().filter(|(_, facts)| facts.internal).collect();

    let mut columns = vec![Column::number("n_clusters", "n_clusters"), Column::number("picked", "picked")];
    columns.extend(headline.iter().map(|(name, facts)| metric_column(name, facts)));
    columns.push(Column::number("random_labels", &format!("{primary} of {RANDOM_LABELS}")));
    for (name, facts) in &internal {
        let column = metric_column(name, facts);
        columns.push(Column { title: format!("{} test", column.title), key: format!("{name}_test"), ..column.clone() });
        columns.push(Column { title: format!("{} train", column.title), key: format!("{name}_train"), ..column });
    }
    let mut table = Table::new(
        &format!("sweep-{dataset}-{encoder}-{clusterer}"),
        format!("{} on {dataset} over n_clusters", pair.label()),
        columns,
    );
    let counts = pick_counts(&index, &pair);
    let sweep = index.sweep(&pair).into_iter().map(NClusters::Fixed);
    for n_clusters in sweep.chain([NClusters::Auto]) {
        let arm = pair.at(n_clusters);
        if index.records(&arm).is_empty() {
            continue;
        }
        let picked = match n_clusters {
            NClusters::Fixed(value) => counts.get(&Some(value)).copied().unwrap_or(0).into(),
            NClusters::Auto => Cell::from(distribution(&counts)),
        };
        let mut cells = vec![n_clusters_cell(n_clusters), picked];
        cells.extend(headline.iter().map(|(name, _)| Cell::from(index.summary(&arm, Split::Test, "", name))));
        cells.push(index.summary(&arm, Split::Test, RANDOM_LABELS, primary).into());
        for (name, _) in &internal {
            for split in [Split::Test, Split::Train] {
                cells.push(index.summary(&arm, split, "", name).into());
            }
        }
        table.push(cells);
    }
    table.drop_empty_columns();
    table.note_weights();
    table.note("Picks are made inside each training fold; a value of this table chosen by its test score would be biased upward.");
    table
}

/// What every rule picked for every arm, over folds.
pub fn picks(view: &RunView, dataset: &str) -> Table {
    let index = Index::new(view);
    let columns = vec![
        Column::text("encoder", "encoder"),
        Column::text("clusterer", "clusterer"),
        Column::text("rule", "rule"),
        Column::text("decides", "decides auto"),
        Column { align: Align::Right, ..Column::text("picks", "n_clusters picked") }.help("value x number of folds"),
        Column::number("none", "no structure").help("folds in which the rule found no structure"),
        Column::number("strength", "strength").help("mean over the folds with an answer, in the rule's own unit"),
    ];
    let mut table = Table::new(&format!("picks-{dataset}"), format!("Picks of n_clusters on {dataset}"), columns);
    for pair in index.pairs(dataset) {
        let lists = pick_lists(&index, &pair);
        let mut rules: Vec<&str> = Vec::new();
        for pick in lists.iter().flat_map(|picks| picks.iter()) {
            if !rules.contains(&pick.rule.as_str()) {
                rules.push(&pick.rule);
            }
        }
        for rule in rules {
            let answers: Vec<&Pick> =
                lists.iter().flat_map(|picks| picks.iter()).filter(|pick| pick.rule == rule).collect();
            let mut counts = BTreeMap::new();
            let mut strengths = Summary::planned(0);
            for (at, pick) in answers.iter().enumerate() {
                *counts.entry(pick.n_clusters).or_insert(0) += 1;
                if let Some(strength) = pick.strength.filter(|_| pick.n_clusters.is_some()) {
                    strengths.value((0, at), strength, None);
                }
            }
            let strength = strengths.mean();
            table.push(vec![
                pair.encoder.into(),
                pair.clusterer.into(),
                rule.into(),
                if rule == view.manifest.pick_rule { "yes" } else { "" }.into(),
                distribution(&counts).into(),
                counts.get(&None).copied().unwrap_or(0).into(),
                Cell::number(strength, plain),
            ]);
        }
    }
    table
}
