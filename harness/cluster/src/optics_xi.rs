//! Clusters in a reachability plot: between a steep way down and a steep way up (Ankerst, Breunig, Kriegel, Sander 1999,
//! figure 19), with the correction by predecessors of Schubert and Gertz 2018. Step by step as scikit-learn 1.9 does it,
//! with its corrections to the paper.

/// A reachability plot: everything in the order of OPTICS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plot<'a> {
    /// (n_samples,) reachability; infinite where nothing reached a row.
    pub(crate) reachability: &'a [f64],
    /// (n_samples,) place of the row that a row was reached from, where there is one.
    pub(crate) predecessors: &'a [Option<usize>],
}

/// What counts as steep and as a cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Xi {
    /// Least relative change of a steep place; below 1.
    pub(crate) xi: f64,
    /// A steep area holds at most this many places in a row that are not steep.
    pub(crate) min_samples: usize,
    /// Fewer rows are no cluster.
    pub(crate) min_cluster_size: usize,
    /// Whether a cluster's last rows must have been reached from within it.
    pub(crate) predecessor_correction: bool,
}

/// A steep way down.
struct Down {
    start: usize,
    end: usize,
    between: f64, // largest reachability since its end
}

/// Which way every place goes to the next.
struct Slopes {
    steep_up: Vec<bool>,
    steep_down: Vec<bool>,
    up: Vec<bool>,
    down: Vec<bool>,
}

/// All clusters as first and last place, those within others before them.
pub(crate) fn clusters(plot: &Plot<'_>, xi: &Xi) -> Vec<(usize, usize)> {
    let n = plot.reachability.len();
    // Infinity at the end closes clusters that reach the end of the plot.
    let mut reach = plot.reachability.to_vec();
    reach.push(f64::INFINITY);
    let kept = 1.0 - xi.xi;
    // Infinity by infinity is not a number, and neither way.
    let ratios: Vec<f64> = reach.windows(2).map(|pair| pair[0] / pair[1]).collect();
    let slopes = Slopes {
        steep_up: ratios.iter().map(|&ratio| ratio <= kept).collect(),
        steep_down: ratios.iter().map(|&ratio| ratio >= 1.0 / kept).collect(),
        up: ratios.iter().map(|&ratio| ratio < 1.0).collect(),
        down: ratios.iter().map(|&ratio| ratio > 1.0).collect(),
    };

    let mut downs: Vec<Down> = Vec::new();
    let mut found = Vec::new();
    let (mut index, mut between) = (0, 0.0_f64);
    for steep in 0..n {
        if steep < index || !(slopes.steep_up[steep] || slopes.steep_down[steep]) {
            continue;
        }
        between = reach[index..=steep].iter().copied().fold(between, f64::max);
        if between.is_infinite() {
            downs.clear();
        }
        downs.retain(|down| between <= reach[down.start] * kept);
        downs.iter_mut().for_each(|down| down.between = down.between.max(between));
        let end = if slopes.steep_down[steep] {
            let end = extend(&slopes.steep_down, &slopes.up, steep, xi.min_samples);
            downs.push(Down { start: steep, end, between: 0.0 });
            end
        } else {
            let end = extend(&slopes.steep_up, &slopes.down, steep, xi.min_samples);
            let closed = downs.iter().rev().filter_map(|down| cluster(plot, &reach, xi, down, steep, end));
            found.extend(closed);
            end
        };
        index = end + 1;
        between = reach[index];
    }
    found
}

/// The last place of the steep area that begins at `start`.
fn extend(steep: &[bool], opposite: &[bool], start: usize, min_samples: usize) -> usize {
    let (mut end, mut flat) = (start, 0);
    for at in start..steep.len() {
        if steep[at] {
            flat = 0;
            end = at;
        } else if opposite[at] {
            break;
        } else {
            flat += 1;
            if flat > min_samples {
                break;
            }
        }
    }
    end
}

/// The cluster between a way down and a way up, where their levels match and it is large enough.
fn cluster(
    plot: &Plot<'_>,
    reach: &[f64],
    xi: &Xi,
    down: &Down,
    up_start: usize,
    up_end: usize,
) -> Option<(usize, usize)> {
    let kept = 1.0 - xi.xi;
    let (mut start, mut end) = (down.start, up_end);
    if reach[end + 1] * kept < down.between {
        return None;
    }
    let top = reach[down.start];
    if top * kept >= reach[end + 1] {
        while reach[start + 1] > reach[end + 1] && start < down.end {
            start += 1;
        }
    } else if reach[end + 1] * kept >= top {
        while reach[end - 1] > top && end > up_start {
            end -= 1;
        }
    }
    if xi.predecessor_correction {
        end = corrected_end(plot, start, end)?;
    }
    let fits = end + 1 - start >= xi.min_cluster_size && start <= down.end && end >= up_start;
    fits.then_some((start, end))
}

/// The last place that is lower than the first, or was reached from within.
fn corrected_end(plot: &Plot<'_>, start: usize, mut end: usize) -> Option<usize> {
    while start < end {
        let within = plot.predecessors[end].is_some_and(|place| (start..end).contains(&place));
        if plot.reachability[start] > plot.reachability[end] || within {
            return Some(end);
        }
        end -= 1;
    }
    None
}

/// Labels along the plot: of clusters within each other the innermost.
pub(crate) fn labels(n: usize, clusters: &[(usize, usize)]) -> Vec<Option<u32>> {
    let mut labels = vec![None; n];
    let mut next = 0;
    for &(start, end) in clusters {
        let places = &mut labels[start..=end];
        if places.iter().all(Option::is_none) {
            places.fill(Some(next));
            next += 1;
        }
    }
    labels
}
