//! The only clock. Timings are kept apart from scores and decide nothing but the declared budget.

use std::time::Instant;

/// Measures wall time from its start.
pub(crate) struct Timer(Instant);

impl Timer {
    #[expect(clippy::disallowed_methods, reason = "this is the runner's timer")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
