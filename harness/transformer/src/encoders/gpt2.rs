//! `gpt2`: a frozen GPT-2 from a Hugging Face folder, as an encoder of texts.
//!
//! A text is cut into byte pairs, at most `max_tokens`; GPT-2 puts no special token around it. A text without tokens,
//! which for GPT-2 is the empty one, is read as the single token `bos_token_id` of `config.json` (else `eos_token_id`;
//! both are `<|endoftext|>`), since that is what GPT-2 saw between documents. Under a causal mask the last token is the
//! only one that has read the whole text (`pooling = "last"`).

use trailmark_core::catalogue::{BuildError, EncoderEntry};
use trailmark_core::contract::{Assets, Encoder};
use trailmark_core::{Cost, ParamSpec, Params, Spec};

use super::frozen::{Family, Sizes, build as build_frozen};
use super::params::{self, max_tokens};
use crate::networks::gpt2::{Gpt2, Gpt2Config};

/// The parameters of an encoder that reads GPT-2 folders.
pub static PARAMS: &[ParamSpec] = &[
    params::MODEL,
    params::POOLING,
    params::LAYER,
    max_tokens(1, "Longest text in tokens; left out: the model's own (the smaller of n_positions and max_seq_length)"),
    params::TRUNCATION_SIDE,
    params::NORMALIZE,
    params::PREFIX,
    params::BATCH_TOKENS,
];

pub(crate) static SPEC: Spec = Spec {
    name: "gpt2",
    summary: "Frozen GPT-2 over the readable text of a sequence, one pooled vector each",
    reference: "Radford et al. 2019, Language Models are Unsupervised Multitask Learners. Agrees with transformers",
    revision: 1,
    cost: Cost {
        time: "tokens * layers * (12 * width^2 + 2 * length * width)",
        memory: "weights twice, token ids, one workspace a thread",
    },
    params: PARAMS,
};

pub(crate) const ENTRY: EncoderEntry = EncoderEntry { spec: &SPEC, build };

fn build(params: &Params, assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    build_frozen(params, assets, &FAMILY)
}

/// The architecture, with our network.
pub const FAMILY: Family<Gpt2Config> = Family {
    read: Gpt2Config::read,
    sizes: |config| Sizes {
        vocab_size: config.vocab_size,
        usual_tokens: config.n_positions,
        most_tokens: Some(config.n_positions),
        stand_in: config.stand_in,
    },
    network: |weights, config, _| Ok(Box::new(Gpt2::new(weights, config)?)),
};
