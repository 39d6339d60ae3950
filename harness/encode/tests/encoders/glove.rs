//! What training of `glove` must bring about; counts and steps are in the table beside its unit tests.

use trailmark_core::contract::Context;
use trailmark_core::spec::ParamValue;

use crate::word2vec::{groups_part, shoppers};
use crate::{CTX, bits, encode, make, sequences, words};

#[test]
fn tokens_that_share_contexts_end_nearer_than_tokens_that_do_not() {
    let (x, warnings) = encode(&*make("glove", &[("dim", ParamValue::Integer(10))]), &shoppers(), 200, &CTX);
    assert_eq!(warnings, Vec::<String>::new());
    let (within, between) = groups_part(&x);
    assert!(within > between, "least within {within}, most between {between}");
}

#[test]
fn a_seed_gives_the_same_bits_and_another_seed_others() {
    let encoder = make("glove", &[("dim", ParamValue::Integer(6))]);
    let all = shoppers();
    let first = encode(&*encoder, &all, 200, &CTX).0;
    assert_eq!(bits(&first), bits(&encode(&*encoder, &all, 200, &Context { threads: 8, ..CTX }).0));
    assert_ne!(bits(&first), bits(&encode(&*encoder, &all, 200, &Context { seed: 2, ..CTX }).0));
}

#[test]
fn samples_of_one_token_teach_nothing_and_say_so() {
    let (_, warnings) = encode(&*make("glove", &[]), &sequences(&words(&["a", "b"])), 2, &CTX);
    assert_eq!(warnings, ["glove learnt nothing: no training sample holds two known tokens; its vectors are random"]);
}
