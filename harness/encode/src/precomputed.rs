//! Vectors made elsewhere: an `.npy` file and a text file with the sample id of each row. So a method in any
//! language is compared on equal terms.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;
use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Embeddings, Failure, KeyBuilder, Matrix, ParamKind, ParamSpec, Params, SequenceView, Spec};

use crate::counting::{dense, embeddings};
use crate::npy::{self, NpyError, NpyMatrix};

/// Sample ids named in a message before the rest is only counted.
const NAMED: usize = 3;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "precomputed",
    summary: "vectors from an .npy file, one row per sample id; nothing is fitted",
    reference: "NumPy Enhancement Proposal 1, the .npy format",
    revision: 1,
    cost: Cost { time: "none", memory: "the file" },
    params: &[
        ParamSpec {
            name: "path",
            summary: ".npy file, (n_samples, n_features), f32 or f64, C order",
            kind: ParamKind::Text,
            default: ParamDefault::Required,
        },
        ParamSpec {
            name: "ids",
            summary: "text file with one sample id per line, in the order of the rows",
            kind: ParamKind::Text,
            default: ParamDefault::Required,
        },
    ],
};

/// Files that cannot be used.
#[derive(Debug, Error)]
enum FileError {
    #[error("cannot read {}: {source}; give a path relative to the suite file", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}", path.display())]
    Npy { path: PathBuf, source: NpyError },
    #[error("{} is not UTF-8 text; write one sample id per line", path.display())]
    NotText { path: PathBuf },
    #[error(
        "{} has {rows} rows and {} has {ids} sample ids; write one id per row, in the same order",
        path.display(), ids_path.display()
    )]
    Rows { path: PathBuf, rows: usize, ids_path: PathBuf, ids: usize },
    #[error("{} names sample {id:?} twice, on lines {first} and {second}; each sample has one row", path.display())]
    Twice { path: PathBuf, id: String, first: usize, second: usize },
    #[error("{} has no columns; save an array of shape (n_samples, n_features)", path.display())]
    NoColumns { path: PathBuf },
    #[error("{} holds {value} at row {row}, column {column} (sample {id:?}); mend or leave out that sample", path.display())]
    NotFinite { path: PathBuf, value: f64, row: usize, column: usize, id: String },
    #[error(
        "{} holds {value:e} at row {row}, column {column} (sample {id:?}), which f32 cannot hold; rescale the vectors",
        path.display()
    )]
    TooLarge { path: PathBuf, value: f64, row: usize, column: usize, id: String },
}

/// Makes the encoder: reads and checks both files.
pub(crate) fn build(params: &Params, assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    let (path, ids) = (assets.path(params.text("path")), assets.path(params.text("ids")));
    match Precomputed::read(&path, &ids) {
        Ok(encoder) => Ok(Box::new(encoder)),
        Err(error) => Err(BuildError(format!("precomputed: {error}"))),
    }
}

struct Precomputed {
    x: Matrix<f32>, // (n_stored, n_features)
    rows: BTreeMap<String, usize>,
    ids_path: PathBuf,
    fingerprint: String,
}

fn bytes(path: &Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(path).map_err(|source| FileError::Unreadable { path: path.to_owned(), source })
}

impl Precomputed {
    fn read(path: &Path, ids_path: &Path) -> Result<Self, FileError> {
        let (values, names) = (bytes(path)?, bytes(ids_path)?);
        let matrix = npy::read(&values).map_err(|source| FileError::Npy { path: path.to_owned(), source })?;
        let text = std::str::from_utf8(&names).map_err(|_| FileError::NotText { path: ids_path.to_owned() })?;
        let ids: Vec<&str> = text.lines().collect();
        let (n_rows, n_cols) = matrix.shape();
        if ids.len() != n_rows {
            return Err(FileError::Rows {
                path: path.to_owned(),
                rows: n_rows,
                ids_path: ids_path.to_owned(),
                ids: ids.len(),
            });
        }
        if n_cols == 0 {
            return Err(FileError::NoColumns { path: path.to_owned() });
        }
        let mut rows = BTreeMap::new();
        for (row, id) in ids.iter().enumerate() {
            if let Some(first) = rows.insert((*id).to_owned(), row) {
                return Err(FileError::Twice {
                    path: ids_path.to_owned(),
                    id: (*id).to_owned(),
                    first: first + 1,
                    second: row + 1,
                });
            }
        }
        Ok(Self {
            x: narrow(matrix, path, &ids)?,
            rows,
            ids_path: ids_path.to_owned(),
            fingerprint: KeyBuilder::new("precomputed").raw("path", &values).raw("ids", &names).finish().to_string(),
        })
    }
}

/// The vectors in f32, every one finite before and after.
fn narrow(matrix: NpyMatrix, path: &Path, ids: &[&str]) -> Result<Matrix<f32>, FileError> {
    let stored = match &matrix {
        NpyMatrix::F32(x) => x.first_not_finite(),
        NpyMatrix::F64(x) => x.first_not_finite(),
    };
    if let Some((row, column, value)) = stored {
        return Err(FileError::NotFinite { path: path.to_owned(), value, row, column, id: ids[row].to_owned() });
    }
    let wide = match matrix {
        NpyMatrix::F32(x) => return Ok(x),
        NpyMatrix::F64(x) => x,
    };
    let narrow: Matrix<f32> = wide.cast();
    match narrow.first_not_finite() {
        None => Ok(narrow),
        Some((row, column, _)) => Err(FileError::TooLarge {
            path: path.to_owned(),
            value: wide.row(row)[column],
            row,
            column,
            id: ids[row].to_owned(),
        }),
    }
}

impl Encoder for Precomputed {
    fn scope(&self) -> Scope {
        Scope::Frozen
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn fit<'a>(&'a self, _train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        Ok(Box::new(Stored(self)))
    }
}

struct Stored<'a>(&'a Precomputed);

impl Transform for Stored<'_> {
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let Precomputed { x, rows: stored, ids_path, .. } = self.0;
        let mut out = dense(rows.len(), x.cols(), "raise --memory", ctx)?;
        let mut missing = Vec::new();
        for i in 0..rows.len() {
            match stored.get(rows.id(i)) {
                Some(&row) => out.row_mut(i).copy_from_slice(x.row(row)),
                None => missing.push(format!("{:?}", rows.id(i))),
            }
        }
        if missing.is_empty() {
            return embeddings(out);
        }
        let more = if missing.len() > NAMED { ", .." } else { "" };
        Err(Failure::bad_input(format!(
            "{} of {} samples have no row in {}: {}{more}; add their vectors",
            missing.len(),
            rows.len(),
            ids_path.display(),
            missing[..missing.len().min(NAMED)].join(", ")
        )))
    }
}
