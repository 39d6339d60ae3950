//! What a terminal shows when a run ends: the answer, the ranking, the comparisons, what failed.

use crate::answer::answer;
use crate::table::Format;
use crate::tables::{Width, comparisons, failures, ranking};
use crate::view::RunView;

/// The end of a run for a terminal.
pub fn terminal(view: &RunView) -> String {
    let answer = answer(view);
    let mut text = String::new();
    for dataset in view.datasets() {
        for table in [ranking(view, dataset, Width::Terminal), comparisons(view, dataset, Width::Terminal)] {
            if !table.rows.is_empty() {
                text.push_str(&format!("{}\n", table.render(Format::Table)));
            }
        }
    }
    let failures = failures(view);
    if !failures.rows.is_empty() {
        text.push_str(&format!("{}\n", failures.render(Format::Table)));
    }
    text.push_str(&format!("{}\n", answer.headline));
    for line in &answer.lines {
        text.push_str(&format!("  {line}\n"));
    }
    for caution in &answer.cautions {
        text.push_str(&format!("  caution: {caution}\n"));
    }
    text
}
