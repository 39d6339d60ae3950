//! How often the second arm wins on a unit drawn at random.

use crate::sample::{Sample, round12};

/// Share of positive differences plus half the share of zeros (after rounding to 1e-12), in [0, 1]; 0.5 says neither.
pub fn probability_of_improvement(differences: &Sample) -> f64 {
    let halves: u64 = differences
        .values()
        .iter()
        .map(|&d| match round12(d) {
            d if d > 0.0 => 2,
            0.0 => 1,
            _ => 0,
        })
        .sum();
    halves as f64 / (2 * differences.len()) as f64
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;

    #[test]
    fn wins_count_one_and_ties_half() {
        let sample = Sample::new(vec![0.5, -0.1, 0.0, 1e-15]).unwrap();
        assert_eq!(probability_of_improvement(&sample), 0.5);
    }

    #[test]
    fn the_share_agrees_with_the_oracle() {
        let table = oracle("stats", "effects");
        for case in &table.case {
            let sample = Sample::new(numbers(case, "differences")).unwrap();
            let expected = number(case, "probability_of_improvement");
            table.assert_close("probability of improvement", probability_of_improvement(&sample), expected);
        }
    }
}
