//! Real logs, where they are at hand (TRAILMARK_ASSETS).

use std::collections::BTreeMap;

use trailmark_core::Dataset;
use trailmark_core::config::{Columns, DatasetConfig, Future, SequenceConfig, Source, TimeColumns, Unit};
use trailmark_data::AssetStore;
use trailmark_kit::asset;

use crate::{columns, config, delimited, iso, load, sequence, split};

fn named(name: &str, labels: &[&str], sequence: &SequenceConfig, future: Future) -> Dataset {
    let config = DatasetConfig {
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        ..config(Source::Named { name: name.to_owned() })
    };
    let store = AssetStore::new(".", std::env::var_os("TRAILMARK_ASSETS").map(Into::into), "no-cache");
    trailmark_data::load(&config, sequence, &split(future), 7, &store).expect("the asset is as its manifest declares")
}

#[test]
fn the_clothing_shop_has_the_published_counts() {
    if asset("eshop-clothing-2008").is_none() {
        return;
    }
    let text = SequenceConfig { text: "{event} {category} {price_band}".to_owned(), ..sequence() };
    let data = named("eshop-2008", &["country"], &text, Future::None);
    assert_eq!((data.accounting.rows_read, data.accounting.rows_kept), (165_474, 165_474));
    assert_eq!((data.n_samples(), data.item_names.len(), data.labels[0].classes.len()), (24_026, 217, 47));
    let first = data.sequences.ids.iter().position(|id| id == "1").unwrap();
    assert!(
        data.sequences.texts[first].starts_with("view trousers mid, view trousers mid"),
        "{}",
        data.sequences.texts[first]
    );
    let mut lengths: Vec<usize> = data.history_items.iter().map(Vec::len).collect();
    lengths.sort_unstable();
    assert_eq!((lengths[12_013], lengths[24_025]), (4, 195), "median and longest session");
    assert_eq!(data.accounting.sequences_truncated, lengths.iter().filter(|length| **length > 100).count() as u64);
}

#[test]
fn the_grocery_log_is_joined_with_products_and_demographics() {
    if asset("complete-journey").is_none() {
        return;
    }
    let data = named("complete-journey", &["age", "income"], &sequence(), Future::None);
    assert_eq!((data.accounting.rows_read, data.n_samples(), data.item_names.len()), (75_000, 2_377, 20_902));
    assert_eq!(data.labels[0].values.iter().flatten().count(), 801, "households with demographics");
    assert!(data.sequences.texts.iter().any(|text| text.contains("EGGS - X-LARGE EGGS")));
    let baskets = SequenceConfig { unit: Unit::Session { gap_ms: None }, ..sequence() };
    assert_eq!(named("complete-journey", &[], &baskets, Future::None).n_samples(), 47_243);
    let december = Future::After(1_512_086_400_000);
    let cut = named("complete-journey", &[], &sequence(), december);
    assert!(cut.future_items.iter().filter(|items| !items.is_empty()).count() > 1000);
}

#[test]
fn the_head_of_the_taobao_log_is_read_without_a_header() {
    let Some(path) = asset("format-samples/taobao-UserBehavior-head.csv") else { return };
    let map = Columns {
        names: Some(["user", "item", "category", "behavior", "time"].map(str::to_owned).to_vec()),
        category: Some("category".to_owned()),
        event: Some("behavior".to_owned()),
        rename: BTreeMap::from([(
            "behavior".to_owned(),
            BTreeMap::from([("pv".to_owned(), "view".to_owned()), ("fav".to_owned(), "favourite".to_owned())]),
        )]),
        ..columns("user", Some("item"), Some(TimeColumns::UnixS { column: "time".to_owned() }))
    };
    let kinds = SequenceConfig { tokens: "{event}".to_owned(), ..sequence() };
    let data = load(&delimited(path.to_str().unwrap(), map), &kinds, Future::None).unwrap();
    assert_eq!((data.accounting.rows_read, data.n_samples(), data.item_names.len()), (4_321, 43, 3_276));
    let mut names = data.sequences.token_names.clone();
    names.sort();
    assert_eq!(names, ["buy", "cart", "favourite", "view"]);
}

#[test]
fn the_head_of_the_rees46_log_has_its_sessions() {
    let Some(path) = asset("format-samples/rees46-2019-Oct-head.csv") else { return };
    let named = |name: &str| Some(name.to_owned());
    let map = Columns {
        session: named("user_session"),
        category: named("category_code"),
        event: named("event_type"),
        price: named("price"),
        ..columns("user_id", Some("product_id"), iso("event_time"))
    };
    let sessions = SequenceConfig { unit: Unit::Session { gap_ms: None }, ..sequence() };
    let data = load(&delimited(path.to_str().unwrap(), map), &sessions, Future::None).unwrap();
    let users = data.users.iter().max().unwrap() + 1;
    assert_eq!((data.accounting.rows_read, data.n_samples(), users), (1_000, 372, 330));
}
