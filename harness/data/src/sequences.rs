//! From an event log to a dataset: samples, their histories as text and tokens, their futures, their labels.

use std::collections::{BTreeMap, BTreeSet};

use trailmark_core::config::{DatasetConfig, Future, SequenceConfig, Unit};
use trailmark_core::dataset::{self, Accounting, ReferenceLabels, Sequences};
use trailmark_core::{Dataset, Key, KeyBuilder};

use crate::error::{DataError, nearest};
use crate::events::{Clock, Event, EventLog, Number};
use crate::intern::{Interner, NONE};
use crate::template::{DAY_MS, Fields, Template};

/// Raised whenever the same log and settings give other sequences; part of every dataset's key.
const REVISION: u64 = 1;

/// One sample before its text is written: positions in the user's ordered log.
struct Sample<'a> {
    id: String,
    events: &'a [Event],
    /// Positions of the whole history, ascending.
    history: Vec<usize>,
    /// Positions of the future, ascending.
    future: Vec<usize>,
}

/// Makes the dataset of a cleaned log.
pub(crate) fn build(
    log: &EventLog,
    config: &DatasetConfig,
    sequence: &SequenceConfig,
    future: Future,
) -> Result<Dataset, DataError> {
    let text = parse("text", &sequence.text)?;
    let tokens = parse("tokens", &sequence.tokens)?;
    if sequence.price_bands.is_empty() && (text.uses_price_band() || tokens.uses_price_band()) {
        return Err(DataError::NoPriceBands);
    }
    check_clock(log, config, sequence.unit, future)?;

    let mut accounting = log.accounting.clone();
    let mut samples = cut(log, sequence, future, &mut accounting);
    if samples.is_empty() {
        return Err(DataError::NoSequences {
            dataset: config.id.clone(),
            found: accounting.sequences_found,
            min_events: sequence.min_events.max(1),
            reasons: accounting
                .sequences_dropped
                .iter()
                .map(|(why, n)| format!("{why}: {n}"))
                .collect::<Vec<_>>()
                .join(", "),
        });
    }
    samples.sort_by(|a, b| a.id.cmp(&b.id));
    if let Some(pair) = samples.windows(2).find(|pair| pair[0].id == pair[1].id) {
        return Err(DataError::DuplicateSample { dataset: config.id.clone(), sample: pair[0].id.clone() });
    }
    let labels = config.labels.iter().map(|name| labels(log, &samples, &config.id, name)).collect::<Result<_, _>>()?;
    notes(log, &samples, sequence, future, &mut accounting);

    Ok(Dataset {
        id: config.id.clone(),
        key: key(log, sequence, future),
        users: dense_users(&samples),
        history_items: samples.iter().map(|sample| items(sample, &sample.history)).collect(),
        future_items: samples.iter().map(|sample| distinct(items(sample, &sample.future))).collect(),
        cut: samples
            .iter()
            .map(|sample| (sample.history.last().copied().unwrap_or(0), sample.future.first().copied()))
            .collect(),
        item_names: log.items.names().map(str::to_owned).collect(),
        labels,
        sequences: write(log, samples, sequence, &text, &tokens, &mut accounting),
        accounting,
    })
}

fn parse(form: &'static str, template: &str) -> Result<Template, DataError> {
    Template::parse(template).map_err(|problem| DataError::Template { form, template: template.to_owned(), problem })
}

fn check_clock(log: &EventLog, config: &DatasetConfig, unit: Unit, future: Future) -> Result<(), DataError> {
    let dataset = || config.id.clone();
    if let Unit::Session { gap_ms } = unit
        && !log.has_sessions
    {
        if gap_ms.is_none() {
            return Err(DataError::NoSessions { dataset: dataset() });
        }
        if log.clock == Clock::None {
            return Err(DataError::NoClock { dataset: dataset(), what: "a session gap" });
        }
    }
    if let Future::After(instant) = future {
        if log.clock == Clock::None {
            return Err(DataError::NoClock { dataset: dataset(), what: "future = { after = .. }" });
        }
        let last = log.events.iter().map(|event| event.time).max().unwrap_or(i64::MIN);
        if last < instant {
            let last = jiff::Timestamp::from_millisecond(last).map_or_else(|_| last.to_string(), |t| t.to_string());
            return Err(DataError::NoFuture { dataset: dataset(), last });
        }
    }
    Ok(())
}

/// Cuts the log into samples and each into history and future; counts those left out.
fn cut<'a>(
    log: &'a EventLog,
    sequence: &SequenceConfig,
    future: Future,
    accounting: &mut Accounting,
) -> Vec<Sample<'a>> {
    let min_events = sequence.min_events.max(1);
    let mut samples = Vec::new();
    for events in log.by_user() {
        for (id, mut history) in units(log, events, sequence.unit) {
            accounting.sequences_found += 1;
            let split = match future {
                Future::None => history.len(),
                Future::Last(n) => history.len().saturating_sub(n),
                Future::After(instant) => history.partition_point(|at| events[*at].time < instant),
            };
            let future = history.split_off(split);
            let reason = match history.len() {
                0 => "no event before the future",
                n if n < min_events => "history shorter than min_events",
                _ => {
                    samples.push(Sample { id, events, history, future });
                    continue;
                }
            };
            *accounting.sequences_dropped.entry(reason.to_owned()).or_default() += 1;
        }
    }
    samples
}

/// The samples of one user: name and positions.
fn units(log: &EventLog, events: &[Event], unit: Unit) -> Vec<(String, Vec<usize>)> {
    let user = log.users.name(events[0].user);
    match unit {
        Unit::User => vec![(user.to_owned(), (0..events.len()).collect())],
        Unit::Session { .. } if log.has_sessions => {
            let mut sessions: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
            for (at, event) in events.iter().enumerate() {
                sessions.entry(event.session).or_default().push(at);
            }
            let name = |session| match log.sessions.name(session) {
                // A log without users names its users after its sessions: once is enough.
                same if same == user => user.to_owned(),
                other => format!("{user}/{other}"),
            };
            sessions.into_iter().map(|(session, at)| (name(session), at)).collect()
        }
        Unit::Session { gap_ms } => {
            let gap = gap_ms.unwrap_or(i64::MAX);
            let mut sessions: Vec<Vec<usize>> = Vec::new();
            for (at, event) in events.iter().enumerate() {
                match sessions.last_mut() {
                    Some(open) if event.time.saturating_sub(events[at - 1].time) <= gap => open.push(at),
                    _ => sessions.push(vec![at]),
                }
            }
            // Padded, so that the order of names is the order in time.
            let width = sessions.len().to_string().len().max(3);
            sessions.into_iter().enumerate().map(|(n, at)| (format!("{user}/{:0width$}", n + 1), at)).collect()
        }
    }
}

/// Users of the samples, numbered by first appearance.
fn dense_users(samples: &[Sample<'_>]) -> Vec<u32> {
    let mut numbers: BTreeMap<u32, u32> = BTreeMap::new();
    samples
        .iter()
        .map(|sample| {
            let next = numbers.len() as u32;
            *numbers.entry(sample.events[0].user).or_insert(next)
        })
        .collect()
}

fn items(sample: &Sample<'_>, positions: &[usize]) -> Vec<u32> {
    positions.iter().map(|at| sample.events[*at].item).filter(|item| *item != NONE).collect()
}

fn distinct(mut items: Vec<u32>) -> Vec<u32> {
    let mut seen = BTreeSet::new();
    items.retain(|item| seen.insert(*item));
    items
}

fn labels(log: &EventLog, samples: &[Sample<'_>], dataset: &str, name: &str) -> Result<ReferenceLabels, DataError> {
    let Some(attribute) = log.attributes.get(name) else {
        let present: Vec<String> = log.attributes.keys().cloned().collect();
        let suggestion = nearest(name, &present);
        return Err(DataError::UnknownLabel {
            dataset: dataset.to_owned(),
            label: name.to_owned(),
            present,
            suggestion,
        });
    };
    let of = |sample: &Sample<'_>| attribute.class(sample.events[0].user).map(str::to_owned);
    let classes: Vec<String> = samples.iter().filter_map(of).collect::<BTreeSet<_>>().into_iter().collect();
    let values = samples
        .iter()
        .map(|sample| of(sample).and_then(|class| classes.binary_search(&class).ok()).map(|at| at as u32))
        .collect();
    Ok(ReferenceLabels { name: name.to_owned(), classes, values })
}

fn notes(
    log: &EventLog,
    samples: &[Sample<'_>],
    sequence: &SequenceConfig,
    future: Future,
    accounting: &mut Accounting,
) {
    let notes = &mut accounting.notes;
    if log.has_sessions && matches!(sequence.unit, Unit::Session { gap_ms: Some(_) }) {
        notes.push("sessions are those of the log's session column; the declared gap is not used".to_owned());
    }
    if matches!(future, Future::Last(_)) && log.clock != Clock::None {
        notes.push(
            "future = { last = n } ends each history at another date: training users' events may be later than the \
             events that test users are asked for (the calendar leaks across users)"
                .to_owned(),
        );
    }
    let without = samples.iter().filter(|sample| items(sample, &sample.future).is_empty()).count();
    if future != Future::None && without > 0 {
        notes.push(format!(
            "{without} of {} samples have no item in their future: they are clustered, but no recommendation to them \
             is scored",
            samples.len()
        ));
    }
}

/// Writes texts, tokens and numbers of the last `max_events` events of every history.
fn write(
    log: &EventLog,
    samples: Vec<Sample<'_>>,
    sequence: &SequenceConfig,
    text: &Template,
    tokens: &Template,
    accounting: &mut Accounting,
) -> Sequences {
    let mut names = Interner::default();
    let mut out = Sequences::default();
    for Sample { id, events, history, .. } in samples {
        let from = history.len().saturating_sub(sequence.max_events.max(1));
        accounting.sequences_truncated += u64::from(from > 0);
        let (mut line, mut ids) = (String::new(), Vec::with_capacity(history.len() - from));
        out.events.histories.push(history[from..].iter().map(|at| numbers(&events[*at])).collect());
        for (place, at) in history.iter().enumerate().skip(from) {
            let before = place.checked_sub(1).map(|place| &events[history[place]]);
            let fields = fields(log, &events[*at], before);
            let words = text.render(&fields, &sequence.price_bands);
            if !words.is_empty() {
                if !line.is_empty() {
                    line.push_str(&sequence.separator);
                }
                line.push_str(&words);
            }
            let token = tokens.render(&fields, &sequence.price_bands);
            if !token.is_empty() {
                ids.push(names.id(&token));
            }
        }
        out.ids.push(id);
        out.texts.push(line);
        out.tokens.push(ids);
    }
    out.token_names = names.names().map(str::to_owned).collect();
    out.events.clock = log.clock;
    out.events.kind_names = log.kinds.names().map(str::to_owned).collect();
    out
}

/// An event as encoders see it.
fn numbers(event: &Event) -> dataset::Event {
    let known = |number: u32| (number != NONE).then_some(number);
    #[expect(clippy::cast_possible_truncation, reason = "features of it are stored in f32")]
    let real = |number: Number| number.get().map(|value| value as f32).filter(|value| value.is_finite());
    dataset::Event {
        time: event.time,
        kind: event.kind,
        item: known(event.item),
        category: known(event.category),
        price: real(event.price),
        value: real(event.value),
    }
}

fn fields<'a>(log: &'a EventLog, event: &Event, before: Option<&Event>) -> Fields<'a> {
    let pause = before.map(|before| event.time.saturating_sub(before.time));
    Fields {
        event: log.kinds.name(event.kind),
        item: log.items.name(event.item),
        title: log.titles.get(event.item as usize).map_or("", String::as_str),
        category: log.categories.name(event.category),
        query: log.queries.name(event.query),
        price: event.price.get(),
        value: event.value.get(),
        gap_ms: match log.clock {
            Clock::None => None,
            // Inside one day nothing is known of the pause.
            Clock::Days => pause.filter(|pause| *pause >= DAY_MS),
            Clock::Instants => pause,
        },
    }
}

/// The key of cleaned events, sequence settings and future rule.
fn key(log: &EventLog, sequence: &SequenceConfig, future: Future) -> Key {
    let mut key = KeyBuilder::new("dataset").number("revision", REVISION).key("events", &log.key());
    key = match sequence.unit {
        Unit::User => key.text("unit", "user"),
        Unit::Session { gap_ms } if !log.has_sessions => {
            key.text("unit", "session").number("gap_ms", gap_ms.unwrap_or(i64::MAX) as u64)
        }
        Unit::Session { .. } => key.text("unit", "session column"),
    };
    key = key
        .text("text", &sequence.text)
        .text("tokens", &sequence.tokens)
        .text("separator", &sequence.separator)
        .number("min_events", sequence.min_events.max(1) as u64)
        .number("max_events", sequence.max_events.max(1) as u64);
    for cut in &sequence.price_bands {
        key = key.real("price_band", *cut);
    }
    match future {
        Future::None => key.text("future", "none"),
        Future::Last(n) => key.number("future last", n as u64),
        Future::After(instant) => key.number("future after", instant as u64),
    }
    .finish()
}
