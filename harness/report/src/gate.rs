//! Whether a run is as good as its baseline. Each gate judges one metric of each selected arm; the report names what moved,
//! by how much and against which tolerance, and its exit code fails a build. Nothing compared is never a pass.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use trailmark_store::record::Split;

use crate::baseline::{Baseline, BaselineScore, FoldValue};
use crate::interval::test;
use crate::number::{interval, plain, signed};
use crate::summary::Summary;
use crate::table::{Cell, Column, Content, Table};
use crate::view::{Index, RunView};

/// Version of `gate.json`.
pub const GATE_SCHEMA: u32 = 1;
/// Regressed, drifted, missing, errored, or nothing to compare.
pub const EXIT_GATE_FAILED: u8 = 20;
/// There is no baseline.
pub const EXIT_NO_BASELINE: u8 = 21;
/// The protocol differs, so the numbers may not be compared.
pub const EXIT_NOT_COMPARABLE: u8 = 22;
/// Inconclusive, when that was asked to fail.
pub const EXIT_INCONCLUSIVE: u8 = 23;

/// How a gate decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateRule {
    /// A loss of the mean beyond the margin fires.
    Margin,
    /// Any change of any fold fires.
    Exact,
    /// The lower 95 % bound of the paired difference must lie above minus the margin.
    NonInferior,
}

/// One gate of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// The metric, on test users.
    pub metric: String,
    /// Allowed loss, in the metric's unit.
    pub margin: f64,
    /// The rule.
    pub rule: GateRule,
    /// Regular expression on `dataset/encoder/clusterer/k=..`; none takes every arm with n_clusters = auto.
    pub select: Option<String>,
}

impl Gate {
    /// `gate 2 (adjusted_rand_score, select "^shop/")`; `at` is its place in the suite, from 0.
    pub(crate) fn describe(&self, at: usize) -> String {
        let select = self.select.as_ref().map_or(String::new(), |select| format!(", select {select:?}"));
        format!("gate {} ({}{select})", at + 1, self.metric)
    }
}

/// A gate that cannot be applied.
#[derive(Debug, Error)]
pub enum GateError {
    /// Not a regular expression.
    #[error("the gate on {metric} selects {select:?}, which is not a regular expression: {source}")]
    Select {
        /// The gate's metric.
        metric: String,
        /// What it says.
        select: String,
        /// Why it is none.
        source: Box<regex::Error>,
    },
}

/// Which cells a gate takes.
pub(crate) struct Selection(Option<Regex>);

impl Selection {
    pub(crate) fn new(gate: &Gate) -> Result<Self, GateError> {
        let Some(select) = &gate.select else { return Ok(Self(None)) };
        let regex = Regex::new(select).map_err(|source| GateError::Select {
            metric: gate.metric.clone(),
            select: select.clone(),
            source: Box::new(source),
        })?;
        Ok(Self(Some(regex)))
    }

    pub(crate) fn takes(&self, name: &str) -> bool {
        self.0.as_ref().map_or_else(|| name.ends_with("/k=auto"), |regex| regex.is_match(name))
    }
}

/// What a gate says of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// The mean fell by more than the margin.
    Regressed,
    /// An exact gate, and a number changed without getting worse.
    Drifted,
    /// The baseline has the cell, the run does not.
    Missing,
    /// The run failed, or has no value where the baseline has one.
    Errored,
    /// The protocol differs.
    NotComparable,
    /// The interval straddles the margin.
    Inconclusive,
    /// The run has the cell, the baseline does not.
    New,
    /// The mean rose by more than the margin.
    Improved,
    /// Within the margin.
    Pass,
    /// Equal to 1e-9, or undefined for the same reasons.
    Identical,
}

impl GateVerdict {
    /// The snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Drifted => "drifted",
            Self::Missing => "missing",
            Self::Errored => "errored",
            Self::NotComparable => "not_comparable",
            Self::Inconclusive => "inconclusive",
            Self::New => "new",
            Self::Improved => "improved",
            Self::Pass => "pass",
            Self::Identical => "identical",
        }
    }

    /// True when it fails the gate.
    pub fn fails(self) -> bool {
        matches!(self, Self::Regressed | Self::Drifted | Self::Missing | Self::Errored)
    }
}

/// One metric of one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateRow {
    /// `dataset/encoder/clusterer/k=auto`.
    pub cell: String,
    /// The metric.
    pub metric: String,
    /// Mean in the baseline, over the folds that both have, weighted by users where the metric is a mean over users.
    pub baseline: Option<f64>,
    /// Mean in the run, over the folds that both have.
    pub current: Option<f64>,
    /// Mean difference, positive when the run is better.
    pub difference: Option<f64>,
    /// Allowed loss.
    pub margin: f64,
    /// The rule.
    pub rule: GateRule,
    /// 95 % interval of the paired difference over folds, unweighted.
    pub interval: Option<(f64, f64)>,
    /// The verdict.
    pub verdict: GateVerdict,
    /// Why, where the numbers do not say it.
    pub note: String,
}

/// `gate.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    /// [`GATE_SCHEMA`].
    pub schema: u32,
    /// The suite.
    pub suite: String,
    /// Every judged metric, by verdict from the worst, then by cell.
    pub rows: Vec<GateRow>,
    /// The parts of the protocol that differ: `shop: split was 1f.., is 2a..`.
    pub not_comparable: Vec<String>,
    /// Gates of which nothing was compared with the baseline, each with its number, metric and selection.
    #[serde(default)]
    pub nothing_compared: Vec<String>,
    /// What happened, in a sentence.
    pub message: String,
    /// Exit code.
    pub exit_code: u8,
}

/// The part of a protocol that lists every metric with its revision.
const METRICS_PART: &str = "metrics";

/// Judges a run.
///
/// # Errors
/// When a gate's `select` is not a regular expression.
pub fn gate(
    view: &RunView,
    baseline: &Baseline,
    gates: &[Gate],
    fail_on_inconclusive: bool,
) -> Result<GateReport, GateError> {
    let index = Index::new(view);
    let (differing, not_comparable) = differing_protocols(view, baseline, gates);
    let (mut rows, mut nothing_compared) = (Vec::new(), Vec::new());
    for (at, gate) in gates.iter().enumerate() {
        let mut compared = false;
        let selection = Selection::new(gate)?;
        let mut names: BTreeSet<String> = baseline.cell.keys().cloned().collect();
        let arms: Vec<_> = view.datasets().iter().flat_map(|dataset| index.every_arm(dataset)).collect();
        names.extend(arms.iter().map(|arm| arm.name()));
        for name in names.into_iter().filter(|name| selection.takes(name)) {
            let base = baseline.cell.get(&name).and_then(|scores| scores.get(&gate.metric));
            let arm = arms.iter().find(|arm| arm.name() == name);
            let current = arm.map(|arm| index.summary(arm, Split::Test, "", &gate.metric));
            // A metric that neither side has is not this cell's business.
            if base.is_none() && current.as_ref().is_none_or(Summary::is_absent) {
                continue;
            }
            let ratios = arm.map(|arm| index.ratios(arm)).unwrap_or_default();
            let mut row = judge(view, gate, name, base, current.as_ref(), &ratios);
            compared |= base.is_some();
            let dataset = row.cell.split('/').next().unwrap_or_default();
            if differing.contains(dataset) && !matches!(row.verdict, GateVerdict::New) {
                row = GateRow {
                    difference: None,
                    interval: None,
                    verdict: GateVerdict::NotComparable,
                    note: "the protocol differs".to_owned(),
                    ..row
                };
            }
            rows.push(row);
        }
        if !compared {
            nothing_compared.push(gate.describe(at));
        }
    }
    rows.sort_by(|a, b| (a.verdict, &a.cell, &a.metric).cmp(&(b.verdict, &b.cell, &b.metric)));
    let (exit_code, message) = conclude(&rows, &nothing_compared, baseline.suite(), fail_on_inconclusive);
    let suite = view.manifest.suite.clone();
    Ok(GateReport { schema: GATE_SCHEMA, suite, rows, not_comparable, nothing_compared, message, exit_code })
}

/// Datasets whose protocol differs, and what differs, field by field. Of the metrics only the gated ones matter: a
/// suite that computes one more is as comparable as before.
fn differing_protocols(view: &RunView, baseline: &Baseline, gates: &[Gate]) -> (BTreeSet<String>, Vec<String>) {
    let gated = |definitions: &str| -> String {
        let wanted = |definition: &&str| {
            let name = definition.split(' ').next().unwrap_or_default();
            gates.iter().any(|gate| gate.metric == name || gate.metric.starts_with(&format!("{name}[")))
        };
        definitions.split(", ").filter(wanted).collect::<Vec<_>>().join(", ")
    };
    let mut datasets = BTreeSet::new();
    let mut lines = Vec::new();
    for (id, was) in &baseline.data {
        let Some(is) = view.manifest.datasets.get(id) else { continue };
        if was.protocol_id == is.protocol_id.to_string() {
            continue;
        }
        let parts: BTreeSet<&String> = was.parts.keys().chain(is.protocol.keys()).collect();
        let before = lines.len();
        for part in parts {
            let (mut old, mut new) = (was.parts.get(part).cloned(), is.protocol.get(part).cloned());
            if part == METRICS_PART {
                (old, new) = (old.as_deref().map(gated), new.as_deref().map(gated));
            }
            if old != new {
                let show = |value: Option<String>| value.map_or("absent".to_owned(), |text| shorten(&text));
                lines.push(format!("{id}: {part} was {}, is {}", show(old), show(new)));
            }
        }
        if lines.len() > before {
            datasets.insert(id.clone());
        }
    }
    // A file edited by hand may hold cells whose protocol nobody knows.
    for dataset in baseline.cell.keys().filter_map(|cell| cell.split('/').next()) {
        if !baseline.data.contains_key(dataset) && datasets.insert(dataset.to_owned()) {
            lines.push(format!("{dataset}: the baseline does not say its protocol"));
        }
    }
    (datasets, lines)
}

/// Digests by their first twelve digits, anything else in full.
fn shorten(text: &str) -> String {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        text[..12].to_owned()
    } else {
        text.to_owned()
    }
}

fn judge(
    view: &RunView,
    gate: &Gate,
    cell: String,
    base: Option<&BaselineScore>,
    current: Option<&Summary>,
    ratios: &BTreeMap<(usize, usize), f64>,
) -> GateRow {
    let mut row = GateRow {
        cell,
        metric: gate.metric.clone(),
        baseline: base.and_then(|base| base.mean),
        current: current.and_then(Summary::mean),
        difference: None,
        margin: gate.margin,
        rule: gate.rule,
        interval: None,
        verdict: GateVerdict::New,
        note: String::new(),
    };
    let Some(base) = base else {
        let failed = current.map(failures).unwrap_or_default();
        if !failed.is_empty() {
            row.verdict = GateVerdict::Errored;
            row.note = format!("the baseline has no such value, and the run failed: {}", failed.join(", "));
            return row;
        }
        row.note = "the baseline has no such value: save it to gate it".to_owned();
        return row;
    };
    let Some(current) = current else {
        row.verdict = GateVerdict::Missing;
        row.note = "the baseline has this cell, the run does not".to_owned();
        return row;
    };

    let n_folds = view.manifest.folds.max(1);
    let (mut was, mut is) = (BTreeMap::new(), BTreeMap::new());
    let (mut lost, mut broken) = (Vec::new(), Vec::new());
    for (at, fold) in base.folds.iter().enumerate() {
        let place = (at / n_folds, at % n_folds);
        match (fold, current.values().get(&place)) {
            (FoldValue::Number(old), Some(new)) => {
                was.insert(place, *old);
                is.insert(place, *new);
            }
            (FoldValue::Number(_), None) => lost.push(gap_words(current, place)),
            (FoldValue::Reason(_), None) if !current.is_undefined(place) => broken.push(gap_words(current, place)),
            (FoldValue::Reason(_), _) => {}
        }
    }
    if !lost.is_empty() || !broken.is_empty() {
        row.verdict = GateVerdict::Errored;
        let parts = [("had a value before", lost), ("had none before either", broken)];
        let parts = parts.into_iter().filter(|(_, folds)| !folds.is_empty());
        let parts: Vec<String> = parts.map(|(what, folds)| format!("{what}; {}", folds.join(", "))).collect();
        row.note = parts.join("; ");
        return row;
    }
    if was.is_empty() {
        let (verdict, note) = if current.n() > 0 {
            (GateVerdict::Improved, "undefined before, has values now".to_owned())
        } else {
            (GateVerdict::Identical, format!("no value in both: {}", current.coverage()))
        };
        row.verdict = verdict;
        row.note = note;
        return row;
    }
    if was.len() < current.of() {
        row.note = format!("over the {} of {} folds that both have", was.len(), current.of());
    }

    let orientation = view.orientation(&gate.metric);
    let differences: BTreeMap<(usize, usize), f64> =
        is.iter().map(|(place, new)| (*place, orientation * (new - was[place]))).collect();
    // Under one protocol a fold has the same users in both, so the run's weights serve for the baseline too.
    let (old_mean, difference) = (current.mean_of(&was), current.mean_of(&differences));
    row.baseline = Some(old_mean);
    row.current = Some(current.mean_of(&is));
    row.difference = Some(difference);
    let equal = |difference: f64, old: f64| difference.abs() <= 1e-9 + 1e-9 * old.abs();
    if differences.iter().all(|(place, difference)| equal(*difference, was[place])) {
        row.verdict = GateVerdict::Identical;
        return row;
    }
    row.interval = test(&differences, ratios).map(|result| result.interval);
    // Rounding of the sums must not decide at the margin itself.
    let slack = 1e-9 + 1e-9 * old_mean.abs();
    row.verdict = match gate.rule {
        GateRule::Exact if difference < -slack => GateVerdict::Regressed,
        GateRule::Exact => GateVerdict::Drifted,
        GateRule::Margin if difference < -gate.margin - slack => GateVerdict::Regressed,
        GateRule::Margin if difference > gate.margin + slack => GateVerdict::Improved,
        GateRule::Margin => GateVerdict::Pass,
        GateRule::NonInferior => match row.interval {
            Some((low, _)) if low > gate.margin => GateVerdict::Improved,
            Some((low, _)) if low > -gate.margin => GateVerdict::Pass,
            Some((_, high)) if high < -gate.margin => GateVerdict::Regressed,
            Some(_) => GateVerdict::Inconclusive,
            None => {
                row.note = "too few folds for an interval".to_owned();
                GateVerdict::Inconclusive
            }
        },
    };
    row
}

/// Folds of a run whose cell or score failed.
fn failures(current: &Summary) -> Vec<String> {
    let places = current.gaps().keys().copied();
    places.filter(|place| current.is_failed(*place)).map(|place| gap_words(current, place)).collect()
}

fn gap_words(current: &Summary, place: (usize, usize)) -> String {
    let reason = current.gaps().get(&place).map_or("not_run", String::as_str);
    format!("fold {} of repeat {}: {reason}", place.1, place.0)
}

fn conclude(rows: &[GateRow], idle: &[String], suite: &str, fail_on_inconclusive: bool) -> (u8, String) {
    let count = |verdict: GateVerdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let failing = rows.iter().filter(|row| row.verdict.fails()).count();
    let mut verdicts: Vec<GateVerdict> = rows.iter().map(|row| row.verdict).collect();
    verdicts.dedup();
    let tally: Vec<String> = verdicts.iter().map(|verdict| format!("{} {}", count(*verdict), verdict.name())).collect();
    let tally = tally.join(", ");
    if !idle.is_empty() || rows.is_empty() {
        let gates = if idle.is_empty() { "no gate".to_owned() } else { idle.join(", ") };
        let found = if tally.is_empty() { String::new() } else { format!("; of all gates: {tally}") };
        let message = format!(
            "gate failed: nothing was compared with the baseline of {suite} by {gates}: correct `select` and `metric`, or \
             save the baseline again{found}"
        );
        (EXIT_GATE_FAILED, message)
    } else if failing > 0 {
        (EXIT_GATE_FAILED, format!("gate failed: {tally}"))
    } else if count(GateVerdict::NotComparable) > 0 {
        (EXIT_NOT_COMPARABLE, format!("not comparable with the baseline, because the protocol differs: {tally}"))
    } else if fail_on_inconclusive && count(GateVerdict::Inconclusive) > 0 {
        (EXIT_INCONCLUSIVE, format!("gate inconclusive: {tally}"))
    } else {
        (0, format!("gate passed: {tally}"))
    }
}

impl GateReport {
    /// The report of a suite that has no baseline yet.
    pub fn no_baseline(suite: &str) -> Self {
        Self {
            schema: GATE_SCHEMA,
            suite: suite.to_owned(),
            rows: Vec::new(),
            not_comparable: Vec::new(),
            nothing_compared: Vec::new(),
            message: format!("there is no baseline of {suite}: save one with `trailmark baseline save`"),
            exit_code: EXIT_NO_BASELINE,
        }
    }

    /// The text of `gate.json`.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("numbers are finite and keys are text");
        format!("{text}\n")
    }

    /// Which metric moved, by how much, against which tolerance.
    pub fn table(&self) -> Table {
        let columns = vec![
            Column::text("verdict", "verdict"),
            Column::text("cell", "cell"),
            Column::text("metric", "metric"),
            Column::number("baseline", "baseline"),
            Column::number("current", "current"),
            Column::number("difference", "difference").help("positive when the run is better"),
            Column::text("tolerance", "tolerance"),
            Column::number("interval", "95 % interval"),
            Column::text("note", "note"),
        ];
        let mut table = Table::new("gate", format!("Gate of {}: {}", self.suite, self.message), columns);
        for row in &self.rows {
            let tolerance = match row.rule {
                GateRule::Exact => "exact".to_owned(),
                GateRule::Margin => format!("loss <= {}", row.margin),
                GateRule::NonInferior => format!("lower bound > -{}", row.margin),
            };
            table.push(vec![
                row.verdict.name().into(),
                row.cell.as_str().into(),
                row.metric.as_str().into(),
                Cell::number(row.baseline, plain),
                Cell::number(row.current, plain),
                Cell::number(row.difference, signed),
                tolerance.into(),
                row.interval.map_or(Content::Empty.into(), |(low, high)| interval(low, high).into()),
                row.note.as_str().into(),
            ]);
        }
        for line in &self.not_comparable {
            table.note(line.clone());
        }
        for gate in &self.nothing_compared {
            table.note(format!("{gate} compared nothing"));
        }
        table
    }
}
