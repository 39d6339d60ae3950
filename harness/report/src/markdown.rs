//! `report.md`: the report for places that render Markdown, such as a pull request or a job summary.

use crate::answer::answer;
use crate::table::{Format, Table};
use crate::tables::{
    Width, accounting, comparisons, controls, cost, failures, internal, picks, ranking, undefined, warnings,
};
use crate::view::RunView;

/// The report as GitHub-flavoured Markdown.
pub fn markdown(view: &RunView) -> String {
    let manifest = &view.manifest;
    let answer = answer(view);
    let mut text = format!("# {}\n\n", manifest.suite);
    if let Some(question) = &manifest.question {
        text.push_str(&format!("> {question}\n\n"));
    }
    text.push_str(&format!("**{}**\n\n", answer.headline));
    for line in &answer.lines {
        text.push_str(&format!("- {line}\n"));
    }
    for caution in &answer.cautions {
        text.push_str(&format!("- **Caution:** {caution}\n"));
    }
    let mut add = |table: &Table| {
        if !table.rows.is_empty() {
            text.push_str(&format!("\n## {}\n\n{}", table.title, table.render(Format::Markdown)));
        }
    };
    for dataset in view.datasets() {
        add(&ranking(view, dataset, Width::Page));
        add(&comparisons(view, dataset, Width::Full));
        add(&picks(view, dataset));
        add(&controls(view, dataset));
        internal(view, dataset).iter().for_each(&mut add);
        add(&accounting(view, dataset));
    }
    for table in [failures(view), undefined(view), warnings(view), cost(view)] {
        add(&table);
    }
    text.push_str("\n## Provenance\n\n");
    let commit = manifest.vcs_commit.as_deref().unwrap_or("none");
    let dirty = if manifest.vcs_dirty == Some(true) { ", with uncommitted changes" } else { "" };
    text.push_str(&format!("- made by {} on {}, {} threads\n", manifest.tool, manifest.host, manifest.threads));
    text.push_str(&format!("- suite `{}`, commit {commit}{dirty}\n", manifest.suite_hash));
    for (dataset, facts) in &manifest.datasets {
        text.push_str(&format!("- protocol of {dataset}: `{}`\n", facts.protocol_id));
    }
    text
}
