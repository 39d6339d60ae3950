//! Everything that can go wrong between a source and a dataset. Every message says what, where, and how to mend it.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Rows dropped for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropReason {
    /// Name of the reason: `missing_user`, `unreadable_time`.
    pub reason: &'static str,
    /// Number of rows.
    pub rows: u64,
    /// Line of the first one in the file, from 1.
    pub first_line: u64,
}

/// Why a dataset could not be read, cut into sequences, split or fetched.
#[derive(Debug, Error)]
pub enum DataError {
    /// A file cannot be opened or read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file with a header and no rows, or with nothing at all.
    #[error("{}: the log is empty: it has no row below its header", .path.display())]
    EmptyLog {
        /// The file.
        path: PathBuf,
    },
    /// A mapped column is not in the file.
    #[error(
        "{}:1: no column is named {column:?} (the {role} column){}\n  the columns are: {}",
        .path.display(), did_you_mean(.suggestion.as_deref()), .present.join(", ")
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The name that was looked for.
        column: String,
        /// What it was to be used for.
        role: String,
        /// The names that are there.
        present: Vec<String>,
        /// The nearest of them.
        suggestion: Option<String>,
    },
    /// The delimiter is not one byte.
    #[error("{}: the delimiter {delimiter:?} is not a single byte; use \",\", \";\" or a tab", .path.display())]
    Delimiter {
        /// The file.
        path: PathBuf,
        /// The character given.
        delimiter: char,
    },
    /// More rows were unusable than declared.
    #[error(
        "{}: {dropped} of {read} rows cannot be used, which is more than max_dropped = {max_dropped}{}\n  \
         mend the file or the column map, or raise max_dropped",
        .path.display(), drop_list(.path, .reasons)
    )]
    TooManyDropped {
        /// The file.
        path: PathBuf,
        /// Unusable rows.
        dropped: u64,
        /// Rows read.
        read: u64,
        /// The share that was allowed.
        max_dropped: f64,
        /// The reasons, by name.
        reasons: Vec<DropReason>,
    },
    /// Every row was dropped.
    #[error("{}: no row can be used{}", .path.display(), drop_list(.path, .reasons))]
    NothingKept {
        /// The file.
        path: PathBuf,
        /// The reasons, by name.
        reasons: Vec<DropReason>,
    },
    /// A template does not parse.
    #[error("the {form} template {template:?} cannot be used: {problem}")]
    Template {
        /// `text` or `tokens`.
        form: &'static str,
        /// The template.
        template: String,
        /// What is wrong with it.
        problem: String,
    },
    /// `{price_band}` without cuts.
    #[error("the templates use {{price_band}}, but price_bands is empty: declare ascending cuts, such as [10.0, 50.0]")]
    NoPriceBands,
    /// Something needs a clock and the log has none.
    #[error("dataset {dataset:?} has no time column, which {what} needs: map a time column or change the setting")]
    NoClock {
        /// Dataset id.
        dataset: String,
        /// `a session gap`, `future = { after = .. }`.
        what: &'static str,
    },
    /// Sessions are asked for and cannot be told.
    #[error("dataset {dataset:?} has no session column: map one, declare a gap, or use unit = \"user\"")]
    NoSessions {
        /// Dataset id.
        dataset: String,
    },
    /// The future rule leaves no event on one side.
    #[error("dataset {dataset:?} has no event at or after the declared date; its last event is of {last}")]
    NoFuture {
        /// Dataset id.
        dataset: String,
        /// When its last event happened.
        last: String,
    },
    /// All sequences were left out.
    #[error(
        "dataset {dataset:?}: none of {found} sequences has a history of at least {min_events} events ({reasons}); \
         lower min_events or shorten the future"
    )]
    NoSequences {
        /// Dataset id.
        dataset: String,
        /// Sequences before the filters.
        found: u64,
        /// The declared minimum.
        min_events: usize,
        /// Reasons with counts.
        reasons: String,
    },
    /// Two samples would have one name.
    #[error(
        "dataset {dataset:?}: two sequences are both named {sample:?}; rename users or sessions so that names differ"
    )]
    DuplicateSample {
        /// Dataset id.
        dataset: String,
        /// The name.
        sample: String,
    },
    /// A label that the source does not have.
    #[error("dataset {dataset:?} has no label named {label:?}{}; {}", did_you_mean(.suggestion.as_deref()), known("it has", .present))]
    UnknownLabel {
        /// Dataset id.
        dataset: String,
        /// The name that was asked for.
        label: String,
        /// The attributes of its users.
        present: Vec<String>,
        /// The nearest of them.
        suggestion: Option<String>,
    },
    /// More folds than users.
    #[error(
        "dataset {dataset:?} has {users} users after all filters, fewer than its {folds} folds: lower folds or min_events"
    )]
    TooFewUsers {
        /// Dataset id.
        dataset: String,
        /// Users left.
        users: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// Fewer than two folds or no repeat.
    #[error("a split needs at least 2 folds and 1 repeat, not {folds} folds and {repeats} repeats")]
    BadSplit {
        /// Folds asked for.
        folds: usize,
        /// Repeats asked for.
        repeats: usize,
    },
    /// Generator parameters that contradict each other.
    #[error("the synthetic dataset cannot be made: {problem}")]
    Generator {
        /// What contradicts what, and how to mend it.
        problem: String,
    },
    /// No manifest of that name.
    #[error("no {kind} is named {name:?}{}; {}", did_you_mean(.suggestion.as_deref()), known("known are", .present))]
    UnknownAsset {
        /// `dataset` or `model`.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// All names.
        present: Vec<String>,
        /// The nearest of them.
        suggestion: Option<String>,
    },
    /// A manifest that does not parse or contradicts itself.
    #[error("{place}: {problem}")]
    Manifest {
        /// The manifest.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A known asset that is nowhere on this machine.
    #[error("{kind} {name:?} is not on this machine; looked in {}\n  {help}", shown(.looked))]
    NotHere {
        /// `dataset` or `model`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The places.
        looked: Vec<PathBuf>,
        /// How to bring it.
        help: String,
    },
    /// A file is not the one that the manifest declares.
    #[error(
        "{}: sha256 is {found}, the manifest declares {expected}\n  remove the file and run `trailmark fetch` again, or \
         mend the manifest if the change is meant", .path.display()
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Declared digest.
        expected: String,
        /// Digest of the file.
        found: String,
    },
    /// The parsed log is not as declared.
    #[error(
        "dataset {name:?}: {what} is {found}, the manifest declares {expected}: the files or the column map have changed"
    )]
    Counts {
        /// Name of the manifest.
        name: String,
        /// `rows`, `users`, `items`.
        what: &'static str,
        /// Declared.
        expected: u64,
        /// Found.
        found: u64,
    },
    /// The cleaned events are not those that the manifest was written for.
    #[error(
        "dataset {name:?}: its cleaned events have the digest {found}, the manifest declares {expected}: the column \
         map or the reader has changed, and scores on it cannot be compared with earlier ones"
    )]
    Events {
        /// Name of the manifest.
        name: String,
        /// Declared digest.
        expected: String,
        /// Digest found.
        found: String,
    },
    /// Every source of an asset failed.
    #[error("cannot fetch {name:?}:{}", .attempts.iter().map(|line| format!("\n  {line}")).collect::<String>())]
    Fetch {
        /// Its name.
        name: String,
        /// One line per source.
        attempts: Vec<String>,
    },
    /// A file of a wheel or hub answer that cannot be used.
    #[error("{what}: {problem}")]
    External {
        /// The program or archive.
        what: String,
        /// What it said.
        problem: String,
    },
}

impl DataError {
    pub(crate) fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

fn known(lead: &str, names: &[String]) -> String {
    if names.is_empty() { format!("{lead} none") } else { format!("{lead}: {}", names.join(", ")) }
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn drop_list(path: &Path, reasons: &[DropReason]) -> String {
    reasons
        .iter()
        .map(|DropReason { reason, rows, first_line }| {
            format!("\n  {reason}: {rows} rows, the first at {}:{first_line}", path.display())
        })
        .collect()
}

/// The nearest of the names, if one is near enough to be meant.
pub(crate) fn nearest(wanted: &str, names: &[String]) -> Option<String> {
    let wanted = wanted.to_lowercase();
    names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + wanted.chars().count().max(name.chars().count()) / 4)
        .min()
        .map(|(_, name)| name.clone())
}
