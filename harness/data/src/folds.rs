//! User k-fold: whole users are held out, so that test users are new users.

use std::collections::BTreeMap;

use trailmark_core::config::SplitConfig;
use trailmark_core::{Dataset, Fold, Stream, random};

use crate::DataError;

/// The folds of every repeat, in order of repeat and fold.
///
/// Users are shuffled by a seed of dataset id and repeat alone and dealt in turn, so fold sizes differ by one user at
/// most and no arm of a suite can move them.
///
/// # Errors
/// When there are fewer users than folds, fewer than two folds, or no repeat.
pub fn folds(dataset: &Dataset, split: &SplitConfig, suite_seed: u64) -> Result<Vec<Fold>, DataError> {
    let SplitConfig { folds, repeats, .. } = *split;
    if folds < 2 || repeats == 0 {
        return Err(DataError::BadSplit { folds, repeats });
    }
    let mut users: Vec<u32> = dataset.users.clone();
    users.sort_unstable();
    users.dedup();
    if users.len() < folds {
        return Err(DataError::TooFewUsers { dataset: dataset.id.clone(), users: users.len(), folds });
    }
    let mut all = Vec::with_capacity(folds * repeats);
    for repeat in 0..repeats {
        let mut dealt = users.clone();
        Stream::new(random::seed(suite_seed, "folds", &[&dataset.id, &repeat.to_string()])).shuffle(&mut dealt);
        let fold_of: BTreeMap<u32, usize> =
            dealt.iter().enumerate().map(|(place, user)| (*user, place % folds)).collect();
        for fold in 0..folds {
            let (test, train) = (0..dataset.users.len()).partition(|row| fold_of[&dataset.users[*row]] == fold);
            all.push(Fold { repeat, fold, train, test });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::config::Future;
    use trailmark_core::dataset::{Accounting, Sequences};

    fn dataset(users: Vec<u32>) -> Dataset {
        Dataset {
            id: "shop".to_owned(),
            key: trailmark_core::Key::of_bytes(b""),
            sequences: Sequences { ids: users.iter().map(u32::to_string).collect(), ..Sequences::default() },
            history_items: vec![],
            future_items: vec![],
            cut: vec![],
            item_names: vec![],
            labels: vec![],
            accounting: Accounting::default(),
            users,
        }
    }

    fn split(folds: usize, repeats: usize) -> SplitConfig {
        SplitConfig { folds, repeats, future: Future::None }
    }

    #[test]
    fn every_user_is_held_out_once_per_repeat_and_fold_sizes_differ_by_one_user_at_most() {
        let made = folds(&dataset((0..23).collect()), &split(5, 3), 7).unwrap();
        assert_eq!(made.len(), 15);
        for repeat in 0..3 {
            let mut seen: Vec<usize> = Vec::new();
            for fold in made.iter().filter(|fold| fold.repeat == repeat) {
                assert!((4..=5).contains(&fold.test.len()), "{} test users", fold.test.len());
                assert_eq!(fold.train.len() + fold.test.len(), 23);
                seen.extend(&fold.test);
            }
            seen.sort_unstable();
            assert_eq!(seen, (0..23).collect::<Vec<_>>());
        }
        assert_ne!(made[0].test, made[5].test, "repeats must differ");
    }

    #[test]
    fn the_sessions_of_a_user_stay_on_one_side() {
        let data = dataset(vec![0, 0, 1, 2, 2, 2, 3, 4]);
        for fold in folds(&data, &split(2, 4), 1).unwrap() {
            for row in &fold.test {
                assert!(fold.train.iter().all(|other| data.users[*other] != data.users[*row]), "{fold:?}");
            }
        }
    }

    #[test]
    fn folds_depend_on_suite_seed_and_dataset_alone() {
        let data = dataset((0..30).collect());
        assert_eq!(folds(&data, &split(3, 1), 7).unwrap(), folds(&data, &split(3, 2), 7).unwrap()[..3]);
        assert_ne!(folds(&data, &split(3, 1), 7).unwrap(), folds(&data, &split(3, 1), 8).unwrap());
    }

    #[test]
    fn fewer_users_than_folds_is_refused_with_both_numbers() {
        let error = folds(&dataset(vec![0, 0, 1]), &split(5, 1), 7).unwrap_err();
        assert_eq!(
            error.to_string(),
            "dataset \"shop\" has 2 users after all filters, fewer than its 5 folds: lower folds or min_events"
        );
    }
}
