//! Ranking scores of one user: a list of length k against the items of the user's future.
//!
//! A user with an empty future has no score and leaves the mean, with the count shown. A list shorter than k is still
//! divided by k. Means over users are taken by the runner, so that every user counts once.

use trailmark_core::{Cost, Spec};

/// One ranking metric.
#[derive(Debug, Clone, Copy)]
pub struct RankingMetric {
    /// Name card.
    pub spec: &'static Spec,
    /// Scores the hits (n_listed <= k, best first) of a user with `n_truth >= 1` future items.
    score: fn(hits: &[bool], n_truth: usize, k: usize) -> f64,
}

impl RankingMetric {
    /// The score of one list; none for a user without truth.
    pub fn score(&self, list: &[u32], truth: &[u32], k: usize) -> Option<f64> {
        if truth.is_empty() || k == 0 {
            return None;
        }
        let hits: Vec<bool> = list.iter().take(k).map(|item| truth.contains(item)).collect();
        Some((self.score)(&hits, truth.len(), k))
    }
}

fn n_hits(hits: &[bool]) -> f64 {
    hits.iter().filter(|hit| **hit).count() as f64
}

fn precision(hits: &[bool], _n_truth: usize, k: usize) -> f64 {
    n_hits(hits) / k as f64
}

fn recall(hits: &[bool], n_truth: usize, _k: usize) -> f64 {
    n_hits(hits) / n_truth as f64
}

fn f1(hits: &[bool], n_truth: usize, k: usize) -> f64 {
    2.0 * n_hits(hits) / (k + n_truth) as f64
}

fn hit_rate(hits: &[bool], _n_truth: usize, _k: usize) -> f64 {
    f64::from(u8::from(hits.contains(&true)))
}

fn ndcg(hits: &[bool], n_truth: usize, k: usize) -> f64 {
    let discount = |rank: usize| 1.0 / libm::log2((rank + 2) as f64);
    let gained: f64 = hits.iter().enumerate().filter(|(_, hit)| **hit).map(|(rank, _)| discount(rank)).sum();
    gained / (0..n_truth.min(k)).map(discount).sum::<f64>()
}

macro_rules! spec {
    ($name:literal, $summary:literal, $reference:literal) => {
        &Spec {
            name: $name,
            summary: $summary,
            reference: $reference,
            revision: 1,
            cost: Cost { time: "k", memory: "none" },
            params: &[],
        }
    };
}

/// All ranking metrics, ascending by name. Range [0, 1], higher is better.
pub static METRICS: [RankingMetric; 5] = [
    RankingMetric {
        spec: spec!(
            "f1",
            "harmonic mean of precision and recall at k, 2 * hits / (k + truths); 0 without hits",
            "van Rijsbergen 1979, Information Retrieval"
        ),
        score: f1,
    },
    RankingMetric {
        spec: spec!("hit_rate", "1 with any hit in the first k, else 0", "trec_eval success_k"),
        score: hit_rate,
    },
    RankingMetric {
        spec: spec!(
            "ndcg",
            "hits discounted by log2(rank + 1), over the best list of length min(truths, k); linear gain",
            "Jarvelin, Kekalainen 2002, ACM TOIS 20; trec_eval ndcg_cut_k"
        ),
        score: ndcg,
    },
    RankingMetric {
        spec: spec!("precision", "hits over k, also for lists shorter than k", "trec_eval P_k"),
        score: precision,
    },
    RankingMetric {
        spec: spec!("recall", "hits over the number of future items", "trec_eval recall_k"),
        score: recall,
    },
];

#[cfg(test)]
mod tests {
    use trailmark_kit::{number, numbers, oracle};

    use super::*;

    fn metric(name: &str) -> &'static RankingMetric {
        METRICS.iter().find(|metric| metric.spec.name == name).unwrap()
    }

    #[test]
    fn every_ranking_metric_agrees_with_trec_eval() {
        let table = oracle("recommend", "ranking");
        for case in &table.case {
            let ids = |key: &str| numbers(case, key).into_iter().map(|id| id as u32).collect::<Vec<_>>();
            let (list, truth, k) = (ids("list"), ids("truth"), number(case, "k") as usize);
            for name in ["precision", "recall", "hit_rate", "ndcg", "f1"] {
                let score = metric(name).score(&list, &truth, k).unwrap();
                table.assert_close(&format!("{name} of {case}"), score, number(case, name));
            }
        }
    }

    #[test]
    fn a_user_without_future_items_has_no_score() {
        assert!(METRICS.iter().all(|metric| metric.score(&[1, 2], &[], 10).is_none()));
    }

    #[test]
    fn names_are_unique_and_ascending() {
        assert!(METRICS.windows(2).all(|pair| pair[0].spec.name < pair[1].spec.name));
    }
}
