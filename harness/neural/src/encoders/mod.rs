//! One file per encoder kind.

pub(crate) mod bert_candle;
pub(crate) mod gpt2_candle;
