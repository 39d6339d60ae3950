//! Literate cases of the whole program, `tests/cases/*.md`: under each heading the files of a working directory, one
//! command, and the exit code with everything it says on stderr. `BLESS=1` rewrites the expectations.
//!
//! A file is a code block whose info string ends in its name (`toml suite.toml`), a command is a `console` block, the
//! expectation is a block `text exit N`. A line `...` in an expectation stands for any lines: progress, for instance.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::bench::Bench;

struct Block {
    info: String,
    text: String,
    /// Lines of the file, from the first of the text to the one behind its last.
    lines: std::ops::Range<usize>,
}

struct Case {
    heading: String,
    blocks: Vec<Block>,
}

fn cases(text: &str) -> Vec<Case> {
    let lines: Vec<&str> = text.lines().collect();
    let mut cases: Vec<Case> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if let Some(heading) = lines[at].strip_prefix("## ") {
            cases.push(Case { heading: heading.to_owned(), blocks: Vec::new() });
        } else if let Some(info) = lines[at].strip_prefix("```") {
            let first = at + 1;
            let last = first + lines[first..].iter().position(|line| *line == "```").expect("every block is closed");
            let block = Block { info: info.to_owned(), text: lines[first..last].join("\n") + "\n", lines: first..last };
            cases.last_mut().expect("a block stands under a heading").blocks.push(block);
            at = last;
        }
        at += 1;
    }
    cases
}

/// What the program said, with this machine's folder taken out.
fn run(case: &Case) -> String {
    let bench = Bench::new();
    let mut command = None;
    for block in &case.blocks {
        match block.info.split_once(' ') {
            _ if block.info == "console" => command = Some(block.text.trim().to_owned()),
            Some(("text", _)) => {}
            Some((_, name)) => {
                bench.write(name, &block.text);
            }
            None => panic!("{}: a block {:?} has no file name", case.heading, block.info),
        }
    }
    let command = command.unwrap_or_else(|| panic!("{} has no command", case.heading));
    let args: Vec<&str> = command.strip_prefix("$ trailmark ").expect("a command of trailmark").split(' ').collect();
    let outcome = bench.trailmark(&args);
    let said = outcome
        .stderr
        .replace(&format!("{}/", bench.path("").display()), "")
        .replace(&bench.path("").display().to_string(), ".");
    format!("exit {}\n{said}", outcome.code)
}

/// `...` matches any lines, also none.
fn matches(expected: &[&str], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((&"...", rest)) => (0..=actual.len()).any(|skip| matches(rest, &actual[skip..])),
        Some((line, rest)) => actual.first() == Some(line) && matches(rest, &actual[1..]),
    }
}

fn walk(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut wrong = Vec::new();
    // From the last case to the first, so that rewritten lines move no line still to be looked at.
    for case in cases(&text).iter().rev() {
        let actual = run(case);
        let (code, said) = actual.split_once('\n').unwrap();
        let block =
            case.blocks.iter().find(|block| block.info.starts_with("text ")).expect("a case has an expectation");
        let expected: Vec<&str> = block.text.lines().collect();
        let said: Vec<&str> = said.lines().collect();
        if block.info == format!("text {code}") && matches(&expected, &said) {
            continue;
        }
        if std::env::var_os("BLESS").is_some() {
            lines.splice(block.lines.clone(), said.iter().map(|line| (*line).to_owned()));
            lines[block.lines.start - 1] = format!("```text {code}");
        } else {
            let mut message = String::new();
            write!(
                message,
                "{}: {}\nexpected {}\n{}\ngot {actual}",
                path.display(),
                case.heading,
                block.info,
                block.text
            )
            .unwrap();
            wrong.push(message);
        }
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }
    wrong
}

#[test]
fn every_literate_case_says_and_exits_as_written() {
    let folder = trailmark_kit::root().join("tests/cases");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let wrong: Vec<String> = files.iter().flat_map(|path| walk(path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
