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
//! A feature without its denominator (n = 1 has no step) is 0; a sample without tokens is all 0 and counted. Features
//! have different units: follow with the post step `standardize`.
//!
//! An encoder sees text and tokens but no clock, so time features are not possible here: gaps between events, hours and
//! weekdays, recency, length of sessions. Nor are prices and categories, except as far as the suite's template writes
//! them into the tokens.

use std::collections::BTreeMap;

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::{Cost, Embeddings, Failure, Params, SequenceView, Spec};

use crate::counting::{Counts, dense, embeddings};

const N_FEATURES: usize = 14;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "behaviour_features",
    summary: "14 hand-made features of length, variety, repetition, order and drift; follow with standardize",
    reference: "Shannon 1948, Bell Syst. Tech. J. 27, for the entropies; the list is in the file",
    revision: 1,
    cost: Cost { time: "tokens", memory: "none" },
    params: &[],
};

/// Makes the encoder.
pub(crate) fn build(_params: &Params, _assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    Ok(Box::new(BehaviourFeatures))
}

struct BehaviourFeatures;

impl Encoder for BehaviourFeatures {
    fn scope(&self) -> Scope {
        Scope::Frozen
    }

    fn fit<'a>(&'a self, _train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        Ok(Box::new(Fitted(Counts::default())))
    }
}

struct Fitted(Counts);

/// Entropy of counts, in nats. Counts are sorted first, so that the sum does not depend on token numbers.
fn entropy(counts: impl Iterator<Item = usize>) -> f64 {
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

fn share(part: usize, whole: usize) -> f64 {
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
        let mut x = dense(rows.len(), N_FEATURES, "raise --memory", ctx)?;
        for i in 0..rows.len() {
            let tokens = rows.tokens(i);
            self.0.row(!tokens.is_empty());
            if tokens.is_empty() {
                continue;
            }
            for (value, feature) in x.row_mut(i).iter_mut().zip(features(tokens, rows.text(i).chars().count())) {
                *value = feature as f32;
            }
        }
        embeddings(x)
    }

    fn warnings(&self) -> Vec<String> {
        self.0.warnings_of("can be counted", "tokens", "the dataset")
    }
}
