//! Which folder a run is in, and how a suite is read on the way to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trailmark_core::{Catalogue, Key};
use trailmark_store::{ObjectStore, RunDir, RunManifest};
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

/// What makes two runs of a suite the same run: the suite as resolved, the data it read, and what its encoders read.
pub(crate) struct Inputs {
    pub(crate) suite_hash: Key,
    pub(crate) protocols: BTreeMap<String, Key>,
    pub(crate) encoders: BTreeMap<String, Key>,
}

impl Inputs {
    /// Why a folder cannot be gone on with; none when it can.
    fn differ_from(&self, manifest: &RunManifest) -> Option<String> {
        if manifest.suite_hash != self.suite_hash {
            return Some(format!("a run of another suite, {} ({})", manifest.suite, manifest.suite_hash.short()));
        }
        let data = manifest
            .datasets
            .iter()
            .find(|(id, facts)| self.protocols.get(*id).is_some_and(|protocol_id| *protocol_id != facts.protocol_id));
        if let Some((id, _)) = data {
            return Some(format!("a run of this suite when dataset {id:?} held other data"));
        }
        let read = manifest.encoder_keys.iter().find(|(id, key)| self.encoders.get(*id).is_some_and(|own| own != *key));
        read.map(|(id, _)| format!("a run of this suite when encoder {id:?} read other files"))
    }
}

/// The folder to run in: the one named, or the last of `runs/<suite>`, `runs/<suite>-2`, .. that is the same run, else
/// the next number. `fresh` takes only a folder without a run.
pub(crate) fn choose(suite: &Suite, inputs: &Inputs, output: Option<&Path>, fresh: bool) -> CliResult<RunDir> {
    if let Some(path) = output {
        if path.is_file() {
            let message = format!("error: {} is a file; -o wants a folder", path.display());
            return Err(CliError::new(exit_code::USAGE, message));
        }
        let run = RunDir::new(path);
        let Some(manifest) = run.manifest()? else { return Ok(run) };
        let refuse = |what: String| {
            let message =
                format!("error: {} holds {what}\n  = help: choose another folder, or leave -o out", path.display());
            Err(CliError::new(exit_code::USAGE, message))
        };
        return match inputs.differ_from(&manifest) {
            Some(difference) => refuse(difference),
            None if fresh => refuse("a run, and --fresh wants a folder without one".to_owned()),
            None => Ok(run),
        };
    }
    let there = numbered_runs(&suite.name)?;
    let same = there.iter().rev().find(|(_, _, manifest)| inputs.differ_from(manifest).is_none());
    Ok(match same {
        Some((_, run, _)) if !fresh => run.clone(),
        _ => match there.last() {
            None => RunDir::new(&Path::new("runs").join(&suite.name)),
            Some((last, _, _)) => RunDir::new(&Path::new("runs").join(format!("{}-{}", suite.name, last + 1))),
        },
    })
}

/// Run folders of a suite's name, by number.
fn numbered_runs(suite: &str) -> CliResult<Vec<(u32, RunDir, RunManifest)>> {
    let mut runs = Vec::new();
    let Ok(entries) = std::fs::read_dir("runs") else { return Ok(runs) };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number = match name.strip_prefix(suite) {
            Some("") => Some(1),
            Some(rest) => rest.strip_prefix('-').and_then(|number| number.parse::<u32>().ok()).filter(|n| *n > 1),
            None => None,
        };
        let Some(number) = number else { continue };
        let run = RunDir::new(&entry.path());
        if let Some(manifest) = run.manifest()? {
            runs.push((number, run, manifest));
        }
    }
    runs.sort_by_key(|(number, _, _)| *number);
    Ok(runs)
}

/// The last run of a suite as it now is; what its data held cannot be told without reading it.
pub(crate) fn last(suite: &Suite) -> CliResult<Option<RunDir>> {
    let hash = trailmark_suite::suite_hash(suite);
    let there = numbered_runs(&suite.name)?;
    Ok(there.into_iter().rev().find(|(_, _, manifest)| manifest.suite_hash == hash).map(|(_, run, _)| run))
}

/// A run that is there: named by its folder, or by its suite file (the last folder with that suite as it is now).
pub(crate) fn open(path: &Path, catalogue: &Catalogue) -> CliResult<(RunDir, RunManifest)> {
    let run = if path.extension().is_some_and(|extension| extension == "toml") {
        last(&load_suite(path, &[], catalogue)?)?.ok_or_else(|| {
            let message = format!(
                "error: there is no run of {} as it is now\n  = help: run it first: trailmark run {}",
                path.display(),
                path.display()
            );
            CliError::new(exit_code::NOTHING, message)
        })?
    } else if path.is_file() {
        let message = format!("error: {} is a file\n  = help: name a run folder, or the suite file", path.display());
        return Err(CliError::new(exit_code::USAGE, message));
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

/// The folder of artifacts of new runs.
pub(crate) fn store_path() -> PathBuf {
    std::env::var_os("TRAILMARK_STORE").map_or_else(|| PathBuf::from(".trailmark"), PathBuf::from)
}

/// The artifacts of a run that is there: where it kept them, unless the environment says otherwise.
pub(crate) fn store_of(manifest: &RunManifest) -> CliResult<ObjectStore> {
    let path = std::env::var_os("TRAILMARK_STORE").map_or_else(|| PathBuf::from(&manifest.store), PathBuf::from);
    Ok(ObjectStore::open(&path)?)
}
