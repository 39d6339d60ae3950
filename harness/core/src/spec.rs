//! What a component is called, what it takes and where it is described. Validation, `list`, help, the generated
//! tables and `suites/reference.toml` all come from these values.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key::{Key, KeyBuilder};

/// The kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamKind {
    /// A whole number in `min..=max`.
    Integer {
        /// Smallest allowed.
        min: i64,
        /// Largest allowed.
        max: i64,
    },
    /// A finite real number in `min..=max`.
    Number {
        /// Smallest allowed.
        min: f64,
        /// Largest allowed.
        max: f64,
    },
    /// `true` or `false`.
    Flag,
    /// Any text.
    Text,
    /// One of a fixed list of words.
    Choice(&'static [&'static str]),
}

impl fmt::Display for ParamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { min, max: i64::MAX } => write!(f, "a whole number of at least {min}"),
            Self::Integer { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::Number { min, max } if max.is_infinite() && min.is_infinite() => f.write_str("a number"),
            Self::Number { min, max } if max.is_infinite() => write!(f, "a number of at least {min}"),
            Self::Number { min, max } => write!(f, "a number from {min} to {max}"),
            Self::Flag => f.write_str("true or false"),
            Self::Text => f.write_str("text"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
        }
    }
}

/// The default of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamDefault {
    /// The suite must give it.
    Required,
    /// Left out means absent, which the component treats as "off"; said in the summary.
    Absent,
    /// A whole number.
    Integer(i64),
    /// A real number.
    Number(f64),
    /// A truth value.
    Flag(bool),
    /// A text or a choice.
    Text(&'static str),
}

/// One parameter of a component.
#[derive(Debug, Clone, Copy)]
pub struct ParamSpec {
    /// The TOML key.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// What it is when left out.
    pub default: ParamDefault,
}

/// What a metric or encoder needs of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The vectors.
    pub embeddings: bool,
    /// Reference labels.
    pub labels_true: bool,
}

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Higher is better.
    Higher,
    /// Lower is better.
    Lower,
}

/// How work and memory grow, in the field's words: `n_samples`, `n_features`, `n_clusters`, `tokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Order of the arithmetic: `n_samples * n_clusters * n_features a pass`.
    pub time: &'static str,
    /// Order of the bytes beside input and output: `4 * n_samples^2 / 2`.
    pub memory: &'static str,
}

/// The name card of a component.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// snake_case; the same in TOML, file name and oracle table.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Paper, book or library it follows.
    pub reference: &'static str,
    /// Raised whenever its numbers change; part of every key.
    pub revision: u32,
    /// What it costs.
    pub cost: Cost,
    /// Its parameters, in the order to print them.
    pub params: &'static [ParamSpec],
}

impl Spec {
    /// The parameter of that name.
    pub fn param(&self, name: &str) -> Option<&'static ParamSpec> {
        self.params.iter().find(|param| param.name == name)
    }
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// A truth value.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Number(f64),
    /// A text or a choice.
    Text(String),
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value:?}"),
            Self::Text(value) => write!(f, "{value:?}"),
        }
    }
}

/// Resolved parameters: every parameter of a Spec with its value, those that are `Absent` left out.
///
/// Only `suite` (and tests) build them, after checking against the Spec, so the getters state a bug of ours when a
/// name or type is wrong; they never see a user's mistake.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Params(BTreeMap<String, ParamValue>);

impl Params {
    /// All defaults of a Spec. Required parameters are left out.
    pub fn defaults(spec: &Spec) -> Self {
        let mut params = Self::default();
        for param in spec.params {
            let value = match param.default {
                ParamDefault::Required | ParamDefault::Absent => continue,
                ParamDefault::Integer(value) => ParamValue::Integer(value),
                ParamDefault::Number(value) => ParamValue::Number(value),
                ParamDefault::Flag(value) => ParamValue::Flag(value),
                ParamDefault::Text(value) => ParamValue::Text(value.to_owned()),
            };
            params.0.insert(param.name.to_owned(), value);
        }
        params
    }

    /// Sets one value.
    #[must_use]
    pub fn with(mut self, name: &str, value: ParamValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Sets one value in place.
    pub fn set(&mut self, name: &str, value: ParamValue) {
        self.0.insert(name.to_owned(), value);
    }

    /// All values by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ParamValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&ParamValue> {
        self.0.get(name)
    }

    /// A whole number that is not negative.
    ///
    /// # Panics
    /// When the Spec does not have it: a bug.
    pub fn size(&self, name: &str) -> usize {
        self.try_size(name).unwrap_or_else(|| panic!("parameter {name:?} is not a size: {:?}", self.get(name)))
    }

    /// A whole number that is not negative, where given.
    pub fn try_size(&self, name: &str) -> Option<usize> {
        match self.get(name) {
            Some(ParamValue::Integer(value)) => usize::try_from(*value).ok(),
            _ => None,
        }
    }

    /// A real number.
    ///
    /// # Panics
    /// When the Spec does not have it: a bug.
    pub fn number(&self, name: &str) -> f64 {
        match self.get(name) {
            Some(ParamValue::Number(value)) => *value,
            Some(ParamValue::Integer(value)) => *value as f64,
            other => panic!("parameter {name:?} is not a number: {other:?}"),
        }
    }

    /// A truth value.
    ///
    /// # Panics
    /// When the Spec does not have it: a bug.
    pub fn flag(&self, name: &str) -> bool {
        match self.get(name) {
            Some(ParamValue::Flag(value)) => *value,
            other => panic!("parameter {name:?} is not a flag: {other:?}"),
        }
    }

    /// A text or choice.
    ///
    /// # Panics
    /// When the Spec does not have it: a bug.
    pub fn text(&self, name: &str) -> &str {
        self.try_text(name).unwrap_or_else(|| panic!("parameter {name:?} is not text: {:?}", self.get(name)))
    }

    /// A text or choice, where given.
    pub fn try_text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(ParamValue::Text(value)) => Some(value),
            _ => None,
        }
    }

    /// The key of a component with these parameters.
    pub fn key(&self, spec: &Spec) -> Key {
        let mut key = KeyBuilder::new("component").text("name", spec.name).number("revision", u64::from(spec.revision));
        for (name, value) in self.iter() {
            key = match value {
                ParamValue::Flag(value) => key.number(name, u64::from(*value)),
                ParamValue::Integer(value) => key.text(name, &value.to_string()),
                ParamValue::Number(value) => key.real(name, *value),
                ParamValue::Text(value) => key.text(name, value),
            };
        }
        key.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SPEC: Spec = Spec {
        name: "demo",
        summary: "",
        reference: "",
        revision: 1,
        cost: Cost { time: "", memory: "" },
        params: &[
            ParamSpec {
                name: "dim",
                summary: "",
                kind: ParamKind::Integer { min: 1, max: 4096 },
                default: ParamDefault::Integer(64),
            },
            ParamSpec { name: "path", summary: "", kind: ParamKind::Text, default: ParamDefault::Required },
        ],
    };

    #[test]
    fn defaults_leave_out_what_the_user_must_give() {
        let params = Params::defaults(&SPEC);
        assert_eq!(params.size("dim"), 64);
        assert_eq!(params.try_text("path"), None);
    }

    #[test]
    fn a_changed_parameter_or_revision_changes_the_key() {
        let params = Params::defaults(&SPEC);
        let raised = Spec { revision: 2, ..SPEC };
        assert_ne!(params.key(&SPEC), params.key(&raised));
        assert_ne!(params.key(&SPEC), params.clone().with("dim", ParamValue::Integer(65)).key(&SPEC));
    }

    #[test]
    fn kinds_print_as_the_range_a_person_may_use() {
        assert_eq!(ParamKind::Integer { min: 1, max: i64::MAX }.to_string(), "a whole number of at least 1");
        assert_eq!(ParamKind::Number { min: 0.0, max: 1.0 }.to_string(), "a number from 0 to 1");
        assert_eq!(ParamKind::Choice(&["a", "b"]).to_string(), "one of a, b");
    }
}
