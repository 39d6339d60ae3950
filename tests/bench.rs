//! A folder of its own for every test, and the program run in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A working directory with its own store and cache.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

/// A small suite on generated data, fast enough to run many times.
pub(crate) const SMALL: &str = r#"schema = 1

[suite]
name = "small"
seed = 7

[[dataset]]
id = "shop"
source = "synthetic"
users = 150
labels = ["persona"]

[sequence]
form = { text = "{event} {category}", tokens = "{event}:{category}" }
min_events = 3

[split]
folds = 5
future = { last = 2 }

[[encoder]]
id = "tfidf"
kind = "tfidf"

[[encoder]]
id = "w2v"
kind = "word2vec"
dim = 16
epochs = 2

[[clusterer]]
id = "kmeans"
kind = "kmeans"
n_init = 2

[[clusterer]]
id = "ward"
kind = "agglomerative"

[sweep]
n_clusters = [2, 4, 6]

[score]
primary = "adjusted_rand_score"
recommend = { at = [5], recommenders = ["cluster_popularity"] }

[[compare]]
arms = "encoder"

[[gate]]
metric = "adjusted_rand_score"
margin = 0.02
"#;

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailmark"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env("TRAILMARK_STORE", self.path(".trailmark"))
            .env_remove("TRAILMARK_FAULT")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn trailmark(&self, args: &[&str]) -> Outcome {
        Outcome::of(self.command(args).output().unwrap())
    }

    /// Runs the program with one more environment variable.
    pub(crate) fn trailmark_with(&self, args: &[&str], name: &str, value: &str) -> Outcome {
        Outcome::of(self.command(args).env(name, value).output().unwrap())
    }

    /// Starts the program with its stdout in a pipe.
    pub(crate) fn start_piped(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Starts the program and returns at once.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

/// How the program ended.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code; shows what was printed when it differs.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that stderr holds a text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr does not say {text:?}:\n{}", self.stderr);
        self
    }
}

/// Rows of a `scores.csv` as maps from column to text.
pub(crate) fn scores(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            header.iter().zip(line.split(',')).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect()
        })
        .collect()
}
