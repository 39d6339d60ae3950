//! The baseline of a suite: one TOML file in version control, sorted, one metric a line, so that a change reads as a diff
//! and merges collide only on the same number. Written by `baseline save`, read by `gate`. Margins live in the suite.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::gate::{Gate, GateError, Selection};
use crate::summary::Summary;
use crate::view::{Index, RunView};

/// Version of the file.
pub const BASELINE_SCHEMA: u32 = 1;

/// A baseline that cannot be read.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// Not TOML of this shape.
    #[error("the baseline is not valid: {0}")]
    Parse(#[from] toml::de::Error),
    /// Made by a newer program.
    #[error(
        "the baseline has schema {found}, this program reads up to {BASELINE_SCHEMA}: use the version that saved it, or save it again"
    )]
    Schema {
        /// What the file says.
        found: u32,
    },
    /// A run that has nothing to keep.
    #[error("the run has no cell that {gate} selects: correct `select` and `metric` of that [[gate]]")]
    NothingSelected {
        /// Number, metric and selection of the gate.
        gate: String,
    },
    /// Nothing to save for.
    #[error("there is no gate to save a baseline for: add [[gate]] with metric and margin to the suite")]
    NoGate,
    /// A run that lacks folds of a gated arm.
    #[error(
        "the run is not complete: {cell} has {done} of {planned} folds; a baseline of a part would gate that part only: run the suite again, which resumes it, then save"
    )]
    Incomplete {
        /// `dataset/encoder/clusterer/k=auto`.
        cell: String,
        /// Folds, repeats included, that have a record.
        done: usize,
        /// Folds that the suite plans.
        planned: usize,
    },
    /// A run whose gated cells failed.
    #[error(
        "the run failed where a gate looks: {metric} of {cell} has {coverage}; a baseline without these values would let them fail forever: mend the cause and run again, then save"
    )]
    Failed {
        /// `dataset/encoder/clusterer/k=auto`.
        cell: String,
        /// The metric.
        metric: String,
        /// Folds with a value, and why the others have none.
        coverage: String,
    },
    /// A gate that cannot be applied.
    #[error(transparent)]
    Gate(#[from] GateError),
}

/// What made a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// Program and version.
    pub tool: String,
    /// Commit of the working tree.
    #[serde(default)]
    pub commit: Option<String>,
    /// True when it had uncommitted changes.
    #[serde(default)]
    pub dirty: Option<bool>,
    /// Operating system and processor.
    pub host: String,
    /// Threads.
    pub threads: usize,
    /// Day, as the caller gives it.
    #[serde(default)]
    pub on: Option<String>,
    /// Why it was saved.
    #[serde(default)]
    pub reason: Option<String>,
}

impl Made {
    /// From the run's manifest; `on` and `reason` are the caller's, because nothing here reads a clock.
    pub fn by(view: &RunView, on: Option<String>, reason: Option<String>) -> Self {
        let manifest = &view.manifest;
        Self {
            tool: manifest.tool.clone(),
            commit: manifest.vcs_commit.clone(),
            dirty: manifest.vcs_dirty,
            host: manifest.host.clone(),
            threads: manifest.threads,
            on,
            reason,
        }
    }
}

/// Which suite a baseline is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteName {
    name: String,
    hash: String,
}

/// Protocol of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineData {
    /// Protocol id.
    pub protocol_id: String,
    /// Its parts.
    pub parts: BTreeMap<String, String>,
}

/// A fold's value, or why it has none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "toml::Value", into = "toml::Value")]
pub enum FoldValue {
    /// A score.
    Number(f64),
    /// A reason.
    Reason(String),
}

impl TryFrom<toml::Value> for FoldValue {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::Float(number) if number.is_finite() => Ok(Self::Number(number)),
            toml::Value::Integer(number) => Ok(Self::Number(number as f64)),
            toml::Value::String(reason) => Ok(Self::Reason(reason)),
            other => Err(format!("a fold is a finite number or a reason, not {other}")),
        }
    }
}

impl From<FoldValue> for toml::Value {
    fn from(fold: FoldValue) -> Self {
        match fold {
            FoldValue::Number(number) => Self::Float(number),
            FoldValue::Reason(reason) => Self::String(reason),
        }
    }
}

/// One metric of one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineScore {
    /// Mean over folds and repeats, where every fold has a value; weighted by users for a mean over users.
    #[serde(default)]
    pub mean: Option<f64>,
    /// Folds with a value.
    pub n: usize,
    /// By repeat and fold.
    pub folds: Vec<FoldValue>,
}

impl BaselineScore {
    fn of(summary: &Summary, n_folds: usize) -> Self {
        let folds = (0..summary.of())
            .map(|at| {
                let place = (at / n_folds.max(1), at % n_folds.max(1));
                match summary.values().get(&place) {
                    Some(number) => FoldValue::Number(*number),
                    None => {
                        FoldValue::Reason(summary.gaps().get(&place).cloned().unwrap_or_else(|| "not_run".to_owned()))
                    }
                }
            })
            .collect();
        Self { mean: summary.mean(), n: summary.n(), folds }
    }
}

/// A stored baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    schema: u32,
    suite: SuiteName,
    /// What made it.
    pub made: Made,
    /// Protocols by dataset.
    #[serde(default)]
    pub data: BTreeMap<String, BaselineData>,
    /// Scores by cell (`dataset/encoder/clusterer/k=auto`) and metric.
    #[serde(default)]
    pub cell: BTreeMap<String, BTreeMap<String, BaselineScore>>,
}

impl Baseline {
    /// Every metric of every arm that a gate selects.
    ///
    /// # Errors
    /// When there is no gate, a gate's `select` is not a regular expression or selects nothing, or a gated arm lacks folds or
    /// has failed ones: a baseline is what later runs must reach, so it is of a whole run. Undefined scores are kept.
    pub fn from_run(view: &RunView, gates: &[Gate], made: Made) -> Result<Self, BaselineError> {
        let index = Index::new(view);
        let mut cell: BTreeMap<String, BTreeMap<String, BaselineScore>> = BTreeMap::new();
        let mut datasets = BTreeSet::new();
        if gates.is_empty() {
            return Err(BaselineError::NoGate);
        }
        for (at, gate) in gates.iter().enumerate() {
            let selection = Selection::new(gate)?;
            let planned = view.manifest.folds * view.manifest.repeats;
            if let Some(cell) = index.unstarted().into_iter().find(|name| selection.takes(name)) {
                return Err(BaselineError::Incomplete { cell, done: 0, planned });
            }
            let mut selected = false;
            for arm in view.datasets().iter().flat_map(|dataset| index.every_arm(dataset)) {
                let name = arm.name();
                if !selection.takes(&name) {
                    continue;
                }
                let summary = index.summary(&arm, trailmark_store::record::Split::Test, "", &gate.metric);
                if !summary.is_absent() {
                    refuse_partial(&name, &gate.metric, &summary)?;
                    selected = true;
                    datasets.insert(arm.dataset);
                    let score = BaselineScore::of(&summary, view.manifest.folds);
                    cell.entry(name).or_default().insert(gate.metric.clone(), score);
                }
            }
            if !selected {
                return Err(BaselineError::NothingSelected { gate: gate.describe(at) });
            }
        }
        let data = view
            .manifest
            .datasets
            .iter()
            .filter(|(id, _)| datasets.contains(id.as_str()))
            .map(|(id, facts)| {
                let data = BaselineData { protocol_id: facts.protocol_id.to_string(), parts: facts.protocol.clone() };
                (id.clone(), data)
            })
            .collect();
        let suite = SuiteName { name: view.manifest.suite.clone(), hash: view.manifest.suite_hash.to_string() };
        Ok(Self { schema: BASELINE_SCHEMA, suite, made, data, cell })
    }

    /// Name of the suite.
    pub fn suite(&self) -> &str {
        &self.suite.name
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When it is malformed or newer than this program.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        // The schema first: a newer file may well have keys that this program would call malformed.
        let table: toml::Table = toml::from_str(text)?;
        let found = table.get("schema").and_then(toml::Value::as_integer).and_then(|schema| u32::try_from(schema).ok());
        match found {
            Some(found) if found > BASELINE_SCHEMA => Err(BaselineError::Schema { found }),
            _ => Ok(toml::from_str(text)?),
        }
    }

    /// The text of the file: sorted, one metric a line, shortest numbers that read back to the same bits.
    pub fn to_toml(&self) -> String {
        let mut document = DocumentMut::new();
        document["schema"] = value(i64::from(self.schema));
        let mut suite = InlineTable::new();
        suite.insert("name", self.suite.name.as_str().into());
        suite.insert("hash", self.suite.hash.as_str().into());
        document["suite"] = value(suite);

        let made = &self.made;
        let mut line = InlineTable::new();
        line.insert("tool", made.tool.as_str().into());
        if let Some(commit) = &made.commit {
            line.insert("commit", commit.as_str().into());
        }
        if let Some(dirty) = made.dirty {
            line.insert("dirty", dirty.into());
        }
        line.insert("host", made.host.as_str().into());
        line.insert("threads", i64::try_from(made.threads).unwrap_or(i64::MAX).into());
        for (key, text) in [("on", &made.on), ("reason", &made.reason)] {
            if let Some(text) = text {
                line.insert(key, text.as_str().into());
            }
        }
        document["made"] = value(line);

        let mut data = implicit();
        for (id, facts) in &self.data {
            let mut parts = Table::new();
            for (part, digest) in &facts.parts {
                parts.insert(part, value(digest.as_str()));
            }
            let mut table = Table::new();
            table.insert("protocol_id", value(facts.protocol_id.as_str()));
            table.insert("parts", Item::Table(parts));
            data.insert(id, Item::Table(table));
        }
        document.insert("data", Item::Table(data));

        let mut cells = implicit();
        for (name, scores) in &self.cell {
            let mut table = Table::new();
            for (metric, score) in scores {
                let mut line = InlineTable::new();
                if let Some(mean) = score.mean {
                    line.insert("mean", mean.into());
                }
                line.insert("n", i64::try_from(score.n).unwrap_or(i64::MAX).into());
                let folds = score.folds.iter().map(|fold| match fold {
                    FoldValue::Number(number) => Value::from(*number),
                    FoldValue::Reason(reason) => Value::from(reason.as_str()),
                });
                line.insert("folds", Value::Array(folds.collect::<Array>()));
                table.insert(metric, value(line));
            }
            cells.insert(name, Item::Table(table));
        }
        document.insert("cell", Item::Table(cells));
        format!("# Written by `trailmark baseline save`. Margins live in the suite.\n{document}")
    }
}

/// A mean of a part is no measure for a whole: every fold must have run, and none may have failed.
fn refuse_partial(cell: &str, metric: &str, summary: &Summary) -> Result<(), BaselineError> {
    let (done, planned) = (summary.values().len() + summary.gaps().len(), summary.of());
    let cell = cell.to_owned();
    if done < planned {
        return Err(BaselineError::Incomplete { cell, done, planned });
    }
    if summary.gaps().keys().any(|place| !summary.is_undefined(*place)) {
        return Err(BaselineError::Failed { cell, metric: metric.to_owned(), coverage: summary.coverage() });
    }
    Ok(())
}

fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}
