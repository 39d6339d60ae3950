//! The frame of every external score: it looks at the contingency table and at nothing else.

use trailmark_core::contract::{Metric, MetricInput};
use trailmark_core::spec::{Direction, Needs};
use trailmark_core::{Score, Spec, Undefined};

use crate::contingency::Contingency;

/// An external score.
#[derive(Debug)]
pub struct External {
    pub(crate) spec: &'static Spec,
    pub(crate) compute: fn(&Contingency) -> Result<f64, Undefined>,
}

impl Metric for External {
    fn spec(&self) -> &'static Spec {
        self.spec
    }

    fn needs(&self) -> Needs {
        Needs { labels_true: true, ..Needs::default() }
    }

    fn direction(&self) -> Direction {
        Direction::Higher
    }

    fn score(&self, input: &MetricInput<'_>) -> Score {
        let Some(labels_true) = input.labels_true else { return Undefined::NoTruth.into() };
        if !labels_true.is_empty() && labels_true.iter().all(Option::is_none) {
            return Undefined::NoTruth.into();
        }
        (self.compute)(&Contingency::new(labels_true, input.labels_pred)).into()
    }
}

/// Refuses a table without samples.
pub(crate) fn not_empty(table: &Contingency) -> Result<(), Undefined> {
    if table.n() == 0 { Err(Undefined::Empty) } else { Ok(()) }
}

/// Refuses a table without pairs of samples.
pub(crate) fn has_pairs(table: &Contingency) -> Result<(), Undefined> {
    not_empty(table)?;
    if table.n() < 2 { Err(Undefined::BelowMinPoints) } else { Ok(()) }
}
