//! Which samples of a density clustering hang together. A pass over all pairs keeps no list of neighbours but a forest of
//! core samples and, for the few samples on a border, the core samples that reach them. Who has to count neighbours
//! first keeps the pairs on the way if they are few, and needs no second pass.

use std::sync::atomic::{AtomicUsize, Ordering};

use trailmark_core::Labels;
use trailmark_core::contract::{Distance, Points};
use trailmark_geometry::{Block, GeometryError, PairVisitor, Value, visit_pairs};

/// Disjoint sets of samples; the root of a set is its lowest sample, whatever the order of the unions.
#[derive(Debug, Clone, PartialEq)]
struct Forest {
    parents: Vec<u32>, // (n_samples,) never above the sample itself
}

impl Forest {
    fn new(n: usize) -> Self {
        Self { parents: (0..u32::try_from(n).unwrap_or(u32::MAX)).collect() }
    }

    fn root(&mut self, sample: usize) -> usize {
        let mut at = sample;
        while self.parents[at] as usize != at {
            self.parents[at] = self.parents[self.parents[at] as usize];
            at = self.parents[at] as usize;
        }
        at
    }

    fn unite(&mut self, a: usize, b: usize) {
        if self.parents[a] == self.parents[b] {
            return;
        }
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        self.parents[high] = self.parents[low];
    }
}

/// What unites samples, gathered pair by pair in any order.
struct Links<'a> {
    core: &'a [bool],
    forest: Forest,
    reached: Vec<(u32, u32)>, // (border sample, core sample within eps of it)
}

impl<'a> Links<'a> {
    fn new(core: &'a [bool]) -> Self {
        Self { core, forest: Forest::new(core.len()), reached: Vec::new() }
    }

    /// Takes two samples within eps of each other.
    fn meet(&mut self, a: usize, b: usize) {
        match (self.core[a], self.core[b]) {
            (true, true) => self.forest.unite(a, b),
            (true, false) => self.reached.push((id(b), id(a))),
            (false, true) => self.reached.push((id(a), id(b))),
            (false, false) => {}
        }
    }

    fn absorb(&mut self, other: Self) {
        for (sample, &parent) in other.forest.parents.iter().enumerate() {
            self.forest.unite(sample, parent as usize);
        }
        self.reached.extend(other.reached);
    }

    fn labels(mut self) -> Labels {
        let mut labels: Vec<Option<u32>> = vec![None; self.core.len()];
        let mut next = 0;
        for sample in (0..self.core.len()).filter(|&sample| self.core[sample]) {
            let root = self.forest.root(sample);
            if root == sample {
                labels[sample] = Some(next);
                next += 1;
            } else {
                labels[sample] = labels[root];
            }
        }
        for (border, core) in self.reached {
            let by = labels[core as usize];
            let label = &mut labels[border as usize];
            *label = label.map_or(by, |held| by.map(|by| held.min(by)));
        }
        Labels(labels)
    }
}

fn id(sample: usize) -> u32 {
    u32::try_from(sample).unwrap_or(u32::MAX)
}

/// Bytes of the links at most, beside 8 a sample and thread: a sample on a border is reached by fewer than `min_samples`.
pub(crate) fn link_bytes(n_samples: usize, min_samples: usize) -> u64 {
    n_samples as u64 * (16 + 8 * min_samples.min(n_samples) as u64)
}

/// Labels from core samples, in one pass over all pairs: core samples within `eps` of each other share a cluster,
/// clusters are numbered by their lowest core sample, a sample on borders goes to the lowest of the clusters that reach
/// it, and the rest is noise.
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
pub(crate) fn link(
    points: Points<'_>,
    distance: Distance,
    core: &[bool],
    eps: f64,
    threads: usize,
) -> Result<Labels, GeometryError> {
    let mut all = Links::new(core);
    if core.contains(&true) {
        let start = || Linking { links: Links::new(core), eps };
        visit_pairs(points, distance, threads, start)?.into_iter().for_each(|seen| all.absorb(seen.links));
    }
    Ok(all.labels())
}

struct Linking<'a> {
    links: Links<'a>,
    eps: f64,
}

impl<V: Value> PairVisitor<V> for Linking<'_> {
    fn block(&mut self, block: &Block<'_, V>) {
        block.for_each_within(self.eps, |row, column| self.links.meet(row, column));
    }
}

/// What a first pass found: how many others are within eps of every sample, and which, unless they were too many.
pub(crate) struct Survey {
    /// (n_samples,) others within eps.
    pub(crate) counts: Vec<u32>,
    pairs: Option<Vec<(u32, u32)>>,
}

/// Counts the others within `eps` of every sample in one pass, and keeps the pairs while there are at most `kept` of
/// them, which saves the pass of [`link`].
///
/// # Errors
/// [`GeometryError::ZeroVector`] under cosine distance.
pub(crate) fn survey(
    points: Points<'_>,
    distance: Distance,
    eps: f64,
    kept: usize,
    threads: usize,
) -> Result<Survey, GeometryError> {
    let n = points.rows();
    let met = AtomicUsize::new(0);
    let start = || Counting { eps, counts: vec![0; n], pairs: Vec::new(), met: &met, kept };
    let mut all = Survey { counts: vec![0; n], pairs: None };
    let mut pairs = Vec::new();
    for seen in visit_pairs(points, distance, threads, start)? {
        all.counts.iter_mut().zip(&seen.counts).for_each(|(all, count)| *all += count);
        pairs.extend(seen.pairs);
    }
    if met.into_inner() <= kept {
        all.pairs = Some(pairs);
    }
    Ok(all)
}

impl Survey {
    /// Labels as [`link`] makes them, from the pairs that were kept; none when they were too many.
    pub(crate) fn labels(&self, core: &[bool]) -> Option<Labels> {
        let mut links = Links::new(core);
        self.pairs.as_ref()?.iter().for_each(|&(a, b)| links.meet(a as usize, b as usize));
        Some(links.labels())
    }
}

struct Counting<'a> {
    eps: f64,
    counts: Vec<u32>,
    pairs: Vec<(u32, u32)>,
    met: &'a AtomicUsize, // pairs within eps that any thread has met
    kept: usize,
}

impl<V: Value> PairVisitor<V> for Counting<'_> {
    fn block(&mut self, block: &Block<'_, V>) {
        let keep = self.met.load(Ordering::Relaxed) <= self.kept;
        if !keep {
            self.pairs = Vec::new();
        }
        let mut met = 0;
        block.for_each_within(self.eps, |row, column| {
            self.counts[row] += 1;
            self.counts[column] += 1;
            met += 1;
            if keep {
                self.pairs.push((id(row), id(column)));
            }
        });
        self.met.fetch_add(met, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::{Matrix, Stream};

    #[test]
    fn the_root_of_a_set_is_its_lowest_sample_in_every_order_of_unions() {
        let unions = [(5, 6), (2, 5), (6, 3), (8, 9), (9, 1)];
        for turn in 0..unions.len() {
            let mut forest = Forest::new(10);
            unions.iter().cycle().skip(turn).take(unions.len()).for_each(|&(a, b)| forest.unite(a, b));
            let roots: Vec<usize> = (0..10).map(|sample| forest.root(sample)).collect();
            assert_eq!(roots, [0, 1, 2, 2, 4, 2, 2, 7, 1, 1], "from union {turn}");
        }
    }

    #[test]
    fn pairs_that_were_kept_tell_what_another_pass_tells_and_too_many_are_not_kept() {
        let mut stream = Stream::new(2);
        let x = Matrix::from_vec(700, 2, (0..1400).map(|_| stream.normal() as f32).collect()).unwrap();
        for threads in [1, 2] {
            let seen = survey(Points::F32(&x), Distance::Euclidean, 0.1, 1 << 20, threads).unwrap();
            let core: Vec<bool> = seen.counts.iter().map(|&count| count >= 4).collect();
            let again = link(Points::F32(&x), Distance::Euclidean, &core, 0.1, threads).unwrap();
            assert_eq!(seen.labels(&core), Some(again));
            let total: u32 = seen.counts.iter().sum();
            for (kept, enough) in [(total as usize / 2, true), (total as usize / 2 - 1, false), (0, false)] {
                let fewer = survey(Points::F32(&x), Distance::Euclidean, 0.1, kept, threads).unwrap();
                assert_eq!((&fewer.counts, fewer.labels(&core).is_some()), (&seen.counts, enough), "{kept} kept");
            }
        }
    }
}
