//! Why a cell has no partition. A failure is a record, never a number.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The class of a failed cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The data does not allow it (fewer users than clusters, NaN in a vector).
    BadInput,
    /// More memory than declared would be needed.
    Oom,
    /// It took longer than declared.
    Timeout,
    /// The fit collapsed.
    Degenerate,
    /// A test user, a future event or a reference label reached a fitting step.
    Leak,
    /// A program or file outside Trailmark failed.
    External,
    /// A panic or a broken invariant: ours to mend.
    Bug,
}

impl FailureClass {
    /// The snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadInput => "bad_input",
            Self::Oom => "oom",
            Self::Timeout => "timeout",
            Self::Degenerate => "degenerate",
            Self::Leak => "leak",
            Self::External => "external",
            Self::Bug => "bug",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failed step: class, message, and the chain of causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class.
    pub class: FailureClass,
    /// What, where and how to mend.
    pub message: String,
    /// Causes, nearest first.
    #[serde(default)]
    pub chain: Vec<String>,
}

impl Failure {
    /// A failure without causes.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), chain: Vec::new() }
    }

    /// Bad input.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(FailureClass::BadInput, message)
    }

    /// A broken invariant of ours.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(FailureClass::Bug, message)
    }

    /// Keeps an error and all its sources.
    pub fn from_error(class: FailureClass, error: &(dyn Error + 'static)) -> Self {
        let mut chain = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push(cause.to_string());
            source = cause.source();
        }
        Self { class, message: error.to_string(), chain }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}

impl Error for Failure {}
