//! One metric of one arm over folds and repeats. A mean stands alone only when every planned fold has a value: a fold that
//! failed or has no defined score would otherwise improve or spoil the mean by being absent.

use std::collections::BTreeMap;

use trailmark_core::Score;

/// The reason of a fold whose cell has no row of the metric.
pub(crate) const NOT_SCORED: &str = "not_scored";

/// Values of the folds that have one, and reasons of those that have none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Summary {
    planned: usize,
    values: BTreeMap<(usize, usize), f64>,
    gaps: BTreeMap<(usize, usize), String>,
    not_run: usize,
    approximate: usize,
}

impl Summary {
    pub(crate) fn planned(planned: usize) -> Self {
        Self { planned, ..Self::default() }
    }

    pub(crate) fn score(&mut self, at: (usize, usize), score: &Score) {
        match score.number() {
            Some(value) => {
                self.approximate += usize::from(matches!(score, Score::Approximate { .. }));
                self.values.insert(at, value);
            }
            None if matches!(score, Score::Failed { .. }) => self.gap(at, format!("failed: {}", score.reason())),
            None => self.gap(at, score.reason()),
        }
    }

    pub(crate) fn value(&mut self, at: (usize, usize), value: f64) {
        self.values.insert(at, value);
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
        let silent = |reason: &String| reason == NOT_SCORED || reason.starts_with("failed: ");
        self.values.is_empty()
            && (unscored || self.planned == 0 || self.gaps.is_empty() && self.not_run == 0)
            && self.gaps.values().all(silent)
    }

    /// Mean over folds and repeats; none unless complete.
    pub fn mean(&self) -> Option<f64> {
        self.is_complete().then(|| self.values.values().sum::<f64>() / self.n() as f64)
    }

    /// Standard deviation over folds and repeats (n - 1); none unless complete, or with one fold.
    pub fn sd(&self) -> Option<f64> {
        let mean = self.mean()?;
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
    pub(crate) fn paired(&self, other: &Self) -> Vec<f64> {
        self.values.iter().filter_map(|(at, value)| Some(value - other.values.get(at)?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use trailmark_core::Undefined;

    use super::*;

    #[test]
    fn a_mean_needs_every_planned_fold() {
        let mut summary = Summary::planned(3);
        summary.score((0, 0), &Score::value(1.0));
        summary.score((0, 1), &Score::from(Undefined::OneCluster));
        summary.finish();
        assert_eq!(summary.mean(), None);
        assert_eq!(summary.coverage(), "1/3 (not_run, one_cluster)");
    }

    #[test]
    fn mean_and_deviation_are_over_folds_and_repeats() {
        let mut summary = Summary::planned(4);
        for (at, value) in [1.0, 2.0, 3.0, 4.0].into_iter().enumerate() {
            summary.score((at / 2, at % 2), &Score::value(value));
        }
        summary.finish();
        assert_eq!(summary.mean(), Some(2.5));
        assert!((summary.sd().unwrap() - 1.290_994_448_735_805_6).abs() < 1e-15);
    }
}
