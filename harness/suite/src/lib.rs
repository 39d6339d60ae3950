//! From the text of a suite to a checked suite and its plan.
//!
//! A suite matures in three forms: `wire` is what the file says, each value with its place; [`checked`] is what is
//! meant, with every default filled in; [`plan()`] is what runs. All mistakes of a file are reported in one go.

mod check;
pub mod checked;
mod diagnostic;
mod fields;
pub mod ids;
pub mod metric_name;
mod mistake;
mod overrides;
pub mod plan;
mod reader;
mod reference;
mod resolved;
mod wire;

use std::path::Path;

use trailmark_core::Catalogue;

pub use checked::Suite;
pub use diagnostic::Diagnostics;
pub use metric_name::MetricName;
pub use mistake::Mistake;
pub use plan::{Filter, FilterError, Group, Plan, PlannedCell, Work, plan};
pub use reference::reference_toml;
pub use resolved::{resolved_toml, suite_hash};

use diagnostic::Sink;

/// What a suite is checked against: everything that can be named in it.
#[derive(Debug, Clone, Copy)]
pub struct CheckContext<'a> {
    /// Components, generator and datasets by name.
    pub catalogue: &'a Catalogue,
    /// What may stand between braces in the templates of `[sequence] form`.
    pub placeholders: &'a [&'a str],
}

/// Reads and checks a suite file with its `--set path=value` overrides.
///
/// # Errors
/// All mistakes of the file and the overrides, in order of place.
pub fn load(path: &Path, overrides: &[String], context: &CheckContext<'_>) -> Result<Suite, Diagnostics> {
    let file_name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, &file_name, path.parent().unwrap_or(Path::new("")), overrides, context),
        Err(error) => {
            let sink = Sink::new(&file_name, "", overrides);
            sink.push(Mistake::Unreadable { reason: error.to_string() }, None);
            Err(sink.into_diagnostics())
        }
    }
}

/// Checks the text of a suite. `file_name` is what messages call it; relative paths start at `base_dir`.
///
/// # Errors
/// All mistakes of the text and the overrides, in order of place.
pub fn parse(
    text: &str,
    file_name: &str,
    base_dir: &Path,
    overrides: &[String],
    context: &CheckContext<'_>,
) -> Result<Suite, Diagnostics> {
    let sink = Sink::new(file_name, text, overrides);
    let mut root = match wire::read(text) {
        Ok(root) => root,
        Err(broken) => {
            // Nothing behind a broken line can be trusted, so this one stands alone.
            sink.add(*broken);
            return Err(sink.into_diagnostics());
        }
    };
    for (at, text) in overrides.iter().enumerate() {
        if let Err(refused) = overrides::apply(&mut root, text, at + 1) {
            sink.add(*refused);
        }
    }
    let suite = check::suite(&root, base_dir, context, &sink);
    if sink.is_empty() { Ok(suite) } else { Err(sink.into_diagnostics()) }
}
