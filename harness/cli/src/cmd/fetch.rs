//! `trailmark fetch NAME..`

use std::collections::BTreeSet;
use std::path::Path;

use trailmark_core::config::Source;
use trailmark_core::contract::Assets;
use trailmark_data::AssetStore;

use crate::args::FetchArgs;
use crate::catalogue::catalogue;
use crate::error::{CliError, CliResult};
use crate::output::{answer, note};
use crate::{exit_code, runs};

pub(crate) fn run(args: &FetchArgs) -> CliResult<u8> {
    let catalogue = catalogue();
    let mut names = BTreeSet::new();
    for name in &args.names {
        if name.ends_with(".toml") {
            let suite = runs::load_suite(Path::new(name), &[], &catalogue)?;
            for dataset in &suite.datasets {
                if let Source::Named { name } = &dataset.source {
                    names.insert(name.clone());
                }
            }
            for model in suite.encoders.iter().filter_map(|arm| arm.params.try_text("model")) {
                if suite.base_dir.join(model).is_dir() {
                    note(format!("{model}: a folder, nothing to bring"));
                } else {
                    names.insert(model.to_owned());
                }
            }
        } else {
            names.insert(name.clone());
        }
    }
    if names.is_empty() {
        return Err(CliError::new(exit_code::NOTHING, "error: these suites name no dataset or model to bring"));
    }
    let assets = AssetStore::from_env(".", false);
    let known: Vec<String> = assets.names().into_iter().chain(assets.model_names()).collect();
    for name in names {
        if !known.contains(&name) && name.contains('/') {
            // A model of the hub without a manifest of ours: the hub's own cache keeps it.
            let folder = Assets::model(&assets, &name)
                .map_err(|error| CliError::new(exit_code::DATA, format!("error: {error}")))?;
            answer(format!("{name}: in {}", folder.display()));
            continue;
        }
        let report = assets.fetch(&name, &mut |line| note(line))?;
        let source = report.source.map_or_else(|| "here already".to_owned(), |source| format!("from {source}"));
        answer(format!(
            "{name}: {:.1} MB in {}, {source}; licence: {}",
            report.bytes as f64 / 1e6,
            report.folder.display(),
            report.licence
        ));
    }
    Ok(exit_code::OK)
}
