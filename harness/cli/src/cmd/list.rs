//! `trailmark list WHAT`

use trailmark_core::spec::Direction;
use trailmark_core::{Cost, Spec};
use trailmark_data::{AssetKind, AssetStore};
use trailmark_report::{Column, Table};

use crate::args::{ListArgs, ListWhat};
use crate::catalogue::catalogue;
use crate::error::CliResult;
use crate::output::answer;
use crate::{exit_code, runs};

pub(crate) fn run(args: &ListArgs) -> CliResult<u8> {
    let catalogue = catalogue();
    let table = match args.what {
        ListWhat::Encoders => specs("encoders", catalogue.encoder_specs().into_iter()),
        ListWhat::Clusterers => specs("clusterers", catalogue.clusterers.iter().map(|entry| entry.spec)),
        ListWhat::Posts => specs("posts", catalogue.posts.iter().map(|entry| entry.spec)),
        ListWhat::Recommenders => specs("recommenders", catalogue.recommenders.iter().map(|item| item.spec())),
        ListWhat::Metrics => {
            let mut table =
                empty("metrics", &["name", "better", "compares", "needs", "summary", "time", "memory", "reference"]);
            for metric in &catalogue.metrics {
                let better = match metric.direction() {
                    Direction::Higher => "higher",
                    Direction::Lower => "lower",
                };
                let compares = if metric.internal() { "inside one space" } else { "between encoders" };
                let needs = if metric.needs().labels_true { "reference labels" } else { "vectors" };
                let spec = metric.spec();
                let Cost { time, memory } = spec.cost;
                push(&mut table, &[spec.name, better, compares, needs, spec.summary, time, memory, spec.reference]);
            }
            for spec in &catalogue.ranking_metrics {
                let name = format!("<recommender>/{}@<k>", spec.name);
                let Cost { time, memory } = spec.cost;
                let (better, compares, needs) = ("higher", "between encoders", "a future");
                push(&mut table, &[&name, better, compares, needs, spec.summary, time, memory, spec.reference]);
            }
            table
        }
        ListWhat::Datasets => assets("datasets", AssetKind::Dataset),
        ListWhat::Models => assets("models", AssetKind::Model),
        ListWhat::Reference => {
            print!("{}", trailmark_suite::reference_toml(&runs::check_context(&catalogue)));
            return Ok(exit_code::OK);
        }
    };
    answer(table.render(args.format.into()).trim_end());
    Ok(exit_code::OK)
}

fn empty(name: &str, columns: &[&str]) -> Table {
    Table::new(name, "", columns.iter().map(|column| Column::text(column, column)).collect())
}

fn push(table: &mut Table, cells: &[&str]) {
    table.push(cells.iter().map(|cell| (*cell).into()).collect());
}

fn specs(name: &str, specs: impl Iterator<Item = &'static Spec>) -> Table {
    let mut table = empty(name, &["name", "summary", "parameters", "time", "memory", "reference"]);
    for spec in specs {
        let params: Vec<String> = spec.params.iter().map(|param| format!("{} ({})", param.name, param.kind)).collect();
        let Cost { time, memory } = spec.cost;
        push(&mut table, &[spec.name, spec.summary, &params.join("; "), time, memory, spec.reference]);
    }
    table
}

fn assets(name: &str, kind: AssetKind) -> Table {
    let mut table = empty(name, &["name", "summary", "licence", "home"]);
    for info in AssetStore::from_env(".", true).infos().iter().filter(|info| info.kind == kind) {
        push(&mut table, &[&info.name, &info.summary, &info.licence, &info.homepage]);
    }
    table
}
