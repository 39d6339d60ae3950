//! Delimited logs with a column map, and the side tables of items and users that a manifest may join.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use trailmark_core::config::Columns;

use crate::DataError;
use crate::events::{Event, EventLog, LogBuilder, Number};
use crate::intern::NONE;
use crate::table::{Dialect, Table, missing};
use crate::time::TimeReader;

/// A table of items, joined by key. Absent columns leave the log's own values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ItemTable {
    pub(crate) path: PathBuf,
    pub(crate) key: String,
    pub(crate) title: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) price: Option<String>,
}

/// A table of users, joined by key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UserTable {
    pub(crate) path: PathBuf,
    pub(crate) key: String,
    /// Label name -> column.
    pub(crate) labels: BTreeMap<String, String>,
}

/// A log with all its files.
#[derive(Debug, Clone)]
pub(crate) struct LogFiles {
    pub(crate) log: PathBuf,
    pub(crate) dialect: Dialect,
    pub(crate) columns: Columns,
    pub(crate) items: Option<ItemTable>,
    pub(crate) users: Option<UserTable>,
}

/// A column of names, with readable names for codes.
struct Names<'a> {
    at: Option<usize>,
    rename: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Names<'a> {
    fn new(table: &Table, columns: &'a Columns, column: Option<&String>, role: &str) -> Result<Self, DataError> {
        let at = column.map(|column| table.column(column, role)).transpose()?;
        Ok(Self { at, rename: column.and_then(|column| columns.rename.get(column)) })
    }

    /// The name in a row, empty where there is none.
    fn read<'r>(&self, row: &'r StringRecord) -> &'r str
    where
        'a: 'r,
    {
        let code = self.at.map_or("", |at| &row[at]);
        match self.rename.and_then(|rename| rename.get(code)) {
            Some(name) => name,
            None if missing(code) => "",
            None => code,
        }
    }
}

/// All columns of a log resolved to places.
struct Places<'a> {
    user: Names<'a>,
    session: Names<'a>,
    item: Names<'a>,
    category: Names<'a>,
    event: Names<'a>,
    query: Names<'a>,
    title: Names<'a>,
    labels: Vec<(&'a str, Names<'a>)>,
    time: TimeReader,
    order: Option<usize>,
    value: Option<usize>,
    price: Option<usize>,
}

impl<'a> Places<'a> {
    fn new(table: &Table, columns: &'a Columns) -> Result<Self, DataError> {
        for column in columns.rename.keys() {
            table.column(column, "renamed")?;
        }
        let names = |column: Option<&String>, role| Names::new(table, columns, column, role);
        let number = |column: Option<&String>, role| column.map(|column| table.column(column, role)).transpose();
        Ok(Self {
            user: names(Some(&columns.user), "user")?,
            session: names(columns.session.as_ref(), "session")?,
            item: names(columns.item.as_ref(), "item")?,
            category: names(columns.category.as_ref(), "category")?,
            event: names(columns.event.as_ref(), "event")?,
            query: names(columns.query.as_ref(), "query")?,
            title: names(columns.title.as_ref(), "title")?,
            labels: columns
                .labels
                .iter()
                .map(|(label, column)| Ok((label.as_str(), names(Some(column), "label")?)))
                .collect::<Result<_, DataError>>()?,
            time: TimeReader::new(table, columns.time.as_ref())?,
            order: number(columns.order.as_ref(), "order")?,
            value: number(columns.value.as_ref(), "value")?,
            price: number(columns.price.as_ref(), "price")?,
        })
    }
}

/// What a side table says of one item.
#[derive(Debug, Default)]
struct ItemFacts {
    title: String,
    category: String,
    price: Option<f64>,
}

/// Reads a log and its side tables.
pub(crate) fn read(files: &LogFiles, max_dropped: f64) -> Result<EventLog, DataError> {
    let facts = files.items.as_ref().map(|items| read_items(items, files.dialect)).transpose()?.unwrap_or_default();
    let table = Table::open(&files.log, files.dialect, files.columns.names.as_deref())?;
    let places = Places::new(&table, &files.columns)?;
    let mut builder =
        LogBuilder::new(places.time.clock(), files.columns.session.is_some(), files.columns.order.is_some());
    for (label, _) in &places.labels {
        builder.declare(label);
    }
    table.rows(|line, row| {
        let read = row
            .map_err(|bad| bad.reason())
            .and_then(|row| event(&mut builder, &files.columns, &places, &facts, row, line));
        match read {
            Ok(event) => builder.push(event),
            Err(reason) => builder.drop_row(reason, line),
        }
    })?;
    if let Some(users) = &files.users {
        read_users(users, files.dialect, &mut builder)?;
    }
    builder.finish(&files.log, max_dropped)
}

/// One row as an event, or the reason to drop it. Nothing of a dropped row is remembered.
fn event(
    builder: &mut LogBuilder,
    columns: &Columns,
    places: &Places<'_>,
    facts: &BTreeMap<String, ItemFacts>,
    row: &StringRecord,
    line: u64,
) -> Result<Event, &'static str> {
    let user = Some(places.user.read(row)).filter(|user| !user.is_empty()).ok_or("missing_user")?;
    let session = places.session.read(row);
    if places.session.at.is_some() && session.is_empty() {
        return Err("missing_session");
    }
    let (item, query) = (places.item.read(row), places.query.read(row));
    if places.item.at.is_some() && item.is_empty() && query.is_empty() {
        // A search has a query instead of an item; other rows without an item say nothing.
        return Err("missing_item");
    }
    let time = places.time.read(row)?;
    let order = number(row, places.order, "unreadable_order")?.unwrap_or(0.0);
    let value = number(row, places.value, "unreadable_value")?;
    let price = number(row, places.price, "unreadable_price")?;

    let facts = facts.get(item);
    let own_or = |own: &'_ str, joined: Option<&str>| {
        if own.is_empty() { joined.unwrap_or("").to_owned() } else { own.to_owned() }
    };
    let category = own_or(places.category.read(row), facts.map(|facts| facts.category.as_str()));
    let title = own_or(places.title.read(row), facts.map(|facts| facts.title.as_str()));
    let price = price.or(facts.and_then(|facts| facts.price));
    let kind = Some(places.event.read(row)).filter(|kind| !kind.is_empty()).unwrap_or(&columns.default_event);

    let log = builder.log();
    let id =
        |interner: &mut crate::intern::Interner, name: &str| if name.is_empty() { NONE } else { interner.id(name) };
    let event = Event {
        user: log.users.id(user),
        session: id(&mut log.sessions, session),
        kind: log.kinds.id(kind),
        item: id(&mut log.items, item),
        category: id(&mut log.categories, &category),
        query: id(&mut log.queries, query),
        time,
        order,
        value: value.map_or(Number::NONE, Number::new),
        price: price.map_or(Number::NONE, Number::new),
        line,
    };
    if event.item != NONE && !title.is_empty() {
        builder.title(event.item, &title);
    }
    for (label, names) in &places.labels {
        let class = names.read(row);
        if !class.is_empty() {
            builder.attribute(label, event.user, class);
        }
    }
    Ok(event)
}

/// A number of a row; none where the field says so.
fn number(row: &StringRecord, at: Option<usize>, unreadable: &'static str) -> Result<Option<f64>, &'static str> {
    let Some(text) = at.map(|at| &row[at]).filter(|text| !missing(text)) else {
        return Ok(None);
    };
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        Ok(_) => Err("not_finite"),
        Err(_) => Err(unreadable),
    }
}

fn read_items(items: &ItemTable, dialect: Dialect) -> Result<BTreeMap<String, ItemFacts>, DataError> {
    let table = Table::open(&items.path, dialect, None)?;
    let key = table.column(&items.key, "item key")?;
    let place = |column: &Option<String>, role| column.as_ref().map(|column| table.column(column, role)).transpose();
    let title = place(&items.title, "item title")?;
    let category = place(&items.category, "item category")?;
    let price = place(&items.price, "item price")?;
    let mut facts = BTreeMap::new();
    let text = |row: &StringRecord, at: Option<usize>| at.map_or("", |at| &row[at]).to_owned();
    table.rows(|_, row| {
        // A row of a side table that cannot be read leaves its item without facts; the log's rows are what counts.
        if let Ok(row) = row {
            let category = Some(text(row, category)).filter(|name| !missing(name)).unwrap_or_default();
            let price = number(row, price, "").ok().flatten();
            facts.entry(row[key].to_owned()).or_insert(ItemFacts { title: text(row, title), category, price });
        }
    })?;
    Ok(facts)
}

/// Attributes of users who occur in the log.
fn read_users(users: &UserTable, dialect: Dialect, builder: &mut LogBuilder) -> Result<(), DataError> {
    let table = Table::open(&users.path, dialect, None)?;
    let key = table.column(&users.key, "user key")?;
    let labels: Vec<(&str, usize)> = users
        .labels
        .iter()
        .map(|(label, column)| Ok((label.as_str(), table.column(column, "label")?)))
        .collect::<Result<_, DataError>>()?;
    labels.iter().for_each(|(label, _)| builder.declare(label));
    table.rows(|_, row| {
        let Ok(row) = row else { return };
        if let Some(user) = builder.log().users.find(&row[key]) {
            for (label, at) in &labels {
                if !missing(&row[*at]) {
                    builder.attribute(label, user, &row[*at]);
                }
            }
        }
    })
}

/// The file itself, for a suite that declares a path.
pub(crate) fn of_path(path: &Path, columns: &Columns) -> LogFiles {
    LogFiles {
        log: path.to_owned(),
        dialect: Dialect::csv(columns.delimiter),
        columns: columns.clone(),
        items: None,
        users: None,
    }
}
