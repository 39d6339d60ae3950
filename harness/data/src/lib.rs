//! Data: from a source to a dataset that can be split. It sits between the checked suite and the encoders.
//!
//! Every source (the generator, delimited logs, RecBole files, named datasets) is read into one event log, cleaned
//! and counted; the log is cut into samples with histories and futures; users are dealt to folds. [`AssetStore`]
//! finds and fetches named datasets and models.

mod delimited;
mod error;
mod events;
mod folds;
mod intern;
mod recbole;
mod sequences;
mod synthetic;
mod table;
mod template;
mod time;

use std::path::PathBuf;

use trailmark_core::config::{DatasetConfig, SequenceConfig, Source, SplitConfig};
use trailmark_core::{Dataset, random};

pub use error::{DataError, DropReason};
pub use folds::folds;
pub use synthetic::synthetic_spec;
pub use template::{PLACEHOLDERS, check_template};
