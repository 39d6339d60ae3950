//! Gaussian mixtures: scikit-learn's numbers from the same start, what may not change a bit, and limits.

use trailmark_cluster::{CovarianceType, MixtureParameters, MixtureStop, gaussian_mixture_from};
use trailmark_core::contract::{Context, ModelValue, Partition, Points};
use trailmark_core::spec::ParamValue;
use trailmark_core::{FailureClass, Labels, Matrix, Space, Stream};
use trailmark_kit::{labels, number, numbers, oracle, rows};

use crate::{CTX, failure, fit, groups, make, points};

const TYPES: [&str; 4] = ["full", "tied", "diag", "spherical"];

fn covariance_type(word: &str) -> CovarianceType {
    let all = [CovarianceType::Full, CovarianceType::Tied, CovarianceType::Diag, CovarianceType::Spherical];
    all.into_iter().find(|one| one.name() == word).unwrap()
}

fn text<'a>(case: &'a toml::Table, key: &str) -> &'a str {
    case[key].as_str().unwrap()
}

fn word(word: &str) -> ParamValue {
    ParamValue::Text(word.to_owned())
}

fn value(partition: &dyn Partition, name: &str) -> ModelValue {
    partition.model().into_iter().find(|(have, _)| *have == name).unwrap().1
}

fn real(partition: &dyn Partition, name: &str) -> f64 {
    match value(partition, name) {
        ModelValue::Number(value) => value,
        ModelValue::Count(value) => value as f64,
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn the_same_start_ends_where_scikit_learn_ends() {
    let table = oracle("cluster", "gaussian_mixture");
    let mut fits = 0;
    for case in &table.case {
        let x = Matrix::from_rows(&rows(case, "x")).unwrap();
        for fit in case["fit"].as_array().unwrap() {
            let fit = fit.as_table().unwrap();
            let name = format!("{}, {}", text(case, "name"), text(fit, "name"));
            let start = MixtureParameters {
                covariance_type: covariance_type(text(fit, "covariance_type")),
                weights: numbers(fit, "weights"),
                means: Matrix::from_rows(&rows(fit, "means")).unwrap(),
                covariances: numbers(fit, "covariances"),
            };
            let stop =
                MixtureStop { reg_covar: 1e-6, max_iter: number(fit, "max_iter") as usize, tol: number(fit, "tol") };
            let partition = gaussian_mixture_from(Points::F64(&x), &start, stop, 1).unwrap();
            for key in ["log_likelihood", "lower_bound", "bic", "aic", "n_iter"] {
                table.assert_close(&format!("{key} of {name}"), real(&*partition, key), number(fit, key));
            }
            assert_eq!(value(&*partition, "converged"), ModelValue::Text(text(fit, "converged").to_owned()), "{name}");
            // Components without a row stand behind the others here, where they are in scikit-learn.
            let expected = Labels(labels(fit, "labels"));
            assert_eq!(partition.labels().canonical(), expected.canonical(), "{name}");
            if expected.n_clusters() == start.n_clusters() {
                assert_eq!(partition.labels(), &expected, "{name}");
                let ModelValue::Numbers(weights) = value(&*partition, "weights") else { panic!("weights are numbers") };
                let ModelValue::Table(means) = value(&*partition, "means") else { panic!("means are a table") };
                let fitted = numbers(fit, "fitted_weights");
                for (got, expected) in weights.iter().zip(&fitted) {
                    assert!((got - expected).abs() < 1e-5, "weight of {name}: {got} for {expected}");
                }
                let scale = x.as_slice().iter().fold(1.0_f64, |most, value| most.max(value.abs()));
                for (row, expected) in means.iter_rows().zip(rows(fit, "fitted_means")) {
                    for (got, expected) in row.iter().zip(expected) {
                        assert!((got - expected).abs() < 1e-5 * scale, "mean of {name}: {got} for {expected}");
                    }
                }
            }
            fits += 1;
        }
    }
    assert!(fits > 100, "only {fits} fits were compared");
}

#[test]
fn threads_and_the_precision_of_the_same_values_move_no_bit() {
    let mut draws = Stream::new(3);
    let mut x = groups(700, 21, 3, 7);
    x.as_mut_slice().iter_mut().for_each(|value| *value += 3.0 * draws.normal() as f32);
    let wide: Matrix<f64> = x.cast();
    for covariance_type in TYPES {
        let clusterer = make("gaussian_mixture", &[("covariance_type", word(covariance_type))]);
        let all: Vec<_> = [(Space::of(&x), 1), (Space::of(&x), 2), (Space::of(&x), 5), (Space::of(&wide), 1)]
            .iter()
            .map(|(space, threads)| {
                let ctx = Context { threads: *threads, ..CTX };
                let partition = clusterer.fit_sweep(space, &points(&[5]), &ctx).pop().unwrap().unwrap();
                (partition.labels().clone(), format!("{:?}", partition.model()))
            })
            .collect();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{covariance_type}");
    }
}

#[test]
fn every_type_and_start_finds_clear_groups_and_says_how_likely_they_are() {
    let x = groups(240, 6, 4, 9);
    let truth = Labels::from_ids((0..240).map(|i| i % 4));
    for covariance_type in TYPES {
        for init in ["kmeans", "k-means++", "random_from_data"] {
            let params =
                [("covariance_type", word(covariance_type)), ("init", word(init)), ("n_init", ParamValue::Integer(8))];
            let partition = fit(&*make("gaussian_mixture", &params), &x, 4).unwrap();
            assert_eq!(partition.labels().canonical(), truth, "{covariance_type}, {init}");
            assert_eq!(partition.assignment_rule(), "greatest responsibility");
            let (bic, icl) = (real(&*partition, "bic"), real(&*partition, "icl"));
            assert!((bic - icl).abs() < 1e-6, "clear groups leave no doubt: {bic} and {icl}");
        }
    }
}

#[test]
fn criteria_count_the_free_parameters_of_each_type() {
    let x = groups(100, 3, 2, 4);
    // Weights 1, means 6, and 2 x 6, 6, 2 x 3 or 2 covariances.
    for (covariance_type, expected) in TYPES.into_iter().zip([19.0, 13.0, 13.0, 9.0]) {
        let params = [("covariance_type", word(covariance_type))];
        let partition = fit(&*make("gaussian_mixture", &params), &x, 2).unwrap();
        let [n_parameters, log_likelihood, bic, aic, icl] =
            ["n_parameters", "log_likelihood", "bic", "aic", "icl"].map(|name| real(&*partition, name));
        assert_eq!(n_parameters, expected, "{covariance_type}");
        assert!((aic - (2.0 * expected - 2.0 * log_likelihood)).abs() < 1e-9);
        assert!((bic - (expected * 100.0_f64.ln() - 2.0 * log_likelihood)).abs() < 1e-9);
        assert!(icl >= bic, "doubt is a penalty: {icl} and {bic}");
    }
}

#[test]
fn rows_in_doubt_are_assigned_to_the_component_they_were_given() {
    let x = groups(300, 7, 1, 5); // one lump: every boundary is contested
    for covariance_type in TYPES {
        let params = [("covariance_type", word(covariance_type)), ("max_iter", ParamValue::Integer(5))];
        for partition in make("gaussian_mixture", &params).fit_sweep(&Space::of(&x), &points(&[2, 6]), &CTX) {
            let partition = partition.unwrap();
            assert_eq!(&partition.assign((&x).into()).unwrap(), partition.labels(), "{covariance_type}");
        }
    }
}

#[test]
fn iterations_never_lower_the_likelihood() {
    let x = groups(200, 4, 1, 6);
    for covariance_type in TYPES {
        let bounds: Vec<f64> = (1..12)
            .map(|max_iter| {
                let params = [
                    ("covariance_type", word(covariance_type)),
                    ("max_iter", ParamValue::Integer(max_iter)),
                    ("tol", ParamValue::Number(0.0)),
                ];
                real(&*fit(&*make("gaussian_mixture", &params), &x, 5).unwrap(), "lower_bound")
            })
            .collect();
        assert!(bounds.windows(2).all(|pair| pair[0] <= pair[1] + 1e-5), "{covariance_type}: {bounds:?}");
    }
}

#[test]
fn a_start_that_may_not_finish_is_told_and_keeps_its_model() {
    let x = groups(300, 5, 1, 6);
    let partition = fit(&*make("gaussian_mixture", &[("max_iter", ParamValue::Integer(2))]), &x, 4).unwrap();
    let expected = "the best of 1 starts had not converged after 2 iterations; raise max_iter or tol";
    assert_eq!(partition.warnings(), [expected]);
    assert_eq!(value(&*partition, "converged"), ModelValue::Text("false".to_owned()));
    assert_eq!(partition.labels().n_clusters(), 4);
}

#[test]
fn equal_vectors_leave_one_component_with_rows() {
    let x = Matrix::from_vec(6, 2, vec![3.0_f32; 12]).unwrap();
    for covariance_type in TYPES {
        let clusterer = make("gaussian_mixture", &[("covariance_type", word(covariance_type))]);
        let partition = fit(&*clusterer, &x, 3).unwrap();
        assert_eq!(partition.labels(), &Labels::from_ids([0; 6]), "{covariance_type}");
        assert_eq!(
            partition.warnings(),
            ["1 clusters instead of 3: no user belongs most to the other components (fewer distinct vectors than \
                 clusters?)"]
        );
        assert_eq!(partition.inertia(), Some(0.0));
        assert_eq!(partition.assign((&x).into()).unwrap(), *partition.labels(), "new rows take the component in use");
    }
}

#[test]
fn a_covariance_without_an_inverse_is_refused_with_component_and_feature() {
    let x = Matrix::from_rows(&[[0.0_f32, 7.0], [1.0, 7.0], [2.0, 7.0], [4.0, 7.0]]).unwrap();
    for (covariance_type, who) in
        [("full", "component 0"), ("tied", "all components together"), ("diag", "component 0")]
    {
        let params = [("covariance_type", word(covariance_type)), ("reg_covar", ParamValue::Number(0.0))];
        let refusal = failure(&*make("gaussian_mixture", &params), &x, 1);
        assert_eq!(refusal.class, FailureClass::Degenerate);
        assert_eq!(
            refusal.message,
            format!(
                "the covariance of {who} is not positive definite (feature 1 varies with none of its own among its \
                 rows); raise reg_covar, lower n_clusters, scale the features, or choose another covariance_type"
            )
        );
    }
}

#[test]
fn vectors_too_large_to_square_are_refused() {
    let expected = "the log-likelihood is not finite: the vectors are too large to be squared; scale the features";
    let x = Matrix::from_rows(&[[1e200_f64], [-1e200], [3e199]]).unwrap();
    for covariance_type in TYPES {
        let clusterer = make("gaussian_mixture", &[("covariance_type", word(covariance_type))]);
        let refusal = clusterer.fit_sweep(&Space::of(&x), &points(&[2]), &CTX).pop().unwrap().err().unwrap();
        assert_eq!(refusal.message, expected, "{covariance_type}");
        let kind = self::covariance_type(covariance_type);
        let start = MixtureParameters {
            covariance_type: kind,
            weights: vec![1.0],
            means: Matrix::zeros(1, 1),
            covariances: vec![1.0],
        };
        let stop = MixtureStop { reg_covar: 1e-6, max_iter: 3, tol: 0.0 };
        let refusal = gaussian_mixture_from(Points::F64(&x), &start, stop, 1).err().unwrap();
        assert_eq!(refusal.message, expected, "{covariance_type} from a start");
    }
}

#[test]
fn more_memory_or_multiplications_than_declared_are_refused_for_that_number_of_clusters_alone() {
    let x = groups(100, 8, 2, 2);
    let ctx = Context { memory_bytes: 200_000, ..CTX };
    let results = make("gaussian_mixture", &[]).fit_sweep(&Space::of(&x), &points(&[2, 100]), &ctx);
    assert!(results[0].is_ok());
    let refusal = results[1].as_ref().err().unwrap();
    assert_eq!(
        refusal.to_string(),
        "oom: gaussian_mixture with 100 clusters on 100 users needs 395520 bytes, the limit is 200000 bytes; raise \
         --memory or take fewer users"
    );
    let params = [("max_operations", ParamValue::Number(2e6))];
    let results = make("gaussian_mixture", &params).fit_sweep(&Space::of(&x), &points(&[2, 4]), &CTX);
    assert!(results[0].is_ok());
    let refusal = results[1].as_ref().err().unwrap();
    assert_eq!(refusal.class, FailureClass::Timeout);
    assert_eq!(
        refusal.message,
        "gaussian_mixture with 4 clusters on 100 users with 8 features may take 2.6e6 multiplications, max_operations \
         limits them to 2.0e6; lower max_iter, n_init, n_clusters or n_features, or raise max_operations"
    );
}

#[test]
fn two_hundred_thousand_users_are_refused_at_once_where_the_defaults_would_take_too_long() {
    let x = Matrix::<f32>::zeros(200_000, 64);
    let refusal = failure(&*make("gaussian_mixture", &[]), &x, 160);
    assert_eq!(
        refusal.to_string(),
        "timeout: gaussian_mixture with 160 clusters on 200000 users with 64 features may take 1.3e13 multiplications, \
         max_operations limits them to 1.0e13; lower max_iter, n_init, n_clusters or n_features, or raise \
         max_operations"
    );
}

#[test]
fn a_start_of_another_shape_is_refused() {
    let x = groups(10, 3, 2, 1).cast();
    let start = MixtureParameters {
        covariance_type: CovarianceType::Full,
        weights: vec![0.5, 0.5],
        means: Matrix::zeros(2, 3),
        covariances: vec![1.0; 9],
    };
    let stop = MixtureStop { reg_covar: 1e-6, max_iter: 1, tol: 0.0 };
    let refusal = gaussian_mixture_from(Points::F64(&x), &start, stop, 1).err().unwrap();
    assert_eq!(
        refusal.message,
        "the start has 2 weights, 2 x 3 means and 9 numbers of full covariance; 2 components on 3 features need 2 \
         weights, 2 x 3 means and 18 numbers"
    );
}
