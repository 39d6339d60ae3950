//! What must hold for the clusterers that find clusters by density, whatever the numbers.

use trailmark_core::contract::{Context, ModelValue, Partition, Points, SweepPoint};
use trailmark_core::spec::ParamValue;
use trailmark_core::{Failure, FailureClass, Labels, Matrix, Space, Stream};

use crate::{CTX, groups, make};

const NAMES: [&str; 2] = ["hdbscan", "optics"];

/// The one point of a sweep whose clusterer finds the number of clusters.
const FOUND: [SweepPoint; 1] = [SweepPoint { n_clusters: None, seed: 1 }];

/// Fits a clusterer that finds the number of clusters.
pub(crate) fn fit_found<'a>(
    name: &str,
    params: &[(&str, ParamValue)],
    x: impl Into<Points<'a>>,
    ctx: &Context,
) -> Result<Box<dyn Partition>, Failure> {
    make(name, params).fit_sweep(&Space::of(x), &FOUND, ctx).pop().unwrap()
}

/// The parameters of a case that the clusterer takes; 0 clusters at most stands for no limit.
pub(crate) fn params_of<'a>(case: &'a toml::Table, names: &[&'a str]) -> Vec<(&'a str, ParamValue)> {
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

/// A list of numbers of a model.
pub(crate) fn list(partition: &dyn Partition, name: &str) -> Vec<f64> {
    match partition.model().into_iter().find(|(have, _)| *have == name) {
        Some((_, ModelValue::Numbers(values))) => values,
        other => panic!("{name} is {other:?}"),
    }
}

/// A case in words.
pub(crate) fn name_of(case: &toml::Table) -> String {
    let shown: Vec<String> =
        case.iter().filter(|(_, value)| !value.is_array()).map(|(name, value)| format!("{name} = {value}")).collect();
    shown.join(", ")
}

fn refusal(name: &str, params: &[(&str, ParamValue)], x: &Matrix<f32>, ctx: &Context) -> Failure {
    match fit_found(name, params, x, ctx) {
        Ok(_) => panic!("{name} made a partition of what should be refused"),
        Err(failure) => failure,
    }
}

/// Groups of differing density with rows between them.
fn uneven(n: usize, width: usize, seed: u64) -> Matrix<f32> {
    let mut draws = Stream::new(seed);
    let mut x = groups(n, width, 4, seed);
    for i in 0..n {
        let spread = [0.3, 1.0, 3.0, 8.0][i % 4];
        x.row_mut(i).iter_mut().for_each(|value| *value += (spread * draws.normal()) as f32);
    }
    x
}

#[test]
fn separate_groups_are_found_and_rows_far_from_all_are_noise() {
    let mut x = groups(200, 20, 4, 5);
    x.row_mut(17).fill(1e4);
    x.row_mut(90).fill(-1e4);
    let mut truth: Vec<Option<u32>> = (0..200).map(|i| Some(i % 4)).collect();
    (truth[17], truth[90]) = (None, None);
    for (name, params) in [
        ("hdbscan", vec![]),
        ("optics", vec![("cluster_method", ParamValue::Text("dbscan".to_owned())), ("eps", ParamValue::Number(15.0))]),
    ] {
        let partition = fit_found(name, &params, &x, &CTX).unwrap();
        assert_eq!(partition.labels(), &Labels(truth.clone()), "{name}");
        assert_eq!(partition.warnings(), Vec::<String>::new(), "{name}");
        let again = partition.assign((&x).into()).unwrap();
        assert_eq!(&again, partition.labels(), "{name} assigns its training rows to their clusters");
        let new = Matrix::from_rows(&[x.row(5).iter().map(|value| value + 0.1).collect(), vec![500.0; 20]]).unwrap();
        assert_eq!(partition.assign((&new).into()).unwrap(), Labels(vec![truth[5], None]), "{name}");
    }
}

#[test]
fn threads_do_not_matter() {
    let x = uneven(700, 24, 2);
    for name in NAMES {
        let one = fit_found(name, &[], &x, &CTX).unwrap();
        for threads in [2, 5] {
            let more = fit_found(name, &[], &x, &Context { threads, ..CTX }).unwrap();
            assert_eq!(one.labels(), more.labels(), "{name} on {threads} threads");
            assert_eq!(one.model(), more.model(), "{name} on {threads} threads");
        }
    }
}

#[test]
fn permuting_rows_permutes_labels() {
    let x = uneven(500, 20, 3);
    let mut order: Vec<usize> = (0..500).collect();
    Stream::new(4).shuffle(&mut order);
    let permuted = x.select_rows(&order);
    // OPTICS begins at the first row, so that only its cut at one distance follows a permutation.
    let cut = [("cluster_method", ParamValue::Text("dbscan".to_owned())), ("eps", ParamValue::Number(25.0))];
    for (name, params) in [("hdbscan", &[][..]), ("optics", &cut[..])] {
        let partition = fit_found(name, params, &x, &CTX).unwrap();
        assert!(partition.labels().n_clusters() > 1, "{name}: {:?}", partition.labels());
        let expected = partition.labels().select(&order).canonical();
        assert_eq!(fit_found(name, params, &permuted, &CTX).unwrap().labels(), &expected, "{name}");
    }
    let outliers = |x| list(&*fit_found("hdbscan", &[], x, &CTX).unwrap(), "outlier_scores");
    let (scores, permuted) = (outliers(&x), outliers(&permuted));
    for (&row, score) in order.iter().zip(permuted) {
        assert!((scores[row] - score).abs() < 1e-12, "row {row}: {} and {score}", scores[row]);
    }
}

#[test]
fn a_constant_column_and_a_shift_change_no_label() {
    let x = uneven(300, 20, 6);
    let rows: Vec<Vec<f32>> = x.iter_rows().map(|row| row.iter().copied().chain([7.0]).collect()).collect();
    let wider = Matrix::from_rows(&rows).unwrap();
    for name in NAMES {
        let labels = fit_found(name, &[], &x, &CTX).unwrap().labels().clone();
        assert_eq!(&labels, fit_found(name, &[], &wider, &CTX).unwrap().labels(), "{name}");
    }
}

#[test]
fn equal_vectors_are_noise_unless_one_cluster_is_allowed() {
    let x = Matrix::from_vec(12, 2, vec![3.0_f32; 24]).unwrap();
    let partition = fit_found("hdbscan", &[], &x, &CTX).unwrap();
    assert_eq!(partition.labels(), &Labels(vec![None; 12]));
    assert_eq!(
        partition.warnings(),
        ["no cluster was found, all users are noise; lower min_cluster_size or min_samples, or allow_single_cluster"]
    );
    let single = [("allow_single_cluster", ParamValue::Flag(true))];
    let partition = fit_found("hdbscan", &single, &x, &CTX).unwrap();
    assert_eq!(partition.labels(), &Labels::from_ids([0; 12]));
    let near = Matrix::from_vec(2, 2, vec![3.0_f32, 3.0, 3.0, 4.0]).unwrap();
    assert_eq!(partition.assign((&near).into()).unwrap(), Labels(vec![Some(0), None]));
    assert_eq!(fit_found("optics", &[], &x, &CTX).unwrap().labels(), &Labels::from_ids([0; 12]));
}

#[test]
fn fewer_rows_than_a_core_distance_counts_are_refused() {
    for name in NAMES {
        let expected = format!(
            "{name} with min_samples = 5 needs as many users, there are 1; lower min_samples or bring more users"
        );
        let failure = refusal(name, &[], &Matrix::zeros(1, 2), &CTX);
        assert_eq!((failure.class, failure.message), (FailureClass::BadInput, expected));
    }
    let alone = fit_found("hdbscan", &[("min_samples", ParamValue::Integer(1))], &Matrix::<f32>::zeros(1, 2), &CTX);
    let alone = alone.unwrap();
    assert_eq!(alone.labels(), &Labels(vec![None]), "one row is no cluster");
    assert_eq!(alone.assign((&Matrix::<f32>::zeros(2, 2)).into()).unwrap(), Labels(vec![None; 2]));
    let failure = refusal("optics", &[("min_cluster_size", ParamValue::Integer(9))], &Matrix::zeros(6, 2), &CTX);
    assert_eq!(failure.message, "optics cannot find clusters of 9 among 6 users; lower min_cluster_size");
}

#[test]
fn values_that_are_not_finite_and_empty_vectors_are_refused() {
    for name in NAMES {
        let mut x = groups(10, 3, 2, 1);
        let partition = fit_found(name, &[], &x, &CTX).unwrap();
        x.row_mut(4)[2] = f32::NAN;
        let expected = "the vectors hold NaN at row 4, column 2; mend the encoder's output";
        assert_eq!(refusal(name, &[], &x, &CTX).message, expected, "{name}");
        assert_eq!(partition.assign((&x).into()).unwrap_err().message, expected, "{name}");
        let message = refusal(name, &[], &Matrix::zeros(0, 3), &CTX).message;
        assert!(message.starts_with("there is no sample to cluster"), "{name}: {message}");
        let message = refusal(name, &[], &Matrix::zeros(9, 0), &CTX).message;
        assert!(message.starts_with("the vectors have no feature"), "{name}: {message}");
        let message = partition.assign((&Matrix::<f32>::zeros(2, 4)).into()).unwrap_err().message;
        let expected = "the clusters were fitted on 3 features, the rows to assign have 4; encode both alike";
        assert_eq!(message, expected, "{name}");
        assert_eq!(partition.assign((&Matrix::<f32>::zeros(0, 3)).into()).unwrap(), Labels::default(), "{name}");
    }
}

#[test]
fn a_row_of_zeros_has_no_cosine_distance() {
    let mut x = groups(20, 3, 2, 1);
    let cosine = [("metric", ParamValue::Text("cosine".to_owned()))];
    for name in NAMES {
        let partition = fit_found(name, &cosine, &x, &CTX).unwrap();
        let zeros = Matrix::<f32>::zeros(1, 3);
        let expected = "row 0 is a vector of zeros, which has no cosine distance: drop it, or use euclidean";
        assert_eq!(partition.assign((&zeros).into()).unwrap_err().message, expected, "{name}");
    }
    x.row_mut(7).fill(0.0);
    for name in NAMES {
        let failure = refusal(name, &cosine, &x, &CTX);
        let expected = "row 7 is a vector of zeros, which has no cosine distance: drop it, or use euclidean";
        assert_eq!((failure.class, failure.message.as_str()), (FailureClass::BadInput, expected), "{name}");
    }
}

#[test]
fn more_users_than_declared_are_refused_with_need_and_limit_before_any_pass() {
    let x = groups(50, 2, 3, 2);
    let few = [("max_samples", ParamValue::Integer(40))];
    let failure = refusal("hdbscan", &few, &x, &CTX);
    assert_eq!(failure.class, FailureClass::Timeout);
    assert_eq!(
        failure.message,
        "hdbscan on 50 users compares 1225 pairs, and max_samples limits it to 40 users (780 pairs); raise max_samples, \
         or take fewer users with sample_users"
    );
    let failure = refusal("optics", &few, &x, &CTX);
    assert_eq!(failure.class, FailureClass::Oom);
    assert_eq!(
        failure.message,
        "optics on 50 users needs 4900 bytes for their distances, and max_samples limits it to 40 users (3120 bytes); \
         raise max_samples, or take fewer users with sample_users"
    );
    for name in NAMES {
        assert!(make(name, &few).pair_needs(50, 2, &CTX).is_empty(), "{name} asks for nothing that it would refuse");
        assert_eq!(make(name, &[]).pair_needs(50, 2, &CTX).len(), 1, "{name}");
        let tight = Context { memory_bytes: 1000, ..CTX };
        let failure = refusal(name, &[], &x, &tight);
        assert_eq!(failure.class, FailureClass::Oom, "{name}");
        assert!(failure.message.ends_with("the limit is 1000 bytes; raise --memory or take fewer users"), "{name}");
    }
}

#[test]
fn a_table_of_the_shared_pass_is_used_as_it_is() {
    let x = uneven(300, 20, 9);
    for name in NAMES {
        let clusterer = make(name, &[]);
        let pairs: Vec<_> = clusterer
            .pair_needs(300, 20, &CTX)
            .iter()
            .map(|need| trailmark_geometry::gather(Points::F32(&x), need, 1).unwrap())
            .collect();
        let space = Space { points: Points::F32(&x), pairs: &pairs };
        let before = trailmark_geometry::passes();
        let shared = clusterer.fit_sweep(&space, &FOUND, &CTX).pop().unwrap().unwrap();
        assert_eq!(trailmark_geometry::passes(), before, "{name} gathers nothing again");
        assert_eq!(shared.labels(), fit_found(name, &[], &x, &CTX).unwrap().labels(), "{name}");
    }
}
