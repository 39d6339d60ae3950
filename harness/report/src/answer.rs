//! The header of every report: what the run says about the suite's question, in words that claim no more than the tests do.

use std::collections::BTreeSet;

use trailmark_store::record::{Comparison, Outcome, Verdict};

use crate::number::{fixed, interval, p_value, plain};
use crate::tables::{CONTROL_ALPHA, ControlTest, ControlTests, Standing, deciding_test, note_words, ranked};
use crate::view::{Index, ONE_CLUSTER, RunView};

/// What a run says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// One sentence.
    pub headline: String,
    /// The sentences behind it: each comparison on the primary metric, controls, selection, coverage.
    pub lines: Vec<String>,
    /// Sentences that a reader must not miss: synthetic data, failed cells, no arm above its controls.
    pub cautions: Vec<String>,
}

/// The answer of a run to its suite's question.
pub fn answer(view: &RunView) -> Answer {
    let index = Index::new(view);
    let primary = view.manifest.primary.as_str();
    let (on_primary, others): (Vec<&Comparison>, Vec<&Comparison>) =
        view.comparisons.iter().partition(|comparison| comparison.metric == primary);
    let declared: Vec<&Comparison> = on_primary.iter().chain(&others).copied().collect();
    let mut lines: Vec<String> = Vec::new();
    let silent = declared.iter().filter(|comparison| declared.len() > MANY && !claims(comparison)).count();
    let mut told: Vec<&Comparison> = declared.iter().filter(|c| silent == 0 || claims(c)).copied().collect();
    let untold = if told.len() > MANY { told.len() - MOST_TOLD } else { 0 };
    if untold > 0 {
        // The primary metric first, then the larger difference; sizes of different metrics do not compare, but neither
        // is a list of dozens read.
        told.sort_by(|a, b| {
            (a.metric != primary).cmp(&(b.metric != primary)).then_with(|| size(b).total_cmp(&size(a)))
        });
        told.truncate(MOST_TOLD);
    }
    lines.extend(told.iter().map(|comparison| sentence(view, comparison)));
    if untold > 0 {
        lines.push(format!("{untold} further comparisons show a smaller difference; all are in the table."));
    }
    if silent > 0 {
        lines.push(format!(
            "{silent} further comparisons show no difference or could not be tested; all are in the table."
        ));
    }
    let mut cautions = Vec::new();

    for dataset in view.datasets() {
        let prefix = if view.datasets().len() > 1 { format!("{dataset}: ") } else { String::new() };
        let ranked = ranked(&index, dataset);
        let n_ranked = ranked.iter().filter(|(mean, _)| mean.is_some()).count();
        if let Some((Some(mean), pair)) = ranked.first() {
            let selection = if n_ranked > 1 {
                format!(" It is the best of {n_ranked} on the same folds, so its mean is biased upward.")
            } else {
                String::new()
            };
            let word = if view.orientation(primary) > 0.0 { "Highest" } else { "Lowest, which is best," };
            lines.push(format!(
                "{prefix}{word} in the ranking: {}, {primary} {}.{selection}",
                pair.label(),
                plain(*mean)
            ));
        }
        lines.extend(recommender_line(&index, dataset, &prefix));
        match above_controls(&index, dataset) {
            Controls::Above(line) => lines.push(format!("{prefix}{line}")),
            Controls::NotShown(caution) => cautions.push(format!("{prefix}{caution}")),
        }
    }

    for (dataset, facts) in &view.manifest.datasets {
        if facts.synthetic {
            cautions.push(format!(
                "The dataset {dataset} is synthetic: made by a generator with planted groups. Results on it say how methods behave under known conditions, not on real users."
            ));
        }
    }
    let failed = view.records.iter().filter(|record| matches!(record.outcome, Outcome::Failed(_))).count();
    let n_cells = view.manifest.n_cells;
    if failed > 0 {
        cautions.push(format!("{failed} of {n_cells} cells failed; means that lack a fold are not shown."));
    }
    if view.records.len() < n_cells {
        cautions.push(format!("{} of {n_cells} cells have not been run.", n_cells - view.records.len()));
    }

    let headline = headline(view, if on_primary.is_empty() { &declared } else { &on_primary });
    Answer { headline, lines, cautions }
}

/// Above this number of comparisons only those that claim get a sentence.
const MANY: usize = 10;

/// Of more claims than [`MANY`] so many get one.
const MOST_TOLD: usize = 6;

fn size(comparison: &Comparison) -> f64 {
    comparison.difference.unwrap_or(0.0).abs()
}

fn claims(comparison: &Comparison) -> bool {
    matches!(comparison.verdict, Verdict::BetterA | Verdict::BetterB)
}

/// Whether any arm is above its controls on the primary metric.
enum Controls {
    /// A sentence.
    Above(String),
    /// A caution.
    NotShown(String),
}

fn above_controls(index: &Index<'_>, dataset: &str) -> Controls {
    let primary = index.view.manifest.primary.as_str();
    let tests = ControlTests::new(index, dataset, primary);
    let controls = tests.controls();
    if controls.is_empty() {
        return Controls::NotShown(format!(
            "No control has a score on {primary}, so nothing shows that groups help at all."
        ));
    }
    let all_above =
        |tests: &[ControlTest]| !tests.is_empty() && tests.iter().all(|test| test.standing() == Standing::Above);
    let above = tests.arms.iter().filter(|(_, tests)| all_above(tests)).count();
    let of = controls.join(" and ");
    if above > 0 {
        return Controls::Above(format!(
            "{above} of {} arms are shown to be above their controls on {primary} ({of}; {}).",
            tests.arms.len(),
            family_words(tests.family)
        ));
    }
    Controls::NotShown(match untestable(tests.arms.iter().flat_map(|(_, tests)| tests)) {
        Some(reason) => format!(
            "No arm can be tested against its controls ({of}) on {primary}: {reason}. These groups may be no better than chance."
        ),
        None => format!(
            "No arm is shown to be above its controls ({of}) on {primary}: these groups may be no better than chance."
        ),
    })
}

/// Arms that beat global popularity on a recommender metric that is not the primary one: whether groups help at all.
fn recommender_line(index: &Index<'_>, dataset: &str, prefix: &str) -> Option<String> {
    let primary = index.view.manifest.primary.as_str();
    let metrics = index.metrics(dataset);
    let (metric, _) = metrics.iter().find(|(name, _)| name.contains("/ndcg@") && *name != primary)?;
    let tests = ControlTests::new(index, dataset, metric);
    let popularity: Vec<&ControlTest> =
        tests.arms.iter().flat_map(|(_, tests)| tests).filter(|test| test.control == ONE_CLUSTER).collect();
    if popularity.is_empty() {
        return None;
    }
    if let Some(reason) = untestable(popularity.iter().copied()) {
        return Some(format!("{prefix}No arm can be tested against global popularity on {metric}: {reason}."));
    }
    let above = popularity.iter().filter(|test| test.standing() == Standing::Above).count();
    Some(format!(
        "{prefix}{above} of {} arms are shown to recommend better than global popularity on {metric} ({}).",
        tests.arms.len(),
        family_words(tests.family)
    ))
}

fn family_words(family: usize) -> String {
    format!("p < {CONTROL_ALPHA} after Holm over {family} tests of arms against controls")
}

/// Why none of the tests could be made; none when one could.
fn untestable<'a>(tests: impl Iterator<Item = &'a ControlTest>) -> Option<String> {
    let mut reasons = BTreeSet::new();
    for test in tests {
        match test.standing() {
            Standing::Unknown(reason) => reasons.insert(reason),
            Standing::Above | Standing::NotShown => return None,
        };
    }
    (!reasons.is_empty()).then(|| reasons.into_iter().collect::<Vec<_>>().join(", "))
}

fn headline(view: &RunView, comparisons: &[&Comparison]) -> String {
    let primary = &view.manifest.primary;
    let shown: Vec<&&Comparison> = comparisons.iter().filter(|c| claims(c)).collect();
    let refused = comparisons.iter().filter(|c| c.verdict == Verdict::Refused).count();
    if comparisons.is_empty() {
        return "This suite declares no comparison: the ranking describes, and claims nothing.".to_owned();
    }
    if let Some(largest) = shown.iter().max_by(|a, b| size(a).total_cmp(&size(b))) {
        let (better, worse) = sides(largest);
        let bounds = better_interval(largest)
            .map_or(String::new(), |(low, high)| format!(", 95 % interval {}", interval(low, high)));
        let others = if comparisons.len() == 1 {
            String::new()
        } else {
            format!(" {} of {} comparisons show a difference.", shown.len(), comparisons.len())
        };
        return format!(
            "{better} is better than {worse} with {} on {}: {} by {}{bounds}.{others}",
            largest.shared,
            largest.dataset,
            largest.metric,
            plain(size(largest)),
        );
    }
    if refused == comparisons.len() {
        let blocks = view.manifest.folds * view.manifest.repeats;
        return format!("No claim can be made: {} cannot reach the declared level.", plural(blocks, "block"));
    }
    let undefined = comparisons.iter().filter(|c| c.verdict == Verdict::Undefined).count();
    if undefined == comparisons.len() {
        return format!("No comparison could be made: {primary} is missing or undefined in at least one arm of each.");
    }
    let mut text = format!("No difference between arms is shown on {primary}. That is not the same as equal.");
    if refused + undefined > 0 {
        text.push_str(&format!(" {} of {} comparisons could not be tested.", refused + undefined, comparisons.len()));
    }
    text
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("one {noun}") } else { format!("a design with {count} {noun}s") }
}

fn sides(comparison: &Comparison) -> (&str, &str) {
    if comparison.verdict == Verdict::BetterA { (&comparison.a, &comparison.b) } else { (&comparison.b, &comparison.a) }
}

/// The interval, turned so that it speaks of the better arm.
fn better_interval(comparison: &Comparison) -> Option<(f64, f64)> {
    let bounds = comparison.interval.as_ref()?;
    Some(if comparison.verdict == Verdict::BetterA { (-bounds.high, -bounds.low) } else { (bounds.low, bounds.high) })
}

fn sentence(view: &RunView, comparison: &Comparison) -> String {
    let Comparison { dataset, a, b, shared, metric, .. } = comparison;
    let place = if view.datasets().len() > 1 { format!("{dataset}, with {shared}") } else { format!("With {shared}") };
    let test = deciding_test(comparison);
    let mut evidence = Vec::new();
    if let Some((low, high)) = better_interval(comparison) {
        evidence.push(format!("95 % interval {}", interval(low, high)));
    }
    if let Some(p) = comparison.p_adjusted {
        evidence.push(format!("Holm p {}", p_words(p)));
    } else if let Some(p) = test.and_then(|test| test.p) {
        evidence.push(format!("p {}", p_words(p)));
    }
    if let Some((name, value)) = test.and_then(|test| test.effect.as_ref()) {
        // Like the interval, it speaks of the better arm: dz is the mean difference in units of its deviation.
        let turned = if name == "dz" && comparison.verdict == Verdict::BetterA { -value } else { *value };
        evidence.push(format!("{name} {}", fixed(turned, 2)));
    }
    let evidence = if evidence.is_empty() { String::new() } else { format!(" ({})", evidence.join(", ")) };
    let note = note_words(comparison).map_or(String::new(), |note| format!(": {note}"));
    match comparison.verdict {
        Verdict::BetterA | Verdict::BetterB => {
            let (better, worse) = sides(comparison);
            format!("{place}: {better} is better than {worse} by {} {metric}{evidence}.", plain(size(comparison)))
        }
        Verdict::NoDifferenceShown => {
            let size =
                comparison.difference.map_or(String::new(), |d| format!(", b - a = {}", crate::number::signed(d)));
            format!("{place}: no difference shown between {a} (a) and {b} (b){size}{evidence}{note}.")
        }
        Verdict::Refused => format!("{place}: no claim can be made about {a} and {b}{note}."),
        Verdict::Undefined => format!("{place}: {a} and {b} cannot be compared{note}."),
    }
}

fn p_words(p: f64) -> String {
    let text = p_value(p);
    if text.starts_with('<') { text.replace('<', "< ") } else { format!("= {text}") }
}
