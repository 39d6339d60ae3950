//! A table as data, and its renderings: terminal, GitHub Markdown, CSV, JSON and LaTeX (booktabs). People get rounded
//! numbers with their spread; programs get every digit, in one column each.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value, json};
use tabled::builder::Builder;
use tabled::settings::Alignment;
use tabled::settings::object::Columns;
use tabled::settings::style::{HorizontalLine, Style};
use thiserror::Error;

use crate::number::{decimals, fixed, plain};
use crate::scores::digits;
use crate::summary::Summary;

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Table,
    /// GitHub-flavoured Markdown.
    Markdown,
    /// Comma-separated, full precision.
    Csv,
    /// One object per row, full precision.
    Json,
    /// LaTeX with booktabs.
    Latex,
}

impl Format {
    /// Every format with its name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("table", Self::Table),
        ("markdown", Self::Markdown),
        ("csv", Self::Csv),
        ("json", Self::Json),
        ("latex", Self::Latex),
    ];
}

/// A name that no format has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no format is named {0:?}: choose table, markdown, csv, json or latex")]
pub struct ParseFormatError(String);

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, format)| format).ok_or_else(|| ParseFormatError(text.to_owned()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.into_iter().find(|(_, format)| format == self).map_or("table", |(name, _)| name);
        f.write_str(name)
    }
}

/// Which way a column leans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name in CSV and JSON, snake_case.
    pub key: String,
    /// Heading for people.
    pub title: String,
    /// What it means, in a sentence; empty when the heading says it.
    pub help: String,
    /// Which way it leans.
    pub align: Align,
}

impl Column {
    /// A column of text.
    pub fn text(key: &str, title: &str) -> Self {
        Self { key: key.to_owned(), title: title.to_owned(), help: String::new(), align: Align::Left }
    }

    /// A column of numbers.
    pub fn number(key: &str, title: &str) -> Self {
        Self { align: Align::Right, ..Self::text(key, title) }
    }

    /// With a sentence about it.
    #[must_use]
    pub fn help(self, help: &str) -> Self {
        Self { help: help.to_owned(), ..self }
    }
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Nothing to say.
    Empty,
    /// Words.
    Text(String),
    /// A count.
    Count(usize),
    /// A number and the text that people read.
    Number(f64, String),
    /// A mean over folds with spread and coverage.
    Summary(Summary),
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What it holds.
    pub content: Content,
    /// True for the best of its column.
    pub best: bool,
}

impl From<Content> for Cell {
    fn from(content: Content) -> Self {
        Self { content, best: false }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Content::Text(text.to_owned()).into()
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Content::Text(text).into()
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Content::Count(count).into()
    }
}

impl From<Summary> for Cell {
    fn from(summary: Summary) -> Self {
        if summary.is_absent() { Content::Empty.into() } else { Content::Summary(summary).into() }
    }
}

impl Cell {
    /// A number shown by a function of [`crate::number`], or nothing.
    pub(crate) fn number(value: Option<f64>, show: impl Fn(f64) -> String) -> Self {
        value.map_or(Content::Empty, |value| Content::Number(value, show(value))).into()
    }

    /// What people read.
    pub fn show(&self) -> String {
        match &self.content {
            Content::Empty => String::new(),
            Content::Text(text) | Content::Number(_, text) => text.clone(),
            Content::Count(count) => count.to_string(),
            Content::Summary(summary) => match summary.mean() {
                Some(mean) => {
                    let places = decimals(mean);
                    let estimated = if summary.approximate() > 0 { "~" } else { "" };
                    match summary.sd() {
                        Some(sd) => format!("{estimated}{} ± {}", fixed(mean, places), fixed(sd, places)),
                        None => format!("{estimated}{}", plain(mean)),
                    }
                }
                None => summary.coverage(),
            },
        }
    }

    /// The number to sort by.
    pub fn sort_value(&self) -> Option<f64> {
        match &self.content {
            Content::Empty | Content::Text(_) => None,
            Content::Count(count) => Some(*count as f64),
            Content::Number(value, _) => Some(*value),
            Content::Summary(summary) => summary.mean(),
        }
    }
}

/// Whether a row is an arm or a control below the arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// An arm.
    Arm,
    /// A control.
    Control,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One cell per column.
    pub cells: Vec<Cell>,
    /// Arm or control.
    pub kind: RowKind,
}

/// A titled table with notes.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Name of its files and anchor.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows; controls last.
    pub rows: Vec<Row>,
    /// What a reader must know to read it.
    pub notes: Vec<String>,
}

impl Table {
    /// An empty table.
    pub fn new(name: &str, title: impl Into<String>, columns: Vec<Column>) -> Self {
        Self { name: name.to_owned(), title: title.into(), columns, rows: Vec::new(), notes: Vec::new() }
    }

    /// Adds a row; it has a cell for every column.
    pub fn push(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a row of {} does not fit its columns", self.name);
        self.rows.push(Row { cells, kind: RowKind::Arm });
    }

    pub(crate) fn push_control(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "a row of {} does not fit its columns", self.name);
        self.rows.push(Row { cells, kind: RowKind::Control });
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Says of which columns the means weigh folds by their users.
    pub(crate) fn note_weights(&mut self) {
        let weighted = |cell: &Cell| matches!(&cell.content, Content::Summary(summary) if summary.is_weighted());
        let columns =
            self.columns.iter().enumerate().filter(|(at, _)| self.rows.iter().any(|row| weighted(&row.cells[*at])));
        let names: Vec<&str> = columns.map(|(_, column)| column.key.as_str()).collect();
        if !names.is_empty() {
            self.notes.push(format!(
                "{}: mean weighted by users, each fold by its number of them; the standard deviation is over folds, unweighted.",
                names.join(", ")
            ));
        }
    }

    /// Removes columns that hold nothing in any row.
    pub(crate) fn drop_empty_columns(&mut self) {
        for at in (0..self.columns.len()).rev() {
            if self.rows.iter().all(|row| row.cells[at].content == Content::Empty) {
                self.columns.remove(at);
                self.rows.iter_mut().for_each(|row| drop(row.cells.remove(at)));
            }
        }
    }

    /// Marks the best complete mean of a column among the arms. Equal values are all best.
    pub(crate) fn mark_best(&mut self, column: usize, higher_is_better: bool) {
        let orient = |value: f64| if higher_is_better { value } else { -value };
        let values = self.rows.iter().filter(|row| row.kind == RowKind::Arm);
        let best = values.filter_map(|row| row.cells[column].sort_value()).map(orient).max_by(f64::total_cmp);
        for row in self.rows.iter_mut().filter(|row| row.kind == RowKind::Arm) {
            let value = row.cells[column].sort_value().map(orient);
            row.cells[column].best = value.is_some() && value == best;
        }
    }

    /// The table in a format.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Table => self.terminal(),
            Format::Markdown => self.markdown(),
            Format::Csv => self.csv(),
            Format::Json => self.json(),
            Format::Latex => self.latex(),
        }
    }

    /// Index of the first control row, where arms stand above it.
    fn boundary(&self) -> Option<usize> {
        self.rows.iter().position(|row| row.kind == RowKind::Control).filter(|at| *at > 0)
    }

    fn terminal(&self) -> String {
        let mut builder = Builder::default();
        builder.push_record(self.columns.iter().map(|column| column.title.clone()));
        for row in &self.rows {
            builder.push_record(row.cells.iter().map(|cell| {
                let text = cell.show();
                if cell.best { format!("*{text}") } else { text }
            }));
        }
        let mut table = builder.build();
        let line = HorizontalLine::full('─', '┼', '├', '┤');
        match self.boundary() {
            Some(at) => table.with(Style::rounded().horizontals([(1, line), (at + 1, line)])),
            None => table.with(Style::rounded().horizontals([(1, line)])),
        };
        for (at, column) in self.columns.iter().enumerate() {
            if column.align == Align::Right {
                table.modify(Columns::one(at), Alignment::right());
            }
        }
        let mut text = format!("{}\n{table}\n", self.title);
        for note in &self.notes {
            text.push_str(&format!("  {note}\n"));
        }
        text
    }

    fn markdown(&self) -> String {
        let escape = |text: &str| text.replace('|', "\\|").replace('\n', " ").replace('<', "&lt;");
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(self.columns.iter().map(|column| escape(&column.title)).collect());
        text.push_str(&line(
            self.columns
                .iter()
                .map(|column| if column.align == Align::Right { "---:" } else { "---" }.to_owned())
                .collect(),
        ));
        for row in &self.rows {
            let cells = row.cells.iter().map(|cell| {
                let shown = escape(&cell.show());
                match (cell.best, row.kind) {
                    (true, _) => format!("**{shown}**"),
                    (false, RowKind::Control) if !shown.is_empty() => format!("_{shown}_"),
                    (false, _) => shown,
                }
            });
            text.push_str(&line(cells.collect()));
        }
        for note in &self.notes {
            text.push_str(&format!("\n{}\n", escape(note)));
        }
        text
    }

    /// True when a column holds means, which take five columns in a file.
    fn is_summary(&self, column: usize) -> bool {
        self.rows.iter().any(|row| matches!(row.cells[column].content, Content::Summary(_)))
    }

    fn csv(&self) -> String {
        let mut header = vec!["role".to_owned()];
        for (at, column) in self.columns.iter().enumerate() {
            header.push(column.key.clone());
            if self.is_summary(at) {
                header.extend(["sd", "n", "of", "reason"].map(|part| format!("{}_{part}", column.key)));
            }
        }
        let mut records = vec![header];
        for row in &self.rows {
            let mut record = vec![if row.kind == RowKind::Arm { "arm" } else { "control" }.to_owned()];
            for (at, cell) in row.cells.iter().enumerate() {
                match &cell.content {
                    Content::Summary(summary) => {
                        let number = |value: Option<f64>| value.map_or(String::new(), digits);
                        let reasons: Vec<String> = summary.reasons().keys().cloned().collect();
                        record.extend([
                            number(summary.mean()),
                            number(summary.sd()),
                            summary.n().to_string(),
                            summary.of().to_string(),
                            reasons.join("; "),
                        ]);
                    }
                    content => {
                        record.push(match content {
                            Content::Number(value, _) => digits(*value),
                            _ => cell.show(),
                        });
                        if self.is_summary(at) {
                            record.extend([const { String::new() }; 4]);
                        }
                    }
                }
            }
            records.push(record);
        }
        crate::scores::to_csv(records)
    }

    fn json(&self) -> String {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let mut object = Map::new();
                object.insert("role".to_owned(), json!(if row.kind == RowKind::Arm { "arm" } else { "control" }));
                for (column, cell) in self.columns.iter().zip(&row.cells) {
                    let value = match &cell.content {
                        Content::Empty => Value::Null,
                        Content::Text(text) => json!(text),
                        Content::Count(count) => json!(count),
                        Content::Number(value, _) => json!(value),
                        Content::Summary(summary) => json!({
                            "mean": summary.mean(),
                            "sd": summary.sd(),
                            "n": summary.n(),
                            "of": summary.of(),
                            "approximate": summary.approximate(),
                            "reasons": summary.reasons(),
                            "values": summary.values().values().collect::<Vec<_>>(),
                        }),
                    };
                    object.insert(column.key.clone(), value);
                }
                Value::Object(object)
            })
            .collect();
        let table = json!({ "name": self.name, "title": self.title, "rows": rows, "notes": self.notes });
        format!("{table:#}\n")
    }

    fn latex(&self) -> String {
        let shape: String =
            self.columns.iter().map(|column| if column.align == Align::Right { 'r' } else { 'l' }).collect();
        let heads: Vec<String> = self.columns.iter().map(|column| latex_text(&column.title)).collect();
        let mut text = format!(
            "% {}; needs \\usepackage{{booktabs}}\n\\begin{{tabular}}{{{shape}}}\n\\toprule\n{} \\\\\n\\midrule\n",
            self.title,
            heads.join(" & ")
        );
        for (at, row) in self.rows.iter().enumerate() {
            if self.boundary() == Some(at) {
                text.push_str("\\midrule\n");
            }
            let cells: Vec<String> = row
                .cells
                .iter()
                .map(|cell| {
                    let shown = latex_text(&cell.show());
                    if cell.best { format!("\\textbf{{{shown}}}") } else { shown }
                })
                .collect();
            text.push_str(&format!("{} \\\\\n", cells.join(" & ")));
        }
        text.push_str("\\bottomrule\n\\end{tabular}\n");
        for note in &self.notes {
            text.push_str(&format!("% {note}\n"));
        }
        text
    }
}

/// Escapes what LaTeX would take as a command, and sets minus signs as such.
fn latex_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', character]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("$\\sim$"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '↑' => escaped.push_str("$\\uparrow$"),
            '↓' => escaped.push_str("$\\downarrow$"),
            '±' => escaped.push_str("$\\pm$"),
            '×' => escaped.push_str("$\\times$"),
            '–' => escaped.push_str("--"),
            '<' => escaped.push_str("$<$"),
            '>' => escaped.push_str("$>$"),
            '-' if !previous.is_alphanumeric() && characters.peek().is_some_and(char::is_ascii_digit) => {
                escaped.push_str("$-$");
            }
            other => escaped.push(other),
        }
        previous = character;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("t", "A title", vec![Column::text("arm", "arm"), Column::number("score", "score")]);
        table.push(vec!["a_b|c".into(), Cell::number(Some(-0.25), plain)]);
        table.push(vec!["d".into(), Cell::number(Some(0.5), plain)]);
        table.push_control(vec!["random".into(), Cell::number(Some(0.9), plain)]);
        table.mark_best(1, true);
        table
    }

    #[test]
    fn the_best_arm_is_marked_and_never_a_control() {
        assert_eq!(table().rows.iter().map(|row| row.cells[1].best).collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn markdown_escapes_bars_and_marks_the_best() {
        let text = table().render(Format::Markdown);
        assert_eq!(
            text,
            "| arm | score |\n| --- | ---: |\n| a_b\\|c | -0.250 |\n| d | **0.500** |\n| _random_ | _0.900_ |\n"
        );
    }

    #[test]
    fn latex_escapes_and_rules_off_the_controls() {
        let text = table().render(Format::Latex);
        assert!(text.contains("a\\_b|c & $-$0.250 \\\\\nd & \\textbf{0.500} \\\\\n\\midrule\nrandom"), "{text}");
    }

    #[test]
    fn csv_has_full_precision_and_a_role() {
        assert_eq!(table().render(Format::Csv), "role,arm,score\narm,a_b|c,-0.25\narm,d,0.5\ncontrol,random,0.9\n");
    }

    #[test]
    fn an_unknown_format_lists_the_known_ones() {
        let error = "xml".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "no format is named \"xml\": choose table, markdown, csv, json or latex");
    }
}
