//! Every table of the report, each a function from the run to a [`crate::Table`].

mod comparisons;
mod controls;
mod facts;
mod internal;
mod problems;
mod ranking;
mod sweep;

use std::collections::BTreeMap;

pub use comparisons::comparisons;
pub(crate) use comparisons::{deciding_test, note_words};
pub use controls::controls;
pub(crate) use controls::{CONTROL_ALPHA, ControlTest, ControlTests, Standing, standing_words};
pub use facts::{accounting, cost};
pub use internal::internal;
pub use problems::{failures, undefined, warnings};
pub(crate) use ranking::ranked;
pub use ranking::ranking;
pub(crate) use sweep::pick_counts;
pub use sweep::{per_n_clusters, picks};
use trailmark_store::record::{MetricFacts, NClusters};

use crate::table::{Cell, Column};
use crate::view::Index;

/// How many metrics a wide table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// The primary metric and two more.
    Terminal,
    /// The primary metric and four more.
    Page,
    /// All.
    Full,
}

/// Metrics that may be compared across encoders, the primary first, then those that most readers look for.
fn comparable<'a>(index: &Index<'a>, dataset: &str, width: Width) -> Vec<(&'a str, &'a MetricFacts)> {
    let primary = index.view.manifest.primary.as_str();
    let place = |name: &str| match name {
        name if name == primary => 0,
        "adjusted_rand_score" => 1,
        "adjusted_mutual_info_score" => 2,
        name if name.contains("/ndcg@") => 3,
        name if name.contains("/recall@") => 4,
        name if name.contains('[') => 6,
        _ => 5,
    };
    let mut metrics = index.metrics(dataset);
    metrics.retain(|(name, facts)| !facts.internal || *name == primary);
    metrics.sort_by_key(|(name, _)| (place(name), *name));
    metrics.truncate(match width {
        Width::Terminal => 3,
        Width::Page => 5,
        Width::Full => usize::MAX,
    });
    metrics
}

/// The column of a metric, with an arrow that says which way is better.
fn metric_column(name: &str, facts: &MetricFacts) -> Column {
    let arrow = if facts.higher_is_better { '↑' } else { '↓' };
    Column::number(name, &format!("{name} {arrow}")).help(&facts.summary)
}

/// `4 x3, 5 x2`: values with their counts, the smallest first.
fn distribution(counts: &BTreeMap<Option<usize>, usize>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (value, count) in counts {
        let value = value.map_or("none".to_owned(), |value| value.to_string());
        parts.push(if counts.len() == 1 { value } else { format!("{value} ×{count}") });
    }
    parts.join(", ")
}

fn n_clusters_cell(n_clusters: NClusters) -> Cell {
    match n_clusters {
        NClusters::Fixed(value) => value.into(),
        NClusters::Auto => "auto".into(),
    }
}
