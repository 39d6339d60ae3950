//! Settings of the data stages as the checked suite hands them on: every default filled in, every name valid.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::spec::Params;

/// Where a dataset comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a suite has a handful, and never a list that matters")]
pub enum Source {
    /// The built-in generator, with the parameters of its Spec.
    Synthetic {
        /// Resolved parameters.
        params: Params,
    },
    /// A manifest `datasets/<name>/dataset.toml`, shipped or of the user's.
    Named {
        /// Name of the manifest.
        name: String,
    },
    /// A delimited log.
    Delimited {
        /// The file; `.gz` is unpacked on the way.
        path: PathBuf,
        /// How to read it.
        columns: Columns,
    },
    /// RecBole atomic files: `<stem>.inter`, and `<stem>.user`, `<stem>.item` when there.
    Recbole {
        /// The `.inter` file.
        path: PathBuf,
    },
}

/// How the time of a row is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum TimeColumns {
    /// Unix seconds, whole or with a fraction.
    UnixS {
        /// Column name.
        column: String,
    },
    /// Unix milliseconds.
    UnixMs {
        /// Column name.
        column: String,
    },
    /// ISO 8601, with or without zone (UTC then), `T` or blank between date and time, optional ` UTC`.
    Iso {
        /// Column name.
        column: String,
    },
    /// Year, month and day in three columns.
    Parts {
        /// Year column.
        year: String,
        /// Month column.
        month: String,
        /// Day column.
        day: String,
    },
}

/// The column map of a delimited log. Names are those of the header, or of `names` where the file has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    /// One byte: `,` `;` or tab.
    pub delimiter: char,
    /// Names for a file without a header; none where the first row is the header.
    pub names: Option<Vec<String>>,
    /// The user; for a log without users, the session.
    pub user: String,
    /// The session, where the log has one.
    pub session: Option<String>,
    /// The item.
    pub item: Option<String>,
    /// The item's category.
    pub category: Option<String>,
    /// The event type; where absent every row is `default_event`.
    pub event: Option<String>,
    /// The event type of rows without one.
    pub default_event: String,
    /// The time; where absent, rows are in file order and there is no clock.
    pub time: Option<TimeColumns>,
    /// Order among rows of the same time.
    pub order: Option<String>,
    /// A number per event: rating, quantity.
    pub value: Option<String>,
    /// The item's price.
    pub price: Option<String>,
    /// The query text of a search.
    pub query: Option<String>,
    /// The item's title.
    pub title: Option<String>,
    /// Attributes of the user (constant per user): label name -> column.
    pub labels: BTreeMap<String, String>,
    /// Readable names for coded values: column -> code -> name.
    pub rename: BTreeMap<String, BTreeMap<String, String>>,
}

/// One `[[dataset]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetConfig {
    /// The suite's id of it.
    pub id: String,
    /// Where it comes from.
    pub source: Source,
    /// Reference labels by attribute name, in declared order.
    pub labels: Vec<String>,
    /// Largest share of rows that may be dropped as unusable before reading fails, in [0, 1].
    pub max_dropped: f64,
    /// Keep a seeded sample of this many users (all their sessions); none keeps all.
    pub sample_users: Option<usize>,
}

/// What one sample is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case")]
pub enum Unit {
    /// All events of a user.
    User,
    /// One session of a user: by the log's session column, else by a gap.
    Session {
        /// A pause longer than this starts a session, in milliseconds.
        gap_ms: Option<i64>,
    },
}

/// `[sequence]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequenceConfig {
    /// What one sample is.
    pub unit: Unit,
    /// Template of the readable text of one event.
    pub text: String,
    /// Template of the token of one event.
    pub tokens: String,
    /// Joins the texts of events.
    pub separator: String,
    /// Histories with fewer events are left out and counted.
    pub min_events: usize,
    /// Longer histories keep their last `max_events` and are counted.
    pub max_events: usize,
    /// Upper bounds of price bands, ascending: `{price_band}` is `cheap`, `mid`, .. by these cuts.
    pub price_bands: Vec<f64>,
}

/// What the recommender must predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Future {
    /// Nothing: recommendation is not scored.
    None,
    /// The last n events of every sample.
    Last(usize),
    /// Events at or after this instant, Unix milliseconds UTC.
    After(i64),
}

/// `[split]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitConfig {
    /// Number of folds, at least 2.
    pub folds: usize,
    /// Number of repeats, at least 1.
    pub repeats: usize,
    /// The future rule.
    pub future: Future,
}
