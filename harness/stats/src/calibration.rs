//! A/A tests: what each test says when there is nothing to find. A test keeps its level when it rejects a true null
//! at most in alpha + 2 Monte Carlo standard errors of the runs; the plain t over folds must fail the same check,
//! which shows that the check can fail.

use crate::draws::below;
use crate::draws::tests::splitmix;
use crate::{Alternative, Sample, corrected_resampled_t, paired_bootstrap, sign_flip, wilcoxon};

const RUNS: usize = 2000;
const ALPHA: f64 = 0.05;

fn bound() -> f64 {
    ALPHA + 2.0 * (ALPHA * (1.0 - ALPHA) / RUNS as f64).sqrt()
}

fn rate(runs: usize, mut rejects: impl FnMut() -> bool) -> f64 {
    (0..runs).filter(|_| rejects()).count() as f64 / runs as f64
}

fn uniform(next: &mut dyn FnMut() -> u64) -> f64 {
    (next() >> 11) as f64 / (1_u64 << 53) as f64
}

fn normal(next: &mut dyn FnMut() -> u64) -> f64 {
    (-2.0 * (1.0 - uniform(next)).ln()).sqrt() * (std::f64::consts::TAU * uniform(next)).cos()
}

/// Differences of two equally good learners over a repeated cross-validation of one data set.
///
/// Each learner predicts a target by the mean of its own noisy feature over the training rows; the score of a fold is
/// the negative squared error on its test rows. Training sets overlap and test rows come back in every repeat, as in
/// real folds. By symmetry neither learner is better.
fn overlapping_folds(next: &mut dyn FnMut() -> u64) -> (Sample, Vec<f64>) {
    const ROWS: usize = 60;
    const FOLDS: usize = 10;
    const REPEATS: usize = 10;
    let rows: Vec<[f64; 3]> = (0..ROWS).map(|_| [normal(next), normal(next), 3.0 * normal(next)]).collect();
    let mut order: Vec<usize> = (0..ROWS).collect();
    let mut differences = Vec::with_capacity(FOLDS * REPEATS);
    for _ in 0..REPEATS {
        for last in (1..ROWS).rev() {
            order.swap(last, below(last + 1, next));
        }
        let size = ROWS / FOLDS;
        for fold in 0..FOLDS {
            let (start, end) = (fold * size, (fold + 1) * size);
            let train = order[..start].iter().chain(&order[end..]);
            let mut learnt = [0.0; 2];
            for &row in train {
                learnt[0] += rows[row][0] / (ROWS - size) as f64;
                learnt[1] += rows[row][1] / (ROWS - size) as f64;
            }
            let loss = |guess: f64| {
                order[start..end].iter().map(|&row| (guess - rows[row][2]).powi(2)).sum::<f64>() / size as f64
            };
            differences.push(loss(learnt[0]) - loss(learnt[1]));
        }
    }
    let n = differences.len();
    (Sample::new(differences).unwrap(), vec![1.0 / (FOLDS - 1) as f64; n])
}

#[test]
fn the_corrected_t_keeps_its_level_on_overlapping_folds_and_the_plain_t_does_not() {
    let mut next = splitmix(20);
    let (mut corrected, mut plain) = (0, 0);
    for _ in 0..RUNS {
        let (differences, ratios) = overlapping_folds(&mut next);
        let p = |ratios: &[f64]| corrected_resampled_t(&differences, ratios, 0.95).unwrap().p.unwrap();
        corrected += usize::from(p(&ratios) < ALPHA);
        plain += usize::from(p(&vec![0.0; ratios.len()]) < ALPHA);
    }
    let (corrected, plain) = (corrected as f64 / RUNS as f64, plain as f64 / RUNS as f64);
    assert!(corrected <= bound(), "the corrected t rejects {corrected} of true nulls");
    assert!(plain > bound(), "the negative control rejects only {plain}: this check could not fail");
    assert!(plain > 0.25, "the plain t is known to reject about 0.3 to 0.5 of true nulls here, got {plain}");
}

#[test]
fn the_sign_flip_test_keeps_its_level_exact_and_by_draws() {
    let mut next = splitmix(21);
    for n in [12, 40] {
        let rejected = rate(RUNS, || {
            let sample = Sample::new((0..n).map(|_| normal(&mut next).powi(3)).collect()).unwrap();
            sign_flip(&sample, 499, &mut next).p <= ALPHA
        });
        assert!(rejected <= bound(), "n = {n}: {rejected}");
        assert!(rejected >= 0.03, "n = {n}: a test that never rejects is no test: {rejected}");
    }
}

#[test]
fn the_signed_rank_test_keeps_its_level_with_ties_and_zeros() {
    let mut next = splitmix(22);
    let rejected = rate(RUNS, || {
        let sample = Sample::new((0..15).map(|_| below(9, &mut next) as f64 - 4.0).collect()).unwrap();
        wilcoxon(&sample, Alternative::TwoSided).p <= ALPHA
    });
    assert!(rejected <= bound(), "{rejected}");
    assert!(rejected >= 0.03, "a test that never rejects is no test: {rejected}");
}

#[test]
fn the_bootstrap_interval_covers_the_mean_of_skewed_differences() {
    let mut next = splitmix(23);
    let covered = rate(RUNS, || {
        // Exponential, mean 1: the shape of per-user gains where most users gain little.
        let sample = Sample::new((0..100).map(|_| -(1.0 - uniform(&mut next)).ln()).collect()).unwrap();
        let (low, high) = paired_bootstrap(&sample, 1000, 0.95, &mut next).unwrap().interval;
        low <= 1.0 && 1.0 <= high
    });
    assert!(covered >= 0.93, "a nominal 95 % interval covers {covered}");
}
