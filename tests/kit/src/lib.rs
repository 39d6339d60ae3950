//! What every crate's own tests share: oracle tables, closeness, and the rule about assets.
//!
//! An oracle table is `tests/oracle/<crate>/<name>.toml`, written by a script in `scripts/` from a reference
//! implementation. Its header names tool, version, script and tolerances, so that nobody has to trust a number.

use std::path::PathBuf;

use serde::Deserialize;

/// A table of inputs and expected outputs.
#[derive(Debug, Deserialize)]
pub struct OracleTable {
    /// The reference implementation: `scikit-learn`.
    pub tool: String,
    /// Its version.
    pub version: String,
    /// The script that wrote the table, from the repository's root.
    pub script: String,
    /// Relative tolerance.
    pub rtol: f64,
    /// Absolute tolerance.
    pub atol: f64,
    /// Why the tolerance is looser than 1e-9, where it is.
    #[serde(default)]
    pub tolerance_reason: String,
    /// The cases; each test knows its own keys.
    pub case: Vec<toml::Table>,
}

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads `tests/oracle/<krate>/<name>.toml`.
///
/// # Panics
/// When the table is missing, malformed, without provenance or without cases.
pub fn oracle(krate: &str, name: &str) -> OracleTable {
    let path = root().join("tests/oracle").join(krate).join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let table: OracleTable = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(!table.case.is_empty(), "{} has no case", path.display());
    assert!(
        root().join(&table.script).is_file(),
        "{} names a script that is not there: {}",
        path.display(),
        table.script
    );
    table
}

impl OracleTable {
    /// Asserts that a number agrees within the table's tolerance.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn assert_close(&self, what: &str, actual: f64, expected: f64) {
        assert!(
            close(actual, expected, self.rtol, self.atol),
            "{what}: got {actual:?}, {} {} gives {expected:?}",
            self.tool,
            self.version
        );
    }
}

/// `|actual - expected| <= atol + rtol * |expected|`, false for NaN.
pub fn close(actual: f64, expected: f64, rtol: f64, atol: f64) -> bool {
    (actual - expected).abs() <= atol + rtol * expected.abs()
}

/// A number of a case, whole or real.
///
/// # Panics
/// When the case has no such number.
#[track_caller]
pub fn number(case: &toml::Table, key: &str) -> f64 {
    as_number(case.get(key).unwrap_or_else(|| panic!("the case has no {key}: {case}")))
}

/// A list of numbers of a case.
///
/// # Panics
/// When the case has no such list.
#[track_caller]
pub fn numbers(case: &toml::Table, key: &str) -> Vec<f64> {
    list(case, key).iter().map(as_number).collect()
}

/// A list of rows of numbers of a case.
///
/// # Panics
/// When the case has no such list.
#[track_caller]
pub fn rows(case: &toml::Table, key: &str) -> Vec<Vec<f64>> {
    list(case, key)
        .iter()
        .map(|row| {
            row.as_array().unwrap_or_else(|| panic!("{key} holds {row}, not rows")).iter().map(as_number).collect()
        })
        .collect()
}

/// Labels of a case; negative numbers are noise.
///
/// # Panics
/// When the case has no such list.
#[track_caller]
pub fn labels(case: &toml::Table, key: &str) -> Vec<Option<u32>> {
    list(case, key)
        .iter()
        .map(|value| {
            u32::try_from(value.as_integer().unwrap_or_else(|| panic!("{key} holds {value}, not a label"))).ok()
        })
        .collect()
}

#[track_caller]
fn list<'a>(case: &'a toml::Table, key: &str) -> &'a Vec<toml::Value> {
    case.get(key).and_then(toml::Value::as_array).unwrap_or_else(|| panic!("the case has no list {key}: {case}"))
}

#[track_caller]
fn as_number(value: &toml::Value) -> f64 {
    match value {
        toml::Value::Float(value) => *value,
        toml::Value::Integer(value) => *value as f64,
        other => panic!("{other} is not a number"),
    }
}

/// A folder or file under `TRAILMARK_ASSETS`, for tests on real data.
///
/// Absent assets skip the test with a line that says so, unless `TRAILMARK_REQUIRE_ASSETS=1`.
///
/// # Panics
/// When the asset is required and absent.
pub fn asset(relative: &str) -> Option<PathBuf> {
    let found = std::env::var_os("TRAILMARK_ASSETS")
        .map(|root| PathBuf::from(root).join(relative))
        .filter(|path| path.exists());
    if found.is_none() {
        let message = format!("asset {relative} is not under TRAILMARK_ASSETS");
        assert!(std::env::var("TRAILMARK_REQUIRE_ASSETS").as_deref() != Ok("1"), "{message}, and assets are required");
        eprintln!("skipped: {message}");
    }
    found
}

/// A model that `trailmark fetch` leaves in the cache (`TRAILMARK_CACHE/models/<name>`), or a folder of that name among
/// the assets. Absence is handled as in [`asset`].
///
/// # Panics
/// When the model is required and absent.
pub fn model(name: &str) -> Option<PathBuf> {
    let cached = std::env::var_os("TRAILMARK_CACHE").map(|cache| PathBuf::from(cache).join("models").join(name));
    cached.filter(|folder| folder.is_dir()).or_else(|| asset(name))
}

/// The bytes of a file, unpacked when its name ends in `.gz`.
///
/// # Panics
/// When it cannot be read.
pub fn read(path: &std::path::Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut unpacked)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return unpacked;
    }
    bytes
}
