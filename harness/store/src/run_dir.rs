//! The folder of one run.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::objects::StoreError;
use crate::record::{CellName, CellRecord, Comparison, FORMAT_VERSION, Outcome, RunManifest, Timing};

/// A run folder.
#[derive(Debug, Clone)]
pub struct RunDir {
    root: PathBuf,
}

/// One process's own files in a run folder: it alone appends to them.
#[derive(Debug)]
pub struct Attempt {
    records: Mutex<File>,
    records_path: PathBuf,
    timings: Mutex<File>,
    timings_path: PathBuf,
}

impl RunDir {
    /// A folder that may or may not exist yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Where the report goes.
    pub fn report_dir(&self) -> PathBuf {
        self.root.join("report")
    }

    /// The manifest; none when the folder holds no run.
    ///
    /// # Errors
    /// When it cannot be read, or was written by a newer Trailmark.
    pub fn manifest(&self) -> Result<Option<RunManifest>, StoreError> {
        let path = self.root.join("run.json");
        #[derive(serde::Deserialize)]
        struct FormatOnly {
            format: u32,
        }
        match read_json::<FormatOnly>(&path)? {
            None => Ok(None),
            Some(FormatOnly { format }) if format > FORMAT_VERSION => {
                Err(StoreError::Newer { path, found: format, known: FORMAT_VERSION })
            }
            Some(_) => read_json(&path),
        }
    }

    /// Makes the folder and writes the manifest and the resolved suite, before the first cell.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn start(&self, manifest: &RunManifest, resolved_suite: &str) -> Result<(), StoreError> {
        let records = self.root.join("records");
        fs::create_dir_all(&records).map_err(StoreError::io("make the folder", &records))?;
        self.write("run.json", &pretty(manifest))?;
        self.write("suite.resolved.toml", resolved_suite)
    }

    /// Opens this process's own record file.
    ///
    /// # Errors
    /// When no file can be made.
    pub fn attempt(&self) -> Result<Attempt, StoreError> {
        let folder = self.root.join("records");
        let timings_path = self.root.join("timings.ndjson");
        for number in 1_u32.. {
            let records_path = folder.join(format!("{number:04}.ndjson"));
            match File::create_new(&records_path) {
                Ok(records) => {
                    let timings = OpenOptions::new()
                        .create(true)
                        .append(true)
                        .open(&timings_path)
                        .map_err(StoreError::io("open", &timings_path))?;
                    return Ok(Attempt {
                        records: Mutex::new(records),
                        records_path,
                        timings: Mutex::new(timings),
                        timings_path,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io("make", &records_path)(error)),
            }
        }
        unreachable!("four billion attempts")
    }

    /// All records of all attempts, one per cell: a success over a failure, then the later attempt. Sorted by cell.
    ///
    /// # Errors
    /// When a file cannot be read, or a line other than a torn last one is not a record.
    pub fn records(&self) -> Result<Vec<CellRecord>, StoreError> {
        let folder = self.root.join("records");
        let mut files: Vec<PathBuf> = match fs::read_dir(&folder) {
            Ok(entries) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("read", &folder)(error)),
        };
        files.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson"));
        files.sort();
        let mut by_cell: BTreeMap<CellName, CellRecord> = BTreeMap::new();
        for path in files {
            for record in read_lines::<CellRecord>(&path)? {
                match by_cell.get(&record.cell) {
                    Some(CellRecord { outcome: Outcome::Ok(_), cell_id, .. })
                        if matches!(record.outcome, Outcome::Failed(_)) && *cell_id == record.cell_id => {}
                    _ => {
                        by_cell.insert(record.cell.clone(), record);
                    }
                }
            }
        }
        Ok(by_cell.into_values().collect())
    }

    /// All timings. Attempts share the file, so a line torn by a kill may stand anywhere; it is passed over, for
    /// nothing is decided by timings.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn timings(&self) -> Result<Vec<Timing>, StoreError> {
        let path = self.root.join("timings.ndjson");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(StoreError::io("read", &path)(error)),
        }
    }

    /// The suite as it ran.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn resolved_suite(&self) -> Result<String, StoreError> {
        let path = self.root.join("suite.resolved.toml");
        fs::read_to_string(&path).map_err(StoreError::io("read", &path))
    }

    /// Keeps the comparisons.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_comparisons(&self, comparisons: &[Comparison]) -> Result<(), StoreError> {
        self.write("comparisons.json", &pretty(&comparisons))
    }

    /// The kept comparisons; empty when none were made.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn comparisons(&self) -> Result<Vec<Comparison>, StoreError> {
        Ok(read_json(&self.root.join("comparisons.json"))?.unwrap_or_default())
    }

    /// Writes a file of the folder whole: readers see the old one or the new one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let path = self.root.join(name);
        let temporary = self.root.join(format!(".{name}.{}.tmp", std::process::id()));
        fs::write(&temporary, text).map_err(StoreError::io("write", &temporary))?;
        fs::rename(&temporary, &path).map_err(StoreError::io("write", &path))
    }
}

impl Attempt {
    /// Appends a record and flushes it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record(&self, record: &CellRecord) -> Result<(), StoreError> {
        append(&self.records, &self.records_path, record)
    }

    /// Appends a timing.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn timing(&self, timing: &Timing) -> Result<(), StoreError> {
        append(&self.timings, &self.timings_path, timing)
    }
}

fn append<T: Serialize>(file: &Mutex<File>, path: &Path, value: &T) -> Result<(), StoreError> {
    let mut line = compact(value);
    line.push('\n');
    let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    file.write_all(line.as_bytes()).and_then(|()| file.flush()).map_err(StoreError::io("write", path))
}

#[expect(clippy::expect_used, reason = "our own types have string keys and finite numbers, so they always serialise")]
fn compact<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our own types serialise")
}

#[expect(clippy::expect_used, reason = "our own types have string keys and finite numbers, so they always serialise")]
fn pretty<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).expect("our own types serialise") + "\n"
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StoreError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("read", path)(error)),
    };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| StoreError::Damaged { path: path.to_owned(), what: error.to_string() })
}

/// Lines of one file. A last line without its line break was torn by a kill and is dropped.
fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::io("read", path))?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let damaged = |what: String| StoreError::Damaged { path: path.to_owned(), what };
    let text = std::str::from_utf8(&bytes[..whole]).map_err(|error| damaged(error.to_string()))?;
    text.lines()
        .enumerate()
        .map(|(at, line)| serde_json::from_str(line).map_err(|error| damaged(format!("line {}: {error}", at + 1))))
        .collect()
}

#[cfg(test)]
mod tests {
    use trailmark_core::{Failure, Key, Score, Undefined};

    use super::*;
    use crate::record::{CellScores, NClusters, Role, ScoreRow, Split};

    fn record(n_clusters: usize, outcome: Outcome) -> CellRecord {
        let cell = CellName {
            dataset: "shop".into(),
            encoder: "w2v".into(),
            clusterer: "kmeans".into(),
            n_clusters: NClusters::Fixed(n_clusters),
            fold: 0,
            repeat: 0,
        };
        let key = Key::of_bytes(cell.to_string().as_bytes());
        CellRecord { cell, cell_id: key, arm_id: key, protocol_id: key, n_train: 2, n_test: 1, outcome }
    }

    fn ok(value: f64) -> Outcome {
        let row = |metric: &str, score| ScoreRow {
            split: Split::Test,
            role: Role::Arm,
            control: String::new(),
            metric: metric.into(),
            score,
            n_users: None,
        };
        Outcome::Ok(CellScores {
            rows: vec![
                row("adjusted_rand_score", Score::value(value)),
                row("silhouette_score", Undefined::OneCluster.into()),
            ],
            chosen_from: Vec::new(),
            picks: Vec::new(),
            warnings: Vec::new(),
            sizes_train: vec![2],
            sizes_test: vec![1],
            assignment: "nearest centroid".into(),
            labels: Key::of_bytes(b"l"),
            user_scores: Key::of_bytes(b"u"),
        })
    }

    fn folder() -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("records")).unwrap();
        let run = RunDir::new(folder.path());
        (folder, run)
    }

    #[test]
    fn records_survive_the_disk_to_the_last_bit() {
        let (_folder, run) = folder();
        let written = record(2, ok(0.1 + 0.2));
        run.attempt().unwrap().record(&written).unwrap();
        assert_eq!(run.records().unwrap(), vec![written]);
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_a_torn_line_inside_is_an_error() {
        let (folder, run) = folder();
        run.attempt().unwrap().record(&record(2, ok(0.5))).unwrap();
        let path = folder.path().join("records/0001.ndjson");
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}{}", &whole[..whole.len() / 2])).unwrap();
        assert_eq!(run.records().unwrap().len(), 1);
        fs::write(&path, format!("{}\n{whole}", &whole[..whole.len() / 2])).unwrap();
        assert!(run.records().unwrap_err().to_string().contains("line 1"), "{:?}", run.records());
    }

    #[test]
    fn a_success_stays_over_a_later_failure_and_a_failure_gives_way_to_a_later_success() {
        let (_folder, run) = folder();
        let failed = || Outcome::Failed(Failure::bug("boom"));
        let first = run.attempt().unwrap();
        first.record(&record(2, ok(0.5))).unwrap();
        first.record(&record(3, failed())).unwrap();
        let second = run.attempt().unwrap();
        second.record(&record(2, failed())).unwrap();
        second.record(&record(3, ok(0.7))).unwrap();
        let outcomes: Vec<bool> = run.records().unwrap().iter().map(|r| matches!(r.outcome, Outcome::Ok(_))).collect();
        assert_eq!(outcomes, [true, true]);
    }

    #[test]
    fn each_attempt_has_its_own_file() {
        let (folder, run) = folder();
        let (_a, _b) = (run.attempt().unwrap(), run.attempt().unwrap());
        assert!(folder.path().join("records/0002.ndjson").is_file());
    }

    #[test]
    fn a_folder_of_a_newer_format_is_refused_with_advice() {
        let (folder, run) = folder();
        fs::write(folder.path().join("run.json"), r#"{"format": 99}"#).unwrap();
        let message = run.manifest().unwrap_err().to_string();
        assert!(message.contains("has format 99, this trailmark reads up to 1; update trailmark"), "{message}");
    }
}
