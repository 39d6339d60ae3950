//! Arithmetic that clusterers and internal metrics share: distances by blocks, one streamed pass over all pairs that
//! feeds neighbours, counts and condensed distances, another that sums distances per cluster for many partitions,
//! centroids. It knows no algorithm and no metric.
//!
//! Precision. Vectors in f32 go through f32 products of centred blocks; distances that are small against the norms are
//! recomputed from differences, and every sum is f64. Narrow vectors in f32, and all in f64 (plain files, oracles), are
//! compared by differences throughout. Shapes of products are fixed and each runs on one thread, so a number depends
//! neither on the number of threads nor on what else is computed in the same pass.

mod centroids;
mod closed;
mod condensed;
mod cross;
mod differences;
mod error;
mod gather;
mod grouping;
mod nearest;
mod pairs;
mod pass;
mod passes;
mod products;
mod sums;
mod tiles;
mod widths;

pub use centroids::{Centroids, squared_distance};
pub use condensed::{condensed, condensed_euclidean, condensed_f64};
pub use cross::nearest_rows;
pub use error::GeometryError;
pub use gather::{gather, gather_bytes, k_distances, pairs_for};
pub use grouping::Grouping;
pub use pairs::{Block, PairVisitor, visit_pairs};
pub use passes::passes;
pub use sums::{RowSums, cluster_sums};
pub use tiles::Value;
