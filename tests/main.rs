//! End-to-end tests: the real program on small suites, one binary for all of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod assets;
mod bench;
mod failures;
mod files;
mod fusion;
mod gate;
mod literate;
mod messages;
mod reproducible;
mod science;
