//! From distances to merges: which two clusters are joined next, and at what height.
//!
//! Ward, average, complete and weighted linkage follow chains of nearest neighbours, single linkage grows a minimum
//! spanning tree (both in Müllner 2011, arXiv 1109.2378). They choose exactly as `kodama` does, bit for bit, but on a
//! full square of distances: a row is then read from end to end, where a condensed triangle sends half of the reads
//! to another memory page each (10,000 samples by Ward: 1.15 s of processor time for kodama's 1.65 s, at 4 bytes a cell
//! of the square for 2). Centroid and median linkage, whose heights may fall, stay with kodama.

use std::borrow::Cow;

use kodama::Float;

/// Columns compared side by side when the least of a row is sought.
const LANES: usize = 16;

/// Distance between clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linkage {
    /// Increase of the sum of squares (`ward.D2`).
    Ward,
    /// Mean distance of pairs.
    Average,
    /// Farthest pair.
    Complete,
    /// Nearest pair.
    Single,
    /// Mean of the two parts' distances, whatever their sizes (WPGMA).
    Weighted,
    /// Distance of the means (UPGMC).
    Centroid,
    /// Distance of the centres, a merged cluster's being the midpoint of its two parts' (WPGMC).
    Median,
}

impl Linkage {
    /// All of them under their names in suites, which are SciPy's.
    pub(crate) const ALL: [(&'static str, Self); 7] = [
        ("ward", Self::Ward),
        ("average", Self::Average),
        ("complete", Self::Complete),
        ("single", Self::Single),
        ("weighted", Self::Weighted),
        ("centroid", Self::Centroid),
        ("median", Self::Median),
    ];

    /// True when the update works on squared Euclidean distances, so that others have no meaning.
    pub(crate) fn euclidean_only(self) -> bool {
        matches!(self, Self::Ward | Self::Centroid | Self::Median)
    }

    /// True when a merge can be lower than those it joins.
    pub(crate) fn inverts(self) -> bool {
        matches!(self, Self::Centroid | Self::Median)
    }
}

/// A merge: two observations that stand for their clusters, and the height.
pub(crate) type Step<T> = (usize, usize, T);

/// The merges of `n` observations from their condensed distances, in the order they are to be made: ascending for
/// linkages that do not invert. Squares of the distances, and sums of them, stay in range.
pub(crate) fn merges<T: Float>(distances: Cow<'_, [T]>, n: usize, linkage: Linkage) -> Vec<Step<T>> {
    if n < 2 {
        return Vec::new();
    }
    let mut steps = match linkage {
        Linkage::Single => spanning_tree(&square(distances, n), n),
        Linkage::Ward => {
            let mut distances = distances;
            distances.to_mut().iter_mut().for_each(|distance| *distance = *distance * *distance);
            let mut steps = Chain::new(square(distances, n), n).run(ward);
            steps.iter_mut().for_each(|step| step.2 = step.2.sqrt());
            steps
        }
        Linkage::Average => Chain::new(square(distances, n), n).run(average),
        Linkage::Complete => Chain::new(square(distances, n), n).run(complete),
        Linkage::Weighted => Chain::new(square(distances, n), n).run(weighted),
        Linkage::Centroid => return generic(distances, n, kodama::Method::Centroid),
        Linkage::Median => return generic(distances, n, kodama::Method::Median),
    };
    // Stable, so that equal heights stay in the order they were found.
    steps.sort_by(|a, b| a.2.to_f64().total_cmp(&b.2.to_f64()));
    steps
}

/// Any linkage by a queue of nearest neighbours. The steps name clusters, of which any member is as good.
fn generic<T: Float>(distances: Cow<'_, [T]>, n: usize, method: kodama::Method) -> Vec<Step<T>> {
    let tree = kodama::generic(&mut distances.into_owned(), n, method);
    let mut members: Vec<usize> = (0..n).collect();
    let zero = T::from_usize(0);
    tree.steps()
        .iter()
        .map(|step| {
            members.push(members[step.cluster1]);
            // Rounding may leave a square just below 0, whose root is not a number: the centres coincide.
            let height = if step.dissimilarity >= zero { step.dissimilarity } else { zero };
            (members[step.cluster1], members[step.cluster2], height)
        })
        .collect()
}

/// The full matrix of condensed distances, infinite on the diagonal. An owned triangle is unfolded where it lies.
fn square<T: Float>(condensed: Cow<'_, [T]>, n: usize) -> Vec<T> {
    let mut all = match condensed {
        Cow::Owned(condensed) => condensed,
        Cow::Borrowed(condensed) => {
            let mut all = Vec::with_capacity(n * n);
            all.extend_from_slice(condensed);
            all
        }
    };
    all.resize(n * n, T::infinity());
    // Last row first: every row moves to the right, over what has moved already.
    for i in (0..n).rev() {
        let start = i * (2 * n - i - 1) / 2;
        all.copy_within(start..start + (n - 1 - i), i * n + i + 1);
        all[i * n + i] = T::infinity();
    }
    // The lower triangle, tile by tile so that both sides stay in the cache.
    const TILE: usize = 32;
    for top in (0..n).step_by(TILE) {
        for left in (0..=top).step_by(TILE) {
            for i in top..n.min(top + TILE) {
                for j in left..i.min(left + TILE) {
                    all[i * n + j] = all[j * n + i];
                }
            }
        }
    }
    all
}

/// The largest of distances that are not negative, 0 of none; none when one is not finite.
pub(crate) fn largest<T: Float>(distances: &[T]) -> Option<T> {
    let zero = T::from_usize(0);
    let (mut largest, mut odd) = ([zero; LANES], [zero; LANES]);
    let chunks = distances.chunks_exact(LANES);
    let tail = chunks.remainder();
    for chunk in chunks {
        for lane in 0..LANES {
            largest[lane] = if chunk[lane] > largest[lane] { chunk[lane] } else { largest[lane] };
            // 0 for a number, not a number for everything else.
            odd[lane] = odd[lane] + chunk[lane] * zero;
        }
    }
    let finite = odd.into_iter().chain(tail.iter().map(|value| *value * zero)).all(|odd| odd == zero);
    let all = largest.into_iter().chain(tail.iter().copied());
    finite.then(|| all.fold(zero, |largest, value| if value > largest { value } else { largest }))
}

/// The least of `row[j] + away[j]` and the first place it stands at. Infinite entries are never chosen.
fn least<T: Float>(row: &[T], away: &[T]) -> (usize, T) {
    let mut least = [T::infinity(); LANES];
    let (rows, aways) = (row.chunks_exact(LANES), away.chunks_exact(LANES));
    let tail = rows.remainder().iter().zip(aways.remainder());
    for (row, away) in rows.zip(aways) {
        for lane in 0..LANES {
            let value = row[lane] + away[lane];
            least[lane] = if value < least[lane] { value } else { least[lane] };
        }
    }
    let mut minimum = T::infinity();
    for value in tail.map(|(row, away)| *row + *away).chain(least) {
        minimum = if value < minimum { value } else { minimum };
    }
    let at = row.iter().zip(away).position(|(row, away)| *row + *away == minimum);
    (at.unwrap_or(0), minimum)
}

/// The minimum spanning tree from observation 0 (Prim).
fn spanning_tree<T: Float>(all: &[T], n: usize) -> Vec<Step<T>> {
    let mut nearest = vec![T::infinity(); n]; // distance to the tree
    let mut away = vec![T::from_usize(0); n]; // infinite in the tree
    let mut steps = Vec::with_capacity(n - 1);
    let mut last = 0;
    for _ in 1..n {
        away[last] = T::infinity();
        for (nearest, distance) in nearest.iter_mut().zip(&all[last * n..(last + 1) * n]) {
            *nearest = if *distance < *nearest { *distance } else { *nearest };
        }
        let (next, height) = least(&nearest, &away);
        steps.push((next, last, height));
        last = next;
    }
    steps
}

/// What a merge knows: the height and the sizes of the two clusters.
#[derive(Clone, Copy)]
struct Merge<T> {
    height: T,
    a: T,
    b: T,
}

fn ward<T: Float>(merge: Merge<T>, a: T, b: T, size: T) -> T {
    ((size + merge.a) * a + (size + merge.b) * b - size * merge.height) / (merge.a + merge.b + size)
}

fn average<T: Float>(merge: Merge<T>, a: T, b: T, _size: T) -> T {
    (merge.a * a + merge.b * b) / (merge.a + merge.b)
}

fn complete<T: Float>(_merge: Merge<T>, a: T, b: T, _size: T) -> T {
    if a > b { a } else { b }
}

fn weighted<T: Float>(_merge: Merge<T>, a: T, b: T, _size: T) -> T {
    T::from_float(0.5) * (a + b)
}

/// Clusters that are still apart, in a square that shrinks with them.
struct Chain<T> {
    all: Vec<T>,        // (side, side) distances of slots; rows and columns of merged ones are stale
    side: usize,        // slots, living and merged
    name: Vec<usize>,   // (side,) an observation in the slot's cluster
    size: Vec<T>,       // (side,)
    away: Vec<T>,       // (side,) 0 for living slots, infinite for merged ones
    living: Vec<usize>, // living slots, ascending
    path: Vec<usize>,   // the chain of nearest neighbours, in slots
    /// Living clusters of more than one observation, with the number of the merge that made them, ascending.
    made: Vec<(usize, usize)>,
    known: Vec<usize>, // (side,) merges that the slot's row knows of
    n_merges: usize,
}

impl<T: Float> Chain<T> {
    fn new(all: Vec<T>, n: usize) -> Self {
        Self {
            all,
            side: n,
            name: (0..n).collect(),
            size: vec![T::from_usize(1); n],
            away: vec![T::from_usize(0); n],
            living: (0..n).collect(),
            path: Vec::new(),
            made: Vec::new(),
            known: vec![0; n],
            n_merges: 0,
        }
    }

    /// Merges until one cluster is left. Inlined for every update, so that its arithmetic runs over whole rows.
    #[inline(always)]
    fn run(mut self, update: impl Fn(Merge<T>, T, T, T) -> T) -> Vec<Step<T>> {
        let mut steps = Vec::with_capacity(self.side - 1);
        while self.living.len() > 1 {
            let (a, b, height) = self.nearest_pair();
            let (a, b) = (a.min(b), a.max(b));
            steps.push((self.name[a], self.name[b], height));
            self.join(a, b, height, &update);
            if 4 * self.living.len() <= 3 * self.side {
                self.shrink();
            }
        }
        steps
    }

    /// Follows nearest neighbours until two slots are each other's; the last seen wins ties, then the lowest slot.
    fn nearest_pair(&mut self) -> (usize, usize, T) {
        let (mut before, mut last, mut height);
        if self.path.len() < 4 {
            before = self.living[0];
            (last, height) = self.nearest(before);
            self.path.clear();
            self.path.push(before);
        } else {
            // The pair that was merged goes, and its predecessor is asked again.
            self.path.truncate(self.path.len() - 2);
            last = self.path.pop().unwrap_or(0);
            before = self.path[self.path.len() - 1];
            self.refresh(last);
            height = self.all[last * self.side + before];
        }
        loop {
            self.path.push(last);
            let (nearest, distance) = self.nearest(last);
            let next = if distance < height {
                height = distance;
                nearest
            } else {
                before
            };
            if next == before {
                return (before, last, height);
            }
            before = last;
            last = next;
        }
    }

    /// Brings a row up to date. A merge writes its own row only; whoever is asked later fetches his entry from there.
    /// Writing the column at once would touch a page of memory for every living cluster, most of which are not asked
    /// before they merge.
    fn refresh(&mut self, slot: usize) {
        let first = self.made.partition_point(|(merge, _)| *merge <= self.known[slot]);
        for &(_, other) in &self.made[first..] {
            self.all[slot * self.side + other] = self.all[other * self.side + slot];
        }
        self.known[slot] = self.n_merges;
    }

    fn nearest(&mut self, slot: usize) -> (usize, T) {
        self.refresh(slot);
        least(&self.all[slot * self.side..(slot + 1) * self.side], &self.away)
    }

    /// Joins slot `a` to slot `b`, `a < b`: row by row, then the column that mirrors the row.
    #[inline(always)]
    fn join(&mut self, a: usize, b: usize, height: T, update: &impl Fn(Merge<T>, T, T, T) -> T) {
        self.refresh(a);
        self.refresh(b);
        let side = self.side;
        let merge = Merge { height, a: self.size[a], b: self.size[b] };
        let (head, tail) = self.all.split_at_mut(b * side);
        let (from, into) = (&head[a * side..(a + 1) * side], &mut tail[..side]);
        for ((into, from), size) in into.iter_mut().zip(from).zip(&self.size) {
            *into = update(merge, *from, *into, *size);
        }
        into[b] = T::infinity();
        self.away[a] = T::infinity();
        self.size[b] = merge.a + merge.b;
        if let Ok(at) = self.living.binary_search(&a) {
            self.living.remove(at);
        }
        self.n_merges += 1;
        self.known[b] = self.n_merges;
        self.made.retain(|(_, slot)| *slot != a && *slot != b);
        self.made.push((self.n_merges, b));
    }

    /// Closes the gaps that merged slots left: fewer columns to look at, in the same order.
    fn shrink(&mut self) {
        let side = self.living.len();
        for (to, &from) in self.living.iter().enumerate() {
            for (column, &old) in self.living.iter().enumerate() {
                self.all[to * side + column] = self.all[from * self.side + old];
            }
            self.name[to] = self.name[from];
            self.size[to] = self.size[from];
            self.known[to] = self.known[from];
        }
        self.away.truncate(side);
        self.away.fill(T::from_usize(0));
        for slot in &mut self.path {
            // The end of the path is the pair that was merged; nobody reads it again.
            *slot = self.living.binary_search(slot).unwrap_or(0);
        }
        for (_, slot) in &mut self.made {
            *slot = self.living.binary_search(slot).unwrap_or(0);
        }
        self.living = (0..side).collect();
        self.side = side;
        self.all.truncate(side * side);
        self.name.truncate(side);
        self.size.truncate(side);
        self.known.truncate(side);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dendrogram::Dendrogram;
    use kodama::Method;
    use trailmark_core::Stream;

    const METHODS: [(Linkage, Method); 5] = [
        (Linkage::Ward, Method::Ward),
        (Linkage::Average, Method::Average),
        (Linkage::Complete, Method::Complete),
        (Linkage::Single, Method::Single),
        (Linkage::Weighted, Method::Weighted),
    ];

    fn agree<T: Float + std::fmt::Debug>(distances: &[T], n: usize, what: &str) {
        for (linkage, method) in METHODS {
            let ours = Dendrogram::link(Cow::Borrowed(distances), n, linkage).unwrap();
            let theirs = kodama::linkage(&mut distances.to_vec(), n, method);
            assert_eq!(ours.merges().len(), theirs.len(), "{linkage:?} of {n}, {what}");
            for (at, (ours, theirs)) in ours.merges().iter().zip(theirs.steps()).enumerate() {
                let theirs = (theirs.cluster1, theirs.cluster2, theirs.dissimilarity.to_f64(), theirs.size);
                let ours = (ours.left, ours.right, ours.height, ours.size);
                assert_eq!(ours, theirs, "{linkage:?} of {n}, {what}, merge {at}");
            }
        }
    }

    #[test]
    fn merges_are_those_of_kodama_to_the_last_bit() {
        for n in [2, 3, 4, 5, 15, 16, 17, 33, 100, 257] {
            let mut draws = Stream::new(n as u64);
            let pairs = n * (n - 1) / 2;
            // The largest is 1, so that neither side rescales.
            let mut distances: Vec<f64> = (0..pairs).map(|_| draws.uniform()).collect();
            distances[0] = 1.0;
            agree(&distances, n, "drawn");
            let mut distances: Vec<f32> = distances.iter().map(|distance| *distance as f32).collect();
            distances[0] = 1.0;
            agree(&distances, n, "drawn, f32");
            let mut tied: Vec<f32> = (0..pairs).map(|_| draws.below(3) as f32 / 4.0).collect();
            tied[0] = 1.0;
            agree(&tied, n, "tied");
        }
    }

    #[test]
    fn the_largest_distance_is_found_wherever_it_stands_and_only_among_numbers() {
        assert_eq!(largest::<f32>(&[]), Some(0.0));
        for n in [1, 15, 16, 17, 40] {
            for at in 0..n {
                let mut distances: Vec<f32> = (0..n).map(|value| value as f32).collect();
                distances[at] = 100.0;
                assert_eq!(largest(&distances), Some(100.0), "{at} of {n}");
                for odd in [f32::NAN, f32::INFINITY] {
                    distances[at] = odd;
                    assert_eq!(largest(&distances), None, "{odd} at {at} of {n}");
                }
            }
        }
    }

    #[test]
    fn a_borrowed_triangle_and_an_owned_one_unfold_alike() {
        let distances: Vec<f32> = (1..=10).map(|value| value as f32).collect();
        let all = square(Cow::Borrowed(&distances), 5);
        assert_eq!(all, square(Cow::Owned(distances), 5));
        let inf = f32::INFINITY;
        let expected = [
            [inf, 1.0, 2.0, 3.0, 4.0],
            [1.0, inf, 5.0, 6.0, 7.0],
            [2.0, 5.0, inf, 8.0, 9.0],
            [3.0, 6.0, 8.0, inf, 10.0],
            [4.0, 7.0, 9.0, 10.0, inf],
        ];
        assert_eq!(all, expected.concat());
    }

    #[test]
    fn a_merge_that_rounding_puts_below_zero_has_height_zero() {
        // Three samples at one place and one elsewhere, with the rounding of f32 products.
        let distances = vec![0.0_f32, 0.0, 1.0, 0.0, 1.000_000_1, 1.0];
        for linkage in [Linkage::Centroid, Linkage::Median] {
            let tree = Dendrogram::link(Cow::Borrowed(&distances), 4, linkage).unwrap();
            assert!(tree.merges().iter().all(|merge| merge.height >= 0.0), "{linkage:?}: {:?}", tree.merges());
        }
    }
}
