//! Centroids of groups in f64, exact for duplicates.

use trailmark_core::Matrix;
use trailmark_core::contract::Points;

use crate::grouping::Grouping;

/// Centroids of the numbered groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Centroids {
    /// (n_groups, n_features) means of the members.
    pub centroids: Matrix<f64>,
    /// (n_groups,) sum of squared distances of the members to their centroid.
    pub inertia: Vec<f64>,
    /// (n_groups,) sum of distances of the members to their centroid.
    pub spread: Vec<f64>,
}

/// Centroids of all groups with at least two samples; samples that are alone are their own.
///
/// A mean is the first member plus the mean difference from it, so equal members have themselves as centroid to the
/// bit, and a common offset costs no precision.
pub fn centroids(points: Points<'_>, grouping: &Grouping) -> Centroids {
    match points {
        Points::F32(x) => compute(x.rows(), x.cols(), grouping, |row, at| f64::from(x.row(row)[at])),
        Points::F64(x) => compute(x.rows(), x.cols(), grouping, |row, at| x.row(row)[at]),
    }
}

fn compute(rows: usize, cols: usize, grouping: &Grouping, value: impl Fn(usize, usize) -> f64) -> Centroids {
    let sizes = grouping.sizes();
    let mut first: Vec<Option<usize>> = vec![None; sizes.len()];
    let mut shifts = Matrix::<f64>::zeros(sizes.len(), cols);
    for row in 0..rows {
        let Some(group) = grouping.group(row) else { continue };
        let start = *first[group].get_or_insert(row);
        for (at, shift) in shifts.row_mut(group).iter_mut().enumerate() {
            *shift += value(row, at) - value(start, at);
        }
    }
    for (group, start) in first.iter().enumerate() {
        let Some(start) = *start else { continue };
        for (at, shift) in shifts.row_mut(group).iter_mut().enumerate() {
            *shift = value(start, at) + *shift / sizes[group] as f64;
        }
    }
    let centroids = shifts;
    let (mut inertia, mut spread) = (vec![0.0; sizes.len()], vec![0.0; sizes.len()]);
    for row in 0..rows {
        let Some(group) = grouping.group(row) else { continue };
        let squared: f64 =
            centroids.row(group).iter().enumerate().map(|(at, centre)| (value(row, at) - centre).powi(2)).sum();
        inertia[group] += squared;
        spread[group] += squared.sqrt();
    }
    Centroids { centroids, inertia, spread }
}

/// Squared Euclidean distance by differences.
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Labels;

    #[test]
    fn equal_samples_are_their_own_centroid_to_the_bit() {
        let x = Matrix::from_vec(4, 1, vec![0.1_f64, 0.1, 0.1, 5.0]).unwrap();
        let found = centroids(Points::F64(&x), &Grouping::new(&Labels::from_ids([0, 0, 0, 1])));
        assert_eq!(found.centroids.as_slice(), &[0.1]);
        assert_eq!((found.inertia[0], found.spread[0]), (0.0, 0.0));
    }
}
