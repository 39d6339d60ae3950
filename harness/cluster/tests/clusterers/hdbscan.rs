//! HDBSCAN: against scikit-learn and hdbscan.

use trailmark_core::contract::Points;
use trailmark_core::{Labels, Matrix};
use trailmark_kit::{labels, numbers, oracle, rows};

use crate::CTX;
use crate::density::{fit_found, list, name_of, params_of};

#[test]
fn labels_probabilities_and_outlier_scores_are_those_of_the_reference_in_both_precisions() {
    let names = [
        "min_cluster_size",
        "min_samples",
        "cluster_selection_method",
        "cluster_selection_epsilon",
        "max_cluster_size",
        "allow_single_cluster",
        "alpha",
        "metric",
    ];
    let table = oracle("cluster", "hdbscan");
    for case in &table.case {
        let x: Matrix<f64> = Matrix::from_rows(&rows(case, "x")).unwrap();
        let narrow: Matrix<f32> = x.cast();
        for points in [Points::F64(&x), Points::F32(&narrow)] {
            let name = format!("{}, {points:.5?}", name_of(case));
            let name = name.split_once("Matrix").map_or(name.as_str(), |(start, _)| start);
            let partition = fit_found("hdbscan", &params_of(case, &names), points, &CTX).unwrap();
            assert_eq!(partition.labels(), &Labels(labels(case, "labels")).canonical(), "labels: {name}");
            let lists = ["core_distances", "probabilities", "outlier_scores", "cluster_persistence"];
            for list_name in lists.into_iter().filter(|name| case.contains_key(*name)) {
                let (got, expected) = (list(&*partition, list_name), numbers(case, list_name));
                assert_eq!(got.len(), expected.len(), "{list_name}: {name}");
                for (row, (got, expected)) in got.into_iter().zip(expected).enumerate() {
                    table.assert_close(&format!("{list_name} {row}: {name}"), got, expected);
                }
            }
        }
    }
}
