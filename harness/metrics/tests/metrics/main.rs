//! What metrics answer: by tables of reference implementations, by published values, by relations that must hold, and
//! on real label vectors.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

mod clustering_suite;
mod metamorphic;
mod oracle;
mod published;

use trailmark_core::contract::{Distance, Metric, MetricInput, Points};
use trailmark_core::{Labels, Score};

/// The metric of that name.
fn metric(name: &str) -> &'static dyn Metric {
    let found = trailmark_metrics::registry().into_iter().find(|metric| metric.spec().name == name);
    found.unwrap_or_else(|| panic!("no metric is named {name}"))
}

/// Scores a partition against reference labels.
fn external(name: &str, labels_true: &[Option<u32>], labels_pred: &Labels) -> Score {
    metric(name).score(&MetricInput {
        labels_pred,
        labels_true: Some(labels_true),
        x: None,
        distance: Distance::Euclidean,
    })
}

/// Scores a partition against its vectors.
fn internal(name: &str, x: Points<'_>, labels_pred: &Labels, distance: Distance) -> Score {
    metric(name).score(&MetricInput { labels_pred, labels_true: None, x: Some(x), distance })
}
