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
mod cophenetic;
mod dbscan;
mod dbscan_links;
mod dendrogram;
mod element;
mod gaussian_mixture;
mod hdbscan;
mod input;
mod kernel;
mod kmeans;
mod linfa_dbscan;
mod linfa_gaussian_mixture;
mod linfa_kmeans;
mod linkage;
mod lloyd;
mod measured;
mod members;
mod mini_batch_kmeans;
mod mixture;
mod mixture_partition;
mod mutual_reachability;
mod optics;
mod optics_xi;
mod packed;
mod precomputed;
mod reachability_order;
mod search;
mod seeding;
mod shorter_edges;
mod sieve;
mod soft_kmeans;
mod spanning_tree;
mod spherical_kmeans;
mod threads;
mod to_members;
mod tree_partition;
mod width;

pub use gaussian_mixture::gaussian_mixture_from;
pub use kmeans::{LloydFit, lloyd_from_start};
pub use mini_batch_kmeans::MiniBatchKMeans;
pub use mixture::{CovarianceType, MixtureParameters, MixtureStop};

use trailmark_core::catalogue::ClustererEntry;
use trailmark_core::contract::NumberOfClusters::{Asked, Found};

/// All clusterers, ascending by name.
pub fn registry() -> Vec<ClustererEntry> {
    vec![
        ClustererEntry { spec: &agglomerative::SPEC, n_clusters: Asked, build: agglomerative::build },
        ClustererEntry { spec: &dbscan::SPEC, n_clusters: Found, build: dbscan::build },
        ClustererEntry { spec: &gaussian_mixture::SPEC, n_clusters: Asked, build: gaussian_mixture::build },
        ClustererEntry { spec: &hdbscan::SPEC, n_clusters: Found, build: hdbscan::build },
        ClustererEntry { spec: &kmeans::SPEC, n_clusters: Asked, build: kmeans::build },
        ClustererEntry { spec: &linfa_dbscan::SPEC, n_clusters: Found, build: linfa_dbscan::build },
        ClustererEntry { spec: &linfa_gaussian_mixture::SPEC, n_clusters: Asked, build: linfa_gaussian_mixture::build },
        ClustererEntry { spec: &linfa_kmeans::SPEC, n_clusters: Asked, build: linfa_kmeans::build },
        ClustererEntry { spec: &mini_batch_kmeans::SPEC, n_clusters: Asked, build: mini_batch_kmeans::build },
        ClustererEntry { spec: &optics::SPEC, n_clusters: Found, build: optics::build },
        ClustererEntry { spec: &soft_kmeans::SPEC, n_clusters: Asked, build: soft_kmeans::build },
        ClustererEntry { spec: &spherical_kmeans::SPEC, n_clusters: Asked, build: spherical_kmeans::build },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::spec::{ParamDefault, ParamValue};

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
            let mut params = trailmark_core::Params::defaults(entry.spec);
            for param in entry.spec.params.iter().filter(|param| param.default == ParamDefault::Required) {
                params.set(param.name, ParamValue::Number(1.0)); // the only required ones are radii
            }
            assert!((entry.build)(&params).is_ok(), "{} refuses its own defaults", entry.spec.name);
        }
    }
}
