//! What a run is given and what it says while it goes.

use std::path::PathBuf;

use thiserror::Error;
use trailmark_core::catalogue::{BuildError, Catalogue};
use trailmark_core::contract::Assets;
use trailmark_core::{Dataset, Fold};
use trailmark_data::DataError;
use trailmark_store::{CellRecord, ObjectStore, StoreError};
use trailmark_suite::Suite;
use trailmark_suite::plan::Plan;

/// A dataset with its folds.
#[derive(Debug)]
pub struct LoadedDataset {
    /// The samples.
    pub dataset: Dataset,
    /// The folds, all repeats.
    pub folds: Vec<Fold>,
}

/// What a run may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Groups side by side, at least 1.
    pub threads: usize,
    /// Bytes that one fitting step may use: not a share of all, so that what fails does not depend on threads.
    pub memory_bytes: u64,
    /// No new group is started after this many seconds; the run can be resumed.
    pub budget_s: Option<f64>,
}

/// Answers for a cell's name whether a panic is planted in it.
pub type Fault<'a> = Box<dyn Fn(&str) -> bool + Sync + 'a>;

/// Everything a run needs.
pub struct Job<'a> {
    /// The checked suite.
    pub suite: &'a Suite,
    /// What is to be run of it.
    pub plan: Plan,
    /// Constructors.
    pub catalogue: &'a Catalogue,
    /// Models and files.
    pub assets: &'a dyn Assets,
    /// Datasets in the suite's order.
    pub datasets: Vec<LoadedDataset>,
    /// Artifacts.
    pub store: ObjectStore,
    /// Whether vectors of earlier runs are taken from the store, or made again.
    pub reuse_vectors: bool,
    /// What it may use.
    pub limits: Limits,
    /// Plants a panic in the cells for which it answers true: how the containment of failures is tested.
    pub fault: Option<Fault<'a>>,
}

/// What happens, for progress and warnings.
#[derive(Debug)]
pub enum Event<'a> {
    /// The work is known.
    Planned {
        /// Cells of the plan.
        cells: usize,
        /// Cells that are there already.
        cached: usize,
    },
    /// A frozen encoder starts on a dataset.
    Encoding {
        /// `dataset/encoder`.
        what: String,
        /// Samples.
        n_samples: usize,
    },
    /// A cell is done.
    Cell {
        /// Its record.
        record: &'a CellRecord,
        /// Cells done by this process.
        done: usize,
        /// Cells this process has to do.
        total: usize,
    },
    /// A damaged artifact was set aside and is made again.
    Damaged {
        /// Its new name.
        path: PathBuf,
    },
}

/// Someone who watches.
pub trait Observer: Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Cells of the plan.
    pub cells: usize,
    /// Cells computed by this process.
    pub computed: usize,
    /// Cells computed by this process that failed. Failed cells of earlier ones are tried again.
    pub failed: usize,
    /// True when the budget ended it before the plan did.
    pub stopped_early: bool,
}

/// Why nothing could be run.
#[derive(Debug, Error)]
pub enum RunError {
    /// Data or model missing, unreadable or not as declared.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An encoder or clusterer could not be made.
    #[error("{arm}: {source}")]
    Build {
        /// `encoder "bert"`.
        arm: String,
        /// Why.
        source: BuildError,
    },
    /// The folder or store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
