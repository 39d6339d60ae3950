//! Control arms: partitions that know nothing. An arm that does not beat them shows nothing.

use trailmark_core::{Labels, Stream};

/// The same cluster sizes, noise included, dealt out at random.
///
/// The permutation depends on the seed and the number of samples only, so arms that share a seed meet the same draw.
#[must_use]
pub fn random_labels(labels: &Labels, seed: u64) -> Labels {
    let mut rows: Vec<usize> = (0..labels.len()).collect();
    Stream::new(seed).shuffle(&mut rows);
    labels.select(&rows)
}

/// Everybody together.
#[must_use]
pub fn one_cluster(n_samples: usize) -> Labels {
    Labels(vec![Some(0); n_samples])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_labels_keep_the_sizes_and_the_noise() {
        let labels = Labels(vec![Some(5), None, Some(5), Some(5), Some(9), None]);
        let mut shuffled = random_labels(&labels, 3).0;
        let mut sorted = labels.0.clone();
        shuffled.sort_unstable();
        sorted.sort_unstable();
        assert_eq!(shuffled, sorted);
    }

    #[test]
    fn two_arms_with_one_seed_meet_the_same_permutation() {
        let rows = Labels::from_ids(0..50);
        let doubled = Labels::from_ids((0..50).map(|i| 2 * i));
        let a = random_labels(&rows, 11);
        let b = random_labels(&doubled, 11);
        assert_ne!(a, rows);
        assert_ne!(a, random_labels(&rows, 12));
        assert!(a.0.iter().zip(&b.0).all(|(a, b)| a.map(|a| 2 * a) == *b), "{a:?} {b:?}");
    }

    #[test]
    fn one_cluster_holds_every_sample() {
        assert_eq!(one_cluster(3), Labels::from_ids([0, 0, 0]));
        assert!(one_cluster(0).is_empty());
        assert!(random_labels(&Labels::default(), 1).is_empty());
    }
}
