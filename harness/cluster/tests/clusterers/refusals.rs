//! What is refused, in which words, and what is degenerate but legal.

use trailmark_core::{FailureClass, Matrix, Space};

use crate::{CTX, failure, fit, groups, make, points};

#[test]
fn more_clusters_than_users_is_refused_with_both_numbers_and_the_rest_of_the_sweep_goes_on() {
    let x = groups(3, 2, 3, 1);
    for (name, clusterer) in crate::all() {
        let results = clusterer.fit_sweep(&Space::of(&x), &points(&[2, 5]), &CTX);
        assert!(results[0].is_ok(), "{name}");
        let refusal = results[1].as_ref().err().unwrap();
        assert_eq!(refusal.class, FailureClass::BadInput, "{name}");
        assert_eq!(
            refusal.message, "3 users cannot make 5 clusters; lower sweep.n_clusters to at most 3 or bring more users",
            "{name}"
        );
    }
}

#[test]
fn a_value_that_is_not_finite_is_refused_with_row_and_column() {
    for value in [f32::NAN, f32::INFINITY] {
        let mut x = groups(10, 3, 2, 1);
        x.row_mut(4)[2] = value;
        for (name, clusterer) in crate::all() {
            let expected = format!("the vectors hold {value} at row 4, column 2; mend the encoder's output");
            assert_eq!(failure(&*clusterer, &x, 2).message, expected, "{name}");
        }
    }
    let mut new = groups(10, 3, 2, 1);
    let partition = fit(&*make("kmeans", &[]), &new, 2).unwrap();
    new.row_mut(0)[1] = f32::NAN;
    assert!(partition.assign((&new).into()).unwrap_err().message.contains("NaN at row 0, column 1"));
}

#[test]
fn no_rows_no_columns_and_no_clusters_are_refused() {
    for (name, clusterer) in crate::all() {
        let message = failure(&*clusterer, &Matrix::zeros(0, 3), 2).message;
        assert!(message.starts_with("there is no sample to cluster"), "{name}: {message}");
        let message = failure(&*clusterer, &Matrix::zeros(3, 0), 2).message;
        assert!(message.starts_with("the vectors have no feature"), "{name}: {message}");
        let message = failure(&*clusterer, &groups(5, 2, 2, 1), 0).message;
        assert_eq!(message, "n_clusters is 0; ask for at least 1 in sweep.n_clusters", "{name}");
    }
}

#[test]
fn rows_of_another_width_are_not_assigned() {
    let x = groups(10, 3, 2, 1);
    for (name, clusterer) in crate::all() {
        let message =
            fit(&*clusterer, &x, 2).unwrap().assign((&Matrix::<f32>::zeros(2, 4)).into()).unwrap_err().message;
        let expected = "the clusters were fitted on 3 features, the rows to assign have 4; encode both alike";
        assert_eq!(message, expected, "{name}");
    }
}

#[test]
fn equal_vectors_make_one_cluster_of_centres_and_the_cuts_asked_of_a_tree() {
    let x = Matrix::from_vec(6, 2, vec![3.0_f32; 12]).unwrap();
    for name in ["kmeans", "linfa_kmeans", "mini_batch_kmeans", "soft_kmeans"] {
        let partition = fit(&*make(name, &[]), &x, 3).unwrap();
        assert_eq!(partition.labels().n_clusters(), 1, "{name}");
        assert_eq!(
            partition.warnings(),
            ["1 clusters instead of 3: the others would be empty (fewer distinct vectors than clusters?)"],
            "{name}"
        );
        assert_eq!(partition.inertia(), Some(0.0), "{name}");
    }
    let partition = fit(&*make("agglomerative", &[]), &x, 3).unwrap();
    assert_eq!(partition.labels().n_clusters(), 3, "a tree of ties is cut all the same");
}

#[test]
fn duplicates_and_constant_columns_are_no_trouble() {
    let rows: Vec<Vec<f32>> =
        (0..40).map(|i| vec![[0.0_f32, 5.0, 9.0][i % 3], 7.0, [1.0_f32, 1.5, 4.0][i % 3]]).collect();
    let x = Matrix::from_rows(&rows).unwrap();
    for (name, clusterer) in crate::all() {
        let partition = fit(&*clusterer, &x, 3).unwrap();
        let truth = trailmark_core::Labels::from_ids((0..40).map(|i| i % 3));
        assert_eq!(partition.labels().canonical(), truth, "{name}");
        assert!(partition.inertia().unwrap() < 1e-9, "{name}: {:?}", partition.inertia());
    }
}
