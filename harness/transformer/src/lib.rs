//! Pretrained transformers on the processor: BERT, GPT-2 and T5 encoders from any folder in the layout of the Hugging
//! Face hub, with one packed f32 forward of our own.
//!
//! - `checkpoint` reads a folder: settings, weights, tokenizer.
//! - `kernels` is the arithmetic, bit for bit the same on every vector unit and in every company of texts.
//! - `networks` puts it together, one file per architecture, checked layer by layer against transformers and candle.
//! - `encoders` turns texts into embeddings with them, and holds the name cards that suites use.

pub mod checkpoint;
mod encoders;
mod kernels;
mod networks;

pub use encoders::bert::{FAMILY as BERT, PARAMS as BERT_PARAMS};
pub use encoders::frozen::{Family, LoadedNetwork, Sizes, build};
pub use encoders::gpt2::{FAMILY as GPT2, PARAMS as GPT2_PARAMS};
pub use encoders::t5::{FAMILY as T5, PARAMS as T5_PARAMS};
pub use kernels::rows::Activation;
pub use networks::bert::BertConfig;
pub use networks::gpt2::Gpt2Config;
pub use networks::t5::T5Config;
pub use networks::{Network, Workspace};

use trailmark_core::catalogue::EncoderEntry;

/// The encoders of this crate, ascending by name.
pub fn registry() -> Vec<EncoderEntry> {
    vec![encoders::bert::ENTRY, encoders::gpt2::ENTRY, encoders::t5::ENTRY]
}
