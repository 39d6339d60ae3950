//! Training inertia over n_clusters: a panel with its own scale per encoder, because inertias of two spaces have no common
//! unit.

use trailmark_store::record::Split;

use crate::chart::canvas::{Key, Look};
use crate::chart::curves::{Curve, Curves, Panel};
use crate::chart::primary::{Data, has_points, points};
use crate::chart::render::Words;
use crate::chart::silhouette::rule_picks;
use crate::chart::{ChartError, Figure};
use crate::view::{Index, RunView};

const METRIC: &str = "inertia";
const RULE: &str = "elbow";

pub(crate) fn figure(view: &RunView, dataset: &str) -> Result<Option<Figure>, ChartError> {
    let index = Index::new(view);
    let clusterers = index.clusterers(dataset);
    let of = view.manifest.folds * view.manifest.repeats;
    let name = format!("elbow-{dataset}");
    let title = format!("Training inertia on {dataset} over n_clusters");
    let mut data = Data::new(&name, &title, METRIC);
    let mut panels = Vec::new();
    let mut used = vec![false; clusterers.len()];
    for encoder in index.encoders(dataset) {
        let mut curves = Vec::new();
        for pair in index.pairs(dataset).into_iter().filter(|pair| pair.encoder == encoder) {
            let at = clusterers.iter().position(|clusterer| *clusterer == pair.clusterer).unwrap_or(0);
            let points = points(&index, &pair, Split::Train, "", METRIC);
            if points.iter().all(Option::is_none) {
                continue;
            }
            used[at] = true;
            data.add(&index, &pair, Split::Train, "", METRIC);
            curves.push(Curve { look: Look::nth(at), points, band: true, picks: rule_picks(&index, &pair, RULE), of });
        }
        if !curves.is_empty() {
            panels.push(Panel { title: encoder.to_owned(), curves });
        }
    }
    if !has_points(&panels) {
        return Ok(None);
    }
    let shown = clusterers.iter().enumerate().filter(|(at, _)| used[*at]);
    let mut legend: Vec<Key> = shown.map(|(at, clusterer)| Key::Line(Look::nth(at), (*clusterer).to_owned())).collect();
    legend.push(Key::Ring("picked by elbow in training folds".to_owned()));
    let caption = format!(
        "Mean training inertia over {of} folds; bands are one standard deviation over folds. Rings: where the elbow rule saw \
         a knee, larger for more folds. Each encoder has its own scale: inertias of two spaces are not comparable. An elbow \
         can appear in data without groups."
    );
    let curves = Curves { panels, legend, y_title: METRIC.to_owned(), shared_y: false, with_zero: false };
    let svg = curves.draw(&Words { name: &name, title: &title, description: &caption })?;
    Ok(Some(Figure { name, dataset: dataset.to_owned(), title, caption, svg, small: false, data: data.finish() }))
}
