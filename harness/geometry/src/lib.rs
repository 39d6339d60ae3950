//! Arithmetic that clusterers and internal metrics share: distances by blocks, sums of distances per cluster for many
//! partitions in one pass over the data, condensed distances for linkage, centroids. It knows no algorithm and no
//! metric.
//!
//! Precision. Vectors in f32 go through f32 products of centred blocks; distances that are small against the norms are
//! recomputed from differences, and every sum is f64. Vectors in f64 (plain files, oracles) are compared by
//! differences throughout. Shapes of products are fixed and each runs on one thread, so a number depends neither on
//! the number of threads nor on what else is computed in the same pass.

mod centroids;
mod closed;
mod condensed;
mod grouping;
mod pass;
mod sums;
mod tiles;

pub use centroids::{Centroids, squared_distance};
pub use condensed::condensed_euclidean;
pub use grouping::Grouping;
pub use sums::{GeometryError, RowSums, cluster_sums};
