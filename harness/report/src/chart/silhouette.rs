//! Mean silhouette over n_clusters on training and test users: a panel per encoder, because silhouettes of two spaces may
//! not be compared.

use std::collections::BTreeMap;

use trailmark_store::record::{NClusters, Outcome, Split};

use crate::chart::canvas::{Key, Look};
use crate::chart::curves::{Curve, Curves, Panel};
use crate::chart::primary::{Data, has_points, points};
use crate::chart::render::Words;
use crate::chart::{ChartError, Figure};
use crate::view::{Arm, Index, RunView};

const METRIC: &str = "silhouette_score";
const RULE: &str = "silhouette";

/// How many folds each n_clusters was picked in by a rule.
pub(crate) fn rule_picks<'a>(index: &Index<'a>, pair: &Arm<'a>, rule: &str) -> Vec<(usize, usize)> {
    let auto = pair.at(NClusters::Auto);
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for record in index.records(&auto) {
        let Outcome::Ok(scores) = &record.outcome else { continue };
        for pick in scores.picks.iter().filter(|pick| pick.rule == rule) {
            if let Some(value) = pick.n_clusters {
                *counts.entry(value).or_insert(0) += 1;
            }
        }
    }
    counts.into_iter().collect()
}

pub(crate) fn figure(view: &RunView, dataset: &str) -> Result<Option<Figure>, ChartError> {
    let index = Index::new(view);
    let clusterers = index.clusterers(dataset);
    let of = view.manifest.folds * view.manifest.repeats;
    let name = format!("silhouette-{dataset}");
    let title = format!("Silhouette on {dataset} over n_clusters");
    let mut data = Data::new(&name, &title, METRIC);
    let mut panels = Vec::new();
    for encoder in index.encoders(dataset) {
        let mut curves = Vec::new();
        for pair in index.pairs(dataset).into_iter().filter(|pair| pair.encoder == encoder) {
            let at = clusterers.iter().position(|clusterer| *clusterer == pair.clusterer).unwrap_or(0);
            let look = Look::nth(at);
            for (split, look, picks) in [
                (Split::Train, Look { dashed: true, hollow: true, ..look }, rule_picks(&index, &pair, RULE)),
                (Split::Test, look, Vec::new()),
            ] {
                data.add(&index, &pair, split, "", METRIC);
                let points = points(&index, &pair, split, "", METRIC);
                curves.push(Curve { look, points, band: split == Split::Test, picks, of });
            }
        }
        panels.push(Panel { title: encoder.to_owned(), curves });
    }
    panels.retain(|panel| has_points(std::slice::from_ref(panel)));
    if panels.is_empty() {
        return Ok(None);
    }
    let mut legend = Vec::new();
    for (at, clusterer) in clusterers.iter().enumerate() {
        let look = Look::nth(at);
        legend.push(Key::Line(look, format!("{clusterer}, test users")));
        legend.push(Key::Line(Look { dashed: true, hollow: true, ..look }, format!("{clusterer}, training users")));
    }
    legend.push(Key::Ring("picked by silhouette in training folds".to_owned()));
    let caption = format!(
        "Mean silhouette over {of} folds; solid: test users, with bands of one standard deviation over folds; dashed: training \
         users. The distance between them is the optimism. Rings: values picked inside the training folds, larger for more \
         folds. Each encoder has its own panel and scale: silhouettes of two spaces are not comparable."
    );
    let curves = Curves { panels, legend, y_title: METRIC.to_owned(), shared_y: false, with_zero: false };
    let svg = curves.draw(&Words { name: &name, title: &title, description: &caption })?;
    Ok(Some(Figure { name, dataset: dataset.to_owned(), title, caption, svg, small: false, data: data.finish() }))
}
