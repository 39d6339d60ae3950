//! What the paired scores of two arms say: difference, interval, tests, and which of them may claim.

use trailmark_core::Stream;
use trailmark_core::comparison::{Interval, TestResult};
use trailmark_core::random::seed;
use trailmark_stats::{Sample, cohen_dz, corrected_resampled_t, paired_bootstrap, sign_flip, smallest_p};

use crate::blocks::Paired;
use crate::compare::Family;

/// Coverage of the intervals.
pub const LEVEL: f64 = 0.95;
/// The fewest independent users for a claim over users.
pub const MIN_USERS: usize = 30;
/// Resamples of the bootstrap over users.
pub const BOOTSTRAP_RESAMPLES: usize = 5_000;
/// Random sign patterns of the sign-flip test over users.
pub const SIGN_FLIP_RESAMPLES: usize = 9_999;

/// Everything said of one pair on one dataset. Differences are oriented: positive means that the second arm is better.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) mean_a: f64,
    pub(crate) mean_b: f64,
    pub(crate) difference: f64,
    pub(crate) interval: Option<Interval>,
    pub(crate) tests: Vec<TestResult>,
    pub(crate) claim: Result<Claim, String>,
    pub(crate) note: Option<String>,
}

/// The p-value that enters the family.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    pub(crate) p: f64,
    pub(crate) smallest_p: f64,
    pub(crate) identical_arms: bool,
}

/// One level at which the pair was looked at: users or folds.
struct Look {
    means: (f64, f64),
    difference: f64,
    interval: Option<Interval>,
    test: TestResult,
    claim: Result<Claim, String>,
}

/// Makes all tests of a pair. The claim is of the users where there are enough of them, else of the folds; difference
/// and interval are of the level that claims.
pub(crate) fn weigh(family: &Family, dataset: &str, paired: &Paired) -> Evidence {
    let folds = over_folds(family, paired);
    let users = paired.users.as_deref().map(|users| over_users(family, dataset, users));
    let (lead, other) = match users {
        Some(users) if users.claim.is_ok() => (users, Some(folds.test)),
        Some(users) => {
            // Too few users: the folds speak, and the refused test stays in the list.
            let claim = match folds.claim {
                Ok(claim) => Ok(claim),
                Err(reason) => Err(format!("{reason}; {}", users.claim.err().unwrap_or_default())),
            };
            (Look { claim, ..folds }, Some(users.test))
        }
        None => (folds, None),
    };
    Evidence {
        mean_a: lead.means.0,
        mean_b: lead.means.1,
        difference: lead.difference,
        interval: lead.interval,
        tests: std::iter::once(lead.test).chain(other).collect(),
        claim: lead.claim,
        note: paired.note.clone(),
    }
}

fn oriented(family: &Family, pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(a, b)| if family.higher_is_better { b - a } else { a - b }).collect()
}

fn means(pairs: &[(f64, f64)]) -> (f64, f64) {
    let n = pairs.len() as f64;
    (pairs.iter().map(|pair| pair.0).sum::<f64>() / n, pairs.iter().map(|pair| pair.1).sum::<f64>() / n)
}

fn dz(sample: &Sample) -> Option<(String, f64)> {
    cohen_dz(sample).map(|value| ("dz".to_owned(), value))
}

/// A look that makes no test; the effect stands where there is one.
fn refused(test: &str, pairs: &[(f64, f64)], differences: &[f64], reason: String) -> Look {
    let n = differences.len().max(1) as f64;
    let effect = Sample::new(differences.to_vec()).ok().and_then(|sample| dz(&sample));
    Look {
        means: means(pairs),
        difference: differences.iter().sum::<f64>() / n,
        interval: None,
        test: TestResult {
            test: test.to_owned(),
            n_blocks: pairs.len(),
            p: None,
            effect,
            refused: Some(reason.clone()),
        },
        claim: Err(reason),
    }
}

/// The corrected resampled t over folds and repeats.
fn over_folds(family: &Family, paired: &Paired) -> Look {
    const TEST: &str = "corrected_resampled_t";
    let differences = oriented(family, &paired.folds);
    let sample = match Sample::new(differences.clone()) {
        Ok(sample) => sample,
        Err(error) => return refused(TEST, &paired.folds, &differences, error.to_string()),
    };
    let result = match corrected_resampled_t(&sample, &paired.ratios, LEVEL) {
        Ok(result) => result,
        Err(error) => return refused(TEST, &paired.folds, &differences, error.to_string()),
    };
    let p = result.p.map_err(|no_claim| no_claim.to_string());
    Look {
        means: means(&paired.folds),
        difference: result.mean,
        interval: Some(Interval {
            low: result.interval.0,
            high: result.interval.1,
            level: result.level,
            method: "corrected resampled t".to_owned(),
        }),
        test: TestResult {
            test: TEST.to_owned(),
            n_blocks: result.n,
            p: p.as_ref().ok().copied(),
            effect: dz(&sample),
            refused: p.as_ref().err().cloned(),
        },
        claim: p.map(|p| Claim { p, smallest_p: 0.0, identical_arms: result.identical_arms }),
    }
}

/// The sign-flip test over users, with the BCa bootstrap as interval.
fn over_users(family: &Family, dataset: &str, users: &[(f64, f64)]) -> Look {
    const TEST: &str = "sign_flip";
    let differences = oriented(family, users);
    let n = users.len();
    if n < MIN_USERS {
        let reason = format!(
            "{TEST} needs at least {MIN_USERS} independent users for a claim, got {n}: the smallest p that {n} can reach is {:.2e}",
            smallest_p(n)
        );
        return refused(TEST, users, &differences, reason);
    }
    let sample = match Sample::new(differences.clone()) {
        Ok(sample) => sample,
        Err(error) => return refused(TEST, users, &differences, error.to_string()),
    };
    let stream = |purpose| Stream::new(seed(family.seed, purpose, &[dataset]));
    let mut draws = stream("user_bootstrap");
    let interval = match paired_bootstrap(&sample, BOOTSTRAP_RESAMPLES, LEVEL, &mut || draws.next_u64()) {
        Ok(bootstrap) => Interval {
            low: bootstrap.interval.0,
            high: bootstrap.interval.1,
            level: bootstrap.level,
            method: format!("paired user bootstrap ({})", bootstrap.method.name()),
        },
        Err(error) => return refused(TEST, users, &differences, error.to_string()),
    };
    let mut draws = stream("sign_flip");
    let test = sign_flip(&sample, SIGN_FLIP_RESAMPLES, &mut || draws.next_u64());
    Look {
        means: means(users),
        difference: sample.mean(),
        interval: Some(interval),
        test: TestResult { test: TEST.to_owned(), n_blocks: n, p: Some(test.p), effect: dz(&sample), refused: None },
        claim: Ok(Claim { p: test.p, smallest_p: test.smallest_p, identical_arms: test.identical_arms }),
    }
}
