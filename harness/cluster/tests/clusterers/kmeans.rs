//! k-means, ours and linfa's: never worse than scikit-learn, and what may not change a bit.

use trailmark_core::spec::ParamValue;
use trailmark_core::{Labels, Matrix, Space};
use trailmark_kit::{number, oracle, rows};

use crate::{CTX, fit, groups, make, points};

#[test]
fn inertia_is_never_worse_than_the_best_of_ten_starts_of_scikit_learn() {
    for case in &oracle("cluster", "kmeans").case {
        let x = Matrix::from_rows(&rows(case, "x")).unwrap().cast();
        let k = rows(case, "start").len();
        let params = [("n_init", ParamValue::Integer(30))];
        let inertia = fit(&*make("kmeans", &params), &x, k).unwrap().inertia().unwrap();
        let best = number(case, "best_inertia");
        assert!(inertia <= best * 1.0001 + 1e-9, "{}, k = {k}: {inertia} against {best}", case["name"]);
    }
}

#[test]
fn linfa_ends_as_low_as_scikit_learn_when_its_labels_and_inertia_are_made_again() {
    for case in &oracle("cluster", "linfa_kmeans").case {
        let x: Matrix<f32> = Matrix::from_rows(&rows(case, "x")).unwrap().cast();
        let k = number(case, "n_clusters") as usize;
        let params = [("n_init", ParamValue::Integer(50))];
        let inertia = fit(&*make("linfa_kmeans", &params), &x, k).unwrap().inertia().unwrap();
        let best = number(case, "best_inertia");
        assert!(inertia <= best * 1.0001 + 1e-9, "{}, k = {k}: {inertia} against {best}", case["name"]);
    }
}

#[test]
fn a_further_value_in_the_sweep_moves_no_bit_of_the_others() {
    let x = groups(300, 6, 5, 3);
    for (name, clusterer) in crate::all() {
        let few = clusterer.fit_sweep(&Space::of(&x), &points(&[3, 7]), &CTX);
        let many = clusterer.fit_sweep(&Space::of(&x), &points(&[2, 3, 5, 7, 9]), &CTX);
        for (a, b) in [(&few[0], &many[1]), (&few[1], &many[3])] {
            let (a, b) = (a.as_ref().unwrap(), b.as_ref().unwrap());
            assert_eq!(a.labels(), b.labels(), "{name}");
            assert_eq!(a.inertia().map(f64::to_bits), b.inertia().map(f64::to_bits), "{name}");
            assert_eq!(a.assign((&x).into()).unwrap(), b.assign((&x).into()).unwrap(), "{name}");
        }
    }
}

#[test]
fn clear_groups_are_found_by_all_and_new_rows_join_them() {
    let x = groups(240, 20, 4, 9);
    let truth = Labels::from_ids((0..240).map(|i| i % 4));
    for (name, clusterer) in crate::all() {
        let partition = fit(&*clusterer, &x, 4).unwrap();
        assert_eq!(partition.labels().canonical(), truth, "{name}");
        let nearby = Matrix::from_vec(240, 20, x.as_slice().iter().map(|value| value + 0.01).collect()).unwrap();
        assert_eq!(
            &partition.assign((&nearby).into()).unwrap(),
            partition.labels(),
            "{name}: {}",
            partition.assignment_rule()
        );
        assert!(partition.warnings().is_empty(), "{name}: {:?}", partition.warnings());
    }
}

#[test]
fn permuted_rows_get_permuted_labels() {
    let x = groups(150, 3, 6, 4);
    let order: Vec<usize> = (0..150).map(|i| (i * 71) % 150).collect();
    for (name, clusterer) in crate::all() {
        let plain = fit(&*clusterer, &x, 6).unwrap();
        let permuted = fit(&*clusterer, &x.select_rows(&order), 6).unwrap();
        assert_eq!(permuted.labels().canonical(), plain.labels().select(&order).canonical(), "{name}");
    }
}

#[test]
fn training_rows_are_assigned_to_the_cluster_they_were_given() {
    let x = groups(200, 40, 1, 5); // one lump: every boundary is contested
    for name in ["kmeans", "linfa_kmeans", "mini_batch_kmeans", "soft_kmeans", "spherical_kmeans"] {
        let partition = fit(&*make(name, &[]), &x, 8).unwrap();
        assert_eq!(
            &partition.assign((&x).into()).unwrap(),
            partition.labels(),
            "{name}: labels belong to the final centres"
        );
    }
}

#[test]
fn a_start_that_may_not_finish_is_told() {
    let x = groups(300, 5, 1, 6);
    let partition = fit(&*make("kmeans", &[("max_iter", ParamValue::Integer(1))]), &x, 8).unwrap();
    assert_eq!(
        partition.warnings(),
        ["the best of 10 starts had not converged after 1 iterations; raise max_iter or tol"]
    );
    assert_eq!(
        &partition.assign((&x).into()).unwrap(),
        partition.labels(),
        "labels belong to the final centres all the same"
    );
}

#[test]
fn an_offset_common_to_all_rows_changes_no_label() {
    let x = groups(200, 4, 3, 8);
    let rounded = Matrix::from_vec(200, 4, x.as_slice().iter().map(|value| value.round()).collect()).unwrap();
    let far = Matrix::from_vec(200, 4, rounded.as_slice().iter().map(|value| value + 1_048_576.0).collect()).unwrap();
    // An offset changes directions.
    for (name, clusterer) in crate::all().into_iter().filter(|(name, _)| name != "spherical_kmeans") {
        let (near, far) = (fit(&*clusterer, &rounded, 5).unwrap(), fit(&*clusterer, &far, 5).unwrap());
        let inertias = (near.inertia().unwrap(), far.inertia().unwrap());
        assert!((inertias.0 - inertias.1).abs() <= 1e-3 * inertias.0, "{name}: {inertias:?}");
    }
}
