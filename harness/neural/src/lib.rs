//! The only crate that knows candle: networks on `candle-nn`'s building blocks.
//!
//! - `networks` holds BERT and GPT-2 as the papers write them, one text at a time, without a trick: the oracle against
//!   which the packed forward of `trailmark-transformer` is checked layer by layer.
//! - `encoders` offers them to suites as slow arms, so that a doubt about the fast ones can be settled by a run.

mod encoders;
mod networks;

pub use networks::bert::Bert;
pub use networks::gpt2::Gpt2;

use trailmark_core::catalogue::EncoderEntry;

/// The encoders of this crate, ascending by name.
pub fn registry() -> Vec<EncoderEntry> {
    vec![encoders::bert_candle::ENTRY, encoders::gpt2_candle::ENTRY]
}
