//! Arms beside their controls: groups that are no better than shuffled ones, or than no groups, are no use. That an arm is
//! above a control is a claim, so it is tested like one: enough folds, differences that vary, and Holm over every arm and
//! control of the dataset and metric.

use trailmark_stats::{MIN_FOLDS, NoClaim, holm};
use trailmark_store::record::Split;

use crate::interval::test;
use crate::number::{interval, p_value, signed};
use crate::summary::Summary;
use crate::table::{Cell, Column, Content, Table};
use crate::tables::{Width, comparable, metric_column};
use crate::view::{Arm, Index, ONE_CLUSTER, RANDOM_LABELS, RunView};

/// Level of the claim that an arm is above a control, after Holm.
pub(crate) const CONTROL_ALPHA: f64 = 0.05;

/// How an arm stands to one control on a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Better, with Holm's p below [`CONTROL_ALPHA`].
    Above,
    /// Tested, and that is not shown.
    NotShown,
    /// It cannot be tested, for this reason.
    Unknown(String),
}

/// One arm against one control.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ControlTest {
    /// Name of the control.
    pub(crate) control: &'static str,
    /// Mean difference, positive when the arm is better; none unless both have every fold.
    pub(crate) difference: Option<f64>,
    /// Its 95 % interval over folds.
    pub(crate) interval: Option<(f64, f64)>,
    /// Two-sided p, or why there is none.
    p: Result<f64, String>,
    /// p after Holm.
    pub(crate) p_adjusted: Option<f64>,
}

impl ControlTest {
    /// What may be said.
    pub(crate) fn standing(&self) -> Standing {
        let (p, better) = match (&self.p, self.p_adjusted) {
            (Err(reason), _) => return Standing::Unknown(reason.clone()),
            (Ok(_), None) => return Standing::Unknown("no p-value".to_owned()),
            (Ok(_), Some(p)) => (p, self.difference.is_some_and(|difference| difference > 0.0)),
        };
        // The interval is unweighted as the test is: where it and a weighted mean disagree, nothing is shown.
        let above_zero = self.interval.is_some_and(|(low, _)| low > 0.0);
        if p < CONTROL_ALPHA && better && above_zero { Standing::Above } else { Standing::NotShown }
    }
}

/// Every arm of a dataset at n_clusters = auto against every control that has a score on a metric: one family.
pub(crate) struct ControlTests<'a> {
    /// Arms in the suite's order, each with its tests; none where no control has a score.
    pub(crate) arms: Vec<(Arm<'a>, Vec<ControlTest>)>,
    /// How many tests have a p and so entered Holm.
    pub(crate) family: usize,
}

impl<'a> ControlTests<'a> {
    pub(crate) fn new(index: &Index<'a>, dataset: &str, metric: &str) -> Self {
        let mut arms: Vec<(Arm<'a>, Vec<ControlTest>)> = Vec::new();
        for pair in index.pairs(dataset) {
            let arm = index.summary(&pair, Split::Test, "", metric);
            let controls = control_summaries(index, &pair, metric).into_iter();
            let scored = controls.filter(|(_, control)| control.n() > 0);
            arms.push((
                pair,
                scored.map(|(name, control)| against(index, &pair, &arm, name, &control, metric)).collect(),
            ));
        }
        let p: Vec<Option<f64>> = arms.iter().flat_map(|(_, tests)| tests).map(|test| test.p.clone().ok()).collect();
        let corrected = holm(&p);
        for (test, adjusted) in arms.iter_mut().flat_map(|(_, tests)| tests).zip(corrected.adjusted) {
            test.p_adjusted = adjusted;
        }
        Self { arms, family: corrected.family }
    }

    /// Tests of one arm.
    pub(crate) fn of(&self, pair: &Arm<'_>) -> &[ControlTest] {
        self.arms.iter().find(|(arm, _)| arm == pair).map_or(&[], |(_, tests)| tests.as_slice())
    }

    /// Names of the controls that any arm was set against.
    pub(crate) fn controls(&self) -> Vec<&'static str> {
        let of = |wanted: &str| self.arms.iter().flat_map(|(_, tests)| tests).any(|test| test.control == wanted);
        [RANDOM_LABELS, ONE_CLUSTER].into_iter().filter(|name| of(name)).collect()
    }
}

fn against(
    index: &Index<'_>,
    pair: &Arm<'_>,
    arm: &Summary,
    name: &'static str,
    control: &Summary,
    metric: &str,
) -> ControlTest {
    let untested = |reason: String| ControlTest {
        control: name,
        difference: None,
        interval: None,
        p: Err(reason),
        p_adjusted: None,
    };
    for (whose, summary) in [("the arm", arm), (name, control)] {
        if !summary.is_complete() {
            return untested(format!("{whose} has {}", summary.coverage()));
        }
    }
    let orientation = index.view.orientation(metric);
    let mut paired = arm.paired(control);
    paired.values_mut().for_each(|difference| *difference *= orientation);
    let difference = Some(arm.mean_of(&paired));
    match test(&paired, &index.ratios(pair)) {
        Some(result) => ControlTest {
            difference,
            interval: Some(result.interval),
            p: result.p.map_err(|reason| short(&reason)),
            ..untested(String::new())
        },
        None if paired.len() < MIN_FOLDS => ControlTest { difference, ..untested(too_few()) },
        None => ControlTest { difference, ..untested("a fold does not say how many it trained on".to_owned()) },
    }
}

fn too_few() -> String {
    format!("fewer than {MIN_FOLDS} folds")
}

/// The reason in the few words that a table cell holds.
fn short(reason: &NoClaim) -> String {
    match reason {
        NoClaim::TooFewFolds { .. } => too_few(),
        NoClaim::ConstantDifference { .. } => "all folds differ by the same amount".to_owned(),
    }
}

/// `yes`, `not shown: random_labels`, `unknown: fewer than 5 folds`: an arm against all of its controls.
pub(crate) fn standing_words(tests: &[ControlTest]) -> String {
    let standings: Vec<(&str, Standing)> = tests.iter().map(|test| (test.control, test.standing())).collect();
    let not_shown: Vec<&str> =
        standings.iter().filter(|(_, s)| *s == Standing::NotShown).map(|(name, _)| *name).collect();
    let mut unknown: Vec<(&str, &str)> = Vec::new();
    for (name, standing) in &standings {
        if let Standing::Unknown(reason) = standing {
            unknown.push((name, reason));
        }
    }
    if standings.is_empty() {
        "no control".to_owned()
    } else if !not_shown.is_empty() {
        format!("not shown: {}", not_shown.join(", "))
    } else if let ([(only, _)], true) = (standings.as_slice(), unknown.is_empty()) {
        // The other control has no score on this metric, as one cluster has no silhouette.
        format!("yes ({only} only)")
    } else if unknown.is_empty() {
        "yes".to_owned()
    } else if unknown.len() == standings.len() && unknown.iter().all(|(_, reason)| *reason == unknown[0].1) {
        format!("unknown: {}", unknown[0].1)
    } else {
        let parts: Vec<String> = unknown.iter().map(|(name, reason)| format!("{name} ({reason})")).collect();
        format!("unknown: {}", parts.join(", "))
    }
}

fn control_summaries<'a>(index: &Index<'a>, pair: &Arm<'a>, metric: &str) -> Vec<(&'static str, Summary)> {
    let mut controls = vec![(RANDOM_LABELS, index.summary(pair, Split::Test, RANDOM_LABELS, metric))];
    if let Some(shared) = index.shared_control(pair.dataset) {
        controls.push((ONE_CLUSTER, index.summary(&shared, Split::Test, "", metric)));
    }
    controls
}

/// Controls of each arm of a dataset at n_clusters = auto, with the tested difference on the primary metric.
pub fn controls(view: &RunView, dataset: &str) -> Table {
    let index = Index::new(view);
    let metrics = comparable(&index, dataset, Width::Page);
    let primary = view.manifest.primary.as_str();
    let mut columns = vec![
        Column::text("encoder", "encoder"),
        Column::text("clusterer", "clusterer"),
        Column::text("control", "control"),
    ];
    columns.extend(metrics.iter().map(|(name, facts)| metric_column(name, facts)));
    columns.push(
        Column::number("difference", "arm - control").help("on the primary metric, positive when the arm is better"),
    );
    columns.push(Column::number("interval", "95 % interval").help("corrected resampled t over folds"));
    columns.push(Column::number("p_adjusted", "Holm p"));
    columns.push(Column::text("standing", "above?"));
    let mut table = Table::new(&format!("controls-{dataset}"), format!("Controls on {dataset}"), columns);
    let tests = ControlTests::new(&index, dataset, primary);
    for pair in index.pairs(dataset) {
        for (name, _) in control_summaries(&index, &pair, primary) {
            let scores: Vec<Summary> = metrics
                .iter()
                .map(|(metric, _)| {
                    let all = control_summaries(&index, &pair, metric);
                    all.into_iter().find(|(other, _)| *other == name).map(|(_, summary)| summary).unwrap_or_default()
                })
                .collect();
            if scores.iter().all(|summary| summary.n() == 0) {
                continue;
            }
            let test = tests.of(&pair).iter().find(|test| test.control == name);
            let mut cells: Vec<Cell> = vec![pair.encoder.into(), pair.clusterer.into(), name.into()];
            cells.extend(scores.into_iter().map(Cell::from));
            cells.push(Cell::number(test.and_then(|test| test.difference), signed));
            cells.push(match test.and_then(|test| test.interval) {
                Some((low, high)) => interval(low, high).into(),
                None => Content::Empty.into(),
            });
            cells.push(Cell::number(test.and_then(|test| test.p_adjusted), p_value));
            cells.push(match test.map(ControlTest::standing) {
                Some(Standing::Above) => "yes".into(),
                Some(Standing::NotShown) => "not shown".into(),
                Some(Standing::Unknown(reason)) => format!("unknown: {reason}").into(),
                None => Content::Empty.into(),
            });
            table.push(cells);
        }
    }
    table.note(
        "random_labels shuffles the arm's own labels: groups of the same sizes without meaning. one_cluster puts everybody in \
         one group; its recommender is global popularity.",
    );
    if tests.family > 0 {
        table.note(format!(
            "Above: corrected resampled t over folds, Holm over {} tests of {primary}, p below {CONTROL_ALPHA}.",
            tests.family
        ));
    }
    table.note_weights();
    table
}
