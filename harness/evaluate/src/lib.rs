//! The protocol over the contracts: post steps, control arms, rules for n_clusters, the leak guard, aggregation over
//! folds, and comparisons of arms. Everything here is protocol and not arithmetic; it names no encoder and no
//! clusterer, and knows no store.

mod aggregate;
mod all_but_the_top;
mod blocks;
mod center;
mod compare;
mod controls;
mod elbow;
mod evidence;
mod l2;
mod leak;
mod pca;
mod pick;
mod principal;
mod standardize;
mod symmetric;
mod training_columns;
mod whiten;

use trailmark_core::catalogue::PostEntry;

pub use aggregate::{Aggregate, aggregate, mean_per_user};
pub use compare::{
    ArmScores, BOOTSTRAP_RESAMPLES, CompareError, Family, FoldScore, LEVEL, MIN_USERS, SIGN_FLIP_RESAMPLES, compare,
};
pub use controls::{one_cluster, random_labels};
pub use elbow::elbow_pick;
pub use l2::zero_rows;
pub use leak::LeakGuard;
pub use pick::{PickAnswer, silhouette_pick};

/// The post steps, ascending by name.
pub fn posts() -> Vec<PostEntry> {
    vec![
        PostEntry { spec: &all_but_the_top::SPEC, build: all_but_the_top::build },
        PostEntry { spec: &center::SPEC, build: center::build },
        PostEntry { spec: &l2::SPEC, build: l2::build },
        PostEntry { spec: &pca::SPEC, build: pca::build },
        PostEntry { spec: &standardize::SPEC, build: standardize::build },
        PostEntry { spec: &whiten::SPEC, build: whiten::build },
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use trailmark_core::contract::Post;
    use trailmark_core::{Matrix, ParamValue, Params, Spec};
    use trailmark_kit::{numbers, oracle, rows};

    use super::*;

    fn made(post: &PostEntry) -> Box<dyn Post> {
        (post.build)(&Params::defaults(post.spec)).unwrap()
    }

    fn matrix(rows: &[Vec<f64>]) -> Matrix<f32> {
        Matrix::from_rows(rows).unwrap().cast()
    }

    /// The defaults with what the case has under `params`.
    fn told(case: &toml::Table, spec: &Spec) -> Params {
        let mut params = Params::defaults(spec);
        for (name, value) in case.get("params").and_then(toml::Value::as_table).into_iter().flatten() {
            assert!(spec.param(name).is_some(), "{} has no parameter {name}", spec.name);
            let value = match value {
                toml::Value::Boolean(value) => ParamValue::Flag(*value),
                toml::Value::Integer(value) => ParamValue::Integer(*value),
                toml::Value::Float(value) => ParamValue::Number(*value),
                other => panic!("{name} = {other} in the table of {}", spec.name),
            };
            params.set(name, value);
        }
        params
    }

    #[test]
    fn every_post_step_has_a_unique_name_a_reference_and_agrees_with_its_oracle() {
        let posts = posts();
        assert!(posts.windows(2).all(|pair| pair[0].spec.name < pair[1].spec.name), "ascending and unique");
        for post in posts {
            assert!(!post.spec.reference.is_empty() && !post.spec.summary.is_empty(), "{}", post.spec.name);
            let cost = post.spec.cost;
            assert!(!cost.time.is_empty() && !cost.memory.is_empty(), "{} does not say its cost", post.spec.name);
            let table = oracle("evaluate", post.spec.name);
            let mut tried: BTreeSet<String> = BTreeSet::new();
            for case in &table.case {
                let params = told(case, post.spec);
                let defaults = Params::defaults(post.spec);
                let other = params.iter().filter(|(name, value)| defaults.get(name) != Some(value));
                tried.extend(other.map(|(name, _)| name.to_owned()));
                let fitted = (post.build)(&params).unwrap().fit(&matrix(&rows(case, "train"))).unwrap();
                let mut x = matrix(&rows(case, "x"));
                fitted.apply(&mut x).unwrap();
                assert_eq!(x.as_slice().len(), numbers(case, "expected").len(), "{}", post.spec.name);
                for (&actual, expected) in x.as_slice().iter().zip(numbers(case, "expected")) {
                    table.assert_close(post.spec.name, f64::from(actual), expected);
                }
            }
            for param in post.spec.params {
                assert!(tried.contains(param.name), "no case gives {} another {}", post.spec.name, param.name);
            }
        }
    }

    #[test]
    fn a_fitted_post_step_depends_on_training_rows_only() {
        for post in posts() {
            let fitted = made(&post).fit(&matrix(&[vec![1.0, 2.0], vec![3.0, 7.0], vec![2.0, 0.5]])).unwrap();
            let mut alone = matrix(&[vec![4.0, 1.0]]);
            let mut beside = matrix(&[vec![4.0, 1.0], vec![-90.0, 55.0]]);
            fitted.apply(&mut alone).unwrap();
            fitted.apply(&mut beside).unwrap();
            assert_eq!(alone.row(0), beside.row(0), "{}: a row moved because of its neighbour", post.spec.name);
        }
    }

    #[test]
    fn rows_of_another_width_are_refused_with_both_widths() {
        for post in posts() {
            let fitted = made(&post).fit(&matrix(&[vec![1.0, 2.0], vec![3.0, 7.0]])).unwrap();
            let failure = fitted.apply(&mut matrix(&[vec![1.0, 2.0, 3.0]])).unwrap_err();
            assert_eq!(
                failure.message,
                format!("{} was fitted on 2 features and got rows of 3", post.spec.name),
                "{}",
                failure.class
            );
        }
    }

    #[test]
    fn a_post_step_without_training_rows_says_so() {
        for post in posts() {
            let Err(failure) = made(&post).fit(&Matrix::zeros(0, 3)) else { panic!("{}", post.spec.name) };
            assert_eq!(failure.message, format!("{} has no training rows to learn from", post.spec.name));
        }
    }
}
