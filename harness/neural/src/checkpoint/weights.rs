//! The tensors of a model folder by name, widened to f32, from one safetensors file or the parts of an index.

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::safetensors::SliceSafetensors;
use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::{CheckpointError, Folder};

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// All tensors of a model, f32.
#[derive(Debug)]
pub(crate) struct Weights {
    path: PathBuf,
    tensors: BTreeMap<String, Tensor>,
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
    pub(crate) fn read(folder: &mut Folder) -> Result<Self, CheckpointError> {
        let mut tensors = BTreeMap::new();
        let name = if folder.has(SINGLE) {
            read_file(folder, SINGLE, &mut tensors)?;
            SINGLE
        } else if let Some(index) = folder.json::<Index>(INDEX)? {
            let files: std::collections::BTreeSet<String> = index.weight_map.into_values().collect();
            for file in files {
                if file.contains(['/', '\\']) {
                    return Err(CheckpointError::Part { path: folder.file(INDEX), file });
                }
                read_file(folder, &file, &mut tensors)?;
            }
            INDEX
        } else if folder.has("pytorch_model.bin") || folder.has("pytorch_model.bin.index.json") {
            return Err(folder.missing(
                SINGLE,
                "pytorch_model.bin is a pickle, which can run code when read; convert it with transformers: \
                 AutoModel.from_pretrained(folder).save_pretrained(folder, safe_serialization=True)",
            ));
        } else {
            return Err(folder.missing(SINGLE, "weights are read from it, or from the parts of an index beside it"));
        };
        Ok(Self { path: folder.file(name), tensors })
    }

    /// A tensor of that shape, row-major. BERT checkpoints name their tensors with or without a leading `bert.`, and
    /// old ones call a layer norm's weight and bias `gamma` and `beta`.
    ///
    /// # Errors
    /// When it is missing, has another shape, or holds NaN or infinity.
    pub(crate) fn take(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        let prefixed = format!("bert.{name}");
        let old = |name: &str| {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        };
        let candidates = [name.to_owned(), prefixed.clone(), old(name), old(&prefixed)];
        let (name, tensor) = candidates
            .iter()
            .find_map(|name| self.tensors.get(name).map(|tensor| (name, tensor)))
            .ok_or_else(|| CheckpointError::MissingTensor {
                path: self.path.clone(),
                name: name.to_owned(),
                also: prefixed.clone(),
            })?;
        if tensor.dims() != shape {
            return Err(CheckpointError::TensorShape {
                path: self.path.clone(),
                name: name.clone(),
                found: tensor.dims().to_vec(),
                expected: shape.to_vec(),
            });
        }
        let values = tensor
            .flatten_all()
            .and_then(|flat| flat.to_vec1::<f32>())
            .map_err(|source| CheckpointError::Safetensors { path: self.path.clone(), source })?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(CheckpointError::NotFinite { path: self.path.clone(), name: name.clone() });
        }
        Ok(values)
    }
}

fn read_file(folder: &mut Folder, name: &str, into: &mut BTreeMap<String, Tensor>) -> Result<(), CheckpointError> {
    let bytes = folder.read(name)?;
    let damaged = |source| CheckpointError::Safetensors { path: folder.file(name), source };
    let file = SliceSafetensors::new(&bytes).map_err(damaged)?;
    for (tensor_name, view) in file.tensors() {
        // Buffers such as position_ids are whole numbers; no network here reads them.
        let Ok(dtype) = DType::try_from(view.dtype()) else { continue };
        if !dtype.is_float() {
            continue;
        }
        let tensor = file.load(&tensor_name, &Device::Cpu).and_then(|t| t.to_dtype(DType::F32)).map_err(damaged)?;
        into.insert(tensor_name, tensor);
    }
    Ok(())
}
