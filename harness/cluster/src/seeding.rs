//! Starts of k-means: rows drawn at random, or by greedy k-means++ as scikit-learn does it.

use trailmark_core::{Matrix, Stream};

use crate::centred::Centred;
use crate::kernel::{BLOCK, add_products, score_error, squared_distance_of_rows};

/// How the first centres are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Init {
    /// Greedy k-means++.
    PlusPlus,
    /// Distinct rows, uniformly.
    Random,
}

/// The first centres, (n_clusters, n_features).
pub(crate) fn start(data: &Centred, n_clusters: usize, init: Init, draws: &mut Stream) -> Matrix<f64> {
    let rows = match init {
        Init::PlusPlus => plus_plus(data, n_clusters, draws),
        Init::Random => distinct(data.n_samples(), n_clusters, draws),
    };
    data.x.select_rows(&rows).cast()
}

/// `n` distinct indices below `of`, by the first steps of a Fisher-Yates shuffle.
fn distinct(of: usize, n: usize, draws: &mut Stream) -> Vec<usize> {
    let mut all: Vec<usize> = (0..of).collect();
    for i in 0..n {
        let other = i + draws.below(of - i);
        all.swap(i, other);
    }
    all.truncate(n);
    all
}

/// Arthur and Vassilvitskii 2007 with the greedy choice among `2 + ln(n_clusters)` trials: each next centre is drawn
/// with probability proportional to the squared distance to the nearest centre so far, several times, and the draw
/// that lowers the sum of these distances most is kept.
///
/// Distances that enter a draw are exact: the f32 product only tells which rows a trial cannot be nearer to, so that
/// the draws agree on every processor.
fn plus_plus(data: &Centred, n_clusters: usize, draws: &mut Stream) -> Vec<usize> {
    let n = data.n_samples();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
    let n_trials = 2 + libm::log(n_clusters as f64) as usize;
    let mut chosen = vec![draws.below(n)];
    let first = data.x.row(chosen[0]);
    let mut closest: Vec<f64> = data.x.iter_rows().map(|row| squared_distance_of_rows(row, first)).collect();
    let mut cumulative = vec![0.0_f64; n];
    let mut scores = vec![0.0_f32; BLOCK * n_trials];
    while chosen.len() < n_clusters {
        let mut total = 0.0;
        for (sum, distance) in cumulative.iter_mut().zip(&closest) {
            total += distance;
            *sum = total;
        }
        if total <= 0.0 {
            // Every row lies on a centre: any further start is a duplicate.
            chosen.push(draws.below(n));
            continue;
        }
        let trials: Vec<usize> = (0..n_trials)
            .map(|_| {
                let at = draws.uniform() * total;
                cumulative.partition_point(|sum| *sum <= at).min(n - 1)
            })
            .collect();
        let improved = improvements(data, &trials, &closest, &mut scores);
        let gains: Vec<f64> =
            improved.iter().map(|rows| rows.iter().map(|&(row, distance)| closest[row] - distance).sum()).collect();
        let best = (1..n_trials).fold(0, |best, trial| if gains[trial] > gains[best] { trial } else { best });
        for &(row, distance) in &improved[best] {
            closest[row] = distance;
        }
        chosen.push(trials[best]);
    }
    chosen
}

/// For every trial, the rows that would be nearer to it than to any centre so far, with that exact squared distance.
fn improvements(data: &Centred, trials: &[usize], closest: &[f64], scores: &mut [f32]) -> Vec<Vec<(usize, f64)>> {
    let (n, width) = (data.n_samples(), data.n_features());
    let centres = data.x.select_rows(trials);
    let squared: Vec<f64> = trials.iter().map(|&row| data.squared_lengths[row]).collect();
    let longest = squared.iter().copied().fold(0.0, f64::max).sqrt();
    let mut improved = vec![Vec::new(); trials.len()];
    for start in (0..n).step_by(BLOCK) {
        let end = (start + BLOCK).min(n);
        let scores = &mut scores[..(end - start) * trials.len()];
        scores.fill(0.0);
        add_products(&data.x.as_slice()[start * width..end * width], centres.as_slice(), width, -2.0, scores);
        for (row, scores) in (start..end).zip(scores.chunks_exact(trials.len())) {
            let own = data.squared_lengths[row];
            let error = score_error(width, own.sqrt(), longest);
            for (trial, &score) in scores.iter().enumerate() {
                let at_least = f64::from(score) + own + squared[trial] - error;
                if at_least >= closest[row] {
                    continue;
                }
                let distance = squared_distance_of_rows(data.x.row(row), data.x.row(trials[trial]));
                if distance < closest[row] {
                    improved[trial].push((row, distance));
                }
            }
        }
    }
    improved
}
