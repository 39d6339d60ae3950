//! What a partition is worth to a recommender: light recommenders that learn from the clusters of training users, and
//! ranking scores per held-out user.

mod cluster_popularity;
pub mod ranking;

use trailmark_core::contract::Recommender;

pub use cluster_popularity::ClusterPopularity;

/// All recommenders, ascending by name.
pub fn registry() -> Vec<&'static dyn Recommender> {
    vec![&cluster_popularity::ClusterPopularity]
}
