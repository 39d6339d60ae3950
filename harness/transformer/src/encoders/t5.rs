//! `t5`: the frozen encoder half of a T5 or mT5 from a Hugging Face folder.
//!
//! A text is cut into sentence pieces, at most `max_tokens` with the closing `</s>`; the empty text is `</s>` alone and
//! has a vector as any other. Positions enter by distance, so that nothing but time and memory limits the length.

use trailmark_core::catalogue::{BuildError, EncoderEntry};
use trailmark_core::contract::{Assets, Encoder};
use trailmark_core::{Cost, ParamSpec, Params, Spec};

use super::frozen::{Family, Sizes, build as build_frozen};
use super::params::{self, max_tokens};
use crate::networks::t5::{T5, T5Config};

/// The parameters of an encoder that reads T5 folders.
pub static PARAMS: &[ParamSpec] = &[
    params::MODEL,
    params::POOLING,
    params::LAYER,
    max_tokens(
        2,
        "Longest text in tokens, </s> included; left out: the model's own (max_seq_length, else n_positions, \
         else 512)",
    ),
    params::TRUNCATION_SIDE,
    params::NORMALIZE,
    params::PREFIX,
    params::BATCH_TOKENS,
];

pub(crate) static SPEC: Spec = Spec {
    name: "t5",
    summary: "Frozen T5 encoder over the readable text of a sequence, one pooled vector each",
    reference: "Raffel et al. 2020, JMLR 21; Ni et al. 2022, Findings of ACL. Agrees with transformers",
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
pub const FAMILY: Family<T5Config> = Family {
    read: T5Config::read,
    sizes: |config| Sizes {
        vocab_size: config.vocab_size,
        usual_tokens: config.n_positions,
        most_tokens: None,
        stand_in: None,
    },
    network: |weights, config, longest| Ok(Box::new(T5::new(weights, config, longest)?)),
};
