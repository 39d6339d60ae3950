//! OPTICS: the rows in an order in which clusters of any density are valleys, and the clusters cut out of that order.
//! It finds the number of clusters; rows in none stay noise.
//!
//! Distances come from the condensed table of the shared pass; those of f64 vectors are f64. scikit-learn's rounding to
//! 15 decimals is kept, because ties are made of it.

use std::sync::Arc;

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, Distance, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{
    Cost, Failure, FailureClass, Labels, Matrix, PairNeeds, ParamKind, ParamSpec, Params, Space, Spec,
};
use trailmark_geometry::{GeometryError, condensed_f64, gather_bytes, nearest_rows, pairs_for};

use crate::input::{check_memory, check_min_samples, check_rows, check_table, check_vectors};
use crate::optics_xi::{Plot, Xi, clusters, labels};
use crate::reachability_order::{Order, core_distances};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "optics",
    summary: "clusters as valleys of the reachability plot, cut by steepness (xi) or at one distance (dbscan)",
    reference: "Ankerst, Breunig, Kriegel, Sander 1999, SIGMOD; Schubert, Gertz 2018, LWDA; scikit-learn",
    revision: 1,
    cost: Cost { time: "n_samples^2 * n_features", memory: "2 * n_samples^2" },
    params: &[
        ParamSpec {
            name: "min_samples",
            summary: "users within the core distance of a user, itself counted",
            kind: ParamKind::Integer { min: 2, max: i64::MAX },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "max_eps",
            summary: "users farther apart do not reach each other; left out: no limit",
            kind: ParamKind::Number { min: 0.0, max: f64::INFINITY },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "cluster_method",
            summary: "how clusters are cut out of the plot: by steep ways down and up (xi), or at eps (dbscan)",
            kind: ParamKind::Choice(&["xi", "dbscan"]),
            default: ParamDefault::Text("xi"),
        },
        ParamSpec {
            name: "xi",
            summary: "least relative change of reachability that is steep",
            kind: ParamKind::Number { min: 0.0, max: 0.999 },
            default: ParamDefault::Number(0.05),
        },
        ParamSpec {
            name: "predecessor_correction",
            summary: "whether the last users of a cluster must have been reached from within it (xi)",
            kind: ParamKind::Flag,
            default: ParamDefault::Flag(true),
        },
        ParamSpec {
            name: "min_cluster_size",
            summary: "fewer users are no cluster (xi); left out: min_samples",
            kind: ParamKind::Integer { min: 2, max: i64::MAX },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "eps",
            summary: "the distance of the cut (dbscan), at most max_eps; left out: max_eps",
            kind: ParamKind::Number { min: 0.0, max: f64::INFINITY },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "metric",
            summary: "the distance; cosine is 1 - cosine",
            kind: ParamKind::Choice(&["euclidean", "cosine"]),
            default: ParamDefault::Text("euclidean"),
        },
        ParamSpec {
            name: "max_samples",
            summary: "more training users than this are refused: memory grows with the square, 4 bytes a pair",
            kind: ParamKind::Integer { min: 2, max: 1_000_000 },
            default: ParamDefault::Integer(30_000),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    let real = |name: &str| params.get(name).map(|_| params.number(name));
    let min_samples = params.size("min_samples");
    let max_eps = real("max_eps").unwrap_or(f64::INFINITY);
    let eps = real("eps").unwrap_or(max_eps);
    if eps > max_eps {
        return Err(BuildError(format!(
            "optics cannot cut at eps = {eps:?}: users farther apart than max_eps = {max_eps:?} do not reach each \
             other; lower eps or raise max_eps"
        )));
    }
    let min_cluster_size = params.try_size("min_cluster_size").unwrap_or(min_samples);
    let cut = match params.text("cluster_method") {
        "dbscan" => Cut::Dbscan(eps),
        _ => Cut::Xi(Xi {
            xi: params.number("xi"),
            min_samples,
            min_cluster_size,
            predecessor_correction: params.flag("predecessor_correction"),
        }),
    };
    let distance = match params.text("metric") {
        "cosine" => Distance::Cosine,
        _ => Distance::Euclidean,
    };
    Ok(Box::new(Optics { min_samples, max_eps, cut, distance, max_samples: params.size("max_samples") }))
}

/// How clusters are cut out of the plot.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Xi(Xi),
    Dbscan(f64),
}

struct Optics {
    min_samples: usize,
    max_eps: f64,
    cut: Cut,
    distance: Distance,
    max_samples: usize,
}

impl Optics {
    fn need(&self) -> PairNeeds {
        let n_neighbors = self.min_samples - 1;
        PairNeeds { distance: self.distance, n_neighbors, condensed: true, ..PairNeeds::default() }
    }

    /// Refuses sizes that are beyond what was declared; a pair takes `pair_bytes`.
    fn check_size(&self, n_samples: usize, n_features: usize, pair_bytes: u64, ctx: &Context) -> Result<(), Failure> {
        check_min_samples("optics", n_samples, self.min_samples)?;
        if let Cut::Xi(Xi { min_cluster_size, .. }) = self.cut
            && min_cluster_size > n_samples
        {
            return Err(Failure::bad_input(format!(
                "optics cannot find clusters of {min_cluster_size} among {n_samples} users; lower min_cluster_size"
            )));
        }
        check_table("optics", n_samples, self.max_samples, pair_bytes)?;
        let n = n_samples as u64;
        let single = gather_bytes(n_samples, n_features, &self.need());
        let wide = n * n.saturating_sub(1) / 2 * (pair_bytes - 4);
        let bytes = single + wide + n * (8 * n_features as u64 + 200);
        check_memory(&format!("optics on {n_samples} users"), bytes, ctx)
    }

    fn fit(&self, space: &Space<'_>, ctx: &Context) -> Result<Fitted, Failure> {
        let points = space.points;
        check_vectors(points)?;
        let refuse = |error: GeometryError| Failure::from_error(FailureClass::BadInput, &error);
        let order = match points {
            Points::F32(x) => {
                self.check_size(x.rows(), x.cols(), 4, ctx)?;
                let pairs = pairs_for(space, &self.need(), ctx.threads).map_err(refuse)?;
                let nearest = |i: usize| pairs.neighbors.kth_distance(i, self.min_samples - 1);
                let core = (0..x.rows()).map(|i| nearest(i).map_or(f64::INFINITY, f64::from)).collect();
                Order::new(&pairs.condensed, core, self.max_eps)
            }
            Points::F64(x) => {
                self.check_size(x.rows(), x.cols(), 8, ctx)?;
                let table = condensed_f64(x, self.distance, ctx.threads).map_err(refuse)?;
                let core = core_distances(&table, x.rows(), self.min_samples);
                Order::new(&table, core, self.max_eps)
            }
        };
        let (labels, hierarchy) = self.cut(&order);
        let points = match points {
            Points::F32(x) => Kept::F32(x.clone()),
            Points::F64(x) => Kept::F64(x.clone()),
        };
        let rule = match self.cut {
            Cut::Xi(_) => Rule::WithinCore,
            Cut::Dbscan(eps) => Rule::WithinEps(eps),
        };
        Ok(Fitted::new(points, self.distance, order, Labels(labels).canonical(), hierarchy, rule))
    }

    /// Labels of the rows, and all clusters as first and last place of the order (xi).
    fn cut(&self, order: &Order) -> (Vec<Option<u32>>, Vec<(usize, usize)>) {
        let n = order.ordering.len();
        let mut labels_of_rows = vec![None; n];
        let along = |values: &[f64]| -> Vec<f64> { order.ordering.iter().map(|&row| values[row]).collect() };
        match self.cut {
            Cut::Dbscan(eps) => {
                let mut clusters = 0;
                for &row in &order.ordering {
                    let (far, dense) = (order.reachability[row] > eps, order.core[row] <= eps);
                    clusters += u32::from(far && dense);
                    labels_of_rows[row] = if far && !dense { None } else { clusters.checked_sub(1) };
                }
                (labels_of_rows, Vec::new())
            }
            Cut::Xi(xi) => {
                let mut places = vec![0; n];
                order.ordering.iter().enumerate().for_each(|(place, &row)| places[row] = place);
                let predecessors: Vec<Option<usize>> =
                    order.ordering.iter().map(|&row| order.predecessor[row].map(|from| places[from])).collect();
                let reachability = along(&order.reachability);
                let found = clusters(&Plot { reachability: &reachability, predecessors: &predecessors }, &xi);
                for (&row, label) in order.ordering.iter().zip(labels(n, &found)) {
                    labels_of_rows[row] = label;
                }
                (labels_of_rows, found)
            }
        }
    }
}

impl Clusterer for Optics {
    fn pair_needs(&self, n_samples: usize, n_features: usize, ctx: &Context) -> Vec<PairNeeds> {
        match self.check_size(n_samples, n_features, 4, ctx) {
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
        let partition = |fitted: &Arc<Fitted>| -> Box<dyn Partition> { Box::new(OpticsPartition(Arc::clone(fitted))) };
        points.iter().map(|_| fitted.as_ref().map(partition).map_err(Failure::clone)).collect()
    }
}

/// Training rows as they were given.
enum Kept {
    F32(Matrix<f32>),
    F64(Matrix<f64>),
}

impl Kept {
    fn points(&self) -> Points<'_> {
        match self {
            Self::F32(x) => Points::F32(x),
            Self::F64(x) => Points::F64(x),
        }
    }

    fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::F32(x) => Self::F32(x.select_rows(rows)),
            Self::F64(x) => Self::F64(x.select_rows(rows)),
        }
    }
}

/// How far a new row may be from the row whose cluster it joins.
#[derive(Debug, Clone, Copy)]
enum Rule {
    WithinCore,
    WithinEps(f64),
}

/// What a fit found.
struct Fitted {
    labels: Labels,
    order: Order,
    hierarchy: Vec<(usize, usize)>,
    distance: Distance,
    n_features: usize,
    rule: Rule,
    anchors: Kept,                          // rows that new rows can join
    anchor_labels: Vec<(Option<u32>, f64)>, // (n_anchors,) label, and how far it reaches
}

impl Fitted {
    fn new(
        points: Kept,
        distance: Distance,
        order: Order,
        labels: Labels,
        hierarchy: Vec<(usize, usize)>,
        rule: Rule,
    ) -> Self {
        let reach = |row: usize| match rule {
            Rule::WithinCore => order.core[row],
            Rule::WithinEps(eps) => eps,
        };
        // Rows without a core distance, or of a larger one than eps, pass no label on, as in DBSCAN.
        let is_core = |row: usize| order.core[row].is_finite() && order.core[row] <= reach(row);
        let is_anchor = |&row: &usize| labels.0[row].is_some() && is_core(row);
        let rows: Vec<usize> = (0..labels.len()).filter(is_anchor).collect();
        let anchor_labels = rows.iter().map(|&row| (labels.0[row], reach(row))).collect();
        let n_features = points.points().cols();
        let anchors = points.select(&rows);
        Self { labels, order, hierarchy, distance, n_features, rule, anchors, anchor_labels }
    }
}

struct OpticsPartition(Arc<Fitted>);

impl Partition for OpticsPartition {
    fn labels(&self) -> &Labels {
        &self.0.labels
    }

    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        let fitted = &*self.0;
        check_rows(fitted.n_features, rows)?;
        let nearest = nearest_rows(rows, fitted.anchors.points(), fitted.distance)
            .map_err(|error| Failure::from_error(FailureClass::BadInput, &error))?;
        let label = |found: &Option<(usize, f64)>| {
            let (at, distance) = (*found)?;
            let (label, reach) = fitted.anchor_labels[at];
            label.filter(|_| distance <= reach)
        };
        Ok(Labels(nearest.iter().map(label).collect()))
    }

    fn assignment_rule(&self) -> &'static str {
        match self.0.rule {
            Rule::WithinCore => "the nearest core row in a cluster, within its core distance, else noise",
            Rule::WithinEps(_) => "the nearest core row in a cluster, within eps, else noise",
        }
    }

    fn model(&self) -> Vec<(&'static str, ModelValue)> {
        let Fitted { order, hierarchy, .. } = &*self.0;
        let ordering = order.ordering.iter().map(|&row| row as f64).collect();
        let from = |row: &Option<usize>| row.map_or(-1.0, |row| row as f64);
        let mut table = Matrix::zeros(hierarchy.len(), 2);
        for (at, &(start, end)) in hierarchy.iter().enumerate() {
            table.row_mut(at).copy_from_slice(&[start as f64, end as f64]);
        }
        vec![
            ("ordering", ModelValue::Numbers(ordering)),
            ("reachability", ModelValue::Numbers(order.reachability.clone())),
            ("core_distances", ModelValue::Numbers(order.core.clone())),
            ("predecessor", ModelValue::Numbers(order.predecessor.iter().map(from).collect())),
            ("cluster_hierarchy", ModelValue::Table(table)),
        ]
    }

    fn warnings(&self) -> Vec<String> {
        if self.0.labels.n_clusters() > 0 {
            return Vec::new();
        }
        vec!["no cluster was found, all users are noise; lower min_samples, or raise max_eps or eps".to_owned()]
    }
}
