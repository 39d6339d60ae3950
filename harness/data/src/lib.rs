//! Data: from a source to a dataset that can be split. It sits between the checked suite and the encoders.
//!
//! Every source (the generator, delimited logs, RecBole files, named datasets) is read into one event log, cleaned
//! and counted; the log is cut into samples with histories and futures; users are dealt to folds. [`AssetStore`]
//! finds and fetches named datasets and models.

mod assets;
mod delimited;
mod digest;
mod error;
mod events;
mod fetch;
mod folds;
#[cfg(feature = "hub")]
mod hub;
mod intern;
mod manifest;
mod recbole;
mod sequences;
mod synthetic;
mod table;
mod template;
mod time;

use trailmark_core::config::{DatasetConfig, SequenceConfig, Source, SplitConfig};
use trailmark_core::contract::Assets;
use trailmark_core::{Dataset, random};

use crate::events::EventLog;

pub use assets::{AssetInfo, AssetStore};
pub use error::{DataError, DropReason};
pub use fetch::FetchReport;
pub use folds::folds;
pub use manifest::AssetKind;
pub use synthetic::synthetic_spec;
pub use template::{PLACEHOLDERS, check_template};

/// Reads a dataset: source, cleaned events, sequences, labels.
///
/// # Errors
/// When the source is missing or not as declared, when too many rows are unusable, or when settings and log do not
/// fit each other. Messages say what, where and how to mend it.
pub fn load(
    config: &DatasetConfig,
    sequence: &SequenceConfig,
    split: &SplitConfig,
    suite_seed: u64,
    assets: &AssetStore,
) -> Result<Dataset, DataError> {
    let mut log = events(config, suite_seed, assets)?;
    if let Some(wanted) = config.sample_users {
        log.sample_users(wanted, random::seed(suite_seed, "sample_users", &[&config.id]));
    }
    sequences::build(&log, config, sequence, split.future)
}

/// The cleaned log of a source.
fn events(config: &DatasetConfig, suite_seed: u64, assets: &AssetStore) -> Result<EventLog, DataError> {
    let inside = |path: &std::path::Path| Assets::path(assets, &path.to_string_lossy());
    match &config.source {
        Source::Synthetic { params } => {
            synthetic::generate(params, random::seed(suite_seed, "generator", &[&config.id]))
        }
        Source::Delimited { path, columns } => {
            delimited::read(&delimited::of_path(&inside(path), columns), config.max_dropped)
        }
        Source::Recbole { path } => delimited::read(&recbole::files(&inside(path), None)?, config.max_dropped),
        Source::Named { name } => {
            let (manifest, folder) = assets.require(AssetKind::Dataset, name)?;
            let log = delimited::read(&manifest.log_files(&folder)?, config.max_dropped)?;
            let counts = [
                ("rows", manifest.counts.rows, log.accounting.rows_read),
                ("users", manifest.counts.users, log.users.len() as u64),
                ("items", manifest.counts.items, log.items.len() as u64),
            ];
            for (what, expected, found) in counts {
                if let Some(expected) = expected.filter(|expected| *expected != found) {
                    return Err(DataError::Counts { name: name.clone(), what, expected, found });
                }
            }
            if let Some(expected) = manifest.counts.events {
                let found = log.key().to_string();
                if found != expected {
                    return Err(DataError::Events { name: name.clone(), expected, found });
                }
            }
            Ok(log)
        }
    }
}
