//! Records and artifacts on disk.
pub mod record;
