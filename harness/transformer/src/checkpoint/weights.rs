//! The tensors of a model folder by name, from one safetensors file or the parts of an index, widened to f32 as they
//! are taken.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use super::{CheckpointError, Folder};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// All tensors of a model, as stored.
#[derive(Debug)]
pub struct Weights {
    path: PathBuf,
    files: Vec<Vec<u8>>,
    tensors: BTreeMap<String, Stored>,
}

#[derive(Debug)]
struct Stored {
    file: usize,
    bytes: Range<usize>,
    dtype: Dtype,
    shape: Vec<usize>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Weights {
    /// Reads `model.safetensors`, or the parts that `model.safetensors.index.json` lists.
    ///
    /// # Errors
    /// When neither is there or one is damaged; pickled weights are refused, because reading them runs code.
    pub fn read(folder: &mut Folder) -> Result<Self, CheckpointError> {
        let (name, files) = if folder.has(SINGLE) {
            (SINGLE, BTreeSet::from([SINGLE.to_owned()]))
        } else if let Some(index) = folder.json::<Index>(INDEX)? {
            (INDEX, index.weight_map.into_values().collect())
        } else if folder.has("pytorch_model.bin") || folder.has("pytorch_model.bin.index.json") {
            return Err(folder.missing(
                SINGLE,
                "pytorch_model.bin is a pickle, which can run code when read; convert it with transformers: \
                 AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True)",
            ));
        } else {
            return Err(folder.missing(SINGLE, "weights are read from it, or from the parts of an index beside it"));
        };
        let mut weights = Self { path: folder.file(name), files: Vec::new(), tensors: BTreeMap::new() };
        for file in files {
            if file.contains(['/', '\\']) {
                return Err(CheckpointError::Part { path: folder.file(INDEX), file });
            }
            let bytes = folder.read(&file)?;
            weights.add(bytes, &folder.file(&file))?;
        }
        Ok(weights)
    }

    fn add(&mut self, bytes: Vec<u8>, path: &Path) -> Result<(), CheckpointError> {
        let file = self.files.len();
        let parsed = SafeTensors::deserialize(&bytes)
            .map_err(|source| CheckpointError::Safetensors { path: path.to_owned(), source })?;
        for (name, view) in parsed.iter() {
            let from = view.data().as_ptr() as usize - bytes.as_ptr() as usize;
            let stored = Stored {
                file,
                bytes: from..from + view.data().len(),
                dtype: view.dtype(),
                shape: view.shape().to_vec(),
            };
            self.tensors.insert(name.to_owned(), stored);
        }
        self.files.push(bytes);
        Ok(())
    }

    /// True when `take` would find a tensor of that name.
    pub fn has(&self, name: &str, prefix: &str) -> bool {
        candidates(name, prefix).iter().any(|name| self.tensors.contains_key(name))
    }

    /// A tensor of that shape, row-major, under its bare name or behind a prefix that a checkpoint with heads puts
    /// before it. Old checkpoints call a layer norm's weight and bias `gamma` and `beta`.
    ///
    /// # Errors
    /// When it is missing, has another shape, holds NaN or infinity, or is not of real numbers.
    pub fn take(&self, name: &str, prefix: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        self.take_any(&[name], prefix, shape)
    }

    /// Like `take`, for a tensor with several names: the first that is there.
    ///
    /// # Errors
    /// As for `take`.
    pub fn take_any(&self, names: &[&str], prefix: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let candidates = names.iter().flat_map(|name| candidates(name, prefix));
        let Some((name, stored)) =
            candidates.into_iter().find_map(|name| self.tensors.get(&name).map(|stored| (name, stored)))
        else {
            let path = self.path.clone();
            let also = names[1..].first().map_or(format!("{prefix}{}", names[0]), |name| (*name).to_owned());
            return Err(CheckpointError::MissingTensor { path, name: names[0].to_owned(), also });
        };
        if stored.shape != shape {
            return Err(CheckpointError::TensorShape {
                path: self.path.clone(),
                name,
                found: stored.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        self.widen(&name, stored)
    }

    fn widen(&self, name: &str, stored: &Stored) -> Result<Vec<f32>, CheckpointError> {
        let bytes = &self.files[stored.file][stored.bytes.clone()];
        let values: Vec<f32> = match stored.dtype {
            Dtype::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
            Dtype::F16 => bytes.as_chunks().0.iter().map(|&b| f16::from_le_bytes(b).to_f32()).collect(),
            Dtype::BF16 => bytes.as_chunks().0.iter().map(|&b| bf16::from_le_bytes(b).to_f32()).collect(),
            Dtype::F64 => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect(),
            other => {
                let found = other.to_string();
                return Err(CheckpointError::TensorType { path: self.path.clone(), name: name.to_owned(), found });
            }
        };
        if values.iter().any(|value| !value.is_finite()) {
            return Err(CheckpointError::NotFinite { path: self.path.clone(), name: name.to_owned() });
        }
        Ok(values)
    }
}

/// What a tensor may be called.
fn candidates(name: &str, prefix: &str) -> [String; 4] {
    let old =
        |name: &str| name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
    let prefixed = format!("{prefix}{name}");
    [name.to_owned(), prefixed.clone(), old(name), old(&prefixed)]
}
