//! A model on disk: a folder in the layout of the Hugging Face hub. Reads its settings, weights and tokenizer, and
//! hashes every byte it reads, so that another model under the same name is another arm.

pub(crate) mod config;
pub(crate) mod tokenizer;
pub(crate) mod weights;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use thiserror::Error;
use trailmark_core::KeyBuilder;

/// Why a model folder cannot be used.
#[derive(Debug, Error)]
pub(crate) enum CheckpointError {
    #[error("{} is not a folder; a model is a folder with config.json, model.safetensors and tokenizer.json", .0.display())]
    NotAFolder(PathBuf),
    #[error("{} has no {file}; {advice}", folder.display())]
    MissingFile { folder: PathBuf, file: &'static str, advice: &'static str },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} is not what it should be", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("{} says model_type {found:?}; this encoder reads: {supported}", path.display())]
    Architecture { path: PathBuf, found: String, supported: &'static str },
    #[error("{} says {key} {found:?}; supported: {supported}", path.display())]
    Setting { path: PathBuf, key: &'static str, found: String, supported: &'static str },
    #[error("{} says {heads} heads for hidden_size {hidden}, which does not divide", path.display())]
    Heads { path: PathBuf, heads: usize, hidden: usize },
    #[error("{} is not a readable safetensors file", path.display())]
    Safetensors { path: PathBuf, source: candle_core::Error },
    #[error("{} names {file:?} as a part, which is not a plain file name in the same folder", path.display())]
    Part { path: PathBuf, file: String },
    #[error("{} has no tensor {name:?}; with {also:?} it was looked for as well", path.display())]
    MissingTensor { path: PathBuf, name: String, also: String },
    #[error("tensor {name:?} of {} has shape {found:?}, config.json asks for {expected:?}", path.display())]
    TensorShape { path: PathBuf, name: String, found: Vec<usize>, expected: Vec<usize> },
    #[error("tensor {name:?} of {} holds a value that is not finite", path.display())]
    NotFinite { path: PathBuf, name: String },
    #[error("{} is not a usable tokenizer: {reason}", path.display())]
    Tokenizer { path: PathBuf, reason: String },
    #[error("{} gives ids up to {largest}, but the model has {vocab_size} word embeddings", path.display())]
    Vocabulary { path: PathBuf, largest: u32, vocab_size: usize },
    #[error("max_tokens is {asked}, but the model has {limit} positions; use at most {limit}")]
    MaxTokens { asked: usize, limit: usize },
}

impl CheckpointError {
    /// The message with its causes, for a place that keeps one line.
    pub(crate) fn with_causes(&self) -> String {
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
pub(crate) struct Folder {
    path: PathBuf,
    hash: KeyBuilder,
}

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointError> {
        if path.is_dir() {
            Ok(Self { path: path.to_owned(), hash: KeyBuilder::new("checkpoint") })
        } else {
            Err(CheckpointError::NotAFolder(path.to_owned()))
        }
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// True when the file is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.file(name).is_file()
    }

    /// A missing file as an error, with what to do about it.
    pub(crate) fn missing(&self, file: &'static str, advice: &'static str) -> CheckpointError {
        CheckpointError::MissingFile { folder: self.path.clone(), file, advice }
    }

    /// The bytes of a file, which then count for the fingerprint.
    pub(crate) fn read(&mut self, name: &str) -> Result<Vec<u8>, CheckpointError> {
        let path = self.file(name);
        let bytes = std::fs::read(&path).map_err(|source| CheckpointError::Read { path, source })?;
        self.hash = self.hash.clone().raw(name, &bytes);
        Ok(bytes)
    }

    /// A JSON file, where it is there; it then counts for the fingerprint.
    pub(crate) fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, CheckpointError> {
        if !self.has(name) {
            return Ok(None);
        }
        let bytes = self.read(name)?;
        let value =
            serde_json::from_slice(&bytes).map_err(|source| CheckpointError::Json { path: self.file(name), source })?;
        Ok(Some(value))
    }

    /// Hash of every file read so far, names and bytes. The folder's own path is no part of it.
    pub(crate) fn fingerprint(&self) -> String {
        self.hash.clone().finish().to_string()
    }
}
