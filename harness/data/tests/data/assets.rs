//! Named assets: manifests, places, digests. Fetching itself is tested where pip and a network are (`--ignored`).

use std::fs;
use std::path::Path;

use trailmark_core::config::{Future, Source};
use trailmark_core::contract::Assets;
use trailmark_data::AssetStore;

use crate::{NO_FUTURE, config, load, message, sequence};

const TINY: &str = "user,item\na,x\na,y\n";
/// A digest that no file has.
const NO_SHA256: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn manifest(folder: &Path, sha256: &str, users: u32) {
    let folder = folder.join("tiny");
    fs::create_dir_all(&folder).expect("a temporary folder takes files");
    let text = format!(
        "name = \"tiny\"\nsummary = \"s\"\nhomepage = \"h\"\nlicence = \"CC0\"\nredistribution = true\n\
         [read]\nformat = \"delimited\"\nlog = \"log.csv\"\ndefault_event = \"view\"\n\
         [read.columns]\ndelimiter = \",\"\nuser = \"user\"\nitem = \"item\"\n\
         [counts]\nusers = {users}\n[[file]]\nname = \"log.csv\"\nsha256 = \"{sha256}\"\n"
    );
    fs::write(folder.join("dataset.toml"), text).expect("a temporary folder takes files");
    fs::write(folder.join("log.csv"), TINY).expect("a temporary folder takes files");
}

fn named(name: &str) -> trailmark_core::config::DatasetConfig {
    config(Source::Named { name: name.to_owned() })
}

fn tiny(store: &AssetStore) -> Result<trailmark_core::Dataset, trailmark_data::DataError> {
    trailmark_data::load(&named("tiny"), &sequence(), &NO_FUTURE, 7, store)
}

#[test]
fn a_manifest_of_the_user_is_known_by_name_and_may_hold_its_files() {
    let folder = tempfile::tempdir().unwrap();
    manifest(folder.path(), NO_SHA256, 1);
    let store = AssetStore::new(".", None, folder.path().join("cache")).with_manifests(folder.path());
    assert_eq!(store.names(), ["complete-journey", "eshop-2008", "ml-100k", "tiny"]);
    let text = tiny(&store).unwrap_err().to_string();
    let found = text.split("sha256 is ").nth(1).unwrap()[..64].to_owned();
    assert!(text.contains(&format!("the manifest declares {NO_SHA256}")), "{text}");

    manifest(folder.path(), &found, 1);
    assert_eq!(tiny(&store).unwrap().sequences.ids, ["a"]);
    manifest(folder.path(), &found, 2);
    assert_eq!(
        tiny(&store).unwrap_err().to_string(),
        "dataset \"tiny\": users is 1, the manifest declares 2: the files or the column map have changed"
    );
}

#[test]
fn an_unknown_dataset_is_answered_with_the_known_names() {
    assert_eq!(
        message(load(&named("ml-100"), &sequence(), Future::None)),
        "no dataset is named \"ml-100\"; did you mean \"ml-100k\"?; known are: complete-journey, eshop-2008, ml-100k"
    );
}

#[test]
fn an_absent_asset_says_how_to_bring_it() {
    let text = message(load(&named("ml-100k"), &sequence(), Future::None));
    assert_eq!(
        text,
        "dataset \"ml-100k\" is not on this machine; looked in no-cache/datasets/ml-100k\n  \
         bring it with `trailmark fetch ml-100k`, then it can be used offline"
    );
    let text = message(load(&named("eshop-2008"), &sequence(), Future::None));
    assert!(text.contains("set TRAILMARK_ASSETS to a folder that holds eshop-clothing-2008"), "{text}");
}

#[test]
fn fetching_what_no_source_has_names_every_source() {
    let folder = tempfile::tempdir().unwrap();
    let error = AssetStore::new(".", None, folder.path()).fetch("eshop-2008", &mut |_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot fetch \"eshop-2008\":\n  folder eshop-clothing-2008 of TRAILMARK_ASSETS: not there\n  \
         it is described at https://doi.org/10.24432/C5QK7X"
    );
}

#[test]
fn a_model_is_found_as_a_folder_and_in_the_layout_of_the_hub_cache() {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}").unwrap();
    };
    put("plain/config.json");
    put("hub/models--org--name/snapshots/aaa/config.json");
    put("hub/models--org--name/snapshots/bbb/config.json");
    let store = AssetStore::new(folder.path(), None, "no-cache").with_hub_cache(folder.path().join("hub"));
    assert_eq!(store.model("plain").unwrap(), folder.path().join("plain"));
    let snapshots = folder.path().join("hub/models--org--name/snapshots");
    assert_eq!(store.model("org/name").unwrap(), snapshots.join("aaa"), "without refs the first by name");
    fs::create_dir_all(folder.path().join("hub/models--org--name/refs")).unwrap();
    fs::write(folder.path().join("hub/models--org--name/refs/main"), "bbb\n").unwrap();
    assert_eq!(store.model("org/name").unwrap(), snapshots.join("bbb"));
    assert_eq!(store.model("hub/models--org--name").unwrap(), snapshots.join("bbb"), "the folder itself");
    let absent = store.model("org/other").unwrap_err();
    assert!(absent.contains("models--org--other") && absent.contains("known models: minilm"), "{absent}");
}

#[test]
fn a_damaged_hub_snapshot_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("models--sentence-transformers--all-MiniLM-L6-v2/snapshots/x");
    for file in [
        "model.safetensors",
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "vocab.txt",
        "modules.json",
        "sentence_bert_config.json",
        "config_sentence_transformers.json",
        "1_Pooling/config.json",
    ] {
        fs::create_dir_all(snapshot.join(file).parent().unwrap()).unwrap();
        fs::write(snapshot.join(file), "x").unwrap();
    }
    let store = AssetStore::new(".", None, "no-cache").with_hub_cache(folder.path());
    let error = store.model("minilm").unwrap_err();
    assert!(error.contains("model.safetensors: sha256 is") && error.contains("53aa5117"), "{error}");
}

#[test]
#[ignore = "downloads 86 MB with pip; run with --ignored where a network is"]
fn fetching_brings_wheels_checks_them_and_mends_a_damaged_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = AssetStore::new(".", None, folder.path());
    let mut lines = Vec::new();
    let report = store.fetch("ml-100k", &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(report.source.as_deref(), Some("wheel recbole 1.2.1"));
    assert_eq!(report.bytes, 1_979_230 + 22_697 + 66_632);
    assert_eq!(store.fetch("ml-100k", &mut |_| {}).unwrap().source, None, "the second time it is here");

    let mut config = named("ml-100k");
    config.labels = vec!["gender".to_owned(), "occupation".to_owned()];
    let data = trailmark_data::load(&config, &sequence(), &NO_FUTURE, 7, &store).unwrap();
    assert_eq!((data.n_samples(), data.item_names.len(), data.accounting.rows_kept), (943, 1682, 100_000));
    assert_eq!((data.labels[0].classes.len(), data.labels[1].classes.len()), (2, 21));

    fs::write(report.folder.join("ml-100k.user"), "damaged").unwrap();
    assert!(trailmark_data::load(&config, &sequence(), &NO_FUTURE, 7, &store).is_err());
    store.fetch("ml-100k", &mut |line| lines.push(line.to_owned())).unwrap();
    assert!(trailmark_data::load(&config, &sequence(), &NO_FUTURE, 7, &store).is_ok());
    assert!(lines.iter().any(|line| line.contains("is damaged, bringing it again")), "{lines:?}");

    store.fetch("minilm", &mut |line| lines.push(line.to_owned())).unwrap();
    assert_eq!(store.model("minilm").unwrap(), folder.path().join("models/minilm"));
    let by_id = store.model("sentence-transformers/all-MiniLM-L6-v2").unwrap();
    assert_eq!(by_id, folder.path().join("models/minilm"), "the hub id of a known model finds it in the cache");
    assert!(fs::read_dir(folder.path().join("staging")).unwrap().next().is_none(), "nothing is left behind");
}
