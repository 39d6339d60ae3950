//! Work shared out over threads. Every item writes its own results, so nothing depends on the number of threads.

/// Runs `work` on every item, on up to `threads` threads; each takes a run of neighbouring items.
pub(crate) fn share_out<I: Send>(threads: usize, mut items: Vec<I>, work: impl Fn(I) + Sync) {
    let threads = threads.min(items.len());
    if threads <= 1 {
        items.into_iter().for_each(work);
        return;
    }
    let work = &work;
    std::thread::scope(|scope| {
        for left in (1..threads).rev() {
            let mine = items.split_off(items.len() * left / (left + 1));
            scope.spawn(move || mine.into_iter().for_each(work));
        }
        items.into_iter().for_each(work);
    });
}

/// Threads that are worth starting for this many multiplications: starting one costs as much as a million of them.
pub(crate) fn worthwhile(threads: usize, multiplications: usize) -> usize {
    threads.min(1 + multiplications / 4_000_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once_by_any_number_of_threads() {
        for threads in 0..6 {
            for n in 0..9 {
                let mut done = vec![0_u32; n];
                share_out(threads, done.iter_mut().collect(), |item| *item += 1);
                assert_eq!(done, vec![1; n], "{threads} threads, {n} items");
            }
        }
    }
}
