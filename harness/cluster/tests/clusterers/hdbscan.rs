//! HDBSCAN: against scikit-learn and hdbscan, and what must hold whatever the numbers.

use trailmark_core::contract::{Context, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Failure, FailureClass, Labels, Matrix, Space, Stream};
use trailmark_kit::{labels, numbers, oracle, rows};

use crate::{CTX, groups, make};

const FOUND: [SweepPoint; 1] = [SweepPoint { n_clusters: None, seed: 1 }];

fn fit<'a>(
    name: &str,
    params: &[(&str, ParamValue)],
    x: impl Into<Points<'a>>,
    ctx: &Context,
) -> Result<Box<dyn Partition>, Failure> {
    make(name, params).fit_sweep(&Space::of(x), &FOUND, ctx).pop().unwrap()
}

/// The parameters of a case that the clusterer takes; 0 clusters at most stands for no limit.
fn params_of<'a>(case: &'a toml::Table, names: &[&'a str]) -> Vec<(&'a str, ParamValue)> {
    let value = |value: &toml::Value| match value {
        toml::Value::Integer(0) => None,
        toml::Value::Integer(value) => Some(ParamValue::Integer(*value)),
        toml::Value::Float(value) if value.is_infinite() => None,
        toml::Value::Float(value) => Some(ParamValue::Number(*value)),
        toml::Value::Boolean(value) => Some(ParamValue::Flag(*value)),
        other => Some(ParamValue::Text(other.as_str().unwrap().to_owned())),
    };
    names.iter().filter_map(|&name| Some((name, value(&case[name])?))).collect()
}

/// A list of a model.
fn list(partition: &dyn Partition, name: &str) -> Vec<f64> {
    match partition.model().into_iter().find(|(have, _)| *have == name) {
        Some((_, ModelValue::Numbers(values))) => values,
        other => panic!("{name} is {other:?}"),
    }
}

fn name_of(case: &toml::Table) -> String {
    let shown: Vec<String> =
        case.iter().filter(|(_, value)| !value.is_array()).map(|(name, value)| format!("{name} = {value}")).collect();
    shown.join(", ")
}

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
            let partition = fit("hdbscan", &params_of(case, &names), points, &CTX).unwrap();
            assert_eq!(partition.labels(), &Labels(labels(case, "labels")).canonical(), "labels: {name}");
            for list_name in ["core_distances", "probabilities", "outlier_scores"] {
                let (got, expected) = (list(&*partition, list_name), numbers(case, list_name));
                assert_eq!(got.len(), expected.len(), "{list_name}: {name}");
                for (row, (got, expected)) in got.into_iter().zip(expected).enumerate() {
                    table.assert_close(&format!("{list_name} of row {row}: {name}"), got, expected);
                }
            }
        }
    }
}

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
        let partition = fit("optics", &params_of(case, &names), &x, &CTX).unwrap();
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
