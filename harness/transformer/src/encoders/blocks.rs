//! How texts become blocks, and how blocks become work for threads: both decided by the texts alone.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Cuts lengths into runs of at most `batch_tokens` together. A text that is longer by itself gets a block of its own.
pub(crate) fn cut(lengths: &[usize], batch_tokens: usize) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let (mut from, mut tokens) = (0, 0);
    for (at, length) in lengths.iter().enumerate() {
        if at > from && tokens + length > batch_tokens {
            blocks.push(from..at);
            (from, tokens) = (at, 0);
        }
        tokens += length;
    }
    if from < lengths.len() {
        blocks.push(from..lengths.len());
    }
    blocks
}

/// Runs `work` on `0..n` with that many threads, the last index first, and gives the results in order. Each thread
/// has a state of its own, for memory that `work` uses again. A panic in `work` goes on in the caller.
pub(crate) fn in_parallel<S: Default, T: Send + Sync>(
    n: usize,
    threads: usize,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let results: Vec<OnceLock<T>> = (0..n).map(|_| OnceLock::new()).collect();
    let taken = AtomicUsize::new(0);
    let take = || {
        let mut state = S::default();
        loop {
            let turn = taken.fetch_add(1, Ordering::Relaxed);
            let Some(at) = (n - 1).checked_sub(turn) else { break };
            // Each index is taken once, so the cell is empty.
            let _ = results[at].set(work(&mut state, at));
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
    fn blocks_stay_within_their_size_and_lose_no_text() {
        assert_eq!(cut(&[2, 2, 3, 5, 5, 9, 40], 10), [0..3, 3..5, 5..6, 6..7]);
        assert_eq!(cut(&[7], 1), vec![0..1]);
        assert!(cut(&[], 8).is_empty());
    }

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for threads in [1, 2, 5, 64] {
            assert_eq!(in_parallel(9, threads, |(): &mut (), i| i * i), [0, 1, 4, 9, 16, 25, 36, 49, 64]);
        }
        assert!(in_parallel(0, 4, |(): &mut (), i| i).is_empty());
    }
}
