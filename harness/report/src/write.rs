//! The report folder: one call, all files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::chart::{ChartError, figures, png};
use crate::html::{HtmlError, page};
use crate::markdown::markdown;
use crate::scores::scores_csv;
use crate::slug::slug;
use crate::table::{Format, Table};
use crate::tables::{Width, comparisons, controls, failures, internal, per_n_clusters, picks, ranking, undefined};
use crate::view::{Index, RunView};

/// A report that could not be written.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A chart.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The page.
    #[error(transparent)]
    Html(#[from] HtmlError),
    /// A file.
    #[error("{path}: {source}", path = path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Every table that becomes a file, in the order of the page.
fn tables(view: &RunView) -> Vec<Table> {
    let index = Index::new(view);
    let mut tables = Vec::new();
    for dataset in view.datasets() {
        tables.push(ranking(view, dataset, Width::Full));
        tables.push(comparisons(view, dataset, Width::Full));
        tables.push(picks(view, dataset));
        tables.push(controls(view, dataset));
        tables.extend(internal(view, dataset));
        let pairs = index.pairs(dataset).into_iter();
        tables.extend(pairs.map(|pair| per_n_clusters(view, dataset, pair.encoder, pair.clusterer)));
    }
    tables.push(failures(view));
    tables.push(undefined(view));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// Writes `scores.csv` into a run's folder and the report into its `report/`: `index.html`, `report.md`, charts as SVG and
/// PNG, tables as Markdown, CSV and LaTeX. Files are replaced; returns what was written.
///
/// # Errors
/// When a chart or the page cannot be made, or a file cannot be written.
pub fn write(view: &RunView, dir: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let figures = figures(view)?;
    let mut files: Vec<(PathBuf, Vec<u8>)> = vec![
        ("scores.csv".into(), scores_csv(&view.records).into_bytes()),
        ("report/index.html".into(), page(view, &figures)?.into_bytes()),
        ("report/report.md".into(), markdown(view).into_bytes()),
    ];
    for figure in &figures {
        let name = slug(&figure.name);
        files.push((format!("report/{name}.svg").into(), figure.svg.clone().into_bytes()));
        files.push((format!("report/{name}.png").into(), png(&figure.svg)?));
    }
    for table in tables(view) {
        for (extension, format) in [("md", Format::Markdown), ("csv", Format::Csv), ("tex", Format::Latex)] {
            let name = slug(&table.name);
            files.push((format!("report/{name}.{extension}").into(), table.render(format).into_bytes()));
        }
    }
    let mut written = Vec::with_capacity(files.len());
    for (relative, bytes) in files {
        let path = dir.join(relative);
        let parent = path.parent().unwrap_or(dir);
        let outcome = fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes));
        outcome.map_err(|source| ReportError::Write { path: path.clone(), source })?;
        written.push(path);
    }
    Ok(written)
}
