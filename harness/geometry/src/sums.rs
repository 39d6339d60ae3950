//! Sums of distances from every sample to every cluster: what silhouettes and mean distances are made of.

use trailmark_core::Matrix;
use trailmark_core::contract::{Distance, Points};

use crate::closed;
use crate::error::GeometryError;
use crate::grouping::Grouping;
use crate::pass::pass;
use crate::tiles::Prepared;

/// What one sample of one partition sees.
#[derive(Debug, Clone, Copy)]
pub struct RowSums<'a> {
    /// Which of the partitions, from 0.
    pub partition: usize,
    /// The sample.
    pub row: usize,
    /// (n_groups,) sum of distances to the members of each numbered group, itself (at 0) included in its own.
    pub sums: &'a [f64],
    /// Distance to the nearest other sample that is alone; infinite where there is none.
    pub nearest_alone: f64,
}

/// As [`cluster_sums_on`] one thread.
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
///
/// # Panics
/// When a grouping is of another number of samples.
pub fn cluster_sums(
    points: Points<'_>,
    distance: Distance,
    groupings: &[Grouping],
    visit: impl FnMut(RowSums<'_>),
) -> Result<(), GeometryError> {
    cluster_sums_on(1, points, distance, groupings, visit)
}

/// Visits every sample of every partition with its sums of distances, samples of a partition ascending, on the calling
/// thread.
///
/// Euclidean distances are made once, in one pass over blocks of rows, for all partitions together, in bounded memory;
/// squared Euclidean and cosine distances need no pairs. Neither threads nor another partition move a bit of a sum.
///
/// # Shapes
/// `points`: (n_samples, n_features), finite; every grouping is of n_samples.
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
///
/// # Panics
/// When a grouping is of another number of samples.
pub fn cluster_sums_on(
    threads: usize,
    points: Points<'_>,
    distance: Distance,
    groupings: &[Grouping],
    mut visit: impl FnMut(RowSums<'_>),
) -> Result<(), GeometryError> {
    for grouping in groupings {
        assert_eq!(grouping.n_samples(), points.rows(), "a partition and its vectors are of the same samples");
    }
    match (distance, points) {
        (Distance::Euclidean, points) => match Prepared::square(points, distance)? {
            Prepared::Products(tiles) => pass(&tiles, groupings, threads, &mut visit),
            Prepared::Narrow(tiles) => pass(&tiles, groupings, threads, &mut visit),
            Prepared::Exact(tiles) => pass(&tiles, groupings, threads, &mut visit),
        },
        (Distance::SquaredEuclidean, points) => {
            let x = closed::widen(points);
            closed::sums(x, groupings, threads, |squared| squared, &mut visit);
        }
        (Distance::Cosine, points) => {
            let x: Matrix<f64> = closed::unit_rows(points).map_err(|row| GeometryError::ZeroVector { row })?;
            closed::sums(x, groupings, threads, closed::cosine_of_squared, &mut visit);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::{Labels, Stream};

    fn random_points(stream: &mut Stream, n: usize, cols: usize) -> Matrix<f32> {
        Matrix::from_vec(n, cols, (0..n * cols).map(|_| stream.normal() as f32 + 1.0).collect()).unwrap()
    }

    fn random_grouping(stream: &mut Stream, n: usize, k: usize) -> Grouping {
        Grouping::new(&Labels((0..n).map(|_| (!stream.chance(0.1)).then(|| stream.below(k) as u32)).collect()))
    }

    fn collect(points: Points<'_>, distance: Distance, groupings: &[Grouping]) -> Vec<Vec<(Vec<f64>, f64)>> {
        let mut all = vec![Vec::new(); groupings.len()];
        cluster_sums(points, distance, groupings, |seen| {
            assert_eq!(seen.row, all[seen.partition].len(), "samples ascend");
            all[seen.partition].push((seen.sums.to_vec(), seen.nearest_alone));
        })
        .unwrap();
        all
    }

    fn naive(x: &Matrix<f64>, grouping: &Grouping, row: usize, d: impl Fn(&[f64], &[f64]) -> f64) -> (Vec<f64>, f64) {
        let mut sums = vec![0.0; grouping.sizes().len()];
        let mut nearest = f64::INFINITY;
        for other in 0..x.rows() {
            let distance = d(x.row(row), x.row(other));
            match grouping.group(other) {
                Some(group) => sums[group] += distance,
                None if other != row => nearest = nearest.min(distance),
                None => {}
            }
        }
        (sums, nearest)
    }

    #[test]
    fn all_distances_agree_with_the_definition_in_both_precisions() {
        let mut stream = Stream::new(5);
        let x = random_points(&mut stream, 401, 5);
        let wide = x.cast::<f64>();
        let groupings: Vec<Grouping> = (1..5).map(|k| random_grouping(&mut stream, 401, k)).collect();
        let squared = |a: &[f64], b: &[f64]| crate::squared_distance(a, b);
        let cosine = |a: &[f64], b: &[f64]| {
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        for (distance, tolerance) in
            [(Distance::Euclidean, 1e-5_f64), (Distance::SquaredEuclidean, 1e-12), (Distance::Cosine, 1e-10)]
        {
            for (points, tolerance) in [(Points::F32(&x), tolerance), (Points::F64(&wide), tolerance.min(1e-10))] {
                for (grouping, rows) in groupings.iter().zip(collect(points, distance, &groupings)) {
                    for (row, (sums, nearest)) in rows.iter().enumerate() {
                        let (expected, expected_nearest) = match distance {
                            Distance::Euclidean => naive(&wide, grouping, row, |a, b| squared(a, b).sqrt()),
                            Distance::SquaredEuclidean => naive(&wide, grouping, row, squared),
                            Distance::Cosine => naive(&wide, grouping, row, cosine),
                        };
                        for (got, expected) in sums.iter().zip(&expected).chain([(nearest, &expected_nearest)]) {
                            assert!(
                                got == expected || (got - expected).abs() <= tolerance * expected.abs().max(0.1),
                                "{} row {row}: {got} {expected}",
                                distance.name()
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn neither_another_partition_nor_another_thread_moves_a_bit() {
        let mut stream = Stream::new(6);
        let x = random_points(&mut stream, 700, 19);
        let groupings: Vec<Grouping> = [2, 3, 40, 300].map(|k| random_grouping(&mut stream, 700, k)).to_vec();
        for distance in [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Cosine] {
            let together = collect(Points::F32(&x), distance, &groupings);
            for (at, grouping) in groupings.iter().enumerate() {
                let apart = collect(Points::F32(&x), distance, std::slice::from_ref(grouping));
                assert_eq!(apart[0], together[at], "{} partition {at}", distance.name());
            }
            for threads in [2, 50] {
                let mut shared = vec![Vec::new(); groupings.len()];
                let take = |seen: RowSums<'_>| shared[seen.partition].push((seen.sums.to_vec(), seen.nearest_alone));
                cluster_sums_on(threads, Points::F32(&x), distance, &groupings, take).unwrap();
                assert!(shared == together, "{} on {threads} threads", distance.name());
            }
        }
    }

    #[test]
    fn a_vector_of_zeros_has_no_cosine_distance() {
        let x = Matrix::from_vec(2, 2, vec![1.0_f32, 0.0, 0.0, 0.0]).unwrap();
        let groupings = [Grouping::new(&Labels::from_ids([0, 0]))];
        let error = cluster_sums(Points::F32(&x), Distance::Cosine, &groupings, |_| {}).unwrap_err();
        assert_eq!(error, GeometryError::ZeroVector { row: 1 });
        assert!(error.to_string().starts_with("row 1 is a vector of zeros"));
    }

    #[test]
    fn closed_forms_keep_duplicates_at_zero_and_tight_groups_far_from_each_other() {
        let mut stream = Stream::new(12);
        // Three rows that come 100 times each, two of them close together, far from the third and from the origin.
        let base: Vec<f64> = (0..20).map(|_| 1e6 + stream.normal()).collect();
        let mut x = Matrix::<f64>::zeros(300, 20);
        for row in 0..300 {
            x.row_mut(row).copy_from_slice(&base);
            x.row_mut(row)[0] += [0.0, 1e-3, 1e5][row % 3];
        }
        let near = squared_distance_of(&x, 0, 1);
        for labels in [Labels::from_ids((0..300).map(|row| row % 3)), Labels((0..300).map(|_| None).collect())] {
            let alone = labels.n_noise() > 0;
            let seen = collect(Points::F64(&x), Distance::SquaredEuclidean, &[Grouping::new(&labels)]);
            let (sums, nearest) = &seen[0][0];
            if alone {
                assert_eq!((sums.len(), *nearest), (0, 0.0), "a duplicate is nearest");
            } else {
                assert_eq!(sums[0], 0.0, "duplicates are at zero");
                assert!((sums[1] / (100.0 * near) - 1.0).abs() < 1e-12, "{} for {}", sums[1], 100.0 * near);
            }
        }
    }

    fn squared_distance_of(x: &Matrix<f64>, a: usize, b: usize) -> f64 {
        crate::squared_distance(x.row(a), x.row(b))
    }

    #[test]
    fn duplicates_are_at_zero_in_the_product_path() {
        let mut x = Matrix::<f32>::zeros(4, 20);
        for (row, start) in [1e4_f32, 1e4, -1e4, -1e4].into_iter().enumerate() {
            x.row_mut(row)[..2].copy_from_slice(&[start, 2.0]);
        }
        let seen = collect(Points::F32(&x), Distance::Euclidean, &[Grouping::new(&Labels::from_ids([0, 0, 1, 1]))]);
        assert_eq!(seen[0][0].0[0], 0.0);
        assert!((seen[0][0].0[1] / 4e4 - 1.0).abs() < 1e-6);
    }
}
