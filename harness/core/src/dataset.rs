//! What comes out of the data stage: samples in user order, their histories as text and tokens, their futures, and
//! reference labels. The encoder's view of it cannot reach futures or labels.

use std::collections::BTreeMap;

use crate::key::Key;

/// The histories of all samples: what encoders may read. All vectors have length n_samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sequences {
    /// Sample id: the user id, or `user/session`. Ascending and unique.
    pub ids: Vec<String>,
    /// The history as readable text, by the suite's template.
    pub texts: Vec<String>,
    /// The history as tokens, indices into `token_names`.
    pub tokens: Vec<Vec<u32>>,
    /// The text of each token.
    pub token_names: Vec<String>,
    /// What the events of the histories say in numbers.
    pub events: Events,
}

/// What the times of a log mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clock {
    /// There is none; rows are in file order.
    #[default]
    None,
    /// Times are days.
    Days,
    /// Times are instants.
    Instants,
}

/// The events behind texts and tokens: those of the history that are written there, and nothing after them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Events {
    /// What the times mean.
    pub clock: Clock,
    /// The text of each kind of event.
    pub kind_names: Vec<String>,
    /// (n_samples,) the events of each history in time order; empty where samples are not of events (plain texts).
    pub histories: Vec<Vec<Event>>,
}

/// One event of a history. It has one token at most, but may have none, where the template gives an empty one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Unix milliseconds; midnight of UTC where times are days, 0 without a clock.
    pub time: i64,
    /// What was done: index into the kinds' names.
    pub kind: u32,
    /// The item, numbered over the dataset.
    pub item: Option<u32>,
    /// The item's category, numbered over the dataset.
    pub category: Option<u32>,
    /// The item's price, finite.
    pub price: Option<f32>,
    /// A number of the event, finite: rating, quantity.
    pub value: Option<f32>,
}

/// One reference labelling, aligned with the samples. It may reach scorers only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceLabels {
    /// Attribute name: `persona`, `gender`.
    pub name: String,
    /// The class names.
    pub classes: Vec<String>,
    /// (n_samples,) index into `classes`; none where the source has no value.
    pub values: Vec<Option<u32>>,
}

/// What was read, dropped and cut, by reason. Printed with every report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounting {
    /// Rows read from the source.
    pub rows_read: u64,
    /// Rows kept as events.
    pub rows_kept: u64,
    /// Dropped rows by reason.
    pub rows_dropped: BTreeMap<String, u64>,
    /// Sequences before filters.
    pub sequences_found: u64,
    /// Sequences left out by reason.
    pub sequences_dropped: BTreeMap<String, u64>,
    /// Sequences cut to the declared maximum length.
    pub sequences_truncated: u64,
    /// Things the reader should know (calendar leak of `last`, sampling of sessions).
    pub notes: Vec<String>,
}

/// A dataset, ready to be split. All per-sample vectors are aligned with `sequences.ids`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The suite's id of it.
    pub id: String,
    /// Key of the cleaned events, the sequence settings and the future rule: equal bytes, equal key.
    pub key: Key,
    /// The histories.
    pub sequences: Sequences,
    /// (n_samples,) the user each sample belongs to: the unit of splitting, averaging and resampling.
    pub users: Vec<u32>,
    /// (n_samples,) items of the history, in time order.
    pub history_items: Vec<Vec<u32>>,
    /// (n_samples,) distinct items of the future, by first occurrence: what a recommender must find. Empty where
    /// the suite declares no future.
    pub future_items: Vec<Vec<u32>>,
    /// (n_samples,) positions, in the user's ordered log, of the last history event and the first future event.
    /// The leak guard checks that the first is smaller.
    pub cut: Vec<(usize, Option<usize>)>,
    /// The text of each item.
    pub item_names: Vec<String>,
    /// Reference labels.
    pub labels: Vec<ReferenceLabels>,
    /// What was read and dropped.
    pub accounting: Accounting,
}

impl Dataset {
    /// Number of samples.
    pub fn n_samples(&self) -> usize {
        self.sequences.ids.len()
    }
}

/// One fold of one repeat: rows of samples. A user's samples are all on one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Repeat, from 0.
    pub repeat: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Rows to fit on, ascending.
    pub train: Vec<usize>,
    /// Rows held out, ascending.
    pub test: Vec<usize>,
}

/// The part of the histories that a step may see. It has no way to a future, a label or another row.
#[derive(Debug, Clone, Copy)]
pub struct SequenceView<'a> {
    sequences: &'a Sequences,
    rows: &'a [usize],
}

impl<'a> SequenceView<'a> {
    /// The chosen rows.
    pub fn new(sequences: &'a Sequences, rows: &'a [usize]) -> Self {
        Self { sequences, rows }
    }

    /// Number of samples in view.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without samples.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The id of the i-th sample in view.
    pub fn id(&self, i: usize) -> &'a str {
        &self.sequences.ids[self.rows[i]]
    }

    /// The text of the i-th sample in view.
    pub fn text(&self, i: usize) -> &'a str {
        &self.sequences.texts[self.rows[i]]
    }

    /// The tokens of the i-th sample in view.
    pub fn tokens(&self, i: usize) -> &'a [u32] {
        &self.sequences.tokens[self.rows[i]]
    }

    /// The text of a token. Tokens are names: knowing one says nothing of a row that is not in view.
    pub fn token_name(&self, token: u32) -> &'a str {
        &self.sequences.token_names[token as usize]
    }

    /// The events behind the i-th sample in view, in time order; none where samples are not of events.
    pub fn events(&self, i: usize) -> &'a [Event] {
        self.sequences.events.histories.get(self.rows[i]).map_or(&[], Vec::as_slice)
    }

    /// What the times of events mean. Like names, it says nothing of a row that is not in view.
    pub fn clock(&self) -> Clock {
        self.sequences.events.clock
    }

    /// The text of a kind of event.
    pub fn kind_name(&self, kind: u32) -> &'a str {
        &self.sequences.events.kind_names[kind as usize]
    }

    /// The rows in view, for the leak guard.
    pub fn rows(&self) -> &'a [usize] {
        self.rows
    }
}
