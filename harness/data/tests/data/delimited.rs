//! Delimited logs: what is read, what is dropped and counted, what is refused.

use std::collections::BTreeMap;

use trailmark_core::config::{Columns, Future, TimeColumns};

use crate::{columns, delimited, load, message, plain, sequence, tokens};

fn unix_s() -> Option<TimeColumns> {
    Some(TimeColumns::UnixS { column: "time".to_owned() })
}

#[test]
fn rows_are_sorted_by_user_and_time_whatever_the_zone() {
    let data = load(&delimited("plain.csv", plain()), &sequence(), Future::None).unwrap();
    assert_eq!(data.sequences.ids, ["al", "bo", "cy"]);
    assert_eq!(tokens(&data, 1), ["view:shoe-1", "buy:shoe-1", "search:", "view:hat-1", "view:hat-2"]);
    assert_eq!(data.sequences.texts[1], "view shoes, buy shoes, search red hat, view hats, view hats");
    assert_eq!(data.item_names, ["hat-1", "hat-2", "shoe-1", "shoe-2"]);
    assert_eq!(data.history_items[1], [2, 2, 0, 1]);
}

#[test]
fn a_repeated_row_is_taken_out_and_counted_but_is_not_unusable() {
    let data = load(&delimited("plain.csv", plain()), &sequence(), Future::None).unwrap();
    assert_eq!(tokens(&data, 0), ["view:hat-1", "view:shoe-2"]);
    let accounting = &data.accounting;
    assert_eq!((accounting.rows_read, accounting.rows_kept), (9, 8));
    assert_eq!(accounting.rows_dropped, BTreeMap::from([("duplicate".to_owned(), 1)]));
}

#[test]
fn every_unusable_row_is_counted_by_reason_with_its_first_line() {
    let map = Columns { value: Some("value".to_owned()), ..columns("user", Some("item"), unix_s()) };
    let mut config = delimited("dirty.csv", map);
    assert_eq!(
        message(load(&config, &sequence(), Future::None)),
        "dirty.csv: 9 of 11 rows cannot be used, which is more than max_dropped = 0\n  \
         missing_item: 1 rows, the first at dirty.csv:5\n  \
         missing_time: 1 rows, the first at dirty.csv:7\n  \
         missing_user: 2 rows, the first at dirty.csv:3\n  \
         not_finite: 2 rows, the first at dirty.csv:8\n  \
         unreadable_time: 1 rows, the first at dirty.csv:6\n  \
         unreadable_value: 1 rows, the first at dirty.csv:10\n  \
         wrong_number_of_fields: 1 rows, the first at dirty.csv:11\n  \
         mend the file or the column map, or raise max_dropped"
    );
    config.max_dropped = 0.82;
    let data = load(&config, &sequence(), Future::None).unwrap();
    assert_eq!(data.sequences.ids, ["a", "b"]);
    assert_eq!(data.accounting.rows_dropped["not_finite"], 2);
    assert_eq!(data.accounting.rows_dropped.values().sum::<u64>(), 9);
}

#[test]
fn a_missing_column_is_answered_with_those_that_are_there_and_the_nearest() {
    let map = Columns { user: "usr".to_owned(), ..columns("", Some("item"), unix_s()) };
    assert_eq!(
        message(load(&delimited("dirty.csv", map), &sequence(), Future::None)),
        "dirty.csv:1: no column is named \"usr\" (the user column); did you mean \"user\"?\n  \
         the columns are: user, item, time, value"
    );
}

#[test]
fn a_log_without_rows_is_refused() {
    for name in ["header_only.csv", "empty.csv"] {
        assert_eq!(
            message(load(&delimited(name, columns("user", Some("item"), unix_s())), &sequence(), Future::None)),
            format!("{name}: the log is empty: it has no row below its header")
        );
    }
}

#[test]
fn a_missing_file_is_named() {
    let text = message(load(&delimited("nowhere.csv", plain()), &sequence(), Future::None));
    assert!(text.starts_with("cannot read nowhere.csv: "), "{text}");
}

#[test]
fn bom_crlf_blanks_and_quotes_are_no_part_of_the_values() {
    let map = Columns { delimiter: ';', ..columns("user", Some("item"), unix_s()) };
    let data = load(&delimited("windows.csv", map), &sequence(), Future::None).unwrap();
    assert_eq!(data.sequences.ids, ["u1"]);
    assert_eq!(tokens(&data, 0), ["view:y;z", "view:x"]);
}

#[test]
fn a_packed_file_without_header_takes_its_names_from_the_map() {
    let map = Columns {
        delimiter: '\t',
        names: Some(["who", "what", "when"].map(str::to_owned).to_vec()),
        ..columns("who", Some("what"), Some(TimeColumns::UnixMs { column: "when".to_owned() }))
    };
    let data = load(&delimited("headerless.tsv.gz", map), &sequence(), Future::None).unwrap();
    assert_eq!(tokens(&data, 0), ["view:A1", "view:A2"]);
}

#[test]
fn date_parts_and_an_order_column_sort_a_log_without_clock_times_and_codes_get_names() {
    let [year, month, day] = ["year", "month", "day"].map(str::to_owned);
    let map = Columns {
        delimiter: ';',
        order: Some("order".to_owned()),
        rename: BTreeMap::from([(
            "page".to_owned(),
            BTreeMap::from([("1".to_owned(), "trousers".to_owned()), ("2".to_owned(), "skirts".to_owned())]),
        )]),
        ..columns("session ID", Some("page"), Some(TimeColumns::Parts { year, month, day }))
    };
    let mut config = delimited("parts.csv", map);
    config.max_dropped = 0.2;
    let data = load(&config, &sequence(), Future::None).unwrap();
    assert_eq!(tokens(&data, 0), ["view:3", "view:trousers", "view:skirts"]);
    assert_eq!(data.accounting.rows_dropped["unreadable_time"], 1, "the 31st of April");
}

#[test]
fn a_delimiter_of_more_than_one_byte_is_refused() {
    let map = Columns { delimiter: '，', ..plain() };
    assert_eq!(
        message(load(&delimited("plain.csv", map), &sequence(), Future::None)),
        "plain.csv: the delimiter '，' is not a single byte; use \",\", \";\" or a tab"
    );
}
