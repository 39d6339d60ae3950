//! Closed forms: the sum of squared Euclidean or of cosine distances to a cluster needs no pairs.
//!
//! With `c` the centroid of a cluster of `m` samples and `W` its sum of squared distances to `c`, the squared
//! distances of `x` to the members sum to `m |x - c|^2 + W`. Size, sum and sum of squares say the same in exact
//! arithmetic; this form never subtracts large numbers. Of unit vectors, the cosine distance is half the squared one.

use trailmark_core::Matrix;
use trailmark_core::contract::Points;

use crate::centroids::{Centroids, squared_distance};
use crate::grouping::Grouping;
use crate::sums::RowSums;

/// Below this a cosine distance is rounding of the unit vectors, and 0.
const COSINE_ROUNDING: f64 = 1e-30;

/// The data in f64.
pub(crate) fn widen(points: Points<'_>) -> Matrix<f64> {
    match points {
        Points::F32(x) => x.cast(),
        Points::F64(x) => x.clone(),
    }
}

/// The data in f64, every row of length 1; the first row of zeros where there is one.
pub(crate) fn unit_rows(points: Points<'_>) -> Result<Matrix<f64>, usize> {
    let mut x = widen(points);
    for row in 0..x.rows() {
        let values = x.row_mut(row);
        // Largest magnitude first, so that squares neither overflow nor vanish.
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        if largest == 0.0 {
            return Err(row);
        }
        values.iter_mut().for_each(|value| *value /= largest);
        let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        values.iter_mut().for_each(|value| *value /= norm);
    }
    Ok(x)
}

/// The cosine distance of unit vectors at that squared distance.
pub(crate) fn cosine_of_squared(squared: f64) -> f64 {
    let cosine = 0.5 * squared;
    if cosine < COSINE_ROUNDING { 0.0 } else { cosine }
}

/// Visits the sums of `of_squared(squared distance)`, which must be linear but for rounding.
pub(crate) fn sums(
    x: &Matrix<f64>,
    groupings: &[Grouping],
    of_squared: impl Fn(f64) -> f64,
    visit: &mut dyn FnMut(RowSums<'_>),
) {
    for (partition, grouping) in groupings.iter().enumerate() {
        let found = Centroids::new(Points::F64(x), grouping);
        let alone: Vec<usize> = (0..x.rows()).filter(|&row| grouping.group(row).is_none()).collect();
        let mut row_sums = vec![0.0; grouping.sizes().len()];
        for (row, values) in x.iter_rows().enumerate() {
            for (group, sum) in row_sums.iter_mut().enumerate() {
                let size = grouping.sizes()[group] as f64;
                let squared = found.squared_from(values, group) + found.inertia()[group] / size;
                *sum = size * of_squared(squared);
            }
            let nearest_alone = alone
                .iter()
                .filter(|&&other| other != row)
                .map(|&other| of_squared(squared_distance(values, x.row(other))))
                .fold(f64::INFINITY, f64::min);
            visit(RowSums { partition, row, sums: &row_sums, nearest_alone });
        }
    }
}
