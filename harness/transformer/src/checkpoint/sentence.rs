//! How sentence-transformers uses a model, as far as its folder says: `sentence_bert_config.json`, `modules.json`,
//! `1_Pooling/config.json`.

use serde::Deserialize;

use super::{CheckpointError, Folder};

/// How sentence-transformers uses the network, as far as the folder says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SentenceConfig {
    /// Tokens it reads of a text.
    pub(crate) max_seq_length: Option<usize>,
    /// True when `modules.json` ends in a `Normalize` module.
    pub(crate) normalize: bool,
    /// `mean`, `cls`, `max` or `last`, where `1_Pooling` names exactly one of them.
    pub(crate) pooling: Option<&'static str>,
}

#[derive(Deserialize)]
struct SentenceWire {
    max_seq_length: Option<usize>,
}

#[derive(Deserialize)]
struct ModuleWire {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct PoolingWire {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_lasttoken: bool,
}

impl SentenceConfig {
    /// Reads what is there.
    ///
    /// # Errors
    /// When a file is there and malformed.
    pub(crate) fn read(folder: &mut Folder) -> Result<Self, CheckpointError> {
        let sentence: Option<SentenceWire> = folder.json("sentence_bert_config.json")?;
        let modules: Option<Vec<ModuleWire>> = folder.json("modules.json")?;
        let pooling: Option<PoolingWire> = folder.json("1_Pooling/config.json")?;
        let pooling = pooling.and_then(|wire| {
            let modes = [
                (wire.pooling_mode_mean_tokens, "mean"),
                (wire.pooling_mode_cls_token, "cls"),
                (wire.pooling_mode_max_tokens, "max"),
                (wire.pooling_mode_lasttoken, "last"),
            ];
            let mut named = modes.iter().filter(|(on, _)| *on).map(|(_, name)| *name);
            named.next().filter(|_| named.next().is_none())
        });
        Ok(Self {
            max_seq_length: sentence.and_then(|wire| wire.max_seq_length),
            normalize: modules.is_some_and(|modules| modules.iter().any(|module| module.kind.ends_with(".Normalize"))),
            pooling,
        })
    }
}
