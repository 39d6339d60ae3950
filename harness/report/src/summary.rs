//! One metric of one arm over folds and repeats. A mean stands alone only when every planned fold has a value: a fold that
//! failed or has no defined score would otherwise improve or spoil the mean by being absent. A mean over users weighs each
//! fold by its users, so that every user counts once; a score of a whole partition weighs every fold alike.

use std::collections::BTreeMap;

use trailmark_core::Score;

/// The reason of a fold whose cell has no row of the metric.
pub(crate) const NOT_SCORED: &str = "not_scored";

/// How the reason of a fold begins whose cell or score failed.
pub(crate) const FAILED: &str = "failed: ";

/// Values of the folds that have one, and reasons of those that have none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    planned: usize,
    values: BTreeMap<(usize, usize), f64>,
    weights: BTreeMap<(usize, usize), usize>,
    gaps: BTreeMap<(usize, usize), String>,
    not_run: usize,
    approximate: usize,
}

impl Summary {
    pub(crate) fn planned(planned: usize) -> Self {
        Self { planned, ..Self::default() }
    }

    /// Takes a fold's score; `n_users` is what it is a mean over, for a mean over users.
    pub(crate) fn score(&mut self, at: (usize, usize), score: &Score, n_users: Option<usize>) {
        match score.number() {
            Some(value) => {
                self.approximate += usize::from(matches!(score, Score::Approximate { .. }));
                self.value(at, value, n_users);
            }
            None if matches!(score, Score::Failed { .. }) => self.gap(at, format!("{FAILED}{}", score.reason())),
            None => self.gap(at, score.reason()),
        }
    }

    pub(crate) fn value(&mut self, at: (usize, usize), value: f64, n_users: Option<usize>) {
        self.values.insert(at, value);
        if let Some(n_users) = n_users.filter(|users| *users > 0) {
            self.weights.insert(at, n_users);
        }
    }

    pub(crate) fn gap(&mut self, at: (usize, usize), reason: String) {
        self.gaps.insert(at, reason);
    }

    /// Counts the folds that have no record as not run.
    pub(crate) fn finish(&mut self) {
        self.not_run = self.planned.saturating_sub(self.values.len() + self.gaps.len());
    }

    /// Number of folds with a value.
    pub fn n(&self) -> usize {
        self.values.len()
    }

    /// Number of folds planned, repeats included.
    pub fn of(&self) -> usize {
        self.planned.max(self.values.len() + self.gaps.len())
    }

    /// True when every planned fold has a value.
    pub fn is_complete(&self) -> bool {
        self.n() > 0 && self.n() == self.of()
    }

    /// True when this metric was scored nowhere: it does not apply, and there is nothing to tell. A failed cell scores
    /// nothing at all, so it speaks neither way while another fold shows that the metric is not asked for.
    pub fn is_absent(&self) -> bool {
        let unscored = self.gaps.values().any(|reason| reason == NOT_SCORED);
        let silent = |reason: &String| reason == NOT_SCORED || reason.starts_with(FAILED);
        self.values.is_empty()
            && (unscored || self.planned == 0 || self.gaps.is_empty() && self.not_run == 0)
            && self.gaps.values().all(silent)
    }

    /// True when the mean weighs folds by their users: every value says how many it is over.
    pub fn is_weighted(&self) -> bool {
        self.n() > 0 && self.weights.len() == self.n()
    }

    /// Users behind the value of a fold, for a mean over users.
    pub fn n_users(&self, at: (usize, usize)) -> Option<usize> {
        self.weights.get(&at).copied()
    }

    /// Mean over folds and repeats, weighted by users where [`Self::is_weighted`]; none unless complete.
    pub fn mean(&self) -> Option<f64> {
        self.is_complete().then(|| self.mean_of(&self.values))
    }

    /// The mean of other numbers of the same folds, with the weights of this summary. Not of none.
    pub(crate) fn mean_of(&self, values: &BTreeMap<(usize, usize), f64>) -> f64 {
        let weight = |at| if self.is_weighted() { self.weights.get(at).copied().unwrap_or(0) as f64 } else { 1.0 };
        let total: f64 = values.keys().map(weight).sum();
        values.iter().map(|(at, value)| weight(at) * value).sum::<f64>() / total
    }

    /// Standard deviation over folds and repeats (n - 1), every fold alike; none unless complete, or with one fold.
    pub fn sd(&self) -> Option<f64> {
        if !self.is_complete() {
            return None;
        }
        let mean = self.values.values().sum::<f64>() / self.n() as f64;
        let squares: f64 = self.values.values().map(|value| (value - mean) * (value - mean)).sum();
        (self.n() > 1).then(|| (squares / (self.n() - 1) as f64).sqrt())
    }

    /// Values by repeat and fold.
    pub fn values(&self) -> &BTreeMap<(usize, usize), f64> {
        &self.values
    }

    /// Reasons by repeat and fold.
    pub fn gaps(&self) -> &BTreeMap<(usize, usize), String> {
        &self.gaps
    }

    /// True when a fold has no value because its cell or its score failed.
    pub(crate) fn is_failed(&self, at: (usize, usize)) -> bool {
        self.gaps.get(&at).is_some_and(|reason| reason.starts_with(FAILED))
    }

    /// True when a fold was scored and has no value for a reason of the mathematics: neither failed nor left out.
    pub(crate) fn is_undefined(&self, at: (usize, usize)) -> bool {
        self.gaps.get(&at).is_some_and(|reason| reason != NOT_SCORED && !reason.starts_with(FAILED))
    }

    /// How many values are estimates.
    pub fn approximate(&self) -> usize {
        self.approximate
    }

    /// Each reason with its number of folds, folds without a record as `not_run`.
    pub fn reasons(&self) -> BTreeMap<String, usize> {
        let mut reasons = BTreeMap::new();
        for reason in self.gaps.values() {
            *reasons.entry(reason.clone()).or_insert(0) += 1;
        }
        if self.not_run > 0 {
            *reasons.entry("not_run".to_owned()).or_insert(0) += self.not_run;
        }
        reasons
    }

    /// `4/5 (one_cluster)`, for a summary that is not complete.
    pub fn coverage(&self) -> String {
        let reasons: Vec<String> = self
            .reasons()
            .into_iter()
            .map(|(reason, count)| if count > 1 { format!("{reason} x{count}") } else { reason })
            .collect();
        if reasons.is_empty() {
            format!("{}/{}", self.n(), self.of())
        } else {
            format!("{}/{} ({})", self.n(), self.of(), reasons.join(", "))
        }
    }

    /// Differences to another summary over the folds where both have a value, this minus the other.
    pub(crate) fn paired(&self, other: &Self) -> BTreeMap<(usize, usize), f64> {
        self.values.iter().filter_map(|(at, value)| Some((*at, value - other.values.get(at)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use trailmark_core::Undefined;

    use super::*;

    #[test]
    fn a_mean_needs_every_planned_fold() {
        let mut summary = Summary::planned(3);
        summary.score((0, 0), &Score::value(1.0), None);
        summary.score((0, 1), &Score::from(Undefined::OneCluster), None);
        summary.finish();
        assert_eq!(summary.mean(), None);
        assert_eq!(summary.coverage(), "1/3 (not_run, one_cluster)");
    }

    #[test]
    fn mean_and_deviation_are_over_folds_and_repeats() {
        let mut summary = Summary::planned(4);
        for (at, value) in [1.0, 2.0, 3.0, 4.0].into_iter().enumerate() {
            summary.score((at / 2, at % 2), &Score::value(value), None);
        }
        summary.finish();
        assert_eq!(summary.mean(), Some(2.5));
        assert!((summary.sd().unwrap() - 1.290_994_448_735_805_6).abs() < 1e-15);
        assert!(!summary.is_weighted());
    }

    #[test]
    fn a_mean_over_users_weighs_folds_by_their_users_and_the_deviation_does_not() {
        let mut summary = Summary::planned(2);
        summary.score((0, 0), &Score::value(0.0), Some(30));
        summary.score((0, 1), &Score::value(1.0), Some(10));
        summary.finish();
        assert!(summary.is_weighted());
        assert_eq!(summary.mean(), Some(0.25));
        assert!((summary.sd().unwrap() - 0.5_f64.sqrt()).abs() < 1e-15, "around the unweighted mean of 0.5");
    }

    #[test]
    fn weights_of_some_folds_only_weigh_nothing() {
        let mut summary = Summary::planned(2);
        summary.score((0, 0), &Score::value(0.0), Some(30));
        summary.score((0, 1), &Score::value(1.0), None);
        summary.finish();
        assert_eq!((summary.is_weighted(), summary.mean()), (false, Some(0.5)));
    }
}
