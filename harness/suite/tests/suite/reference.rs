//! `suites/reference.toml`: a valid suite that changes no default.

use trailmark_core::Params;
use trailmark_suite::{reference_toml, resolved_toml};

use crate::fixture::{CATALOGUE, context, valid};

#[test]
fn the_reference_is_a_valid_suite_with_every_default() {
    let page = reference_toml(&context());
    let reference = valid(&page, &[]);
    for arm in &reference.encoders {
        assert_eq!(arm.params, Params::defaults(arm.spec), "{} in\n{page}", arm.id);
    }
    for arm in &reference.clusterers {
        assert_eq!(arm.params, Params::defaults(arm.spec), "{} in\n{page}", arm.id);
    }
    let kinds: Vec<&str> = reference.encoders.iter().map(|arm| arm.spec.name).collect();
    assert_eq!(
        kinds,
        ["tfidf", "word2vec", "concatenation", "weighted_sum"],
        "kinds that need a file are commented out"
    );
    assert!(page.contains("# kind = \"precomputed\""), "and still there:\n{page}");

    // Whatever the reference writes out is what a suite without it means.
    let bare = r#"
        schema = 1
        suite.name = "reference"
        dataset = [{ id = "shop", source = "synthetic" }]
        split.future = { last = 3 }
        encoder = [
            { id = "tfidf", kind = "tfidf" },
            { id = "word2vec", kind = "word2vec" },
            { id = "concatenation", kind = "concatenation", parts = ["tfidf", "word2vec"] },
            { id = "weighted_sum", kind = "weighted_sum", parts = ["tfidf", "word2vec"] },
        ]
        clusterer = [
            { id = "agglomerative", kind = "agglomerative" },
            { id = "dbscan", kind = "dbscan" },
            { id = "kmeans", kind = "kmeans" },
        ]
        score = { primary = "cluster_popularity/ndcg@10", recommend = {} }
        compare = [{ arms = "clusterer" }]
        gate = [{ margin = 0.02 }]
    "#;
    assert_eq!(resolved_toml(&reference), resolved_toml(&valid(bare, &[])), "defaults in the reference are stale");
}

#[test]
fn the_reference_names_every_component() {
    let page = reference_toml(&context());
    let names = CATALOGUE.encoders.iter().map(|entry| entry.spec.name);
    let names = names.chain(CATALOGUE.clusterers.iter().map(|entry| entry.spec.name));
    let names = names.chain(CATALOGUE.posts.iter().map(|entry| entry.spec.name));
    let names = names.chain(CATALOGUE.metrics.iter().map(|metric| metric.spec().name));
    for name in names.chain(CATALOGUE.ranking_metrics.iter().map(|spec| spec.name)) {
        assert!(page.contains(name), "{name} is not in\n{page}");
    }
}
