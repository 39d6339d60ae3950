//! Comparisons of arms: every pair, on the same blocks, with effect and interval beside every p, and a verdict only
//! where the design can carry one.
//!
//! The claiming test is chosen by the design and never by the data: with per-user scores of enough users it is the
//! sign-flip test over users, with the BCa bootstrap over users as interval; otherwise the corrected resampled t over
//! folds. Claims are corrected by Holm over the family, which is all pairs and datasets of one declared comparison.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use trailmark_core::Score;
use trailmark_core::comparison::{Comparison, TestResult, Verdict};
use trailmark_stats::{Alternative, Sample, holm, rank_biserial, require_blocks, wilcoxon};

use crate::aggregate::aggregate;
use crate::blocks::pair;
use crate::evidence::{Evidence, weigh};

pub use crate::evidence::{BOOTSTRAP_RESAMPLES, LEVEL, MIN_USERS, SIGN_FLIP_RESAMPLES};

/// The score of one arm in one fold.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldScore {
    /// Repeat, from 0.
    pub repeat: usize,
    /// Fold, from 0.
    pub fold: usize,
    /// Samples the arm was fitted on.
    pub n_train: usize,
    /// Samples it was scored on.
    pub n_test: usize,
    /// The score; a failed cell is `Score::Failed`.
    pub score: Score,
}

/// All scores of one arm on one dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmScores {
    /// Dataset id.
    pub dataset: String,
    /// The arm: the id of what varies.
    pub arm: String,
    /// What it is paired with: the id of what stays.
    pub shared: String,
    /// One score per fold and repeat.
    pub folds: Vec<FoldScore>,
    /// One score per held-out user ([`crate::mean_per_user`]), for metrics that are a mean over users.
    pub users: Option<BTreeMap<u32, f64>>,
}

/// A declared comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Metric.
    pub metric: String,
    /// `encoder` or `clusterer`.
    pub varies: String,
    /// Which way the metric is better.
    pub higher_is_better: bool,
    /// Family-wise error rate.
    pub alpha: f64,
    /// Folds times repeats of the design. Claims wait for all of them: a test made whenever enough has run would be made
    /// until it pleases.
    pub planned_blocks: usize,
    /// The suite's seed. Draws depend on it and the dataset, so that all pairs meet the same resamples and a further
    /// arm changes no p of the others before correction.
    pub seed: u64,
}

/// Input that is no family of comparisons.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CompareError {
    /// A level that no test has.
    #[error("alpha must be between 0 and 1, got {0}")]
    Alpha(f64),
    /// One arm is given twice.
    #[error("arm {arm:?} with {shared:?} is given twice on dataset {dataset:?}")]
    RepeatedArm {
        /// Dataset.
        dataset: String,
        /// What is shared.
        shared: String,
        /// The arm.
        arm: String,
    },
    /// One fold of an arm is given twice, as if it were two blocks.
    #[error("fold {fold}, repeat {repeat} of arm {arm:?} with {shared:?} is given twice on dataset {dataset:?}")]
    RepeatedFold {
        /// Dataset.
        dataset: String,
        /// What is shared.
        shared: String,
        /// The arm.
        arm: String,
        /// Fold.
        fold: usize,
        /// Repeat.
        repeat: usize,
    },
}

/// Compares every pair of arms that share dataset and `shared`, in the order in which arms first appear.
///
/// # Errors
/// [`CompareError`] for input that is no family. Missing and undefined scores are no error: they give a comparison
/// with verdict `Undefined` and a note.
pub fn compare(family: &Family, arms: &[ArmScores]) -> Result<Vec<Comparison>, CompareError> {
    check(family, arms)?;
    let names = in_order(arms.iter().map(|scores| scores.arm.as_str()));
    let groups = in_order(arms.iter().map(|scores| (scores.dataset.as_str(), scores.shared.as_str())));
    let find = |dataset: &str, shared: &str, arm: &str| {
        arms.iter().find(|scores| scores.dataset == dataset && scores.shared == shared && scores.arm == arm)
    };

    let mut drafts = Vec::new();
    for &(dataset, shared) in &groups {
        for (at, &a) in names.iter().enumerate() {
            for &b in &names[at + 1..] {
                let (scores_a, scores_b) = (find(dataset, shared, a), find(dataset, shared, b));
                let evidence = match (scores_a, scores_b) {
                    (Some(scores_a), Some(scores_b)) => {
                        pair(scores_a, scores_b, family.planned_blocks).map(|paired| weigh(family, dataset, &paired))
                    }
                    (None, None) => Err(format!("no scores of {a} and {b} with {shared}")),
                    (None, _) => Err(format!("no scores of {a} with {shared}")),
                    (_, None) => Err(format!("no scores of {b} with {shared}")),
                };
                let means = [scores_a, scores_b].map(|scores| {
                    scores.and_then(|scores| aggregate(scores.folds.iter().map(|fold| &fold.score)).complete())
                });
                drafts.push(Draft { dataset, shared, a, b, means, evidence });
            }
        }
    }

    let adjusted = holm(&drafts.iter().map(Draft::p).collect::<Vec<_>>());
    // Holm's first step multiplies the smallest p by the size of the family; if even the smallest that any member
    // can reach does not pass, none of the family can.
    let floor = drafts.iter().filter_map(Draft::smallest_p).fold(f64::INFINITY, f64::min) * adjusted.family as f64;
    Ok(drafts
        .iter()
        .zip(&adjusted.adjusted)
        .map(|(draft, &p_adjusted)| {
            let over_datasets = across_datasets(family, &drafts, draft);
            draft.finish(family, p_adjusted, adjusted.family, floor, over_datasets)
        })
        .collect())
}

fn check(family: &Family, arms: &[ArmScores]) -> Result<(), CompareError> {
    if !(family.alpha > 0.0 && family.alpha < 1.0) {
        return Err(CompareError::Alpha(family.alpha));
    }
    let mut seen = BTreeSet::new();
    for ArmScores { dataset, arm, shared, folds, .. } in arms {
        let (dataset, arm, shared) = (dataset.clone(), arm.clone(), shared.clone());
        if !seen.insert((dataset.clone(), shared.clone(), arm.clone())) {
            return Err(CompareError::RepeatedArm { dataset, shared, arm });
        }
        let mut blocks = BTreeSet::new();
        for &FoldScore { fold, repeat, .. } in folds {
            if !blocks.insert((repeat, fold)) {
                return Err(CompareError::RepeatedFold { dataset, shared, arm, fold, repeat });
            }
        }
    }
    Ok(())
}

/// Distinct values by first appearance.
fn in_order<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.fold(Vec::new(), |mut distinct, value| {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
        distinct
    })
}

/// A comparison before the family is corrected.
struct Draft<'a> {
    dataset: &'a str,
    shared: &'a str,
    a: &'a str,
    b: &'a str,
    /// Means of the arms over all folds, where every fold has a value; shown when they cannot be paired.
    means: [Option<f64>; 2],
    evidence: Result<Evidence, String>,
}

impl Draft<'_> {
    fn p(&self) -> Option<f64> {
        Some(self.evidence.as_ref().ok()?.claim.as_ref().ok()?.p)
    }

    fn smallest_p(&self) -> Option<f64> {
        Some(self.evidence.as_ref().ok()?.claim.as_ref().ok()?.smallest_p)
    }

    fn finish(
        &self,
        family: &Family,
        p_adjusted: Option<f64>,
        size: usize,
        floor: f64,
        over_datasets: TestResult,
    ) -> Comparison {
        let mut comparison = Comparison {
            dataset: self.dataset.to_owned(),
            varies: family.varies.clone(),
            a: self.a.to_owned(),
            b: self.b.to_owned(),
            shared: self.shared.to_owned(),
            metric: family.metric.clone(),
            mean_a: self.means[0],
            mean_b: self.means[1],
            difference: None,
            interval: None,
            tests: Vec::new(),
            p_adjusted,
            family: size,
            alpha: family.alpha,
            verdict: Verdict::Undefined,
            note: None,
        };
        match &self.evidence {
            Err(reason) => comparison.note = Some(reason.clone()),
            Ok(evidence) => {
                comparison.mean_a = Some(evidence.mean_a);
                comparison.mean_b = Some(evidence.mean_b);
                comparison.difference = Some(evidence.difference);
                comparison.interval = evidence.interval.clone();
                comparison.tests = evidence.tests.clone();
                comparison.tests.push(over_datasets);
                let (verdict, why) = judge(family, evidence, p_adjusted, size, floor);
                comparison.verdict = verdict;
                let notes: Vec<String> = why.into_iter().chain(evidence.note.clone()).collect();
                comparison.note = (!notes.is_empty()).then(|| notes.join("; "));
            }
        }
        comparison
    }
}

/// A claim needs both: an adjusted p below alpha and an interval without 0.
fn judge(
    family: &Family,
    evidence: &Evidence,
    p_adjusted: Option<f64>,
    size: usize,
    floor: f64,
) -> (Verdict, Option<String>) {
    let alpha = family.alpha;
    let (claim, p) = match (&evidence.claim, p_adjusted) {
        (Ok(claim), Some(p)) => (claim, p),
        (Err(reason), _) => return (Verdict::Refused, Some(reason.clone())),
        (Ok(_), None) => return (Verdict::Refused, Some("the comparison has no p-value".to_owned())),
    };
    if claim.identical_arms {
        return (Verdict::NoDifferenceShown, Some("the arms agree everywhere".to_owned()));
    }
    if claim.smallest_p >= alpha || floor >= alpha {
        let smallest = claim.smallest_p;
        let why = format!(
            "the design cannot show p < {alpha} in a family of {size}: its smallest p is {smallest:.2e} before correction"
        );
        return (Verdict::Refused, Some(why));
    }
    if p >= alpha {
        return (Verdict::NoDifferenceShown, Some(format!("adjusted p {p:.4} is not below {alpha}")));
    }
    match &evidence.interval {
        Some(interval) if interval.low > 0.0 => (Verdict::BetterB, None),
        Some(interval) if interval.high < 0.0 => (Verdict::BetterA, None),
        Some(interval) => (
            Verdict::NoDifferenceShown,
            Some(format!(
                "adjusted p {p:.4} is below {alpha}, but the interval [{:.4}, {:.4}] contains 0",
                interval.low, interval.high
            )),
        ),
        None => (Verdict::NoDifferenceShown, Some("there is no interval beside the p-value".to_owned())),
    }
}

/// The signed-rank test of a pair over datasets, one difference each. It stands beside every comparison of the pair
/// and makes no claim of its own.
fn across_datasets(family: &Family, drafts: &[Draft<'_>], draft: &Draft<'_>) -> TestResult {
    let differences: Vec<f64> = drafts
        .iter()
        .filter(|other| (other.a, other.b, other.shared) == (draft.a, draft.b, draft.shared))
        .filter_map(|other| Some(other.evidence.as_ref().ok()?.difference))
        .collect();
    let n_blocks = differences.len();
    let result = |p, effect, refused| TestResult { test: "wilcoxon".to_owned(), n_blocks, p, effect, refused };
    if let Err(error) = require_blocks("wilcoxon", "dataset", n_blocks, family.alpha) {
        return result(None, None, Some(error.to_string()));
    }
    match Sample::new(differences) {
        Ok(sample) => {
            let effect = rank_biserial(&sample).map(|value| ("rank_biserial".to_owned(), value));
            result(Some(wilcoxon(&sample, Alternative::TwoSided).p), effect, None)
        }
        Err(error) => result(None, None, Some(error.to_string())),
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
