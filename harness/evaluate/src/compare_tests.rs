//! Tests of the comparisons: what is claimed, what is refused, and how the reasons read.

use std::collections::BTreeMap;

use trailmark_core::comparison::{Comparison, Verdict};
use trailmark_core::{Score, Stream, Undefined};

use super::{ArmScores, Family, FoldScore, compare};

fn family() -> Family {
    Family {
        metric: "adjusted_rand_score".to_owned(),
        varies: "encoder".to_owned(),
        higher_is_better: true,
        alpha: 0.05,
        planned_blocks: 0,
        seed: 7,
    }
}

fn arm(dataset: &str, name: &str, scores: &[f64]) -> ArmScores {
    let fold = |(fold, &value): (usize, &f64)| FoldScore {
        repeat: 0,
        fold,
        n_train: 80,
        n_test: 20,
        score: Score::value(value),
    };
    ArmScores {
        dataset: dataset.to_owned(),
        arm: name.to_owned(),
        shared: "kmeans".to_owned(),
        folds: scores.iter().enumerate().map(fold).collect(),
        users: None,
    }
}

/// `n` users whose scores lie around `mean`; the noise is the user's own, plus a little of the arm's.
fn with_users(mut arm: ArmScores, n: u32, mean: f64, seed: u64) -> ArmScores {
    let mut users = Stream::new(1);
    let mut own = Stream::new(seed);
    arm.users = Some((0..n).map(|user| (user, mean + 0.3 * users.normal() + 0.1 * own.normal())).collect());
    arm
}

fn one(arms: &[ArmScores]) -> Comparison {
    let mut comparisons = compare(&family(), arms).unwrap();
    assert_eq!(comparisons.len(), 1);
    comparisons.remove(0)
}

const LOW: [f64; 5] = [0.40, 0.42, 0.41, 0.39, 0.43];
const HIGH: [f64; 5] = [0.60, 0.63, 0.60, 0.61, 0.62];

#[test]
fn a_clear_difference_over_five_folds_is_claimed_with_interval_and_effect() {
    let result = one(&[arm("shop", "tfidf", &LOW), arm("shop", "bert", &HIGH)]);
    assert_eq!((result.verdict, result.note.as_deref()), (Verdict::BetterB, None));
    assert_eq!((result.a.as_str(), result.b.as_str(), result.shared.as_str()), ("tfidf", "bert", "kmeans"));
    assert!((result.difference.unwrap() - 0.202).abs() < 1e-12);
    let interval = result.interval.unwrap();
    assert_eq!(interval.method, "corrected resampled t");
    assert!(interval.low > 0.15 && interval.high < 0.25, "{interval:?}");
    assert_eq!(result.tests[0].test, "corrected_resampled_t");
    assert_eq!(result.tests[0].n_blocks, 5);
    assert_eq!(result.tests[0].effect.as_ref().unwrap().0, "dz");
    assert_eq!((result.p_adjusted, result.family), (result.tests[0].p, 1));
}

#[test]
fn the_fold_ratio_comes_from_the_folds_as_they_were() {
    // pub-10: five folds of 80 and 20, corrected p 0.1308 where the plain t says 0.0467.
    let base = [0.5; 5];
    let better: Vec<f64> = [0.021, 0.013, 0.034, -0.002, 0.017].iter().map(|d| 0.5 + d).collect();
    let result = one(&[arm("shop", "a", &base), arm("shop", "b", &better)]);
    assert!((result.p_adjusted.unwrap() - 0.130804243028).abs() < 1e-9, "{:?}", result.p_adjusted);
    assert_eq!(result.verdict, Verdict::NoDifferenceShown);
    assert_eq!(result.note.unwrap(), "adjusted p 0.1308 is not below 0.05");
}

#[test]
fn a_lower_score_wins_where_lower_is_better() {
    let family = Family { higher_is_better: false, ..family() };
    let result = compare(&family, &[arm("shop", "a", &HIGH), arm("shop", "b", &LOW)]).unwrap().remove(0);
    assert_eq!(result.verdict, Verdict::BetterB);
    assert!(result.difference.unwrap() > 0.0, "positive means that b is better");
    assert!(result.mean_a > result.mean_b, "means are as measured");
    assert!(result.tests[0].effect.as_ref().unwrap().1 > 0.0);
}

#[test]
fn fewer_than_five_folds_are_refused_with_the_minimum_and_keep_their_interval() {
    let result = one(&[arm("shop", "a", &LOW[..3]), arm("shop", "b", &HIGH[..3])]);
    assert_eq!(result.verdict, Verdict::Refused);
    assert!(result.interval.is_some() && result.difference.is_some() && result.tests[0].effect.is_some());
    assert_eq!((result.p_adjusted, result.family), (None, 0));
    assert_eq!(
        result.note.unwrap(),
        "corrected_resampled_t needs at least 5 folds for a claim, got 3: with 3 blocks no rank or sign test goes \
         below p = 0.25 either; interval and effect stand"
    );
}

#[test]
fn users_claim_where_there_are_enough_of_them_even_with_three_folds() {
    let a = with_users(arm("shop", "a", &LOW[..3]), 200, 0.4, 2);
    let b = with_users(arm("shop", "b", &HIGH[..3]), 200, 0.5, 3);
    let result = one(&[a, b]);
    assert_eq!(result.verdict, Verdict::BetterB, "{:?}", result.note);
    let tests: Vec<&str> = result.tests.iter().map(|test| test.test.as_str()).collect();
    assert_eq!(tests, ["sign_flip", "corrected_resampled_t", "wilcoxon"]);
    assert_eq!((result.tests[0].n_blocks, result.tests[0].p), (200, Some(1e-4)));
    assert_eq!(result.interval.unwrap().method, "paired user bootstrap (BCa)");
    assert!((result.difference.unwrap() - 0.1).abs() < 0.03);
}

#[test]
fn fewer_than_thirty_users_leave_the_claim_to_the_folds() {
    let a = with_users(arm("shop", "a", &LOW), 12, 0.4, 2);
    let b = with_users(arm("shop", "b", &HIGH), 12, 0.5, 3);
    let result = one(&[a.clone(), b.clone()]);
    assert_eq!(result.verdict, Verdict::BetterB);
    let tests: Vec<&str> = result.tests.iter().map(|test| test.test.as_str()).collect();
    assert_eq!(tests, ["corrected_resampled_t", "sign_flip", "wilcoxon"]);
    assert_eq!(
        result.tests[1].refused.as_deref(),
        Some(
            "sign_flip needs at least 30 independent users for a claim, got 12: the smallest p that 12 can reach is 4.88e-4"
        )
    );
    assert!(result.tests[1].effect.is_some(), "the effect stands");

    let short = |arm: &ArmScores| ArmScores { folds: arm.folds[..2].to_vec(), ..arm.clone() };
    let result = one(&[short(&a), short(&b)]);
    assert_eq!(result.verdict, Verdict::Refused);
    let note = result.note.unwrap();
    assert!(note.contains("at least 5 folds") && note.contains("at least 30 independent users"), "{note}");
}

#[test]
fn an_undefined_fold_in_one_arm_makes_the_comparison_undefined() {
    let mut b = arm("shop", "b", &HIGH);
    b.folds[3].score = Score::from(Undefined::OneCluster);
    let result = one(&[arm("shop", "a", &LOW), b]);
    assert_eq!((result.verdict, result.difference, result.p_adjusted), (Verdict::Undefined, None, None));
    assert!(result.mean_a.is_some(), "a is complete");
    assert_eq!(result.mean_b, None, "no bare mean over four of five folds");
    assert_eq!(
        result.note.unwrap(),
        "fold 3, repeat 0 has no score in b (one_cluster): arms are compared on the same folds"
    );
}

#[test]
fn a_fold_that_neither_arm_could_score_leaves_both_and_is_told() {
    let scores: Vec<f64> = LOW.iter().chain(&[0.44]).copied().collect();
    let better: Vec<f64> = HIGH.iter().chain(&[0.64]).copied().collect();
    let (mut a, mut b) = (arm("shop", "a", &scores), arm("shop", "b", &better));
    a.folds[5].score = Score::from(Undefined::NoTruth);
    b.folds[5].score = Score::from(Undefined::NoTruth);
    let result = one(&[a, b]);
    assert_eq!((result.verdict, result.tests[0].n_blocks), (Verdict::BetterB, 5));
    assert_eq!(result.note.unwrap(), "over 5 of 6 folds: neither arm has a score in fold 5, repeat 0 (no_truth)");
}

#[test]
fn arms_with_other_blocks_are_never_paired() {
    let a = arm("shop", "a", &LOW);
    let note = |b: ArmScores| {
        let result = one(&[a.clone(), b]);
        assert_eq!(result.verdict, Verdict::Undefined);
        result.note.unwrap()
    };
    assert_eq!(note(arm("shop", "b", &HIGH[..4])), "b has no fold 4, repeat 0: arms are compared on the same folds");
    let mut other_split = arm("shop", "b", &HIGH);
    other_split.folds[1].n_test = 21;
    assert_eq!(
        note(other_split),
        "fold 1, repeat 0 has 80 training and 20 test samples in a, 80 and 21 in b: the splits differ"
    );
    let mut failed = arm("shop", "b", &HIGH);
    failed.folds.iter_mut().for_each(|fold| fold.score = Score::Failed { cause: "oom".to_owned() });
    assert_eq!(note(failed), "fold 0, repeat 0 has no score in b (oom): arms are compared on the same folds");
    assert_eq!(note(with_users(arm("shop", "b", &HIGH), 50, 0.5, 3)), "b has scores per user and a has none");
}

#[test]
fn arms_with_other_users_are_never_paired() {
    let a = with_users(arm("shop", "a", &LOW), 60, 0.4, 2);
    let result = one(&[a.clone(), with_users(arm("shop", "b", &HIGH), 58, 0.5, 3)]);
    assert_eq!(result.verdict, Verdict::Undefined);
    assert_eq!(
        result.note.unwrap(),
        "users are scored in one arm only, 2 in a, 0 in b: arms are compared on the same users"
    );
    let mut broken = with_users(arm("shop", "b", &HIGH), 60, 0.5, 3);
    broken.users.as_mut().unwrap().insert(9, f64::NAN);
    assert_eq!(one(&[a, broken]).note.unwrap(), "the score of user number 9 in b is NaN");
}

#[test]
fn undefined_comparisons_leave_the_family_before_holm() {
    let mut broken = arm("shop", "c", &LOW);
    broken.folds[0].score = Score::Failed { cause: "panicked".to_owned() };
    let comparisons = compare(
        &family(),
        &[arm("shop", "a", &LOW), arm("shop", "b", &HIGH), broken, arm("shop", "d", &HIGH.map(|x| x * x))],
    )
    .unwrap();
    assert_eq!(comparisons.len(), 6, "every pair is listed");
    let entered: Vec<&Comparison> = comparisons.iter().filter(|c| c.p_adjusted.is_some()).collect();
    assert_eq!(entered.len(), 3);
    assert!(comparisons.iter().all(|c| c.family == 3), "the family is what entered");
    let smallest = entered.iter().min_by(|x, y| x.tests[0].p.partial_cmp(&y.tests[0].p).unwrap()).unwrap();
    assert!((smallest.p_adjusted.unwrap() - 3.0 * smallest.tests[0].p.unwrap()).abs() < 1e-15);
    assert_eq!(comparisons.iter().filter(|c| c.verdict == Verdict::Undefined).count(), 3);
}

#[test]
fn an_arm_without_any_scores_on_a_dataset_is_told_and_not_dropped() {
    let arms = [arm("shop", "a", &LOW), arm("shop", "b", &HIGH), arm("films", "a", &LOW)];
    let comparisons = compare(&family(), &arms).unwrap();
    assert_eq!(comparisons.len(), 2);
    assert_eq!((comparisons[1].dataset.as_str(), comparisons[1].verdict), ("films", Verdict::Undefined));
    assert_eq!(comparisons[1].note.as_deref(), Some("no scores of b with kmeans"));
}

#[test]
fn the_family_spans_pairs_and_datasets() {
    let arms: Vec<ArmScores> = ["shop", "films"]
        .iter()
        .flat_map(|set| [arm(set, "a", &LOW), arm(set, "b", &HIGH), arm(set, "c", &LOW)])
        .collect();
    let comparisons = compare(&family(), &arms).unwrap();
    assert_eq!(comparisons.len(), 6);
    assert!(comparisons.iter().all(|c| c.family == 6));
}

#[test]
fn datasets_below_six_refuse_the_signed_rank_test_and_six_make_it() {
    let arms = |n: usize| -> Vec<ArmScores> {
        (0..n)
            .flat_map(|i| {
                let dataset = format!("set{i}");
                let better = HIGH.map(|score| score + 0.01 * i as f64);
                [arm(&dataset, "a", &LOW), arm(&dataset, "b", &better)]
            })
            .collect()
    };
    let five = compare(&family(), &arms(5)).unwrap();
    let test = five[0].tests.last().unwrap();
    assert_eq!((test.test.as_str(), test.n_blocks, test.p), ("wilcoxon", 5, None));
    assert_eq!(
        test.refused.as_deref(),
        Some(
            "wilcoxon over 5 datasets cannot show p < 0.05: its smallest two-sided p is 0.0625; it needs at least 6 datasets"
        )
    );
    let six = compare(&family(), &arms(6)).unwrap();
    let test = six[3].tests.last().unwrap();
    assert_eq!((test.n_blocks, test.p, test.refused.as_deref()), (6, Some(0.03125), None));
    assert_eq!(test.effect, Some(("rank_biserial".to_owned(), 1.0)));
}

#[test]
fn arms_that_agree_everywhere_show_no_difference_with_p_one() {
    let result = one(&[arm("shop", "a", &LOW), arm("shop", "b", &LOW)]);
    assert_eq!((result.verdict, result.p_adjusted), (Verdict::NoDifferenceShown, Some(1.0)));
    assert_eq!(result.note.unwrap(), "the arms agree everywhere");
}

#[test]
fn a_difference_that_is_the_same_in_every_fold_is_refused_and_not_infinitely_significant() {
    let result = one(&[arm("shop", "a", &[0.0; 5]), arm("shop", "b", &[1.0; 5])]);
    assert_eq!((result.verdict, result.difference), (Verdict::Refused, Some(1.0)));
    assert!(result.note.unwrap().starts_with("all 5 folds differ by the same 1:"));
}

#[test]
fn a_level_that_the_design_cannot_reach_is_refused() {
    let arms = [with_users(arm("shop", "a", &LOW), 200, 0.4, 2), with_users(arm("shop", "b", &HIGH), 200, 0.5, 3)];
    let result = compare(&Family { alpha: 1e-4, ..family() }, &arms).unwrap().remove(0);
    assert_eq!(result.verdict, Verdict::Refused);
    assert_eq!(
        result.note.unwrap(),
        "the design cannot show p < 0.0001 in a family of 1: its smallest p is 1.00e-4 before correction"
    );
}

#[test]
fn a_further_arm_changes_no_p_before_correction_and_no_interval() {
    let a = with_users(arm("shop", "a", &LOW), 80, 0.40, 2);
    let b = with_users(arm("shop", "b", &HIGH), 80, 0.43, 3);
    let c = with_users(arm("shop", "c", &HIGH), 80, 0.90, 4);
    let alone = one(&[a.clone(), b.clone()]);
    let beside = compare(&family(), &[a, b, c]).unwrap();
    let same = beside.iter().find(|x| (x.a.as_str(), x.b.as_str()) == ("a", "b")).unwrap();
    assert_eq!((&alone.interval, &alone.tests), (&same.interval, &same.tests));
    assert_eq!((alone.family, same.family), (1, 3));
}

#[test]
fn swapping_the_arms_swaps_the_verdict_and_nothing_else() {
    let a = with_users(arm("shop", "a", &LOW), 80, 0.4, 2);
    let b = with_users(arm("shop", "b", &HIGH), 80, 0.5, 3);
    let (forth, back) = (one(&[a.clone(), b.clone()]), one(&[b, a]));
    assert_eq!((forth.verdict, back.verdict), (Verdict::BetterB, Verdict::BetterA));
    assert_eq!(forth.p_adjusted, back.p_adjusted);
    assert!((forth.difference.unwrap() + back.difference.unwrap()).abs() < 1e-12);
}

#[test]
fn input_that_is_no_family_is_refused_with_its_place() {
    let message = |family: &Family, arms: &[ArmScores]| compare(family, arms).unwrap_err().to_string();
    let a = arm("shop", "a", &LOW);
    assert_eq!(message(&Family { alpha: 0.0, ..family() }, &[]), "alpha must be between 0 and 1, got 0");
    assert_eq!(
        message(&family(), &[a.clone(), a.clone()]),
        "arm \"a\" with \"kmeans\" is given twice on dataset \"shop\""
    );
    let mut twice = a;
    twice.folds.push(twice.folds[2].clone());
    assert_eq!(
        message(&family(), &[twice]),
        "fold 2, repeat 0 of arm \"a\" with \"kmeans\" is given twice on dataset \"shop\""
    );
}

#[test]
fn nothing_to_compare_gives_no_comparison() {
    assert_eq!(compare(&family(), &[]).unwrap(), []);
    assert_eq!(compare(&family(), &[arm("shop", "a", &LOW)]).unwrap(), []);
    let empty = ArmScores { users: Some(BTreeMap::new()), folds: Vec::new(), ..arm("shop", "a", &[]) };
    let other = ArmScores { arm: "b".to_owned(), ..empty.clone() };
    assert_eq!(one(&[empty, other]).note.unwrap(), "there are no folds");
}

#[test]
fn worlds_without_a_difference_are_claimed_at_most_at_the_declared_rate() {
    // A/A: three arms, equal up to noise, 40 users; any claim in a family of three is a false alarm.
    const RUNS: usize = 400;
    let mut noise = Stream::new(31);
    let false_alarms = (0..RUNS)
        .filter(|&run| {
            let arms: Vec<ArmScores> = ["a", "b", "c"]
                .iter()
                .map(|name| {
                    let users = (0..40).map(|user| (user, f64::from(user) / 40.0 + 0.1 * noise.normal())).collect();
                    ArmScores { users: Some(users), ..arm("shop", name, &LOW) }
                })
                .collect();
            let family = Family { seed: run as u64, ..family() };
            let claimed = |c: &Comparison| matches!(c.verdict, Verdict::BetterA | Verdict::BetterB);
            compare(&family, &arms).unwrap().iter().any(claimed)
        })
        .count();
    let rate = false_alarms as f64 / RUNS as f64;
    assert!(rate <= 0.05 + 2.0 * (0.05_f64 * 0.95 / RUNS as f64).sqrt(), "{rate}");
    assert!(rate > 0.0, "a comparison that never claims is no comparison");
}
