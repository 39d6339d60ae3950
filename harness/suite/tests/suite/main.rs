//! Tests of the suite crate over a fixture catalogue; one binary.

mod fixture;
mod identity;
mod literate;
mod loading;
mod plans;
mod reference;
mod resolved;
