//! Tested differences between arms: the size with its interval, then p, then the verdict, never one alone.

use trailmark_store::record::{Comparison, TestResult, Verdict};

use crate::number::{interval, p_value, plain, signed};
use crate::table::{Cell, Column, Content, Table};
use crate::tables::Width;
use crate::view::RunView;

/// The first test that may be made: the one whose p enters the family.
pub(crate) fn deciding_test(comparison: &Comparison) -> Option<&TestResult> {
    comparison.tests.iter().find(|test| test.p.is_some())
}

/// The note without what the Holm p says already.
pub(crate) fn note_words(comparison: &Comparison) -> Option<String> {
    let repeats = |part: &str| part.starts_with("adjusted p ") && part.contains(" is not below ");
    let parts: Vec<&str> = comparison.note.as_deref()?.split("; ").filter(|part| !repeats(part)).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// More comparisons than this are too many for the end of a run: a terminal then shows those that show something.
const MOST_ON_A_TERMINAL: usize = 30;

/// All comparisons of a dataset; on a terminal, of many only those that show a difference.
pub fn comparisons(view: &RunView, dataset: &str, width: Width) -> Table {
    let columns = vec![
        Column::text("metric", "metric"),
        Column::text("shared", "with"),
        Column::text("a", "a"),
        Column::text("b", "b"),
        Column::text("verdict", "verdict"),
        Column::number("mean_a", "mean a"),
        Column::number("mean_b", "mean b"),
        Column::number("difference", "b - a").help("positive when b is better"),
        Column::number("interval", "95 % interval"),
        Column::number("p", "p"),
        Column::number("p_adjusted", "Holm p"),
        Column::number("effect", "effect"),
        Column::text("test", "test"),
        Column::text("note", "note"),
    ];
    let mut table = Table::new(&format!("comparisons-{dataset}"), format!("Comparisons on {dataset}"), columns);
    let here = || view.comparisons.iter().filter(|comparison| comparison.dataset == dataset);
    let many = width == Width::Terminal && here().count() > MOST_ON_A_TERMINAL;
    let shown = |comparison: &&Comparison| !many || comparison.verdict != Verdict::NoDifferenceShown;
    let left_out = here().filter(|comparison| !shown(comparison)).count();
    for comparison in here().filter(shown) {
        let test = deciding_test(comparison);
        let effect = test.and_then(|test| test.effect.as_ref());
        table.push(vec![
            comparison.metric.as_str().into(),
            comparison.shared.as_str().into(),
            comparison.a.as_str().into(),
            comparison.b.as_str().into(),
            verdict_words(comparison).into(),
            Cell::number(comparison.mean_a, plain),
            Cell::number(comparison.mean_b, plain),
            Cell::number(comparison.difference, signed),
            comparison.interval.as_ref().map_or(Content::Empty.into(), |i| interval(i.low, i.high).into()),
            Cell::number(test.and_then(|test| test.p), p_value),
            Cell::number(comparison.p_adjusted, p_value),
            effect.map_or(Content::Empty.into(), |(name, value)| {
                Content::Number(*value, format!("{name} {}", plain(*value))).into()
            }),
            test.map_or(Content::Empty.into(), |test| format!("{} (n={})", test.test, test.n_blocks).into()),
            note_words(comparison).map_or(Content::Empty.into(), Cell::from),
        ]);
    }
    let mut families: Vec<String> = Vec::new();
    for Comparison { metric, varies, family, alpha, .. } in here() {
        let noun = if *family == 1 { "comparison" } else { "comparisons" };
        let note = format!("{metric} between {varies}s: Holm over {family} {noun} at {alpha}.");
        if !families.contains(&note) {
            families.push(note);
        }
    }
    if left_out > 0 {
        table.note(format!("{left_out} without a difference are left out here; `trailmark compare` prints all."));
    }
    let any = !families.is_empty();
    families.into_iter().for_each(|note| table.note(note));
    if any {
        table.note("A claim needs p and the interval to agree; \"no difference shown\" is not \"equal\".");
    }
    table.drop_empty_columns();
    let mut methods: Vec<&str> =
        here().filter_map(|comparison| comparison.interval.as_ref()).map(|i| i.method.as_str()).collect();
    methods.sort_unstable();
    methods.dedup();
    if !methods.is_empty() {
        table.note(format!("Intervals: {}.", methods.join("; ")));
    }
    table
}

fn verdict_words(comparison: &Comparison) -> String {
    match comparison.verdict {
        Verdict::BetterA => format!("{} better", comparison.a),
        Verdict::BetterB => format!("{} better", comparison.b),
        Verdict::NoDifferenceShown => "no difference shown".to_owned(),
        Verdict::Refused => "no claim possible".to_owned(),
        Verdict::Undefined => "undefined".to_owned(),
    }
}
