//! Centres, sizes and scatter of all clusters of a partition, singletons included.

use trailmark_core::Matrix;
use trailmark_core::contract::Points;
use trailmark_geometry::{Grouping, centroids};

/// All clusters: first the groups of at least two samples, then every sample that is alone.
pub(crate) struct Clusters {
    pub(crate) centres: Matrix<f64>, // (n_clusters, n_features)
    pub(crate) sizes: Vec<usize>,    // (n_clusters,)
    pub(crate) inertia: Vec<f64>,    // (n_clusters,) sum of squared distances to the centre
    pub(crate) spread: Vec<f64>,     // (n_clusters,) sum of distances to the centre
    pub(crate) grain: Vec<f64>,      // (n_features,) differences of centres below this are rounding
}

impl Clusters {
    /// # Panics
    /// When partition and vectors are not of the same samples: a bug of the caller.
    pub(crate) fn new(points: Points<'_>, grouping: &Grouping) -> Self {
        assert_eq!(grouping.n_samples(), points.rows(), "a partition and its vectors are of the same samples");
        let found = centroids(points, grouping);
        let (mut inertia, mut spread, mut sizes) = (found.inertia, found.spread, grouping.sizes().to_vec());
        let cols = found.centroids.cols();
        let mut centres = found.centroids.into_vec();
        let mut grain = vec![0.0_f64; cols];
        for row in 0..points.rows() {
            let values = row_of(points, row);
            grain.iter_mut().zip(&values).for_each(|(grain, value)| *grain = grain.max(value.abs()));
            if grouping.group(row).is_none() {
                centres.extend(values);
                sizes.push(1);
                inertia.push(0.0);
                spread.push(0.0);
            }
        }
        grain.iter_mut().for_each(|grain| *grain *= 4.0 * f64::EPSILON);
        let mut matrix = Matrix::zeros(sizes.len(), cols);
        matrix.as_mut_slice().copy_from_slice(&centres);
        Self { centres: matrix, sizes, inertia, spread, grain }
    }

    /// True when two centres are equal but for rounding of the sums they are made of.
    pub(crate) fn coincide(&self, a: usize, b: usize) -> bool {
        let pairs = self.centres.row(a).iter().zip(self.centres.row(b));
        pairs.zip(&self.grain).all(|((a, b), grain)| (a - b).abs() <= *grain)
    }
}

fn row_of(points: Points<'_>, row: usize) -> Vec<f64> {
    match points {
        Points::F32(x) => x.row(row).iter().map(|&value| f64::from(value)).collect(),
        Points::F64(x) => x.row(row).to_vec(),
    }
}
