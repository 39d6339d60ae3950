//! The leak guard: it watches which rows every fitting stage saw, and fails the cell when a held-out user was among
//! them, when a user stands on both sides of the fold, or when a history reaches into its own future.

use std::collections::BTreeSet;

use trailmark_core::{Dataset, Failure, FailureClass, Fold};

/// Watches one fold of one dataset. Rows are indices of samples; what must not leak is the user behind them.
#[derive(Debug)]
pub struct LeakGuard<'a> {
    dataset: &'a Dataset,
    fold: &'a Fold,
    test_users: BTreeSet<u32>,
    leaks: Vec<Leak>,
}

/// A stage that saw held-out users.
#[derive(Debug)]
struct Leak {
    stage: String,
    first_row: usize,
    n_rows: usize,
    cause: Cause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    HeldOut,
    NoSuchRow,
}

impl<'a> LeakGuard<'a> {
    /// Guards one fold.
    pub fn new(dataset: &'a Dataset, fold: &'a Fold) -> Self {
        let test_users = fold.test.iter().filter_map(|&row| dataset.users.get(row).copied()).collect();
        Self { dataset, fold, test_users, leaks: Vec::new() }
    }

    /// Records the rows that a fitting stage saw: `encode`, `post`, `fit`, `recommend`.
    ///
    /// Another session of a held-out user counts like the held-out session itself.
    pub fn saw(&mut self, stage: &str, rows: &[usize]) {
        for (cause, matches) in [
            (Cause::NoSuchRow, &(|row: usize| row >= self.dataset.users.len()) as &dyn Fn(usize) -> bool),
            (Cause::HeldOut, &|row| self.dataset.users.get(row).is_some_and(|user| self.test_users.contains(user))),
        ] {
            let mut found = rows.iter().copied().filter(|&row| matches(row));
            if let Some(first_row) = found.next() {
                let n_rows = 1 + found.count();
                self.leaks.push(Leak { stage: stage.to_owned(), first_row, n_rows, cause });
            }
        }
    }

    /// The verdict on everything seen so far.
    ///
    /// # Errors
    /// A [`Failure`] of class `leak` that names stage, sample and fold; all leaks are listed, the first in the
    /// message and the others in the chain.
    pub fn check(&self) -> Result<(), Failure> {
        let mut messages: Vec<String> = self.both_sides().into_iter().chain(self.reaches_future()).collect();
        messages.extend(self.leaks.iter().map(|leak| self.describe(leak)));
        if messages.is_empty() {
            return Ok(());
        }
        let first = messages.remove(0);
        Err(Failure { chain: messages, ..Failure::new(FailureClass::Leak, first) })
    }

    /// `fold 2, repeat 0 of shop`
    fn place(&self) -> String {
        format!("fold {}, repeat {} of {}", self.fold.fold, self.fold.repeat, self.dataset.id)
    }

    fn name(&self, row: usize) -> &str {
        self.dataset.sequences.ids.get(row).map_or("?", String::as_str)
    }

    fn describe(&self, leak: &Leak) -> String {
        let Leak { stage, first_row, n_rows, cause } = leak;
        let place = self.place();
        match cause {
            Cause::NoSuchRow => format!(
                "stage {stage} reports row {first_row} in {place}, which has {} samples",
                self.dataset.users.len()
            ),
            Cause::HeldOut => format!(
                "stage {stage} was fitted on sample {:?} of a held-out user in {place} ({n_rows} such {}): fit on training users only",
                self.name(*first_row),
                if *n_rows == 1 { "row" } else { "rows" }
            ),
        }
    }

    /// A user with samples in training and in test.
    fn both_sides(&self) -> Option<String> {
        let users = &self.dataset.users;
        let row = *self.fold.train.iter().find(|&&row| users.get(row).is_some_and(|u| self.test_users.contains(u)))?;
        let other = self.fold.test.iter().find(|&&other| users.get(other) == users.get(row))?;
        Some(format!(
            "a user is on both sides of {}: sample {:?} in training, {:?} held out",
            self.place(),
            self.name(row),
            self.name(*other)
        ))
    }

    /// A sample of this fold whose history does not end before its future starts.
    fn reaches_future(&self) -> Option<String> {
        let rows = self.fold.train.iter().chain(&self.fold.test);
        let (row, last, first) = rows
            .filter_map(|&row| match self.dataset.cut.get(row) {
                Some(&(last, Some(first))) if last >= first => Some((row, last, first)),
                _ => None,
            })
            .next()?;
        Some(format!(
            "the history of sample {:?} reaches its future in {}: its last event is number {last} of the user's log, its future starts at {first}",
            self.name(row),
            self.place()
        ))
    }
}

#[cfg(test)]
mod tests {
    use trailmark_core::dataset::Accounting;
    use trailmark_core::{Key, Sequences};

    use super::*;

    /// Six samples of four users; users 1 and 2 have two sessions each.
    fn dataset() -> Dataset {
        let ids = ["0/0", "1/0", "1/1", "2/0", "2/1", "3/0"].map(str::to_owned).to_vec();
        let n = ids.len();
        Dataset {
            id: "shop".to_owned(),
            key: Key::of_bytes(b"shop"),
            sequences: Sequences {
                ids,
                texts: vec![String::new(); n],
                tokens: vec![Vec::new(); n],
                ..Sequences::default()
            },
            users: vec![0, 1, 1, 2, 2, 3],
            history_items: vec![Vec::new(); n],
            future_items: vec![Vec::new(); n],
            cut: vec![(4, Some(5)), (2, Some(3)), (9, Some(10)), (0, None), (3, Some(7)), (1, Some(2))],
            item_names: Vec::new(),
            labels: Vec::new(),
            accounting: Accounting::default(),
        }
    }

    fn fold(train: &[usize], test: &[usize]) -> Fold {
        Fold { repeat: 0, fold: 2, train: train.to_vec(), test: test.to_vec() }
    }

    #[test]
    fn stages_that_see_training_users_only_pass() {
        let (dataset, fold) = (dataset(), fold(&[0, 1, 2], &[3, 4, 5]));
        let mut guard = LeakGuard::new(&dataset, &fold);
        guard.saw("encode", &[0, 1, 2]);
        guard.saw("fit", &[2, 0]);
        guard.saw("post", &[]);
        assert_eq!(guard.check(), Ok(()));
    }

    #[test]
    fn a_held_out_user_in_a_fitting_stage_is_named_with_stage_and_fold() {
        let (dataset, fold) = (dataset(), fold(&[0, 1, 2], &[3, 4, 5]));
        let mut guard = LeakGuard::new(&dataset, &fold);
        guard.saw("encode", &[0, 1, 2]);
        guard.saw("post", &[0, 4, 5]);
        let failure = guard.check().unwrap_err();
        assert_eq!(failure.class, FailureClass::Leak);
        assert_eq!(
            failure.message,
            "stage post was fitted on sample \"2/1\" of a held-out user in fold 2, repeat 0 of shop (2 such rows): \
             fit on training users only"
        );
    }

    #[test]
    fn another_session_of_a_held_out_user_leaks_too() {
        // Row 2 is on no side of this fold, yet its user is held out.
        let (dataset, fold) = (dataset(), fold(&[0, 3, 4, 5], &[1]));
        let mut guard = LeakGuard::new(&dataset, &fold);
        guard.saw("fit", &[0, 2]);
        let failure = guard.check().unwrap_err();
        assert!(failure.message.contains("stage fit was fitted on sample \"1/1\" of a held-out user"), "{failure}");
    }

    #[test]
    fn a_user_on_both_sides_of_the_fold_fails_before_anything_is_fitted() {
        let (dataset, fold) = (dataset(), fold(&[0, 1], &[2, 3, 4]));
        let failure = LeakGuard::new(&dataset, &fold).check().unwrap_err();
        assert_eq!(
            failure.to_string(),
            "leak: a user is on both sides of fold 2, repeat 0 of shop: sample \"1/0\" in training, \"1/1\" held out"
        );
    }

    #[test]
    fn a_history_that_reaches_its_future_fails() {
        let mut dataset = dataset();
        dataset.cut[5] = (2, Some(2));
        let fold = fold(&[0, 1, 2], &[3, 4, 5]);
        let failure = LeakGuard::new(&dataset, &fold).check().unwrap_err();
        assert_eq!(
            failure.message,
            "the history of sample \"3/0\" reaches its future in fold 2, repeat 0 of shop: its last event is number 2 \
             of the user's log, its future starts at 2"
        );
    }

    #[test]
    fn several_leaks_are_all_told() {
        let (dataset, fold) = (dataset(), fold(&[0, 1, 2], &[3, 4, 5]));
        let mut guard = LeakGuard::new(&dataset, &fold);
        guard.saw("encode", &[3]);
        guard.saw("fit", &[5, 77]);
        let failure = guard.check().unwrap_err();
        assert!(failure.message.starts_with("stage encode was fitted on sample \"2/0\""), "{failure}");
        assert_eq!(failure.chain.len(), 2, "{failure:?}");
        assert_eq!(failure.chain[0], "stage fit reports row 77 in fold 2, repeat 0 of shop, which has 6 samples");
    }
}
