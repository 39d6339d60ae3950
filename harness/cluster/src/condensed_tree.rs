//! From a minimum spanning tree to clusters: the single-linkage tree, the same without the clusters that are too small
//! to count (Campello, Moulavi, Zimek, Sander 2015), the choice of clusters in it, and what follows for every row.
//!
//! Lambda is 1 / distance: clusters are born at a small lambda and rows leave them at larger ones.

use std::collections::VecDeque;

use trailmark_core::Matrix;

use crate::mutual_reachability::{Edge, Sets};

/// A row or a cluster leaving a cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exit {
    /// The cluster that is left: n_samples for the root, n_samples + 1, .. for the others.
    pub(crate) parent: usize,
    /// The row, or the cluster.
    pub(crate) child: usize,
    /// When.
    pub(crate) lambda: f64,
    /// Rows that leave.
    pub(crate) size: usize,
}

/// A cluster of the condensed tree. The root is the first, children come after their parents.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cluster {
    parent: Option<usize>,
    children: Vec<usize>,
    birth: f64,
    death: f64, // largest lambda at which something leaves it
    size: usize,
    stability: f64,
}

/// The condensed tree.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CondensedTree {
    n_samples: usize,
    exits: Vec<Exit>,
    clusters: Vec<Cluster>,
    rows: Vec<(usize, f64)>, // (n_samples,) the cluster a row leaves last, and when
}

/// One merge of the single-linkage tree.
struct Merge {
    left: usize,
    right: usize,
    height: f64,
    size: usize,
}

/// The single-linkage tree of a minimum spanning tree whose edges ascend.
fn single_linkage(edges: &[Edge]) -> Vec<Merge> {
    let n = edges.len() + 1;
    let mut sets = Sets::new(n);
    let mut nodes: Vec<(usize, usize)> = (0..n).map(|row| (row, 1)).collect(); // node and size of the set of a row
    let mut merges = Vec::with_capacity(edges.len());
    for (at, edge) in edges.iter().enumerate() {
        let (left, right) = (nodes[sets.find(edge.low) as usize], nodes[sets.find(edge.high) as usize]);
        let size = left.1 + right.1;
        merges.push(Merge { left: left.0, right: right.0, height: edge.weight, size });
        if let Some(root) = sets.join(edge.low, edge.high) {
            nodes[root as usize] = (n + at, size);
        }
    }
    merges
}

impl CondensedTree {
    /// Condenses a minimum spanning tree whose edges ascend: a split counts where both sides have at least
    /// `min_cluster_size` rows, otherwise the rows of the smaller side leave the cluster.
    pub(crate) fn new(edges: &[Edge], min_cluster_size: usize) -> Self {
        let n = edges.len() + 1;
        let merges = single_linkage(edges);
        let root = Cluster { parent: None, children: Vec::new(), birth: 0.0, death: 0.0, size: n, stability: 0.0 };
        let mut tree = Self { n_samples: n, exits: Vec::new(), clusters: vec![root], rows: vec![(0, 0.0); n] };
        let size = |node: usize| if node < n { 1 } else { merges[node - n].size };
        let mut queue = VecDeque::from([(2 * n - 2, 0)]);
        while let Some((node, cluster)) = queue.pop_front() {
            let Some(merge) = node.checked_sub(n).map(|at| &merges[at]) else { continue };
            let lambda = 1.0 / merge.height;
            let sides = [merge.left, merge.right];
            let split = sides.iter().all(|&side| size(side) >= min_cluster_size);
            for side in sides {
                if split {
                    queue.push_back((side, tree.add_cluster(cluster, lambda, size(side))));
                } else if size(side) >= min_cluster_size {
                    queue.push_back((side, cluster));
                } else {
                    tree.leave(&merges, side, cluster, lambda);
                }
            }
        }
        tree
    }

    fn add_cluster(&mut self, parent: usize, lambda: f64, size: usize) -> usize {
        let child = self.clusters.len();
        self.exit(Exit { parent, child: self.n_samples + child, lambda, size });
        self.clusters[parent].children.push(child);
        let (children, stability) = (Vec::new(), 0.0);
        self.clusters.push(Cluster { parent: Some(parent), children, birth: lambda, death: 0.0, size, stability });
        child
    }

    /// All rows below a node leave a cluster.
    fn leave(&mut self, merges: &[Merge], node: usize, cluster: usize, lambda: f64) {
        let mut queue = VecDeque::from([node]);
        while let Some(node) = queue.pop_front() {
            if let Some(at) = node.checked_sub(self.n_samples) {
                queue.extend([merges[at].left, merges[at].right]);
            } else {
                self.exit(Exit { parent: cluster, child: node, lambda, size: 1 });
                self.rows[node] = (cluster, lambda);
            }
        }
    }

    fn exit(&mut self, exit: Exit) {
        let cluster = &mut self.clusters[exit.parent];
        cluster.stability += (exit.lambda - cluster.birth) * exit.size as f64;
        cluster.death = cluster.death.max(exit.lambda);
        self.exits.push(Exit { parent: self.n_samples + exit.parent, ..exit });
    }

    /// Clusters, the root among them.
    pub(crate) fn n_clusters(&self) -> usize {
        self.clusters.len()
    }

    /// All exits as (parent, child, lambda, size), in the order of the tree from the root.
    pub(crate) fn table(&self) -> Matrix<f64> {
        let mut table = Matrix::zeros(self.exits.len(), 4);
        for (at, exit) in self.exits.iter().enumerate() {
            let line = [exit.parent as f64, exit.child as f64, exit.lambda, exit.size as f64];
            table.row_mut(at).copy_from_slice(&line);
        }
        table
    }

    /// How early every row leaves compared with the densest row below its cluster: GLOSH, (n_samples,), 0 to 1.
    pub(crate) fn outlier_scores(&self) -> Vec<f64> {
        let mut deaths: Vec<f64> = self.clusters.iter().map(|cluster| cluster.death).collect();
        for (at, cluster) in self.clusters.iter().enumerate().rev() {
            if let Some(parent) = cluster.parent {
                deaths[parent] = deaths[parent].max(deaths[at]);
            }
        }
        let score = |&(cluster, lambda): &(usize, f64)| match deaths[cluster] {
            0.0 => 0.0,
            _ if lambda.is_infinite() => 0.0,
            death if death.is_infinite() => 1.0,
            death => (death - lambda) / death,
        };
        self.rows.iter().map(score).collect()
    }
}

/// How clusters are chosen in a condensed tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// The most stable ones of which none is within another.
    ExcessOfMass,
    /// Those that are not split further.
    Leaf,
}

/// Limits of the choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Choice {
    /// The rule.
    pub(crate) method: Method,
    /// Splits at a smaller distance are undone; 0 keeps all.
    pub(crate) epsilon: f64,
    /// Clusters of more rows are not chosen for their stability.
    pub(crate) max_cluster_size: Option<usize>,
    /// Whether all rows may be one cluster.
    pub(crate) allow_single_cluster: bool,
}

/// Chosen clusters, with what follows for the rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    owners: Vec<Option<usize>>, // (n_clusters,) the chosen cluster that holds a cluster of the tree
    names: Vec<Option<u32>>,    // (n_clusters,) label of a chosen cluster
    root_threshold: f64,        // lambda from which a row belongs to the root, where that is chosen
}

impl Chosen {
    /// Chooses clusters and names them by the first row in them.
    pub(crate) fn new(tree: &CondensedTree, choice: &Choice) -> Self {
        let chosen = choose(tree, choice);
        let mut owners = vec![None; tree.n_clusters()];
        for (at, cluster) in tree.clusters.iter().enumerate() {
            owners[at] = if chosen[at] { Some(at) } else { cluster.parent.and_then(|parent| owners[parent]) };
        }
        let root_threshold = if choice.epsilon > 0.0 { 1.0 / choice.epsilon } else { tree.clusters[0].death };
        let mut found = Self { owners, names: vec![None; tree.n_clusters()], root_threshold };
        let mut next = 0;
        for &(cluster, lambda) in &tree.rows {
            if let Some(owner) = found.owner(cluster, lambda)
                && found.names[owner].is_none()
            {
                found.names[owner] = Some(next);
                next += 1;
            }
        }
        found
    }

    /// The chosen cluster of something that leaves a cluster of the tree. Of a chosen root only the dense part is one.
    fn owner(&self, cluster: usize, lambda: f64) -> Option<usize> {
        self.owners[cluster].filter(|&owner| owner > 0 || lambda >= self.root_threshold)
    }

    /// (n_samples,) labels; none for noise.
    pub(crate) fn labels(&self, tree: &CondensedTree) -> Vec<Option<u32>> {
        let label = |&(cluster, lambda): &(usize, f64)| self.names[self.owner(cluster, lambda)?];
        tree.rows.iter().map(label).collect()
    }

    /// (n_samples,) how long a row stays compared with the last to leave its cluster; 0 for noise.
    pub(crate) fn probabilities(&self, tree: &CondensedTree) -> Vec<f64> {
        let probability = |&(cluster, lambda): &(usize, f64)| match self.owner(cluster, lambda) {
            None => 0.0,
            Some(owner) => match tree.clusters[owner].death {
                0.0 => 1.0,
                _ if lambda.is_infinite() => 1.0,
                death => lambda.min(death) / death,
            },
        };
        tree.rows.iter().map(probability).collect()
    }

    /// (n chosen,) by label: stability as a share of what it would be if no row ever left.
    pub(crate) fn persistence(&self, tree: &CondensedTree, labels: &[Option<u32>]) -> Vec<f64> {
        let largest = tree.exits.iter().fold(0.0_f64, |largest, exit| largest.max(exit.lambda));
        let mut named: Vec<(u32, usize)> =
            self.names.iter().enumerate().filter_map(|(at, &name)| Some((name?, at))).collect();
        named.sort_unstable();
        let share = |(name, at): (u32, usize)| {
            let rows = labels.iter().filter(|&&label| label == Some(name)).count();
            if largest.is_infinite() || largest == 0.0 {
                1.0
            } else {
                tree.clusters[at].stability / (rows as f64 * largest)
            }
        };
        named.into_iter().map(share).collect()
    }

    /// Label of a new row that joins `neighbor`, a row of the tree, at `lambda`: the cluster in which the neighbour
    /// then is, if that belongs to a chosen one.
    pub(crate) fn place(&self, tree: &CondensedTree, neighbor: usize, lambda: f64) -> Option<u32> {
        let (mut cluster, last) = tree.rows[neighbor];
        if last > lambda {
            while let Some(parent) = tree.clusters[cluster].parent
                && tree.clusters[cluster].birth >= lambda
            {
                cluster = parent;
            }
        }
        self.names[self.owner(cluster, lambda.min(last))?]
    }
}

/// (n_clusters,) which clusters are chosen.
fn choose(tree: &CondensedTree, choice: &Choice) -> Vec<bool> {
    let mut chosen = match choice.method {
        Method::ExcessOfMass => most_stable(tree, choice),
        Method::Leaf => tree.clusters.iter().map(|cluster| cluster.children.is_empty()).collect(),
    };
    if choice.method == Method::Leaf && tree.n_clusters() == 1 {
        // As in scikit-learn: a tree without a split has no leaves.
        chosen[0] = false;
    }
    let only_root = chosen[0];
    if choice.epsilon > 0.0 && !only_root {
        chosen = undo_small_splits(tree, &chosen, choice);
    }
    chosen
}

fn most_stable(tree: &CondensedTree, choice: &Choice) -> Vec<bool> {
    let first = usize::from(!choice.allow_single_cluster);
    let mut chosen = vec![false; tree.n_clusters()];
    let mut best: Vec<f64> = tree.clusters.iter().map(|cluster| cluster.stability).collect();
    for at in (first..tree.n_clusters()).rev() {
        let cluster = &tree.clusters[at];
        let below: f64 = cluster.children.iter().map(|&child| best[child]).sum();
        let too_large = choice.max_cluster_size.is_some_and(|limit| cluster.size > limit);
        if below > best[at] || too_large {
            best[at] = below;
        } else {
            // Those below it are taken back when the tree is read from the root.
            chosen[at] = true;
        }
    }
    let mut within = vec![false; tree.n_clusters()];
    for (at, cluster) in tree.clusters.iter().enumerate() {
        within[at] = cluster.parent.is_some_and(|parent| within[parent] || chosen[parent]);
        chosen[at] &= !within[at];
    }
    chosen
}

/// Replaces every chosen cluster that was born at a smaller distance than epsilon by the first cluster above it that
/// was not (Malzer and Baum 2020), the root left out unless it may be chosen.
fn undo_small_splits(tree: &CondensedTree, chosen: &[bool], choice: &Choice) -> Vec<bool> {
    let mut kept = vec![false; chosen.len()];
    for at in (0..chosen.len()).filter(|&at| chosen[at]) {
        let mut found = at;
        if 1.0 / tree.clusters[at].birth < choice.epsilon {
            while let Some(parent) = tree.clusters[found].parent {
                if parent == 0 {
                    if choice.allow_single_cluster {
                        found = parent;
                    }
                    break;
                }
                found = parent;
                if 1.0 / tree.clusters[parent].birth > choice.epsilon {
                    break;
                }
            }
        }
        kept[found] = true;
    }
    kept
}
