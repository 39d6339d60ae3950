//! `[sequence]` and `[split]`: what one sample is, how its events are written, and what is held back.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use trailmark_core::config::{Future, SequenceConfig, SplitConfig, Unit};

use super::dataset::CheckedDataset;
use super::owned;
use crate::CheckContext;
use crate::fields;
use crate::mistake::Mistake;
use crate::reader::Reader;
use crate::wire::{Node, Place, Value};

pub(super) fn sequence(reader: &Reader<'_>, context: &CheckContext<'_>, datasets: &[CheckedDataset]) -> SequenceConfig {
    let session = reader.text("unit").is_some_and(|(unit, _)| unit == "session");
    let gap_ms = gap(reader, session, datasets);
    let (text, tokens) = match reader.table("form", &fields::FORM) {
        Some(form) => (template(&form, "text", context), template(&form, "tokens", context)),
        None => (None, None),
    };
    let min_events = reader.size("min_events").unwrap_or(3);
    let max_events = reader.size("max_events").unwrap_or(200);
    if min_events > max_events {
        let place = reader.node("min_events").or(reader.node("max_events")).map(|node| node.place);
        let mistake = Mistake::LowAboveHigh {
            low_key: "min_events",
            low: min_events.to_string(),
            high_key: "max_events",
            high: max_events.to_string(),
        };
        reader.sink.push(mistake, place);
    }
    SequenceConfig {
        unit: if session { Unit::Session { gap_ms } } else { Unit::User },
        text: text.unwrap_or_else(|| "{event} {category} {price_band}".to_owned()),
        tokens: tokens.unwrap_or_else(|| "{event}:{category}".to_owned()),
        separator: reader.text("separator").map_or_else(|| ", ".to_owned(), |(text, _)| text),
        min_events,
        max_events,
        price_bands: price_bands(reader),
    }
}

fn gap(reader: &Reader<'_>, session: bool, datasets: &[CheckedDataset]) -> Option<i64> {
    let Some(node) = reader.node("gap") else {
        if session {
            lacking(
                reader,
                datasets,
                "unit",
                "a session column or a gap",
                "add gap = \"30m\" to [sequence]",
                |dataset| dataset.lacks_session,
            );
        }
        return None;
    };
    let Value::Text(text) = &node.value else {
        reader.wrong_type("gap", node);
        return None;
    };
    if !session {
        let beside = "without unit = \"session\"".to_owned();
        reader.sink.push(Mistake::Meaningless { key: "gap".to_owned(), beside }, reader.key_place("gap"));
        return None;
    }
    lacking(reader, datasets, "gap", "a time column", "name it in [dataset.columns]", |dataset| {
        dataset.lacks_time && dataset.lacks_session
    });
    match milliseconds(text) {
        Ok(gap_ms) => Some(gap_ms),
        Err(reason) => {
            let mistake = Mistake::Unparsable {
                key: "gap".to_owned(),
                what: "a length of time",
                reason,
                example: "a number and s, m, h or d: \"30m\"",
            };
            reader.sink.push(mistake, Some(node.place));
            None
        }
    }
}

/// Reports a setting that a delimited log cannot fulfil. Other sources are judged when they are read.
fn lacking(
    reader: &Reader<'_>,
    datasets: &[CheckedDataset],
    key: &str,
    needs: &'static str,
    mend: &'static str,
    lacks: impl Fn(&CheckedDataset) -> bool,
) {
    for dataset in datasets.iter().filter(|dataset| lacks(dataset)) {
        let setting = match reader.node(key).map(|node| &node.value) {
            Some(Value::Text(text)) => format!("{key} = {text:?}"),
            _ => key.to_owned(),
        };
        let dataset = dataset.config.id.clone();
        reader.sink.push(Mistake::DatasetLacks { setting, needs, dataset, mend }, reader.place_of(key));
    }
}

fn milliseconds(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "" => return Err("it has no unit".to_owned()),
        other => return Err(format!("there is no unit {other:?}")),
    };
    let number: i64 = digits.parse().map_err(|_| format!("{digits:?} is not a whole number"))?;
    match number.checked_mul(factor) {
        Some(ms) if ms > 0 => Ok(ms),
        Some(_) => Err("it must be longer than nothing".to_owned()),
        None => Err("it is too long".to_owned()),
    }
}

fn template(form: &Reader<'_>, key: &str, context: &CheckContext<'_>) -> Option<String> {
    let (text, place) = form.text(key)?;
    for broken in broken_placeholders(&text, context.placeholders) {
        let mistake = Mistake::Template {
            key: key.to_owned(),
            reason: broken.reason,
            name: broken.name,
            valid: owned(context.placeholders.iter().copied()),
        };
        form.sink.push(mistake, Some(form.sink.part(place, &text, broken.start, broken.end)));
    }
    Some(text)
}

struct Broken {
    reason: String,
    name: Option<String>,
    start: usize,
    end: usize,
}

fn broken_placeholders(text: &str, valid: &[&str]) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut open: Option<usize> = None;
    let unclosed =
        |start: usize, end: usize| Broken { reason: "a brace that is not closed".to_owned(), name: None, start, end };
    for (at, c) in text.char_indices() {
        match (c, open) {
            ('{', None) => open = Some(at),
            ('{', Some(start)) => {
                broken.push(unclosed(start, at));
                open = Some(at);
            }
            ('}', None) => broken.push(Broken {
                reason: "a brace that was not opened".to_owned(),
                name: None,
                start: at,
                end: at + 1,
            }),
            ('}', Some(start)) => {
                let name = &text[start + 1..at];
                if !valid.contains(&name) {
                    let reason = match name {
                        "" => "an empty placeholder".to_owned(),
                        name => format!("no placeholder is named {name:?}"),
                    };
                    broken.push(Broken { reason, name: Some(name.to_owned()), start, end: at + 1 });
                }
                open = None;
            }
            _ => {}
        }
    }
    broken.extend(open.map(|start| unclosed(start, text.len())));
    broken
}

fn price_bands(reader: &Reader<'_>) -> Vec<f64> {
    let bands = reader.list("price_bands", |value| match value {
        Value::Number(number) if number.is_finite() => Some(*number),
        Value::Integer(number) => Some(*number as f64),
        _ => None,
    });
    let Some(bands) = bands else { return vec![20.0, 100.0] };
    for pair in bands.windows(2) {
        if let [(before, _), (after, place)] = pair
            && after <= before
        {
            let mistake = Mistake::NotAscending {
                key: "price_bands".to_owned(),
                before: before.to_string(),
                after: after.to_string(),
            };
            reader.sink.push(mistake, Some(*place));
        }
    }
    bands.into_iter().map(|(band, _)| band).collect()
}

pub(super) fn split(reader: &Reader<'_>, datasets: &[CheckedDataset]) -> SplitConfig {
    reader.text("scheme");
    SplitConfig {
        folds: reader.size("folds").unwrap_or(5),
        repeats: reader.size("repeats").unwrap_or(1),
        future: future(reader, datasets),
    }
}

fn future(reader: &Reader<'_>, datasets: &[CheckedDataset]) -> Future {
    let Some(node) = reader.node("future") else { return Future::None };
    match &node.value {
        Value::Text(text) if text == "none" => return Future::None,
        Value::Table(_) => {}
        _ => {
            reader.wrong_type("future", node);
            // One event is enough to keep later checks from reporting that nothing is to be predicted.
            return Future::Last(1);
        }
    }
    let Some(rule) = reader.table("future", &fields::FUTURE) else { return Future::None };
    let found = match (rule.node("last"), rule.node("after")) {
        (Some(_), None) => return Future::Last(rule.size("last").unwrap_or(1)),
        (None, Some(after)) => {
            lacking(reader, datasets, "future", "a time column", "name it in [dataset.columns]", |dataset| {
                dataset.lacks_time
            });
            return instant(&rule, after).map_or(Future::Last(1), Future::After);
        }
        (None, None) => "neither is given",
        (Some(_), Some(_)) => "both are given",
    };
    let mistake = Mistake::EitherOr { within: rule.within.clone(), one: "last", other: "after", found };
    rule.sink.push(mistake, rule.place);
    Future::Last(1)
}

fn instant(rule: &Reader<'_>, node: &Node) -> Option<i64> {
    let (Value::Text(text) | Value::Time(text)) = &node.value else {
        rule.wrong_type("after", node);
        return None;
    };
    let unparsable = |reason: String, place: Place| {
        let mistake = Mistake::Unparsable {
            key: "after".to_owned(),
            what: "a date",
            reason,
            example: "\"2017-12-01\" or \"2017-12-01T08:00:00+01:00\"",
        };
        rule.sink.push(mistake, Some(place));
    };
    // The zoned form first: a civil time would read it too and drop the zone.
    let read = text.parse::<Timestamp>().or_else(|_| {
        let civil: DateTime = text.parse()?;
        civil.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp())
    });
    match read {
        Ok(timestamp) => Some(timestamp.as_millisecond()),
        Err(error) => {
            unparsable(error.to_string(), node.place);
            None
        }
    }
}
