//! `bag_of_events` and `tfidf`: numbers of scikit-learn, and what may not leak or overflow.

use trailmark_core::contract::Context;
use trailmark_core::spec::ParamValue;
use trailmark_core::{FailureClass, SequenceView};
use trailmark_kit::{oracle, rows};

use crate::{CTX, bits, encode, make, sequences, try_make, words};

fn documents(case: &toml::Table, key: &str) -> Vec<Vec<String>> {
    let list = |value: &toml::Value| value.as_array().unwrap().clone();
    list(&case[key])
        .iter()
        .map(|document| list(document).iter().map(|name| name.as_str().unwrap().to_owned()).collect())
        .collect()
}

fn integer(value: i64) -> ParamValue {
    ParamValue::Integer(value)
}

/// The parameters that a case spells as the Spec does.
fn params(case: &toml::Table, names: &[&'static str]) -> Vec<(&'static str, ParamValue)> {
    names
        .iter()
        .filter_map(|name| match case.get(*name)? {
            toml::Value::Integer(value) => Some((*name, integer(*value))),
            toml::Value::Boolean(value) => Some((*name, ParamValue::Flag(*value))),
            toml::Value::Float(value) => Some((*name, ParamValue::Number(*value))),
            other => panic!("{name} is {other}"),
        })
        .collect()
}

fn agrees(encoder: &str, names: &[&'static str]) {
    let table = oracle("encode", encoder);
    for (at, case) in table.case.iter().enumerate().filter(|(_, case)| case.contains_key("train")) {
        let (train, test) = (documents(case, "train"), documents(case, "test"));
        let n_train = train.len();
        let all = sequences(&[train, test].concat());
        let (x, _) = encode(&*make(encoder, &params(case, names)), &all, n_train, &CTX);
        let expected = [rows(case, "train_x"), rows(case, "test_x")].concat();
        for (i, expected) in expected.iter().enumerate() {
            assert_eq!(x.cols(), expected.len(), "case {at}, {}", case["name"]);
            for (j, expected) in expected.iter().enumerate() {
                let what = format!("case {at}, {}, sample {i}, feature {j}", case["name"]);
                table.assert_close(&what, x.row(i)[j].into(), *expected);
            }
        }
    }
}

#[test]
fn counts_agree_with_scikit_learn() {
    agrees("bag_of_events", &["min_df"]);
}

#[test]
fn weights_and_projections_agree_with_scikit_learn_signs_included() {
    let names = ["ngram_min", "ngram_max", "min_df", "sublinear_tf", "smooth_idf", "norm", "svd_dim"];
    agrees("tfidf", &names);
    assert!(oracle("encode", "tfidf").case.iter().any(|case| case.contains_key("svd_dim")));
}

#[test]
fn features_of_pairs_and_of_whole_samples_agree_with_their_references() {
    agrees("behaviour_features", &[]);
    agrees("length_only", &[]);
    agrees("sgt", &["kappa", "length_sensitive", "max_tokens"]);
    agrees("transition_matrix", &["smoothing", "max_tokens"]);
}

#[test]
fn n_grams_of_words_and_characters_agree_with_scikit_learn() {
    let table = oracle("encode", "tfidf");
    let cases: Vec<&toml::Table> = table.case.iter().filter(|case| case.contains_key("train_texts")).collect();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let texts = |key: &str| -> Vec<String> {
            case[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let (train, test) = (texts("train_texts"), texts("test_texts"));
        let n_train = train.len();
        let mut all = sequences(&vec![vec!["t".to_owned()]; n_train + test.len()]);
        all.texts = [train, test].concat();
        let mut params = params(case, &["ngram_min", "ngram_max"]);
        params.push(("analyzer", ParamValue::Text(case["analyzer"].as_str().unwrap().to_owned())));
        let (x, _) = encode(&*make("tfidf", &params), &all, n_train, &CTX);
        let expected = [rows(case, "train_x"), rows(case, "test_x")].concat();
        for (i, expected) in expected.iter().enumerate() {
            assert_eq!(x.cols(), expected.len(), "{}", case["name"]);
            for (j, expected) in expected.iter().enumerate() {
                let what = format!("{}, text {i}, feature {j}", case["name"]);
                table.assert_close(&what, x.row(i)[j].into(), *expected);
            }
        }
    }
}

#[test]
fn words_that_training_does_not_know_are_counted_as_words() {
    let all = sequences(&words(&["red shoes", "blue shoes", "green hats"]));
    let analyzer = ("analyzer", ParamValue::Text("words".to_owned()));
    let warnings = encode(&*make("tfidf", &[analyzer]), &all, 2, &CTX).1;
    assert_eq!(
        warnings,
        [
            "1 of 3 samples hold nothing that training knows, their vectors are zero",
            "2 of 6 words (33.33 %) are not in the training vocabulary"
        ]
    );
}

#[test]
fn a_matrix_of_pairs_keeps_the_tokens_of_most_samples_and_refuses_what_memory_cannot_hold() {
    let all = sequences(&words(&["d c a", "c b", "c b a"]));
    for name in ["sgt", "transition_matrix"] {
        let (x, warnings) = encode(&*make(name, &[("max_tokens", integer(2))]), &all, 3, &CTX);
        assert_eq!(
            warnings[0], "2 tokens were left out, the 2 that occur in most training samples are known (max_tokens)",
            "{name}"
        );
        assert_eq!(x.cols(), 4, "{name}");
        let encoder = make(name, &[]);
        let view = SequenceView::new(&all, &[0, 1, 2]);
        let ctx = Context { memory_bytes: 100, ..CTX };
        let failure = encoder.fit(view, &ctx).unwrap().transform(view, &ctx).err().unwrap();
        assert_eq!(
            (failure.class, failure.message.as_str()),
            (
                FailureClass::Oom,
                "3 samples x 16 features need 192 bytes, the limit is 100 bytes; lower max_tokens or raise --memory"
            ),
            "{name}"
        );
        let failure = encoder.fit(SequenceView::new(&all, &[]), &CTX).err().unwrap();
        assert_eq!(failure.message, "0 training samples hold no token at all", "{name}");
    }
}

#[test]
fn a_sample_draws_the_same_vector_alone_and_among_others_and_another_seed_draws_others() {
    let all = sequences(&words(&["a", "a", "b"]));
    let encoder = make("random_vector", &[("dim", integer(2000))]);
    let x = encode(&*encoder, &all, 0, &CTX).0;
    let fitted = encoder.fit(SequenceView::new(&all, &[]), &CTX).unwrap();
    let alone = fitted.transform(SequenceView::new(&all, &[1]), &CTX).unwrap().into_matrix();
    assert_eq!(bits(&alone), bits(&x.select_rows(&[1])));
    assert_ne!(x.row(0), x.row(1), "equal samples are as far apart as others");
    assert_ne!(bits(&x), bits(&encode(&*encoder, &all, 0, &Context { seed: 2, ..CTX }).0));
    let mean = x.as_slice().iter().map(|value| f64::from(*value)).sum::<f64>() / 6000.0;
    let square = x.as_slice().iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / 6000.0;
    assert!(mean.abs() < 0.05 && (square - 1.0).abs() < 0.06, "{mean} {square}");
}

#[test]
fn a_large_matrix_is_reduced_by_subspace_iteration_to_its_singular_values() {
    // 300 samples x 150 tokens: more than the exact path takes. The sum of squares left over is least for an SVD.
    let mut draws = trailmark_core::Stream::new(4);
    let documents: Vec<Vec<String>> =
        (0..300).map(|i| (0..20).map(|_| format!("t{}", 15 * (i % 10) + draws.below(15))).collect()).collect();
    let all = sequences(&documents);
    let (x, warnings) = encode(&*make("tfidf", &[("svd_dim", integer(10))]), &all, 300, &CTX);
    assert_eq!(warnings, Vec::<String>::new());
    // Ten groups that share no token: ten orthogonal blocks, so rows of two groups are orthogonal in any SVD.
    let dot =
        |a: usize, b: usize| -> f64 { x.row(a).iter().zip(x.row(b)).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    for i in 0..10 {
        assert!(dot(i, i + 10) > 0.3, "rows of one group are near: {}", dot(i, i + 10));
        assert!(dot(i, (i + 3) % 10).abs() < 1e-6, "rows of two groups are orthogonal: {}", dot(i, (i + 3) % 10));
    }
    let again = encode(&*make("tfidf", &[("svd_dim", integer(10))]), &all, 300, &CTX).0;
    assert_eq!(bits(&x), bits(&again));
    let other_seed = encode(&*make("tfidf", &[("svd_dim", integer(10))]), &all, 300, &Context { seed: 2, ..CTX }).0;
    for (a, b) in x.as_slice().iter().zip(other_seed.as_slice()) {
        assert!((a - b).abs() < 1e-5, "the seed of the start does not show in the result: {a} {b}");
    }
}

#[test]
fn directions_beyond_the_rank_are_zero_and_told() {
    let all = sequences(&words(&["a b", "a b", "c", "c c"]));
    let (x, warnings) = encode(&*make("tfidf", &[("svd_dim", integer(5))]), &all, 4, &CTX);
    assert_eq!(warnings, ["the training matrix has rank 2: 3 of 5 SVD dimensions are zero"]);
    assert_eq!(x.cols(), 5);
    assert!(x.iter_rows().all(|row| row[2..] == [0.0, 0.0, 0.0]));
    assert_eq!(x.row(0), x.row(1));
}

#[test]
fn test_users_move_no_bit_of_what_is_learnt() {
    let train = words(&["a b b", "b c", "a a d c", "d b"]);
    for (name, params) in [
        ("bag_of_events", vec![]),
        ("tfidf", vec![]),
        ("tfidf", vec![("svd_dim", integer(2)), ("ngram_max", integer(2))]),
        ("word2vec", vec![("dim", integer(5)), ("subsample", ParamValue::Number(0.0))]),
    ] {
        let alone = encode(&*make(name, &params), &sequences(&train), 4, &CTX).0;
        let with_others = sequences(&[train.clone(), words(&["zz a yy", "zz zz"])].concat());
        let beside = encode(&*make(name, &params), &with_others, 4, &CTX).0;
        assert_eq!(bits(&alone), bits(&beside.select_rows(&[0, 1, 2, 3])), "{name}");
        assert!(beside.row(5).iter().all(|value| *value == 0.0), "{name}: nothing is known of the last sample");
    }
}

#[test]
fn unknown_samples_and_tokens_are_counted() {
    let all = sequences(&words(&["a b", "b a", "x a", "x y"]));
    let expected = [
        "1 of 4 samples hold nothing that training knows, their vectors are zero",
        "3 of 8 tokens (37.50 %) are not in the training vocabulary",
    ];
    let no_thinning = vec![("subsample", ParamValue::Number(0.0))];
    for (name, params) in [("bag_of_events", vec![]), ("tfidf", vec![]), ("word2vec", no_thinning)] {
        let warnings = encode(&*make(name, &params), &all, 2, &CTX).1;
        assert_eq!(warnings, expected, "{name}");
    }
}

#[test]
fn the_widest_vocabulary_keeps_what_most_samples_hold_and_says_so() {
    let all = sequences(&words(&["d c a", "c b", "c b a"]));
    for name in ["bag_of_events", "tfidf"] {
        let (x, warnings) = encode(&*make(name, &[("max_features", integer(2))]), &all, 3, &CTX);
        assert_eq!(
            warnings[0], "2 n-grams were left out, the 2 that occur in most training samples are kept (max_features)",
            "{name}"
        );
        // c is in three samples, a and b are in two each: a comes first by name. Columns a, c.
        assert_eq!(x.cols(), 2, "{name}");
        assert!(x.row(1)[0] == 0.0 && x.row(1)[1] > 0.0, "{name}: {:?}", x.row(1));
    }
}

#[test]
fn relative_counts_sum_to_one() {
    let all = sequences(&words(&["a b b b", "a x"]));
    let (x, _) = encode(&*make("bag_of_events", &[("relative", ParamValue::Flag(true))]), &all, 1, &CTX);
    assert_eq!(x.as_slice(), [0.25, 0.75, 1.0, 0.0]);
}

#[test]
fn matrices_beyond_the_declared_memory_are_refused_with_need_and_limit() {
    let all = sequences(&words(&["a b c", "d e f"]));
    let ctx = Context { memory_bytes: 40, ..CTX };
    for (name, params, message) in [
        (
            "bag_of_events",
            vec![],
            "2 samples x 6 features need 48 bytes, the limit is 40 bytes; lower max_features or raise --memory",
        ),
        (
            "tfidf",
            vec![],
            "2 samples x 6 features need 48 bytes, the limit is 40 bytes; lower max_features, set svd_dim, or raise \
             --memory",
        ),
        (
            "tfidf",
            vec![("svd_dim", integer(1))],
            "the SVD of 6 n-grams to 1 dimensions needs 976 bytes, the limit is 40 bytes; raise min_df, set \
             max_features, or raise --memory",
        ),
        (
            "word2vec",
            vec![],
            "12 token vectors x 64 features need 3072 bytes, the limit is 40 bytes; lower dim, raise min_count or \
             --memory",
        ),
    ] {
        let encoder = make(name, &params);
        let view = SequenceView::new(&all, &[0, 1]);
        let failure = match encoder.fit(view, &ctx) {
            Ok(fitted) => fitted.transform(view, &ctx).err().unwrap(),
            Err(failure) => failure,
        };
        assert_eq!((failure.class, failure.message.as_str()), (FailureClass::Oom, message), "{name}");
    }
}

#[test]
fn a_vocabulary_of_nothing_is_refused() {
    let all = sequences(&words(&["a b", "c d"]));
    for (name, params, message) in [
        (
            "tfidf",
            vec![("min_df", integer(2))],
            "no n-gram of 1 to 1 tokens occurs in at least 2 of 2 training samples (4 distinct n-grams); lower min_df \
             or ngram_min",
        ),
        (
            "word2vec",
            vec![("min_count", integer(2))],
            "none of 4 tokens occurs 2 times or more in 2 training samples; lower min_count",
        ),
    ] {
        let encoder = make(name, &params);
        let failure = encoder.fit(SequenceView::new(&all, &[0, 1]), &CTX).err().unwrap();
        assert_eq!((failure.class, failure.message.as_str()), (FailureClass::BadInput, message));
    }
    let error = try_make("tfidf", &[("ngram_min", integer(3)), ("ngram_max", integer(2))]).err().unwrap();
    assert_eq!(error.0, "tfidf: ngram_min is 3 and ngram_max is 2; raise ngram_max or lower ngram_min");
}
