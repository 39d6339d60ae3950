//! `trailmark status RUN`

use trailmark_store::Outcome;

use crate::args::RunFolder;
use crate::catalogue::catalogue;
use crate::error::CliResult;
use crate::output::answer;
use crate::{exit_code, runs};

pub(crate) fn run(args: &RunFolder) -> CliResult<u8> {
    let (run, manifest) = runs::open(&args.run, &catalogue())?;
    let records = run.records()?;
    let failed: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.outcome {
            Outcome::Failed(failure) => Some((record, failure)),
            Outcome::Ok(_) => None,
        })
        .collect();
    answer(format!("{} in {}", manifest.suite, run.path().display()));
    answer(format!("{} of {} cells done, {} failed", records.len(), manifest.n_cells, failed.len()));
    for (record, failure) in &failed {
        answer(format!("  {}  {failure}", record.cell));
    }
    Ok(match (records.len() < manifest.n_cells, failed.is_empty()) {
        (true, _) => exit_code::STOPPED,
        (false, false) => exit_code::CELLS_FAILED,
        (false, true) => exit_code::OK,
    })
}
