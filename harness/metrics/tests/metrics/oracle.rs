//! Every metric of the registry against its table.

use trailmark_core::contract::{Distance, Points};
use trailmark_core::{Labels, Matrix, Score};
use trailmark_kit::{OracleTable, close, labels, number, numbers, oracle, rows};
use trailmark_metrics::normalized_mutual_info_score::normalized_mutual_info_score_geometric;
use trailmark_metrics::{Contingency, registry, silhouette_samples};

#[test]
fn the_registry_names_every_metric_once_ascending_with_a_reference() {
    let names: Vec<&str> = registry().iter().map(|metric| metric.spec().name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "names must ascend and be unique: {names:?}");
    for metric in registry() {
        let spec = metric.spec();
        assert!(!spec.reference.is_empty() && !spec.summary.is_empty(), "{} lacks summary or reference", spec.name);
        assert_eq!(metric.internal(), metric.needs().embeddings, "{}", spec.name);
        assert_ne!(metric.needs().embeddings, metric.needs().labels_true, "{} is internal or external", spec.name);
    }
}

#[test]
fn every_metric_agrees_with_its_oracle_table() {
    for metric in registry() {
        let name = metric.spec().name;
        let table = oracle("metrics", name);
        for case in &table.case {
            let what = format!("{name}, {}", case["name"]);
            let pred = Labels(labels(case, "labels_pred"));
            let score = if metric.internal() {
                crate::internal(name, Points::F64(&points(case)), &pred, distance(case))
            } else {
                crate::external(name, &labels(case, "labels_true"), &pred)
            };
            check(&table, &what, case, &score);
        }
    }
}

fn check(table: &OracleTable, what: &str, case: &toml::Table, score: &Score) {
    if let Some(reason) = case.get("undefined") {
        assert_eq!((score.status(), Some(score.reason().as_str())), ("undefined", reason.as_str()), "{what}");
        return;
    }
    let value = score.number().unwrap_or_else(|| panic!("{what}: got {score:?}"));
    table.assert_close(what, value, number(case, "expected"));
}

/// Single precision cannot hold the table's points, so it is compared with double precision on the rounded ones.
#[test]
fn single_precision_agrees_with_double_to_1e_5() {
    for metric in registry().into_iter().filter(|metric| metric.internal()) {
        let name = metric.spec().name;
        for case in &oracle("metrics", name).case {
            let narrow = points(case).cast::<f32>();
            let wide = narrow.cast::<f64>();
            let pred = Labels(labels(case, "labels_pred"));
            let score = |x: Points<'_>| crate::internal(name, x, &pred, distance(case));
            let (narrow, wide) = (score(Points::F32(&narrow)), score(Points::F64(&wide)));
            assert_eq!(narrow.status(), wide.status(), "{name}, {}", case["name"]);
            if let (Some(narrow), Some(wide)) = (narrow.number(), wide.number()) {
                assert!(close(narrow, wide, 1e-5, 1e-7), "{name}, {}: {narrow} {wide}", case["name"]);
            }
        }
    }
}

#[test]
fn silhouettes_of_samples_agree_with_their_oracle_table() {
    let table = oracle("metrics", "silhouette_score");
    let mut seen = 0;
    for case in table.case.iter().filter(|case| case.contains_key("samples")) {
        let pred = Labels(labels(case, "labels_pred"));
        let samples = silhouette_samples(Points::F64(&points(case)), &pred, distance(case)).unwrap();
        for (at, (got, expected)) in samples.iter().zip(numbers(case, "samples")).enumerate() {
            table.assert_close(&format!("{} sample {at}", case["name"]), *got, expected);
            seen += 1;
        }
    }
    assert!(seen > 500, "only {seen} samples were compared");
}

#[test]
fn the_geometric_average_agrees_with_its_oracle_values() {
    let table = oracle("metrics", "normalized_mutual_info_score");
    for case in table.case.iter().filter(|case| case.contains_key("geometric")) {
        let counts = Contingency::new(&labels(case, "labels_true"), &Labels(labels(case, "labels_pred")));
        let value = normalized_mutual_info_score_geometric(&counts).unwrap();
        table.assert_close(&case["name"].to_string(), value, number(case, "geometric"));
    }
}

fn points(case: &toml::Table) -> Matrix<f64> {
    Matrix::from_rows(&rows(case, "x")).unwrap()
}

fn distance(case: &toml::Table) -> Distance {
    match case["distance"].as_str().unwrap() {
        "euclidean" => Distance::Euclidean,
        "squared_euclidean" => Distance::SquaredEuclidean,
        "cosine" => Distance::Cosine,
        other => panic!("no distance is named {other}"),
    }
}
