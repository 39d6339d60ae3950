//! The features of `behaviour_features` that need events: times, kinds, categories, items, prices and values. Which
//! columns there are is learnt from training samples; the list is in `behaviour_features.rs`.

use std::collections::{BTreeMap, BTreeSet};

use trailmark_core::SequenceView;
use trailmark_core::dataset::{Clock, Event};

use crate::behaviour_features::{entropy, share};

/// Kinds of event with a column of their own.
const MOST_KINDS: usize = 20;
/// A longer pause starts a session: the usual rule of web logs.
const SESSION_GAP_S: f64 = 1800.0;
const DAY_S: f64 = 86_400.0;
const DAY_MS: i64 = 86_400_000;

/// Features of any times, and those of instants.
const N_TIME: usize = 10;
const N_INSTANTS: usize = 5;

/// Which columns there are, and the end of the training data.
#[derive(Debug)]
pub(crate) struct EventFeatures {
    clock: Clock,
    /// Kinds of event with a column, by ascending name.
    kinds: Vec<u32>,
    categories: bool,
    items: bool,
    prices: bool,
    values: bool,
    /// Time of the latest training event.
    last: i64,
    /// Training samples have events.
    any: bool,
}

impl EventFeatures {
    /// The columns for which the training samples have something to say.
    pub(crate) fn learn(train: SequenceView<'_>) -> Self {
        let events = || (0..train.len()).flat_map(|i| train.events(i));
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        events().for_each(|event| *counts.entry(event.kind).or_default() += 1);
        let mut kinds: Vec<(u32, usize)> = counts.into_iter().collect();
        kinds.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| train.kind_name(a.0).cmp(train.kind_name(b.0))));
        kinds.truncate(MOST_KINDS);
        kinds.sort_by_key(|(kind, _)| train.kind_name(*kind));
        // The share of the only kind is 1 for everybody.
        let kinds = if kinds.len() > 1 { kinds.into_iter().map(|(kind, _)| kind).collect() } else { Vec::new() };
        Self {
            clock: train.clock(),
            kinds,
            categories: events().any(|event| event.category.is_some()),
            items: events().any(|event| event.item.is_some()),
            prices: events().any(|event| event.price.is_some()),
            values: events().any(|event| event.value.is_some()),
            last: events().map(|event| event.time).max().unwrap_or(0),
            any: events().next().is_some(),
        }
    }

    fn has_times(&self) -> bool {
        self.any && self.clock != Clock::None
    }

    fn has_instants(&self) -> bool {
        self.any && self.clock == Clock::Instants
    }

    /// Number of columns.
    pub(crate) fn width(&self) -> usize {
        let of = |there: bool, n: usize| if there { n } else { 0 };
        of(self.has_times(), N_TIME)
            + of(self.has_instants(), N_INSTANTS)
            + self.kinds.len()
            + of(self.categories, 2)
            + of(self.items, 4)
            + of(self.prices, 2)
            + of(self.values, 2)
    }

    /// The features of one history, (width,).
    pub(crate) fn of(&self, events: &[Event]) -> Vec<f64> {
        let mut features = Vec::with_capacity(self.width());
        if events.is_empty() {
            features.resize(self.width(), 0.0);
            return features;
        }
        if self.has_times() {
            features.extend(times(events, self.last));
        }
        if self.has_instants() {
            features.extend(instants(events));
        }
        let kind = |kind: &u32| events.iter().filter(|event| event.kind == *kind).count();
        features.extend(self.kinds.iter().map(|name| share(kind(name), events.len())));
        if self.categories {
            let counts = counts(events.iter().filter_map(|event| event.category));
            features.extend([entropy(counts.values().copied()), top_share(&counts)]);
        }
        if self.items {
            let items: Vec<u32> = events.iter().filter_map(|event| event.item).collect();
            let counts = counts(items.iter().copied());
            let stays = items.windows(2).filter(|pair| pair[0] == pair[1]).count();
            features.extend([
                share(items.len(), events.len()),
                share(counts.len(), items.len()),
                top_share(&counts),
                share(stays, items.len().saturating_sub(1)),
            ]);
        }
        if self.prices {
            let prices = events.iter().filter_map(|event| event.price);
            let prices: Vec<f64> = prices.map(|price| libm::log1p(f64::from(price).max(0.0))).collect();
            features.extend([mean(&prices), sd(&prices)]);
        }
        if self.values {
            let values: Vec<f64> = events.iter().filter_map(|event| event.value).map(f64::from).collect();
            features.extend([mean(&values), sd(&values)]);
        }
        features
    }

    /// What is not there, for lack of a clock.
    pub(crate) fn warning(&self) -> Option<String> {
        let all = N_TIME + N_INSTANTS;
        match self.clock {
            _ if !self.any => {
                Some("the samples are texts without events: features of events and their times are left out".to_owned())
            }
            Clock::None => Some(format!("the log has no clock: {all} features of time are left out")),
            Clock::Days => {
                Some(format!("the log's times are days: {N_INSTANTS} features of hours and sessions are left out"))
            }
            Clock::Instants => None,
        }
    }
}

fn counts(numbers: impl Iterator<Item = u32>) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    numbers.for_each(|number| *counts.entry(number).or_default() += 1);
    counts
}

fn top_share(counts: &BTreeMap<u32, usize>) -> f64 {
    share(counts.values().copied().max().unwrap_or(0), counts.values().sum())
}

/// 0 for no numbers.
fn mean(numbers: &[f64]) -> f64 {
    if numbers.is_empty() { 0.0 } else { numbers.iter().sum::<f64>() / numbers.len() as f64 }
}

/// Standard deviation with n in the denominator; exactly 0 for equal numbers.
fn sd(numbers: &[f64]) -> f64 {
    if numbers.windows(2).all(|pair| pair[0] == pair[1]) {
        return 0.0;
    }
    let mean = mean(numbers);
    self::mean(&numbers.iter().map(|number| (number - mean) * (number - mean)).collect::<Vec<_>>()).sqrt()
}

/// Seconds between neighbours. Events are in time order.
fn gaps(events: &[Event]) -> Vec<f64> {
    events.windows(2).map(|pair| seconds(pair[1].time.saturating_sub(pair[0].time))).collect()
}

fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1000.0
}

/// Correlation of neighbours; 0 where one side does not vary.
fn memory(gaps: &[f64]) -> f64 {
    let Some(n) = gaps.len().checked_sub(1) else { return 0.0 };
    let (before, after) = (&gaps[..n], &gaps[1..]);
    let spread = sd(before) * sd(after);
    if spread == 0.0 {
        return 0.0;
    }
    let (mean_before, mean_after) = (mean(before), mean(after));
    let products: Vec<f64> =
        before.iter().zip(after).map(|(before, after)| (before - mean_before) * (after - mean_after)).collect();
    (mean(&products) / spread).clamp(-1.0, 1.0)
}

fn times(events: &[Event], last: i64) -> [f64; N_TIME] {
    let (start, end) = (events[0].time, events[events.len() - 1].time);
    let gaps = gaps(events);
    let logs: Vec<f64> = gaps.iter().map(|gap| libm::log1p(*gap)).collect();
    let (gap_mean, gap_sd) = (mean(&gaps), sd(&gaps));
    let (early, late) = logs.split_at(logs.len() / 2);
    let days: BTreeSet<i64> = events.iter().map(|event| event.time.div_euclid(DAY_MS)).collect();
    let span_days = end.div_euclid(DAY_MS) - start.div_euclid(DAY_MS) + 1;
    // Day 0 of Unix time is a Thursday: 2 and 3 are Saturday and Sunday.
    let weekend = |event: &&Event| matches!(event.time.div_euclid(DAY_MS).rem_euclid(7), 2 | 3);
    [
        libm::log1p(seconds(end.saturating_sub(start))),
        mean(&logs),
        sd(&logs),
        if gap_mean > 0.0 { gap_sd / gap_mean } else { 0.0 },
        if gap_mean > 0.0 { (gap_sd - gap_mean) / (gap_sd + gap_mean) } else { 0.0 },
        memory(&gaps),
        if early.is_empty() { 0.0 } else { mean(late) - mean(early) },
        days.len() as f64 / span_days.max(1) as f64,
        share(events.iter().filter(weekend).count(), events.len()),
        libm::log1p(seconds(last.saturating_sub(end)) / DAY_S),
    ]
}

fn instants(events: &[Event]) -> [f64; N_INSTANTS] {
    let angle = |event: &Event| std::f64::consts::TAU * (event.time.rem_euclid(DAY_MS) as f64 / DAY_MS as f64);
    let sin = mean(&events.iter().map(|event| libm::sin(angle(event))).collect::<Vec<_>>());
    let cos = mean(&events.iter().map(|event| libm::cos(angle(event))).collect::<Vec<_>>());
    let sessions: Vec<&[Event]> =
        events.chunk_by(|a, b| seconds(b.time.saturating_sub(a.time)) <= SESSION_GAP_S).collect();
    let lengths: Vec<f64> = sessions
        .iter()
        .map(|session| seconds(session[session.len() - 1].time.saturating_sub(session[0].time)))
        .collect();
    [sin, cos, libm::hypot(sin, cos), share(sessions.len(), events.len()), libm::log1p(mean(&lengths))]
}
