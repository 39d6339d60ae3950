//! One file a command.

pub(crate) mod baseline;
pub(crate) mod check;
pub(crate) mod cluster;
pub(crate) mod compare;
pub(crate) mod encode;
pub(crate) mod fetch;
pub(crate) mod gate;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod status;
