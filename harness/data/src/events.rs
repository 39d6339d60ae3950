//! The event log: what every source is read into, cleaned, counted and sorted by user and time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use trailmark_core::dataset::Accounting;
pub(crate) use trailmark_core::dataset::Clock;
use trailmark_core::{Key, KeyBuilder, Stream};

use crate::error::{DataError, DropReason};
use crate::intern::{Interner, NONE, ranked};

/// The name under which repeated rows are counted.
const DUPLICATE: &str = "duplicate";

/// A finite number or none, in eight bytes: logs have many rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(f64);

impl Number {
    /// No number.
    pub(crate) const NONE: Self = Self(f64::NAN);

    /// A finite number; anything else is none.
    pub(crate) fn new(value: f64) -> Self {
        if value.is_finite() { Self(value) } else { Self::NONE }
    }

    /// The number, where there is one.
    pub(crate) fn get(self) -> Option<f64> {
        (!self.0.is_nan()).then_some(self.0)
    }

    /// Equal for equal numbers and for none.
    fn bits(self) -> u64 {
        self.get().map_or(u64::MAX, f64::to_bits)
    }
}

/// One row. Names are numbers of the log's interners, [`NONE`] where absent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) user: u32,
    pub(crate) session: u32,
    pub(crate) kind: u32,
    pub(crate) item: u32,
    pub(crate) category: u32,
    pub(crate) query: u32,
    /// Unix milliseconds; 0 without a clock.
    pub(crate) time: i64,
    /// Order among rows of one time; 0 without.
    pub(crate) order: f64,
    pub(crate) value: Number,
    pub(crate) price: Number,
    /// Line in the file, from 1.
    pub(crate) line: u64,
}

/// Values of one attribute by user.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attribute {
    classes: Interner,
    values: BTreeMap<u32, Option<u32>>,
    conflicts: BTreeSet<u32>,
}

impl Attribute {
    fn set(&mut self, user: u32, class: &str) {
        let class = self.classes.id(class);
        let held = *self.values.entry(user).or_insert(Some(class));
        if held != Some(class) {
            self.values.insert(user, None);
            self.conflicts.insert(user);
        }
    }

    /// The class of a user.
    pub(crate) fn class(&self, user: u32) -> Option<&str> {
        self.values.get(&user).copied().flatten().map(|class| self.classes.name(class))
    }
}

/// A cleaned log, sorted by user, time, declared order and file position.
#[derive(Debug, Clone)]
pub(crate) struct EventLog {
    pub(crate) users: Interner,
    pub(crate) sessions: Interner,
    pub(crate) kinds: Interner,
    pub(crate) items: Interner,
    /// (n_items,) title of each item, empty where unknown.
    pub(crate) titles: Vec<String>,
    pub(crate) categories: Interner,
    pub(crate) queries: Interner,
    pub(crate) events: Vec<Event>,
    pub(crate) clock: Clock,
    pub(crate) has_sessions: bool,
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) accounting: Accounting,
}

/// A log while it is being read.
#[derive(Debug)]
pub(crate) struct LogBuilder {
    log: EventLog,
    has_order: bool,
    dropped: BTreeMap<&'static str, (u64, u64)>,
}

impl LogBuilder {
    /// An empty log.
    pub(crate) fn new(clock: Clock, has_sessions: bool, has_order: bool) -> Self {
        let log = EventLog {
            users: Interner::default(),
            sessions: Interner::default(),
            kinds: Interner::default(),
            items: Interner::default(),
            titles: Vec::new(),
            categories: Interner::default(),
            queries: Interner::default(),
            events: Vec::new(),
            clock,
            has_sessions,
            attributes: BTreeMap::new(),
            accounting: Accounting::default(),
        };
        Self { log, has_order, dropped: BTreeMap::new() }
    }

    /// The interners and attributes.
    pub(crate) fn log(&mut self) -> &mut EventLog {
        &mut self.log
    }

    /// Keeps a row.
    pub(crate) fn push(&mut self, event: Event) {
        self.log.accounting.rows_read += 1;
        self.log.events.push(event);
    }

    /// Drops a row.
    pub(crate) fn drop_row(&mut self, reason: &'static str, line: u64) {
        self.log.accounting.rows_read += 1;
        self.count(reason, line);
    }

    fn count(&mut self, reason: &'static str, line: u64) {
        let (rows, first) = self.dropped.entry(reason).or_insert((0, line));
        *rows += 1;
        *first = line.min(*first);
    }

    /// Declares an attribute, so that it is known even when no row has a value.
    pub(crate) fn declare(&mut self, attribute: &str) {
        self.log.attributes.entry(attribute.to_owned()).or_default();
    }

    /// Notes the value of a user's attribute.
    pub(crate) fn attribute(&mut self, name: &str, user: u32, class: &str) {
        if let Some(attribute) = self.log.attributes.get_mut(name) {
            attribute.set(user, class);
        } else {
            self.declare(name);
            self.attribute(name, user, class);
        }
    }

    /// Gives an item its title; the first one stays.
    pub(crate) fn title(&mut self, item: u32, title: &str) {
        let titles = &mut self.log.titles;
        if titles.len() <= item as usize {
            titles.resize(item as usize + 1, String::new());
        }
        if titles[item as usize].is_empty() {
            title.clone_into(&mut titles[item as usize]);
        }
    }

    /// Sorts, takes out repeated rows, and refuses when too many rows were unusable.
    ///
    /// Repeated rows are told only where rows have an instant or a declared order; they are counted, but they are not
    /// unusable, so they do not count against `max_dropped`.
    pub(crate) fn finish(mut self, path: &Path, max_dropped: f64) -> Result<EventLog, DataError> {
        let read = self.log.accounting.rows_read;
        if read == 0 {
            return Err(DataError::EmptyLog { path: path.to_owned() });
        }
        let unusable: u64 = self.dropped.values().map(|(rows, _)| rows).sum();
        if unusable as f64 > max_dropped * read as f64 {
            let (path, reasons) = (path.to_owned(), self.reasons());
            return Err(DataError::TooManyDropped { path, dropped: unusable, read, max_dropped, reasons });
        }
        if self.log.events.is_empty() {
            return Err(DataError::NothingKept { path: path.to_owned(), reasons: self.reasons() });
        }
        self.log.titles.resize(self.log.items.len(), String::new());
        self.log.compact();
        self.log.events.sort_by(|a, b| {
            (a.user, a.time).cmp(&(b.user, b.time)).then(a.order.total_cmp(&b.order)).then(a.line.cmp(&b.line))
        });
        if self.log.clock == Clock::Instants || self.has_order {
            self.drop_repeated();
        }
        let mut log = self.log;
        log.accounting.rows_kept = log.events.len() as u64;
        log.accounting.rows_dropped =
            self.dropped.iter().map(|(reason, (rows, _))| ((*reason).to_owned(), *rows)).collect();
        for (name, attribute) in &log.attributes {
            if !attribute.conflicts.is_empty() {
                log.accounting.notes.push(format!(
                    "{} users have more than one value of {name}: they have no label",
                    attribute.conflicts.len()
                ));
            }
        }
        Ok(log)
    }

    fn drop_repeated(&mut self) {
        let mut seen = BTreeSet::new();
        let mut moment = None;
        let events = std::mem::take(&mut self.log.events);
        let mut kept = Vec::with_capacity(events.len());
        for event in events {
            let at = (event.user, event.time, event.order.to_bits());
            if moment != Some(at) {
                moment = Some(at);
                seen.clear();
            }
            let names = (event.session, event.kind, event.item, event.category, event.query);
            if seen.insert((names, event.value.bits(), event.price.bits())) {
                kept.push(event);
            } else {
                self.count(DUPLICATE, event.line);
            }
        }
        self.log.events = kept;
    }

    fn reasons(&self) -> Vec<DropReason> {
        self.dropped
            .iter()
            .map(|(reason, (rows, first_line))| DropReason { reason, rows: *rows, first_line: *first_line })
            .collect()
    }
}

impl EventLog {
    /// Renumbers users and items by ascending name, leaving out those without events. Sorted events stay sorted.
    fn compact(&mut self) {
        let mut users = vec![false; self.users.len()];
        let mut items = vec![false; self.items.len()];
        for event in &self.events {
            users[event.user as usize] = true;
            if event.item != NONE {
                items[event.item as usize] = true;
            }
        }
        let (user_names, new_user) = ranked(&self.users, &users);
        let (item_names, new_item) = ranked(&self.items, &items);
        for event in &mut self.events {
            event.user = new_user[event.user as usize];
            if event.item != NONE {
                event.item = new_item[event.item as usize];
            }
        }
        let mut titles = vec![String::new(); item_names.len()];
        for (old, title) in std::mem::take(&mut self.titles).into_iter().enumerate() {
            if new_item[old] != NONE {
                titles[new_item[old] as usize] = title;
            }
        }
        for attribute in self.attributes.values_mut() {
            attribute.values = std::mem::take(&mut attribute.values)
                .into_iter()
                .filter(|(user, _)| new_user[*user as usize] != NONE)
                .map(|(user, class)| (new_user[user as usize], class))
                .collect();
        }
        (self.users, self.items, self.titles) = (user_names, item_names, titles);
    }

    /// Keeps a seeded sample of users with all their events.
    pub(crate) fn sample_users(&mut self, wanted: usize, seed: u64) {
        let found = self.users.len();
        if wanted >= found {
            self.accounting.notes.push(format!("sample_users = {wanted} keeps all {found} users"));
            return;
        }
        let mut order: Vec<u32> = (0..found as u32).collect();
        Stream::new(seed).shuffle(&mut order);
        let mut kept = vec![false; found];
        order[..wanted].iter().for_each(|user| kept[*user as usize] = true);
        self.events.retain(|event| kept[event.user as usize]);
        self.compact();
        self.accounting.notes.push(format!("a seeded sample of {wanted} of {found} users, with all their events"));
    }

    /// The events of each user, in order.
    pub(crate) fn by_user(&self) -> impl Iterator<Item = &[Event]> {
        self.events.chunk_by(|a, b| a.user == b.user)
    }

    /// The key of what the log says: names, times and attributes, but no path and no line.
    pub(crate) fn key(&self) -> Key {
        let mut key = KeyBuilder::new("events").number("clock", self.clock as u64);
        for (name, title) in self.items.names().zip(&self.titles) {
            key = key.text("item", name).text("title", title);
        }
        for events in self.by_user() {
            let user = events[0].user;
            key = key.text("user", self.users.name(user));
            for (name, attribute) in &self.attributes {
                if let Some(class) = attribute.class(user) {
                    key = key.text("attribute", name).text("class", class);
                }
            }
            for event in events {
                let names = [
                    self.sessions.name(event.session),
                    self.kinds.name(event.kind),
                    self.categories.name(event.category),
                    self.queries.name(event.query),
                ];
                for name in names {
                    key = key.text("", name);
                }
                key = key
                    .number("item", u64::from(event.item))
                    .number("time", event.time as u64)
                    .number("value", event.value.bits())
                    .number("price", event.price.bits());
            }
        }
        key.finish()
    }
}
