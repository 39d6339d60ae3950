//! Walks `tests/suites/*.md`: every heading is a case, its `toml` block a suite, its `set` block overrides one a line,
//! and its last block what must come of it: `text` for diagnostics, `plan` for the cells, `resolved` for the resolved
//! suite. `BLESS=1` rewrites the last blocks.

use std::fmt::Write;
use std::path::PathBuf;

use trailmark_suite::{Filter, plan, resolved_toml};

use crate::fixture::parse;

/// A fenced block: its language, and the lines of its text (the fences are not in it).
struct Block {
    language: String,
    start: usize,
    end: usize,
}

/// A case by the line ranges of its blocks.
struct Case {
    name: String,
    blocks: Vec<Block>,
}

fn cases(lines: &[&str]) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut open: Option<(String, usize)> = None;
    for (at, line) in lines.iter().enumerate() {
        match (&open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.trim().to_owned(), at + 1)),
            (Some((language, start)), Some("")) => {
                let block = Block { language: language.clone(), start: *start, end: at };
                cases.last_mut().expect("a block stands under a heading").blocks.push(block);
                open = None;
            }
            (None, None) if line.starts_with("## ") => {
                cases.push(Case { name: line[3..].to_owned(), blocks: Vec::new() });
            }
            _ => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    cases
}

fn outcome(suite: &str, overrides: &[&str], language: &str) -> String {
    match (parse(suite, overrides), language) {
        (Err(diagnostics), _) => diagnostics.to_string(),
        (Ok(suite), "resolved") => resolved_toml(&suite).trim_end().to_owned(),
        (Ok(suite), "plan") => {
            let plan = plan(&suite, &Filter::default());
            let mut text = String::new();
            for group in &plan.groups {
                let _ = writeln!(text, "{}", group.name(&suite));
            }
            let _ = write!(text, "{} groups, {} cells", plan.groups.len(), plan.n_cells());
            text
        }
        (Ok(_), _) => "no mistake".to_owned(),
    }
}

/// The files, so that a test that walks nothing fails.
fn files() -> Vec<PathBuf> {
    let folder = trailmark_kit::root().join("tests/suites");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_literate_suite_gives_exactly_what_its_page_says() {
    let bless = std::env::var("BLESS").as_deref() == Ok("1");
    let mut wrong = String::new();
    let mut walked = 0;
    for path in files() {
        let page = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        let mut blessed: Vec<String> = Vec::new();
        let mut copied = 0;
        for case in cases(&lines) {
            let block = |language: &str| case.blocks.iter().find(|block| block.language == language);
            let text = |block: &Block| lines[block.start..block.end].join("\n");
            let suite = block("toml").unwrap_or_else(|| panic!("{}: {} has no toml block", path.display(), case.name));
            let expected =
                case.blocks.last().filter(|block| ["text", "plan", "resolved"].contains(&block.language.as_str()));
            let expected = expected.unwrap_or_else(|| panic!("{}: {} expects nothing", path.display(), case.name));
            let overrides = block("set").map(&text).unwrap_or_default();
            let overrides: Vec<&str> = overrides.lines().collect();
            let suite = format!("{}\n", text(suite));
            let actual = outcome(&suite, &overrides, &expected.language);
            if actual != text(expected) {
                let name = path.file_name().unwrap().to_string_lossy();
                let _ = writeln!(wrong, "== {name}: {}\nexpected\n{}\ngot\n{actual}\n", case.name, text(expected));
            }
            blessed.extend(lines[copied..expected.start].iter().map(|line| (*line).to_owned()));
            blessed.push(actual);
            copied = expected.end;
            walked += 1;
        }
        blessed.extend(lines[copied..].iter().map(|line| (*line).to_owned()));
        if bless {
            std::fs::write(&path, blessed.join("\n") + "\n").unwrap();
        }
    }
    assert!(walked >= 25, "only {walked} cases were found");
    assert!(bless || wrong.is_empty(), "BLESS=1 rewrites what is expected\n{wrong}");
}
