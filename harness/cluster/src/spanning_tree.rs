//! The minimum spanning tree of mutual reachability, in memory that grows with the samples and not with their pairs.
//!
//! Neighbour lists give a forest that is the tree but for a few edges. It says how far apart any two rows can be in the
//! tree at most (the largest edge on their path), and one pass over all pairs looks for those that are nearer; the tree
//! of both is the minimum (every edge left out is the largest of a cycle). Prim's algorithm, which other
//! implementations use, asks for a whole row of distances a step: the same arithmetic without the reuse that makes a
//! matrix product fast.

use crate::mutual_reachability::{Edge, Near, Reach, Sets};
use crate::shorter_edges::shorter_edges;

/// Members of a component that are asked for the nearest pair between two of them, a guess that only has to be good.
const ASKED: usize = 2048;

/// The edges of the minimum spanning tree, (n_samples - 1,) ascending.
pub(crate) fn minimum_spanning_tree(
    reach: &Reach<'_>,
    near: &Near<'_>,
    first_equal: &[u32],
    threads: usize,
) -> Vec<Edge> {
    let n = first_equal.len();
    // Equal rows hang on the first of them; all else is among those.
    let (firsts, copies): (Vec<u32>, Vec<u32>) = (0..).take(n).partition(|&i| first_equal[i as usize] == i);
    let mut edges: Vec<Edge> = copies.iter().map(|&i| reach.edge_at(first_equal[i as usize], i, 0.0)).collect();

    let k = near.neighbors.n_neighbors;
    let mut listed = Vec::with_capacity(firsts.len() * k);
    for &i in &firsts {
        let line = i as usize * k..(i as usize + 1) * k;
        for (&j, &distance) in near.neighbors.rows[line.clone()].iter().zip(&near.distances[line]) {
            let j = first_equal[j as usize];
            if i != j {
                listed.push(reach.edge_at(i, j, distance));
            }
        }
    }
    let mut forest = Sets::new(n).keep_tree(listed);
    forest.extend(connect(reach, &firsts, &forest, n));
    forest.sort_by(Edge::order);
    edges.extend(shorter_edges(reach, &firsts, &forest, threads));
    edges.extend(forest);
    Sets::new(n).keep_tree(edges)
}

/// Edges that make one tree of a forest over the chosen rows: short ones, where that is cheap to find.
fn connect(reach: &Reach<'_>, rows: &[u32], forest: &[Edge], n: usize) -> Vec<Edge> {
    let mut sets = Sets::new(n);
    for edge in forest {
        sets.join(edge.low, edge.high);
    }
    // Components with the row of the least core distance first.
    let mut at = vec![usize::MAX; n];
    let mut components: Vec<Vec<u32>> = Vec::new();
    for &row in rows {
        let root = sets.find(row) as usize;
        if at[root] == usize::MAX {
            at[root] = components.len();
            components.push(Vec::new());
        }
        let members = &mut components[at[root]];
        members.push(row);
        if reach.core[row as usize] < reach.core[members[0] as usize] {
            let last = members.len() - 1;
            members.swap(0, last);
        }
    }
    // Prim over those rows.
    let mut nearest: Vec<(usize, Edge)> =
        (1..components.len()).map(|to| (to, reach.edge(components[0][0], components[to][0]))).collect();
    let mut from = vec![0; components.len()];
    let mut joined = Vec::with_capacity(nearest.len());
    while let Some(best) = (0..nearest.len()).reduce(|a, b| if nearest[b].1.is_before(&nearest[a].1) { b } else { a }) {
        let (new, edge) = nearest.swap_remove(best);
        joined.push(shorten(reach, &components[from[new]], &components[new], edge));
        for (to, edge) in &mut nearest {
            let other = reach.edge(components[new][0], components[*to][0]);
            if other.is_before(edge) {
                *edge = other;
                from[*to] = new;
            }
        }
    }
    joined
}

/// Walks from one component to the nearest row of the other and back while that is shorter.
fn shorten(reach: &Reach<'_>, a: &[u32], b: &[u32], edge: Edge) -> Edge {
    let nearest = |row: u32, members: &[u32]| {
        let step = members.len().div_ceil(ASKED);
        let edges = members.iter().step_by(step).map(|&other| (other, reach.edge(row, other)));
        edges.reduce(|best, new| if new.1.is_before(&best.1) { new } else { best })
    };
    let (mut best, mut row, mut sides) = (edge, a[0], [b, a]);
    while let Some((other, found)) = nearest(row, sides[0])
        && found.is_before(&best)
    {
        (best, row) = (found, other);
        sides.swap(0, 1);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::Measured;
    use crate::shorter_edges::HELD;
    use trailmark_core::contract::{Distance, Points};
    use trailmark_core::{Matrix, PairNeeds, Stream};
    use trailmark_geometry::gather;

    /// Kruskal over all pairs.
    fn from_all_pairs(reach: &Reach<'_>) -> Vec<Edge> {
        let n = u32::try_from(reach.core.len()).unwrap();
        Sets::new(reach.core.len())
            .keep_tree((0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).map(|(i, j)| reach.edge(i, j)).collect())
    }

    fn sets() -> Vec<(&'static str, Matrix<f64>)> {
        let mut draws = Stream::new(11);
        let mut normal = |n: usize, width: usize, spread: f64, groups: usize| {
            let centres: Vec<f64> = (0..groups * width).map(|_| spread * draws.normal()).collect();
            let values = (0..n * width).map(|at| centres[(at / width) % groups * width + at % width] + draws.normal());
            Matrix::from_vec(n, width, values.collect()).unwrap()
        };
        let mut all = vec![
            ("two rows", normal(2, 3, 1.0, 1)),
            ("one cloud in the plane", normal(400, 2, 0.0, 1)),
            ("far groups that no neighbour list connects", normal(600, 6, 50.0, 20)),
            ("near groups in many dimensions", normal(300, 60, 0.5, 5)),
            ("a far origin", normal(200, 5, 1e6, 2)),
        ];
        let few = normal(30, 3, 1.0, 1);
        let copies: Vec<usize> = (0..300).map(|at| at * at % 30).collect();
        all.push(("copies of thirty rows", few.select_rows(&copies)));
        let lattice = (0..400).flat_map(|at| [f64::from(1 + at % 20), f64::from(1 + at / 20)]).collect();
        all.push(("a lattice", Matrix::from_vec(400, 2, lattice).unwrap()));
        all.push(("equal rows", Matrix::from_vec(40, 2, vec![0.5; 80]).unwrap()));
        all
    }

    #[test]
    fn the_tree_is_that_of_all_pairs_whatever_the_lists_and_threads() {
        for (name, x) in sets() {
            for (distance, min_samples, alpha) in
                [(Distance::Euclidean, 1, 1.0), (Distance::Euclidean, 6, 0.7), (Distance::Cosine, 3, 1.0)]
            {
                let data = Measured::new(Points::F64(&x), distance).unwrap();
                let first_equal = data.first_equal();
                let need = |n_neighbors| PairNeeds { distance, n_neighbors, ..PairNeeds::default() };
                for (k, threads) in [(min_samples + 3, 1), (20, 3)] {
                    let pairs = gather(Points::F64(&x), &need(k), 1).unwrap();
                    let near = Near::new(&data, &pairs.neighbors);
                    let core = near.core_distances(min_samples.min(x.rows()), &first_equal);
                    let reach = Reach { data: &data, core: &core, alpha };
                    let tree = minimum_spanning_tree(&reach, &near, &first_equal, threads);
                    assert_eq!(tree, from_all_pairs(&reach), "{name}, {}, {min_samples}, {k}", distance.name());
                }
            }
        }
    }

    #[test]
    fn any_tree_to_begin_with_is_mended() {
        let (_, x) = sets().swap_remove(1);
        let data = Measured::new(Points::F64(&x), Distance::Euclidean).unwrap();
        let core = vec![0.0; 400];
        let reach = Reach { data: &data, core: &core, alpha: 1.0 };
        let rows: Vec<u32> = (0..400).collect();
        // All rows hang on the first: nearly every pair is nearer, more than a thread holds at a time.
        let star = Sets::new(400).keep_tree((1..400).map(|j| reach.edge(0, j)).collect());
        let mut edges = shorter_edges(&reach, &rows, &star, 1);
        assert!(edges.len() < HELD + 4 * 400, "{} edges are held", edges.len());
        edges.extend(star);
        assert_eq!(Sets::new(400).keep_tree(edges), from_all_pairs(&reach));
    }

    #[test]
    fn ties_of_mutual_reachability_go_to_the_nearer_pair() {
        // The last row is at its core distance from both groups, and nearer to the second.
        let x = Matrix::from_vec(5, 1, vec![0.0, 1.0, 6.0, 7.0, 3.6]).unwrap();
        let data = Measured::new(Points::F64(&x), Distance::Euclidean).unwrap();
        let need = PairNeeds { n_neighbors: 4, ..PairNeeds::default() };
        let pairs = gather(Points::F64(&x), &need, 1).unwrap();
        let near = Near::new(&data, &pairs.neighbors);
        let first_equal = data.first_equal();
        let core = near.core_distances(3, &first_equal);
        let reach = Reach { data: &data, core: &core, alpha: 1.0 };
        let tree = minimum_spanning_tree(&reach, &near, &first_equal, 1);
        let last: Vec<(u32, u32)> =
            tree.iter().filter(|edge| edge.high == 4).map(|edge| (edge.low, edge.high)).collect();
        assert_eq!(last, [(2, 4), (1, 4)], "{tree:?}");
    }
}
