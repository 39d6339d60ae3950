//! A checked suite as TOML with every key and default as it runs: `suite.resolved.toml`. Reading it gives the same
//! suite again.

use std::fmt::Write;

use jiff::Timestamp;
use trailmark_core::config::{Columns, DatasetConfig, Future, SequenceConfig, Source, SplitConfig, TimeColumns, Unit};
use trailmark_core::{Key, KeyBuilder, ParamValue, Params, Spec};

use crate::checked::{CompareArms, GateKind, PostStep, ScoreConfig, Suite, Sweep};
use crate::{fields, ids};

/// The whole suite, canonical.
pub fn resolved_toml(suite: &Suite) -> String {
    write_suite(suite, suite.question.as_deref())
}

/// Identifies what a run folder holds: everything of the suite but its question, with the revisions of its components.
///
/// Ids and order are in it, unlike in the ids of cells, because records name arms by id.
pub fn suite_hash(suite: &Suite) -> Key {
    let mut key = KeyBuilder::new("suite").text("resolved", &write_suite(suite, None));
    for arm in &suite.encoders {
        // What a fusion's parts are is in the text above, by id.
        key = key.key("encoder", &ids::encoder_arm_key(arm, "", &[]));
    }
    for arm in &suite.clusterers {
        key = key.key("clusterer", &ids::clusterer_arm_key(arm));
    }
    key.finish()
}

fn write_suite(suite: &Suite, question: Option<&str>) -> String {
    let mut head = Lines::section("[suite]").text("name", &suite.name).raw("seed", suite.seed);
    if let Some(question) = question {
        head = head.text("question", question);
    }
    let mut sections = vec!["schema = 1\n".to_owned(), head.0];
    sections.extend(suite.datasets.iter().map(dataset));
    sections.push(sequence(&suite.sequence));
    sections.push(split(&suite.split));
    for arm in &suite.encoders {
        let lines = Lines::section("[[encoder]]").text("id", &arm.id).text("kind", arm.spec.name);
        let post = list(arm.post.iter().map(post_step));
        let lines = lines.params(arm.spec, &arm.params).raw("post", post);
        let parts = texts(arm.parts.iter().map(|part| suite.encoders[*part].id.as_str()));
        sections.push(if arm.parts.is_empty() { lines.0 } else { lines.raw("parts", parts).0 });
    }
    for arm in &suite.clusterers {
        let lines = Lines::section("[[clusterer]]").text("id", &arm.id).text("kind", arm.spec.name);
        sections.push(lines.params(arm.spec, &arm.params).0);
    }
    sections.push(sweep(&suite.sweep));
    sections.push(score(&suite.score));
    for compare in &suite.compares {
        let arms = match compare.arms {
            CompareArms::Encoder => "encoder",
            CompareArms::Clusterer => "clusterer",
        };
        let lines = Lines::section("[[compare]]").text("arms", arms).text("metric", &compare.metric);
        sections.push(lines.real("alpha", compare.alpha).0);
    }
    for gate in &suite.gates {
        let mut lines = Lines::section("[[gate]]").text("metric", &gate.metric);
        lines = match gate.rule {
            GateKind::Exact => lines.text("rule", "exact"),
            GateKind::Margin => lines.real("margin", gate.margin).text("rule", "margin"),
            GateKind::NonInferior => lines.real("margin", gate.margin).text("rule", "non_inferior"),
        };
        sections.push(lines.optional_text("select", gate.select.as_deref()).0);
    }
    sections.join("\n")
}

/// A word where there is nothing to tell, else the step with all its parameters.
fn post_step(step: &PostStep) -> String {
    if step.params.iter().next().is_none() {
        return quoted(step.spec.name);
    }
    let params = step.spec.params.iter().filter_map(|each| step.params.get(each.name).map(|value| (each.name, value)));
    let params: Vec<String> = params.map(|(name, value)| format!("{name} = {}", param(value))).collect();
    format!("{{ kind = {}, {} }}", quoted(step.spec.name), params.join(", "))
}

fn dataset(config: &DatasetConfig) -> String {
    let lines = Lines::section("[[dataset]]").text("id", &config.id);
    let lines = match &config.source {
        // The generator's Spec is not part of a checked suite, so parameters come by name; all are written.
        Source::Synthetic { params } => params
            .iter()
            .fold(lines.text("source", fields::SYNTHETIC), |lines, (name, value)| lines.raw(name, param(value))),
        Source::Named { name } => lines.text("source", name),
        Source::Delimited { path, .. } | Source::Recbole { path } => lines.text("source", &path.to_string_lossy()),
    };
    let lines = lines
        .raw("labels", texts(config.labels.iter().map(String::as_str)))
        .real("max_dropped", config.max_dropped)
        .optional("sample_users", config.sample_users);
    match &config.source {
        Source::Delimited { columns: map, .. } => format!("{}\n{}", lines.0, columns(map)),
        _ => lines.0,
    }
}

fn columns(map: &Columns) -> String {
    let time = map.time.as_ref().map(|time| {
        let one = |column: &str, format: &str| format!("{{ column = {}, format = {format:?} }}", quoted(column));
        match time {
            TimeColumns::UnixS { column } => one(column, "unix_s"),
            TimeColumns::UnixMs { column } => one(column, "unix_ms"),
            TimeColumns::Iso { column } => one(column, "iso"),
            TimeColumns::Parts { year, month, day } => {
                format!("{{ year = {}, month = {}, day = {} }}", quoted(year), quoted(month), quoted(day))
            }
        }
    });
    let rename = map.rename.iter().map(|(column, codes)| (column, inline(codes.iter().map(|(c, n)| (c, quoted(n))))));
    Lines::section("[dataset.columns]")
        .text("delimiter", &map.delimiter.to_string())
        .optional("names", map.names.as_ref().map(|names| texts(names.iter().map(String::as_str))))
        .text("user", &map.user)
        .optional_text("session", map.session.as_deref())
        .optional_text("item", map.item.as_deref())
        .optional_text("category", map.category.as_deref())
        .optional_text("event", map.event.as_deref())
        .text("default_event", &map.default_event)
        .optional("time", time)
        .optional_text("order", map.order.as_deref())
        .optional_text("value", map.value.as_deref())
        .optional_text("price", map.price.as_deref())
        .optional_text("query", map.query.as_deref())
        .optional_text("title", map.title.as_deref())
        .raw("label_columns", inline(map.labels.iter().map(|(label, column)| (label, quoted(column)))))
        .raw("rename", inline(rename))
        .0
}

/// `[sequence]`, also hashed into the protocol.
pub(crate) fn sequence(config: &SequenceConfig) -> String {
    let lines = Lines::section("[sequence]");
    let lines = match config.unit {
        Unit::User => lines.text("unit", "user"),
        Unit::Session { gap_ms } => {
            lines.text("unit", "session").optional_text("gap", gap_ms.map(|ms| format!("{}s", ms / 1000)).as_deref())
        }
    };
    lines
        .raw("form", format!("{{ text = {}, tokens = {} }}", quoted(&config.text), quoted(&config.tokens)))
        .text("separator", &config.separator)
        .raw("min_events", config.min_events)
        .raw("max_events", config.max_events)
        .raw("price_bands", list(config.price_bands.iter().map(|band| format!("{band:?}"))))
        .0
}

/// `[split]`, also hashed into the protocol.
pub(crate) fn split(config: &SplitConfig) -> String {
    let future = match config.future {
        Future::None => quoted("none"),
        Future::Last(last) => format!("{{ last = {last} }}"),
        // An instant outside of what a date can say cannot have been read from one.
        Future::After(ms) => {
            let instant = Timestamp::from_millisecond(ms).unwrap_or_default();
            format!("{{ after = {} }}", quoted(&instant.to_string()))
        }
    };
    Lines::section("[split]")
        .text("scheme", "user_kfold")
        .raw("folds", config.folds)
        .raw("repeats", config.repeats)
        .raw("future", future)
        .0
}

fn sweep(sweep: &Sweep) -> String {
    Lines::section("[sweep]")
        .raw("n_clusters", list(sweep.n_clusters.iter().map(ToString::to_string)))
        .text("pick", sweep.pick.name())
        .real("min_silhouette", sweep.min_silhouette)
        .0
}

fn score(config: &ScoreConfig) -> String {
    let recommend = config.recommend.as_ref().map(|recommend| {
        format!(
            "{{ at = {}, recommenders = {}, exclude_seen = {} }}",
            list(recommend.at.iter().map(ToString::to_string)),
            texts(recommend.recommenders.iter().map(String::as_str)),
            recommend.exclude_seen
        )
    });
    Lines::section("[score]")
        .text("primary", &config.primary)
        .raw("metrics", texts(config.metrics.iter().map(String::as_str)))
        .text("distance", config.distance.name())
        .optional("recommend", recommend)
        .0
}

/// The lines of one table.
struct Lines(String);

impl Lines {
    fn section(header: &str) -> Self {
        Self(format!("{header}\n"))
    }

    fn raw(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{name} = {value}");
        self
    }

    fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, quoted(value))
    }

    fn real(self, name: &str, value: f64) -> Self {
        self.raw(name, format!("{value:?}"))
    }

    fn optional(self, name: &str, value: Option<impl std::fmt::Display>) -> Self {
        match value {
            Some(value) => self.raw(name, value),
            None => self.left_out(name),
        }
    }

    fn optional_text(self, name: &str, value: Option<&str>) -> Self {
        self.optional(name, value.map(quoted))
    }

    fn left_out(mut self, name: &str) -> Self {
        let _ = writeln!(self.0, "# {name} is left out");
        self
    }

    fn params(self, spec: &Spec, params: &Params) -> Self {
        spec.params.iter().fold(self, |lines, each| match params.get(each.name) {
            Some(value) => lines.raw(each.name, param(value)),
            None => lines.left_out(each.name),
        })
    }
}

/// A parameter as TOML.
pub(crate) fn param(value: &ParamValue) -> String {
    match value {
        ParamValue::Flag(value) => value.to_string(),
        ParamValue::Integer(value) => value.to_string(),
        ParamValue::Number(value) => format!("{value:?}"),
        ParamValue::Text(value) => quoted(value),
    }
}

/// A text as a TOML basic string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}

/// A list of texts as TOML.
pub(crate) fn texts<'a>(values: impl Iterator<Item = &'a str>) -> String {
    list(values.map(quoted))
}

fn inline<'a>(entries: impl Iterator<Item = (&'a String, String)>) -> String {
    let entries: Vec<String> = entries.map(|(key, value)| format!("{} = {value}", quoted(key))).collect();
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
}
