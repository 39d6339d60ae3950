//! The streamed pass: sums of Euclidean distances to every group of many partitions, one sweep over tiles.

use crate::grouping::Grouping;
use crate::ordered::ordered;
use crate::passes;
use crate::sums::RowSums;
use crate::tiles::{SOURCES, Scratch, TARGETS, Tiles, Value};
use crate::widths::per_width;

/// Accumulators that a thread holds at once, in groups over all partitions: 64 MiB. More partitions are taken in further
/// passes.
const GROUPS_AT_ONCE: usize = (64 << 20) / (TARGETS * size_of::<f64>());

/// Values added in one go; they stay in registers while the members of a group go by.
const LANES: usize = 64;

/// One partition in the pass.
struct Part<'a> {
    index: usize,
    grouping: &'a Grouping,
    order: Vec<u32>, // (n,) rows, within each block of SOURCES sorted by group
}

/// What a block of targets sees of one partition.
struct Sums {
    sums: Vec<f64>,    // (n_groups, TARGETS)
    nearest: Vec<f64>, // (TARGETS,) distance to the nearest other sample that is alone
}

/// Visits every sample of every partition, samples ascending within a partition, on the calling thread.
pub(crate) fn pass(tiles: &impl Tiles, groupings: &[Grouping], threads: usize, visit: &mut dyn FnMut(RowSums<'_>)) {
    let mut start = 0;
    while start < groupings.len() {
        let mut groups = 0;
        let mut end = start;
        while end < groupings.len() && (end == start || groups + groupings[end].sizes().len() <= GROUPS_AT_ONCE) {
            groups += groupings[end].sizes().len();
            end += 1;
        }
        let parts: Vec<Part<'_>> =
            (start..end).map(|index| Part::new(index, &groupings[index], tiles.targets())).collect();
        pass_once(tiles, &parts, threads, visit);
        start = end;
    }
}

/// Every block of targets is summed by one thread, its sources ascending, so threads move no bit.
fn pass_once<K: Tiles>(tiles: &K, parts: &[Part<'_>], threads: usize, visit: &mut dyn FnMut(RowSums<'_>)) {
    passes::count();
    let blocks = tiles.targets().div_ceil(TARGETS);
    let make = |scratch: &mut Scratch, block| sum_block(tiles, parts, block, scratch);
    ordered(blocks, threads, Scratch::default, make, |block, sums| show(parts, block, &sums, visit));
}

fn sum_block<K: Tiles>(tiles: &K, parts: &[Part<'_>], block: usize, scratch: &mut Scratch) -> Vec<Sums> {
    let target = block * TARGETS;
    let mut tile = vec![K::Value::INFINITY; SOURCES * TARGETS];
    let mut all: Vec<Sums> = parts.iter().map(|part| Sums::new(part.grouping.sizes().len())).collect();
    for source in (0..tiles.targets()).step_by(SOURCES) {
        tiles.fill(scratch, source, target, &mut tile);
        all.iter_mut().zip(parts).for_each(|(sums, part)| sums.add(part, source, target, &tile));
    }
    all
}

fn show(parts: &[Part<'_>], block: usize, all: &[Sums], visit: &mut dyn FnMut(RowSums<'_>)) {
    let mut row_sums = Vec::new();
    for (part, sums) in parts.iter().zip(all) {
        for at in 0..TARGETS.min(part.order.len() - block * TARGETS) {
            row_sums.clear();
            row_sums.extend(sums.sums.chunks_exact(TARGETS).map(|line| line[at]));
            let row = block * TARGETS + at;
            visit(RowSums { partition: part.index, row, sums: &row_sums, nearest_alone: sums.nearest[at] });
        }
    }
}

impl<'a> Part<'a> {
    fn new(index: usize, grouping: &'a Grouping, n: usize) -> Self {
        let mut order: Vec<u32> = (0..u32::try_from(n).unwrap_or(u32::MAX)).collect();
        for block in order.chunks_mut(SOURCES) {
            block.sort_by_key(|&row| grouping.sort_key(row as usize));
        }
        Self { index, grouping, order }
    }
}

impl Sums {
    fn new(groups: usize) -> Self {
        Self { sums: vec![0.0; groups * TARGETS], nearest: vec![f64::INFINITY; TARGETS] }
    }

    /// Adds a tile. Members of a group go by in ascending order, whatever the blocks, so sums do not depend on them.
    fn add<V: Value>(&mut self, part: &Part<'_>, source: usize, target: usize, tile: &[V]) {
        let end = part.order.len().min(source + SOURCES);
        for run in part.order[source..end]
            .chunk_by(|&a, &b| part.grouping.sort_key(a as usize) == part.grouping.sort_key(b as usize))
        {
            match part.grouping.group(run[0] as usize) {
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
