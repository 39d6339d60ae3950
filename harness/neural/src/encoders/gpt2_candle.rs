//! `gpt2_candle`: the encoder `gpt2` with its network on candle. The same parameters and, to rounding, the same vectors,
//! at a fraction of the speed.

use trailmark_core::catalogue::{BuildError, EncoderEntry};
use trailmark_core::contract::{Assets, Encoder};
use trailmark_core::{Cost, Params, Spec};
use trailmark_transformer::{Family, Gpt2Config};

use crate::networks::gpt2::Gpt2;

pub(crate) static SPEC: Spec = Spec {
    name: "gpt2_candle",
    summary: "The encoder gpt2 on candle: the slow oracle arm, for checking the fast one",
    reference: "Radford et al. 2019, Language Models are Unsupervised Multitask Learners. Network on candle-nn 0.11",
    revision: 1,
    cost: Cost { time: "as gpt2, several times slower", memory: "weights, padded batches" },
    params: trailmark_transformer::GPT2_PARAMS,
};

pub(crate) const ENTRY: EncoderEntry = EncoderEntry { spec: &SPEC, build };

const FAMILY: Family<Gpt2Config> =
    Family { network: |weights, config, _| Ok(Box::new(Gpt2::new(weights, config)?)), ..trailmark_transformer::GPT2 };

fn build(params: &Params, assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    trailmark_transformer::build(params, assets, &FAMILY)
}
