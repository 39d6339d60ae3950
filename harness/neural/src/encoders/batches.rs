//! How texts become batches, and how batches become work for threads: both decided by the texts alone.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cuts ascending lengths into runs whose padded size, rows times the longest, stays within `batch_tokens`. A text
/// that is longer by itself gets a batch of its own.
pub(crate) fn cut(lengths: &[usize], batch_tokens: usize) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let mut from = 0;
    for at in 1..=lengths.len() {
        let full = lengths.get(at).is_none_or(|longest| (at + 1 - from) * longest > batch_tokens);
        if full {
            batches.push(from..at);
            from = at;
        }
    }
    batches
}

/// Runs `work` on `0..n` with that many threads, the last index first, and gives the results in order. A panic in
/// `work` goes on in the caller.
pub(crate) fn in_parallel<T: Send + Sync>(n: usize, threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let results: Vec<OnceLock<T>> = (0..n).map(|_| OnceLock::new()).collect();
    let taken = AtomicUsize::new(0);
    let take = || {
        loop {
            let turn = taken.fetch_add(1, Ordering::Relaxed);
            let Some(at) = (n - 1).checked_sub(turn) else { break };
            // Each index is taken once, so the cell is empty.
            let _ = results[at].set(work(at));
        }
    };
    match threads.min(n) {
        0 => {}
        1 => take(),
        workers => {
            std::thread::scope(|scope| {
                (1..workers).for_each(|_| {
                    scope.spawn(take);
                });
                take();
            });
        }
    }
    results.into_iter().filter_map(OnceLock::into_inner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_stay_within_their_padded_size_and_lose_no_text() {
        assert_eq!(cut(&[2, 2, 3, 5, 5, 9, 40], 10), [0..3, 3..5, 5..6, 6..7]);
        assert_eq!(cut(&[7], 1), vec![0..1]);
        assert!(cut(&[], 8).is_empty());
    }

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for threads in [1, 2, 5, 64] {
            assert_eq!(in_parallel(9, threads, |i| i * i), [0, 1, 4, 9, 16, 25, 36, 49, 64]);
        }
        assert!(in_parallel(0, 4, |i| i).is_empty());
    }
}
