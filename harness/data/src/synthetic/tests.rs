//! What the generator promises: calibrations, planted differences and their absence, and the same bytes for a seed.

use std::collections::BTreeMap;

use trailmark_core::ParamValue;

use super::*;

fn log(params: &[(&str, ParamValue)], seed: u64) -> EventLog {
    let mut all = Params::defaults(&SPEC);
    params.iter().for_each(|(name, value)| all.set(name, value.clone()));
    generate(&all, seed).unwrap()
}

fn whole(value: i64) -> ParamValue {
    ParamValue::Integer(value)
}

/// Share of each `kind:category` among the events of a persona.
fn shares_by_persona(log: &EventLog) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut counts: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for event in &log.events {
        if let Some(persona) = log.attributes["persona"].class(event.user) {
            let token = format!("{}:{}", log.kinds.name(event.kind), log.categories.name(event.category));
            *counts.entry(persona.to_owned()).or_default().entry(token).or_default() += 1.0;
        }
    }
    for tokens in counts.values_mut() {
        let total: f64 = tokens.values().sum();
        tokens.values_mut().for_each(|count| *count /= total);
    }
    counts
}

/// Largest distance (half the sum of differences) between two personas' shares.
fn widest(log: &EventLog) -> f64 {
    let shares: Vec<_> = shares_by_persona(log).into_values().collect();
    let mut widest: f64 = 0.0;
    for a in &shares {
        for b in &shares {
            let tokens: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let distance: f64 =
                tokens.iter().map(|token| (a.get(*token).unwrap_or(&0.0) - b.get(*token).unwrap_or(&0.0)).abs()).sum();
            widest = widest.max(distance / 2.0);
        }
    }
    widest
}

/// Lengths of all sessions, ascending.
fn session_lengths(log: &EventLog) -> Vec<usize> {
    let mut lengths: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    log.events.iter().for_each(|event| *lengths.entry((event.user, event.session)).or_default() += 1);
    let mut lengths: Vec<usize> = lengths.into_values().collect();
    lengths.sort_unstable();
    lengths
}

fn quantile<T: Copy>(sorted: &[T], q: f64) -> T {
    sorted[((sorted.len() - 1) as f64 * q) as usize]
}

#[test]
fn equal_seeds_give_equal_bytes_and_this_seed_gives_these() {
    let small = [("users", whole(50))];
    let made = log(&small, 7).key().to_string();
    assert_eq!(made, log(&small, 7).key().to_string());
    assert_ne!(made, log(&small, 8).key().to_string());
    assert_eq!(made, include_str!("pinned.txt").trim(), "the generator's bytes changed: raise SPEC.revision");
}

#[test]
fn session_lengths_and_pauses_have_the_measured_quantiles() {
    let log = log(&[("noise", ParamValue::Number(0.0))], 3);
    let lengths = session_lengths(&log);
    assert_eq!([quantile(&lengths, 0.25), quantile(&lengths, 0.5)], [3, 5]);
    assert!((8..=9).contains(&quantile(&lengths, 0.75)), "{}", quantile(&lengths, 0.75));
    assert!((14..=17).contains(&quantile(&lengths, 0.9)), "{}", quantile(&lengths, 0.9));
    assert!((38..=50).contains(&quantile(&lengths, 0.99)), "{}", quantile(&lengths, 0.99));

    let mut gaps: Vec<f64> = log
        .events
        .windows(2)
        .filter(|pair| pair[0].user == pair[1].user && pair[0].session == pair[1].session)
        .map(|pair| (pair[1].time - pair[0].time) as f64 / 1000.0)
        .collect();
    gaps.sort_by(f64::total_cmp);
    for (q, measured) in [(0.1, 10.0), (0.25, 25.0), (0.5, 56.0), (0.75, 129.0), (0.9, 299.0)] {
        let found = quantile(&gaps, q);
        assert!((found / measured - 1.0).abs() < 0.3, "gap quantile {q}: {found} s, measured {measured} s");
    }
}

#[test]
fn sessions_are_apart_by_more_than_the_longest_pause_inside_one() {
    let log = log(&[("users", whole(100))], 5);
    for pair in log.events.windows(2).filter(|pair| pair[0].user == pair[1].user) {
        let gap = pair[1].time - pair[0].time;
        assert_eq!(pair[0].session == pair[1].session, gap <= 30 * 60_000, "a pause of {gap} ms");
    }
}

#[test]
fn popularity_inside_a_category_falls_with_rank_at_the_calibrated_exponent() {
    let plain = [("users", whole(4000)), ("separation", ParamValue::Number(0.0)), ("noise", ParamValue::Number(0.0))];
    let log = log(&plain, 11);
    let top = log.events.iter().filter(|event| event.category == log.events[0].category && event.item != NONE);
    let mut counts: BTreeMap<u32, f64> = BTreeMap::new();
    top.for_each(|event| *counts.entry(event.item).or_default() += 1.0);
    let mut counts: Vec<f64> = counts.into_values().collect();
    counts.sort_by(|a, b| b.total_cmp(a));
    let points: Vec<(f64, f64)> = counts[..60]
        .iter()
        .enumerate()
        .map(|(rank, count)| (libm::log(rank as f64 + 1.0), libm::log(*count)))
        .collect();
    let (mx, my) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / 60.0, y + p.1 / 60.0));
    let slope = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>()
        / points.iter().map(|p| (p.0 - mx) * (p.0 - mx)).sum::<f64>();
    assert!((slope + 0.9).abs() < 0.08, "exponent {}", -slope);
}

#[test]
fn events_come_in_the_order_of_the_funnel_more_often_than_not() {
    let log = log(&[], 7);
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    log.events.iter().for_each(|event| *counts.entry(log.kinds.name(event.kind)).or_default() += 1);
    let share = |kind| f64::from(counts[kind]) / log.events.len() as f64;
    assert!(share("view") > 0.5 && share("cart") < 0.2 && share("buy") < share("view") / 3.0, "{counts:?}");
    for event in &log.events {
        assert_eq!(log.kinds.name(event.kind) == "search", event.item == NONE);
        assert_eq!(event.item == NONE, event.query != NONE, "searches have a query instead of an item");
    }
}

#[test]
fn separation_plants_differences_and_separation_0_plants_none() {
    let apart = widest(&log(&[], 7));
    let half = widest(&log(&[("separation", ParamValue::Number(0.5))], 7));
    let none = widest(&log(&[("separation", ParamValue::Number(0.0)), ("users", whole(3000))], 7));
    assert!(apart > 0.6 && half < apart && half > 0.25, "{apart} {half}");
    assert!(none < 0.08, "personas differ by {none} at separation 0");
}

#[test]
fn under_order_only_events_are_equally_frequent_and_successions_are_not() {
    let log = log(&[("order_only", ParamValue::Flag(true)), ("users", whole(3000))], 7);
    assert!(widest(&log) < 0.06, "shares of events differ by {}", widest(&log));
    let mut next: BTreeMap<(&str, u32), BTreeMap<u32, u32>> = BTreeMap::new();
    for pair in log.events.windows(2).filter(|pair| pair[0].user == pair[1].user) {
        if let (Some(persona), true) =
            (log.attributes["persona"].class(pair[0].user), pair[0].category != pair[1].category)
        {
            *next.entry((persona, pair[0].category)).or_default().entry(pair[1].category).or_default() += 1;
        }
    }
    let strong = next
        .values()
        .filter(|to| f64::from(*to.values().max().unwrap_or(&0)) > 0.6 * f64::from(to.values().sum::<u32>()))
        .count();
    assert!(strong * 10 > next.len() * 9, "{strong} of {} categories have one usual successor", next.len());
}

#[test]
fn imbalance_makes_each_persona_smaller_than_the_one_before() {
    let log = log(&[("imbalance", ParamValue::Number(0.5)), ("noise", ParamValue::Number(0.0))], 7);
    let mut sizes: BTreeMap<String, u32> = BTreeMap::new();
    for user in 0..log.users.len() as u32 {
        *sizes.entry(log.attributes["persona"].class(user).unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(sizes["window_shopper"], 406, "{sizes:?}");
    assert_eq!(sizes["fast_buyer"], 13, "{sizes:?}");
}

#[test]
fn chinese_changes_words_and_nothing_else() {
    let zh = log(&[("language", ParamValue::Text("zh".to_owned())), ("users", whole(60))], 7);
    let en = log(&[("users", whole(60))], 7);
    assert_eq!(zh.events.len(), en.events.len());
    assert!(zh.kinds.names().all(|name| ["搜索", "浏览", "加购", "购买"].contains(&name)));
    let ascii = |text: &str| text.is_ascii();
    assert!(!zh.categories.names().any(ascii) && !zh.queries.names().any(ascii));
    assert!(zh.titles.iter().all(|title| !ascii(title)));
    let times = |log: &EventLog| log.events.iter().map(|event| (event.time, event.item)).collect::<Vec<_>>();
    assert_eq!(times(&zh), times(&en));
}

#[test]
fn contradicting_parameters_are_answered_with_both_values() {
    let params = Params::defaults(&SPEC).with("order_only", ParamValue::Flag(true)).with("categories", whole(4));
    assert_eq!(
        generate(&params, 1).unwrap_err().to_string(),
        "the synthetic dataset cannot be made: order_only needs more categories than personas to give each its own \
         route, not categories = 4 and personas = 6"
    );
}

/// Weights of runs of events, each a kind and a category.
type Profile = BTreeMap<Vec<(u32, u32)>, f64>;

/// Share of the users with odd numbers whose persona is that of the nearest profile (by cosine) of the others.
fn recognised(log: &EventLog, order: usize) -> f64 {
    let mut users: Vec<(&str, Profile)> = Vec::new();
    for events in log.by_user() {
        let Some(persona) = log.attributes["persona"].class(events[0].user) else { continue };
        let mut profile = Profile::new();
        for run in events.windows(order) {
            *profile.entry(run.iter().map(|event| (event.kind, event.category)).collect()).or_insert(0.0) += 1.0;
        }
        users.push((persona, profile));
    }
    let norm = |profile: &Profile| profile.values().map(|count| count * count).sum::<f64>().sqrt();
    let mut means: BTreeMap<&str, Profile> = BTreeMap::new();
    for (persona, profile) in users.iter().step_by(2) {
        let mean = means.entry(persona).or_default();
        profile.iter().for_each(|(run, count)| *mean.entry(run.clone()).or_default() += count / norm(profile).max(1.0));
    }
    let (mut right, mut all) = (0.0, 0.0);
    for (persona, profile) in users.iter().skip(1).step_by(2) {
        let cosine = |mean: &Profile| {
            profile.iter().map(|(run, count)| count * mean.get(run).unwrap_or(&0.0)).sum::<f64>() / norm(mean)
        };
        let nearest = means.iter().max_by(|a, b| cosine(a.1).total_cmp(&cosine(b.1))).map(|(name, _)| *name);
        right += f64::from(nearest == Some(persona));
        all += 1.0;
    }
    right / all
}

#[test]
fn personas_can_be_told_from_counts_by_default_and_from_successions_alone_under_order_only() {
    let default = recognised(&log(&[], 7), 1);
    assert!(default > 0.9, "{default} recognised from counts");
    let order = log(&[("order_only", ParamValue::Flag(true))], 7);
    let (counts, successions) = (recognised(&order, 1), recognised(&order, 2));
    assert!(counts < 0.25, "{counts} recognised from counts, 1 / 6 is chance");
    assert!(successions > 0.9, "{successions} recognised from successions");
}
