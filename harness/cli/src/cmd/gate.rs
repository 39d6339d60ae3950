//! `trailmark gate RUN`

use trailmark_report::{Baseline, EXIT_NO_BASELINE, GateReport, gate};

use crate::args::GateArgs;
use crate::catalogue::catalogue;
use crate::cmd::baseline::gated;
use crate::error::{CliError, CliResult};
use crate::exit_code;
use crate::output::{answer, note};

pub(crate) fn run(args: &GateArgs) -> CliResult<u8> {
    let catalogue = catalogue();
    let (run, view, gates, path) = gated(&args.baseline, &catalogue)?;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            run.write("gate.json", &GateReport::no_baseline(&view.manifest.suite).to_json())?;
            let message = format!(
                "error: there is no baseline {}\n  = help: keep this run as one: trailmark baseline save {}",
                path.display(),
                args.baseline.run.run.display()
            );
            return Err(CliError::new(EXIT_NO_BASELINE, message));
        }
        Err(error) => return Err(error.into()),
    };
    let baseline = Baseline::parse(&text)
        .map_err(|error| CliError::new(exit_code::DATA, format!("error: {}: {error}", path.display())))?;
    let report = gate(&view, &baseline, &gates, args.fail_on_inconclusive)
        .map_err(|error| CliError::new(exit_code::SUITE, format!("error: {error}")))?;
    run.write("gate.json", &report.to_json())?;
    answer(report.table().render(args.format.into()));
    note(&report.message);
    Ok(report.exit_code)
}
