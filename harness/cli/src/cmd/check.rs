//! `trailmark check SUITE`

use crate::args::SuiteArgs;
use crate::catalogue::catalogue;
use crate::error::CliResult;
use crate::output::answer;
use crate::{exit_code, runs};

pub(crate) fn run(args: &SuiteArgs) -> CliResult<u8> {
    let suite = runs::load_suite(&args.suite, &args.set, &catalogue())?;
    answer(format!(
        "{}: ok ({} datasets, {} encoders, {} clusterers, {} values of n_clusters, {} folds x {} repeats)",
        suite.name,
        suite.datasets.len(),
        suite.encoders.len(),
        suite.clusterers.len(),
        suite.sweep.n_clusters.len(),
        suite.split.folds,
        suite.split.repeats
    ));
    Ok(exit_code::OK)
}
