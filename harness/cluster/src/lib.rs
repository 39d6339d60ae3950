//! Clusterers, one file each: vectors in, a [`Partition`](trailmark_core::contract::Partition) out that can also
//! assign rows it has never seen.
//!
//! A clusterer is a `Spec`, a constructor and a line in [`registry`]. Every one of them is deterministic: draws come
//! from the seed of the sweep point alone, sums are made in a fixed order in f64, and nothing depends on threads.

mod agglomerative;
mod approach;
mod centred;
mod centroids;
mod condensed_tree;
mod dendrogram;
mod hdbscan;
mod input;
mod kernel;
mod kmeans;
mod linfa_kmeans;
mod lloyd;
mod measured;
mod members;
mod mutual_reachability;
mod optics;
mod optics_xi;
mod reachability_order;
mod seeding;
mod shorter_edges;
mod sieve;
mod spanning_tree;
mod to_members;

use trailmark_core::catalogue::ClustererEntry;
use trailmark_core::contract::NumberOfClusters;

/// All clusterers, ascending by name.
pub fn registry() -> Vec<ClustererEntry> {
    vec![
        ClustererEntry { spec: &agglomerative::SPEC, n_clusters: NumberOfClusters::Asked, build: agglomerative::build },
        ClustererEntry { spec: &hdbscan::SPEC, n_clusters: NumberOfClusters::Found, build: hdbscan::build },
        ClustererEntry { spec: &kmeans::SPEC, n_clusters: NumberOfClusters::Asked, build: kmeans::build },
        ClustererEntry { spec: &linfa_kmeans::SPEC, n_clusters: NumberOfClusters::Asked, build: linfa_kmeans::build },
        ClustererEntry { spec: &optics::SPEC, n_clusters: NumberOfClusters::Found, build: optics::build },
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
