//! Samples: units, lengths, futures, labels, keys.

use trailmark_core::config::{Columns, Future, SequenceConfig, Unit};
use trailmark_core::dataset::Clock;

use crate::{delimited, load, message, plain, sequence, tokens};

const DAY: i64 = 86_400_000;
/// 2024-03-02T00:00:00Z.
const SECOND_OF_MARCH: i64 = 1_709_337_600_000;

fn sessions(gap_ms: Option<i64>) -> SequenceConfig {
    SequenceConfig { unit: Unit::Session { gap_ms }, ..sequence() }
}

#[test]
fn sessions_follow_the_session_column_and_belong_to_their_user() {
    let data = load(&delimited("plain.csv", plain()), &sessions(None), Future::None).unwrap();
    assert_eq!(data.sequences.ids, ["al/s1", "bo/s1", "bo/s2", "cy/s1"]);
    assert_eq!(data.users, [0, 1, 1, 2]);
    assert_eq!(data.cut, [(1, None), (2, None), (4, None), (0, None)]);
}

#[test]
fn without_a_session_column_a_pause_longer_than_the_gap_starts_a_session() {
    let config = delimited("plain.csv", Columns { session: None, ..plain() });
    let data = load(&config, &sessions(Some(40 * 60_000)), Future::None).unwrap();
    assert_eq!(data.sequences.ids, ["al/001", "al/002", "bo/001", "bo/002", "cy/001"]);
    let data = load(&config, &sessions(Some(40 * 60_000 - 1)), Future::None).unwrap();
    assert_eq!(data.sequences.ids.len(), 6, "a pause of exactly the gap does not split, a longer one does");
    assert_eq!(
        message(load(&config, &sessions(None), Future::None)),
        "dataset \"data\" has no session column: map one, declare a gap, or use unit = \"user\""
    );
}

#[test]
fn the_last_events_are_the_future_and_min_events_applies_to_the_history() {
    let config = delimited("plain.csv", plain());
    let data = load(&config, &SequenceConfig { min_events: 2, ..sequence() }, Future::Last(2)).unwrap();
    assert_eq!(data.sequences.ids, ["bo"]);
    assert_eq!(tokens(&data, 0), ["view:shoe-1", "buy:shoe-1", "search:"]);
    assert_eq!(data.future_items, [[0, 1]]);
    assert_eq!(data.cut, [(2, Some(3))]);
    assert_eq!(data.accounting.sequences_found, 3);
    assert_eq!(data.accounting.sequences_dropped["no event before the future"], 2);
    assert!(data.accounting.notes.iter().any(|note| note.contains("the calendar leaks")), "{:?}", data.accounting);
}

#[test]
fn events_at_or_after_an_instant_are_the_future_and_samples_without_one_stay() {
    let config = delimited("plain.csv", plain());
    let data = load(&config, &sequence(), Future::After(SECOND_OF_MARCH)).unwrap();
    assert_eq!(data.sequences.ids, ["al", "bo"], "all of cy is future");
    assert_eq!(data.future_items, [vec![3], vec![0, 1]]);
    assert!(!data.accounting.notes.iter().any(|note| note.contains("leaks")));
    let exact = load(&config, &sequence(), Future::After(SECOND_OF_MARCH + 9 * 3_600_000)).unwrap();
    assert_eq!(exact.future_items[1], [0, 1], "an event at the instant is future");
    assert_eq!(
        message(load(&config, &sequence(), Future::After(SECOND_OF_MARCH + 30 * DAY))),
        "dataset \"data\" has no event at or after the declared date; its last event is of 2024-03-05T00:00:00Z"
    );
}

#[test]
fn a_log_without_a_clock_can_have_neither_a_gap_nor_a_date() {
    let config = delimited("plain.csv", Columns { session: None, time: None, ..plain() });
    assert_eq!(
        message(load(&config, &sessions(Some(1)), Future::None)),
        "dataset \"data\" has no time column, which a session gap needs: map a time column or change the setting"
    );
    assert!(message(load(&config, &sequence(), Future::After(0))).contains("which future = { after = .. } needs"));
    let data = load(&config, &sequence(), Future::Last(1)).unwrap();
    assert_eq!(data.sequences.ids, ["al", "bo"]);
    assert_eq!(data.accounting.notes, [""; 0], "no calendar, no leak");
}

#[test]
fn long_histories_keep_their_last_events_and_all_their_items() {
    let config = delimited("plain.csv", plain());
    let data = load(&config, &SequenceConfig { max_events: 2, ..sequence() }, Future::None).unwrap();
    assert_eq!(tokens(&data, 1), ["view:hat-1", "view:hat-2"]);
    assert_eq!(data.history_items[1], [2, 2, 0, 1], "what a user has had is not forgotten");
    assert_eq!(data.accounting.sequences_truncated, 1);
}

#[test]
fn events_of_a_history_are_those_of_its_tokens_and_end_before_the_future() {
    let config = delimited("plain.csv", plain());
    let data = load(&config, &SequenceConfig { max_events: 3, ..sequence() }, Future::After(SECOND_OF_MARCH)).unwrap();
    let events = &data.sequences.events;
    assert_eq!(events.clock, Clock::Instants);
    assert_eq!(events.histories.len(), data.sequences.ids.len());
    for (history, tokens) in events.histories.iter().zip(&data.sequences.tokens) {
        assert_eq!(history.len(), tokens.len());
        assert!(history.iter().all(|event| event.time < SECOND_OF_MARCH), "{history:?}");
        for (event, token) in history.iter().zip(tokens) {
            let item = event.item.map_or("", |item| &data.item_names[item as usize]);
            let words = format!("{}:{item}", events.kind_names[event.kind as usize]);
            assert_eq!(words, data.sequences.token_names[*token as usize]);
        }
    }
    let all: Vec<_> = events.histories.concat();
    assert!(all.iter().any(|event| event.price.is_some()), "{all:?}");

    let bare = delimited("plain.csv", Columns { session: None, time: None, price: None, ..plain() });
    let data = load(&bare, &sequence(), Future::None).unwrap();
    assert_eq!(data.sequences.events.clock, Clock::None);
    assert!(data.sequences.events.histories.concat().iter().all(|event| event.price.is_none() && event.time == 0));
}

#[test]
fn a_minimum_that_no_history_reaches_is_refused_with_counts() {
    let strict = SequenceConfig { min_events: 50, ..sequence() };
    assert_eq!(
        message(load(&delimited("plain.csv", plain()), &strict, Future::None)),
        "dataset \"data\": none of 3 sequences has a history of at least 50 events (history shorter than min_events: \
         3); lower min_events or shorten the future"
    );
}

#[test]
fn labels_come_from_attributes_and_unknown_ones_are_answered_with_the_names() {
    let mut config = delimited("plain.csv", plain());
    config.labels = vec!["age".to_owned()];
    let data = load(&config, &sequence(), Future::None).unwrap();
    assert_eq!(
        (&data.labels[0].classes[..], &data.labels[0].values[..]),
        (&["30".to_owned(), "41".to_owned()][..], &[None, Some(0), Some(1)][..])
    );
    config.labels = vec!["agee".to_owned()];
    assert_eq!(
        message(load(&config, &sequence(), Future::None)),
        "dataset \"data\" has no label named \"agee\"; did you mean \"age\"?; it has: age"
    );
}

#[test]
fn an_attribute_that_varies_within_a_user_labels_nobody_wrongly() {
    let mut map = plain();
    map.labels = [("category".to_owned(), "category".to_owned())].into();
    let mut config = delimited("plain.csv", map);
    config.labels = vec!["category".to_owned()];
    let data = load(&config, &sequence(), Future::None).unwrap();
    assert_eq!(data.labels[0].values, [Some(0), None, Some(0)], "bo has shoes and hats");
    assert_eq!(data.accounting.notes, ["1 users have more than one value of category: they have no label"]);
}

#[test]
fn price_bands_need_cuts() {
    let bare = SequenceConfig { text: "{price_band}".to_owned(), price_bands: vec![], ..sequence() };
    assert_eq!(
        message(load(&delimited("plain.csv", plain()), &bare, Future::None)),
        "the templates use {price_band}, but price_bands is empty: declare ascending cuts, such as [10.0, 50.0]"
    );
}

#[test]
fn the_pause_before_the_first_kept_event_is_that_to_the_event_cut_off() {
    let gaps = SequenceConfig { text: "{gap}".to_owned(), max_events: 2, ..sequence() };
    let data = load(&delimited("plain.csv", plain()), &gaps, Future::None).unwrap();
    assert_eq!(data.sequences.texts, ["days later", "hours later, hours later", ""]);
}

#[test]
fn the_key_follows_content_and_settings_and_no_path_or_id() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.csv");
    std::fs::copy(crate::fixture("plain.csv"), &copy).unwrap();
    let key = |config: &_, sequence: &_, future| load(config, sequence, future).unwrap().key;
    let config = delimited("plain.csv", plain());
    let mut other = delimited(copy.to_str().unwrap(), plain());
    other.id = "renamed".to_owned();
    let first = key(&config, &sequence(), Future::None);
    assert_eq!(first, key(&other, &sequence(), Future::None));
    assert_ne!(first, key(&config, &sequence(), Future::Last(1)));
    assert_ne!(first, key(&config, &SequenceConfig { max_events: 99, ..sequence() }, Future::None));
    assert_ne!(first, key(&config, &sessions(None), Future::None));

    let text = std::fs::read_to_string(&copy).unwrap();
    std::fs::write(&copy, text.replace("49.9", "49.8")).unwrap();
    assert_ne!(first, key(&other, &sequence(), Future::None), "a price changed");
    let shuffled: Vec<&str> =
        text.lines().take(1).chain(text.lines().skip(1).collect::<Vec<_>>().into_iter().rev()).collect();
    std::fs::write(&copy, shuffled.join("\n")).unwrap();
    assert_eq!(first, key(&other, &sequence(), Future::None), "rows of different times may stand in any order");
}

#[test]
fn a_sample_of_users_keeps_whole_users_and_depends_on_the_seed() {
    let mut config = delimited("plain.csv", plain());
    config.sample_users = Some(2);
    let data = load(&config, &sequence(), Future::None).unwrap();
    assert_eq!(data.sequences.ids.len(), 2);
    assert_eq!(data, load(&config, &sequence(), Future::None).unwrap());
    assert_eq!(data.accounting.notes, ["a seeded sample of 2 of 3 users, with all their events"]);
    let others = (0..20).map(|seed| {
        trailmark_data::load(&config, &sequence(), &crate::NO_FUTURE, seed, &crate::store()).unwrap().sequences.ids
    });
    assert!(others.into_iter().any(|ids| ids != data.sequences.ids));
    config.sample_users = Some(3);
    assert_eq!(
        load(&config, &sequence(), Future::None).unwrap().accounting.notes,
        ["sample_users = 3 keeps all 3 users"]
    );
}
