//! `suite.resolved.toml`: complete, and the same suite again.

use trailmark_suite::{resolved_toml, suite_hash};

use crate::fixture::{WIDE, valid};

const SMALL: &str = r#"
schema = 1
suite.name = "small"
dataset = [{ id = "shop", source = "synthetic" }]
encoder = [{ id = "bag", kind = "tfidf" }]
clusterer = [{ id = "kmeans", kind = "kmeans" }]
score.primary = "silhouette_score"
"#;

#[test]
fn a_resolved_suite_reads_as_the_same_suite() {
    for text in [SMALL, WIDE] {
        let suite = valid(text, &[]);
        let resolved = resolved_toml(&suite);
        let again = valid(&resolved, &[]);
        assert_eq!(format!("{again:?}"), format!("{suite:?}"), "resolved as\n{resolved}");
        assert_eq!(resolved_toml(&again), resolved, "resolving twice changes nothing");
        assert_eq!(suite_hash(&again), suite_hash(&suite), "both name the same run folder");
    }
}

#[test]
fn a_resolved_suite_shows_every_default() {
    let expected = r#"schema = 1

[suite]
name = "small"
seed = 0

[[dataset]]
id = "shop"
source = "synthetic"
language = "en"
order_only = false
separation = 1.0
users = 800
labels = []
max_dropped = 0.05
# sample_users is left out

[sequence]
unit = "user"
form = { text = "{event} {category} {price_band}", tokens = "{event}:{category}" }
separator = ", "
min_events = 3
max_events = 200
price_bands = [20.0, 100.0]

[split]
scheme = "user_kfold"
folds = 5
repeats = 1
future = "none"

[[encoder]]
id = "bag"
kind = "tfidf"
ngram_max = 1
# svd is left out
post = []

[[clusterer]]
id = "kmeans"
kind = "kmeans"
n_init = 10
tol = 0.0001

[sweep]
n_clusters = [2, 3, 4, 5, 6, 7, 8, 9, 10]
pick = "silhouette"
min_silhouette = 0.0

[score]
primary = "silhouette_score"
metrics = ["davies_bouldin_score", "silhouette_score"]
distance = "euclidean"
# recommend is left out
"#;
    assert_eq!(resolved_toml(&valid(SMALL, &[])), expected);
}

#[test]
fn the_question_and_comments_do_not_name_another_run_and_all_else_does() {
    let plain = suite_hash(&valid(SMALL, &[]));
    assert_eq!(suite_hash(&valid(SMALL, &["suite.question=why"])), plain, "a question is prose");
    assert_eq!(suite_hash(&valid(&format!("# a remark\n{SMALL}"), &[])), plain, "a comment is prose");
    assert_eq!(suite_hash(&valid(SMALL, &["split.folds=5"])), plain, "a default may be written out");
    for change in ["suite.seed=1", "encoder.bag.ngram_max=2", "sweep.n_clusters=[2]", "encoder.bag.id=b"] {
        assert_ne!(suite_hash(&valid(SMALL, &[change])), plain, "{change} is another run");
    }
}
