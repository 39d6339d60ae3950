//! What the JSON files of a model folder say: the network's sizes (`config.json`), and how sentence-transformers
//! uses it (`sentence_bert_config.json`, `modules.json`, `1_Pooling/config.json`, each where present).

use serde::Deserialize;

use super::{CheckpointError, Folder};
use crate::networks::kernels::Activation;

/// The sizes of a BERT network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BertConfig {
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) max_position_embeddings: usize,
    pub(crate) type_vocab_size: usize,
    pub(crate) layer_norm_eps: f64,
    pub(crate) activation: Activation,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    model_type: String,
}

#[derive(Deserialize)]
struct Wire {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    max_position_embeddings: usize,
    // The three below have these defaults in transformers, whose newer versions leave defaults out of the file.
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "tiny")]
    layer_norm_eps: f64,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "absolute")]
    position_embedding_type: String,
}

fn two() -> usize {
    2
}

fn tiny() -> f64 {
    1e-12
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl BertConfig {
    const FILE: &str = "config.json";

    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// When it is missing or malformed, or describes another network.
    pub(crate) fn read(folder: &mut Folder) -> Result<Self, CheckpointError> {
        let path = folder.file(Self::FILE);
        let json: serde_json::Value = folder.json(Self::FILE)?.ok_or_else(|| {
            folder.missing(Self::FILE, "it belongs beside the weights and comes with every hub model")
        })?;
        let malformed = |source| CheckpointError::Json { path: path.clone(), source };
        let kind = Kind::deserialize(&json).map_err(malformed)?;
        if kind.model_type != "bert" {
            return Err(CheckpointError::Architecture { path, found: kind.model_type, supported: "bert" });
        }
        let wire = Wire::deserialize(&json).map_err(malformed)?;
        let Some(activation) = Activation::from_name(&wire.hidden_act) else {
            return Err(CheckpointError::Setting {
                path,
                key: "hidden_act",
                found: wire.hidden_act,
                supported: Activation::NAMES,
            });
        };
        if wire.position_embedding_type != "absolute" {
            return Err(CheckpointError::Setting {
                path,
                key: "position_embedding_type",
                found: wire.position_embedding_type,
                supported: "absolute",
            });
        }
        let (heads, hidden) = (wire.num_attention_heads, wire.hidden_size);
        if heads == 0 || hidden == 0 || hidden % heads != 0 {
            return Err(CheckpointError::Heads { path, heads, hidden });
        }
        Ok(Self {
            vocab_size: wire.vocab_size,
            hidden_size: hidden,
            intermediate_size: wire.intermediate_size,
            num_hidden_layers: wire.num_hidden_layers,
            num_attention_heads: heads,
            max_position_embeddings: wire.max_position_embeddings,
            type_vocab_size: wire.type_vocab_size,
            layer_norm_eps: wire.layer_norm_eps,
            activation,
        })
    }
}

/// How sentence-transformers uses the network, as far as the folder says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SentenceConfig {
    /// Tokens it reads of a text.
    pub(crate) max_seq_length: Option<usize>,
    /// True when `modules.json` ends in a `Normalize` module.
    pub(crate) normalize: bool,
    /// `mean`, `cls` or `max`, where `1_Pooling` names exactly one of them.
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
            match (wire.pooling_mode_mean_tokens, wire.pooling_mode_cls_token, wire.pooling_mode_max_tokens) {
                (true, false, false) => Some("mean"),
                (false, true, false) => Some("cls"),
                (false, false, true) => Some("max"),
                _ => None,
            }
        });
        Ok(Self {
            max_seq_length: sentence.and_then(|wire| wire.max_seq_length),
            normalize: modules.is_some_and(|modules| modules.iter().any(|module| module.kind.ends_with(".Normalize"))),
            pooling,
        })
    }
}
