//! Centroids of groups in f64, exact for duplicates and far from the origin.

use trailmark_core::Matrix;
use trailmark_core::contract::Points;

use crate::grouping::Grouping;

/// Centroids, each kept as a sample plus the mean difference from it.
///
/// Equal members have themselves as centroid to the bit, and a common offset of all samples costs no precision:
/// distances are sums of differences, into which the offset never enters.
#[derive(Debug, Clone, PartialEq)]
pub struct Centroids {
    starts: Matrix<f64>, // (n_clusters, n_features) the first member
    shifts: Matrix<f64>, // (n_clusters, n_features) mean of the members minus the first
    sizes: Vec<usize>,   // (n_clusters,)
    inertia: Vec<f64>,   // (n_clusters,)
    spread: Vec<f64>,    // (n_clusters,)
}

impl Centroids {
    /// Centroids of all clusters: the numbered groups, then, ascending, every sample that is alone.
    ///
    /// # Shapes
    /// `points`: (n_samples, n_features), finite.
    ///
    /// # Panics
    /// When partition and vectors are not of the same samples: a bug of the caller.
    pub fn new(points: Points<'_>, grouping: &Grouping) -> Self {
        assert_eq!(grouping.n_samples(), points.rows(), "a partition and its vectors are of the same samples");
        match points {
            Points::F32(x) => compute(x.cols(), grouping, |row, at| f64::from(x.row(row)[at])),
            Points::F64(x) => compute(x.cols(), grouping, |row, at| x.row(row)[at]),
        }
    }

    /// Number of clusters.
    pub fn n_clusters(&self) -> usize {
        self.sizes.len()
    }

    /// (n_clusters,) number of members.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// (n_clusters,) sum of squared distances of the members to their centroid.
    pub fn inertia(&self) -> &[f64] {
        &self.inertia
    }

    /// (n_clusters,) sum of distances of the members to their centroid.
    pub fn spread(&self) -> &[f64] {
        &self.spread
    }

    /// A centroid minus another, by feature.
    pub fn difference<'a>(&'a self, cluster: usize, other: &'a Self, of: usize) -> impl Iterator<Item = f64> + 'a {
        let starts = self.starts.row(cluster).iter().zip(other.starts.row(of));
        let shifts = self.shifts.row(cluster).iter().zip(other.shifts.row(of));
        starts.zip(shifts).map(|((a, b), (c, d))| (a - b) + (c - d))
    }

    /// Squared Euclidean distance of two centroids.
    pub fn squared_between(&self, cluster: usize, other: &Self, of: usize) -> f64 {
        self.difference(cluster, other, of).map(|difference| difference * difference).sum()
    }

    /// Squared Euclidean distance of a vector to a centroid.
    pub fn squared_from(&self, values: &[f64], cluster: usize) -> f64 {
        let centre = self.starts.row(cluster).iter().zip(self.shifts.row(cluster));
        values.iter().zip(centre).map(|(value, (start, shift))| ((value - start) - shift).powi(2)).sum()
    }
}

fn compute(cols: usize, grouping: &Grouping, value: impl Fn(usize, usize) -> f64) -> Centroids {
    let mut sizes = grouping.sizes().to_vec();
    sizes.resize(grouping.n_clusters(), 1);
    let mut starts = Matrix::<f64>::zeros(sizes.len(), cols);
    let mut shifts = Matrix::<f64>::zeros(sizes.len(), cols);
    let mut started = vec![false; sizes.len()];
    let clusters = grouping.clusters();
    for (row, &cluster) in clusters.iter().enumerate() {
        if !std::mem::replace(&mut started[cluster], true) {
            starts.row_mut(cluster).iter_mut().enumerate().for_each(|(at, start)| *start = value(row, at));
        }
        let start = starts.row(cluster);
        for (at, (shift, start)) in shifts.row_mut(cluster).iter_mut().zip(start).enumerate() {
            *shift += value(row, at) - start;
        }
    }
    for (cluster, &size) in sizes.iter().enumerate() {
        shifts.row_mut(cluster).iter_mut().for_each(|shift| *shift /= size as f64);
    }
    let (mut inertia, mut spread) = (vec![0.0; sizes.len()], vec![0.0; sizes.len()]);
    for (row, &cluster) in clusters.iter().enumerate() {
        let centre = starts.row(cluster).iter().zip(shifts.row(cluster));
        let squared: f64 =
            centre.enumerate().map(|(at, (start, shift))| ((value(row, at) - start) - shift).powi(2)).sum();
        inertia[cluster] += squared;
        spread[cluster] += squared.sqrt();
    }
    Centroids { starts, shifts, sizes, inertia, spread }
}

/// Squared Euclidean distance by differences.
pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailmark_core::Labels;

    #[test]
    fn equal_samples_are_their_own_centroid_to_the_bit() {
        let x = Matrix::from_vec(5, 1, vec![0.1_f64, 0.1, 0.1, 5.0, -2.0]).unwrap();
        let labels = Labels(vec![Some(0), Some(0), Some(0), Some(1), None]);
        let found = Centroids::new(Points::F64(&x), &Grouping::new(&labels));
        assert_eq!(found.sizes(), [3, 1, 1]);
        assert_eq!(found.squared_from(&[0.1], 0), 0.0);
        assert_eq!((found.inertia(), found.spread()), (&[0.0; 3][..], &[0.0; 3][..]));
        assert_eq!(found.squared_between(1, &found, 2), 49.0);
    }

    #[test]
    fn a_common_offset_moves_no_distance_of_centroids() {
        let labels = Grouping::new(&Labels::from_ids([0, 0, 0, 1, 1, 1]));
        let rows = [0.0, 1.0, 0.0, 5.0, 6.0, 5.0];
        let near = Matrix::from_vec(6, 1, rows.to_vec()).unwrap();
        let far = Matrix::from_vec(6, 1, rows.map(|value| value + 1e8).to_vec()).unwrap();
        let (near, far) = (Centroids::new(Points::F64(&near), &labels), Centroids::new(Points::F64(&far), &labels));
        assert_eq!(near.squared_between(0, &near, 1), far.squared_between(0, &far, 1));
        assert_eq!(near.inertia(), far.inertia());
    }
}
