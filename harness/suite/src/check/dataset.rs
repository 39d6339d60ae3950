//! `[[dataset]]`: where a log comes from and how its columns are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trailmark_core::config::{Columns, DatasetConfig, Source, TimeColumns};

use super::{Ids, arms, owned, required_tables};
use crate::CheckContext;
use crate::fields;
use crate::mistake::Mistake;
use crate::reader::{Located, Reader};
use crate::wire::Value;

/// A dataset, and what later checks may rely on.
pub(super) struct CheckedDataset {
    pub(super) config: DatasetConfig,
    /// False when something about its labels was reported already, so that no second mistake grows from it.
    labels_known: bool,
    /// Columns that its map surely does not have. Of other sources only the data stage knows.
    pub(super) lacks_time: bool,
    pub(super) lacks_session: bool,
}

impl CheckedDataset {
    /// True unless it surely has no reference labels.
    pub(super) fn may_have_labels(&self) -> bool {
        !self.labels_known || !self.config.labels.is_empty()
    }
}

pub(super) fn datasets(root: &Reader<'_>, context: &CheckContext<'_>) -> Vec<CheckedDataset> {
    let mut ids = Ids::default();
    required_tables(root, "dataset", &fields::DATASET)
        .into_iter()
        .map(|(table, place)| {
            let mut reader = Reader::lenient(&fields::DATASET, table, Some(place), root.sink);
            let id = ids.take(&reader, "dataset");
            let (source, label_order) = source(&mut reader, context);
            let declared = reader.names("labels");
            let labels_known = declared.is_some() || (reader.node("labels").is_none() && source.is_some());
            let lacks = |column: &str| match reader.node("columns").map(|node| &node.value) {
                Some(Value::Table(map)) => map.get(column).is_none(),
                _ => false,
            };
            let (lacks_time, lacks_session) = (lacks("time"), lacks("session"));
            if let (Some(declared), Some(label_order)) = (&declared, &label_order) {
                for (name, place) in declared.iter().filter(|(name, _)| !label_order.contains(name)) {
                    let mistake = Mistake::UnknownName {
                        what: "label".to_owned(),
                        name: name.clone(),
                        origin: "label_columns of this dataset",
                        valid: label_order.clone(),
                    };
                    reader.sink.push(mistake, Some(*place));
                }
            }
            let labels = match declared {
                Some(declared) => declared.into_iter().map(|(name, _)| name).collect(),
                None => label_order.unwrap_or_default(),
            };
            let config = DatasetConfig {
                id,
                source: source.unwrap_or(Source::Named { name: String::new() }),
                labels,
                max_dropped: reader.number("max_dropped").unwrap_or(0.05),
                sample_users: reader.size("sample_users"),
            };
            CheckedDataset { config, labels_known, lacks_time, lacks_session }
        })
        .collect()
}

/// The source, unless it was reported, and for a delimited log its labels in written order.
fn source(reader: &mut Reader<'_>, context: &CheckContext<'_>) -> (Option<Source>, Option<Vec<String>>) {
    let catalogue = context.catalogue;
    let Some((text, place)) = reader.text("source") else { return (None, None) };
    let path = || PathBuf::from(&text);
    let synthetic = catalogue.synthetic.filter(|_| text == fields::SYNTHETIC);
    if let Some(spec) = synthetic {
        reader.within = format!("[[dataset]] with source {text:?}");
        reader.refuse_unknown(spec.params);
        refuse_columns(reader, &text);
        return (Some(Source::Synthetic { params: arms::params(reader, spec) }), None);
    }
    reader.refuse_unknown(&[]);
    if catalogue.datasets.contains(&text) {
        refuse_columns(reader, &text);
        return (Some(Source::Named { name: text }), None);
    }
    if text.ends_with(".inter") {
        refuse_columns(reader, &text);
        return (Some(Source::Recbole { path: path() }), None);
    }
    if !text.contains(['/', '\\', '.']) {
        let valid =
            catalogue.synthetic.iter().map(|_| fields::SYNTHETIC).chain(catalogue.datasets.iter().map(String::as_str));
        let mistake = Mistake::UnknownName {
            what: "dataset".to_owned(),
            name: text,
            origin: "known, besides paths to a log",
            valid: owned(valid),
        };
        reader.sink.push(mistake, Some(place));
        return (None, None);
    }
    if reader.node("columns").is_none() {
        let mistake = Mistake::MissingTable {
            table: "[dataset.columns]".to_owned(),
            about: format!("{text:?} is read as a delimited log: say which column is what, `user` at least"),
        };
        reader.sink.push(mistake, Some(place));
    }
    match reader.table("columns", &fields::COLUMNS) {
        Some(map) => {
            let (columns, label_order) = columns(&map, Path::new(&text));
            (Some(Source::Delimited { path: path(), columns }), Some(label_order))
        }
        None => (None, None),
    }
}

fn refuse_columns(reader: &Reader<'_>, source: &str) {
    if reader.node("columns").is_some() {
        let beside = format!("with source = {source:?}: only a delimited log has a column map");
        reader.sink.push(Mistake::Meaningless { key: "columns".to_owned(), beside }, reader.key_place("columns"));
    }
}

fn columns(map: &Reader<'_>, path: &Path) -> (Columns, Vec<String>) {
    let names = map.names("names");
    let known: Option<Vec<String>> = names.map(|names| names.into_iter().map(|(name, _)| name).collect());
    // With a header row only the data stage knows the columns; without one the suite does.
    let check = |column: Located<String>| -> String {
        let (name, place) = column;
        if let Some(known) = known.as_ref().filter(|known| !known.contains(&name)) {
            let mistake = Mistake::UnknownName {
                what: "column".to_owned(),
                name: name.clone(),
                origin: "in `names`",
                valid: known.clone(),
            };
            map.sink.push(mistake, Some(place));
        }
        name
    };
    let column = |key: &str| map.text(key).map(check);
    let tab = path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.ends_with(".tsv") || name.ends_with(".tsv.gz")
    });
    let delimiter = map.text("delimiter").and_then(|(text, _)| text.chars().next());
    let label_columns = map.text_map("label_columns");
    let label_order = label_columns.iter().map(|(label, _)| label.clone()).collect();
    let columns = Columns {
        delimiter: delimiter.unwrap_or(if tab { '\t' } else { ',' }),
        user: column("user").unwrap_or_default(),
        session: column("session"),
        item: column("item"),
        category: column("category"),
        event: column("event"),
        default_event: map.text("default_event").map_or_else(|| "view".to_owned(), |(text, _)| text),
        time: time(map, &check),
        order: column("order"),
        value: column("value"),
        price: column("price"),
        query: column("query"),
        title: column("title"),
        labels: label_columns.into_iter().map(|(label, name)| (label, check(name))).collect(),
        rename: rename(map, &check),
        names: known.clone(),
    };
    (columns, label_order)
}

fn time(map: &Reader<'_>, check: &impl Fn(Located<String>) -> String) -> Option<TimeColumns> {
    let reader = map.table("time", &fields::TIME)?;
    let column = |key: &str| reader.text(key).map(check);
    let parts = ["year", "month", "day"];
    let has_parts = parts.iter().any(|key| reader.node(key).is_some());
    let has_column = reader.node("column").is_some() || reader.node("format").is_some();
    if has_parts == has_column {
        let found = if has_parts { "both are given" } else { "neither is given" };
        let mistake = Mistake::EitherOr { within: reader.within.clone(), one: "column", other: "year", found };
        reader.sink.push(mistake, reader.place);
        return None;
    }
    let needed: &[&str] = if has_parts { &parts } else { &["column", "format"] };
    for key in needed.iter().filter(|key| reader.node(key).is_none()) {
        reader.missing(key);
    }
    if has_parts {
        return Some(TimeColumns::Parts { year: column("year")?, month: column("month")?, day: column("day")? });
    }
    let format = reader.text("format");
    let column = column("column")?;
    Some(match format?.0.as_str() {
        "unix_s" => TimeColumns::UnixS { column },
        "unix_ms" => TimeColumns::UnixMs { column },
        _ => TimeColumns::Iso { column },
    })
}

fn rename(map: &Reader<'_>, check: &impl Fn(Located<String>) -> String) -> BTreeMap<String, BTreeMap<String, String>> {
    let Some(node) = map.node("rename") else { return BTreeMap::new() };
    let Value::Table(by_column) = &node.value else {
        map.wrong_type("rename", node);
        return BTreeMap::new();
    };
    let mut renamed = BTreeMap::new();
    for entry in &by_column.entries {
        let column = check((entry.key.clone(), entry.key_place));
        match &entry.node.value {
            Value::Table(codes) => {
                let codes = map.text_entries("rename", codes);
                renamed.insert(column, codes.into_iter().map(|(code, (name, _))| (code, name)).collect());
            }
            _ => map.wrong_type("rename", &entry.node),
        }
    }
    renamed
}
