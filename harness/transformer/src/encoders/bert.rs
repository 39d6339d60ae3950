//! `bert`: a frozen sentence encoder from a Hugging Face folder of the BERT architecture.
//!
//! A text is cut into word pieces, at most `max_tokens` with `[CLS]` and `[SEP]`. The empty text is `[CLS] [SEP]` and
//! has a vector as any other.

use trailmark_core::catalogue::{BuildError, EncoderEntry};
use trailmark_core::contract::{Assets, Encoder};
use trailmark_core::{Cost, ParamSpec, Params, Spec};

use super::frozen::{Family, Sizes, build as build_frozen};
use super::params::{self, max_tokens};
use crate::networks::bert::{Bert, BertConfig};

/// The parameters of an encoder that reads BERT folders.
pub static PARAMS: &[ParamSpec] = &[
    params::MODEL,
    params::POOLING,
    params::LAYER,
    max_tokens(
        3,
        "Longest text in tokens, [CLS] and [SEP] included; left out: the model's own (the smaller of \
         max_position_embeddings and max_seq_length)",
    ),
    params::TRUNCATION_SIDE,
    params::NORMALIZE,
    params::PREFIX,
    params::BATCH_TOKENS,
];

pub(crate) static SPEC: Spec = Spec {
    name: "bert",
    summary: "Frozen BERT over the readable text of a sequence, one pooled vector each",
    reference: "Devlin et al. 2019, NAACL; Reimers and Gurevych 2019, EMNLP. Agrees with sentence-transformers",
    revision: 2,
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
pub const FAMILY: Family<BertConfig> = Family {
    read: BertConfig::read,
    sizes: |config| Sizes {
        vocab_size: config.vocab_size,
        usual_tokens: config.max_position_embeddings,
        most_tokens: Some(config.max_position_embeddings),
        stand_in: None,
    },
    network: |weights, config, _| Ok(Box::new(Bert::new(weights, config)?)),
};
