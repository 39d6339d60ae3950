//! Published label vectors on public point sets: every score of `expected_scores.csv`.

use std::collections::BTreeMap;
use std::path::Path;

use trailmark_core::contract::{Distance, Points};
use trailmark_core::{Labels, Matrix};
use trailmark_kit::{asset, close, read};
use trailmark_metrics::Contingency;
use trailmark_metrics::normalized_mutual_info_score::normalized_mutual_info_score_geometric;

const EXTERNAL: [(&str, &str); 10] = [
    ("ARI", "adjusted_rand_score"),
    ("AMI_arith", "adjusted_mutual_info_score"),
    ("NMI_arith", "normalized_mutual_info_score"),
    ("homogeneity", "homogeneity_score"),
    ("completeness", "completeness_score"),
    ("V", "v_measure_score"),
    ("FMI", "fowlkes_mallows_score"),
    ("rand", "rand_score"),
    ("purity", "purity_score"),
    ("ACC_hungarian", "hungarian_accuracy"),
];
const INTERNAL: [(&str, &str); 3] = [
    ("silhouette_euclid_raw", "silhouette_score"),
    ("calinski_harabasz_raw", "calinski_harabasz_score"),
    ("davies_bouldin_raw", "davies_bouldin_score"),
];

fn text(path: &Path) -> String {
    String::from_utf8(read(path)).unwrap()
}

/// 1..K, and 0 for noise.
fn label(text: &str) -> Option<u32> {
    Some(text.trim().parse::<u32>().unwrap()).filter(|&label| label > 0)
}

/// Label vectors of a set by method variant.
fn label_vectors(root: &Path, battery: &str, dataset: &str, k: &str) -> BTreeMap<String, Vec<Option<u32>>> {
    let mut vectors = BTreeMap::new();
    for method in std::fs::read_dir(root.join("label-vectors")).unwrap() {
        let path = method.unwrap().path().join(battery).join(format!("{dataset}.result{k}.gz"));
        if !path.exists() {
            continue;
        }
        let content = text(&path);
        let mut lines = content.lines();
        let names: Vec<String> =
            lines.next().unwrap().split(',').map(|name| name.trim_matches('"').to_owned()).collect();
        for line in lines {
            for (name, value) in names.iter().zip(line.split(',')) {
                vectors.entry(name.clone()).or_insert_with(Vec::new).push(label(value));
            }
        }
    }
    vectors
}

#[test]
fn published_label_vectors_have_their_expected_scores() {
    let Some(root) = asset("clustering-suite-dev") else { return };
    let content = text(&root.join("expected_scores.csv"));
    let mut lines = content.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut undefined: BTreeMap<String, usize> = BTreeMap::new();
    let (mut rows, mut worst_narrow, mut worst_wide) = (0, 0.0_f64, 0.0_f64);

    for line in lines {
        let row: BTreeMap<&str, &str> = header.iter().copied().zip(line.split(',')).collect();
        let (battery, dataset) = (row["battery"], row["dataset"]);
        let what = format!("{battery}/{dataset} {} {}", row["labels"], row["method"]);
        let points: Vec<Vec<f64>> = text(&root.join(format!("data/{battery}/{dataset}.data.gz")))
            .lines()
            .map(|line| line.split_whitespace().map(|value| value.parse().unwrap()).collect())
            .collect();
        let wide = Matrix::from_rows(&points).unwrap();
        let narrow = wide.cast::<f32>();
        let labels_true: Vec<Option<u32>> =
            text(&root.join(format!("data/{battery}/{dataset}.{}.gz", row["labels"]))).lines().map(label).collect();
        let vectors = label_vectors(&root, battery, dataset, row["k"]);
        let labels_pred = Labels(vectors.get(row["method"]).unwrap_or_else(|| panic!("no labels for {what}")).clone());
        let table = Contingency::new(&labels_true, &labels_pred);
        assert_eq!(table.n().to_string(), row["n_scored"], "{what}");

        for (column, name) in EXTERNAL {
            let expected: f64 = row[column].parse().unwrap();
            let score = crate::external(name, &labels_true, &labels_pred);
            let value = score.number().unwrap_or_else(|| panic!("{what}, {name}: {score:?}"));
            assert!(close(value, expected, 1e-9, 1e-9), "{what}, {name}: got {value}, expected {expected}");
            *counts.entry(name).or_default() += 1;
        }
        let (value, expected) = (normalized_mutual_info_score_geometric(&table).unwrap(), row["NMI_geom"]);
        assert!(close(value, expected.parse().unwrap(), 1e-9, 1e-9), "{what}: {value} {expected}");
        *counts.entry("normalized_mutual_info_score_geometric").or_default() += 1;

        for (column, name) in INTERNAL {
            let score = |x: Points<'_>| crate::internal(name, x, &labels_pred, Distance::Euclidean);
            let (narrow, wide) = (score(Points::F32(&narrow)), score(Points::F64(&wide)));
            let (Some(narrow), Some(wide)) = (narrow.number(), wide.number()) else {
                assert_eq!(narrow, wide, "{what}, {name}");
                *undefined
                    .entry(format!("{name}: {} where the table says {:?}", wide.reason(), row[column]))
                    .or_default() += 1;
                continue;
            };
            let expected: f64 = row[column].parse().unwrap();
            assert!(close(narrow, expected, 1e-5, 0.0), "{what}, {name} in f32: got {narrow}, expected {expected}");
            // Davies-Bouldin and the silhouette of scikit-learn expand squares and lose up to 1e-8 here; sums of
            // differences in extended precision side with the numbers of Trailmark.
            assert!(close(wide, expected, 1e-8, 0.0), "{what}, {name} in f64: got {wide}, expected {expected}");
            worst_narrow = worst_narrow.max((narrow / expected - 1.0).abs());
            worst_wide = worst_wide.max((wide / expected - 1.0).abs());
            *counts.entry(name).or_default() += 1;
        }
        rows += 1;
    }
    assert_eq!(rows, 618, "rows of the table");
    // Two pairs of opposite corners of `target` have one centroid: scikit-learn leaves that pair of clusters out.
    let expected = "davies_bouldin_score: coincident_centroids where the table says \"9.43332055\"".to_owned();
    assert_eq!(undefined, BTreeMap::from([(expected, 1)]));
    eprintln!("{rows} rows, scores compared: {counts:?}; undefined: {undefined:?}");
    eprintln!("largest relative difference of internal scores: {worst_narrow:e} in f32, {worst_wide:e} in f64");
}
