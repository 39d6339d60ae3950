//! Hand-made features of a history, as an analyst would list them before learning anything.
//!
//! | column | feature | of |
//! | --- | --- | --- |
//! | 0 | `log_length` | ln(1 + n), n tokens |
//! | 1 | `log_distinct` | ln(1 + d), d distinct tokens |
//! | 2 | `distinct_share` | d / n |
//! | 3 | `entropy` | entropy of the shares of tokens, in nats |
//! | 4 | `evenness` | entropy / ln d; 0 when d = 1 |
//! | 5 | `top_share` | share of the most frequent token |
//! | 6 | `once_share` | share of the distinct tokens that occur once |
//! | 7 | `repeat_share` | share of steps that stay at the same token, of n - 1 |
//! | 8 | `transition_share` | distinct pairs of neighbours, of n - 1 |
//! | 9 | `transition_entropy` | entropy of a token given the one before, in nats |
//! | 10 | `longest_run` | longest run of one token, of n |
//! | 11 | `return_gap` | mean of ln(steps since the token's last occurrence), over the positions that have one |
//! | 12 | `drift` | total variation distance of the shares of tokens in the first n / 2 positions and in the rest |
//! | 13 | `log_text_per_token` | ln(1 + characters of the readable text / n) |
//!
//! Behind them stand features of the events, each group where the training samples have what it needs:
//!
//! | needs | feature | of |
//! | --- | --- | --- |
//! | a clock | `log_span` | ln(1 + seconds from the first to the last event) |
//! | | `log_gap` | mean of ln(1 + gap), gaps between neighbours in seconds |
//! | | `log_gap_sd` | standard deviation of ln(1 + gap) |
//! | | `gap_variation` | s / m, standard deviation and mean of the gaps |
//! | | `burstiness` | (s - m) / (s + m): -1 for a steady beat, 0 for chance, towards 1 for bursts |
//! | | `gap_memory` | correlation of each gap with the next |
//! | | `slowing` | mean of ln(1 + gap) over the later gaps less that over the first half of them |
//! | | `active_days` | days with an event, of the days from the first to the last |
//! | | `weekend_share` | share of events on Saturday and Sunday |
//! | | `log_recency` | ln(1 + days from the last event to the latest event of training; 0 if later) |
//! | instants | `hour_sin`, `hour_cos` | means of sine and cosine of the time of day as an angle |
//! | | `hour_focus` | length of the mean of these directions: 1 when all events share one time of day |
//! | | `session_share` | sessions (parted by more than 30 minutes), of the events |
//! | | `log_session` | ln(1 + mean seconds from a session's first to its last event) |
//! | two kinds of event | `kind_share` | share of every kind, by name; of the 20 that are most frequent in training |
//! | categories | `category_entropy` | entropy of the shares of categories, in nats |
//! | | `top_category_share` | share of the most frequent category |
//! | items | `item_share` | share of events with an item |
//! | | `distinct_item_share` | distinct items, of events with an item |
//! | | `top_item_share` | share of the most frequent item |
//! | | `item_repeat_share` | share of steps between such events that stay at the same item |
//! | prices | `log_price`, `log_price_sd` | mean and standard deviation of ln(1 + price) |
//! | values | `value`, `value_sd` | mean and standard deviation of the events' values: ratings, quantities |
//!
//! Events are those that are written as text and tokens: the last `max_events` of the history and nothing after it.
//! Days, hours and weekends are those of UTC. A log without a clock has no features of time, one whose times are days
//! has none of hours and sessions, and a warning says so.
//!
//! A feature without its denominator (n = 1 has no step) is 0; a sample without tokens has 0 for all that is of tokens,
//! and one without events too is counted. Features have different units: follow with the post step `standardize`.

use std::collections::BTreeMap;

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::{Cost, Embeddings, Failure, Params, SequenceView, Spec};

use crate::counting::{Counts, dense, embeddings};
use crate::event_features::EventFeatures;

/// Features of the tokens.
const N_FEATURES: usize = 14;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "behaviour_features",
    summary: "hand-made features: 14 of length, variety, repetition, order and drift, and as many of times, hours, kinds, \
              categories, items, prices and values as the log has; follow with standardize",
    reference: "Shannon 1948, Bell Syst. Tech. J. 27, for the entropies; Goh and Barabasi 2008, EPL 81, arXiv \
                physics/0610233, for burstiness and memory; the list is in the file",
    // 2: features of times and of what events hold.
    revision: 2,
    cost: Cost { time: "tokens + events * kinds", memory: "the longest sample" },
    params: &[],
};

/// Makes the encoder.
pub(crate) fn build(_params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    Ok(Box::new(BehaviourFeatures))
}

struct BehaviourFeatures;

impl Encoder for BehaviourFeatures {
    /// Kinds of event, the groups of features there are, and the end of the data are learnt.
    fn scope(&self) -> Scope {
        Scope::PerFold
    }

    fn fit<'a>(&'a self, train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        Ok(Box::new(Fitted { events: EventFeatures::learn(train), counts: Counts::default() }))
    }
}

struct Fitted {
    events: EventFeatures,
    counts: Counts,
}

/// Entropy of counts, in nats. Counts are sorted first, so that the sum does not depend on token numbers.
pub(crate) fn entropy(counts: impl Iterator<Item = usize>) -> f64 {
    let mut counts: Vec<usize> = counts.collect();
    counts.sort_unstable();
    let total = counts.iter().sum::<usize>() as f64;
    counts.iter().map(|&count| count as f64 / total).map(|share| -share * libm::log(share)).sum()
}

fn occurrences(tokens: &[u32]) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    tokens.iter().for_each(|token| *counts.entry(*token).or_default() += 1);
    counts
}

/// `part / whole`, 0 of nothing.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn features(tokens: &[u32], n_characters: usize) -> [f64; N_FEATURES] {
    let n = tokens.len();
    let counts = occurrences(tokens);
    let d = counts.len();
    let entropy_of_tokens = entropy(counts.values().copied());
    let steps = n - 1;
    let mut pairs: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    let (mut repeats, mut run, mut longest) = (0, 1, 1);
    for pair in tokens.windows(2) {
        *pairs.entry((pair[0], pair[1])).or_default() += 1;
        let same = pair[0] == pair[1];
        repeats += usize::from(same);
        run = if same { run + 1 } else { 1 };
        longest = longest.max(run);
    }
    let transition_entropy = if steps == 0 {
        0.0
    } else {
        // H(next | now) = H(now, next) - H(now).
        let first = entropy(occurrences(&tokens[..steps]).into_values());
        (entropy(pairs.values().copied()) - first).max(0.0)
    };
    let mut last_seen: BTreeMap<u32, usize> = BTreeMap::new();
    let mut gaps = 0.0;
    for (at, token) in tokens.iter().enumerate() {
        if let Some(before) = last_seen.insert(*token, at) {
            gaps += libm::log((at - before) as f64);
        }
    }
    let returns = n - d;
    let (early, late) = tokens.split_at(n / 2);
    let (in_early, in_late) = (occurrences(early), occurrences(late));
    let mut differences: Vec<f64> = counts
        .keys()
        .map(|token| {
            let of = |half: &BTreeMap<u32, usize>, n| share(half.get(token).copied().unwrap_or(0), n);
            (of(&in_early, early.len()) - of(&in_late, late.len())).abs()
        })
        .collect();
    differences.sort_by(f64::total_cmp);
    [
        libm::log1p(n as f64),
        libm::log1p(d as f64),
        share(d, n),
        entropy_of_tokens,
        if d > 1 { entropy_of_tokens / libm::log(d as f64) } else { 0.0 },
        share(counts.values().copied().max().unwrap_or(0), n),
        share(counts.values().filter(|count| **count == 1).count(), d),
        share(repeats, steps),
        share(pairs.len(), steps),
        transition_entropy,
        share(longest, n),
        if returns == 0 { 0.0 } else { gaps / returns as f64 },
        if early.is_empty() { 0.0 } else { differences.iter().sum::<f64>() / 2.0 },
        libm::log1p(n_characters as f64 / n as f64),
    ]
}

impl Transform for Fitted {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32, rounded once")]
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let mut x = dense(rows.len(), N_FEATURES + self.events.width(), "raise --memory", ctx)?;
        for i in 0..rows.len() {
            let tokens = rows.tokens(i);
            self.counts.row(!tokens.is_empty() || !rows.events(i).is_empty());
            let (of_tokens, of_events) = x.row_mut(i).split_at_mut(N_FEATURES);
            if !tokens.is_empty() {
                let features = features(tokens, rows.text(i).chars().count());
                of_tokens.iter_mut().zip(features).for_each(|(value, feature)| *value = feature as f32);
            }
            let features = self.events.of(rows.events(i));
            of_events.iter_mut().zip(features).for_each(|(value, feature)| *value = feature as f32);
        }
        embeddings(x)
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = self.counts.warnings_of("can be counted", "tokens", "the dataset");
        warnings.extend(self.events.warning());
        warnings
    }
}
