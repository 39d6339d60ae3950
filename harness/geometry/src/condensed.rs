//! All pairwise distances as linkage wants them: (n (n - 1) / 2,), the upper triangle without the diagonal, row by row.

use std::sync::Mutex;

use trailmark_core::contract::{Distance, Points};
use trailmark_core::{Matrix, PairNeeds};

use crate::error::GeometryError;
use crate::gather::{copy_condensed, gather, lock, strips};
use crate::pairs::{Block, PairVisitor, visit};
use crate::tiles::{Prepared, SOURCES};

/// Distances of all pairs of rows, (n_samples * (n_samples - 1) / 2,), in one pass.
///
/// Distances that are small against the norms come from differences, so near-duplicate rows keep theirs and equal rows
/// are at exactly 0. Memory is 2 n (n - 1) bytes plus a copy of the points: callers cap n.
///
/// # Shapes
/// `points`: (n_samples, n_features), finite.
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
pub fn condensed(points: Points<'_>, distance: Distance, threads: usize) -> Result<Vec<f32>, GeometryError> {
    let need = PairNeeds { distance, condensed: true, ..PairNeeds::default() };
    gather(points, &need, threads).map(|pairs| pairs.condensed)
}

/// Euclidean [`condensed`] distances on one thread.
pub fn condensed_euclidean(x: &Matrix<f32>) -> Vec<f32> {
    condensed(Points::F32(x), Distance::Euclidean, 1).unwrap_or_default()
}

/// As [`condensed`] in f64, by differences throughout: for plain files and oracles. Memory is 4 n (n - 1) bytes, under
/// cosine distance plus a copy of the points.
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
pub fn condensed_f64(x: &Matrix<f64>, distance: Distance, threads: usize) -> Result<Vec<f64>, GeometryError> {
    let n = x.rows();
    let mut condensed = vec![0.0; n * n.saturating_sub(1) / 2];
    if let Prepared::Exact(tiles) = Prepared::square(Points::F64(x), distance)? {
        let strips = strips(&mut condensed, n);
        visit(&tiles, threads, || Exact { strips: &strips, n });
    }
    Ok(condensed)
}

struct Exact<'a> {
    strips: &'a [Mutex<&'a mut [f64]>], // of SOURCES rows
    n: usize,
}

impl PairVisitor<f64> for Exact<'_> {
    fn block(&mut self, block: &Block<'_, f64>) {
        if let Some(strip) = self.strips.get(block.rows().start / SOURCES) {
            copy_condensed(block, &mut lock(strip), self.n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::squared_distance;
    use trailmark_core::Stream;

    #[test]
    fn every_pair_stands_at_its_place_in_the_upper_triangle() {
        for (n, cols) in [(0, 3), (1, 3), (2, 3), (3, 40), (129, 3), (257, 40), (400, 17)] {
            let mut stream = Stream::new(n as u64);
            let data: Vec<f32> = (0..n * cols).map(|_| stream.normal() as f32).collect();
            let x = Matrix::from_vec(n, cols, data).unwrap();
            let wide: Matrix<f64> = x.cast();
            let (near, exact) = (condensed_euclidean(&x), condensed_f64(&wide, Distance::Euclidean, 2).unwrap());
            let mut at = 0;
            for i in 0..n {
                for j in i + 1..n {
                    let expected = squared_distance(wide.row(i), wide.row(j)).sqrt();
                    let got = f64::from(near[at]);
                    assert!((got - expected).abs() <= 1e-5 * expected, "n {n}, pair {i} {j}: {got} {expected}");
                    assert_eq!(exact[at].to_bits(), expected.to_bits(), "n {n}, pair {i} {j} in f64");
                    at += 1;
                }
            }
            assert_eq!((at, at), (near.len(), exact.len()), "number of pairs of {n} rows");
        }
    }

    #[test]
    fn equal_rows_are_at_exactly_zero_however_far_from_the_origin() {
        let x = Matrix::from_vec(3, 2, vec![0.3_f32, 1e6, 0.3, 1e6, 7.0, -1e6]).unwrap();
        assert_eq!(condensed_euclidean(&x)[0], 0.0);
    }
}
