//! `index.html`: one file that opens from a disk, a mail or a build artifact and fetches nothing. Figures and tables are
//! plain HTML; the script only sorts and switches the theme.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use thiserror::Error;
use trailmark_store::record::{ProtocolParts, RunManifest};

use crate::answer::answer;
use crate::chart::Figure;
use crate::slug::slug;
use crate::table::{Align, RowKind, Table};
use crate::tables::{
    Width, accounting, comparisons, controls, cost, failures, internal, per_n_clusters, picks, ranking, undefined,
    warnings,
};
use crate::view::{Index, RunView};

/// A page that could not be made.
#[derive(Debug, Error)]
pub enum HtmlError {
    /// The template failed.
    #[error("the page could not be made: {0}")]
    Template(#[from] minijinja::Error),
    /// A chart failed.
    #[error(transparent)]
    Chart(#[from] crate::chart::ChartError),
}

#[derive(Serialize)]
struct CellHtml {
    text: String,
    best: bool,
    right: bool,
    sort: Option<f64>,
}

#[derive(Serialize)]
struct RowHtml {
    control: bool,
    cells: Vec<CellHtml>,
}

#[derive(Serialize)]
struct ColumnHtml<'a> {
    /// The heading in pieces, between which a line may break.
    parts: Vec<&'a str>,
    help: &'a str,
    right: bool,
}

#[derive(Serialize)]
struct TableHtml<'a> {
    id: String,
    title: &'a str,
    columns: Vec<ColumnHtml<'a>>,
    rows: Vec<RowHtml>,
    notes: &'a [String],
    sortable: bool,
}

#[derive(Serialize)]
struct FigureHtml<'a> {
    id: String,
    title: &'a str,
    caption: &'a str,
    svg: &'a str,
    data: TableHtml<'a>,
}

fn table_html(table: &Table) -> TableHtml<'_> {
    let rows = table.rows.iter().map(|row| RowHtml {
        control: row.kind == RowKind::Control,
        cells: row
            .cells
            .iter()
            .zip(&table.columns)
            .map(|(cell, column)| CellHtml {
                text: cell.show(),
                best: cell.best,
                right: column.align == Align::Right,
                sort: cell.sort_value(),
            })
            .collect(),
    });
    let columns = table.columns.iter().map(|column| ColumnHtml {
        parts: if column.title.len() > 14 {
            column.title.split_inclusive(['_', '/']).collect()
        } else {
            vec![&column.title]
        },
        help: &column.help,
        right: column.align == Align::Right,
    });
    TableHtml {
        id: format!("table-{}", slug(&table.name)),
        title: &table.title,
        columns: columns.collect(),
        rows: rows.collect(),
        notes: &table.notes,
        sortable: table.rows.len() > 2,
    }
}

#[derive(Serialize)]
struct DatasetHtml<'a> {
    id: &'a str,
    ranking: TableHtml<'a>,
    full_ranking: Option<TableHtml<'a>>,
    comparisons: TableHtml<'a>,
    picks: TableHtml<'a>,
    controls: TableHtml<'a>,
    internal: Vec<TableHtml<'a>>,
    sweeps: Vec<TableHtml<'a>>,
    accounting: TableHtml<'a>,
    figures: Vec<FigureHtml<'a>>,
    small_figures: Vec<FigureHtml<'a>>,
}

#[derive(Serialize)]
struct PageHtml<'a> {
    css: &'static str,
    js: &'static str,
    manifest: &'a RunManifest,
    headline: &'a str,
    lines: &'a [String],
    cautions: &'a [String],
    datasets: Vec<DatasetHtml<'a>>,
    failures: TableHtml<'a>,
    undefined: TableHtml<'a>,
    warnings: TableHtml<'a>,
    cost: TableHtml<'a>,
    protocols: Vec<(&'a str, String, &'a ProtocolParts)>,
    suite_toml: &'a str,
    n_records: usize,
}

struct DatasetTables {
    ranking: Table,
    full_ranking: Table,
    comparisons: Table,
    picks: Table,
    controls: Table,
    internal: Vec<Table>,
    sweeps: Vec<Table>,
    accounting: Table,
}

impl DatasetTables {
    fn of(view: &RunView, dataset: &str) -> Self {
        let index = Index::new(view);
        let pairs = index.pairs(dataset).into_iter();
        Self {
            ranking: ranking(view, dataset, Width::Page),
            full_ranking: ranking(view, dataset, Width::Full),
            comparisons: comparisons(view, dataset, Width::Full),
            picks: picks(view, dataset),
            controls: controls(view, dataset),
            internal: internal(view, dataset),
            sweeps: pairs.map(|pair| per_n_clusters(view, dataset, pair.encoder, pair.clusterer)).collect(),
            accounting: accounting(view, dataset),
        }
    }

    fn html<'a>(&'a self, dataset: &'a str, figures: &'a [Figure]) -> DatasetHtml<'a> {
        let more = self.full_ranking.columns.len() > self.ranking.columns.len();
        DatasetHtml {
            id: dataset,
            ranking: table_html(&self.ranking),
            full_ranking: more.then(|| TableHtml {
                id: format!("table-all-{}", slug(&self.full_ranking.name)),
                ..table_html(&self.full_ranking)
            }),
            comparisons: table_html(&self.comparisons),
            picks: table_html(&self.picks),
            controls: table_html(&self.controls),
            internal: self.internal.iter().map(table_html).collect(),
            sweeps: self.sweeps.iter().map(table_html).collect(),
            accounting: table_html(&self.accounting),
            figures: figures_html(dataset, figures, false),
            small_figures: figures_html(dataset, figures, true),
        }
    }
}

fn figures_html<'a>(dataset: &str, figures: &'a [Figure], small: bool) -> Vec<FigureHtml<'a>> {
    let wanted = figures.iter().filter(|figure| figure.dataset == dataset && figure.small == small);
    wanted
        .map(|figure| FigureHtml {
            id: format!("figure-{}", slug(&figure.name)),
            title: &figure.title,
            caption: &figure.caption,
            svg: &figure.svg,
            data: TableHtml { id: format!("data-{}", slug(&figure.name)), ..table_html(&figure.data) },
        })
        .collect()
}

/// The page of a run.
///
/// # Errors
/// When a chart cannot be drawn or the template fails.
pub fn html(view: &RunView) -> Result<String, HtmlError> {
    page(view, &crate::chart::figures(view)?)
}

pub(crate) fn page(view: &RunView, figures: &[Figure]) -> Result<String, HtmlError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("index.html", include_str!("../templates/index.html"))?;
    environment.add_template("figure.html", include_str!("../templates/figure.html"))?;
    environment.add_template("table.html", include_str!("../templates/table.html"))?;

    let answer = answer(view);
    let manifest = &view.manifest;
    let tables: Vec<(&str, DatasetTables)> =
        view.datasets().into_iter().map(|dataset| (dataset, DatasetTables::of(view, dataset))).collect();
    let datasets: Vec<DatasetHtml<'_>> = tables.iter().map(|(dataset, tables)| tables.html(dataset, figures)).collect();
    let (failures, undefined, warnings, cost) = (failures(view), undefined(view), warnings(view), cost(view));
    let protocols = manifest
        .datasets
        .iter()
        .map(|(id, facts)| (id.as_str(), facts.protocol_id.to_string(), &facts.protocol))
        .collect();
    let page = PageHtml {
        css: include_str!("../templates/report.css"),
        js: include_str!("../templates/report.js"),
        manifest,
        headline: &answer.headline,
        lines: &answer.lines,
        cautions: &answer.cautions,
        datasets,
        failures: table_html(&failures),
        undefined: table_html(&undefined),
        warnings: table_html(&warnings),
        cost: table_html(&cost),
        protocols,
        suite_toml: &view.resolved_suite,
        n_records: view.records.len(),
    };
    Ok(environment.get_template("index.html")?.render(Serde(&page))?)
}
