//! Charts: plotters draws an SVG, and the PNG is made from that same SVG, so one golden file serves both. Colours are the
//! Okabe-Ito palette, and every line also has a marker of its own; the font comes from the binary.

mod canvas;
mod curves;
mod elbow;
mod knife;
mod primary;
mod render;
mod silhouette;

pub use render::{ChartError, png};

use crate::table::Table;
use crate::view::RunView;

/// A drawing with its words and its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Name of its files and anchor.
    pub name: String,
    /// The dataset it shows.
    pub dataset: String,
    /// Title.
    pub title: String,
    /// What is drawn and how to read it.
    pub caption: String,
    /// The drawing, with role, title and description for screen readers.
    pub svg: String,
    /// True for one of many alike, which a page sets side by side.
    pub small: bool,
    /// The numbers behind it.
    pub data: Table,
}

/// Every chart of a run, dataset by dataset: elbow, silhouette, primary metric over n_clusters, silhouette by cluster.
/// A chart without anything to draw is left out.
///
/// # Errors
/// When drawing fails, which with fonts in the binary it does not.
pub fn figures(view: &RunView) -> Result<Vec<Figure>, ChartError> {
    let mut figures = Vec::new();
    for dataset in view.datasets() {
        figures.extend(primary::figure(view, dataset)?);
        figures.extend(elbow::figure(view, dataset)?);
        figures.extend(silhouette::figure(view, dataset)?);
        for sample in knife::samples(view, dataset) {
            figures.push(knife::figure(sample)?);
        }
    }
    Ok(figures)
}
