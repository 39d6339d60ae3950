//! Which samples of a density clustering hang together: the second pass of DBSCAN over all pairs, which keeps no list of
//! neighbours but a forest of core samples and, for the few samples on a border, the core samples that reach them.

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

/// What one thread has seen.
struct Links<'a> {
    core: &'a [bool],
    eps: f64,
    forest: Forest,
    reached: Vec<(u32, u32)>, // (border sample, core sample within eps of it)
}

impl<V: Value> PairVisitor<V> for Links<'_> {
    fn block(&mut self, block: &Block<'_, V>) {
        block.for_each_within(self.eps, |row, column| match (self.core[row], self.core[column]) {
            (true, true) => self.forest.unite(row, column),
            (true, false) => self.reached.push(pair(column, row)),
            (false, true) => self.reached.push(pair(row, column)),
            (false, false) => {}
        });
    }
}

fn pair(border: usize, core: usize) -> (u32, u32) {
    (u32::try_from(border).unwrap_or(u32::MAX), u32::try_from(core).unwrap_or(u32::MAX))
}

/// Bytes at most, beside 4 a sample and thread: a sample on a border is reached by fewer than `min_samples`.
pub(crate) fn link_bytes(n_samples: usize, min_samples: usize) -> u64 {
    n_samples as u64 * (16 + 8 * min_samples.min(n_samples) as u64)
}

/// Labels from core samples: those within `eps` of each other share a cluster, clusters are numbered by their lowest
/// core sample, a sample on borders goes to the lowest of the clusters that reach it, and the rest is noise.
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
    let n = core.len();
    if !core.contains(&true) {
        return Ok(Labels(vec![None; n]));
    }
    let start = || Links { core, eps, forest: Forest::new(n), reached: Vec::new() };
    let mut seen = visit_pairs(points, distance, threads, start)?.into_iter();
    let mut all = seen.next().unwrap_or_else(start);
    for other in seen {
        (0..n).for_each(|sample| all.forest.unite(sample, other.forest.parents[sample] as usize));
        all.reached.extend(other.reached);
    }
    let mut labels: Vec<Option<u32>> = vec![None; n];
    let mut next = 0;
    for sample in (0..n).filter(|&sample| core[sample]) {
        let root = all.forest.root(sample);
        if root == sample {
            labels[sample] = Some(next);
            next += 1;
        } else {
            labels[sample] = labels[root];
        }
    }
    for (border, core) in all.reached {
        let by = labels[core as usize];
        let label = &mut labels[border as usize];
        *label = label.map_or(by, |held| by.map(|by| held.min(by)));
    }
    Ok(Labels(labels))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
