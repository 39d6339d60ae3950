//! `trailmark baseline save RUN`

use std::path::{Path, PathBuf};

use trailmark_core::Catalogue;
use trailmark_report::{Baseline, Gate, GateRule, Made};
use trailmark_store::RunDir;
use trailmark_suite::Suite;
use trailmark_suite::checked::GateKind;

use crate::args::BaselineArgs;
use crate::catalogue::catalogue;
use crate::error::{CliError, CliResult};
use crate::output::answer;
use crate::{exit_code, runs, view};

pub(crate) fn save(args: &BaselineArgs) -> CliResult<u8> {
    let (_, view, gates, path) = gated(args, &catalogue())?;
    let baseline = Baseline::from_run(&view, &gates, Made::by(&view, None, None))
        .map_err(|error| CliError::new(exit_code::NOTHING, format!("error: {error}")))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, baseline.to_toml())?;
    answer(path.display());
    Ok(exit_code::OK)
}

/// A run, the gates of its suite, and the baseline file.
pub(crate) fn gated(
    args: &BaselineArgs,
    catalogue: &Catalogue,
) -> CliResult<(RunDir, trailmark_report::RunView, Vec<Gate>, PathBuf)> {
    let (run, manifest) = runs::open(&args.run.run, catalogue)?;
    let suite = runs::resolved_suite(&run, catalogue)?;
    if suite.gates.is_empty() {
        let message = "error: the suite declares no gate\n  = help: add [[gate]] with metric and margin";
        return Err(CliError::new(exit_code::NOTHING, message));
    }
    let path = args
        .baseline
        .clone()
        .unwrap_or_else(|| Path::new("reports/baselines").join(format!("{}.toml", manifest.suite)));
    let view = view::read(&run, manifest)?;
    Ok((run, view, gates(&suite), path))
}

fn gates(suite: &Suite) -> Vec<Gate> {
    suite
        .gates
        .iter()
        .map(|gate| Gate {
            metric: gate.metric.clone(),
            margin: gate.margin,
            rule: match gate.rule {
                GateKind::Exact => GateRule::Exact,
                GateKind::Margin => GateRule::Margin,
                GateKind::NonInferior => GateRule::NonInferior,
            },
            select: gate.select.clone(),
        })
        .collect()
}
