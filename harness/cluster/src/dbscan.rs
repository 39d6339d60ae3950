//! DBSCAN: clusters are what core samples within `eps` of each other make, the rest is border or noise.
//!
//! Two passes over all pairs, in memory linear in the samples. The first counts neighbours, or makes the k-distance
//! curve that tells `eps`; in a sweep it is the pass that all clusterers of a group share. The second unites. Alone, with
//! `eps` given, one pass does both unless too many pairs are within `eps`.

use std::sync::Arc;

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, Distance, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{
    Cost, Failure, FailureClass, Labels, Matrix, PairNeeds, ParamKind, ParamSpec, ParamValue, Params, Space, Spec,
};
use trailmark_geometry::{GeometryError, gather_bytes, k_distances, nearest_rows, pairs_for};

use crate::dbscan_links::{link, link_bytes, survey};
use crate::input::{check_memory, check_rows, check_vectors};

/// Pairs within eps are kept while they take no more than this.
const PAIR_BYTES: u64 = 128 << 20;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "dbscan",
    summary: "density clusters of any shape with noise; finds n_clusters; new users take the label of the nearest core \
              sample within eps, else they are noise",
    reference: "Ester, Kriegel, Sander, Xu 1996, KDD; parameters and numbering as scikit-learn's DBSCAN",
    revision: 1,
    cost: Cost { time: "n_samples^2 * n_features", memory: "n_samples * (8 * n_features + 8 * min_samples)" },
    params: &[
        ParamSpec {
            name: "eps",
            summary: "radius of a neighbourhood, inclusive; left out, it is the knee of the curve of distances to the \
                      neighbour number min_samples - 1, and a warning says which",
            kind: ParamKind::Number { min: 0.0, max: f64::MAX },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "min_samples",
            summary: "samples within eps that make a sample a core sample, itself counted",
            kind: ParamKind::Integer { min: 1, max: 1_000_000 },
            default: ParamDefault::Integer(5),
        },
        ParamSpec {
            name: "metric",
            summary: "distance between samples",
            kind: ParamKind::Choice(&["euclidean", "cosine"]),
            default: ParamDefault::Text("euclidean"),
        },
        ParamSpec {
            name: "max_samples",
            summary: "more training users than this are refused: time grows with the square",
            kind: ParamKind::Integer { min: 2, max: 4_000_000 },
            default: ParamDefault::Integer(250_000),
        },
    ],
};

/// Makes the clusterer.
pub(crate) fn build(params: &Params) -> Result<Box<dyn Clusterer>, BuildError> {
    let distance = match params.text("metric") {
        "cosine" => Distance::Cosine,
        _ => Distance::Euclidean,
    };
    let eps = params.get("eps").map(|value| match value {
        ParamValue::Integer(_) | ParamValue::Number(_) => Ok(params.number("eps")),
        other => Err(BuildError(format!("eps is {other}, which is no number"))),
    });
    Ok(Box::new(Dbscan {
        eps: eps.transpose()?,
        min_samples: params.size("min_samples"),
        distance,
        max_samples: params.size("max_samples"),
    }))
}

struct Dbscan {
    eps: Option<f64>,
    min_samples: usize,
    distance: Distance,
    max_samples: usize,
}

impl Dbscan {
    /// The neighbour, itself not counted, whose distance makes a core sample; the first where every sample is one.
    fn neighbor(&self) -> usize {
        (self.min_samples - 1).max(1)
    }

    fn need(&self) -> PairNeeds {
        let need = PairNeeds { distance: self.distance, ..PairNeeds::default() };
        match self.eps {
            Some(eps) => PairNeeds { radii: vec![eps], ..need },
            None => PairNeeds { n_neighbors: self.neighbor(), ..need },
        }
    }

    fn check_size(&self, n_samples: usize, n_features: usize, ctx: &Context) -> Result<(), Failure> {
        let pairs = |n: usize| n as u64 * (n as u64).saturating_sub(1) / 2;
        if n_samples > self.max_samples {
            return Err(Failure::new(
                FailureClass::Timeout,
                format!(
                    "dbscan on {n_samples} users compares {} pairs twice, and max_samples limits it to {} users ({} \
                     pairs); raise max_samples, or take fewer users with sample_users",
                    pairs(n_samples),
                    self.max_samples,
                    pairs(self.max_samples),
                ),
            ));
        }
        check_memory(&format!("dbscan on {n_samples} users"), self.bytes(n_samples, n_features), ctx)
    }

    fn fit(&self, space: &Space<'_>, ctx: &Context) -> Result<Fitted, Failure> {
        check_vectors(space.points)?;
        let (n, d) = (space.points.rows(), space.points.cols());
        self.check_size(n, d, ctx)?;
        let (eps, core, labels) = self.partition(space, ctx).map_err(|error| refused(&error))?;
        let cores: Vec<usize> = (0..n).filter(|&row| core[row]).collect();
        Ok(Fitted {
            eps,
            found: self.eps.is_none(),
            min_samples: self.min_samples,
            distance: self.distance,
            n_features: d,
            samples: match space.points {
                Points::F32(x) => Samples::F32(x.select_rows(&cores)),
                Points::F64(x) => Samples::F64(x.select_rows(&cores)),
            },
            cores,
            labels,
        })
    }

    /// The radius, (n_samples,) whether a sample has min_samples within it, itself counted, and the labels.
    fn partition(&self, space: &Space<'_>, ctx: &Context) -> Result<(f64, Vec<bool>, Labels), GeometryError> {
        let (points, n) = (space.points, space.points.rows());
        let (eps, core) = match self.eps {
            Some(eps) => {
                let counts = space.pairs(&self.need()).and_then(|pairs| pairs.counts_within(eps));
                (eps, counts.map(|counts| self.core(counts)))
            }
            None => {
                let k = self.neighbor();
                let pairs = pairs_for(space, &self.need(), ctx.threads)?;
                let eps = knee(&k_distances(&pairs, k.min(n.saturating_sub(1))));
                // Distances in a table are f32: all there is of f32 points, but rounded of f64 points.
                let known = matches!(points, Points::F32(_)) && n > k && self.min_samples > 1;
                let within = |row| pairs.neighbors.kth_distance(row, k).is_some_and(|d| f64::from(d) <= eps);
                (eps, known.then(|| (0..n).map(within).collect()))
            }
        };
        if let Some(core) = core {
            let labels = link(points, self.distance, &core, eps, ctx.threads)?;
            return Ok((eps, core, labels));
        }
        let room = ctx.memory_bytes.saturating_sub(self.bytes(n, points.cols())).min(PAIR_BYTES);
        let kept = usize::try_from(room / 16).unwrap_or(usize::MAX); // held twice at the end, 8 bytes each
        let seen = survey(points, self.distance, eps, kept, ctx.threads)?;
        let core: Vec<bool> = self.core(&seen.counts);
        let labels = match seen.labels(&core) {
            Some(labels) => labels,
            None => link(points, self.distance, &core, eps, ctx.threads)?,
        };
        Ok((eps, core, labels))
    }

    /// (n_samples,) whether so many others within eps make a core sample.
    fn core(&self, counts: &[u32]) -> Vec<bool> {
        counts.iter().map(|&count| count as usize + 1 >= self.min_samples).collect()
    }

    /// Bytes needed, beside the pairs within eps that are kept when there is room.
    fn bytes(&self, n_samples: usize, n_features: usize) -> u64 {
        let first = gather_bytes(n_samples, n_features, &self.need());
        let second = gather_bytes(n_samples, n_features, &PairNeeds::default());
        first.max(second + link_bytes(n_samples, self.min_samples))
    }
}

fn refused(error: &GeometryError) -> Failure {
    Failure::from_error(FailureClass::BadInput, error)
}

/// The value of an ascending curve where it lies farthest below its chord, the lowest place among equals, after values of
/// 0 (duplicates) are left out; 0 when nothing is left.
fn knee(curve: &[f32]) -> f64 {
    let positive: Vec<f64> = curve.iter().map(|&value| f64::from(value)).filter(|value| *value > 0.0).collect();
    let (Some(&first), Some(&last)) = (positive.first(), positive.last()) else { return 0.0 };
    let steps = (positive.len() - 1) as f64;
    let mut best = (f64::NEG_INFINITY, first);
    for (at, &value) in positive.iter().enumerate() {
        let below = at as f64 * (last - first) - (value - first) * steps;
        if below > best.0 {
            best = (below, value);
        }
    }
    best.1
}

impl Clusterer for Dbscan {
    fn pair_needs(&self, n_samples: usize, n_features: usize, ctx: &Context) -> Vec<PairNeeds> {
        if self.eps.is_some() && self.min_samples == 1 || self.check_size(n_samples, n_features, ctx).is_err() {
            return Vec::new();
        }
        vec![self.need()]
    }

    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        let fitted = self.fit(space, ctx).map(Arc::new);
        let partition = |point: &SweepPoint| -> Result<Box<dyn Partition>, Failure> {
            match point.n_clusters {
                None => Ok(Box::new(DbscanPartition(Arc::clone(fitted.as_ref().map_err(Clone::clone)?)))),
                Some(_) => Err(Failure::bug("dbscan finds n_clusters, and was given one")),
            }
        };
        points.iter().map(partition).collect()
    }
}

/// Core samples in the precision they were given in.
enum Samples {
    F32(Matrix<f32>),
    F64(Matrix<f64>),
}

struct Fitted {
    eps: f64,
    found: bool, // eps was not given
    min_samples: usize,
    distance: Distance,
    n_features: usize,
    samples: Samples,  // (n_core, n_features)
    cores: Vec<usize>, // (n_core,) their rows, ascending
    labels: Labels,
}

struct DbscanPartition(Arc<Fitted>);

impl Partition for DbscanPartition {
    fn labels(&self) -> &Labels {
        &self.0.labels
    }

    fn assign(&self, rows: Points<'_>) -> Result<Labels, Failure> {
        let Fitted { eps, distance, samples, cores, labels, .. } = &*self.0;
        check_rows(self.0.n_features, rows)?;
        if cores.is_empty() {
            return Ok(Labels(vec![None; rows.rows()]));
        }
        let (of, rounded) = match samples {
            Samples::F32(x) => (Points::F32(x), matches!(rows, Points::F32(_))),
            Samples::F64(x) => (Points::F64(x), false),
        };
        let nearest = nearest_rows(rows, of, *distance).map_err(|error| refused(&error))?;
        let reach = if rounded { f64::from(narrow(*eps)) } else { *eps };
        let label = |found: Option<(usize, f64)>| match found {
            Some((at, distance)) if distance <= reach => labels.0[cores[at]],
            _ => None,
        };
        Ok(Labels(nearest.into_iter().map(label).collect()))
    }

    fn assignment_rule(&self) -> &'static str {
        "nearest core sample within eps, else noise"
    }

    fn model(&self) -> Vec<(&'static str, ModelValue)> {
        let fitted = &*self.0;
        let rule = if fitted.found { "knee of the k-distance curve" } else { "given" };
        vec![
            ("eps", ModelValue::Number(fitted.eps)),
            ("eps_rule", ModelValue::Text(rule.to_owned())),
            ("min_samples", ModelValue::Count(fitted.min_samples as u64)),
            ("metric", ModelValue::Text(fitted.distance.name().to_owned())),
            ("n_clusters", ModelValue::Count(fitted.labels.n_clusters() as u64)),
            ("n_noise", ModelValue::Count(fitted.labels.n_noise() as u64)),
            ("core_sample_indices", ModelValue::Numbers(fitted.cores.iter().map(|&row| row as f64).collect())),
        ]
    }

    fn warnings(&self) -> Vec<String> {
        let Fitted { eps, found, min_samples, labels, .. } = &*self.0;
        let mut warnings = Vec::new();
        if *found {
            let k = (min_samples - 1).max(1);
            warnings.push(format!("eps is {eps:.6}, the knee of the distances to neighbour {k}; set eps to fix it"));
        }
        match labels.n_clusters() {
            0 => warnings.push(format!("all users are noise at eps = {eps:.6}; raise eps or lower min_samples")),
            1 => warnings.push(format!(
                "all users but {} of noise are in one cluster at eps = {eps:.6}; lower eps or raise min_samples",
                labels.n_noise()
            )),
            _ => {}
        }
        warnings
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a radius is rounded as the distances it is compared with")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_knee_is_where_the_curve_lies_farthest_below_its_chord() {
        assert_eq!(knee(&[1.0, 1.1, 1.2, 1.3, 5.0, 9.0]), f64::from(1.3_f32));
        assert_eq!(knee(&[0.0, 0.0, 1.0, 1.1, 1.2, 1.3, 5.0, 9.0]), f64::from(1.3_f32), "duplicates are left out");
        assert_eq!(knee(&[2.0, 2.0, 2.0]), 2.0, "a flat curve has one value");
        assert_eq!(knee(&[1.0, 2.0, 3.0]), 1.0, "a straight curve has no knee: the least");
        assert_eq!((knee(&[0.0, 0.0]), knee(&[])), (0.0, 0.0), "nothing but duplicates");
    }
}
