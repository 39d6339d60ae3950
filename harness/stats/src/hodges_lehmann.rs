//! The shift that belongs to the signed-rank test.

use crate::sample::Sample;

/// Hodges-Lehmann estimate: the median of all means of two differences, each with itself too.
///
/// The n (n + 1) / 2 means are never made: the k-th smallest is found by bisection over the floats themselves,
/// counting with two pointers over the sorted values, which is exact and takes O(n log n + 64 n).
/// # Reference
/// Hodges, Lehmann 1963, Ann. Math. Statist. 34.
pub fn hodges_lehmann(differences: &Sample) -> f64 {
    let mut sorted = differences.values().to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len() as u64;
    let pairs = n * (n + 1) / 2;
    let lower = kth(&sorted, pairs.div_ceil(2));
    if pairs % 2 == 1 { lower } else { midpoint(lower, kth(&sorted, pairs / 2 + 1)) }
}

/// The k-th smallest mean of two, k from 1.
fn kth(sorted: &[f64], k: u64) -> f64 {
    let (mut low, mut high) = (ordered(sorted[0]), ordered(sorted[sorted.len() - 1]));
    while low < high {
        let middle = low + (high - low) / 2;
        if count_up_to(sorted, float(middle)) >= k {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    float(low)
}

/// Number of pairs i <= j whose mean is at most `bound`.
fn count_up_to(sorted: &[f64], bound: f64) -> u64 {
    let mut count = 0;
    let mut end = sorted.len(); // the first j whose mean with i is above the bound
    for (i, &value) in sorted.iter().enumerate() {
        while end > i && midpoint(value, sorted[end - 1]) > bound {
            end -= 1;
        }
        if end <= i {
            break;
        }
        count += (end - i) as u64;
    }
    count
}

fn midpoint(a: f64, b: f64) -> f64 {
    a / 2.0 + b / 2.0
}

/// Floats as integers of the same order.
fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn float(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered })
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;

    #[test]
    fn the_median_of_pair_means_agrees_with_the_oracle() {
        let table = oracle("stats", "effects");
        for case in &table.case {
            let sample = Sample::new(numbers(case, "differences")).unwrap();
            table.assert_close("shift", hodges_lehmann(&sample), number(case, "hodges_lehmann"));
        }
    }

    #[test]
    fn counting_finds_what_listing_finds() {
        let values: Vec<f64> = (0..41).map(|i| f64::from(i * i % 23) / 7.0 - 1.3).collect();
        let mut means: Vec<f64> =
            (0..41).flat_map(|i| (i..41).map(move |j| (i, j))).map(|(i, j)| midpoint(values[i], values[j])).collect();
        means.sort_by(f64::total_cmp);
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        for k in [1, 2, 100, 430, means.len()] {
            assert_eq!(kth(&sorted, k as u64), means[k - 1], "the {k}-th");
        }
    }

    #[test]
    fn differences_around_zero_keep_their_sign_and_order() {
        assert_eq!(hodges_lehmann(&Sample::new(vec![-1.0, 1.0]).unwrap()), 0.0);
        assert_eq!(hodges_lehmann(&Sample::new(vec![-3.0, -3.0]).unwrap()), -3.0);
    }
}
