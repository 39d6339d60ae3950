//! What encoding allocates, counted, against the memory that the context declares.
//!
//! Other tests allocate at the same time, so each test here runs once more in a process of its own, where the counts
//! are made.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use trailmark_core::contract::Context;
use trailmark_core::{Failure, FailureClass, ParamValue, SequenceView};

use super::{CTX, build, params, sequences, tiny};

/// The system's allocator with a count of the bytes that are in use, and of the most that were.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

const MIB: usize = 1 << 20;
const CHILD: &str = "TRAILMARK_TEST_COUNTS_MEMORY";

/// Runs `test`, the body of the test of that name, alone in a process.
fn alone(name: &str, test: impl Fn()) {
    if std::env::var_os(CHILD).is_some() {
        return test();
    }
    let program = std::env::current_exe().expect("a test knows its program");
    let out = std::process::Command::new(program)
        .args(["--exact", &format!("memory::{name}"), "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("the program starts once more");
    let text = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && text.contains("1 passed"), "{text}");
    eprint!("{text}");
}

/// Encodes, and answers the largest number of bytes that were in use beyond those in use before.
fn counted(texts: &[String], batch_tokens: i64, ctx: &Context) -> (Result<usize, Failure>, usize) {
    let encoder = build(&params(&tiny()).with("batch_tokens", ParamValue::Integer(batch_tokens)));
    let sequences = sequences(texts);
    let rows: Vec<usize> = (0..texts.len()).collect();
    let fitted = encoder.fit(SequenceView::new(&sequences, &[]), ctx).expect("fitted");
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let x = fitted.transform(SequenceView::new(&sequences, &rows), ctx);
    (x.map(|x| x.n_samples()), PEAK.load(Ordering::Relaxed) - before)
}

fn short_texts(n: usize) -> Vec<String> {
    let words = ["view", "shoes", "buy", "red", "dress", "cart", "search", "low", "bag"];
    (0..n).map(|at| format!("{} {} {} {at}", words[at % 9], words[at / 9 % 9], words[at / 81 % 9])).collect()
}

#[test]
fn a_hundred_thousand_texts_are_encoded_within_the_declared_memory() {
    alone("a_hundred_thousand_texts_are_encoded_within_the_declared_memory", || {
        let texts = short_texts(100_000);
        let budget = 22 * MIB;
        let ctx = Context { threads: 2, memory_bytes: budget as u64, ..CTX };
        let (samples, peak) = counted(&texts, 512, &ctx);
        eprintln!("{:.1} MiB in use at the most, {} MiB allowed", peak as f64 / MIB as f64, budget / MIB);
        assert_eq!(samples.expect("it fits"), 100_000);
        assert!(peak <= budget, "{peak} bytes were in use, {budget} are declared");
        // The vectors alone take 12.2 MiB: a bound far above the use would refuse what fits.
        assert!(2 * peak >= budget, "the bound is loose: {peak} of {budget} bytes");

        // All ids at once would be 2 MiB more than all that is allowed beside the vectors here.
        let ctx = Context { memory_bytes: 16 * MIB as u64, ..ctx };
        let (refused, peak) = counted(&texts, 512, &ctx);
        let failure = refused.expect_err("it does not fit");
        assert_eq!(failure.class, FailureClass::Oom);
        assert_eq!(
            failure.message,
            "encoding 100000 texts needs about 22 MiB, and 16 MiB are allowed; a smaller batch_tokens or fewer \
             threads need less"
        );
        assert!(peak < 2 * MIB, "it is refused before the work begins, after {peak} bytes");
    });
}

#[test]
fn long_texts_and_wide_blocks_stay_within_what_the_refusal_says() {
    alone("long_texts_and_wide_blocks_stay_within_what_the_refusal_says", || {
        let words = ".,".repeat(60_000); // every byte is a word
        let long: Vec<String> = (0..3).map(|at| format!("{words} {at}")).collect();
        for (texts, batch_tokens, threads) in
            [(long, 512, 2), (short_texts(5_000), 16_384, 1), (short_texts(5_000), 64, 4), (short_texts(1), 512, 1)]
        {
            let refused = counted(&texts, batch_tokens, &Context { threads, memory_bytes: 0, ..CTX }).0;
            let message = refused.expect_err("nothing fits into nothing").message;
            let (_, need) = message.split_once("needs about ").expect("the message says the need");
            let need: usize = need.split(' ').next().and_then(|need| need.parse().ok()).expect("a number");
            let ctx = Context { threads, memory_bytes: (need * MIB) as u64, ..CTX };
            let (samples, peak) = counted(&texts, batch_tokens, &ctx);
            eprintln!("{} texts, blocks of {batch_tokens}: {peak} bytes in use, {need} MiB allowed", texts.len());
            assert_eq!(samples.expect("it fits"), texts.len());
            assert!(peak <= need * MIB, "{} texts: {peak} bytes were in use, {need} MiB were said", texts.len());
        }
    });
}
