//! Which folder a run is in, and how a suite is read on the way to it.

use std::path::{Path, PathBuf};

use trailmark_core::{Catalogue, Key};
use trailmark_store::{RunDir, RunManifest};
use trailmark_suite::CheckContext;
use trailmark_suite::Suite;

use crate::error::{CliError, CliResult};
use crate::exit_code;

/// What the checker needs to know.
pub(crate) fn check_context(catalogue: &Catalogue) -> CheckContext<'_> {
    CheckContext { catalogue, placeholders: trailmark_data::PLACEHOLDERS }
}

/// Reads and checks a suite.
pub(crate) fn load_suite(path: &Path, set: &[String], catalogue: &Catalogue) -> CliResult<Suite> {
    trailmark_suite::load(path, set, &check_context(catalogue))
        .map_err(|mistakes| CliError::new(exit_code::SUITE, mistakes))
}

/// The folder a suite runs in: the one named, or `runs/<suite>`, `runs/<suite>-2`, .. whichever is free or holds the
/// same resolved suite. `fresh` takes only a free one.
pub(crate) fn choose(suite: &Suite, hash: &Key, output: Option<&Path>, fresh: bool) -> CliResult<RunDir> {
    if let Some(path) = output {
        let run = RunDir::new(path);
        return match run.manifest()? {
            None => Ok(run),
            Some(_) if fresh => Err(CliError::new(
                exit_code::USAGE,
                format!("error: {} holds a run; --fresh wants a folder without one", path.display()),
            )),
            Some(manifest) if manifest.suite_hash == *hash => Ok(run),
            Some(manifest) => Err(CliError::new(
                exit_code::USAGE,
                format!(
                    "error: {} holds a run of another suite ({}, {}); this one is {} ({})\n  = help: choose another folder, or leave -o out",
                    path.display(),
                    manifest.suite,
                    manifest.suite_hash.short(),
                    suite.name,
                    hash.short()
                ),
            )),
        };
    }
    for number in 1_u32.. {
        let run = RunDir::new(&numbered(&suite.name, number));
        match run.manifest()? {
            None => return Ok(run),
            Some(manifest) if manifest.suite_hash == *hash && !fresh => return Ok(run),
            Some(_) => {}
        }
    }
    unreachable!("four billion runs")
}

fn numbered(suite: &str, number: u32) -> PathBuf {
    let name = if number == 1 { suite.to_owned() } else { format!("{suite}-{number}") };
    Path::new("runs").join(name)
}

/// A run that is there: named by its folder, or by its suite file (the last folder with that suite as it is now).
pub(crate) fn open(path: &Path, catalogue: &Catalogue) -> CliResult<(RunDir, RunManifest)> {
    let run = if path.extension().is_some_and(|extension| extension == "toml") {
        let suite = load_suite(path, &[], catalogue)?;
        let run = choose(&suite, &trailmark_suite::suite_hash(&suite), None, false)?;
        if run.manifest()?.is_none() {
            let message = format!(
                "error: there is no run of {} as it is now\n  = help: run it first: trailmark run {}",
                path.display(),
                path.display()
            );
            return Err(CliError::new(exit_code::NOTHING, message));
        }
        run
    } else {
        RunDir::new(path)
    };
    match run.manifest()? {
        Some(manifest) => Ok((run, manifest)),
        None => Err(CliError::new(
            exit_code::NOTHING,
            format!("error: {} holds no run\n  = help: name a folder with run.json, or the suite file", path.display()),
        )),
    }
}

/// The suite as it ran.
pub(crate) fn resolved_suite(run: &RunDir, catalogue: &Catalogue) -> CliResult<Suite> {
    let text = run.resolved_suite()?;
    let name = run.path().join("suite.resolved.toml");
    trailmark_suite::parse(&text, &name.display().to_string(), run.path(), &[], &check_context(catalogue))
        .map_err(|mistakes| CliError::new(exit_code::SUITE, mistakes))
}

/// The folder of cached artifacts.
pub(crate) fn store_path() -> PathBuf {
    std::env::var_os("TRAILMARK_STORE").map_or_else(|| PathBuf::from(".trailmark"), PathBuf::from)
}
