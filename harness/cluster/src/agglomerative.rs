//! Agglomerative clustering: one tree a sweep, cut at every n_clusters.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, Distance, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{
    Cost, Failure, FailureClass, Labels, Matrix, PairNeeds, ParamKind, ParamSpec, Params, Space, Spec, Stream,
    random::seed,
};
use trailmark_geometry::{condensed_f64, pairs_for};

use crate::centred::Centred;
use crate::centroids::{CentroidPartition, inertia_of, means};
use crate::cophenetic::Correlation;
use crate::dendrogram::Dendrogram;
use crate::element::Element;
use crate::input::{check_memory, check_n_clusters, check_vectors};
use crate::linkage::Linkage;
use crate::members::{MemberPartition, MemberRule};
use crate::precomputed::{self, check_distances};
use crate::to_members::{Members, Vectors};
use crate::tree_partition::{Sampled, Tree, TreePartition};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "agglomerative",
    summary: "agglomerative clustering (seven linkages), one dendrogram cut at every n_clusters",
    reference: "Ward 1963, J. Am. Stat. Assoc. 58 (ward.D2: Murtagh and Legendre 2014, J. Classif. 31); Muellner 2011, \
                arXiv 1109.2378; SciPy's names and heights, kodama's merges",
    revision: 2,
    cost: Cost { time: "n_samples^2 * n_features, once a sweep", memory: "6 * n_samples^2 (8 for vectors in f64)" },
    params: &[
        ParamSpec {
            name: "linkage",
            summary: "distance between clusters; new users go to the nearest centroid (ward, centroid), the nearest \
                      midpoint centre (median), the least mean distance to members (average; weighted: each part of a \
                      merge weighing the same), the least farthest member (complete) or the nearest member (single)",
            kind: ParamKind::Choice(&["ward", "average", "complete", "single", "weighted", "centroid", "median"]),
            default: ParamDefault::Text("ward"),
        },
        ParamSpec {
            name: "metric",
            summary: "distance between users; ward, centroid and median take euclidean only. precomputed is for plain \
                      files: the rows are a symmetric table of distances, new rows their distances to all its samples",
            kind: ParamKind::Choice(&["euclidean", "cosine", "precomputed"]),
            default: ParamDefault::Text("euclidean"),
        },
        ParamSpec {
            name: "max_samples",
            summary: "training users that are linked at most: memory grows with the square",
            kind: ParamKind::Integer { min: 2, max: 1_000_000 },
            default: ParamDefault::Integer(30_000),
        },
        ParamSpec {
            name: "above_max",
            summary: "with more training users: refuse, or subsample: link max_samples of them, drawn by the seed of \
                      the step (the same for every n_clusters), and treat the others as new users",
            kind: ParamKind::Choice(&["refuse", "subsample"]),
            default: ParamDefault::Text("refuse"),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    let word = params.text("linkage");
    let linkage = Linkage::ALL.iter().find(|(name, _)| *name == word).map_or(Linkage::Ward, |(_, linkage)| *linkage);
    let metric = match params.text("metric") {
        "cosine" => Metric::Cosine,
        "precomputed" => Metric::Precomputed,
        _ => Metric::Euclidean,
    };
    if linkage.euclidean_only() && metric != Metric::Euclidean {
        let way_out = match metric {
            Metric::Cosine => {
                "add the post step l2 to the encoder and set metric = \"euclidean\" (of vectors of length 1 the \
                 squared Euclidean distance is twice the cosine distance)"
            }
            _ => "give the vectors with metric = \"euclidean\"",
        };
        return Err(BuildError(format!(
            "agglomerative with linkage = {word:?} works on Euclidean distances, metric = {:?} has others; {way_out}, \
             or take linkage average, complete, single or weighted",
            params.text("metric")
        )));
    }
    Ok(Box::new(Agglomerative {
        linkage,
        metric,
        max_samples: params.size("max_samples"),
        subsample: params.text("above_max") == "subsample",
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metric {
    Euclidean,
    Cosine,
    Precomputed,
}

struct Agglomerative {
    linkage: Linkage,
    metric: Metric,
    max_samples: usize,
    subsample: bool,
}

/// A tree with the vectors that centres and inertia are made of.
struct Fitted<'a> {
    points: Points<'a>,
    tree: Arc<Tree>,
    vectors: Option<Arc<Vectors>>, // the linked samples; none for precomputed distances
}

impl Agglomerative {
    /// Samples that would be linked.
    fn n_linked(&self, n_samples: usize) -> usize {
        if self.subsample { n_samples.min(self.max_samples) } else { n_samples }
    }

    /// Bytes at the peak for that many samples: the condensed distances, what the linkage makes of them, copies of
    /// the vectors, the tree. In f32 the condensed table may be shared with others, so the linkage has its own: a
    /// square in f32, or a condensed one in f64 for centroid and median, whose updates subtract. In f64 the table is
    /// nobody else's and is turned into the square where it lies.
    fn bytes(&self, n_samples: usize, n_features: usize, double: bool) -> u64 {
        let n = n_samples as u64;
        let condensed = n * n.saturating_sub(1) / 2;
        let double = double || self.metric == Metric::Precomputed;
        let pairs = match (double, self.linkage.inverts()) {
            (false, false) => 4 * condensed + 4 * n * n,
            (false, true) => 4 * condensed + 8 * condensed,
            (true, false) => 8 * n * n,
            (true, true) => 8 * condensed,
        };
        let vectors = if self.metric == Metric::Precomputed { 0 } else { 8 * n * n_features as u64 };
        pairs + vectors + 256 * n
    }

    fn check_size(&self, n_samples: usize, n_features: usize, double: bool, ctx: &Context) -> Result<(), Failure> {
        let need = self.bytes(self.n_linked(n_samples), n_features, double);
        if self.n_linked(n_samples) > self.max_samples {
            return Err(Failure::new(
                FailureClass::Oom,
                format!(
                    "agglomerative on {n_samples} users needs {need} bytes, and max_samples limits it to {} users ({} \
                     bytes); raise max_samples, set above_max = \"subsample\", or take fewer users with sample_users",
                    self.max_samples,
                    self.bytes(self.max_samples, n_features, double),
                ),
            ));
        }
        check_memory(&format!("agglomerative on {} users", self.n_linked(n_samples)), need, ctx)
    }

    fn need(&self) -> PairNeeds {
        let distance = if self.metric == Metric::Cosine { Distance::Cosine } else { Distance::Euclidean };
        PairNeeds { distance, condensed: true, ..PairNeeds::default() }
    }

    fn fit<'a>(&self, space: &Space<'a>, ctx: &Context) -> Result<Fitted<'a>, Failure> {
        let points = space.points;
        check_vectors(points)?;
        if self.metric == Metric::Precomputed {
            check_distances(points)?;
        }
        self.check_size(points.rows(), points.cols(), matches!(points, Points::F64(_)), ctx)?;
        let drawn = (points.rows() > self.max_samples).then(|| draw(points.rows(), self.max_samples, ctx.seed));
        let fitted = match &drawn {
            None => self.link(space, ctx)?,
            Some(_) if self.metric == Metric::Precomputed => self.link_given(points, drawn.as_deref())?,
            Some(rows) => match points {
                Points::F32(x) => self.link(&Space::of(&x.select_rows(rows)), ctx)?,
                Points::F64(x) => self.link(&Space::of(&x.select_rows(rows)), ctx)?,
            },
        };
        let (dendrogram, members, vectors, correlation) = fitted;
        let tree = Tree { dendrogram, members: Arc::new(members), correlation, inverts: self.linkage.inverts(), drawn };
        Ok(Fitted { points, tree: Arc::new(tree), vectors })
    }

    /// Links vectors, all of them.
    fn link(&self, space: &Space<'_>, ctx: &Context) -> Result<Linked, Failure> {
        if self.metric == Metric::Precomputed {
            return self.link_given(space.points, None);
        }
        let n = space.points.rows();
        let dendrogram = match space.points {
            Points::F64(x) => {
                let distances = condensed_f64(x, self.need().distance, ctx.threads).map_err(bad_input)?;
                Dendrogram::link(Cow::Owned(distances), n, self.linkage)?
            }
            Points::F32(_) => {
                let distances = match pairs_for(space, &self.need(), ctx.threads).map_err(bad_input)? {
                    Cow::Borrowed(pairs) => Cow::Borrowed(pairs.condensed.as_slice()),
                    Cow::Owned(pairs) => Cow::Owned(pairs.condensed),
                };
                if self.linkage.inverts() {
                    let wide: Vec<f64> = distances.iter().map(|distance| f64::from(*distance)).collect();
                    drop(distances);
                    Dendrogram::link(Cow::Owned(wide), n, self.linkage)?
                } else {
                    Dendrogram::link(distances, n, self.linkage)?
                }
            }
        };
        let vectors = Arc::new(Vectors::new(space.points));
        let members = match self.metric {
            Metric::Cosine => Members::Cosine(Vectors::directions(space.points)?),
            _ => Members::Euclidean(Arc::clone(&vectors)),
        };
        Ok((dendrogram, members, Some(vectors), OnceLock::new()))
    }

    /// Links by given distances, which are not kept: their correlation with the heights is taken now.
    fn link_given(&self, table: Points<'_>, drawn: Option<&[usize]>) -> Result<Linked, Failure> {
        let columns = drawn.map_or_else(|| (0..table.rows()).collect(), <[usize]>::to_vec);
        let condensed = precomputed::condensed(table, &columns);
        let dendrogram = Dendrogram::link(Cow::Owned(condensed), columns.len(), self.linkage)?;
        let mut correlation = Correlation::new(&dendrogram);
        for &row in &columns {
            let distances: Vec<f64> = columns.iter().map(|&column| precomputed::distance(table, row, column)).collect();
            correlation.add(&distances);
        }
        let correlation = OnceLock::from(correlation.value());
        Ok((dendrogram, Members::Given { width: table.cols(), columns }, None, correlation))
    }
}

/// A tree, its samples, their vectors, and the correlation where it is known.
type Linked = (Dendrogram, Members, Option<Arc<Vectors>>, OnceLock<Option<f64>>);

fn bad_input(error: impl std::error::Error + 'static) -> Failure {
    Failure::from_error(FailureClass::BadInput, &error)
}

/// The rows to link, ascending: a draw without replacement that knows nothing of n_clusters.
fn draw(n_samples: usize, n_drawn: usize, step_seed: u64) -> Vec<usize> {
    let mut stream = Stream::new(seed(step_seed, "agglomerative rows", &[]));
    let mut rows: Vec<usize> = (0..n_samples).collect();
    for at in 0..n_drawn {
        let other = at + stream.below(n_samples - at);
        rows.swap(at, other);
    }
    rows.truncate(n_drawn);
    rows.sort_unstable();
    rows
}

impl Fitted<'_> {
    fn cut(&self, linkage: Linkage, n_clusters: usize) -> Result<Box<dyn Partition>, Failure> {
        let dendrogram = &self.tree.dendrogram;
        check_n_clusters(dendrogram.n_samples(), n_clusters)?;
        let labels = dendrogram.cut(n_clusters);
        let by_members = |labels: Vec<u32>, rule| -> Box<dyn Partition> {
            let inertia = self.vectors.as_ref().map(|vectors| inertia_about_means(vectors, &labels, n_clusters));
            Box::new(MemberPartition::new(Arc::clone(&self.tree.members), labels, n_clusters, rule, inertia))
        };
        let by_centres = |weights: Option<&[f64]>| match self.vectors.as_deref() {
            Some(Vectors::Single(data)) => Ok(centred_cut(data, labels.clone(), weights, n_clusters)),
            Some(Vectors::Double(data)) => Ok(centred_cut(data, labels.clone(), weights, n_clusters)),
            None => Err(Failure::bug("centres need vectors, and there are none")),
        };
        let inner: Box<dyn Partition> = match linkage {
            Linkage::Ward | Linkage::Centroid => Box::new(by_centres(None)?),
            Linkage::Median => Box::new(by_centres(Some(&dendrogram.halved_weights(n_clusters)))?),
            Linkage::Average => by_members(labels, MemberRule::LeastMean),
            Linkage::Weighted => {
                by_members(labels, MemberRule::LeastWeightedMean(dendrogram.halved_weights(n_clusters)))
            }
            Linkage::Complete => by_members(labels, MemberRule::LeastFarthest),
            Linkage::Single => by_members(labels, MemberRule::Nearest),
        };
        let sampled = match &self.tree.drawn {
            Some(drawn) => Some(self.assign_the_others(&*inner, drawn, n_clusters)?),
            None => None,
        };
        Ok(Box::new(TreePartition { inner, tree: Arc::clone(&self.tree), sampled }))
    }

    /// Labels of all rows: the tree's where they were linked, those of the assignment rule elsewhere.
    fn assign_the_others(&self, inner: &dyn Partition, drawn: &[usize], n_clusters: usize) -> Result<Sampled, Failure> {
        let n = self.points.rows();
        let mut linked = vec![None; n];
        for (at, &row) in drawn.iter().enumerate() {
            linked[row] = Some(at);
        }
        let others: Vec<usize> = (0..n).filter(|&row| linked[row].is_none()).collect();
        let assigned = match self.points {
            Points::F32(x) => inner.assign((&x.select_rows(&others)).into())?,
            Points::F64(x) => inner.assign((&x.select_rows(&others)).into())?,
        };
        let mut assigned = assigned.0.into_iter();
        let labels: Vec<Option<u32>> = linked
            .into_iter()
            .map(|at| match at {
                Some(at) => inner.labels().0[at],
                None => assigned.next().flatten(),
            })
            .collect();
        let labels = Labels(labels);
        let inertia = self.vectors.as_ref().map(|_| {
            let names: Vec<u32> = labels.0.iter().map(|label| label.unwrap_or_default()).collect();
            inertia_about_means(&Vectors::new(self.points), &names, n_clusters)
        });
        Ok(Sampled { labels, inertia })
    }
}

/// Sum of squared distances to the mean of the own cluster. Every label below `n_clusters` occurs.
fn inertia_about_means(vectors: &Vectors, labels: &[u32], n_clusters: usize) -> f64 {
    match vectors {
        Vectors::Single(data) => inertia_of(&data.x, labels, &means(&data.x, labels, n_clusters)),
        Vectors::Double(data) => inertia_of(&data.x, labels, &means(&data.x, labels, n_clusters)),
    }
}

/// A cut whose new rows go to the nearest mean, or to the nearest centre that the rows make with these weights. Its
/// inertia is about the means in both cases, so that linkages can be compared.
fn centred_cut<T: Element>(
    data: &Centred<T>,
    labels: Vec<u32>,
    weights: Option<&[f64]>,
    n_clusters: usize,
) -> CentroidPartition {
    let centres = weights.map(|weights| {
        let mut sums = Matrix::<f64>::zeros(n_clusters, data.n_features());
        for ((row, &label), weight) in data.x.iter_rows().zip(&labels).zip(weights) {
            for (sum, value) in sums.row_mut(label as usize).iter_mut().zip(row) {
                *sum += weight * value.to_f64();
            }
        }
        sums
    });
    let partition = CentroidPartition::of_labels(data, labels, n_clusters);
    match centres {
        Some(centres) => partition.with_centres(centres, "nearest midpoint centre"),
        None => partition,
    }
}

impl Clusterer for Agglomerative {
    fn pair_needs(&self, n_samples: usize, n_features: usize, ctx: &Context) -> Vec<PairNeeds> {
        let shared = self.metric != Metric::Precomputed
            && n_samples <= self.max_samples
            && self.check_size(n_samples, n_features, false, ctx).is_ok();
        if shared { vec![self.need()] } else { Vec::new() }
    }

    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        match self.fit(space, ctx) {
            Ok(fitted) => points
                .iter()
                .map(|point| point.asked().and_then(|n_clusters| fitted.cut(self.linkage, n_clusters)))
                .collect(),
            Err(failure) => points.iter().map(|_| Err(failure.clone())).collect(),
        }
    }
}
