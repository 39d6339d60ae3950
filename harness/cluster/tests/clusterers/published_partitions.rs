//! Partitions published with the FCPS sets and iris, made by fastcluster on the same points.

use std::path::Path;

use trailmark_core::spec::ParamValue;
use trailmark_core::{Labels, Matrix};

use crate::{fit, make};

/// Points on a lattice of 0.05 x 0.25: thousands of pairs are equally far, and which of them merges first decides
/// the top of the tree. The published run broke these ties by noise of 1e-6. SciPy on the points with noise of 1e-7
/// gives the published cut with half of the seeds and moves up to 232 of 1016 points with others; on the points rounded
/// to f32, as here, it moves as many as ours does: 140 (Ward), 93 (complete), none (average).
const TIED: &str = "fcps/wingnut.result2";

const SETS: [&str; 11] = [
    "fcps/atom.result2",
    "fcps/chainlink.result2",
    "fcps/engytime.result2",
    "fcps/hepta.result7",
    "fcps/lsun.result3",
    "fcps/target.result2",
    "fcps/target.result6",
    "fcps/tetra.result4",
    "fcps/twodiamonds.result2",
    "fcps/wingnut.result2",
    "other/iris.result3",
];

fn text(path: &Path) -> String {
    String::from_utf8(trailmark_kit::read(path)).unwrap()
}

fn points(folder: &Path, set: &str) -> Matrix<f32> {
    let name = set.split('.').next().unwrap();
    let rows: Vec<Vec<f32>> = text(&folder.join(format!("data/{name}.data.gz")))
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split_whitespace().map(|value| value.parse().unwrap()).collect())
        .collect();
    Matrix::from_rows(&rows).unwrap()
}

/// Samples that two partitions into two clusters place differently, under the better naming.
fn differing(a: &Labels, b: &Labels) -> usize {
    let differing = a.0.iter().zip(&b.0).filter(|(a, b)| a != b).count();
    differing.min(a.len() - differing)
}

fn compare(linkage: &str, tied: usize) {
    let Some(folder) = trailmark_kit::asset("clustering-suite-dev") else { return };
    let clusterer = make("agglomerative", &[("linkage", ParamValue::Text(linkage.to_owned()))]);
    for set in SETS {
        let path = folder.join(format!("label-vectors/fastcluster_{linkage}/{set}.gz"));
        let published = Labels::from_ids(text(&path).lines().skip(1).map(|line| line.trim().parse().unwrap()));
        let x = points(&folder, set);
        let ours = fit(&*clusterer, &x, published.n_clusters()).unwrap().labels().canonical();
        if set == TIED {
            assert_eq!(differing(&ours, &published.canonical()), tied, "{linkage} of {set}");
        } else {
            assert!(ours == published.canonical(), "{linkage} of {set} differs from the published partition");
        }
    }
}

#[test]
fn ward_reproduces_the_published_partitions() {
    compare("ward", 140);
}

#[test]
fn average_reproduces_the_published_partitions() {
    compare("average", 0);
}

#[test]
fn complete_reproduces_the_published_partitions() {
    compare("complete", 93);
}
