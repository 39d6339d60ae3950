//! All pairwise distances as linkage wants them.

use trailmark_core::Matrix;

use crate::tiles::{ProductTiles, SOURCES, TARGETS, Tiles, distance_f32};

/// Up to this many features differences cost no more than a product, and are exact: points on a lattice keep their
/// ties, which linkage orders by.
const NARROW: usize = 16;

/// Euclidean distances of all pairs of rows, (n (n - 1) / 2,): the upper triangle without the diagonal, row by row.
///
/// Distances that are small against the norms come from differences, so near-duplicate rows keep theirs and equal rows
/// are at exactly 0. Memory is 2 n (n - 1) bytes plus a copy of `x`: callers cap n.
///
/// # Shapes
/// `x`: (n_samples, n_features), finite.
pub fn condensed_euclidean(x: &Matrix<f32>) -> Vec<f32> {
    let n = x.rows();
    if x.cols() <= NARROW {
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        return pairs.map(|(i, j)| narrow(distance_f32(x.row(i), x.row(j)))).collect();
    }
    let mut condensed = vec![0.0_f32; n * n.saturating_sub(1) / 2];
    let mut tiles = ProductTiles::new(x);
    let mut tile = vec![0.0; SOURCES * TARGETS];
    for source in (0..n).step_by(SOURCES) {
        // The first block of targets that reaches beyond the diagonal.
        for target in (source / TARGETS * TARGETS..n).step_by(TARGETS) {
            tiles.fill(source, target, &mut tile);
            let end = n.min(target + TARGETS);
            for (row, line) in (source..n.min(source + SOURCES)).zip(tile.chunks_exact(TARGETS)) {
                let first = target.max(row + 1);
                if first >= end {
                    continue;
                }
                let start = row * (2 * n - row - 1) / 2 + (first - row - 1);
                let out = &mut condensed[start..start + (end - first)];
                out.iter_mut().zip(&line[first - target..]).for_each(|(out, &distance)| *out = narrow(distance));
            }
        }
    }
    condensed
}

#[expect(clippy::cast_possible_truncation, reason = "linkage runs in single precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Stream;

    #[test]
    fn every_pair_stands_at_its_place_in_the_upper_triangle() {
        for n in [0, 1, 2, 3, 129, 257, 400] {
            let mut stream = Stream::new(n as u64);
            let data: Vec<f32> = (0..n * 3).map(|_| stream.normal() as f32).collect();
            let x = Matrix::from_vec(n, 3, data).unwrap();
            let condensed = condensed_euclidean(&x);
            let mut at = 0;
            for i in 0..n {
                for j in i + 1..n {
                    let exact = distance_f32(x.row(i), x.row(j));
                    let got = f64::from(condensed[at]);
                    assert!((got - exact).abs() <= 1e-5 * exact, "n {n}, pair {i} {j}: {got} {exact}");
                    at += 1;
                }
            }
            assert_eq!(at, condensed.len(), "number of pairs of {n} rows");
        }
    }

    #[test]
    fn equal_rows_are_at_exactly_zero_however_far_from_the_origin() {
        let x = Matrix::from_vec(3, 2, vec![0.3_f32, 1e6, 0.3, 1e6, 7.0, -1e6]).unwrap();
        assert_eq!(condensed_euclidean(&x)[0], 0.0);
    }
}
