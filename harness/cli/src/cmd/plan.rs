//! `trailmark plan SUITE`

use trailmark_store::{Outcome, RunDir};
use trailmark_suite::plan::{Filter, plan};

use crate::args::{PlanArgs, Selection};
use crate::catalogue::catalogue;
use crate::error::{CliError, CliResult};
use crate::output::{answer, note};
use crate::{exit_code, runs};

pub(crate) fn run(args: &PlanArgs) -> CliResult<u8> {
    let filter = filter(&args.selection)?;
    let catalogue = catalogue();
    let suite = runs::load_suite(&args.suite.suite, &args.suite.set, &catalogue)?;
    let plan = plan(&suite, &filter);
    if plan.groups.is_empty() {
        return Err(nothing_selected());
    }
    let run = match &args.output {
        Some(path) => Some(RunDir::new(path)),
        None => runs::last(&suite)?,
    };
    let records = run.as_ref().map(RunDir::records).transpose()?.unwrap_or_default();
    let done: std::collections::BTreeSet<String> = records
        .into_iter()
        .filter(|record| matches!(record.outcome, Outcome::Ok(_)))
        .map(|record| record.cell.to_string())
        .collect();
    let names = plan.cell_names(&suite);
    let there = names.iter().filter(|name| done.contains(*name)).count();
    for name in &names {
        answer(format!("{name}  {}", if done.contains(name) { "there" } else { "to do" }));
    }
    let work = plan.work(&suite, &[]);
    let folds = suite.datasets.len() * suite.split.folds * suite.split.repeats;
    note(format!(
        "{} cells in {} groups, and {folds} shared controls; {there} of the cells are there already{}",
        names.len(),
        plan.groups.len(),
        run.map_or_else(String::new, |run| format!(
            " in {}, unless data or models changed since",
            run.path().display()
        )),
    ));
    note(format!(
        "estimated work, if none were there: {} encoder runs, {} partitions to fit, {} to score on both sides with a \
         shuffled control",
        plan.groups.len(),
        work.fits,
        work.cells + work.auto_cells,
    ));
    Ok(exit_code::OK)
}

/// The filter of the command line.
pub(crate) fn filter(selection: &Selection) -> CliResult<Filter> {
    Filter::new(&selection.include, &selection.exclude, selection.shard.as_deref())
        .map_err(|error| CliError::new(exit_code::USAGE, format!("error: {error}")))
}

/// Nothing is left of the plan.
pub(crate) fn nothing_selected() -> CliError {
    let message = "error: no cell is selected\n  = help: filters match names such as shop/tfidf/kmeans/k=8/fold=2/rep=0; `trailmark plan` lists them";
    CliError::new(exit_code::NOTHING, message)
}
