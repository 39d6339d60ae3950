//! Vectors in plain files, for the verbs that work without a suite: .npy, .safetensors and .csv.

use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use trailmark_core::Matrix;
use trailmark_core::contract::Points;
use trailmark_encode::npy::{self, NpyMatrix};

use crate::error::{CliError, CliResult};
use crate::exit_code;

/// What the messages say about formats.
const FORMATS: &str = "vectors are read and written as .npy, .safetensors or .csv";

/// The matrix in its own precision.
pub(crate) fn points(x: &NpyMatrix) -> Points<'_> {
    match x {
        NpyMatrix::F32(x) => x.into(),
        NpyMatrix::F64(x) => x.into(),
    }
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(std::ffi::OsStr::to_str)
}

fn unknown_format(path: &Path) -> CliError {
    CliError::new(exit_code::USAGE, format!("error: {}: {FORMATS}", path.display()))
}

/// Refuses a file name whose format is not known, before any work is done.
pub(crate) fn check_format(path: &Path) -> CliResult<()> {
    if matches!(extension(path), Some("npy" | "safetensors" | "csv")) { Ok(()) } else { Err(unknown_format(path)) }
}

/// Reads a matrix, one row a sample. A CSV file holds numbers only, in f64; a first line with anything else is its
/// header. A .safetensors file holds one matrix, or one named `embeddings`.
pub(crate) fn read(path: &Path) -> CliResult<NpyMatrix> {
    let refuse =
        |what: &dyn std::fmt::Display| CliError::new(exit_code::DATA, format!("error: {}: {what}", path.display()));
    let bytes = || std::fs::read(path).map_err(|error| refuse(&error));
    match extension(path) {
        Some("npy") => npy::read(&bytes()?).map_err(|error| refuse(&error)),
        Some("safetensors") => safetensors(&bytes()?).map_err(|error| refuse(&error)),
        Some("csv") => csv_numbers(path).map(NpyMatrix::F64).map_err(|error| refuse(&error)),
        _ => Err(unknown_format(path)),
    }
}

fn safetensors(bytes: &[u8]) -> Result<NpyMatrix, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let names = file.names();
    let name = match names.as_slice() {
        [one] => *one,
        names if names.contains(&"embeddings") => "embeddings",
        names => return Err(format!("holds {} tensors, none named \"embeddings\": {}", names.len(), names.join(", "))),
    };
    let tensor = file.tensor(name).map_err(|error| error.to_string())?;
    let [rows, cols] = *tensor.shape() else {
        return Err(format!("{name:?} has the shape {:?}; a matrix of one row a sample is needed", tensor.shape()));
    };
    fn values<const N: usize, T>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks::<N>().0.iter().map(|chunk| from(*chunk)).collect()
    }
    let shape = |error: trailmark_core::matrix::ShapeError| error.to_string();
    match tensor.dtype() {
        Dtype::F32 => {
            Matrix::from_vec(rows, cols, values(tensor.data(), f32::from_le_bytes)).map(NpyMatrix::F32).map_err(shape)
        }
        Dtype::F64 => {
            Matrix::from_vec(rows, cols, values(tensor.data(), f64::from_le_bytes)).map(NpyMatrix::F64).map_err(shape)
        }
        other => Err(format!("{name:?} holds {other:?}; save it as F32 or F64")),
    }
}

fn csv_numbers(path: &Path) -> Result<Matrix<f64>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).map_err(|error| error.to_string())?;
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|error| error.to_string())?;
        let numbers: Result<Vec<f64>, usize> = record
            .iter()
            .enumerate()
            .map(|(column, text)| text.trim_start_matches('\u{feff}').trim().parse::<f64>().map_err(|_| column))
            .collect();
        match numbers {
            Ok(numbers) => rows.push(numbers),
            Err(_) if at == 0 => {} // the header
            Err(column) => {
                let text = &record[column];
                return Err(format!("line {}, column {}: {text:?} is no number", at + 1, column + 1));
            }
        }
    }
    Matrix::from_rows(&rows).map_err(|error| error.to_string())
}

/// Writes a matrix in the format of the file's name.
pub(crate) fn write(path: &Path, x: Matrix<f32>) -> CliResult<()> {
    let bytes = match extension(path) {
        Some("npy") => npy::write(&NpyMatrix::F32(x)),
        Some("safetensors") => {
            let bytes: Vec<u8> = x.as_slice().iter().flat_map(|value| value.to_le_bytes()).collect();
            let view = TensorView::new(Dtype::F32, vec![x.rows(), x.cols()], &bytes);
            view.and_then(|view| safetensors::serialize([("embeddings", view)], None))
                .map_err(|error| CliError::new(exit_code::INTERNAL, format!("error: {}: {error}", path.display())))?
        }
        Some("csv") => {
            let line = |row: &[f32]| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",") + "\n";
            x.iter_rows().map(line).collect::<String>().into_bytes()
        }
        _ => return Err(unknown_format(path)),
    };
    write_bytes(path, &bytes)
}

/// Writes a file.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> CliResult<()> {
    std::fs::write(path, bytes)
        .map_err(|error| CliError::new(exit_code::INTERNAL, format!("error: cannot write {}: {error}", path.display())))
}
