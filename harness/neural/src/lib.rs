//! Neural encoders on candle tensors: the only crate that knows candle.
//!
//! - `checkpoint` reads a Hugging Face folder: settings, weights, tokenizer.
//! - `networks` holds the forward passes, written here and checked layer by layer against transformers.
//! - `encoders` turns texts into embeddings with them, and holds the name cards that suites use.





use trailmark_core::catalogue::EncoderEntry;

/// The encoders of this crate, ascending by name.
pub fn registry() -> Vec<EncoderEntry> {
    Vec::new()
}
