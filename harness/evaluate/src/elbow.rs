//! The elbow of the inertia curve by kneedle, as a control beside better rules: it finds knees in structureless data
//! and moves with the range of n_clusters.

use crate::pick::{PickAnswer, defined};

/// How far, in mean steps of n_clusters, the difference curve must fall below its maximum to confirm a knee.
const SENSITIVITY: f64 = 1.0;

/// The knee of a decreasing convex curve of inertia over n_clusters, by kneedle with S = 1.
///
/// Both axes are scaled to [0, 1]; where the scaled curve lies furthest below the descending diagonal, and then comes
/// back by one mean step before the next minimum, is a knee. The first one is the answer; its height below the
/// diagonal is the strength. Undefined values are skipped.
/// # Degenerate cases
/// None for fewer than 3 values, for a curve that does not fall from its first to its last value, and where no
/// maximum is confirmed.
/// # Reference
/// Satopaa et al. 2011, Finding a "Kneedle" in a Haystack. Agrees with kneed 0.9 (`curve="convex",
/// direction="decreasing"`).
pub fn elbow_pick(curve: &[(usize, Option<f64>)]) -> PickAnswer {
    let points = defined(curve);
    let knee = knee(&points);
    PickAnswer { rule: "elbow", n_clusters: knee.map(|(at, _)| points[at].0), strength: knee.map(|(_, height)| height) }
}

/// Position and height of the first knee.
fn knee(points: &[(usize, f64)]) -> Option<(usize, f64)> {
    let (&(first, start), &(last, end)) = (points.first()?, points.last()?);
    if points.len() < 3 || end >= start {
        return None;
    }
    let low = points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
    let x = |at: usize| (points[at].0 - first) as f64 / (last - first) as f64;
    let height: Vec<f64> = (0..points.len()).map(|at| (1.0 - (points[at].1 - low) / (high - low)) - x(at)).collect();
    let step = 1.0 / (points.len() - 1) as f64;

    // Neighbours beyond an end are the end itself, so ends and plateaus are extrema too, as in scipy's argrelextrema.
    let before = |at: usize| height[at.saturating_sub(1)];
    let after = |at: usize| height[(at + 1).min(height.len() - 1)];
    let mut candidate = None; // the maximum under test; none before the first and after a minimum
    for at in 0..height.len() - 1 {
        if height[at] >= before(at) && height[at] >= after(at) {
            candidate = Some(at);
        }
        if height[at] <= before(at) && height[at] <= after(at) {
            candidate = None;
        }
        if let Some(top) = candidate
            && height[at + 1] < height[top] - SENSITIVITY * step
        {
            return Some((top, height[top]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;

    fn curve(n_clusters: &[f64], inertia: &[f64]) -> Vec<(usize, Option<f64>)> {
        n_clusters.iter().zip(inertia).map(|(&k, &value)| (k as usize, Some(value))).collect()
    }

    #[test]
    fn knees_and_their_heights_agree_with_kneed() {
        let table = oracle("evaluate", "elbow");
        for case in &table.case {
            let answer = elbow_pick(&curve(&numbers(case, "n_clusters"), &numbers(case, "inertia")));
            let expected = case.get("knee").and_then(toml::Value::as_integer).map(|knee| knee as usize);
            assert_eq!(answer.n_clusters, expected, "{case}");
            if expected.is_some() {
                table.assert_close("height", answer.strength.unwrap(), number(case, "height"));
            } else {
                assert_eq!(answer.strength, None);
            }
        }
    }

    #[test]
    fn a_missing_value_is_skipped_and_order_does_not_matter() {
        let wcss = [900.0, 600.0, 420.0, 300.0, 230.0, 190.0, 165.0, 150.0, 140.0, 132.0];
        let mut curve: Vec<(usize, Option<f64>)> = (1..).zip(wcss.map(Some)).collect();
        assert_eq!(elbow_pick(&curve).n_clusters, Some(4), "pub-15");
        curve.reverse();
        curve.push((11, None));
        assert_eq!(elbow_pick(&curve).n_clusters, Some(4));
    }

    #[test]
    fn a_curve_that_does_not_fall_or_is_too_short_has_no_elbow() {
        for inertia in [&[5.0, 5.0, 5.0, 5.0][..], &[1.0, 2.0, 3.0, 4.0], &[9.0, 1.0], &[9.0], &[]] {
            let n_clusters: Vec<f64> = (2..2 + inertia.len()).map(|k| k as f64).collect();
            let answer = elbow_pick(&curve(&n_clusters, inertia));
            assert_eq!((answer.rule, answer.n_clusters, answer.strength), ("elbow", None, None), "{inertia:?}");
        }
    }
}
