//! A model on disk: a folder in the layout of the Hugging Face hub. Reads its settings, weights and tokenizer, and
//! hashes every byte it reads, so that another model under the same name is another arm.

pub(crate) mod sentence;
pub(crate) mod tokenizer;
pub(crate) mod weights;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use thiserror::Error;
use trailmark_core::KeyBuilder;

pub use weights::Weights;

const CONFIG: &str = "config.json";

/// Why a model folder cannot be used.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the fields are what the messages put together")]
pub enum CheckpointError {
    /// No such folder.
    #[error("{} is not a folder; a model is a folder with config.json, model.safetensors and tokenizer.json", .0.display())]
    NotAFolder(PathBuf),
    /// A file that the folder must have.
    #[error("{} has no {file}; {advice}", folder.display())]
    MissingFile { folder: PathBuf, file: &'static str, advice: &'static str },
    /// A file that cannot be read.
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// A JSON file with other content.
    #[error("{} is not what it should be", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    /// Another network.
    #[error("{} says model_type {found:?}; this encoder reads: {supported} (kinds: bert, gpt2, t5)", path.display())]
    Architecture { path: PathBuf, found: String, supported: String },
    /// A setting that no code here follows.
    #[error("{} says {key} {found:?}; supported: {supported}", path.display())]
    Setting { path: PathBuf, key: &'static str, found: String, supported: &'static str },
    /// Heads that do not divide the features.
    #[error("{} says {heads} heads for hidden_size {hidden}, which does not divide", path.display())]
    Heads { path: PathBuf, heads: usize, hidden: usize },
    /// Damaged weights.
    #[error("{} is not a readable safetensors file", path.display())]
    Safetensors { path: PathBuf, source: safetensors::SafeTensorError },
    /// An index that points outside of its folder.
    #[error("{} names {file:?} as a part, which is not a plain file name in the same folder", path.display())]
    Part { path: PathBuf, file: String },
    /// A tensor that the network needs.
    #[error("{} has no tensor {name:?}; with {also:?} it was looked for as well", path.display())]
    MissingTensor { path: PathBuf, name: String, also: String },
    /// Whole numbers or packed formats where real numbers belong.
    #[error("tensor {name:?} of {} is stored as {found}; supported: F64, F32, F16, BF16", path.display())]
    TensorType { path: PathBuf, name: String, found: String },
    /// A tensor of another shape.
    #[error("tensor {name:?} of {} has shape {found:?}, config.json asks for {expected:?}", path.display())]
    TensorShape { path: PathBuf, name: String, found: Vec<usize>, expected: Vec<usize> },
    /// NaN or infinity among the weights.
    #[error("tensor {name:?} of {} holds a value that is not finite", path.display())]
    NotFinite { path: PathBuf, name: String },
    /// A tokenizer that does not load.
    #[error("{} is not a usable tokenizer: {reason}", path.display())]
    Tokenizer { path: PathBuf, reason: String },
    /// A tokenizer of another model.
    #[error("{} gives ids up to {largest}, but the model has {vocab_size} word embeddings", path.display())]
    Vocabulary { path: PathBuf, largest: u32, vocab_size: usize },
    /// More tokens than the model has positions.
    #[error("max_tokens is {asked}, but the model has {limit} positions; use at most {limit}")]
    MaxTokens { asked: usize, limit: usize },
    /// A layer that the model has not.
    #[error("layer is {asked}, but the model has {layers} layers; use at most {layers}")]
    Layer { asked: usize, layers: usize },
    /// Another engine's refusal to make the network.
    #[error("the network cannot be made: {0}")]
    Engine(String),
}

impl CheckpointError {
    /// The message with its causes, for a place that keeps one line.
    pub fn with_causes(&self) -> String {
        let mut message = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        message
    }
}

/// A model folder, and the hash of what has been read from it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    hash: KeyBuilder,
}

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        if path.is_dir() {
            Ok(Self { path: path.to_owned(), hash: KeyBuilder::new("checkpoint") })
        } else {
            Err(CheckpointError::NotAFolder(path.to_owned()))
        }
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// True when the file is there.
    pub fn has(&self, name: &str) -> bool {
        self.file(name).is_file()
    }

    /// A missing file as an error, with what to do about it.
    pub fn missing(&self, file: &'static str, advice: &'static str) -> CheckpointError {
        CheckpointError::MissingFile { folder: self.path.clone(), file, advice }
    }

    /// The bytes of a file, which then count for the fingerprint.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, CheckpointError> {
        let path = self.file(name);
        let bytes = std::fs::read(&path).map_err(|source| CheckpointError::Read { path, source })?;
        self.hash = self.hash.clone().raw(name, &bytes);
        Ok(bytes)
    }

    /// A JSON file, where it is there; it then counts for the fingerprint.
    ///
    /// # Errors
    /// When it is there and is not what `T` says.
    pub fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, CheckpointError> {
        if !self.has(name) {
            return Ok(None);
        }
        let bytes = self.read(name)?;
        let value =
            serde_json::from_slice(&bytes).map_err(|source| CheckpointError::Json { path: self.file(name), source })?;
        Ok(Some(value))
    }

    /// `config.json`, once its `model_type` is one of `supported`.
    ///
    /// # Errors
    /// When it is missing or malformed, or describes another network.
    pub fn config<T: DeserializeOwned>(&mut self, supported: &'static [&'static str]) -> Result<T, CheckpointError> {
        #[derive(serde::Deserialize)]
        struct Kind {
            #[serde(default)]
            model_type: String,
        }
        let path = self.file(CONFIG);
        let json: serde_json::Value = self
            .json(CONFIG)?
            .ok_or_else(|| self.missing(CONFIG, "it belongs beside the weights and comes with every hub model"))?;
        let kind: Kind = serde_json::from_value(json.clone())
            .map_err(|source| CheckpointError::Json { path: path.clone(), source })?;
        if !supported.contains(&kind.model_type.as_str()) {
            let supported = supported.join(", ");
            return Err(CheckpointError::Architecture { path, found: kind.model_type, supported });
        }
        serde_json::from_value(json).map_err(|source| CheckpointError::Json { path, source })
    }

    /// A setting of `config.json` that no code here follows.
    pub fn setting(&self, key: &'static str, found: impl Into<String>, supported: &'static str) -> CheckpointError {
        CheckpointError::Setting { path: self.file(CONFIG), key, found: found.into(), supported }
    }

    /// Checks that heads divide the features.
    ///
    /// # Errors
    /// When they do not.
    pub fn check_heads(&self, heads: usize, hidden: usize) -> Result<(), CheckpointError> {
        if heads == 0 || hidden == 0 || !hidden.is_multiple_of(heads) {
            return Err(CheckpointError::Heads { path: self.file(CONFIG), heads, hidden });
        }
        Ok(())
    }

    /// Hash of every file read so far, names and bytes. The folder's own path is no part of it.
    pub fn fingerprint(&self) -> String {
        self.hash.clone().finish().to_string()
    }
}
