//! `trailmark compare RUN`

use crate::args::Show;
use crate::catalogue::catalogue;
use crate::error::{CliError, CliResult};
use crate::output::answer;
use crate::{exit_code, runs, view};

pub(crate) fn run(args: &Show) -> CliResult<u8> {
    let catalogue = catalogue();
    let (run, manifest) = runs::open(&args.run.run, &catalogue)?;
    let suite = runs::resolved_suite(&run, &catalogue)?;
    if suite.compares.is_empty() {
        let message = "error: the suite declares no comparison\n  = help: add [[compare]] with arms = \"encoder\"";
        return Err(CliError::new(exit_code::NOTHING, message));
    }
    view::compare(&run, &suite, &manifest)?;
    let view = view::read(&run, manifest)?;
    for dataset in view.manifest.datasets.keys() {
        answer(trailmark_report::comparisons(&view, dataset, trailmark_report::Width::Full).render(args.format.into()));
    }
    Ok(exit_code::OK)
}
