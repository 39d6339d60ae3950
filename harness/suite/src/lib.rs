//! From the text of a suite to a checked suite and its plan.
pub mod checked;
pub use checked::Suite;
