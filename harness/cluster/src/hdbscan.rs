//! HDBSCAN: clusters of any density, rows in none of them stay noise. It finds the number of clusters.
//!
//! Neighbours come from the shared pass, one more pass finds the minimum spanning tree ([`crate::spanning_tree`]), and
//! the condensed tree is as in scikit-learn. Every distance that decides something is made in f64 by differences,
//! whatever the precision of the vectors.
//!
//! Where it differs from scikit-learn 1.9, on purpose: edges of equal mutual reachability are ordered by distance,
//! where scikit-learn takes them as an unstable sort leaves them; `alpha` divides distances but not core distances
//! under both metrics, where scikit-learn's cosine path divides both; `max_cluster_size` counts all rows of the root.

use std::sync::Arc;

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, Distance, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, FailureClass, Labels, PairNeeds, ParamKind, ParamSpec, Params, Space, Spec};
use trailmark_geometry::{gather_bytes, pairs_for};

use crate::approach::Approach;
use crate::condensed_tree::{Choice, Chosen, CondensedTree, Method};
use crate::input::{check_max_samples, check_memory, check_min_samples, check_rows, check_vectors};
use crate::measured::Measured;
use crate::mutual_reachability::{Near, Reach};
use crate::spanning_tree::minimum_spanning_tree;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "hdbscan",
    summary: "clusters of varying density, chosen in the tree of all densities; rows in none are noise",
    reference: "Campello, Moulavi, Zimek, Sander 2015, ACM Trans. Knowl. Discov. Data 10; Malzer, Baum 2020, \
                arXiv 1911.02282; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples^2 * n_features", memory: "n_samples * (20 * n_features + 64 * min_samples)" },
    params: &[
        ParamSpec {
            name: "min_cluster_size",
            summary: "fewer users than this are no cluster",
            kind: ParamKind::Integer { min: 2, max: i64::MAX },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "min_samples",
            summary: "users within the core distance of a user, itself counted; left out: min_cluster_size",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "cluster_selection_method",
            summary: "the most stable clusters of the tree (eom), or those that are not split further (leaf)",
            kind: ParamKind::Choice(&["eom", "leaf"]),
            default: ParamDefault::Text("eom"),
        },
        ParamSpec {
            name: "cluster_selection_epsilon",
            summary: "splits at a smaller distance are undone; 0 keeps all",
            kind: ParamKind::Number { min: 0.0, max: f64::INFINITY },
            default: ParamDefault::Number(0.0),
        },
        ParamSpec {
            name: "max_cluster_size",
            summary: "clusters of more users are not chosen by eom; left out: no limit",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "allow_single_cluster",
            summary: "whether all users may be one cluster",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(false),
        },
        ParamSpec {
            name: "alpha",
            summary: "distances are divided by it before they are compared with core distances",
            kind: ParamKind::Number { min: 0.001, max: f64::INFINITY },
            default: ParamDefault::Number(1.0),
        },
        ParamSpec {
            name: "metric",
            summary: "the distance; cosine is 1 - cosine",
            kind: ParamKind::Choice(&["euclidean", "cosine"]),
            default: ParamDefault::Text("euclidean"),
        },
        ParamSpec {
            name: "max_samples",
            summary: "more training users than this are refused: time grows with the square",
            kind: ParamKind::Integer { min: 2, max: 1_000_000 },
            default: ParamDefault::Integer(200_000),
        },
    ],
};

/// Neighbours kept of every row at least: the more, the fewer edges of the tree are left to the second pass.
const NEIGHBORS: usize = 16;

/// Neighbours kept beyond those that a core distance asks for, so that the rounding of the shared pass, which ranks
/// them, cannot push the right one out.
const SPARE: usize = 4;

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    let min_cluster_size = params.size("min_cluster_size");
    Ok(Box::new(Hdbscan {
        min_cluster_size,
        min_samples: params.try_size("min_samples").unwrap_or(min_cluster_size),
        choice: Choice {
            method: match params.text("cluster_selection_method") {
                "leaf" => Method::Leaf,
                _ => Method::ExcessOfMass,
            },
            epsilon: params.number("cluster_selection_epsilon"),
            max_cluster_size: params.try_size("max_cluster_size"),
            allow_single_cluster: params.flag("allow_single_cluster"),
        },
        alpha: params.number("alpha"),
        distance: match params.text("metric") {
            "cosine" => Distance::Cosine,
            _ => Distance::Euclidean,
        },
        max_samples: params.size("max_samples"),
    }))
}

struct Hdbscan {
    min_cluster_size: usize,
    min_samples: usize,
    choice: Choice,
    alpha: f64,
    distance: Distance,
    max_samples: usize,
}

impl Hdbscan {
    fn need(&self) -> PairNeeds {
        let n_neighbors = (self.min_samples - 1 + SPARE).max(NEIGHBORS);
        PairNeeds { distance: self.distance, n_neighbors, ..PairNeeds::default() }
    }

    /// Refuses sizes that are beyond what was declared.
    fn check_size(&self, n_samples: usize, n_features: usize, ctx: &Context) -> Result<(), Failure> {
        check_min_samples("hdbscan", n_samples, self.min_samples)?;
        check_max_samples("hdbscan", n_samples, self.max_samples)?;
        let need = self.need();
        let (n, width) = (n_samples as u64, n_features as u64);
        let listed = need.n_neighbors.min(n_samples) as u64;
        // The rows in f64 and in f32, distances and edges of the lists, the tree.
        let bytes = gather_bytes(n_samples, n_features, &need) + n * (12 * width + 40 * listed + 400);
        check_memory(&format!("hdbscan on {n_samples} users"), bytes, ctx)
    }

    fn fit(&self, space: &Space<'_>, ctx: &Context) -> Result<Fitted, Failure> {
        let points = space.points;
        check_vectors(points)?;
        self.check_size(points.rows(), points.cols(), ctx)?;
        let data = Measured::new(points, self.distance)?;
        let first_equal = data.first_equal();
        let pairs = pairs_for(space, &self.need(), ctx.threads)
            .map_err(|error| Failure::from_error(FailureClass::BadInput, &error))?;
        let near = Near::new(&data, &pairs.neighbors);
        let core = near.core_distances(self.min_samples, &first_equal);
        let reach = Reach { data: &data, core: &core, alpha: self.alpha };
        let edges = minimum_spanning_tree(&reach, &near, &first_equal, ctx.threads);
        drop(near);
        let tree = CondensedTree::new(&edges, self.min_cluster_size);
        let chosen = Chosen::new(&tree, &self.choice);
        let labels = Labels(chosen.labels(&tree));
        let approach = Approach::new(data, core, self.alpha, self.min_samples);
        Ok(Fitted { labels, tree, chosen, approach })
    }
}

impl Clusterer for Hdbscan {
    fn pair_needs(&self, n_samples: usize, n_features: usize, ctx: &Context) -> Vec<PairNeeds> {
        match self.check_size(n_samples, n_features, ctx) {
            Ok(()) => vec![self.need()],
            Err(_) => Vec::new(),
        }
    }

    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        let fitted = self.fit(space, ctx).map(Arc::new);
        let partition = |fitted: &Arc<Fitted>| -> Box<dyn Partition> { Box::new(HdbscanPartition(Arc::clone(fitted))) };
        points.iter().map(|_| fitted.as_ref().map(partition).map_err(Failure::clone)).collect()
    }
}

/// What a fit found.
struct Fitted {
    labels: Labels,
    tree: CondensedTree,
    chosen: Chosen,
    approach: Approach,
}

struct HdbscanPartition(Arc<Fitted>);

impl Partition for HdbscanPartition {
    fn labels(&self) -> &Labels {
        &self.0.labels
    }

    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        let Fitted { tree, chosen, approach, .. } = &*self.0;
        check_rows(approach.n_features(), rows)?;
        let nearest = approach.nearest(rows)?;
        Ok(Labels(nearest.iter().map(|nearest| chosen.place(tree, nearest.row, 1.0 / nearest.weight)).collect()))
    }

    fn assignment_rule(&self) -> &'static str {
        "the cluster in which the nearest training row by mutual reachability is at that density, else noise \
         (approximate_predict of hdbscan)"
    }

    fn model(&self) -> Vec<(&'static str, ModelValue)> {
        let Fitted { labels, tree, chosen, approach } = &*self.0;
        vec![
            ("probabilities", ModelValue::Numbers(chosen.probabilities(tree))),
            ("outlier_scores", ModelValue::Numbers(tree.outlier_scores())),
            ("cluster_persistence", ModelValue::Numbers(chosen.persistence(tree, &labels.0))),
            ("core_distances", ModelValue::Numbers(approach.core().to_vec())),
            ("condensed_tree", ModelValue::Table(tree.table())),
        ]
    }

    fn warnings(&self) -> Vec<String> {
        if self.0.labels.n_clusters() > 0 {
            return Vec::new();
        }
        vec![
            "no cluster was found, all users are noise; lower min_cluster_size or min_samples, or allow_single_cluster"
                .to_owned(),
        ]
    }
}
