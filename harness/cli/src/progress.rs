//! Progress on stderr: a bar on a terminal, a line per cell elsewhere.

use crate::output::note;
use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};
use trailmark_runner::{Event, Observer};
use trailmark_store::Outcome;

/// Tells the user what happens.
pub(crate) struct Progress {
    bar: Option<Mutex<ProgressBar>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:32} {pos}/{len} cells  {elapsed} (about {eta} left)  {msg}");
            Mutex::new(ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
        });
        Self { bar }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            lock(bar).finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => lock(bar).println(line),
            None => note(line),
        }
    }
}

fn lock(bar: &Mutex<ProgressBar>) -> std::sync::MutexGuard<'_, ProgressBar> {
    bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Observer for Progress {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Planned { cells, cached } => {
                self.say(&format!("{cells} cells, {cached} of them there already"));
                if let Some(bar) = &self.bar {
                    lock(bar).set_length((cells - cached) as u64);
                }
            }
            Event::Encoding { what, n_samples } => {
                self.say(&format!("encoding {what}: {n_samples} samples, once for all folds"));
            }
            Event::Cell { record, done, total } => {
                let failed = match &record.outcome {
                    Outcome::Ok(_) => None,
                    Outcome::Failed(failure) => Some(failure),
                };
                if let Some(failure) = failed {
                    self.say(&format!("[{done}/{total}] {}  failed: {failure}", record.cell));
                } else if self.bar.is_none() {
                    self.say(&format!("[{done}/{total}] {}  ok", record.cell));
                }
                if let Some(bar) = &self.bar {
                    let bar = lock(bar);
                    bar.set_position(done as u64);
                    bar.set_message(record.cell.to_string());
                }
            }
            Event::Damaged { path } => {
                self.say(&format!("warning: a damaged object was set aside as {} and is made again", path.display()));
            }
        }
    }
}
