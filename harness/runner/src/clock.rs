//! The only clock. Timings are kept apart from scores and decide nothing but the declared budget.

use std::time::Instant;

use trailmark_store::Timing;

/// Measures from its start, on the thread that started it.
pub(crate) struct Timer {
    wall: Instant,
    cpu_s: Option<f64>,
}

impl Timer {
    #[expect(clippy::disallowed_methods, reason = "this is the runner's timer")]
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu_s: thread_cpu_s() }
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }

    /// What the stage took. Processor time is this thread's alone: of a stage that starts threads it is left out.
    pub(crate) fn timing(&self, what: &str, stage: &str, own_thread: bool) -> Timing {
        let cpu_s = self.cpu_s.zip(thread_cpu_s()).map(|(before, now)| now - before).filter(|_| own_thread);
        Timing {
            what: what.to_owned(),
            stage: stage.to_owned(),
            wall_s: self.seconds(),
            cpu_s,
            peak_rss_bytes: peak_rss_bytes(),
        }
    }
}

/// Nanoseconds on a processor are the first number of Linux's `schedstat`.
fn thread_cpu_s() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds * 1e-9)
}

fn peak_rss_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}
