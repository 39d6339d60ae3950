//! RecBole atomic files: `<stem>.inter`, with `<stem>.user` and `<stem>.item` where they are there. Headers are
//! `name:type`; columns are found by RecBole's usual names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use trailmark_core::config::{Columns, TimeColumns};

use crate::DataError;
use crate::delimited::{ItemTable, LogFiles, UserTable};
use crate::table::{Dialect, Table};

/// The first of the names that the table has.
fn first(table: &Table, names: &[&str]) -> Option<String> {
    names.iter().find(|name| table.names().iter().any(|have| have == *name)).map(|name| (*name).to_owned())
}

/// The file beside another, with another extension.
fn beside(inter: &Path, extension: &str) -> Option<PathBuf> {
    Some(inter.with_extension(extension)).filter(|path| path.is_file())
}

/// Finds the files of a data set and maps their columns. Events are named `default_event`; without one, `rate` where
/// there are ratings and `interact` where there are none.
pub(crate) fn files(inter: &Path, default_event: Option<&str>) -> Result<LogFiles, DataError> {
    let table = Table::open(inter, Dialect::atomic(), None)?;
    let value = first(&table, &["rating", "label", "weight"]);
    let user = first(&table, &["user_id", "session_id"]).unwrap_or_else(|| "user_id".to_owned());
    let default_event = default_event.unwrap_or(if value.is_some() { "rate" } else { "interact" }).to_owned();
    let columns = Columns {
        delimiter: '\t',
        names: None,
        session: first(&table, &["session_id"]).filter(|session| *session != user),
        user,
        item: Some("item_id".to_owned()),
        category: first(&table, &["category", "category_id"]),
        event: first(&table, &["event", "event_type", "behavior_type", "behavior"]),
        default_event,
        time: first(&table, &["timestamp"]).map(|column| TimeColumns::UnixS { column }),
        order: None,
        value,
        price: first(&table, &["price"]),
        query: first(&table, &["query"]),
        title: None,
        labels: BTreeMap::new(),
        rename: BTreeMap::new(),
    };
    Ok(LogFiles {
        log: inter.to_owned(),
        dialect: Dialect::atomic(),
        columns,
        items: beside(inter, "item").map(|path| items(&path)).transpose()?,
        users: beside(inter, "user").map(|path| users(&path)).transpose()?,
    })
}

fn items(path: &Path) -> Result<ItemTable, DataError> {
    let table = Table::open(path, Dialect::atomic(), None)?;
    Ok(ItemTable {
        path: path.to_owned(),
        key: "item_id".to_owned(),
        title: first(&table, &["title", "movie_title", "item_title", "name", "item_name"]),
        category: first(&table, &["category", "categories", "class", "genre", "genres"]),
        price: first(&table, &["price"]),
    })
}

/// Every column of the users is a label.
fn users(path: &Path) -> Result<UserTable, DataError> {
    let table = Table::open(path, Dialect::atomic(), None)?;
    let key = "user_id".to_owned();
    let labels = table.names().iter().filter(|name| **name != key).map(|name| (name.clone(), name.clone())).collect();
    Ok(UserTable { path: path.to_owned(), key, labels })
}
