//! Agglomerative clustering in Euclidean distance: one dendrogram per sweep, cut at every n_clusters.

use std::sync::Arc;

use kodama::Method;
use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Clusterer, Context, Partition, SweepPoint};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Failure, FailureClass, Matrix, ParamKind, ParamSpec, Params, Space, Spec};
use trailmark_geometry::condensed_euclidean;

use crate::centred::Centred;
use crate::centroids::CentroidPartition;
use crate::dendrogram::Dendrogram;
use crate::input::{check_memory, check_n_clusters, check_vectors};
use crate::members::{MemberPartition, MemberRule};

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "agglomerative",
    summary: "agglomerative clustering (Ward, average, complete, single), one dendrogram cut at every n_clusters",
    reference: "Ward 1963, J. Am. Stat. Assoc. 58 (ward.D2: Murtagh and Legendre 2014, J. Classif. 31); Muellner 2011, \
                arXiv 1109.2378, through kodama",
    revision: 1,
    cost: Cost { time: "n_samples^2 * n_features, once a sweep", memory: "2 * n_samples^2" },
    params: &[
        ParamSpec {
            name: "linkage",
            summary: "distance between clusters; new users go to the nearest centroid (ward), least mean distance \
                      (average), least farthest member (complete) or nearest member (single)",
            kind: ParamKind::Choice(&["ward", "average", "complete", "single"]),
            default: ParamDefault::Text("ward"),
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
    let linkage = match params.text("linkage") {
        "average" => Linkage::Average,
        "complete" => Linkage::Complete,
        "single" => Linkage::Single,
        _ => Linkage::Ward,
    };
    Ok(Box::new(Agglomerative { linkage, max_samples: params.size("max_samples") }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Linkage {
    Ward,
    Average,
    Complete,
    Single,
}

impl Linkage {
    fn method(self) -> Method {
        match self {
            Self::Ward => Method::Ward,
            Self::Average => Method::Average,
            Self::Complete => Method::Complete,
            Self::Single => Method::Single,
        }
    }
}

struct Agglomerative {
    linkage: Linkage,
    max_samples: usize,
}

/// Bytes of the condensed distances, the centred copy and the tree.
fn memory_needed(x: &Matrix<f32>) -> u64 {
    let (n, width) = (x.rows() as u64, x.cols() as u64);
    2 * n * n.saturating_sub(1) + n * (4 * width + 128)
}

impl Agglomerative {
    fn check(&self, x: &Matrix<f32>, ctx: &Context) -> Result<(), Failure> {
        check_vectors(x)?;
        let need = memory_needed(x);
        if x.rows() > self.max_samples {
            return Err(Failure::new(
                FailureClass::Oom,
                format!(
                    "agglomerative on {} users needs {need} bytes, and max_samples limits it to {} users ({} bytes); \
                     raise max_samples, or take fewer users with sample_users",
                    x.rows(),
                    self.max_samples,
                    2 * self.max_samples as u64 * (self.max_samples as u64 - 1),
                ),
            ));
        }
        check_memory(&format!("agglomerative on {} users", x.rows()), need, ctx)
    }
}

impl Clusterer for Agglomerative {
    fn fit_sweep(
        &self,
        space: &Space<'_>,
        points: &[SweepPoint],
        ctx: &Context,
    ) -> Vec<Result<Box<dyn Partition>, Failure>> {
        let x = &*space.points.to_f32();
        if let Err(failure) = self.check(x, ctx) {
            return points.iter().map(|_| Err(failure.clone())).collect();
        }
        let data = Arc::new(Centred::new(x));
        let tree = Dendrogram::link(condensed_euclidean(x), x.rows(), self.linkage.method());
        points
            .iter()
            .map(|point| {
                let n_clusters = point.asked()?;
                check_n_clusters(x.rows(), n_clusters)?;
                let labels = tree.cut(n_clusters);
                let by_members = |labels, rule| -> Box<dyn Partition> {
                    Box::new(MemberPartition::new(Arc::clone(&data), labels, n_clusters, rule))
                };
                Ok(match self.linkage {
                    Linkage::Ward => Box::new(CentroidPartition::of_labels(&data, labels, n_clusters)),
                    Linkage::Average => by_members(labels, MemberRule::LeastMean),
                    Linkage::Complete => by_members(labels, MemberRule::LeastFarthest),
                    Linkage::Single => by_members(labels, MemberRule::Nearest),
                })
            })
            .collect()
    }
}
