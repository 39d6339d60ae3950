//! The parameters that all pretrained encoders share.

use trailmark_core::spec::ParamDefault;
use trailmark_core::{ParamKind, ParamSpec};

/// Longest text that may be asked for, where the model itself has no end.
pub(crate) const MOST_TOKENS: i64 = 1 << 16;

/// Where the model is.
pub(crate) const MODEL: ParamSpec = ParamSpec {
    name: "model",
    summary: "Name of a model manifest such as \"minilm\", a hub id, or a folder with config.json, \
              model.safetensors and tokenizer.json (or vocab.txt; or vocab.json and merges.txt)",
    kind: ParamKind::Text,
    default: ParamDefault::Required,
};

/// How token vectors become one.
pub(crate) const POOLING: ParamSpec = ParamSpec {
    name: "pooling",
    summary: "Mean over the tokens, the first token, the largest value of each feature, the last token, or the mean \
              over the tokens of the average of the first layer and the last",
    kind: ParamKind::Choice(&["mean", "cls", "max", "last", "first_last"]),
    default: ParamDefault::Text("mean"),
};

/// Which layer.
pub(crate) const LAYER: ParamSpec = ParamSpec {
    name: "layer",
    summary: "Hidden state to pool: 0 is the embeddings, 1 the first layer; left out: the last. Later ones are not \
              computed",
    kind: ParamKind::Integer { min: 0, max: 1 << 16 },
    default: ParamDefault::Absent,
};

/// How long a text may be.
pub(crate) const fn max_tokens(min: i64, summary: &'static str) -> ParamSpec {
    let kind = ParamKind::Integer { min, max: MOST_TOKENS };
    ParamSpec { name: "max_tokens", summary, kind, default: ParamDefault::Absent }
}

/// Which end of a longer text is cut.
pub(crate) const TRUNCATION_SIDE: ParamSpec = ParamSpec {
    name: "truncation_side",
    summary: "Side on which a longer text is cut: right keeps its beginning, left its end",
    kind: ParamKind::Choice(&["right", "left"]),
    default: ParamDefault::Text("right"),
};

/// Length one.
pub(crate) const NORMALIZE: ParamSpec = ParamSpec {
    name: "normalize",
    summary: "Scale vectors to length 1; left out: as the model's modules.json says, and not without one",
    kind: ParamKind::Flag,
    default: ParamDefault::Absent,
};

/// What is put before a text.
pub(crate) const PREFIX: ParamSpec = ParamSpec {
    name: "prefix",
    summary: "Put before every text; some models ask for \"query: \"",
    kind: ParamKind::Text,
    default: ParamDefault::Text(""),
};

/// Work of a thread at a time.
pub(crate) const BATCH_TOKENS: ParamSpec = ParamSpec {
    name: "batch_tokens",
    summary: "Tokens that a thread takes at a time; moves memory and speed, and no bit of a vector",
    kind: ParamKind::Integer { min: 1, max: 1 << 20 },
    default: ParamDefault::Integer(512),
};
