//! Means over folds that never hide what is missing.

use std::collections::BTreeMap;
use std::fmt;

use trailmark_core::Score;

/// A mean over folds with what it covers. Where a fold has no value the mean is of the others only and must be shown
/// with its coverage; [`Aggregate::complete`] is the number that may stand alone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Aggregate {
    /// Mean of the folds that have a value.
    pub value: Option<f64>,
    /// Their standard deviation with n - 1; none for fewer than two.
    pub sd: Option<f64>,
    /// Folds with a value, exact or approximate.
    pub n_defined: usize,
    /// Those of them that are approximate.
    pub n_approximate: usize,
    /// Folds whose score is undefined.
    pub n_undefined: usize,
    /// Folds whose score or cell failed.
    pub n_failed: usize,
    /// Why folds have no value: reason and count.
    pub reasons: BTreeMap<String, usize>,
}

impl Aggregate {
    /// All folds.
    pub fn n_total(&self) -> usize {
        self.n_defined + self.n_undefined + self.n_failed
    }

    /// Share of folds with a value; 0 without folds.
    pub fn coverage(&self) -> f64 {
        if self.n_total() == 0 { 0.0 } else { self.n_defined as f64 / self.n_total() as f64 }
    }

    /// The mean, if every fold has a value.
    pub fn complete(&self) -> Option<f64> {
        self.value.filter(|_| self.n_defined == self.n_total())
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value, self.sd) {
            (Some(value), Some(sd)) => write!(f, "{value:.4} ± {sd:.4}")?,
            (Some(value), None) => write!(f, "{value:.4}")?,
            (None, _) => f.write_str("undefined")?,
        }
        if self.n_defined < self.n_total() {
            let reasons: Vec<String> =
                self.reasons.iter().map(|(reason, count)| format!("{reason} x {count}")).collect();
            write!(f, " ({} of {} folds; {})", self.n_defined, self.n_total(), reasons.join(", "))?;
        }
        Ok(())
    }
}

/// Mean, spread and coverage of fold scores, summed in the order given.
pub fn aggregate<'a>(scores: impl IntoIterator<Item = &'a Score>) -> Aggregate {
    let mut result = Aggregate::default();
    let mut values = Vec::new();
    for score in scores {
        match score {
            Score::Ok { .. } => {}
            Score::Approximate { .. } => result.n_approximate += 1,
            Score::Undefined { .. } => result.n_undefined += 1,
            Score::Failed { .. } => result.n_failed += 1,
        }
        match score.number() {
            Some(value) => values.push(value),
            None => *result.reasons.entry(score.reason()).or_insert(0) += 1,
        }
    }
    result.n_defined = values.len();
    let n = values.len() as f64;
    if !values.is_empty() {
        let mean = values.iter().sum::<f64>() / n;
        result.value = Some(mean);
        if values.len() > 1 {
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            result.sd = Some((squares / (n - 1.0)).sqrt());
        }
    }
    result
}

/// One score per user: the mean of a user's scores over repeats and sessions, so that each user counts once.
pub fn mean_per_user(scores: impl IntoIterator<Item = (u32, f64)>) -> BTreeMap<u32, f64> {
    let mut sums: BTreeMap<u32, (f64, usize)> = BTreeMap::new();
    for (user, score) in scores {
        let (sum, count) = sums.entry(user).or_insert((0.0, 0));
        *sum += score;
        *count += 1;
    }
    sums.into_iter().map(|(user, (sum, count))| (user, sum / count as f64)).collect()
}

#[cfg(test)]
mod tests {
    use trailmark_core::Undefined;

    use super::*;

    #[test]
    fn a_complete_mean_may_stand_alone() {
        let scores = [Score::value(0.2), Score::value(0.4), Score::value(0.6)];
        let result = aggregate(&scores);
        assert!((result.complete().unwrap() - 0.4).abs() < 1e-15);
        assert!((result.sd.unwrap() - 0.2).abs() < 1e-15);
        assert_eq!((result.coverage(), result.to_string().as_str()), (1.0, "0.4000 ± 0.2000"));
    }

    #[test]
    fn an_undefined_fold_takes_the_bare_mean_away_and_is_told() {
        let scores = [
            Score::value(0.2),
            Score::from(Undefined::OneCluster),
            Score::Approximate { value: 0.4, se: 0.1, method: "sampled".to_owned() },
            Score::Failed { cause: "panicked".to_owned() },
        ];
        let result = aggregate(&scores);
        assert_eq!(result.complete(), None);
        assert_eq!((result.n_defined, result.n_approximate, result.n_undefined, result.n_failed), (2, 1, 1, 1));
        assert_eq!(result.coverage(), 0.5);
        assert_eq!(result.to_string(), "0.3000 ± 0.1414 (2 of 4 folds; one_cluster x 1, panicked x 1)");
    }

    #[test]
    fn nothing_to_average_is_undefined_and_not_zero() {
        assert_eq!(aggregate(&[]).value, None);
        assert_eq!(aggregate(&[]).coverage(), 0.0);
        let result = aggregate(&[Score::from(Undefined::Empty)]);
        assert_eq!(result.to_string(), "undefined (0 of 1 folds; empty x 1)");
    }

    #[test]
    fn a_user_counts_once_however_often_it_was_scored() {
        let means = mean_per_user([(7, 1.0), (3, 0.5), (7, 0.0), (7, 0.5)]);
        assert_eq!(means, BTreeMap::from([(3, 0.5), (7, 0.5)]));
    }
}
