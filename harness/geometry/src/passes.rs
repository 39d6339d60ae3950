//! How often all pairs were gone over: what tests of sharing read.

use std::cell::Cell;

thread_local! {
    static PASSES: Cell<u64> = const { Cell::new(0) };
}

/// Passes over all pairs of rows that this thread has asked for so far (the worker threads of a pass count nothing).
/// Tests take the difference of two readings; it says nothing about other threads.
pub fn passes() -> u64 {
    PASSES.get()
}

/// Counts a pass.
pub(crate) fn count() {
    PASSES.set(PASSES.get() + 1);
}
