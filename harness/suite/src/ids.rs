//! What cells are known by: the protocol, the arm, and both with fold and repeat. Ids given by the user are in none of
//! them, so that a renamed arm keeps its results.

use std::collections::{BTreeMap, BTreeSet};

use trailmark_core::config::DatasetConfig;
use trailmark_core::contract::NumberOfClusters;
use trailmark_core::{Catalogue, Key, KeyBuilder, NClusters, Params, Spec};

use crate::checked::{ClustererArm, EncoderArm, PostStep, Suite, Sweep};
use crate::resolved;

/// The key of an encoder with its post steps. `fingerprint` is the hash of what the encoder reads besides its
/// parameters, as [`trailmark_core::contract::Encoder::fingerprint`] gives it; `parts` are the keys of what a fusion
/// joins, in order.
pub fn encoder_arm_key(arm: &EncoderArm, fingerprint: &str, parts: &[Key]) -> Key {
    let encoder = KeyBuilder::new("encoder").key("params", &arm.params.key(arm.spec)).text("fingerprint", fingerprint);
    let encoder = parts.iter().fold(encoder, |key, part| key.key("part", part));
    arm.post.iter().fold(encoder, |key, step| key.key("post", &post_step_key(step))).finish()
}

/// The key of a post step: of what is told otherwise than its defaults. A step that learns to take a parameter keeps
/// the ids of those who do not use it; one whose default changes raises its revision.
fn post_step_key(step: &PostStep) -> Key {
    let defaults = Params::defaults(step.spec);
    let told = step.params.iter().filter(|(name, value)| defaults.get(name) != Some(value));
    told.fold(Params::default(), |params, (name, value)| params.with(name, value.clone())).key(step.spec)
}

/// The key of a clusterer.
pub fn clusterer_arm_key(arm: &ClustererArm) -> Key {
    arm.params.key(arm.spec)
}

/// Encoder, post steps, clusterer and n_clusters. With n_clusters = auto the values it is chosen from and the rule
/// take part, unless the clusterer finds the number itself.
pub fn arm_id(
    encoder: &Key,
    clusterer: &Key,
    chosen_by: NumberOfClusters,
    n_clusters: NClusters,
    sweep: &Sweep,
) -> Key {
    let key = KeyBuilder::new("arm").key("encoder", encoder).key("clusterer", clusterer);
    match (n_clusters, chosen_by) {
        (NClusters::Fixed(value), _) => key.number("n_clusters", value as u64).finish(),
        (NClusters::Auto, NumberOfClusters::Found) => key.text("n_clusters", "found").finish(),
        (NClusters::Auto, NumberOfClusters::Asked) => sweep
            .n_clusters
            .iter()
            .fold(key.text("pick", &pick_rule(sweep)), |key, value| key.number("candidate", *value as u64))
            .finish(),
    }
}

/// Protocol, arm, fold and repeat.
pub fn cell_id(protocol: &Key, arm: &Key, fold: usize, repeat: usize) -> Key {
    KeyBuilder::new("cell")
        .key("protocol", protocol)
        .key("arm", arm)
        .number("fold", fold as u64)
        .number("repeat", repeat as u64)
        .finish()
}

/// What makes numbers comparable, name by name, so that a gate can say which part differs. `dataset_key` is the key
/// of the dataset's bytes and settings.
pub fn protocol_parts(
    suite: &Suite,
    dataset: &DatasetConfig,
    dataset_key: &Key,
    catalogue: &Catalogue,
) -> BTreeMap<String, String> {
    let revision = |spec: &Spec| format!("{} r{}", spec.name, spec.revision);
    let score = &suite.score;
    // The K rules read silhouette and inertia, listed or not.
    let names: BTreeSet<&str> =
        score.metrics.iter().map(String::as_str).chain(["silhouette_score", "inertia"]).collect();
    let metrics: Vec<String> =
        names.iter().filter_map(|name| catalogue.metric(name)).map(|metric| revision(metric.spec())).collect();
    let recommend = match &score.recommend {
        None => "none".to_owned(),
        Some(recommend) => {
            let mut recommenders: Vec<String> = recommend
                .recommenders
                .iter()
                .filter_map(|name| catalogue.recommender(name))
                .map(|recommender| revision(recommender.spec()))
                .collect();
            recommenders.sort_unstable();
            let rankings: Vec<String> = catalogue.ranking_metrics.iter().map(|spec| revision(spec)).collect();
            format!(
                "{} by {} at {:?}, exclude_seen = {}",
                recommenders.join(", "),
                rankings.join(", "),
                recommend.at,
                recommend.exclude_seen
            )
        }
    };
    let parts = [
        ("data", dataset_key.to_string()),
        ("labels", dataset.labels.join(", ")),
        ("sample_users", dataset.sample_users.map_or_else(|| "all".to_owned(), |users| users.to_string())),
        ("sequence", one_line(&resolved::sequence(&suite.sequence))),
        ("split", one_line(&resolved::split(&suite.split))),
        ("metrics", metrics.join(", ")),
        ("distance", score.distance.name().to_owned()),
        ("recommend", recommend),
        ("seed", suite.seed.to_string()),
    ];
    parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The id of a protocol.
pub fn protocol_id(parts: &BTreeMap<String, String>) -> Key {
    parts.iter().fold(KeyBuilder::new("protocol"), |key, (name, value)| key.text(name, value)).finish()
}

fn pick_rule(sweep: &Sweep) -> String {
    format!("{}, min_silhouette = {:?}", sweep.pick.name(), sweep.min_silhouette)
}

/// The settings of a section without its header.
fn one_line(section: &str) -> String {
    section.lines().filter(|line| !line.starts_with(['[', '#'])).collect::<Vec<_>>().join("; ")
}
