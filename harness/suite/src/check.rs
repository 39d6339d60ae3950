//! From what the file says to what is meant. Every part is checked even when another is wrong, so that one pass finds
//! all mistakes; what a wrong part would have been is then filled with anything, because the suite is thrown away.

mod arms;
mod dataset;
pub(crate) mod score;
mod sequence;

use std::collections::BTreeMap;
use std::path::Path;

use crate::CheckContext;
use crate::checked::Suite;
use crate::diagnostic::Sink;
use crate::fields::{self, Section};
use crate::mistake::Mistake;
use crate::reader::{Located, Reader};
use crate::wire::{Place, Table, Value};

static EMPTY: Table = Table { entries: Vec::new() };

/// Checks a whole suite. The answer means something only if nothing was reported.
pub(crate) fn suite(root: &Table, base_dir: &Path, context: &CheckContext<'_>, sink: &Sink) -> Suite {
    let root = Reader::new(&fields::ROOT, root, None, sink);
    schema(&root);
    let (name, seed, question) = match required_table(&root, "suite", &fields::SUITE) {
        Some(head) => {
            let name = head.id("name").map(|(name, _)| name).unwrap_or_default();
            let seed = head.integer("seed").and_then(|seed| u64::try_from(seed).ok()).unwrap_or(0);
            (name, seed, head.text("question").map(|(text, _)| text))
        }
        None => Default::default(),
    };
    let datasets = dataset::datasets(&root, context);
    let sequence = sequence::sequence(&optional_table(&root, "sequence", &fields::SEQUENCE), context, &datasets);
    let split_reader = optional_table(&root, "split", &fields::SPLIT);
    let split = sequence::split(&split_reader, &datasets);
    let encoders = arms::encoders(&root, context.catalogue);
    let clusterers = arms::clusterers(&root, context.catalogue);
    let sweep = score::sweep(&optional_table(&root, "sweep", &fields::SWEEP));
    let scoring = score::Scoring { catalogue: context.catalogue, datasets: &datasets, future: split.future };
    let (score, compares, gates) = scoring.check(&root);
    Suite {
        name,
        seed,
        question,
        datasets: datasets.into_iter().map(|dataset| dataset.config).collect(),
        sequence,
        split,
        encoders,
        clusterers,
        sweep,
        score,
        compares,
        gates,
        base_dir: base_dir.to_owned(),
    }
}

fn schema(root: &Reader<'_>) {
    match root.node("schema").map(|node| (&node.value, node.place)) {
        None => {
            let about = "the first line of a suite is `schema = 1`, the version of its format".to_owned();
            let mistake = Mistake::MissingKey { within: root.within.clone(), key: "schema".to_owned(), about };
            root.sink.push(mistake, None);
        }
        Some((Value::Integer(found), place)) if *found != 1 => {
            root.sink.push(Mistake::Schema { found: *found }, Some(place));
        }
        Some(_) => {
            root.integer("schema");
        }
    }
}

/// A table that may be left out, with all its defaults then.
fn optional_table<'a>(root: &Reader<'a>, name: &str, section: &'static Section) -> Reader<'a> {
    root.table(name, section).unwrap_or_else(|| Reader::new(section, &EMPTY, None, root.sink))
}

/// A table that must be there.
fn required_table<'a>(root: &Reader<'a>, name: &str, section: &'static Section) -> Option<Reader<'a>> {
    if root.node(name).is_none() {
        missing_table(root, section);
    }
    root.table(name, section)
}

/// The tables of a `[[..]]` that must be there.
fn required_tables<'a>(root: &Reader<'a>, name: &str, section: &'static Section) -> Vec<Located<&'a Table>> {
    let tables = root.tables(name);
    let nothing = match root.node(name).map(|node| &node.value) {
        None => true,
        Some(Value::List(nodes)) => nodes.is_empty(),
        Some(_) => false,
    };
    if nothing {
        missing_table(root, section);
    }
    tables
}

fn missing_table(root: &Reader<'_>, section: &'static Section) {
    let about = section
        .fields
        .iter()
        .filter(|field| matches!(field.default, fields::Fallback::Required))
        .map(|field| format!("{}: {}", field.name, field.summary))
        .collect::<Vec<_>>()
        .join("; ");
    let about = format!("it needs {about}");
    root.sink.push(Mistake::MissingTable { table: section.name.to_owned(), about }, None);
}

/// Ids of one kind of table: each once.
#[derive(Default)]
struct Ids(BTreeMap<String, Place>);

impl Ids {
    /// Takes the id of a table; one that was used before is reported.
    fn take(&mut self, reader: &Reader<'_>, what: &str) -> String {
        let Some((id, place)) = reader.id("id") else { return String::new() };
        match self.0.get(&id) {
            Some(first) => {
                let first = reader.sink.words(*first);
                let mistake = Mistake::DuplicateId { what: what.to_owned(), id: id.clone(), first };
                reader.sink.push(mistake, Some(place));
            }
            None => {
                self.0.insert(id.clone(), place);
            }
        }
        id
    }

    /// Whether some table has that id.
    fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }
}

/// Owned copies of names, for messages.
fn owned<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}
