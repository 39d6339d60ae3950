//! Hungarian accuracy.

use std::collections::{BTreeMap, BTreeSet};

use trailmark_core::{Cost, Spec, Undefined};

use crate::contingency::Contingency;
use crate::external::External;
use crate::external::not_empty;

/// Name card.
pub static SPEC: Spec = Spec {
    name: "hungarian_accuracy",
    summary: "accuracy after the best one-to-one matching of clusters and classes (ACC)",
    reference: "Kuhn 1955, Naval Research Logistics 2; scipy",
    revision: 1,
    cost: Cost { time: "n_samples + max(n_clusters, n_classes)^3", memory: "contingency table" },
    params: &[],
};

/// The metric.
pub static METRIC: External = External { spec: &SPEC, compute: hungarian_accuracy };

/// Share of samples on the best one-to-one matching of clusters and classes. Range (0, 1], higher is better.
///
/// Clusters without a class, and classes without a cluster, count as errors. O(r^2 c) time, r the smaller and c the
/// larger side of each part of the table that hangs together.
/// # Shapes
/// `table`: reference classes against clusters; noise as singletons, samples without a class left out.
/// # Errors
/// [`Undefined::Empty`] without samples.
/// # Reference
/// Kuhn 1955, Naval Research Logistics 2. Agrees with scipy's `linear_sum_assignment`.
pub fn hungarian_accuracy(table: &Contingency) -> Result<f64, Undefined> {
    not_empty(table)?;
    let matched: u64 = parts(table).iter().map(|part| best_matching(part)).sum();
    Ok(matched as f64 / table.n() as f64)
}

/// The table cut into parts that share neither class nor cluster: each a dense matrix with the shorter side as rows.
fn parts(table: &Contingency) -> Vec<Vec<Vec<u64>>> {
    let n_classes = table.classes().len();
    let mut parent: Vec<usize> = (0..n_classes + table.clusters().len()).collect();
    for &(class, cluster, _) in table.cells() {
        let (a, b) = (root(&mut parent, class), root(&mut parent, n_classes + cluster));
        parent[a.max(b)] = a.min(b);
    }
    let mut cells: BTreeMap<usize, Vec<(usize, usize, u64)>> = BTreeMap::new();
    for &(class, cluster, count) in table.cells() {
        cells.entry(root(&mut parent, class)).or_default().push((class, cluster, count));
    }
    cells.into_values().map(|cells| dense(&cells)).collect()
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

fn dense(cells: &[(usize, usize, u64)]) -> Vec<Vec<u64>> {
    let number = |of: fn(&(usize, usize, u64)) -> usize| -> BTreeMap<usize, usize> {
        let names: BTreeSet<usize> = cells.iter().map(of).collect();
        names.into_iter().enumerate().map(|(at, name)| (name, at)).collect()
    };
    let (classes, clusters) = (number(|cell| cell.0), number(|cell| cell.1));
    let flip = classes.len() > clusters.len();
    let (rows, columns) = if flip { (clusters.len(), classes.len()) } else { (classes.len(), clusters.len()) };
    let mut matrix = vec![vec![0; columns]; rows];
    for (class, cluster, count) in cells {
        let (class, cluster) = (classes[class], clusters[cluster]);
        let (row, column) = if flip { (cluster, class) } else { (class, cluster) };
        matrix[row][column] = *count;
    }
    matrix
}

/// Largest sum of one entry per row in different columns, by shortest augmenting paths with potentials. There are at
/// least as many columns as rows.
fn best_matching(matrix: &[Vec<u64>]) -> u64 {
    const FREE: usize = usize::MAX;
    let columns = matrix[0].len();
    let cost = |row: usize, column: usize| -i128::from(matrix[row][column]);
    let mut row_potential = vec![0_i128; matrix.len()];
    let mut column_potential = vec![0_i128; columns];
    let mut row_of = vec![FREE; columns];
    for start in 0..matrix.len() {
        let mut distance = vec![i128::MAX; columns];
        let mut previous = vec![FREE; columns];
        let mut visited = vec![false; columns];
        let (mut row, mut last) = (start, FREE);
        let end = loop {
            let (mut delta, mut next) = (i128::MAX, FREE);
            for column in (0..columns).filter(|&column| !visited[column]) {
                let reduced = cost(row, column) - row_potential[row] - column_potential[column];
                if reduced < distance[column] {
                    distance[column] = reduced;
                    previous[column] = last;
                }
                if distance[column] < delta {
                    delta = distance[column];
                    next = column;
                }
            }
            row_potential[start] += delta;
            for column in 0..columns {
                if visited[column] {
                    row_potential[row_of[column]] += delta;
                    column_potential[column] -= delta;
                } else {
                    distance[column] -= delta;
                }
            }
            visited[next] = true;
            if row_of[next] == FREE {
                break next;
            }
            (last, row) = (next, row_of[next]);
        };
        let mut column = end;
        while previous[column] != FREE {
            row_of[column] = row_of[previous[column]];
            column = previous[column];
        }
        row_of[column] = start;
    }
    row_of.iter().enumerate().filter(|(_, row)| **row != FREE).map(|(column, &row)| matrix[row][column]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Stream;

    fn by_trying_all(matrix: &[Vec<u64>], used: &mut Vec<bool>, row: usize) -> u64 {
        if row == matrix.len() {
            return 0;
        }
        let mut best = 0;
        for column in 0..used.len() {
            if !used[column] {
                used[column] = true;
                best = best.max(matrix[row][column] + by_trying_all(matrix, used, row + 1));
                used[column] = false;
            }
        }
        best
    }

    #[test]
    fn the_matching_is_the_best_of_all() {
        let mut stream = Stream::new(3);
        for round in 0..200 {
            let rows = 1 + stream.below(4);
            let columns = rows + stream.below(3);
            let matrix: Vec<Vec<u64>> =
                (0..rows).map(|_| (0..columns).map(|_| stream.below(6) as u64).collect()).collect();
            let expected = by_trying_all(&matrix, &mut vec![false; columns], 0);
            assert_eq!(best_matching(&matrix), expected, "round {round}: {matrix:?}");
        }
    }
}
