//! `behaviour_features` on events: times, kinds, categories, items, prices and values.

use trailmark_core::Sequences;
use trailmark_core::dataset::{Clock, Event};
use trailmark_kit::{oracle, rows};

use crate::{CTX, bits, encode, make, sequences, words};

/// Features of the tokens, which stand first.
const N_TOKEN_FEATURES: usize = 14;

fn clock(name: &str) -> Clock {
    match name {
        "none" => Clock::None,
        "days" => Clock::Days,
        "instants" => Clock::Instants,
        other => panic!("no clock is called {other}"),
    }
}

/// The events of one part of a case. Kinds are numbered against their names' order, so that no encoder gets one for free.
fn histories(case: &toml::Table, part: &str, kind_names: &mut Vec<String>) -> Vec<Vec<Event>> {
    let column = |name: &str| rows(case, &format!("{part}_{name}"));
    let [times, items, categories, prices, values] = ["time", "item", "category", "price", "value"].map(column);
    let kinds = case[&format!("{part}_kind")].as_array().unwrap();
    let name = |number: f64| (number >= 0.0).then_some(number as u32);
    let real = |number: f64| (!number.is_nan()).then_some(number as f32);
    (0..times.len())
        .map(|i| {
            (0..times[i].len())
                .map(|j| {
                    let kind = kinds[i][j].as_str().unwrap();
                    let known = kind_names.iter().position(|name| name == kind);
                    let kind = known.unwrap_or_else(|| {
                        kind_names.push(kind.to_owned());
                        kind_names.len() - 1
                    });
                    Event {
                        time: times[i][j] as i64,
                        kind: u32::try_from(kind).unwrap(),
                        item: name(items[i][j]),
                        category: name(categories[i][j]),
                        price: real(prices[i][j]),
                        value: real(values[i][j]),
                    }
                })
                .collect()
        })
        .collect()
}

/// Samples of one token each, with these events.
fn with_events(clock: Clock, kind_names: Vec<String>, histories: Vec<Vec<Event>>) -> Sequences {
    let mut all = sequences(&vec![vec!["t".to_owned()]; histories.len()]);
    all.events = trailmark_core::dataset::Events { clock, kind_names, histories };
    all
}

#[test]
fn features_of_events_agree_with_pandas() {
    let table = oracle("encode", "behaviour_features");
    let cases: Vec<&toml::Table> = table.case.iter().filter(|case| case.contains_key("clock")).collect();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let mut kind_names = vec!["never".to_owned(), "new".to_owned()];
        let mut all = histories(case, "train", &mut kind_names);
        let n_train = all.len();
        all.extend(histories(case, "test", &mut kind_names));
        let all = with_events(clock(case["clock"].as_str().unwrap()), kind_names, all);
        let x = encode(&*make("behaviour_features", &[]), &all, n_train, &CTX).0;
        let expected = [rows(case, "train_expected"), rows(case, "test_expected")].concat();
        for (i, expected) in expected.iter().enumerate() {
            assert_eq!(x.cols(), N_TOKEN_FEATURES + expected.len(), "{}", case["name"]);
            for (j, expected) in expected.iter().enumerate() {
                let what = format!("{}, sample {i}, feature {j}", case["name"]);
                table.assert_close(&what, x.row(i)[N_TOKEN_FEATURES + j].into(), *expected);
            }
        }
    }
}

fn event(time: i64, kind: u32) -> Event {
    Event { time, kind, item: None, category: None, price: None, value: None }
}

#[test]
fn logs_without_a_clock_or_with_days_lack_features_and_say_so() {
    let encoder = make("behaviour_features", &[]);
    for (clock, n_features, warning) in [
        (Clock::Instants, 15, None),
        (Clock::Days, 10, Some("the log's times are days: 5 features of hours and sessions are left out")),
        (Clock::None, 0, Some("the log has no clock: 15 features of time are left out")),
    ] {
        let all = with_events(clock, vec!["view".to_owned()], vec![vec![event(0, 0), event(86_400_000, 0)]]);
        let (x, warnings) = encode(&*encoder, &all, 1, &CTX);
        assert_eq!(x.cols(), N_TOKEN_FEATURES + n_features, "{clock:?}");
        assert_eq!(warnings, warning.into_iter().collect::<Vec<_>>(), "{clock:?}");
    }
    let (x, warnings) = encode(&*encoder, &sequences(&words(&["a b", "a"])), 2, &CTX);
    assert_eq!(x.cols(), N_TOKEN_FEATURES);
    assert_eq!(warnings, ["the samples are texts without events: features of events and their times are left out"]);
}

#[test]
fn events_of_test_users_move_no_bit_of_training_vectors_and_add_no_column() {
    let encoder = make("behaviour_features", &[]);
    let kinds = || ["view", "buy", "asks"].map(str::to_owned).to_vec();
    let train = vec![vec![event(0, 0), event(5_000, 1)], vec![event(90_000_000, 1)]];
    let late = Event { item: Some(3), category: Some(1), price: Some(9.0), value: Some(5.0), ..event(1 << 40, 2) };
    let beside = [train.clone(), vec![vec![late, late]]].concat();
    let alone = encode(&*encoder, &with_events(Clock::Instants, kinds(), train), 2, &CTX).0;
    let beside = encode(&*encoder, &with_events(Clock::Instants, kinds(), beside), 2, &CTX).0;
    assert_eq!(alone.cols(), N_TOKEN_FEATURES + 15 + 2, "two kinds of event and no item, price or value");
    assert_eq!(bits(&alone), bits(&beside.select_rows(&[0, 1])));
    // After the end of training nothing is recent or old, and a kind that training has not seen has no share.
    assert_eq!(beside.row(2)[N_TOKEN_FEATURES + 9], 0.0);
    assert_eq!(beside.row(2)[N_TOKEN_FEATURES + 15..], [0.0, 0.0]);
}
