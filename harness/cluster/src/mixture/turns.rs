//! Shares independent pieces of work out to threads. Which thread takes a piece changes nothing: each writes to its
//! own place.

use std::sync::{Mutex, PoisonError};

/// Does every piece of work, the next one by whichever thread is free. Each thread has one `scratch`.
pub(crate) fn in_turn<T: Send, S>(
    threads: usize,
    pieces: impl ExactSizeIterator<Item = T> + Send,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, T) + Sync,
) {
    let threads = threads.min(pieces.len());
    let queue = Mutex::new(pieces);
    let turn = || {
        let mut scratch = scratch();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(piece) = next else { break };
            work(&mut scratch, piece);
        }
    };
    if threads <= 1 {
        return turn();
    }
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(turn);
        }
        turn();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once_by_any_number_of_threads() {
        for threads in [0, 1, 2, 7] {
            let mut done = vec![0; 100];
            in_turn(threads, done.iter_mut().enumerate(), || 1, |one, (at, done)| *done += at * *one + 1);
            assert_eq!(done, (1..=100).collect::<Vec<_>>(), "{threads} threads");
        }
    }
}
