//! Forward passes. The arithmetic that costs time is in `kernels`, each product on one thread.

pub(crate) mod bert;
pub(crate) mod kernels;
