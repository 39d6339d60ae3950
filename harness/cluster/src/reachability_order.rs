//! The order of OPTICS, step by step as scikit-learn 1.9 makes it.
//!
//! It takes the next row by its reachability from those before it, so it cannot be made by blocks: a step reads one row
//! of distances out of the condensed table of the shared pass.

/// Condensed distances of either precision.
pub(crate) trait Table {
    /// The distance at a place.
    fn at(&self, index: usize) -> f64;
}

impl Table for Vec<f32> {
    fn at(&self, index: usize) -> f64 {
        f64::from(self[index])
    }
}

impl Table for Vec<f64> {
    fn at(&self, index: usize) -> f64 {
        self[index]
    }
}

/// Where the distances of a row stand that lead to lower rows and to higher ones, ascending.
fn places(i: usize, n: usize) -> impl Iterator<Item = (usize, usize)> {
    let lower = (0..i).map(move |j| (j, j * (2 * n - j - 1) / 2 + i - j - 1));
    lower.chain((i + 1..n).map(move |j| (j, i * (2 * n - i - 1) / 2 + j - i - 1)))
}

/// Distance of every row to its `min_samples`-th nearest, itself counted as the first.
pub(crate) fn core_distances(table: &Vec<f64>, n: usize, min_samples: usize) -> Vec<f64> {
    let mut line = Vec::with_capacity(n);
    let core = |i| {
        line.clear();
        line.extend(places(i, n).map(|(_, at)| table.at(at)));
        *line.select_nth_unstable_by(min_samples - 2, f64::total_cmp).1
    };
    (0..n).map(core).collect()
}

/// Rounds to 15 decimals as numpy does.
fn around(value: f64) -> f64 {
    (value * 1e15).round_ties_even() / 1e15
}

/// The reachability graph.
pub(crate) struct Order {
    /// (n_samples,) rows.
    pub(crate) ordering: Vec<usize>,
    /// (n_samples,) by row.
    pub(crate) reachability: Vec<f64>,
    /// (n_samples,) core distances by row; infinite beyond max_eps.
    pub(crate) core: Vec<f64>,
    /// (n_samples,) by row: the row it was reached from.
    pub(crate) predecessor: Vec<Option<usize>>,
}

impl Order {
    /// Goes from row to row by the least reachability, the lowest row first among equals.
    pub(crate) fn new(table: &impl Table, mut core: Vec<f64>, max_eps: f64) -> Self {
        let n = core.len();
        for distance in &mut core {
            *distance = if *distance > max_eps { f64::INFINITY } else { around(*distance) };
        }
        let mut reachability = vec![f64::INFINITY; n];
        let mut predecessor = vec![None; n];
        let mut done = vec![false; n];
        let mut ordering = Vec::with_capacity(n);
        let mut next = (n > 0).then_some(0);
        while let Some(row) = next {
            done[row] = true;
            ordering.push(row);
            let own = core[row];
            if own.is_finite() {
                for (j, at) in places(row, n).filter(|&(j, _)| !done[j]) {
                    let distance = table.at(at);
                    let reach = around(distance.max(own));
                    if distance <= max_eps && reach < reachability[j] {
                        reachability[j] = reach;
                        predecessor[j] = Some(row);
                    }
                }
            }
            let left = (0..n).filter(|&j| !done[j]);
            next = left.reduce(|best, j| if reachability[j] < reachability[best] { j } else { best });
        }
        Self { ordering, reachability, core, predecessor }
    }
}
