//! `trailmark list WHAT`

use trailmark_core::Spec;
use trailmark_report::table::Table;

use crate::args::{ListArgs, ListWhat};
use crate::catalogue::catalogue;
use crate::error::CliResult;
use crate::exit_code;

pub(crate) fn run(args: &ListArgs) -> CliResult<u8> {
    let catalogue = catalogue();
    let table = match args.what {
        ListWhat::Encoders => specs(catalogue.encoders.iter().map(|entry| entry.spec)),
        ListWhat::Clusterers => specs(catalogue.clusterers.iter().map(|entry| entry.spec)),
        ListWhat::Posts => specs(catalogue.posts.iter().map(|entry| entry.spec)),
        ListWhat::Recommenders => specs(catalogue.recommenders.iter().map(|recommender| recommender.spec())),
        ListWhat::Metrics => {
            let mut table = Table::new(&["name", "better", "compares", "needs", "summary", "reference"]);
            for metric in &catalogue.metrics {
                let better = match metric.direction() {
                    trailmark_core::spec::Direction::Higher => "higher",
                    trailmark_core::spec::Direction::Lower => "lower",
                };
                let compares = if metric.internal() { "inside one space" } else { "between encoders" };
                let needs = if metric.needs().labels_true { "reference labels" } else { "vectors" };
                let spec = metric.spec();
                table.push(
                    [spec.name, better, compares, needs, spec.summary, spec.reference].map(str::to_owned).to_vec(),
                );
            }
            for spec in &catalogue.ranking_metrics {
                let name = format!("<recommender>/{}@<k>", spec.name);
                let cells = [name.as_str(), "higher", "between encoders", "a future", spec.summary, spec.reference];
                table.push(cells.map(str::to_owned).to_vec());
            }
            table
        }
        ListWhat::Datasets | ListWhat::Models => {
            let mut table = Table::new(&["name", "licence", "summary", "home"]);
            let wanted = if args.what == ListWhat::Datasets {
                trailmark_data::dataset_manifests()
            } else {
                trailmark_data::model_manifests()
            };
            for manifest in wanted {
                table.push(vec![manifest.name, manifest.licence, manifest.summary, manifest.home]);
            }
            table
        }
    };
    println!("{}", table.render(args.format.into()));
    Ok(exit_code::OK)
}

fn specs(specs: impl Iterator<Item = &'static Spec>) -> Table {
    let mut table = Table::new(&["name", "summary", "parameters", "reference"]);
    for spec in specs {
        let params: Vec<String> = spec.params.iter().map(|param| format!("{} ({})", param.name, param.kind)).collect();
        table.push(vec![spec.name.to_owned(), spec.summary.to_owned(), params.join("; "), spec.reference.to_owned()]);
    }
    table
}
