//! An error with its exit code.

use std::fmt::Display;

use crate::exit_code;

/// What a command could not do, and the code to leave with.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl CliError {
    pub(crate) fn new(code: u8, message: impl Display) -> Self {
        Self { code, message: message.to_string() }
    }
}

pub(crate) type CliResult<T> = Result<T, CliError>;

impl From<trailmark_store::StoreError> for CliError {
    fn from(error: trailmark_store::StoreError) -> Self {
        Self::new(exit_code::INTERNAL, format!("error: {error}"))
    }
}

impl From<trailmark_runner::RunError> for CliError {
    fn from(error: trailmark_runner::RunError) -> Self {
        let code = match error {
            trailmark_runner::RunError::Store(_) => exit_code::INTERNAL,
            trailmark_runner::RunError::Data(_) | trailmark_runner::RunError::Build { .. } => exit_code::DATA,
        };
        Self::new(code, format!("error: {error}"))
    }
}

impl From<trailmark_data::DataError> for CliError {
    fn from(error: trailmark_data::DataError) -> Self {
        Self::new(exit_code::DATA, format!("error: {error}"))
    }
}

impl From<trailmark_report::ReportError> for CliError {
    fn from(error: trailmark_report::ReportError) -> Self {
        Self::new(exit_code::INTERNAL, format!("error: {error}"))
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::new(exit_code::INTERNAL, format!("error: {error}"))
    }
}
