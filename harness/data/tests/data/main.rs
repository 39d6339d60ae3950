//! The crate from outside: sources to datasets, settings, assets.

mod assets;
mod delimited;
mod real;
mod recbole;
mod sequences;
mod synthetic;

use std::collections::BTreeMap;
use std::path::PathBuf;

use trailmark_core::Dataset;
use trailmark_core::config::{Columns, DatasetConfig, Future, SequenceConfig, Source, SplitConfig, TimeColumns, Unit};
use trailmark_data::{AssetStore, DataError};

pub(crate) const NO_FUTURE: SplitConfig = SplitConfig { folds: 2, repeats: 1, future: Future::None };

pub(crate) fn split(future: Future) -> SplitConfig {
    SplitConfig { future, ..NO_FUTURE }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    trailmark_kit::root().join("tests/fixtures/data").join(name)
}

/// A store that knows nothing of this machine.
pub(crate) fn store() -> AssetStore {
    AssetStore::new(trailmark_kit::root().join("tests/fixtures/data"), None, "no-cache").with_manifests("no-manifests")
}

pub(crate) fn columns(user: &str, item: Option<&str>, time: Option<TimeColumns>) -> Columns {
    Columns {
        delimiter: ',',
        names: None,
        user: user.to_owned(),
        session: None,
        item: item.map(str::to_owned),
        category: None,
        event: None,
        default_event: "view".to_owned(),
        time,
        order: None,
        value: None,
        price: None,
        query: None,
        title: None,
        labels: BTreeMap::new(),
        rename: BTreeMap::new(),
    }
}

pub(crate) fn iso(column: &str) -> Option<TimeColumns> {
    Some(TimeColumns::Iso { column: column.to_owned() })
}

/// The columns of `plain.csv`.
pub(crate) fn plain() -> Columns {
    let named = |name: &str| Some(name.to_owned());
    Columns {
        session: named("session"),
        category: named("category"),
        event: named("event"),
        price: named("price"),
        value: named("value"),
        query: named("query"),
        labels: BTreeMap::from([("age".to_owned(), "age".to_owned())]),
        ..columns("user", Some("item"), iso("time"))
    }
}

pub(crate) fn delimited(name: &str, columns: Columns) -> DatasetConfig {
    config(Source::Delimited { path: PathBuf::from(name), columns })
}

pub(crate) fn config(source: Source) -> DatasetConfig {
    DatasetConfig { id: "data".to_owned(), source, labels: vec![], max_dropped: 0.0, sample_users: None }
}

pub(crate) fn sequence() -> SequenceConfig {
    SequenceConfig {
        unit: Unit::User,
        text: "{event} {title} {category} {query}".to_owned(),
        tokens: "{event}:{item}".to_owned(),
        separator: ", ".to_owned(),
        min_events: 1,
        max_events: 100,
        price_bands: vec![10.0, 50.0],
    }
}

pub(crate) fn load(config: &DatasetConfig, sequence: &SequenceConfig, future: Future) -> Result<Dataset, DataError> {
    trailmark_data::load(config, sequence, &split(future), 7, &store())
}

/// The tokens of a sample in words.
pub(crate) fn tokens(data: &Dataset, sample: usize) -> Vec<&str> {
    data.sequences.tokens[sample].iter().map(|token| data.sequences.token_names[*token as usize].as_str()).collect()
}

/// An error's text with the fixture folder left off.
pub(crate) fn message(result: Result<Dataset, DataError>) -> String {
    result
        .expect_err("the dataset must be refused")
        .to_string()
        .replace(&format!("{}/", fixture("").display()).replace("//", "/"), "")
}
