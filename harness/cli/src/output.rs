//! Printing that does not mind when nobody reads any more: `trailmark plan SUITE | head` is a fine thing to do.

use std::fmt::Display;
use std::io::Write;

/// A line of the answer, to stdout.
pub(crate) fn answer(line: impl Display) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// A line of progress or warning, to stderr.
pub(crate) fn note(line: impl Display) {
    drop(writeln!(std::io::stderr(), "{line}"));
}
