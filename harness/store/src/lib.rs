//! What a run leaves on disk. Everything else reads and writes through this crate; nothing else knows the format.
//!
//! A run is a folder ([`run_dir`]) of append-only records; vectors, labels and per-user scores live in a
//! content-addressed store beside it ([`artifact`]), published by hard link so that the first writer wins.

pub mod artifact;
pub mod objects;
pub mod record;
pub mod run_dir;

pub use artifact::{LabelsArtifact, UserScores, Vectors};
pub use objects::{ObjectStore, StoreError};
pub use record::{
    CellName, CellRecord, CellScores, Comparison, DatasetFacts, FORMAT_VERSION, MetricFacts, NClusters, Outcome, Pick,
    Role, RunManifest, ScoreRow, Split, Timing,
};
pub use run_dir::{Attempt, RunDir};
