//! Delimited files, row by row: header or none, BOM, CRLF, blanks around fields, gzip.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};
use flate2::read::MultiGzDecoder;

use crate::error::{DataError, nearest};

/// How fields are told apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) delimiter: char,
    /// Whether `"` quotes fields.
    pub(crate) quoting: bool,
    /// Whether header names carry a type to be left off: `user_id:token`.
    pub(crate) typed_header: bool,
}

impl Dialect {
    /// An ordinary csv file with that delimiter.
    pub(crate) fn csv(delimiter: char) -> Self {
        Self { delimiter, quoting: true, typed_header: false }
    }

    /// A RecBole atomic file.
    pub(crate) fn atomic() -> Self {
        Self { delimiter: '\t', quoting: false, typed_header: true }
    }
}

/// Why a row cannot even be split into fields.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BadRow {
    NotUtf8,
    WrongWidth,
}

impl BadRow {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::WrongWidth => "wrong_number_of_fields",
        }
    }
}

/// An open file at its first row.
pub(crate) struct Table {
    path: PathBuf,
    reader: csv::Reader<Box<dyn Read>>,
    names: Vec<String>,
}

impl Table {
    /// Opens a file and reads its header, or takes the names given for a file without one.
    pub(crate) fn open(path: &Path, dialect: Dialect, names: Option<&[String]>) -> Result<Self, DataError> {
        let delimiter = u8::try_from(dialect.delimiter)
            .ok()
            .filter(u8::is_ascii)
            .ok_or_else(|| DataError::Delimiter { path: path.to_owned(), delimiter: dialect.delimiter })?;
        let file = File::open(path).map_err(|error| DataError::read(path, error))?;
        let packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let source: Box<dyn Read> =
            if packed { Box::new(MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(dialect.quoting)
            .flexible(true)
            .has_headers(names.is_none())
            .trim(Trim::All)
            .from_reader(source);
        let names = match names {
            Some(names) => names.to_vec(),
            None => {
                let header = reader.byte_headers().map_err(|error| csv_error(path, error))?;
                let name = |bytes: &[u8]| {
                    let name = String::from_utf8_lossy(bytes).into_owned();
                    match name.rsplit_once(':') {
                        Some((name, _)) if dialect.typed_header => name.to_owned(),
                        _ => name,
                    }
                };
                header.iter().map(name).collect()
            }
        };
        let table = Self { path: path.to_owned(), reader, names };
        if table.names.is_empty() {
            return Err(DataError::EmptyLog { path: table.path });
        }
        Ok(table)
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of a column.
    pub(crate) fn column(&self, column: &str, role: &str) -> Result<usize, DataError> {
        self.names.iter().position(|name| name == column).ok_or_else(|| DataError::MissingColumn {
            path: self.path.clone(),
            column: column.to_owned(),
            role: role.to_owned(),
            present: self.names.clone(),
            suggestion: nearest(column, &self.names),
        })
    }

    /// Visits every row with its line.
    pub(crate) fn rows(mut self, mut visit: impl FnMut(u64, Result<&StringRecord, BadRow>)) -> Result<(), DataError> {
        let mut bytes = ByteRecord::new();
        loop {
            if !self.reader.read_byte_record(&mut bytes).map_err(|error| csv_error(&self.path, error))? {
                return Ok(());
            }
            let line = bytes.position().map_or(0, csv::Position::line);
            if bytes.len() != self.names.len() {
                visit(line, Err(BadRow::WrongWidth));
                continue;
            }
            match StringRecord::from_byte_record(std::mem::take(&mut bytes)) {
                Ok(record) => {
                    visit(line, Ok(&record));
                    bytes = record.into_byte_record();
                }
                Err(_) => visit(line, Err(BadRow::NotUtf8)),
            }
        }
    }
}

fn csv_error(path: &Path, error: csv::Error) -> DataError {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => DataError::read(path, source),
        _ => DataError::read(path, std::io::Error::other(text)),
    }
}

/// True for the ways in which logs write "no value".
pub(crate) fn missing(text: &str) -> bool {
    matches!(text, "" | "NA" | "N/A" | "null" | "NULL" | "\\N")
}
