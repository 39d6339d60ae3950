//! Clusterers as the runner meets them: through the registry.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod agglomerative;
mod kmeans;
mod kmeans_variants;
mod lloyd;
mod published_partitions;
mod refusals;

use trailmark_core::catalogue::ClustererEntry;
use trailmark_core::contract::{Clusterer, Context, Partition, SweepPoint};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Failure, Matrix, Params, Space, Stream};

const CTX: Context = Context { seed: 1, threads: 1, memory_bytes: 1 << 30 };

fn entry(name: &str) -> ClustererEntry {
    trailmark_cluster::registry().into_iter().find(|entry| entry.spec.name == name).unwrap()
}

fn make(name: &str, params: &[(&str, ParamValue)]) -> Box<dyn Clusterer> {
    let entry = entry(name);
    let all = params.iter().fold(Params::defaults(entry.spec), |all, (name, value)| all.with(name, value.clone()));
    (entry.build)(&all).unwrap()
}

/// Every clusterer with its defaults, and every linkage.
fn all() -> Vec<(String, Box<dyn Clusterer>)> {
    let mut all: Vec<(String, Box<dyn Clusterer>)> = trailmark_cluster::registry()
        .into_iter()
        .map(|entry| (entry.spec.name.to_owned(), make(entry.spec.name, &[])))
        .collect();
    for linkage in ["average", "complete", "single", "weighted", "centroid", "median"] {
        let params = [("linkage", ParamValue::Text(linkage.to_owned()))];
        all.push((format!("agglomerative, {linkage}"), make("agglomerative", &params)));
    }
    all
}

fn points(n_clusters: &[usize]) -> Vec<SweepPoint> {
    n_clusters
        .iter()
        .map(|&n_clusters| SweepPoint { n_clusters: Some(n_clusters), seed: 100 + n_clusters as u64 })
        .collect()
}

fn fit(clusterer: &dyn Clusterer, x: &Matrix<f32>, n_clusters: usize) -> Result<Box<dyn Partition>, Failure> {
    clusterer.fit_sweep(&Space::of(x), &points(&[n_clusters]), &CTX).pop().unwrap()
}

fn failure(clusterer: &dyn Clusterer, x: &Matrix<f32>, n_clusters: usize) -> Failure {
    match fit(clusterer, x, n_clusters) {
        Ok(_) => panic!("a partition was made of what should be refused"),
        Err(failure) => failure,
    }
}

/// Well separated groups of equal size, rows in turn from each.
fn groups(n: usize, width: usize, k: usize, seed: u64) -> Matrix<f32> {
    let mut draws = Stream::new(seed);
    let centres: Vec<f64> = (0..k * width).map(|_| 20.0 * draws.normal()).collect();
    let mut x = Matrix::<f32>::zeros(n, width);
    for i in 0..n {
        for (j, value) in x.row_mut(i).iter_mut().enumerate() {
            *value = (centres[(i % k) * width + j] + draws.normal()) as f32;
        }
    }
    x
}
