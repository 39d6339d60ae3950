//! From texts to embeddings: what all kinds share (`frozen`, `pooling`, `blocks`, `memory`), and one file per kind.

pub(crate) mod bert;
pub(crate) mod blocks;
pub(crate) mod frozen;
pub(crate) mod gpt2;
pub(crate) mod memory;
pub(crate) mod params;
pub(crate) mod pooling;
pub(crate) mod t5;
