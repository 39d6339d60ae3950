//! One streamed pass over all pairs of rows that feeds every consumer at once: nearest neighbours, counts within radii,
//! condensed distances.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use trailmark_core::contract::Points;
use trailmark_core::{Neighbors, PairNeeds, Pairs, Space};

use crate::error::GeometryError;
use crate::nearest::Nearest;
use crate::pairs::{Block, PairVisitor, visit};
use crate::tiles::{Prepared, SOURCES, Tiles, Value};
use crate::widths::per_width;

/// What is known about a block of SOURCES rows.
struct Known<V> {
    nearest: Option<Nearest<V>>,
    counts: Vec<Vec<u32>>, // per radius, (SOURCES,)
}

/// All rows by blocks, each behind its own lock, so that memory does not grow with threads.
struct Gathering<'a, V> {
    known: &'a [Mutex<Known<V>>],
    condensed: &'a [Mutex<&'a mut [f32]>], // per strip of SOURCES rows; empty unless asked for
    radii: &'a [V],
    by_row: bool, // whether neighbours or counts are asked for
    n: usize,
}

/// Gathers what is needed about all pairs of rows, in one pass.
///
/// Neighbours are ordered by distance, the lower row first among equals; a radius includes the pairs that lie on it; no
/// row is its own neighbour. Of f32 points every distance is a number of f32, and radii are rounded to f32 before they
/// are compared with it. Of f64 points distances are f64, by differences, and only what is kept is rounded. No bit
/// depends on threads or on what else is needed. Nothing is computed when nothing is needed.
///
/// # Shapes
/// `points`: (n_samples, n_features), finite. Memory: [`gather_bytes`].
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
pub fn gather(points: Points<'_>, need: &PairNeeds, threads: usize) -> Result<Pairs, GeometryError> {
    match Prepared::square(points, need.distance)? {
        Prepared::Products(tiles) => Ok(gather_from(&tiles, need, threads)),
        Prepared::Narrow(tiles) => Ok(gather_from(&tiles, need, threads)),
        Prepared::Exact(tiles) => Ok(gather_from(&tiles, need, threads)),
    }
}

/// The table of `space` that covers the need, or else what [`gather`] finds.
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
pub fn pairs_for<'a>(space: &Space<'a>, need: &PairNeeds, threads: usize) -> Result<Cow<'a, Pairs>, GeometryError> {
    match space.pairs(need) {
        Some(pairs) => Ok(Cow::Borrowed(pairs)),
        None => gather(space.points, need, threads).map(Cow::Owned),
    }
}

/// Bytes that [`gather`] takes at most for points of this shape, its result included, beside 1 MiB a thread.
pub fn gather_bytes(n_samples: usize, n_features: usize, need: &PairNeeds) -> u64 {
    let padded = n_samples.next_multiple_of(SOURCES) as u64;
    let (n, d) = (n_samples as u64, n_features as u64);
    let k = need.n_neighbors.min(n_samples.saturating_sub(1));
    let kept = if k == 0 { 0 } else { 16 * Nearest::<f64>::capacity(k) as u64 + 8 * k as u64 + 16 };
    let counts = 8 * need.radii.len() as u64;
    let condensed = if need.condensed { 2 * n * n.saturating_sub(1) } else { 0 };
    padded * (8 * d + 32 + kept + counts) + condensed
}

/// Distance of every row to its `k`-th nearest other row, `k` from 1, ascending: the curve whose knee tells a radius.
/// Empty where fewer than `k` neighbours were kept.
pub fn k_distances(pairs: &Pairs, k: usize) -> Vec<f32> {
    let neighbors = &pairs.neighbors;
    let n = neighbors.rows.len().checked_div(neighbors.n_neighbors).unwrap_or(0);
    let mut curve: Vec<f32> = (0..n).filter_map(|row| neighbors.kth_distance(row, k)).collect();
    curve.sort_by(f32::total_cmp);
    curve
}

fn gather_from<K: Tiles>(tiles: &K, need: &PairNeeds, threads: usize) -> Pairs {
    let n = tiles.targets();
    let k = need.n_neighbors.min(n.saturating_sub(1));
    let mut asked = need.radii.clone();
    asked.sort_by(f64::total_cmp);
    asked.dedup();
    let radii: Vec<K::Value> = asked.iter().map(|&radius| K::Value::of(radius)).collect();
    let mut condensed = vec![0.0_f32; if need.condensed { n * n.saturating_sub(1) / 2 } else { 0 }];
    let empty = || Known {
        nearest: (k > 0).then(|| Nearest::new(k, SOURCES)),
        counts: radii.iter().map(|_| vec![0; SOURCES]).collect(),
    };
    let known: Vec<Mutex<Known<K::Value>>> = (0..n.div_ceil(SOURCES)).map(|_| Mutex::new(empty())).collect();
    let by_row = k > 0 || !radii.is_empty();
    if by_row || need.condensed {
        let strips = strips(&mut condensed, n);
        visit(tiles, threads, || Gathering { known: &known, condensed: &strips, radii: &radii, by_row, n });
    }
    let mut neighbors = Neighbors { n_neighbors: k, ..Neighbors::default() };
    let mut within: Vec<(f64, Vec<u32>)> = asked.iter().map(|&radius| (radius, Vec::with_capacity(n))).collect();
    for (block, known) in known.into_iter().enumerate() {
        let known = known.into_inner().unwrap_or_else(PoisonError::into_inner);
        let real = SOURCES.min(n - block * SOURCES);
        for ((_, counts), found) in within.iter_mut().zip(known.counts) {
            counts.extend(&found[..real]);
        }
        if let Some(nearest) = known.nearest {
            nearest.finish(real, |row, distance| {
                neighbors.rows.push(row);
                neighbors.distances.push(f32::of(distance.to_f64()));
            });
        }
    }
    Pairs { distance: need.distance, neighbors, within, condensed }
}

/// The condensed distances by strips of SOURCES rows.
pub(crate) fn strips<V>(mut condensed: &mut [V], n: usize) -> Vec<Mutex<&mut [V]>> {
    let mut strips = Vec::new();
    if !condensed.is_empty() {
        for source in (0..n).step_by(SOURCES) {
            let rows = source..n.min(source + SOURCES);
            let (strip, rest) = condensed.split_at_mut(rows.map(|row| n - 1 - row).sum());
            strips.push(Mutex::new(strip));
            condensed = rest;
        }
    }
    strips
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<V: Value> PairVisitor<V> for Gathering<'_, V> {
    fn block(&mut self, block: &Block<'_, V>) {
        if let Some(strip) = self.condensed.get(block.rows().start / SOURCES) {
            copy_condensed(block, &mut lock(strip), self.n);
        }
        if !self.by_row {
            return;
        }
        // One lock at a time: the side of the rows, then the side of the columns.
        let base = block.rows().start;
        {
            let known = &mut *lock(&self.known[base / SOURCES]);
            for (row, first, distances) in block.lines() {
                for (counts, &radius) in known.counts.iter_mut().zip(self.radii) {
                    counts[row - base] += count_within(distances, radius);
                }
                if let Some(nearest) = &mut known.nearest {
                    nearest.offer_row(row - base, first, distances);
                }
            }
        }
        let base = block.columns().start / SOURCES * SOURCES;
        let known = &mut *lock(&self.known[base / SOURCES]);
        for (row, first, distances) in block.lines() {
            for (counts, &radius) in known.counts.iter_mut().zip(self.radii) {
                add_within(&mut counts[first - base..], distances, radius);
            }
            if let Some(nearest) = &mut known.nearest {
                nearest.offer_columns(row, first - base, distances);
            }
        }
    }
}

/// Copies the lines of a block into the condensed distances of its strip of rows.
pub(crate) fn copy_condensed<V: Value, W: Value>(block: &Block<'_, V>, strip: &mut [W], n: usize) {
    let mut start = 0;
    let mut row = block.rows().start;
    for (at, first, distances) in block.lines() {
        start += (row..at).map(|row| n - 1 - row).sum::<usize>();
        row = at;
        let out = &mut strip[start + first - row - 1..][..distances.len()];
        out.iter_mut().zip(distances).for_each(|(out, distance)| *out = W::of(distance.to_f64()));
    }
}

per_width! {
    fn count_within<V: Value>(distances: &[V], radius: V) -> u32 {
        distances.iter().map(|distance| u32::from(*distance <= radius)).sum()
    }
}

per_width! {
    fn add_within<V: Value>(counts: &mut [u32], distances: &[V], radius: V) {
        counts.iter_mut().zip(distances).for_each(|(count, distance)| *count += u32::from(*distance <= radius));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cluster_sums, condensed, passes};
    use trailmark_core::contract::Distance;
    use trailmark_core::{Labels, Matrix, Stream};

    /// Rows of which some come twice, so that there are ties and zeros.
    fn points(n: usize, cols: usize) -> Matrix<f32> {
        let mut stream = Stream::new((n * cols) as u64);
        let x = Matrix::from_vec(n, cols, (0..n * cols).map(|_| (stream.normal() + 3.0) as f32).collect()).unwrap();
        x.select_rows(&(0..n).map(|row| if row % 5 == 4 { row / 2 } else { row }).collect::<Vec<_>>())
    }

    fn need(distance: Distance, n_neighbors: usize, radii: &[f64], condensed: bool) -> PairNeeds {
        PairNeeds { distance, n_neighbors, radii: radii.to_vec(), condensed }
    }

    fn between(distance: Distance, a: &[f64], b: &[f64]) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let squared: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
        match distance {
            Distance::Euclidean => squared.sqrt(),
            Distance::SquaredEuclidean => squared,
            Distance::Cosine if a == b => 0.0,
            Distance::Cosine => 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
        }
    }

    #[test]
    fn neighbours_counts_and_condensed_distances_agree_with_the_definition() {
        for (n, cols) in [(2, 3), (131, 3), (300, 3), (300, 40), (520, 20)] {
            let x = points(n, cols);
            let wide: Matrix<f64> = x.cast();
            for distance in [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Cosine] {
                let full = |i: usize, j: usize| between(distance, wide.row(i), wide.row(j));
                let middle = full(0, 1);
                let radii = [0.0, middle * 0.6, middle * 1.1];
                for (points, tolerance) in [(Points::F32(&x), 3e-5), (Points::F64(&wide), 1e-7)] {
                    let what = format!("{} of {n} x {cols}", distance.name());
                    let found = gather(points, &need(distance, 7, &radii, true), 2).unwrap();
                    let close =
                        |got: f32, expected: f64| (f64::from(got) - expected).abs() <= tolerance * expected + 1e-9;
                    let mut pair = 0;
                    for i in 0..n {
                        for j in i + 1..n {
                            assert!(close(found.condensed[pair], full(i, j)), "{what}, pair {i} {j}");
                            pair += 1;
                        }
                    }
                    let k = 7.min(n - 1);
                    assert_eq!(found.neighbors.n_neighbors, k);
                    for i in 0..n {
                        let mut expected: Vec<f64> = (0..n).filter(|&j| j != i).map(|j| full(i, j)).collect();
                        expected.sort_by(f64::total_cmp);
                        let seen: Vec<(u32, f32)> = found.neighbors.of(i).collect();
                        assert!(
                            seen.windows(2).all(|two| (two[0].1, two[0].0) < (two[1].1, two[1].0)),
                            "{what} {seen:?}"
                        );
                        for (&(j, got), &expected) in seen.iter().zip(&expected) {
                            assert!(close(got, expected), "{what}, row {i}: {got} {expected}");
                            assert!(close(got, full(i, j as usize)) && j as usize != i, "{what}, row {i}, {j}");
                        }
                        for &radius in &radii {
                            let slack = tolerance * radius;
                            let within = |radius: f64| expected.iter().filter(|&&d| d <= radius + 1e-12).count();
                            let got = found.counts_within(radius).unwrap()[i] as usize;
                            let bounds = within(radius - slack)..=within(radius + slack);
                            assert!(bounds.contains(&got), "{what}, row {i}, radius {radius}: {got}, not {bounds:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn no_bit_depends_on_threads_or_on_what_else_is_asked_for() {
        for cols in [5, 33] {
            let x = points(700, cols);
            for distance in [Distance::Euclidean, Distance::Cosine] {
                let all = need(distance, 9, &[0.5, 3.0], true);
                let one = gather(Points::F32(&x), &all, 1).unwrap();
                assert_eq!(one, gather(Points::F32(&x), &all, 2).unwrap(), "two threads");
                assert_eq!(one, gather(Points::F32(&x), &all, 64).unwrap(), "more threads than blocks");
                let near = gather(Points::F32(&x), &need(distance, 9, &[], false), 2).unwrap();
                assert_eq!(near.neighbors, one.neighbors);
                assert!(near.within.is_empty() && near.condensed.is_empty());
                let fewer = gather(Points::F32(&x), &need(distance, 4, &[3.0], false), 2).unwrap();
                assert_eq!(fewer.counts_within(3.0), one.counts_within(3.0));
                for row in 0..700 {
                    assert!(fewer.neighbors.of(row).eq(one.neighbors.of(row).take(4)), "row {row}");
                }
                assert_eq!(condensed(Points::F32(&x), distance, 1).unwrap(), one.condensed);
            }
        }
    }

    #[test]
    fn one_pass_feeds_neighbours_counts_for_three_radii_and_condensed_distances() {
        let x = points(400, 20);
        let before = passes();
        let asked = need(Distance::Euclidean, 10, &[1.0, 2.0, 3.0], true);
        let found = gather(Points::F32(&x), &asked, 2).unwrap();
        assert_eq!(passes() - before, 1);
        assert_eq!((found.within.len(), found.condensed.len()), (3, 400 * 399 / 2));
        let nothing = gather(Points::F32(&x), &PairNeeds::default(), 2).unwrap();
        assert_eq!((passes() - before, nothing), (1, Pairs::default()));
    }

    #[test]
    fn one_pass_sums_for_36_partitions_and_closed_forms_need_none() {
        let x = points(400, 20);
        let groupings: Vec<_> =
            (2..38).map(|k| crate::Grouping::new(&Labels::from_ids((0..400).map(|row| row % k)))).collect();
        let before = passes();
        cluster_sums(Points::F32(&x), Distance::Euclidean, &groupings, |_| {}).unwrap();
        assert_eq!(passes() - before, 1);
        for distance in [Distance::SquaredEuclidean, Distance::Cosine] {
            cluster_sums(Points::F32(&x), distance, &groupings, |_| {}).unwrap();
        }
        assert_eq!(passes() - before, 1);
    }

    #[test]
    fn a_table_that_covers_the_need_is_taken_and_another_is_made() {
        let x = points(60, 20);
        let asked = need(Distance::Euclidean, 10, &[1.0], false);
        let tables = [gather(Points::F32(&x), &asked, 1).unwrap()];
        let space = Space { points: Points::F32(&x), pairs: &tables };
        let before = passes();
        let less = need(Distance::Euclidean, 3, &[1.0], false);
        assert!(matches!(pairs_for(&space, &less, 1), Ok(Cow::Borrowed(pairs)) if std::ptr::eq(pairs, &tables[0])));
        assert_eq!(passes(), before);
        let more = need(Distance::Euclidean, 3, &[2.0], false);
        let made = pairs_for(&space, &more, 1).unwrap();
        assert!(matches!(made, Cow::Owned(_)) && made.covers(&more, 60));
        assert_eq!(passes(), before + 1);
    }

    #[test]
    fn equal_rows_order_by_row_and_lie_within_radius_zero() {
        let x = Matrix::from_vec(600, 40, vec![0.1_f32; 600 * 40]).unwrap();
        let found = gather(Points::F32(&x), &need(Distance::Cosine, 3, &[0.0], false), 2).unwrap();
        assert_eq!(found.neighbors.of(0).collect::<Vec<_>>(), [(1, 0.0), (2, 0.0), (3, 0.0)]);
        assert_eq!(found.neighbors.of(599).collect::<Vec<_>>(), [(0, 0.0), (1, 0.0), (2, 0.0)]);
        assert!(found.counts_within(0.0).unwrap().iter().all(|&count| count == 599));
    }

    #[test]
    fn no_row_one_row_and_a_row_of_zeros() {
        let all = need(Distance::Euclidean, 3, &[1.0], true);
        for n in [0, 1] {
            let found = gather(Points::F32(&Matrix::zeros(n, 20)), &all, 2).unwrap();
            assert_eq!((found.neighbors.n_neighbors, found.condensed.len()), (0, 0));
            assert_eq!(found.counts_within(1.0), Some(&vec![0; n][..]));
        }
        for cols in [3, 20] {
            let mut x = points(30, cols);
            x.row_mut(7).fill(0.0);
            let error = gather(Points::F32(&x), &need(Distance::Cosine, 3, &[], false), 1).unwrap_err();
            assert_eq!(error, GeometryError::ZeroVector { row: 7 });
        }
    }

    #[test]
    fn the_curve_of_k_distances_ascends() {
        let x = Matrix::from_vec(4, 1, vec![0.0_f32, 1.0, 3.0, 7.0]).unwrap();
        let found = gather(Points::F32(&x), &need(Distance::Euclidean, 2, &[], false), 1).unwrap();
        assert_eq!(k_distances(&found, 1), [1.0, 1.0, 2.0, 4.0]);
        assert_eq!(k_distances(&found, 2), [2.0, 3.0, 3.0, 6.0]);
        assert!(k_distances(&found, 3).is_empty(), "only two were kept");
    }

    #[test]
    fn memory_is_linear_until_condensed_distances_are_asked_for() {
        let without = need(Distance::Euclidean, 10, &[1.0, 2.0], false);
        let bytes = |n| gather_bytes(n, 64, &without);
        assert!(bytes(1_152_000) == 1000 * bytes(1152), "{} {}", bytes(1_152_000), bytes(1152));
        let with = PairNeeds { condensed: true, ..without.clone() };
        assert_eq!(gather_bytes(1152, 64, &with), bytes(1152) + 2 * 1152 * 1151);
    }
}
