//! The streamed pass: sums of Euclidean distances to every group of many partitions, one sweep over tiles.

use crate::grouping::Grouping;
use crate::passes;
use crate::sums::RowSums;
use crate::tiles::{SOURCES, Scratch, TARGETS, Tiles, Value};
use crate::widths::per_width;

/// Accumulators held at once, in groups over all partitions: 64 MiB. More partitions are taken in further passes.
const GROUPS_AT_ONCE: usize = (64 << 20) / (TARGETS * size_of::<f64>());

/// Values added in one go; they stay in registers while the members of a group go by.
const LANES: usize = 64;

/// One partition in the pass.
struct Sums<'a> {
    index: usize,
    grouping: &'a Grouping,
    order: Vec<u32>,   // (n,) rows, within each block of SOURCES sorted by group
    sums: Vec<f64>,    // (n_groups, TARGETS)
    nearest: Vec<f64>, // (TARGETS,) distance to the nearest other sample that is alone
}

/// Visits every sample of every partition, samples ascending within a partition.
pub(crate) fn pass(tiles: &impl Tiles, groupings: &[Grouping], visit: &mut dyn FnMut(RowSums<'_>)) {
    let mut start = 0;
    while start < groupings.len() {
        let mut groups = 0;
        let mut end = start;
        while end < groupings.len() && (end == start || groups + groupings[end].sizes().len() <= GROUPS_AT_ONCE) {
            groups += groupings[end].sizes().len();
            end += 1;
        }
        let mut all: Vec<Sums<'_>> =
            (start..end).map(|index| Sums::new(index, &groupings[index], tiles.targets())).collect();
        pass_once(tiles, &mut all, visit);
        start = end;
    }
}

fn pass_once<K: Tiles>(tiles: &K, all: &mut [Sums<'_>], visit: &mut dyn FnMut(RowSums<'_>)) {
    let n = tiles.targets();
    passes::count();
    let mut scratch = Scratch::default();
    let mut tile = vec![K::Value::INFINITY; SOURCES * TARGETS];
    let mut row_sums = Vec::new();
    for target in (0..n).step_by(TARGETS) {
        all.iter_mut().for_each(Sums::clear);
        for source in (0..n).step_by(SOURCES) {
            tiles.fill(&mut scratch, source, target, &mut tile);
            all.iter_mut().for_each(|sums| sums.add(source, target, &tile));
        }
        for sums in all.iter() {
            for at in 0..TARGETS.min(n - target) {
                row_sums.clear();
                row_sums.extend(sums.sums.chunks_exact(TARGETS).map(|line| line[at]));
                visit(RowSums {
                    partition: sums.index,
                    row: target + at,
                    sums: &row_sums,
                    nearest_alone: sums.nearest[at],
                });
            }
        }
    }
}

impl<'a> Sums<'a> {
    fn new(index: usize, grouping: &'a Grouping, n: usize) -> Self {
        let mut order: Vec<u32> = (0..u32::try_from(n).unwrap_or(u32::MAX)).collect();
        for block in order.chunks_mut(SOURCES) {
            block.sort_by_key(|&row| grouping.sort_key(row as usize));
        }
        let sums = vec![0.0; grouping.sizes().len() * TARGETS];
        Self { index, grouping, order, sums, nearest: vec![f64::INFINITY; TARGETS] }
    }

    fn clear(&mut self) {
        self.sums.fill(0.0);
        self.nearest.fill(f64::INFINITY);
    }

    /// Adds a tile. Members of a group go by in ascending order, whatever the blocks, so sums do not depend on them.
    fn add<V: Value>(&mut self, source: usize, target: usize, tile: &[V]) {
        let end = self.order.len().min(source + SOURCES);
        for run in self.order[source..end]
            .chunk_by(|&a, &b| self.grouping.sort_key(a as usize) == self.grouping.sort_key(b as usize))
        {
            match self.grouping.group(run[0] as usize) {
                Some(group) => {
                    add_run(&mut self.sums[group * TARGETS..(group + 1) * TARGETS], tile, run, source);
                }
                None => run.iter().for_each(|&row| nearest(&mut self.nearest, tile, row as usize, source, target)),
            }
        }
    }
}

per_width! {
    /// Adds the lines of the members, one after the other, to the sums.
    fn add_run<V: Value>(sums: &mut [f64], tile: &[V], run: &[u32], source: usize) {
        for (at, chunk) in sums.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut held = *chunk;
            for &row in run {
                let line = &tile[(row as usize - source) * TARGETS + at * LANES..][..LANES];
                for (sum, distance) in held.iter_mut().zip(line) {
                    *sum += distance.to_f64();
                }
            }
            *chunk = held;
        }
    }
}

/// Takes the minimum with one line of the tile, the sample itself left out.
fn nearest<V: Value>(nearest: &mut [f64], tile: &[V], row: usize, source: usize, target: usize) {
    let line = &tile[(row - source) * TARGETS..][..TARGETS];
    let own = row.checked_sub(target).filter(|&at| at < TARGETS);
    let kept = own.map(|at| nearest[at]);
    for (best, &distance) in nearest.iter_mut().zip(line) {
        let distance = distance.to_f64();
        *best = if distance < *best { distance } else { *best };
    }
    if let (Some(at), Some(kept)) = (own, kept) {
        nearest[at] = kept;
    }
}
