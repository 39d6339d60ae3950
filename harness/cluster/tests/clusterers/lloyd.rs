//! Lloyd's iteration from a given start, as scikit-learn does it, in both precisions.

use trailmark_cluster::lloyd_from_start;
use trailmark_core::contract::{Context, Points};
use trailmark_core::{Labels, Matrix};
use trailmark_kit::{OracleTable, labels, number, oracle, rows};

use crate::{CTX, groups};

fn compare(table: &OracleTable, case: &toml::Table, x: Points<'_>, precision: &str) {
    let name = format!("{} in {precision}", case["name"].as_str().unwrap());
    let start = Matrix::from_rows(&rows(case, "start")).unwrap();
    let end = lloyd_from_start(x, &start, 300, 1e-4, &CTX).unwrap();
    assert!(end.converged, "{name}");
    assert_eq!(end.labels.0, labels(case, "labels"), "{name}, k = {}", start.rows());
    table.assert_close(&name, end.inertia, number(case, "inertia"));
    for (centre, expected) in end.cluster_centers.iter_rows().zip(rows(case, "centers")) {
        for (value, expected) in centre.iter().zip(expected) {
            table.assert_close(&name, *value, expected);
        }
    }
    if case.contains_key("n_iter") {
        assert_eq!(end.n_iter as f64, number(case, "n_iter"), "iterations of {name}, k = {}", start.rows());
    }
}

#[test]
fn the_same_start_ends_where_scikit_learn_ends() {
    let table = oracle("cluster", "kmeans");
    for case in &table.case {
        let x: Matrix<f64> = Matrix::from_rows(&rows(case, "x")).unwrap();
        compare(&table, case, (&x.cast::<f32>()).into(), "f32");
        compare(&table, case, (&x).into(), "f64");
    }
}

#[test]
fn in_double_precision_the_same_start_ends_where_scikit_learn_ends_on_ten_sets() {
    let table = oracle("cluster", "lloyd_f64");
    let mut names: Vec<&str> = table.case.iter().map(|case| case["name"].as_str().unwrap()).collect();
    names.dedup();
    assert_eq!(names.len(), 10);
    for case in &table.case {
        let x: Matrix<f64> = Matrix::from_rows(&rows(case, "x")).unwrap();
        compare(&table, case, (&x).into(), "f64");
    }
}

#[test]
fn one_thread_and_two_agree_to_the_bit() {
    let x = groups(30_000, 48, 9, 7);
    let start: Matrix<f64> = x.select_rows(&(0..30).collect::<Vec<_>>()).cast();
    let one = lloyd_from_start((&x).into(), &start, 10, 0.0, &CTX).unwrap();
    let two = lloyd_from_start((&x).into(), &start, 10, 0.0, &Context { threads: 2, ..CTX }).unwrap();
    assert_eq!(one, two);
    assert_eq!(one.inertia.to_bits(), two.inertia.to_bits());
}

#[test]
fn an_empty_cluster_takes_the_farthest_row_and_never_the_only_row_of_another() {
    let x = Matrix::from_rows(&[[0.0_f64], [1.0], [2.0], [10.0], [11.0], [30.0]]).unwrap();
    let start = Matrix::from_rows(&[[1.0], [12.0], [-500.0]]).unwrap();
    let end = lloyd_from_start((&x).into(), &start, 300, 0.0, &CTX).unwrap();
    assert_eq!(end.labels, Labels::from_ids([0, 0, 0, 1, 1, 2]));
    let start = Matrix::from_rows(&[[1.0], [30.0], [900.0]]).unwrap();
    let end = lloyd_from_start((&x).into(), &start, 300, 0.0, &CTX).unwrap();
    assert_eq!(end.labels, Labels::from_ids([0, 0, 0, 2, 2, 1]), "row 5 is alone and stays");
}

#[test]
fn starts_that_do_not_fit_are_refused() {
    let x = groups(5, 2, 2, 1);
    let message = |start: &Matrix<f64>| lloyd_from_start((&x).into(), start, 10, 0.0, &CTX).unwrap_err().message;
    assert!(message(&Matrix::zeros(6, 2)).starts_with("5 users cannot make 6 clusters"));
    assert!(message(&Matrix::zeros(0, 2)).starts_with("n_clusters is 0"));
    let expected = "the clusters were fitted on 2 features, the rows to assign have 3; encode both alike";
    assert_eq!(message(&Matrix::zeros(2, 3)), expected);
    let start = Matrix::from_rows(&[[0.0, f64::NAN]]).unwrap();
    assert!(message(&start).contains("NaN at row 0, column 1"));
}
