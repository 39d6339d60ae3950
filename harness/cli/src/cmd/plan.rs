//! `trailmark plan SUITE`

use trailmark_store::Outcome;
use trailmark_suite::plan::{Filter, plan};

use crate::args::{PlanArgs, Selection};
use crate::catalogue::catalogue;
use crate::error::{CliError, CliResult};
use crate::{exit_code, runs};

pub(crate) fn run(args: &PlanArgs) -> CliResult<u8> {
    let filter = filter(&args.selection)?;
    let catalogue = catalogue();
    let suite = runs::load_suite(&args.suite.suite, &args.suite.set, &catalogue)?;
    let plan = plan(&suite, &filter);
    if plan.groups.is_empty() {
        return Err(nothing_selected());
    }
    let run = runs::choose(&suite, &trailmark_suite::suite_hash(&suite), args.output.as_deref(), false)?;
    let done: std::collections::BTreeSet<String> = run
        .records()?
        .into_iter()
        .filter(|record| matches!(record.outcome, Outcome::Ok(_)))
        .map(|record| record.cell.to_string())
        .collect();
    let names = plan.cell_names(&suite);
    let there = names.iter().filter(|name| done.contains(*name)).count();
    for name in &names {
        println!("{name}  {}", if done.contains(name) { "there" } else { "to do" });
    }
    eprintln!(
        "{} cells in {} groups, {there} there already in {}; {} partitions to fit if none were",
        names.len(),
        plan.groups.len(),
        run.path().display(),
        plan.work(&suite, &[]).fits,
    );
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
