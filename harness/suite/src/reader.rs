//! Reads the keys of one table by its [`Section`]: unknown keys are reported when the reader is made, wrong types and
//! ranges when a key is read.

use trailmark_core::{ParamKind, ParamSpec, ParamValue};

use crate::diagnostic::Sink;
use crate::fields::{Fallback, Field, Section, Takes};
use crate::mistake::Mistake;
use crate::wire::{Node, Place, Table, Value};

/// A table under its section.
pub(crate) struct Reader<'a> {
    pub(crate) section: &'static Section,
    /// How messages call it; the section's name unless said otherwise.
    pub(crate) within: String,
    /// Where a missing key is reported: the table's header.
    pub(crate) place: Option<Place>,
    table: &'a Table,
    pub(crate) sink: &'a Sink,
}

/// A text and its place.
pub(crate) type Located<T> = (T, Place);

impl<'a> Reader<'a> {
    /// A table whose keys are those of the section, and nothing else.
    pub(crate) fn new(section: &'static Section, table: &'a Table, place: Option<Place>, sink: &'a Sink) -> Self {
        let reader = Self::lenient(section, table, place, sink);
        reader.refuse_unknown(&[]);
        reader
    }

    /// A table that may hold more keys; the caller decides which.
    pub(crate) fn lenient(section: &'static Section, table: &'a Table, place: Option<Place>, sink: &'a Sink) -> Self {
        Self { section, within: section.name.to_owned(), place, table, sink }
    }

    /// Reports keys that neither the section nor `params` has.
    pub(crate) fn refuse_unknown(&self, params: &[ParamSpec]) {
        let valid: Vec<String> = self
            .section
            .fields
            .iter()
            .map(|field| field.name)
            .chain(params.iter().map(|param| param.name))
            .map(str::to_owned)
            .collect();
        for entry in &self.table.entries {
            if !valid.contains(&entry.key) {
                let mistake =
                    Mistake::UnknownKey { within: self.within.clone(), key: entry.key.clone(), valid: valid.clone() };
                self.sink.push(mistake, Some(entry.key_place));
            }
        }
    }

    /// The value of a key.
    pub(crate) fn node(&self, name: &str) -> Option<&'a Node> {
        self.table.get(name).map(|entry| &entry.node)
    }

    /// The place of a value, else of the table.
    pub(crate) fn place_of(&self, name: &str) -> Option<Place> {
        self.node(name).map(|node| node.place).or(self.place)
    }

    /// The place of a key, else of the table.
    pub(crate) fn key_place(&self, name: &str) -> Option<Place> {
        self.table.get(name).map(|entry| entry.key_place).or(self.place)
    }

    /// Reports that a key is missing.
    pub(crate) fn missing(&self, name: &str) {
        let field = self.section.field(name);
        let about = format!("{name}: {}; takes {}", field.summary, field.takes);
        self.sink.push(Mistake::MissingKey { within: self.within.clone(), key: name.to_owned(), about }, self.place);
    }

    /// Reports a value of a type that the key does not take.
    pub(crate) fn wrong_type(&self, name: &str, node: &Node) {
        let field = self.section.field(name);
        wrong_type(self.sink, name, &field.takes.to_string(), &about(name, field.summary), node);
    }

    fn one(&self, name: &str) -> Option<ParamValue> {
        let field: &Field = self.section.field(name);
        let Takes::One(kind) = field.takes else { panic!("{name:?} does not take a single value") };
        match self.node(name) {
            Some(node) => single(self.sink, name, field.summary, kind, node),
            None => {
                if matches!(field.default, Fallback::Required) {
                    self.missing(name);
                }
                None
            }
        }
    }

    /// A text or choice.
    pub(crate) fn text(&self, name: &str) -> Option<Located<String>> {
        match (self.one(name)?, self.place_of(name)?) {
            (ParamValue::Text(text), place) => Some((text, place)),
            _ => None,
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        match self.one(name)? {
            ParamValue::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// A whole number that its range keeps from being negative.
    pub(crate) fn size(&self, name: &str) -> Option<usize> {
        usize::try_from(self.integer(name)?).ok()
    }

    /// A real number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.one(name)? {
            ParamValue::Number(value) => Some(value),
            _ => None,
        }
    }

    /// A truth value.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.one(name)? {
            ParamValue::Flag(value) => Some(value),
            _ => None,
        }
    }

    /// The table at a key, read under another section.
    pub(crate) fn table(&self, name: &str, section: &'static Section) -> Option<Reader<'a>> {
        let node = self.node(name)?;
        match &node.value {
            Value::Table(table) => Some(Reader::new(section, table, Some(node.place), self.sink)),
            _ => {
                self.wrong_type(name, node);
                None
            }
        }
    }

    /// The tables of a `[[..]]`.
    pub(crate) fn tables(&self, name: &str) -> Vec<Located<&'a Table>> {
        let Some(node) = self.node(name) else { return Vec::new() };
        let Value::List(nodes) = &node.value else {
            self.wrong_type(name, node);
            return Vec::new();
        };
        nodes
            .iter()
            .filter_map(|node| match &node.value {
                Value::Table(table) => Some((table, node.place)),
                _ => {
                    self.wrong_type(name, node);
                    None
                }
            })
            .collect()
    }

    /// The values of a list, as they are.
    pub(crate) fn nodes(&self, name: &str) -> Option<&'a [Node]> {
        let node = self.node(name)?;
        let Value::List(nodes) = &node.value else {
            self.wrong_type(name, node);
            return None;
        };
        Some(nodes)
    }

    /// The values of a list, each read by `read`, which answers none for a value of another type.
    pub(crate) fn list<T>(&self, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<Located<T>>> {
        let nodes = self.nodes(name)?;
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            match read(&node.value) {
                Some(value) => values.push((value, node.place)),
                None => self.wrong_type(name, node),
            }
        }
        (values.len() == nodes.len()).then_some(values)
    }

    /// A list of texts.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<Located<String>>> {
        self.list(name, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A list of distinct texts.
    pub(crate) fn names(&self, name: &str) -> Option<Vec<Located<String>>> {
        let texts = self.texts(name)?;
        self.refuse_twice(name, &texts, |text| format!("{text:?}"));
        Some(texts)
    }

    /// Reports values that stand twice in a list.
    pub(crate) fn refuse_twice<T: PartialEq>(&self, name: &str, values: &[Located<T>], show: impl Fn(&T) -> String) {
        for (at, (value, place)) in values.iter().enumerate() {
            if values[..at].iter().any(|(earlier, _)| earlier == value) {
                let mistake = Mistake::DuplicateValue { key: name.to_owned(), value: show(value) };
                self.sink.push(mistake, Some(*place));
            }
        }
    }

    /// A table of texts, in written order.
    pub(crate) fn text_map(&self, name: &str) -> Vec<(String, Located<String>)> {
        let Some(node) = self.node(name) else { return Vec::new() };
        match &node.value {
            Value::Table(table) => self.text_entries(name, table),
            _ => {
                self.wrong_type(name, node);
                Vec::new()
            }
        }
    }

    /// The entries of a table of texts that stands at or below a key.
    pub(crate) fn text_entries(&self, name: &str, table: &Table) -> Vec<(String, Located<String>)> {
        table
            .entries
            .iter()
            .filter_map(|entry| match &entry.node.value {
                Value::Text(text) => Some((entry.key.clone(), (text.clone(), entry.node.place))),
                _ => {
                    self.wrong_type(name, &entry.node);
                    None
                }
            })
            .collect()
    }

    /// A name that becomes part of cell names and override paths.
    pub(crate) fn id(&self, name: &str) -> Option<Located<String>> {
        let (id, place) = self.text(name)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let reason = if id.is_empty() {
            "it is empty"
        } else if !id.chars().all(allowed) {
            "only letters, digits, `_` and `-` may stand in what names files and cells"
        } else {
            return Some((id, place));
        };
        self.sink.push(Mistake::BadId { key: name.to_owned(), id, reason }, Some(place));
        None
    }
}

fn about(name: &str, summary: &str) -> String {
    if summary.is_empty() { String::new() } else { format!("{name}: {summary}") }
}

fn wrong_type(sink: &Sink, name: &str, takes: &str, about: &str, node: &Node) {
    let mistake = Mistake::WrongType {
        key: name.to_owned(),
        takes: takes.to_owned(),
        found: node.value.type_name().to_owned(),
        about: about.to_owned(),
    };
    sink.push(mistake, Some(node.place));
}

/// Checks a single value against what a parameter takes. A whole number is also a real one.
pub(crate) fn single(sink: &Sink, name: &str, summary: &str, kind: ParamKind, node: &Node) -> Option<ParamValue> {
    let out_of_range = |value: String| {
        let mistake =
            Mistake::OutOfRange { key: name.to_owned(), range: kind.to_string(), value, about: about(name, summary) };
        sink.push(mistake, Some(node.place));
        None
    };
    match (kind, &node.value) {
        (ParamKind::Integer { min, max }, Value::Integer(value)) => {
            if (min..=max).contains(value) {
                Some(ParamValue::Integer(*value))
            } else {
                out_of_range(value.to_string())
            }
        }
        (ParamKind::Number { min, max }, Value::Integer(_) | Value::Number(_)) => {
            let value = match node.value {
                Value::Integer(value) => value as f64,
                Value::Number(value) => value,
                _ => return None,
            };
            let inside = value.is_finite() && (min..=max).contains(&value);
            if inside { Some(ParamValue::Number(value)) } else { out_of_range(format!("{value}")) }
        }
        (ParamKind::Flag, Value::Flag(value)) => Some(ParamValue::Flag(*value)),
        (ParamKind::Text, Value::Text(text)) => Some(ParamValue::Text(text.clone())),
        (ParamKind::Choice(words), Value::Text(text)) => {
            if words.contains(&text.as_str()) {
                return Some(ParamValue::Text(text.clone()));
            }
            let mistake = Mistake::UnknownChoice {
                key: name.to_owned(),
                name: text.clone(),
                valid: words.iter().map(|word| word.escape_default().to_string()).collect(),
            };
            sink.push(mistake, Some(node.place));
            None
        }
        _ => {
            wrong_type(sink, name, &kind.to_string(), &about(name, summary), node);
            None
        }
    }
}
