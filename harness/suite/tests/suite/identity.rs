//! Ids: what changes them and what may not.

use trailmark_core::Key;
use trailmark_core::NClusters;
use trailmark_suite::ids::{arm_id, cell_id, clusterer_arm_key, encoder_arm_key, protocol_id, protocol_parts};
use trailmark_suite::plan::{Filter, plan};
use trailmark_suite::{Suite, resolved_toml};

use crate::fixture::{CATALOGUE, WIDE, valid};

fn arm(suite: &Suite, n_clusters: NClusters) -> Key {
    let encoder = encoder_arm_key(&suite.encoders[1], "", &[]);
    let clusterer = &suite.clusterers[0];
    arm_id(&encoder, &clusterer_arm_key(clusterer), clusterer.n_clusters, n_clusters, &suite.sweep)
}

fn protocol(suite: &Suite) -> Key {
    protocol_id(&protocol_parts(suite, &suite.datasets[0], &Key::of_bytes(b"data"), &CATALOGUE))
}

#[test]
fn a_renamed_arm_is_the_same_arm() {
    let suite = valid(WIDE, &[]);
    let renamed = valid(WIDE, &["encoder.w2v.id=other", "clusterer.kmeans.id=k", "suite.name=x"]);
    assert_eq!(arm(&renamed, NClusters::Fixed(5)), arm(&suite, NClusters::Fixed(5)));
    assert_eq!(protocol(&renamed), protocol(&suite));
}

#[test]
fn every_parameter_step_and_file_of_an_arm_is_in_its_id() {
    let suite = valid(WIDE, &[]);
    let five = NClusters::Fixed(5);
    for change in ["encoder.w2v.dim=65", "encoder.w2v.post=[\"l2\", \"center\"]", "clusterer.kmeans.n_init=9"] {
        let changed = valid(WIDE, &[change]);
        assert_ne!(arm(&changed, five), arm(&suite, five), "{change} is another arm");
        assert_eq!(protocol(&changed), protocol(&suite), "{change} is the same protocol");
    }
    for post in
        ["[\"center\", \"pca\", \"l2\"]", "[\"center\", { kind = \"pca\", n_components = 21, shrinkage = 0 }, \"l2\"]"]
    {
        let changed = valid(WIDE, &[&format!("encoder.w2v.post={post}")]);
        assert_ne!(arm(&changed, five), arm(&suite, five), "{post} is another arm");
    }
    assert_ne!(encoder_arm_key(&suite.encoders[1], "weights", &[]), encoder_arm_key(&suite.encoders[1], "", &[]));
    assert_ne!(arm(&suite, NClusters::Fixed(2)), arm(&suite, five), "n_clusters is part of an arm");
}

#[test]
fn a_post_step_with_its_defaults_written_out_is_the_plain_word() {
    let word = valid(WIDE, &["encoder.w2v.post=[\"pca\"]"]);
    let told = valid(WIDE, &["encoder.w2v.post=[{ kind = \"pca\", n_components = 50 }]"]);
    assert_eq!(encoder_arm_key(&told.encoders[1], "", &[]), encoder_arm_key(&word.encoders[1], "", &[]));
    assert_eq!(resolved_toml(&told), resolved_toml(&word), "both show the default");
    let pinned =
        encoder_arm_key(&valid(WIDE, &["encoder.w2v.post=[\"center\", \"l2\"]"]).encoders[1], "", &[]).to_string();
    assert_eq!(
        pinned, "7c2af2ac23ea84ee3c1ab1b625c1a9d2b3e4607ceef62b1a4a9833cd01c5080f",
        "steps without parameters keep the ids that records have"
    );
}

#[test]
fn only_the_auto_arm_knows_the_sweep() {
    let suite = valid(WIDE, &[]);
    let longer = valid(WIDE, &["sweep.n_clusters=[2, 5, 8, 11]"]);
    assert_eq!(arm(&longer, NClusters::Fixed(5)), arm(&suite, NClusters::Fixed(5)), "a longer sweep moves no cell");
    assert_ne!(arm(&longer, NClusters::Auto), arm(&suite, NClusters::Auto), "it offers auto another choice");
}

#[test]
fn a_clusterer_that_finds_the_number_itself_does_not_know_the_sweep() {
    let kind = "[[clusterer]]\nid = \"dense\"\nkind = \"dbscan\"\n";
    let suite = valid(&format!("{WIDE}\n{kind}"), &[]);
    let longer = valid(&format!("{WIDE}\n{kind}"), &["sweep.n_clusters=[2, 5, 8, 11]"]);
    let id = |suite: &Suite| {
        let encoder = encoder_arm_key(&suite.encoders[1], "", &[]);
        let clusterer = suite.clusterers.last().unwrap();
        arm_id(&encoder, &clusterer_arm_key(clusterer), clusterer.n_clusters, NClusters::Auto, &suite.sweep)
    };
    assert_eq!(id(&longer), id(&suite));
    let cells = plan(&suite, &Filter::default()).cell_names(&suite);
    let dense: Vec<&String> = cells.iter().filter(|cell| cell.starts_with("shop/w2v/dense/")).collect();
    assert_eq!(dense.len(), suite.split.folds * suite.split.repeats, "one cell a fold: {dense:?}");
    assert!(dense.iter().all(|cell| cell.contains("/k=auto/")), "{dense:?}");
}

#[test]
fn what_makes_numbers_comparable_is_in_the_protocol_part_by_part() {
    let suite = valid(WIDE, &[]);
    let parts = protocol_parts(&suite, &suite.datasets[0], &Key::of_bytes(b"data"), &CATALOGUE);
    let changes = [
        ("suite.seed=8", "seed"),
        ("sequence.min_events=4", "sequence"),
        ("split.folds=4", "split"),
        ("split.future={ last = 2 }", "split"),
        ("score.distance=euclidean", "distance"),
        ("score.metrics=[\"silhouette_score\", \"adjusted_rand_score\"]", "metrics"),
        ("score.recommend={ at = [5] }", "recommend"),
        ("dataset.shop.labels=[\"city\", \"persona\"]", "labels"),
        ("dataset.shop.sample_users=50", "sample_users"),
    ];
    for (change, part) in changes {
        // The gate on a further label goes with the order of labels.
        let changed = valid(WIDE, &[change, "gate.2.metric=adjusted_rand_score"]);
        let others = protocol_parts(&changed, &changed.datasets[0], &Key::of_bytes(b"data"), &CATALOGUE);
        let moved: Vec<&str> =
            parts.iter().filter(|(name, value)| others[*name] != **value).map(|(name, _)| name.as_str()).collect();
        assert_eq!(moved, [part], "{change}");
        assert_ne!(protocol_id(&others), protocol_id(&parts), "{change} is another protocol");
    }
}

#[test]
fn a_cell_is_its_protocol_arm_fold_and_repeat() {
    let (a, b) = (Key::of_bytes(b"a"), Key::of_bytes(b"b"));
    let ids = [cell_id(&a, &b, 0, 0), cell_id(&b, &a, 0, 0), cell_id(&a, &b, 1, 0), cell_id(&a, &b, 0, 1)];
    for (at, id) in ids.iter().enumerate() {
        assert!(!ids[..at].contains(id), "id {at} repeats an earlier one");
    }
}
