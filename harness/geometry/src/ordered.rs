//! Work in pieces on several threads, whose results are taken in order.

use std::sync::mpsc::{Receiver, sync_channel};

/// Makes every piece on some thread, each thread with a state of its own, and takes the results on this one, ascending.
/// Two finished pieces a thread wait for their turn at most.
pub(crate) fn ordered<S, R: Send>(
    pieces: usize,
    threads: usize,
    state: impl Fn() -> S + Sync,
    make: impl Fn(&mut S, usize) -> R + Sync,
    mut take: impl FnMut(usize, R),
) {
    let threads = threads.clamp(1, pieces.max(1));
    if threads == 1 {
        let mut state = state();
        (0..pieces).for_each(|piece| take(piece, make(&mut state, piece)));
        return;
    }
    std::thread::scope(|scope| {
        // In turn, each through a channel of its own that holds one result: nobody runs far ahead of the others.
        let work = |thread: usize| {
            let (sender, receiver) = sync_channel(1);
            let (state, make) = (&state, &make);
            scope.spawn(move || {
                let mut state = state();
                for piece in (thread..pieces).step_by(threads) {
                    if sender.send(make(&mut state, piece)).is_err() {
                        return;
                    }
                }
            });
            receiver
        };
        let receivers: Vec<Receiver<R>> = (0..threads).map(work).collect();
        for piece in 0..pieces {
            match receivers[piece % threads].recv() {
                Ok(result) => take(piece, result),
                Err(_) => return, // the thread panicked, which the scope passes on
            }
        }
    });
}

/// The results of all pieces, in order.
pub(crate) fn in_parallel<R: Send>(pieces: usize, threads: usize, make: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let mut all = Vec::with_capacity(pieces);
    ordered(pieces, threads, || (), |(), piece| make(piece), |_, result| all.push(result));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_in_order_on_any_number_of_threads() {
        for threads in [0, 1, 2, 7, 300] {
            for pieces in [0, 1, 5, 200] {
                let expected: Vec<usize> = (0..pieces).map(|piece| piece * piece).collect();
                assert_eq!(in_parallel(pieces, threads, |piece| piece * piece), expected, "{threads} threads");
            }
        }
    }
}
