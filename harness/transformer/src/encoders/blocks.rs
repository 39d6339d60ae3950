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

/// Runs `work` on `0..n`, one thread for each of `states`, the last index first, and gives the results in order. A state
/// is memory that `work` uses again. A panic in `work` goes on in the caller.
pub(crate) fn in_parallel<S: Send, T: Send + Sync>(
    n: usize,
    states: &mut [S],
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let results: Vec<OnceLock<T>> = (0..n).map(|_| OnceLock::new()).collect();
    let taken = AtomicUsize::new(0);
    let take = |state: &mut S| {
        loop {
            let turn = taken.fetch_add(1, Ordering::Relaxed);
            let Some(at) = n.checked_sub(turn + 1) else { break };
            // Each index is taken once, so the cell is empty.
            let _ = results[at].set(work(state, at));
        }
    };
    let workers = states.len().min(n);
    if let Some((own, others)) = states[..workers].split_first_mut() {
        std::thread::scope(|scope| {
            for state in others {
                scope.spawn(|| take(state));
            }
            take(own);
        });
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
            let squares = in_parallel(9, &mut vec![(); threads], |(), i| i * i);
            assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64]);
        }
        assert!(in_parallel(0, &mut [(); 4], |(), i| i).is_empty());
    }
}
