//! Several workers on one copy of the vectors without locks (Recht et al. 2011, NeurIPS): not reproducible.
//!
//! Rows that two processors write in turn travel between them, and with a small vocabulary nearly all do; every step on
//! the shared table would cost more than it learns. A worker therefore copies the rows it meets, and adds what it
//! moved them to the shared table after a few hundred steps. Two that add to a row at the same moment may lose one of the sums.
//! With 1,700 tokens two workers were still slower than one (0.61 times its words per second in the median of three runs
//! of `scripts/peers/word2vec.py` on a loaded machine of two cores). Larger vocabularies were not measured.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::lanes::{Scratch, Step, learn};
use crate::negative_sampling::{Common, Own, Table, Tables, Update, Worker};

/// Tokens that a worker reads before another one takes its turn on the same thread.
const TURN: usize = 16_384;

/// Steps after which a worker gives back the rows it holds: a quarter of the vocabulary, within these bounds. More would
/// move the few rows of a small vocabulary too far, as the moves of all workers add up.
const HELD_STEPS: (usize, usize) = (64, 512);

/// No place.
const ABSENT: u32 = u32::MAX;

/// All workers on one copy, without locks.
pub(crate) fn train(workers: &mut [Worker<'_>], start: &Own, threads: usize) -> Table {
    let (input, output) = (SharedTable::new(&start.input), SharedTable::new(&start.output));
    // With fewer threads than workers they take turns, so that all of them see falling learning rates together.
    let per_thread = workers.len().div_ceil(threads);
    let most_steps = (start.rows() / 4).clamp(HELD_STEPS.0, HELD_STEPS.1);
    std::thread::scope(|scope| {
        for workers in workers.chunks_mut(per_thread) {
            let mut tables = Shared { input: Held::new(&input), output: Held::new(&output), steps: 0, most_steps };
            scope.spawn(
                move || {
                    while workers.iter_mut().fold(false, |left, worker| worker.go_on(&mut tables, TURN) | left) {}
                },
            );
        }
    });
    input.into_table()
}

/// Two numbers, read and written whole.
struct Pair(AtomicU64);

impl Pair {
    fn new(first: f32, second: f32) -> Self {
        Self(AtomicU64::new(Self::bits(first, second)))
    }

    fn bits(first: f32, second: f32) -> u64 {
        u64::from(first.to_bits()) | u64::from(second.to_bits()) << 32
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves of 64 bits")]
    fn get(&self) -> [f32; 2] {
        let bits = self.0.load(Ordering::Relaxed);
        [f32::from_bits(bits as u32), f32::from_bits((bits >> 32) as u32)]
    }

    fn set(&self, [first, second]: [f32; 2]) {
        self.0.store(Self::bits(first, second), Ordering::Relaxed);
    }
}

/// A table of all workers.
struct SharedTable {
    stride: usize,
    values: Vec<Pair>,
}

impl SharedTable {
    fn new(table: &Table) -> Self {
        let pairs = table.values().as_chunks::<2>().0.iter();
        Self { stride: table.stride(), values: pairs.map(|pair| Pair::new(pair[0], pair[1])).collect() }
    }

    fn row(&self, token: u32) -> &[Pair] {
        &self.values[token as usize * self.stride / 2..][..self.stride / 2]
    }

    fn read(&self, token: u32, to: &mut [f32]) {
        for (to, from) in to.as_chunks_mut::<2>().0.iter_mut().zip(self.row(token)) {
            *to = from.get();
        }
    }

    fn write(&self, token: u32, from: &[f32]) {
        for (to, from) in self.row(token).iter().zip(from.as_chunks::<2>().0) {
            to.set(*from);
        }
    }

    fn into_table(self) -> Table {
        Table::of(self.stride, self.values.iter().flat_map(Pair::get).collect())
    }
}

/// The rows of a shared table that a worker holds.
struct Held<'a> {
    shared: &'a SharedTable,
    /// (n_tokens,) where a token's row is among those held, or [`ABSENT`].
    places: Vec<u32>,
    tokens: Vec<u32>,
    /// (tokens, stride) as they were read, and as they are.
    before: Vec<f32>,
    now: Vec<f32>,
    /// Places of the tokens of a step.
    asked: Vec<u32>,
    row: Vec<f32>,
}

impl<'a> Held<'a> {
    fn new(shared: &'a SharedTable) -> Self {
        let n = 2 * shared.values.len() / shared.stride;
        let row = vec![0.0; shared.stride];
        Self { shared, places: vec![ABSENT; n], tokens: vec![], before: vec![], now: vec![], asked: vec![], row }
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most as many rows as the vocabulary has tokens")]
    fn ask(&mut self, tokens: impl Iterator<Item = u32>) {
        self.asked.clear();
        for token in tokens {
            let place = &mut self.places[token as usize];
            if *place == ABSENT {
                *place = self.tokens.len() as u32;
                self.tokens.push(token);
                self.shared.read(token, &mut self.row);
                self.before.extend_from_slice(&self.row);
                self.now.extend_from_slice(&self.row);
            }
            self.asked.push(*place);
        }
    }

    fn give_back(&mut self) {
        let stride = self.shared.stride;
        let moved = self.before.chunks_exact(stride).zip(self.now.chunks_exact(stride));
        for (&token, (before, now)) in self.tokens.iter().zip(moved) {
            self.places[token as usize] = ABSENT;
            self.shared.read(token, &mut self.row);
            for (to, (before, now)) in self.row.iter_mut().zip(before.iter().zip(now)) {
                *to += now - before;
            }
            self.shared.write(token, &self.row);
        }
        self.tokens.clear();
        self.before.clear();
        self.now.clear();
    }
}

/// What one worker holds of the tables of all.
struct Shared<'a> {
    input: Held<'a>,
    output: Held<'a>,
    steps: usize,
    most_steps: usize,
}

impl Tables for Shared<'_> {
    fn learn(&mut self, common: &Common<'_>, update: Update<'_>, scratch: &mut Scratch) {
        let Update { inputs, joined, target, negatives, rate } = update;
        self.input.ask(inputs.iter().copied());
        self.output.ask(std::iter::once(target).chain(negatives.iter().copied()));
        let step = Step {
            input: &mut self.input.now,
            output: &mut self.output.now,
            inputs: &self.input.asked,
            joined,
            target: self.output.asked[0],
            negatives: &self.output.asked[1..],
            rate,
            scratch,
        };
        learn(common.level, step);
        self.steps += 1;
        if self.steps >= self.most_steps {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.steps = 0;
        self.input.give_back();
        self.output.give_back();
    }
}

/// Shared tables with one worker: what the test of a step needs.
#[cfg(test)]
pub(crate) struct SharedCopy(SharedTable, SharedTable);

#[cfg(test)]
impl SharedCopy {
    pub(crate) fn of(own: &Own) -> Self {
        Self(SharedTable::new(&own.input), SharedTable::new(&own.output))
    }

    /// One step, given back at once.
    pub(crate) fn step(&mut self, common: &Common<'_>, update: Update<'_>, scratch: &mut Scratch) {
        let (input, output) = (Held::new(&self.0), Held::new(&self.1));
        Shared { input, output, steps: 0, most_steps: 1 }.learn(common, update, scratch);
    }

    pub(crate) fn into_tables(self) -> (Table, Table) {
        (self.0.into_table(), self.1.into_table())
    }
}
