//! The items that a user's cluster meets most: the plainest recommender that a partition can help.

use trailmark_core::contract::{Ranker, RecommendTrain, Recommender};
use trailmark_core::{Cost, KeyBuilder, Spec};

/// Name card.
static SPEC: Spec = Spec {
    name: "cluster_popularity",
    summary: "the items that most users of the own cluster met in training, then globally popular ones",
    reference: "Ji et al. 2020, A re-visit of the popularity baseline in recommender systems, arXiv 2005.13829; popularity taken per cluster",
    revision: 1,
    cost: Cost { time: "n_events", memory: "n_clusters * n_items" },
    params: &[],
};

/// Ranks items by the number of distinct training users of the cluster that met them.
///
/// Ties go to the globally more popular item, then to a fixed shuffle of the catalogue, never to the order of a list.
/// Users without a cluster, and lists that the cluster cannot fill, fall back to global popularity. With one cluster
/// it is the global popularity control.
#[derive(Debug, Clone, Copy)]
pub struct ClusterPopularity;

impl Recommender for ClusterPopularity {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn fit(&self, train: &RecommendTrain<'_>) -> Box<dyn Ranker> {
        let n_clusters = train.labels.0.iter().flatten().map(|&name| name as usize + 1).max().unwrap_or(0);
        let mut global = vec![0_u32; train.n_items];
        let mut per_cluster = vec![std::collections::BTreeMap::<u32, u32>::new(); n_clusters];
        let mut distinct = Vec::new();
        for (items, label) in train.items.iter().zip(&train.labels.0) {
            distinct.clear();
            distinct.extend_from_slice(items);
            distinct.sort_unstable();
            distinct.dedup();
            for &item in &distinct {
                global[item as usize] += 1;
                if let Some(name) = label {
                    *per_cluster[*name as usize].entry(item).or_insert(0) += 1;
                }
            }
        }
        let shuffled: Vec<u64> = (0..train.n_items as u64)
            .map(|item| KeyBuilder::new("ranking tie").number("item", item).finish().seed())
            .collect();
        let order = |item: &u32| (std::cmp::Reverse(global[*item as usize]), shuffled[*item as usize]);
        let clusters = per_cluster
            .into_iter()
            .map(|counts| {
                let mut items: Vec<(u32, u32)> = counts.into_iter().collect();
                items.sort_unstable_by_key(|(item, count)| (std::cmp::Reverse(*count), order(item)));
                items.into_iter().map(|(item, _)| item).collect()
            })
            .collect();
        let mut all: Vec<u32> = (0u32..).take(train.n_items).filter(|&item| global[item as usize] > 0).collect();
        all.sort_unstable_by_key(order);
        Box::new(Fitted { clusters, all })
    }
}

struct Fitted {
    clusters: Vec<Vec<u32>>, // (n_clusters) items of each, best first
    all: Vec<u32>,           // items seen in training, best first
}

impl Ranker for Fitted {
    fn rank(&self, cluster: Option<u32>, exclude: &[u32], k: usize) -> Vec<u32> {
        let own = cluster.and_then(|name| self.clusters.get(name as usize)).map_or(&[][..], Vec::as_slice);
        let mut list: Vec<u32> =
            own.iter().filter(|item| exclude.binary_search(item).is_err()).take(k).copied().collect();
        let filled = list.len();
        for item in &self.all {
            if list.len() == k {
                break;
            }
            if exclude.binary_search(item).is_err() && !list[..filled].contains(item) {
                list.push(*item);
            }
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use trailmark_core::Labels;

    use super::*;

    fn fit(items: &[&[u32]], labels: Labels) -> Box<dyn Ranker> {
        ClusterPopularity.fit(&RecommendTrain { n_items: 6, items, labels: &labels })
    }

    #[test]
    fn each_cluster_gets_its_own_favourites_and_then_the_global_ones() {
        let ranker = fit(&[&[0, 1], &[0], &[2, 3], &[2], &[2]], Labels::from_ids([0, 0, 1, 1, 1]));
        assert_eq!(ranker.rank(Some(0), &[], 3), [0, 1, 2]);
        assert_eq!(ranker.rank(Some(1), &[], 2), [2, 3]);
    }

    #[test]
    fn a_user_who_met_an_item_twice_counts_once() {
        let ranker = fit(&[&[1, 1, 1], &[0], &[0]], Labels::from_ids([0, 0, 0]));
        assert_eq!(ranker.rank(Some(0), &[], 1), [0]);
    }

    #[test]
    fn excluded_items_and_items_never_seen_in_training_are_not_listed() {
        let ranker = fit(&[&[0, 1], &[2]], Labels::from_ids([0, 0]));
        assert_eq!(ranker.rank(Some(0), &[0, 2], 5), [1]);
    }

    #[test]
    fn users_without_a_cluster_get_global_popularity() {
        let ranker = fit(&[&[4], &[4], &[5]], Labels(vec![Some(0), None, Some(1)]));
        assert_eq!(ranker.rank(None, &[], 1), [4]);
        assert_eq!(ranker.rank(Some(9), &[], 1), [4]);
    }

    #[test]
    fn ties_do_not_follow_the_order_of_the_catalogue() {
        let items: Vec<Vec<u32>> = vec![(0..6).collect()];
        let refs: Vec<&[u32]> = items.iter().map(Vec::as_slice).collect();
        let list = fit(&refs, Labels::from_ids([0])).rank(Some(0), &[], 6);
        assert_ne!(list, [0, 1, 2, 3, 4, 5]);
    }
}
