//! Pairs two arms block by block. Arms are compared on the same blocks or not at all: a difference over whatever
//! happens to be left would measure which cells failed.

use std::collections::BTreeMap;

use crate::compare::{ArmScores, FoldScore};

/// Two arms on the same blocks, in one order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Paired {
    /// Scores of both arms per fold and repeat.
    pub(crate) folds: Vec<(f64, f64)>,
    /// n_test / n_train of each.
    pub(crate) ratios: Vec<f64>,
    /// Scores of both arms per user, where the metric has them.
    pub(crate) users: Option<Vec<(f64, f64)>>,
    /// Blocks that neither arm has a score for.
    pub(crate) note: Option<String>,
}

/// Pairs folds, and users where both arms have them.
///
/// # Errors
/// Why the arms do not share their blocks.
pub(crate) fn pair(a: &ArmScores, b: &ArmScores, planned: usize) -> Result<Paired, String> {
    let (folds_a, folds_b) = (by_block(a), by_block(b));
    for (here, there, absent) in [(&folds_a, &folds_b, b), (&folds_b, &folds_a, a)] {
        if let Some((repeat, fold)) = here.keys().find(|block| !there.contains_key(block)) {
            return Err(format!(
                "{} has no fold {fold}, repeat {repeat}: arms are compared on the same folds",
                absent.arm
            ));
        }
    }
    if folds_a.len() < planned {
        return Err(format!("{} of {planned} folds have run: comparisons wait for the whole design", folds_a.len()));
    }
    let mut paired = Paired { folds: Vec::new(), ratios: Vec::new(), users: None, note: None };
    let mut missing = Vec::new();
    for ((repeat, fold), &one) in &folds_a {
        let other = folds_b[&(*repeat, *fold)];
        if (one.n_train, one.n_test) != (other.n_train, other.n_test) || one.n_train == 0 {
            return Err(format!(
                "fold {fold}, repeat {repeat} has {} training and {} test samples in {}, {} and {} in {}: the splits differ",
                one.n_train, one.n_test, a.arm, other.n_train, other.n_test, b.arm
            ));
        }
        match (one.score.number(), other.score.number()) {
            (Some(x), Some(y)) => {
                paired.folds.push((x, y));
                paired.ratios.push(one.n_test as f64 / one.n_train as f64);
            }
            (None, None) => missing.push(format!("fold {fold}, repeat {repeat} ({})", one.score.reason())),
            (x, _) => {
                let (arm, score) = if x.is_none() { (&a.arm, &one.score) } else { (&b.arm, &other.score) };
                return Err(format!(
                    "fold {fold}, repeat {repeat} has no score in {arm} ({}): arms are compared on the same folds",
                    score.reason()
                ));
            }
        }
    }
    if paired.folds.is_empty() {
        return Err(match missing.first() {
            Some(first) => format!("no fold has a score in either arm, first {first}"),
            None => "there are no folds".to_owned(),
        });
    }
    if !missing.is_empty() {
        let (n, total) = (paired.folds.len(), folds_a.len());
        paired.note = Some(format!("over {n} of {total} folds: neither arm has a score in {}", missing.join(", ")));
    }
    paired.users = pair_users(a, b)?;
    Ok(paired)
}

fn by_block(arm: &ArmScores) -> BTreeMap<(usize, usize), &FoldScore> {
    arm.folds.iter().map(|fold| ((fold.repeat, fold.fold), fold)).collect()
}

fn pair_users(a: &ArmScores, b: &ArmScores) -> Result<Option<Vec<(f64, f64)>>, String> {
    let (users_a, users_b) = match (&a.users, &b.users) {
        (None, None) => return Ok(None),
        (Some(users_a), Some(users_b)) => (users_a, users_b),
        (Some(_), None) => return Err(format!("{} has scores per user and {} has none", a.arm, b.arm)),
        (None, Some(_)) => return Err(format!("{} has scores per user and {} has none", b.arm, a.arm)),
    };
    let only_a = users_a.keys().filter(|user| !users_b.contains_key(user)).count();
    let only_b = users_b.keys().filter(|user| !users_a.contains_key(user)).count();
    if only_a + only_b > 0 {
        return Err(format!(
            "users are scored in one arm only, {only_a} in {}, {only_b} in {}: arms are compared on the same users",
            a.arm, b.arm
        ));
    }
    for (arm, users) in [(a, users_a), (b, users_b)] {
        if let Some((user, score)) = users.iter().find(|(_, score)| !score.is_finite()) {
            return Err(format!("the score of user number {user} in {} is {score}", arm.arm));
        }
    }
    Ok(Some(users_a.values().copied().zip(users_b.values().copied()).collect()))
}
