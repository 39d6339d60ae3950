//! Runs a plan: order, threads, resume, timing, failure as a record. It names no algorithm (the catalogue brings
//! them) and never draws (reports read what it leaves).
//!
//! The unit of work is the group (dataset, fold, repeat, encoder with its post steps): its vectors are made once and
//! serve every clusterer and every n_clusters. Cells are records of a group, published as soon as they are ready, so
//! that a kill loses little. A group runs on one thread; groups run side by side. Nothing that a group computes
//! depends on another group, on the number of threads, or on what was there before.

mod auto;
mod clock;
mod embed;
mod group;
mod job;
mod prepare;
mod score;
mod shield;

#[cfg(test)]
mod tests;

pub use job::{Event, Fault, Job, Limits, LoadedDataset, Observer, RunError, Summary};
pub use prepare::{Prepared, prepare};

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use trailmark_core::Key;
use trailmark_store::artifact::Artifact;
use trailmark_store::{Attempt, CellRecord, ObjectStore, Outcome, RunDir};

/// Runs what is missing or failed in the run folder, and returns how it stands.
///
/// # Errors
/// [`RunError`] when the folder cannot be read or written. Failed cells are records, not errors.
pub fn run(prepared: &Prepared<'_>, run_dir: &RunDir, observer: &dyn Observer) -> Result<Summary, RunError> {
    let (known, damaged) = prepared.usable(run_dir.records()?)?;
    let tasks = prepared.tasks(&known);
    let n_pending: usize = tasks.iter().map(group::Task::n_pending).sum();
    observer.event(Event::Planned { cells: prepared.n_cells(), cached: prepared.n_cells() - n_pending });

    let attempt = run_dir.attempt()?;
    let sink = Sink {
        attempt: &attempt,
        observer,
        done: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
        total: n_pending,
        error: Mutex::new(None),
    };
    sink.tell_damaged(damaged);
    let frozen = embed::Frozen::encode(prepared, &tasks, &sink)?;

    let timer = clock::Timer::start();
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..prepared.job.limits.threads.clamp(1, tasks.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(task) = tasks.get(at) else { break };
                    if prepared.job.limits.budget_s.is_some_and(|budget| timer.seconds() >= budget) || sink.broken() {
                        stopped.store(true, Ordering::Relaxed);
                        break;
                    }
                    group::run(prepared, task, &frozen, &sink);
                }
            });
        }
    });
    if let Some(error) = sink.error.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    Ok(Summary {
        cells: prepared.n_cells(),
        computed: sink.done.into_inner(),
        failed: sink.failed.into_inner(),
        stopped_early: stopped.into_inner(),
    })
}

/// Where finished cells go: the record file first, then whoever watches.
struct Sink<'a> {
    attempt: &'a Attempt,
    observer: &'a dyn Observer,
    done: AtomicUsize,
    failed: AtomicUsize,
    total: usize,
    error: Mutex<Option<RunError>>,
}

impl Sink<'_> {
    fn cell(&self, record: &CellRecord) {
        match self.attempt.record(record) {
            Ok(()) => {
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                self.failed.fetch_add(usize::from(matches!(record.outcome, Outcome::Failed(_))), Ordering::Relaxed);
                self.observer.event(Event::Cell { record, done, total: self.total });
            }
            Err(error) => self.fail(error.into()),
        }
    }

    /// Publishes an artifact; what was damaged in its place is told, what cannot be written stops the run.
    fn save<A: Artifact>(&self, store: &ObjectStore, key: &Key, artifact: &A) {
        let mut damaged = Vec::new();
        if let Err(error) = store.save(key, artifact, &mut damaged) {
            self.fail(error.into());
        }
        self.tell_damaged(damaged);
    }

    /// Publishes an artifact under its own bytes and returns the key.
    fn save_by_content<A: Artifact>(&self, store: &ObjectStore, artifact: &A) -> Key {
        let mut damaged = Vec::new();
        let key = store.save_by_content(artifact, &mut damaged).unwrap_or_else(|error| {
            self.fail(error.into());
            Key::of_bytes(b"")
        });
        self.tell_damaged(damaged);
        key
    }

    fn tell_damaged(&self, damaged: Vec<PathBuf>) {
        for path in damaged {
            self.observer.event(Event::Damaged { path });
        }
    }

    fn timing(&self, timing: trailmark_store::Timing) {
        if let Err(error) = self.attempt.timing(&timing) {
            self.fail(error.into());
        }
    }

    /// Keeps the first error; the other groups stop at their next step, for their work could not be kept either.
    fn fail(&self, error: RunError) {
        let mut slot = self.error.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        slot.get_or_insert(error);
    }

    fn broken(&self) -> bool {
        self.error.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some()
    }
}
