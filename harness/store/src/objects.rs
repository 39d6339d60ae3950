//! The content-addressed store: one file per key, written to a temporary name, flushed, and published by hard link.
//! A file that is there is never overwritten; a damaged one is found by its hash, set aside under a name that says
//! so, and made again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;
use trailmark_core::Key;

const MAGIC: &[u8; 8] = b"TRAILMK1";
const HEADER: usize = MAGIC.len() + 64;

/// The store or a run folder could not be read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The file system said no.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// `read`, `write`, ..
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A run folder was written by a newer Trailmark.
    #[error("{} has format {found}, this trailmark reads up to {known}; update trailmark or choose another folder with -o", path.display())]
    Newer {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
}

impl StoreError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// What a look-up found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The payload, whole.
    Whole(Vec<u8>),
    /// Nothing under this key.
    Absent,
    /// The file did not match its hash and was set aside under this name.
    Damaged(PathBuf),
}

/// A folder of objects.
#[derive(Debug, Clone)]
pub struct ObjectStore {
    root: PathBuf,
}

static NEXT_TEMPORARY: AtomicU64 = AtomicU64::new(0);

impl ObjectStore {
    /// Opens or makes the store.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        for folder in ["objects", "tmp"] {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(StoreError::io("make the folder", &path))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Where the object of a key is or would be.
    pub fn path(&self, key: &Key) -> PathBuf {
        let name = key.to_string();
        self.root.join("objects").join(&name[..2]).join(&name[2..])
    }

    /// Reads an object and checks it against its hash.
    ///
    /// # Errors
    /// When the file system fails. Absence and damage are answers, not errors.
    pub fn get(&self, key: &Key) -> Result<Found, StoreError> {
        let path = self.path(key);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Absent),
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        };
        let whole = bytes.len() >= HEADER
            && bytes[..MAGIC.len()] == *MAGIC
            && bytes[MAGIC.len()..HEADER] == *Key::of_bytes(&bytes[HEADER..]).to_string().as_bytes();
        if whole {
            return Ok(Found::Whole(bytes[HEADER..].to_vec()));
        }
        let aside = self.temporary("damaged");
        fs::rename(&path, &aside).map_err(StoreError::io("set aside", &path))?;
        Ok(Found::Damaged(aside))
    }

    /// Publishes an object. When another writer was first, its object stays, unless it is damaged: then it is set
    /// aside and its new name returned.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn put(&self, key: &Key, payload: &[u8]) -> Result<Option<PathBuf>, StoreError> {
        let path = self.path(key);
        let aside = match self.get(key)? {
            Found::Whole(_) => return Ok(None),
            Found::Absent => None,
            Found::Damaged(aside) => Some(aside),
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(StoreError::io("make the folder", folder))?;
        }
        let temporary = self.temporary("new");
        let write = || -> io::Result<()> {
            let mut file = File::create_new(&temporary)?;
            file.write_all(MAGIC)?;
            file.write_all(Key::of_bytes(payload).to_string().as_bytes())?;
            file.write_all(payload)?;
            file.sync_all()
        };
        write().map_err(StoreError::io("write", &temporary))?;
        let published = fs::hard_link(&temporary, &path).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(()),
            // File systems without hard links: a rename is atomic, and equal keys have equal bytes.
            _ => fs::rename(&temporary, &path),
        });
        if temporary.exists() {
            fs::remove_file(&temporary).map_err(StoreError::io("remove", &temporary))?;
        }
        published.map_err(StoreError::io("publish", &path))?;
        Ok(aside)
    }

    fn temporary(&self, kind: &str) -> PathBuf {
        let number = NEXT_TEMPORARY.fetch_add(1, Ordering::Relaxed);
        self.root.join("tmp").join(format!("{kind}-{}-{number}", std::process::id()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, ObjectStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = ObjectStore::open(folder.path()).unwrap();
        (folder, store)
    }

    #[test]
    fn what_was_put_is_found_and_the_first_writer_wins() {
        let (_folder, store) = store();
        let key = Key::of_bytes(b"key");
        assert_eq!(store.get(&key).unwrap(), Found::Absent);
        store.put(&key, b"first").unwrap();
        store.put(&key, b"second").unwrap();
        assert_eq!(store.get(&key).unwrap(), Found::Whole(b"first".to_vec()));
    }

    #[test]
    fn a_damaged_object_is_set_aside_and_can_be_made_again() {
        let (_folder, store) = store();
        let key = Key::of_bytes(b"key");
        store.put(&key, b"payload").unwrap();
        let mut bytes = fs::read(store.path(&key)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(store.path(&key), bytes).unwrap();
        assert!(matches!(store.get(&key).unwrap(), Found::Damaged(aside) if aside.is_file()));
        assert_eq!(store.put(&key, b"payload").unwrap(), None);
        assert_eq!(store.get(&key).unwrap(), Found::Whole(b"payload".to_vec()));
    }

    #[test]
    fn a_writer_that_meets_a_damaged_object_replaces_it_and_says_so() {
        let (_folder, store) = store();
        let key = Key::of_bytes(b"key");
        store.put(&key, b"payload").unwrap();
        fs::write(store.path(&key), b"cut short").unwrap();
        assert!(store.put(&key, b"payload").unwrap().is_some_and(|aside| aside.is_file()));
        assert_eq!(store.get(&key).unwrap(), Found::Whole(b"payload".to_vec()));
    }

    #[test]
    fn no_temporary_file_stays_behind() {
        let (folder, store) = store();
        store.put(&Key::of_bytes(b"a"), b"1").unwrap();
        assert_eq!(fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
    }
}
