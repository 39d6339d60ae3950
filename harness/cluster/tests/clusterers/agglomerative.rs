//! Agglomerative clustering: rules for new rows, and limits.

use trailmark_core::contract::Context;
use trailmark_core::spec::ParamValue;
use trailmark_core::{FailureClass, Labels, Matrix, Space};

use crate::{CTX, failure, fit, groups, make, points};

fn linkage(word: &str) -> [(&'static str, ParamValue); 1] {
    [("linkage", ParamValue::Text(word.to_owned()))]
}

#[test]
fn each_linkage_assigns_by_its_own_notion_of_near() {
    // A long cluster 0..10 and a pair at 14, 15; the new row stands at 12.1.
    let x: Vec<Vec<f32>> = (0..=10).map(|i| vec![i as f32]).chain([vec![14.0], vec![15.0]]).collect();
    let x = Matrix::from_rows(&x).unwrap();
    let new = Matrix::from_rows(&[vec![11.9_f32], vec![11.0]]).unwrap();
    for (word, expected, rule) in [
        ("single", [0, 0], "nearest member"),
        ("average", [1, 1], "least mean distance to members"),
        ("complete", [1, 1], "least distance to farthest member"),
        ("ward", [1, 1], "nearest centroid"),
    ] {
        // Of single linkage's tree the cut into two is the long cluster and the pair; other linkages cut elsewhere,
        // and the new rows lie on the pair's side of it.
        let partition = fit(&*make("agglomerative", &linkage(word)), &x, 2).unwrap();
        assert_eq!(partition.assignment_rule(), rule);
        assert_eq!(
            partition.assign((&new).into()).unwrap(),
            Labels::from_ids(expected),
            "{word}: {:?}",
            partition.labels()
        );
    }
}

#[test]
fn clusters_are_named_by_first_appearance_and_all_of_them_are_there() {
    let x = groups(90, 30, 3, 2);
    for word in ["ward", "average", "complete", "single"] {
        for partition in
            make("agglomerative", &linkage(word)).fit_sweep(&Space::of(&x), &points(&[1, 2, 3, 10, 90]), &CTX)
        {
            let partition = partition.unwrap();
            assert_eq!(partition.labels(), &partition.labels().canonical(), "{word}");
            assert!(partition.inertia().is_some(), "{word}");
        }
    }
    let all = make("agglomerative", &[]).fit_sweep(&Space::of(&x), &points(&[1, 10, 90]), &CTX);
    let counts: Vec<usize> = all.iter().map(|partition| partition.as_ref().unwrap().labels().n_clusters()).collect();
    assert_eq!(counts, [1, 10, 90]);
}

#[test]
fn more_users_than_declared_are_refused_with_need_and_limit() {
    let x = groups(50, 2, 3, 2);
    let small = make("agglomerative", &[("max_samples", ParamValue::Integer(40))]);
    let refusal = failure(&*small, &x, 3);
    assert_eq!(refusal.class, FailureClass::Oom);
    assert_eq!(
        refusal.message,
        "agglomerative on 50 users needs 11700 bytes, and max_samples limits it to 40 users (3120 bytes); raise \
         max_samples, or take fewer users with sample_users"
    );
    let ctx = Context { memory_bytes: 1000, ..CTX };
    let refusal =
        make("agglomerative", &[]).fit_sweep(&Space::of(&x), &points(&[3]), &ctx).pop().unwrap().err().unwrap();
    assert_eq!(
        refusal.to_string(),
        "oom: agglomerative on 50 users needs 11700 bytes, the limit is 1000 bytes; raise --memory or take fewer users"
    );
}

#[test]
fn one_user_makes_one_cluster() {
    let x = Matrix::from_rows(&[vec![1.0_f32, 2.0]]).unwrap();
    for (name, clusterer) in crate::all() {
        let partition = fit(&*clusterer, &x, 1).unwrap();
        assert_eq!(partition.labels(), &Labels::from_ids([0]), "{name}");
        assert_eq!(partition.inertia(), Some(0.0), "{name}");
    }
}
