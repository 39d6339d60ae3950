//! One file per encoder kind.

pub(crate) mod batches;
pub(crate) mod bert;
