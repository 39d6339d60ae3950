//! What a suite file says: the TOML tree with the place of every key and value, and nothing judged yet.
//!
//! The tree is our own because overrides from the command line are written into it: `toml_edit` drops all places as
//! soon as its document is edited.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

use crate::diagnostic::Diagnostic;
use crate::mistake::Mistake;

/// Where something is written: a run of bytes in the file (source 0) or in an override (source 1, 2, ..).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// A TOML value. Inline tables and headed ones are the same, so are lists of tables and `[[..]]`.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
    Time(String),
    List(Vec<Node>),
    Table(Table),
}

impl Value {
    /// What it is, for "takes .., not ..".
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Number(_) => "a real number",
            Self::Flag(_) => "a truth value",
            Self::Time(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A table in written order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) node: Node,
}

impl Table {
    /// The entry of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The text at a key, if it is text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key).map(|entry| &entry.node.value) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// Reads a file.
pub(crate) fn read(text: &str) -> Result<Table, Box<Diagnostic>> {
    let document = Document::parse(text).map_err(|error| {
        let place = error.span().map(|span| Place { source: 0, start: span.start, end: span.end });
        Diagnostic::new(Mistake::Syntax { reason: one_line(error.message()) }, place)
    })?;
    Ok(Origin { source: 0, shift: 0 }.table(document.as_table()))
}

/// Reads one value of an override, which stands at byte `at` of it.
pub(crate) fn read_value(text: &str, source: usize, at: usize) -> Result<Node, Box<Diagnostic>> {
    const PREFIX: &str = "v = ";
    let whole = Place { source, start: at, end: at + text.len() };
    let line = format!("{PREFIX}{text}");
    match Document::parse(line.as_str()) {
        Ok(document) => {
            let origin = Origin { source, shift: at as isize - PREFIX.len() as isize };
            let mut table = origin.table(document.as_table());
            match (table.entries.pop(), table.entries.is_empty()) {
                (Some(entry), true) => Ok(entry.node),
                _ => {
                    let reason = "an override sets one value".to_owned();
                    Err(Diagnostic::new(Mistake::Syntax { reason }, Some(whole)))
                }
            }
        }
        // A word without quotes: shells eat quotes, and no TOML value but a text starts like one.
        Err(_) if !text.is_empty() && !text.contains(['"', '\'', '[', ']', '{', '}', '=', '#', '\n']) => {
            Ok(Node { value: Value::Text(text.to_owned()), place: whole })
        }
        Err(error) => {
            let place = error.span().map_or(whole, |span| {
                let back = |byte: usize| (byte.saturating_sub(PREFIX.len()) + at).min(whole.end);
                Place { source, start: back(span.start), end: back(span.end) }
            });
            Err(Diagnostic::new(Mistake::Syntax { reason: one_line(error.message()) }, Some(place)))
        }
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Turns byte ranges of the parser into places.
#[derive(Clone, Copy)]
struct Origin {
    source: usize,
    shift: isize,
}

impl Origin {
    fn place(self, span: Option<Range<usize>>, otherwise: Place) -> Place {
        span.map_or(otherwise, |span| Place {
            source: self.source,
            start: span.start.saturating_add_signed(self.shift),
            end: span.end.saturating_add_signed(self.shift),
        })
    }

    fn table(self, table: &dyn TableLike) -> Table {
        let start = Place { source: self.source, start: 0, end: 0 };
        let entries = table
            .iter()
            .filter_map(|(key, item)| {
                let key_place = self.place(table.key(key).and_then(toml_edit::Key::span), start);
                let node = self.item(item, key_place)?;
                Some(Entry { key: key.to_owned(), key_place, node })
            })
            .collect();
        Table { entries }
    }

    fn item(self, item: &Item, otherwise: Place) -> Option<Node> {
        let node = match item {
            Item::None => return None,
            Item::Value(value) => self.value(value, otherwise),
            Item::Table(table) => {
                Node { place: self.place(table.span(), otherwise), value: Value::Table(self.table(table)) }
            }
            Item::ArrayOfTables(tables) => {
                let nodes = tables
                    .iter()
                    .map(|table| Node {
                        place: self.place(table.span(), otherwise),
                        value: Value::Table(self.table(table)),
                    })
                    .collect();
                Node { place: otherwise, value: Value::List(nodes) }
            }
        };
        Some(node)
    }

    fn value(self, value: &toml_edit::Value, otherwise: Place) -> Node {
        let place = self.place(value.span(), otherwise);
        let value = match value {
            toml_edit::Value::String(text) => Value::Text(text.value().clone()),
            toml_edit::Value::Integer(number) => Value::Integer(*number.value()),
            toml_edit::Value::Float(number) => Value::Number(*number.value()),
            toml_edit::Value::Boolean(flag) => Value::Flag(*flag.value()),
            toml_edit::Value::Datetime(time) => Value::Time(time.value().to_string()),
            toml_edit::Value::Array(list) => Value::List(list.iter().map(|value| self.value(value, place)).collect()),
            toml_edit::Value::InlineTable(table) => Value::Table(self.table(table)),
        };
        Node { value, place }
    }
}
