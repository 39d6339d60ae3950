//! The names under which scores are declared and stored.

use std::fmt;

/// A metric as a suite names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricName {
    /// A partition metric: `silhouette_score`, or `adjusted_rand_score[gender]` for a further labelling.
    Partition {
        /// Name in the catalogue.
        metric: String,
        /// The labelling, unless it is the dataset's first.
        label: Option<String>,
    },
    /// A mean over users: `cluster_popularity/ndcg@10`.
    Ranking {
        /// The recommender.
        recommender: String,
        /// Name of the ranking metric.
        metric: String,
        /// Length of the list.
        at: usize,
    },
}

impl MetricName {
    /// Reads a name. Whether it exists is another question.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((recommender, rest)) = text.split_once('/') {
            let (metric, at) = rest.split_once('@')?;
            let at = at.parse().ok()?;
            return Some(Self::Ranking { recommender: recommender.to_owned(), metric: metric.to_owned(), at });
        }
        match text.split_once('[') {
            Some((metric, rest)) => {
                let label = rest.strip_suffix(']')?;
                Some(Self::Partition { metric: metric.to_owned(), label: Some(label.to_owned()) })
            }
            None => Some(Self::Partition { metric: text.to_owned(), label: None }),
        }
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partition { metric, label: None } => f.write_str(metric),
            Self::Partition { metric, label: Some(label) } => write!(f, "{metric}[{label}]"),
            Self::Ranking { recommender, metric, at } => write!(f, "{recommender}/{metric}@{at}"),
        }
    }
}
