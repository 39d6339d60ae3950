//! Partitions published with the FCPS sets and iris, made by fastcluster on the same points.

use std::path::Path;

use trailmark_core::spec::ParamValue;
use trailmark_core::{Labels, Matrix};

use crate::{fit, make};

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

/// Share of rows that agree under the best renaming found greedily by overlap.
fn differing(a: &Labels, b: &Labels) -> usize {
    let mut overlap = std::collections::BTreeMap::new();
    for pair in a.0.iter().zip(&b.0) {
        *overlap.entry(pair).or_insert(0_usize) += 1;
    }
    let mut pairs: Vec<_> = overlap.into_iter().collect();
    pairs.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let (mut left, mut right, mut agreeing) = (Vec::new(), Vec::new(), 0);
    for ((a, b), count) in pairs {
        if !left.contains(&a) && !right.contains(&b) {
            left.push(a);
            right.push(b);
            agreeing += count;
        }
    }
    a.len() - agreeing
}

fn compare(linkage: &str) -> Vec<(String, usize)> {
    let Some(folder) = trailmark_kit::asset("clustering-suite-dev") else { return Vec::new() };
    let clusterer = make("agglomerative", &[("linkage", ParamValue::Text(linkage.to_owned()))]);
    SETS.iter()
        .map(|set| {
            let path = folder.join(format!("label-vectors/fastcluster_{linkage}/{set}.gz"));
            let published = Labels::from_ids(text(&path).lines().skip(1).map(|line| line.trim().parse().unwrap()));
            let partition = fit(&*clusterer, &points(&folder, set), published.n_clusters()).unwrap();
            ((*set).to_owned(), differing(&partition.labels().canonical(), &published.canonical()))
        })
        .filter(|(_, differing)| *differing > 0)
        .collect()
}

#[test]
fn ward_reproduces_the_published_partitions() {
    assert_eq!(compare("ward"), []);
}

#[test]
fn average_reproduces_the_published_partitions() {
    assert_eq!(compare("average"), []);
}

#[test]
fn complete_reproduces_the_published_partitions() {
    assert_eq!(compare("complete"), []);
}
