//! Nearest rows of one set for the rows of another: what assigning new rows by the nearest sample asks for.

use trailmark_core::contract::{Distance, Points};

use crate::error::GeometryError;
use crate::tiles::{Prepared, SOURCES, Scratch, TARGETS, Tiles, Value};

/// For every row of `rows` the nearest row of `of`, the lowest among equals, with the distance; none when `of` is empty.
/// A row's answer does not depend on the other rows. One thread, by blocks.
///
/// # Shapes
/// `rows`: (n, n_features), `of`: (n_samples, n_features), finite. Where both are f32, distances are as in
/// [`gather`](crate::gather()); otherwise by differences in f64.
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
///
/// # Panics
/// When the numbers of features differ: a bug of the caller.
pub fn nearest_rows(
    rows: Points<'_>,
    of: Points<'_>,
    distance: Distance,
) -> Result<Vec<Option<(usize, f64)>>, GeometryError> {
    if rows.rows() == 0 || of.rows() == 0 {
        return Ok(vec![None; rows.rows()]);
    }
    assert_eq!(rows.cols(), of.cols(), "rows have the features of the rows they are compared with");
    Ok(match Prepared::between(rows, of, distance)? {
        Prepared::Products(tiles) => nearest(&tiles),
        Prepared::Narrow(tiles) => nearest(&tiles),
        Prepared::Exact(tiles) => nearest(&tiles),
    })
}

fn nearest<K: Tiles>(tiles: &K) -> Vec<Option<(usize, f64)>> {
    let (n, m) = (tiles.sources(), tiles.targets());
    let mut found: Vec<Option<(usize, f64)>> = vec![None; n];
    let mut scratch = Scratch::default();
    let mut tile = vec![K::Value::INFINITY; SOURCES * TARGETS];
    for target in (0..m).step_by(TARGETS) {
        let real = TARGETS.min(m - target);
        for source in (0..n).step_by(SOURCES) {
            tiles.fill(&mut scratch, source, target, &mut tile);
            for (best, line) in found[source..].iter_mut().zip(tile.chunks_exact(TARGETS)) {
                for (j, value) in line[..real].iter().enumerate() {
                    let value = value.to_f64();
                    if best.is_none_or(|(_, least)| value < least) {
                        *best = Some((target + j, value));
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::{Matrix, Stream};

    #[test]
    fn every_row_finds_its_nearest_alone_or_in_company_and_the_lowest_of_equals() {
        for cols in [3, 40] {
            let mut stream = Stream::new(4);
            let mut draw = |n: usize| -> Matrix<f32> {
                Matrix::from_vec(n, cols, (0..n * cols).map(|_| (stream.normal() + 50.0) as f32).collect()).unwrap()
            };
            let (of, rows) = (draw(300), draw(290));
            let of = of.select_rows(&(0..600).map(|at| at % 300).collect::<Vec<_>>());
            for distance in [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Cosine] {
                let together = nearest_rows(Points::F32(&rows), Points::F32(&of), distance).unwrap();
                let exact = nearest_rows(Points::F64(&rows.cast()), Points::F64(&of.cast()), distance).unwrap();
                for (row, (found, exact)) in together.iter().zip(&exact).enumerate() {
                    let ((at, near), (exact_at, exact_near)) = (found.unwrap(), exact.unwrap());
                    assert!(at < 300 && at == exact_at, "{} row {row}: {at} {exact_at}", distance.name());
                    assert!((near / exact_near - 1.0).abs() < 1e-4, "row {row}: {near} {exact_near}");
                    let alone = rows.select_rows(&[row]);
                    let alone = nearest_rows(Points::F32(&alone), Points::F32(&of), distance).unwrap();
                    assert_eq!(alone[0], *found, "{} row {row} alone", distance.name());
                }
            }
        }
    }

    #[test]
    fn a_row_that_is_there_is_at_exactly_zero_and_nothing_is_nearest_among_none() {
        let mut stream = Stream::new(9);
        let x = Matrix::from_vec(50, 33, (0..50 * 33).map(|_| stream.normal() as f32).collect()).unwrap();
        let found = nearest_rows(Points::F32(&x), Points::F32(&x), Distance::Cosine).unwrap();
        assert!(found.iter().enumerate().all(|(row, found)| *found == Some((row, 0.0))), "{found:?}");
        let none = Matrix::<f32>::zeros(0, 33);
        assert_eq!(nearest_rows(Points::F32(&x), Points::F32(&none), Distance::Euclidean).unwrap(), vec![None; 50]);
        assert!(nearest_rows(Points::F32(&none), Points::F32(&x), Distance::Euclidean).unwrap().is_empty());
    }
}
