//! `suites/reference.toml`: every key with its meaning, range and default, and every kind with its parameters. Written
//! by the program from the same tables that the checker reads, and a valid suite itself.

use std::fmt::Write;

use trailmark_core::spec::{ParamDefault, ParamSpec};
use trailmark_core::{Catalogue, ParamKind, Spec};

use crate::CheckContext;
use crate::fields::{self, Fallback, Field, Section, Takes};
use crate::resolved::{quoted, texts};

/// The whole reference.
pub fn reference_toml(context: &CheckContext<'_>) -> String {
    let catalogue = context.catalogue;
    let mut page = Page::default();
    page.comment(
        "Every key of a suite with its meaning, what it takes and its default. Written by the program: do not",
    );
    page.comment("edit. What is commented out has no default or needs something that is not here. Prose: README.md.");
    page.blank();
    page.field(fields::ROOT.field("schema"), Some("1"));
    page.section("[suite]", &fields::SUITE, &[("name", &quoted("reference"))]);
    page.section("[[dataset]]", &fields::DATASET, &[("id", &quoted("shop")), ("source", &quoted(fields::SYNTHETIC))]);
    if let Some(spec) = catalogue.synthetic {
        page.comment(&format!("Parameters of the generator. {}", spec.summary));
        page.params(spec, false);
    }
    if !catalogue.datasets.is_empty() {
        page.comment(&format!("Datasets known by manifest: {}.", catalogue.datasets.join(", ")));
    }
    page.delimited_log();

    page.section("[sequence]", &fields::SEQUENCE, &[]);
    let placeholders: Vec<String> = context.placeholders.iter().map(|name| format!("{{{name}}}")).collect();
    page.comment(&format!("Placeholders of the templates: {}.", placeholders.join(", ")));
    page.section("[split]", &fields::SPLIT, &[("future", "{ last = 3 }")]);
    page.comment("future = { after = \"2017-12-01\" }");

    page.arms("[[encoder]]", &fields::ENCODER, catalogue.encoders.iter().map(|entry| entry.spec));
    page.fusions(catalogue);
    page.comment("Post steps with their parameters, as in post = [\"l2\", { kind = .., .. }]:");
    for entry in &catalogue.posts {
        page.comment(&format!("  {}: {}", entry.spec.name, entry.spec.summary));
        for param in entry.spec.params {
            let need = match (param.default, default_of(param)) {
                (ParamDefault::Required, _) => "required".to_owned(),
                (_, None) => "optional".to_owned(),
                (_, Some(value)) => format!("default {value}"),
            };
            let takes = takes(&Takes::One(param.kind));
            page.comment(&format!("    {}: {} ({takes}; {need})", param.name, param.summary));
        }
    }
    page.arms("[[clusterer]]", &fields::CLUSTERER, catalogue.clusterers.iter().map(|entry| entry.spec));
    page.section("[sweep]", &fields::SWEEP, &[]);

    // A headline that any number of encoders can share.
    let ranking =
        catalogue.ranking_metrics.iter().find(|spec| spec.name == "ndcg").or(catalogue.ranking_metrics.first());
    let primary = match (catalogue.recommenders.first(), ranking) {
        (Some(recommender), Some(metric)) => format!("{}/{}@10", recommender.spec().name, metric.name),
        _ => catalogue.metrics.first().map_or_else(String::new, |metric| metric.spec().name.to_owned()),
    };
    let primary = quoted(&primary);
    let recommenders = texts(catalogue.recommenders.iter().map(|recommender| recommender.spec().name));
    let recommend = format!("{{ at = [10], recommenders = {recommenders}, exclude_seen = false }}");
    let mut given = vec![("primary", primary.as_str())];
    if !catalogue.recommenders.is_empty() {
        given.push(("recommend", &recommend));
    }
    page.section("[score]", &fields::SCORE, &given);
    page.comment("Keys of recommend:");
    for field in fields::RECOMMEND.fields {
        page.comment(&format!("  {}: {} ({})", field.name, field.summary, takes(&field.takes)));
    }
    page.comment("Ranking metrics:");
    for metric in &catalogue.ranking_metrics {
        page.comment(&format!("  <recommender>/{}@<k>: {}", metric.name, metric.summary));
    }

    page.comment("Partition metrics:");
    for metric in &catalogue.metrics {
        let needs = if metric.needs().labels_true { " Needs reference labels." } else { "" };
        page.comment(&format!("  {}: {}{needs}", metric.spec().name, metric.spec().summary));
    }

    // With one clusterer there is nothing to compare, and the reference would not be a valid suite.
    page.muted = catalogue.clusterers.iter().filter(|entry| !must_be_told(entry.spec)).count() < 2;
    page.section("[[compare]]", &fields::COMPARE, &[("arms", &quoted("clusterer"))]);
    page.muted = false;
    page.section("[[gate]]", &fields::GATE, &[("margin", "0.02")]);
    page.out
}

/// The text so far.
#[derive(Default)]
struct Page {
    out: String,
    /// Write keys as comments.
    muted: bool,
}

impl Page {
    fn line(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.out, "{}{text}", if self.muted { "# " } else { "" });
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }

    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.out, "{}", format!("# {text}").trim_end());
    }

    /// A table; `given` are values for keys without a default, or better examples than it.
    fn section(&mut self, header: &str, section: &'static Section, given: &[(&str, &str)]) {
        self.blank();
        self.comment(section.summary);
        self.line(header);
        for field in section.fields {
            let value = given.iter().find(|(name, _)| *name == field.name).map(|(_, value)| *value);
            self.field(field, value);
        }
    }

    fn field(&mut self, field: &Field, given: Option<&str>) {
        let takes = takes(&field.takes);
        match (given, field.default) {
            (Some(value), Fallback::Toml(default)) if value != default => {
                self.comment(&format!("{} ({takes}; default {default})", field.summary));
                self.line(&format!("{} = {value}", field.name));
            }
            (Some(value), Fallback::Toml(_)) | (None, Fallback::Toml(value)) => {
                self.comment(&format!("{} ({takes})", field.summary));
                self.line(&format!("{} = {value}", field.name));
            }
            (value, default) => {
                let need = if matches!(default, Fallback::Required) { "required" } else { "optional" };
                self.comment(&format!("{} ({takes}; {need})", field.summary));
                self.given_or_open(field.name, value);
            }
        }
    }

    /// A key with its value, or commented out where there is none to show.
    fn given_or_open(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.line(&format!("{name} = {value}")),
            None => self.comment(&format!("{name} = ..")),
        }
    }

    fn params(&mut self, spec: &'static Spec, muted: bool) {
        let before = std::mem::replace(&mut self.muted, muted);
        for param in spec.params {
            let value = default_of(param);
            let need = match param.default {
                ParamDefault::Required => "; required",
                ParamDefault::Absent => "; optional",
                _ => "",
            };
            self.comment(&format!("{} ({}{need})", param.summary, takes(&Takes::One(param.kind))));
            self.given_or_open(param.name, value.as_deref());
        }
        self.muted = before;
    }

    /// One table per kind. A kind with parameters that must be given is commented out.
    fn arms(&mut self, header: &str, section: &'static Section, specs: impl Iterator<Item = &'static Spec>) {
        for (at, spec) in specs.enumerate() {
            self.blank();
            if at == 0 {
                self.comment(section.summary);
                for field in section.fields {
                    self.comment(&format!("  {}: {} ({})", field.name, field.summary, takes(&field.takes)));
                }
                self.blank();
            }
            self.comment(spec.summary);
            let muted = must_be_told(spec);
            self.muted = muted;
            self.line(header);
            self.line(&format!("id = {}", quoted(spec.name)));
            self.line(&format!("kind = {}", quoted(spec.name)));
            self.params(spec, muted);
            if section.fields.iter().any(|field| field.name == "post") {
                self.line("post = []");
            }
            self.muted = false;
        }
    }

    /// Fusions, shown on the first two encoders that need no file.
    fn fusions(&mut self, catalogue: &Catalogue) {
        let ready = catalogue.encoders.iter().map(|entry| entry.spec).filter(|spec| !must_be_told(spec));
        let parts: Vec<&str> = ready.take(2).map(|spec| spec.name).collect();
        for entry in &catalogue.fusions {
            self.blank();
            self.comment(entry.spec.summary);
            self.muted = parts.len() < 2;
            self.line("[[encoder]]");
            self.line(&format!("id = {}", quoted(entry.spec.name)));
            self.line(&format!("kind = {}", quoted(entry.spec.name)));
            self.line(&format!("parts = {}", texts(parts.iter().copied())));
            self.params(entry.spec, parts.len() < 2);
            self.line("post = []");
            self.muted = false;
        }
    }

    fn delimited_log(&mut self) {
        self.blank();
        self.comment(
            "A delimited log; .gz is unpacked on the way. A RecBole log is a path that ends in .inter and needs no",
        );
        self.comment("column map.");
        self.muted = true;
        self.line("[[dataset]]");
        self.line("id = \"log\"");
        self.line("source = \"data/log.csv\"");
        let given = [
            ("user", "\"user_id\""),
            ("time", "{ column = \"timestamp\", format = \"unix_s\" }"),
            ("label_columns", "{ gender = \"gender\" }"),
            ("rename", "{ gender = { \"0\" = \"female\", \"1\" = \"male\" } }"),
        ];
        self.section("[dataset.columns]", &fields::COLUMNS, &given);
        self.muted = false;
        self.comment("Forms of time:");
        for field in fields::TIME.fields {
            self.comment(&format!("  {}: {} ({})", field.name, field.summary, takes(&field.takes)));
        }
    }
}

/// True when a kind has parameters without which it is nothing.
fn must_be_told(spec: &Spec) -> bool {
    spec.params.iter().any(|param| param.default == ParamDefault::Required)
}

/// What a key takes, in words; choices as they are written.
fn takes(takes: &Takes) -> String {
    match takes {
        Takes::One(ParamKind::Choice(words)) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            words.join(" or ")
        }
        Takes::One(ParamKind::Integer { min, max }) if min == max => min.to_string(),
        other => other.to_string(),
    }
}

/// The default as TOML.
fn default_of(param: &ParamSpec) -> Option<String> {
    Some(match param.default {
        ParamDefault::Required | ParamDefault::Absent => return None,
        // A real number may be declared as a whole one; written as it is meant.
        ParamDefault::Integer(value) if matches!(param.kind, ParamKind::Number { .. }) => format!("{:?}", value as f64),
        ParamDefault::Integer(value) => value.to_string(),
        ParamDefault::Number(value) => format!("{value:?}"),
        ParamDefault::Flag(value) => value.to_string(),
        ParamDefault::Text(value) => quoted(value),
    })
}
