//! What linfa's mixture and DBSCAN answer, against scikit-learn and our own, and how they refuse.

use trailmark_core::contract::{Context, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Failure, FailureClass, Labels, Matrix, Space};
use trailmark_kit::{labels, number, numbers, oracle, rows};

use crate::{CTX, failure, fit, groups, make, points};

fn log_likelihood(partition: &dyn Partition) -> f64 {
    match partition.model().into_iter().find(|(name, _)| *name == "log_likelihood") {
        Some((_, ModelValue::Number(value))) => value,
        other => panic!("no log-likelihood but {other:?}"),
    }
}

fn dbscan(x: Points<'_>, eps: f64, min_points: i64) -> Result<Box<dyn Partition>, Failure> {
    let params = [("eps", ParamValue::Number(eps)), ("min_points", ParamValue::Integer(min_points))];
    let auto = [SweepPoint { n_clusters: None, seed: 1 }];
    make("linfa_dbscan", &params).fit_sweep(&Space { points: x, pairs: &[] }, &auto, &CTX).pop().unwrap()
}

#[test]
fn the_mixture_of_easy_groups_is_scikit_learns_and_ours() {
    let table = oracle("cluster", "linfa_gaussian_mixture");
    for case in &table.case {
        let x = Matrix::from_rows(&rows(case, "x")).unwrap();
        let k = number(case, "n_clusters") as usize;
        for name in ["linfa_gaussian_mixture", "gaussian_mixture"] {
            let clusterer = make(name, &[("tol", ParamValue::Number(1e-6))]);
            let partition = clusterer.fit_sweep(&Space::of(&x), &points(&[k]), &CTX).pop().unwrap().unwrap();
            let what = format!("{name} of {}", case["name"]);
            assert_eq!(partition.labels().canonical(), Labels(labels(case, "labels")).canonical(), "{what}");
            table.assert_close(&what, log_likelihood(&*partition), number(case, "log_likelihood"));
            let Some((_, ModelValue::Numbers(mut weights))) =
                partition.model().into_iter().find(|(name, _)| *name == "weights")
            else {
                panic!("{what} has no weights")
            };
            weights.sort_by(f64::total_cmp);
            for (got, expected) in weights.iter().zip(numbers(case, "weights")) {
                table.assert_close(&what, *got, expected);
            }
        }
    }
}

#[test]
fn a_mixture_that_does_not_converge_is_a_failure_without_a_model() {
    let x = groups(300, 5, 1, 6);
    let refusal = failure(&*make("linfa_gaussian_mixture", &[("max_iter", ParamValue::Integer(2))]), &x, 4);
    assert_eq!(refusal.class, FailureClass::Degenerate);
    assert!(refusal.message.contains("did not converge"), "{}", refusal.message);
}

#[test]
fn a_mixture_of_more_multiplications_than_declared_is_refused() {
    let x = groups(100, 8, 2, 2);
    let params = [("max_operations", ParamValue::Number(1e6))];
    let refusal = failure(&*make("linfa_gaussian_mixture", &params), &x, 2);
    assert_eq!(
        refusal.to_string(),
        "timeout: linfa_gaussian_mixture with 2 clusters on 100 users with 8 features may take 1.3e6 multiplications, \
         max_operations limits them to 1.0e6; lower max_iter, n_clusters or n_features, or raise max_operations"
    );
}

#[test]
fn dbscan_labels_are_scikit_learns_up_to_names() {
    for case in &oracle("cluster", "linfa_dbscan").case {
        let x = Matrix::from_rows(&rows(case, "x")).unwrap();
        let eps = number(case, "eps");
        let partition = dbscan(Points::F64(&x), eps, number(case, "min_points") as i64).unwrap();
        let expected = Labels(labels(case, "labels"));
        assert_eq!(partition.labels().canonical(), expected.canonical(), "{}", case["name"]);
        // Core rows are their own nearest; the others may only be nearer to a core row of another cluster.
        let assigned = partition.assign(Points::F64(&x)).unwrap();
        for (i, core) in numbers(case, "core").into_iter().enumerate() {
            if core == 1.0 {
                assert_eq!(assigned.0[i], partition.labels().0[i], "core row {i} of {}", case["name"]);
            }
            assert_eq!(assigned.0[i].is_some(), expected.0[i].is_some(), "noise stays noise: row {i}");
        }
    }
}

#[test]
fn dbscan_of_noise_alone_says_so_and_gives_new_rows_no_cluster() {
    let x = groups(30, 2, 30, 3).cast();
    let partition = dbscan(Points::F64(&x), 1e-6, 3).unwrap();
    assert_eq!(partition.labels(), &Labels(vec![None; 30]));
    assert_eq!(
        partition.warnings(),
        ["no cluster: nobody has 3 users within eps = 0.000001; raise eps or lower min_points"]
    );
    assert_eq!(partition.assign(Points::F64(&x)).unwrap(), Labels(vec![None; 30]));
    assert_eq!(partition.inertia(), None);
}

#[test]
fn dbscan_takes_equal_rows_and_refuses_what_it_cannot_do() {
    let x = Matrix::from_vec(200, 2, vec![3.0_f32; 400]).unwrap();
    let partition = dbscan(Points::F32(&x), 0.5, 5).unwrap();
    assert_eq!(partition.labels(), &Labels::from_ids(vec![0; 200]));
    assert_eq!(partition.assign(Points::F32(&Matrix::zeros(1, 2))).unwrap(), Labels(vec![None]));
    let message = partition.assign(Points::F32(&Matrix::zeros(1, 3))).unwrap_err().message;
    assert_eq!(message, "the clusters were fitted on 2 features, the rows to assign have 3; encode both alike");

    let mut bad = x.clone();
    bad.row_mut(4)[1] = f32::NAN;
    let message = dbscan(Points::F32(&bad), 0.5, 5).err().unwrap().message;
    assert_eq!(message, "the vectors hold NaN at row 4, column 1; mend the encoder's output");

    let params = [("eps", ParamValue::Number(0.5)), ("max_samples", ParamValue::Integer(100))];
    let refusal = failure(&*make("linfa_dbscan", &params), &x, 1);
    assert_eq!(
        refusal.to_string(),
        "timeout: linfa_dbscan compares every pair of 200 users, and max_samples limits it to 100; raise max_samples, \
         take dbscan, or take fewer users with sample_users"
    );
    let ctx = Context { memory_bytes: 1000, ..CTX };
    let clusterer = make("linfa_dbscan", &[("eps", ParamValue::Number(0.5))]);
    let refusal = clusterer.fit_sweep(&Space::of(&x), &points(&[1]), &ctx).pop().unwrap().err().unwrap();
    assert_eq!(refusal.class, FailureClass::Oom);
    assert!(fit(&*clusterer, &x, 1).is_ok());
}
