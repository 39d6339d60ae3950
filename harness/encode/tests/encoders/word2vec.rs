//! What training must bring about, measured; the numbers of one step are in the table beside its unit test.

use trailmark_core::contract::Context;
use trailmark_core::spec::ParamValue;
use trailmark_core::{Matrix, Stream};

use crate::{CTX, bits, encode, make, sequences, try_make, words};

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// No thinning.
fn all_tokens() -> [(&'static str, ParamValue); 1] {
    [("subsample", ParamValue::Number(0.0))]
}

/// Two kinds of shopper: each mixes its own six tokens freely. The last twelve documents are single tokens.
pub(crate) fn shoppers() -> trailmark_core::Sequences {
    let mut draws = Stream::new(12);
    let mut documents: Vec<Vec<String>> =
        (0..200).map(|i| (0..12).map(|_| format!("{}{}", ["a", "b"][i % 2], draws.below(6))).collect()).collect();
    documents.extend((0..12).map(|i| vec![format!("{}{}", ["a", "b"][i / 6], i % 6)]));
    sequences(&documents)
}

/// The least cosine of two tokens of one kind of shopper, and the greatest of two tokens of different kinds.
pub(crate) fn groups_part(x: &Matrix<f32>) -> (f64, f64) {
    let (mut least_within, mut most_between) = (f64::INFINITY, f64::NEG_INFINITY);
    for i in 200..212 {
        for j in i + 1..212 {
            let near = cosine(x.row(i), x.row(j));
            if (i - 200) / 6 == (j - 200) / 6 {
                least_within = least_within.min(near);
            } else {
                most_between = most_between.max(near);
            }
        }
    }
    (least_within, most_between)
}

#[test]
fn tokens_that_share_contexts_end_nearer_than_tokens_that_do_not() {
    let params =
        [("dim", ParamValue::Integer(20)), ("epochs", ParamValue::Integer(20)), ("subsample", ParamValue::Number(0.0))];
    let (x, warnings) = encode(&*make("word2vec", &params), &shoppers(), 200, &CTX);
    assert_eq!(warnings, Vec::<String>::new());
    let (least_within, most_between) = groups_part(&x);
    assert!(least_within > 0.8 && most_between < 0.5, "within {least_within}, between {most_between}");
}

#[test]
fn a_seed_gives_the_same_bits_and_another_seed_others() {
    let all = shoppers();
    let encoder = make("word2vec", &[("dim", ParamValue::Integer(10))]);
    let first = encode(&*encoder, &all, 200, &CTX).0;
    let again = encode(&*encoder, &all, 200, &Context { threads: 8, ..CTX }).0;
    assert_eq!(bits(&first), bits(&again), "threads do not show");
    let other = encode(&*encoder, &all, 200, &Context { seed: 2, ..CTX }).0;
    assert_ne!(bits(&first), bits(&other));
}

#[test]
fn samples_of_one_token_teach_nothing_and_say_so() {
    let (x, warnings) = encode(&*make("word2vec", &all_tokens()), &sequences(&words(&["a", "b", "c"])), 3, &CTX);
    assert_eq!(warnings, ["word2vec learnt nothing: no training sample kept two known tokens; its vectors are random"]);
    assert!(x.iter_rows().all(|row| row.iter().any(|value| *value != 0.0)));
}

#[test]
fn thinning_that_leaves_little_of_a_small_vocabulary_is_told() {
    let thinned = make("word2vec", &[("subsample", ParamValue::Number(1e-3))]);
    let (_, warnings) = encode(&*thinned, &shoppers(), 200, &CTX);
    assert_eq!(
        warnings,
        ["subsample = 0.001 keeps 12.2 % of the training tokens, as every token of a small vocabulary is frequent; \
             set subsample = 0 to train on all"]
    );
}

#[test]
fn a_sample_is_the_mean_of_its_known_tokens() {
    let all = sequences(&words(&["a b c a", "b c", "a", "b", "b a unseen"]));
    let (x, _) = encode(&*make("word2vec", &[]), &all, 4, &CTX);
    for ((a, b), both) in x.row(2).iter().zip(x.row(3)).zip(x.row(4)) {
        assert!((f64::from(*a) / 2.0 + f64::from(*b) / 2.0 - f64::from(*both)).abs() < 1e-7);
    }
}

fn variant(more: &[(&'static str, ParamValue)]) -> Vec<(&'static str, ParamValue)> {
    [&[("dim", ParamValue::Integer(20)), ("epochs", ParamValue::Integer(20))], more].concat()
}

#[test]
fn cbow_shards_and_hogwild_part_the_groups_as_well() {
    let all = shoppers();
    let workers = |n| ("workers", ParamValue::Integer(n));
    for more in [
        vec![("architecture", ParamValue::Text("cbow".to_owned())), ("learning_rate", ParamValue::Number(0.2))],
        vec![workers(2)],
        vec![workers(5)],
        vec![workers(2), ("hogwild", ParamValue::Flag(true))],
    ] {
        let (x, _) = encode(&*make("word2vec", &variant(&more)), &all, 200, &Context { threads: 2, ..CTX });
        let (within, between) = groups_part(&x);
        assert!(within > 0.5 && between < within - 0.25, "{more:?}: least within {within}, most between {between}");
    }
}

#[test]
fn the_number_of_workers_shows_and_the_number_of_threads_does_not() {
    let all = shoppers();
    let encoder = make("word2vec", &variant(&[("workers", ParamValue::Integer(3))]));
    let one = encode(&*encoder, &all, 200, &CTX).0;
    for threads in [2, 3, 8] {
        assert_eq!(bits(&one), bits(&encode(&*encoder, &all, 200, &Context { threads, ..CTX }).0), "{threads} threads");
    }
    assert_ne!(bits(&one), bits(&encode(&*make("word2vec", &variant(&[])), &all, 200, &CTX).0));
}

#[test]
fn many_workers_on_few_tokens_stay_finite_and_still_part_the_groups() {
    // Plain sums of what eight workers moved grew without bound on 1,700 tokens; a dozen tokens are harder.
    let all = shoppers();
    let params = variant(&[("workers", ParamValue::Integer(16)), ("learning_rate", ParamValue::Number(0.1))]);
    let (x, _) = encode(&*make("word2vec", &params), &all, 200, &Context { threads: 2, ..CTX });
    assert!(x.iter_rows().flatten().all(|value| value.abs() < 100.0), "the vectors grew without bound");
    let (within, between) = groups_part(&x);
    assert!(within > 0.5 && between < within - 0.25, "least within {within}, most between {between}");
}

#[test]
fn hogwild_says_that_it_is_not_reproducible_and_needs_workers() {
    let hogwild = ("hogwild", ParamValue::Flag(true));
    let encoder = make("word2vec", &[hogwild.clone(), ("workers", ParamValue::Integer(2))]);
    let (_, warnings) = encode(&*encoder, &shoppers(), 200, &CTX);
    assert_eq!(warnings, ["hogwild = true: these vectors are not reproducible, another run gives others"]);
    assert_eq!(
        try_make("word2vec", &[hogwild]).err().unwrap().0,
        "word2vec: hogwild = true needs workers of 2 or more; one worker has nothing to share"
    );
}

#[test]
fn sif_pooling_weighs_frequent_tokens_down_and_removes_the_common_direction() {
    let all = shoppers();
    let sif = [("pooling", ParamValue::Text("sif".to_owned())), ("sif_a", ParamValue::Number(0.1))];
    let (x, _) = encode(&*make("word2vec", &variant(&sif)), &all, 200, &CTX);
    let (mean, _) = encode(&*make("word2vec", &variant(&[])), &all, 200, &CTX);
    let strength = |x: &Matrix<f32>| -> f64 {
        (0..x.cols()).map(|j| (0..200).map(|i| f64::from(x.row(i)[j])).sum::<f64>().powi(2)).sum::<f64>().sqrt()
    };
    assert!(strength(&x) < 0.1 * strength(&mean), "{} {}", strength(&x), strength(&mean));
}
