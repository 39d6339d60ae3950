//! The `trailmark` command: builds the catalogue, hands it to the stages, and turns what they say into text and exit
//! codes. stdout is the answer, stderr is progress and warnings.

mod args;
mod catalogue;
mod cmd;
mod error;
mod exit_code;
mod host;
mod output;
mod progress;
mod runs;
mod vectors;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{BaselineCommand, Cli, Command};
use crate::output::note;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { exit_code::USAGE } else { exit_code::OK };
            // Printing fails only when nobody reads.
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    let result = match cli.command {
        Command::Check(args) => cmd::check::run(&args),
        Command::Plan(args) => cmd::plan::run(&args),
        Command::Encode(args) => cmd::encode::run(&args),
        Command::Cluster(args) => cmd::cluster::run(&args),
        Command::Fetch(args) => cmd::fetch::run(&args),
        Command::Run(args) => cmd::run::run(&args),
        Command::Status(args) => cmd::status::run(&args),
        Command::Report(args) => cmd::report::run(&args),
        Command::Compare(args) => cmd::compare::run(&args),
        Command::Baseline(BaselineCommand::Save(args)) => cmd::baseline::save(&args),
        Command::Gate(args) => cmd::gate::run(&args),
        Command::List(args) => cmd::list::run(&args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            note(error.message.trim_end());
            ExitCode::from(error.code)
        }
    }
}
