//! End-to-end tests: the real program on small suites, one binary for all of them.

mod assets;
mod bench;
mod failures;
mod gate;
mod messages;
mod reproducible;
mod science;
