//! The Hugging Face hub, through hf-hub. It keeps its own cache, which other tools share.

use std::path::{Path, PathBuf};

use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Repo, RepoType};

use crate::DataError;

fn failed(id: &str, error: impl std::fmt::Display) -> DataError {
    DataError::External { what: format!("hub model {id}"), problem: error.to_string() }
}

fn repo(cache: &Path, id: &str, revision: &str) -> Result<ApiRepo, DataError> {
    let api = ApiBuilder::from_env()
        .with_cache_dir(cache.to_owned())
        .with_progress(false)
        .build()
        .map_err(|error| failed(id, error))?;
    Ok(api.repo(Repo::with_revision(id.to_owned(), RepoType::Model, revision.to_owned())))
}

/// The named files of a model; gives the folder of its snapshot.
pub(crate) fn download<'a>(
    cache: &Path,
    id: &str,
    revision: &str,
    files: impl Iterator<Item = &'a str>,
) -> Result<PathBuf, DataError> {
    let repo = repo(cache, id, revision)?;
    let get = |file: &str| repo.get(file).map_err(|error| failed(id, format!("{file}: {error}")));
    for file in files {
        get(file)?;
    }
    let config = get("config.json")?;
    config.parent().map(PathBuf::from).ok_or_else(|| failed(id, "config.json is in no folder"))
}

/// All configuration, vocabulary and safetensors files of a model; gives the folder of its snapshot.
pub(crate) fn download_model(cache: &Path, id: &str) -> Result<PathBuf, DataError> {
    let listed = repo(cache, id, "main")?.info().map_err(|error| failed(id, error))?;
    let files = listed.siblings.iter().map(|sibling| sibling.rfilename.as_str()).filter(|file| {
        let wanted = [".json", ".txt", ".safetensors", ".model"].iter().any(|ending| file.ends_with(ending));
        file.ends_with("_Pooling/config.json") || (wanted && !file.contains('/'))
    });
    download(cache, id, "main", files)
}
