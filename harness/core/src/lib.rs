//! Nouns that cross a stage, and the contracts between stages. No I/O and no algorithm lives here: engines and
//! their consumers meet in this crate and never see each other.
//!
//! The flow is `suite -> data -> encode -> cluster -> score -> recommend -> store -> compare -> report`; every word
//! has one crate, and all of them depend on this one.

pub mod catalogue;
pub mod cell;
pub mod comparison;
pub mod config;
pub mod contract;
pub mod dataset;
pub mod embeddings;
pub mod failure;
pub mod key;
pub mod labels;
pub mod matrix;
pub mod random;
pub mod score;
pub mod space;
pub mod spec;

pub use catalogue::Catalogue;
pub use cell::{CellName, NClusters};
pub use dataset::{Dataset, Fold, SequenceView, Sequences};
pub use embeddings::Embeddings;
pub use failure::{Failure, FailureClass};
pub use key::{Key, KeyBuilder};
pub use labels::Labels;
pub use matrix::Matrix;
pub use random::Stream;
pub use score::{Score, Undefined};
pub use space::{Neighbors, PairNeeds, Pairs, Space};
pub use spec::{Cost, ParamKind, ParamSpec, ParamValue, Params, Spec};
