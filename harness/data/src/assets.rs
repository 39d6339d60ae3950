//! Finding named datasets and models on this machine. Nothing here uses a network; `fetch.rs` does.

use std::path::{Path, PathBuf};

use trailmark_core::contract::Assets;

use crate::digest::sha256_file;
use crate::error::{DataError, nearest};
use crate::manifest::{AssetKind, DATASETS, MODELS, Manifest, SourceEntry};

/// What is known of an asset, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetInfo {
    /// Dataset or model.
    pub kind: AssetKind,
    /// Its name.
    pub name: String,
    /// One line for people.
    pub summary: String,
    /// Where it is described.
    pub homepage: String,
    /// Its licence.
    pub licence: String,
    /// Whether the licence allows to hand its files on.
    pub redistribution: bool,
    /// Whether its files are on this machine.
    pub present: bool,
}

/// Where assets are, and whether they may be brought.
///
/// Looked at in order: the folder of a manifest of the user's, `TRAILMARK_ASSETS`, the cache (`TRAILMARK_CACHE`, else
/// `~/.cache/trailmark`), the cache of the Hugging Face hub.
#[derive(Debug, Clone)]
pub struct AssetStore {
    base_dir: PathBuf,
    assets: Option<PathBuf>,
    pub(crate) cache: PathBuf,
    hubs: Vec<PathBuf>,
    manifests: PathBuf,
    pub(crate) offline: bool,
}

impl AssetStore {
    /// The store of a suite in `base_dir`, with the folders that the environment names.
    pub fn from_env(base_dir: impl Into<PathBuf>, offline: bool) -> Self {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = folder("HOME").or_else(|| folder("USERPROFILE")).unwrap_or_else(|| PathBuf::from("."));
        let hub = folder("HF_HUB_CACHE")
            .or_else(|| folder("HF_HOME").map(|home| home.join("hub")))
            .unwrap_or_else(|| home.join(".cache/huggingface/hub"));
        Self {
            base_dir: base_dir.into(),
            assets: folder("TRAILMARK_ASSETS"),
            cache: folder("TRAILMARK_CACHE").unwrap_or_else(|| home.join(".cache/trailmark")),
            hubs: vec![hub],
            manifests: PathBuf::from("datasets"),
            offline,
        }
    }

    /// A store with these folders and nothing of the environment; offline.
    pub fn new(base_dir: impl Into<PathBuf>, assets: Option<PathBuf>, cache: impl Into<PathBuf>) -> Self {
        Self {
            base_dir: base_dir.into(),
            assets,
            cache: cache.into(),
            hubs: Vec::new(),
            manifests: PathBuf::from("datasets"),
            offline: true,
        }
    }

    /// Also looks in this cache of the Hugging Face hub.
    #[must_use]
    pub fn with_hub_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.hubs.push(folder.into());
        self
    }

    /// Looks for the user's manifests there instead of in `./datasets`.
    #[must_use]
    pub fn with_manifests(mut self, folder: impl Into<PathBuf>) -> Self {
        self.manifests = folder.into();
        self
    }

    /// Names of all datasets known by manifest, ascending. Manifests that do not parse are left out here; using one
    /// says what is wrong.
    pub fn names(&self) -> Vec<String> {
        self.names_of(AssetKind::Dataset)
    }

    /// Names of all models known by manifest, ascending.
    pub fn model_names(&self) -> Vec<String> {
        self.names_of(AssetKind::Model)
    }

    /// What is known of every dataset and model.
    pub fn infos(&self) -> Vec<AssetInfo> {
        let known = |kind: AssetKind| {
            self.names_of(kind).into_iter().filter_map(move |name| self.manifest(kind, &name).ok()).map(
                move |manifest| {
                    let present = self.find(kind, &manifest).is_ok_and(|found| found.is_some());
                    let Manifest { name, summary, homepage, licence, redistribution, .. } = manifest;
                    AssetInfo { kind, name, summary, homepage, licence, redistribution, present }
                },
            )
        };
        known(AssetKind::Dataset).chain(known(AssetKind::Model)).collect()
    }

    fn names_of(&self, kind: AssetKind) -> Vec<String> {
        let shipped = shipped(kind).iter().filter_map(|(place, text)| Manifest::parse(place, text, kind).ok());
        let mut names: Vec<String> = shipped.map(|manifest| manifest.name).collect();
        let entries = std::fs::read_dir(self.manifest_folder(kind)).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.path().join(file_of(kind)).is_file()) {
            names.extend(entry.file_name().into_string().ok());
        }
        names.sort();
        names.dedup();
        names
    }

    fn manifest_folder(&self, kind: AssetKind) -> PathBuf {
        match kind {
            AssetKind::Dataset => self.manifests.clone(),
            AssetKind::Model => self.manifests.join("models"),
        }
    }

    /// The manifest of a name: the user's own before the shipped one.
    pub(crate) fn manifest(&self, kind: AssetKind, name: &str) -> Result<Manifest, DataError> {
        let path = self.manifest_folder(kind).join(name).join(file_of(kind));
        if !name.contains(['/', '\\']) && path.is_file() {
            let text = std::fs::read_to_string(&path).map_err(|error| DataError::read(&path, error))?;
            let mut manifest = Manifest::parse(&path.display().to_string(), &text, kind)?;
            if manifest.name != name {
                let problem = format!("name = {:?}, but its folder is {name:?}: they must agree", manifest.name);
                return Err(DataError::Manifest { place: path.display().to_string(), problem });
            }
            manifest.folder = path.parent().map(Path::to_owned);
            return Ok(manifest);
        }
        for (place, text) in shipped(kind) {
            if place.split('/').rev().nth(1) == Some(name) {
                return Manifest::parse(place, text, kind);
            }
        }
        let present = self.names_of(kind);
        let suggestion = nearest(name, &present);
        Err(DataError::UnknownAsset { kind: kind.name(), name: name.to_owned(), present, suggestion })
    }

    /// The folder of an asset in the cache.
    pub(crate) fn cached(&self, kind: AssetKind, name: &str) -> PathBuf {
        self.cache.join(kind.folder()).join(name)
    }

    /// Folders in which the files of an asset may be, each with the files to check (all of them where none are named).
    fn candidates<'m>(&self, kind: AssetKind, manifest: &'m Manifest) -> Vec<(PathBuf, Option<&'m [String]>)> {
        let mut folders: Vec<(PathBuf, Option<&[String]>)> = Vec::new();
        folders.extend(manifest.folder.clone().map(|folder| (folder, None)));
        if let Some(assets) = &self.assets {
            for source in &manifest.sources {
                if let SourceEntry::Folder { path } = source {
                    folders.push((assets.join(path), None));
                }
            }
        }
        folders.push((self.cached(kind, &manifest.name), None));
        for source in &manifest.sources {
            if let SourceEntry::Hub { id, checked, .. } = source {
                folders.extend(self.hub_folders(id).into_iter().map(|folder| (folder, Some(&checked[..]))));
            }
        }
        folders
    }

    /// The folder with all files of an asset, each checked against its digest; none where no folder has all of them.
    pub(crate) fn find(&self, kind: AssetKind, manifest: &Manifest) -> Result<Option<PathBuf>, DataError> {
        for (folder, checked) in self.candidates(kind, manifest) {
            if manifest.files.iter().all(|file| folder.join(&file.name).is_file()) {
                verify(manifest, &folder, checked)?;
                return Ok(Some(folder));
            }
        }
        Ok(None)
    }

    /// The folder of a known asset; fetches it where that is allowed.
    pub(crate) fn require(&self, kind: AssetKind, name: &str) -> Result<(Manifest, PathBuf), DataError> {
        let manifest = self.manifest(kind, name)?;
        if let Some(folder) = self.find(kind, &manifest)? {
            return Ok((manifest, folder));
        }
        let fetchable = manifest.sources.iter().any(|source| !matches!(source, SourceEntry::Folder { .. }));
        if fetchable && !self.offline {
            let report = self.fetch(name, &mut |_| {})?;
            return Ok((manifest, report.folder));
        }
        let help = if fetchable {
            format!("bring it with `trailmark fetch {name}`, then it can be used offline")
        } else {
            format!(
                "set TRAILMARK_ASSETS to a folder that holds {}; it can be had from {}",
                manifest
                    .sources
                    .iter()
                    .find_map(|source| match source {
                        SourceEntry::Folder { path } => Some(path.display().to_string()),
                        _ => None,
                    })
                    .unwrap_or_else(|| name.to_owned()),
                manifest.homepage
            )
        };
        let looked = self.candidates(kind, &manifest).into_iter().map(|(folder, _)| folder).collect();
        Err(DataError::NotHere { kind: kind.name(), name: name.to_owned(), looked, help })
    }

    /// The hub cache that downloads go to.
    #[cfg(feature = "hub")]
    pub(crate) fn hub_cache(&self) -> Option<&Path> {
        self.hubs.first().map(PathBuf::as_path)
    }

    /// Snapshots of a hub model on this machine, that of `main` first.
    fn hub_folders(&self, id: &str) -> Vec<PathBuf> {
        let folder = format!("models--{}", id.replace('/', "--"));
        self.hubs.iter().chain(&self.assets).flat_map(|hub| snapshots(&hub.join(&folder))).collect()
    }

    fn resolve_model(&self, name: &str) -> Result<PathBuf, DataError> {
        if !name.contains(['/', '\\']) && self.names_of(AssetKind::Model).iter().any(|known| known == name) {
            return self.require(AssetKind::Model, name).map(|(_, folder)| folder);
        }
        let path = Assets::path(self, name);
        let looks_like_model = |folder: &PathBuf| folder.join("config.json").is_file();
        let mut looked = vec![path.clone()];
        if looks_like_model(&path) {
            return Ok(path);
        }
        let snapshots = snapshots(&path).into_iter().chain(self.hub_folders(name));
        if let Some(folder) = snapshots.into_iter().find(looks_like_model) {
            return Ok(folder);
        }
        for known in self.names_of(AssetKind::Model) {
            let manifest = self.manifest(AssetKind::Model, &known)?;
            if manifest.sources.iter().any(|source| matches!(source, SourceEntry::Hub { id, .. } if id == name)) {
                return self.require(AssetKind::Model, &known).map(|(_, folder)| folder);
            }
        }
        let is_hub_id = name.split('/').count() == 2 && !name.starts_with(['.', '/']) && !path.exists();
        if is_hub_id {
            #[cfg(feature = "hub")]
            if let (false, Some(cache)) = (self.offline, self.hub_cache()) {
                return crate::hub::download_model(cache, name);
            }
            let folder = format!("models--{}", name.replace('/', "--"));
            looked.extend(self.hubs.iter().chain(&self.assets).map(|hub| hub.join(&folder)));
        }
        let known = self.model_names().join(", ");
        let help = if path.is_dir() {
            "the folder has no config.json: give a folder with config.json, tokenizer.json and model.safetensors"
                .to_owned()
        } else {
            format!("give a folder, a hub id whose snapshot is on this machine, or one of the known models: {known}")
        };
        Err(DataError::NotHere { kind: "model", name: name.to_owned(), looked, help })
    }
}

impl Assets for AssetStore {
    fn model(&self, name: &str) -> Result<PathBuf, String> {
        self.resolve_model(name).map_err(|error| error.to_string())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.base_dir.join(path)
    }
}

fn shipped(kind: AssetKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        AssetKind::Dataset => DATASETS,
        AssetKind::Model => MODELS,
    }
}

fn file_of(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Dataset => "dataset.toml",
        AssetKind::Model => "model.toml",
    }
}

/// The snapshots of a hub folder `models--org--name`: the one that `refs/main` names, then the others by name.
fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let main = std::fs::read_to_string(folder.join("refs/main")).ok().map(|text| text.trim().to_owned());
    let entries = std::fs::read_dir(folder.join("snapshots")).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort_by_key(|path| (path.file_name().and_then(|name| name.to_str()) != main.as_deref(), path.clone()));
    found
}

/// Checks the files of an asset against their digests: all of them, or those named.
pub(crate) fn verify(manifest: &Manifest, folder: &Path, checked: Option<&[String]>) -> Result<(), DataError> {
    for file in &manifest.files {
        if checked.is_some_and(|checked| !checked.contains(&file.name)) {
            continue;
        }
        let path = folder.join(&file.name);
        let found = sha256_file(&path)?;
        if !found.eq_ignore_ascii_case(&file.sha256) {
            return Err(DataError::Checksum { path, expected: file.sha256.clone(), found });
        }
    }
    Ok(())
}
