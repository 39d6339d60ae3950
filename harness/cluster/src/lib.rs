//! Clusterers, one file each: vectors in, a [`Partition`](trailmark_core::contract::Partition) out that can also
//! assign rows it has never seen.
//!
//! A clusterer is a `Spec`, a constructor and a line in [`registry`]. Every one of them is deterministic: draws come
//! from the seed of the sweep point alone, sums are made in a fixed order in f64, and nothing depends on threads.

mod agglomerative;
mod centred;
mod centroids;
mod cophenetic;
mod dendrogram;
mod element;
mod input;
mod kernel;
mod kmeans;
mod linfa_kmeans;
mod linkage;
mod lloyd;
mod members;
mod mini_batch_kmeans;
mod packed;
mod precomputed;
mod search;
mod seeding;
mod soft_kmeans;
mod spherical_kmeans;
mod threads;
mod to_members;
mod tree_partition;
mod width;

pub use kmeans::{LloydFit, lloyd_from_start};
pub use mini_batch_kmeans::MiniBatchKMeans;

use trailmark_core::catalogue::ClustererEntry;
use trailmark_core::contract::NumberOfClusters;

/// All clusterers, ascending by name.
pub fn registry() -> Vec<ClustererEntry> {
    vec![
        ClustererEntry { spec: &agglomerative::SPEC, n_clusters: NumberOfClusters::Asked, build: agglomerative::build },
        ClustererEntry { spec: &kmeans::SPEC, n_clusters: NumberOfClusters::Asked, build: kmeans::build },
        ClustererEntry { spec: &linfa_kmeans::SPEC, n_clusters: NumberOfClusters::Asked, build: linfa_kmeans::build },
        ClustererEntry {
            spec: &mini_batch_kmeans::SPEC,
            n_clusters: NumberOfClusters::Asked,
            build: mini_batch_kmeans::build,
        },
        ClustererEntry { spec: &soft_kmeans::SPEC, n_clusters: NumberOfClusters::Asked, build: soft_kmeans::build },
        ClustererEntry {
            spec: &spherical_kmeans::SPEC,
            n_clusters: NumberOfClusters::Asked,
            build: spherical_kmeans::build,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clusterer_has_a_unique_name_a_reference_and_an_oracle_table() {
        let entries = registry();
        assert!(entries.windows(2).all(|pair| pair[0].spec.name < pair[1].spec.name), "names ascend and are unique");
        for entry in entries {
            assert!(!entry.spec.reference.is_empty(), "{} has no reference", entry.spec.name);
            assert!(!entry.spec.summary.is_empty(), "{} has no summary", entry.spec.name);
            trailmark_kit::oracle("cluster", entry.spec.name);
        }
    }

    #[test]
    fn every_clusterer_can_be_built_from_its_defaults() {
        for entry in registry() {
            let params = trailmark_core::Params::defaults(entry.spec);
            assert!((entry.build)(&params).is_ok(), "{} refuses its own defaults", entry.spec.name);
        }
    }
}
