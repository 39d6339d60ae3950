//! OPTICS: against scikit-learn.

use trailmark_core::contract::ModelValue;
use trailmark_core::{Labels, Matrix};
use trailmark_kit::{labels, numbers, oracle, rows};

use crate::CTX;
use crate::density::{fit_found, list, name_of, params_of};

#[test]
fn optics_agrees_with_scikit_learn() {
    let names = [
        "min_samples",
        "max_eps",
        "cluster_method",
        "xi",
        "predecessor_correction",
        "min_cluster_size",
        "eps",
        "metric",
    ];
    let table = oracle("cluster", "optics");
    for case in &table.case {
        let name = name_of(case);
        let x: Matrix<f64> = Matrix::from_rows(&rows(case, "x")).unwrap();
        let partition = fit_found("optics", &params_of(case, &names), &x, &CTX).unwrap();
        assert_eq!(list(&*partition, "ordering"), numbers(case, "ordering"), "ordering: {name}");
        assert_eq!(list(&*partition, "predecessor"), numbers(case, "predecessor"), "predecessor: {name}");
        for list_name in ["reachability", "core_distances"] {
            for (row, (got, expected)) in
                list(&*partition, list_name).into_iter().zip(numbers(case, list_name)).enumerate()
            {
                if expected.is_finite() || got.is_finite() {
                    table.assert_close(&format!("{list_name} of row {row}: {name}"), got, expected);
                }
            }
        }
        assert_eq!(partition.labels(), &Labels(labels(case, "labels")).canonical(), "labels: {name}");
        let hierarchy = match partition.model().into_iter().find(|(have, _)| *have == "cluster_hierarchy") {
            Some((_, ModelValue::Table(table))) => table.iter_rows().map(<[f64]>::to_vec).collect::<Vec<_>>(),
            other => panic!("cluster_hierarchy is {other:?}"),
        };
        assert_eq!(hierarchy, rows(case, "cluster_hierarchy"), "cluster_hierarchy: {name}");
    }
}

#[test]
fn single_precision_finds_the_same_clusters_where_distances_differ() {
    let table = oracle("cluster", "optics");
    let names = ["min_samples", "max_eps", "cluster_method", "xi", "predecessor_correction", "min_cluster_size", "eps"];
    let untied = ["three blobs in the plane", "blobs of differing density and noise", "eight dimensions", "one blob"];
    let cases = table.case.iter().filter(|case| untied.contains(&case["name"].as_str().unwrap()));
    for case in cases {
        let x: Matrix<f64> = Matrix::from_rows(&rows(case, "x")).unwrap();
        let narrow: Matrix<f32> = x.cast();
        let partition = fit_found("optics", &params_of(case, &names), &narrow, &CTX).unwrap();
        let name = name_of(case);
        assert_eq!(partition.labels(), &Labels(labels(case, "labels")).canonical(), "labels: {name}");
        let (got, expected) = (list(&*partition, "core_distances"), numbers(case, "core_distances"));
        for (row, (got, expected)) in got.into_iter().zip(expected).enumerate() {
            let close = got.to_bits() == expected.to_bits() || (got - expected).abs() <= 1e-6 * expected;
            assert!(close, "core distance of row {row}: got {got}, scikit-learn gives {expected}: {name}");
        }
    }
}
