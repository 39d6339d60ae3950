//! What encoding takes beside the weights, known from the lengths of the texts before the first one is tokenised.
//!
//! Ids, the tokenizer's own work and the workspaces are bounded by a slice of the texts and not by all of them; only the
//! vectors and an index or two per row grow with the data. The test that encodes 100,000 texts under a counting
//! allocator holds these bounds against what is allocated.

/// Bytes of text, with [`TEXT_BYTES`] for each, that are tokenised before the first of them is encoded.
const SLICE_BYTES: usize = 1 << 19;

/// Texts of a slice count as that much longer than they are, for what is kept per text.
const TEXT_BYTES: usize = 16;

/// Bytes kept per byte of a slice: ids, lengths, and the words that some tokenizers remember.
const KEPT: u64 = 12;

/// Bytes that the tokenizer works with per byte of a text, where every byte is a word.
const TOKENIZING: u64 = 400;

/// Tokens that a tokenizer may put around a text.
const SPECIAL: usize = 3;

/// The size of a collection of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) n_rows: usize,
    pub(crate) n_distinct: usize,
    /// Bytes of all distinct texts.
    bytes: usize,
    /// Bytes of the longest.
    longest: usize,
}

impl Extent {
    /// From the lengths in bytes of the distinct texts of `n_rows` rows.
    pub(crate) fn of(n_rows: usize, lengths: impl Iterator<Item = usize>) -> Self {
        let empty = Self { n_rows, n_distinct: 0, bytes: 0, longest: 0 };
        lengths.fold(empty, |all, length| Self {
            n_distinct: all.n_distinct + 1,
            bytes: all.bytes + length,
            longest: all.longest.max(length),
            ..all
        })
    }

    /// A bound on the tokens of the longest text: no token is less than a byte.
    pub(crate) fn longest_tokens(&self, prefix: usize, max_tokens: usize) -> usize {
        (self.longest + prefix + SPECIAL).min(max_tokens)
    }

    /// A bound on the tokens of all texts.
    pub(crate) fn most_tokens(&self, prefix: usize) -> usize {
        self.bytes + self.n_distinct * (prefix + SPECIAL)
    }
}

/// Decides where a slice ends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room {
    taken: usize,
}

impl Room {
    /// Takes a text of that many bytes if it still fits; the first always does.
    pub(crate) fn takes(&mut self, bytes: usize) -> bool {
        let after = self.taken + bytes + TEXT_BYTES;
        let fits = self.taken == 0 || after <= SLICE_BYTES;
        if fits {
            self.taken = after;
        }
        fits
    }
}

/// The matrix of vectors and the order of the rows.
pub(crate) fn rows_and_vectors(n_rows: usize, hidden: usize) -> u64 {
    n_rows as u64 * (4 * hidden + 2 * size_of::<usize>()) as u64
}

/// What is kept of a slice while it is encoded.
pub(crate) fn slice(extent: &Extent, prefix: usize) -> u64 {
    let all = extent.bytes + extent.n_distinct * (prefix + TEXT_BYTES);
    KEPT * all.min(SLICE_BYTES.max(extent.longest + prefix + TEXT_BYTES)) as u64
}

/// What one thread needs to tokenise the longest text.
pub(crate) fn tokenizing(extent: &Extent, prefix: usize) -> u64 {
    TOKENIZING * (extent.longest + prefix + TEXT_BYTES) as u64
}

/// The vectors of a block of `tokens` tokens, before they are in the matrix; a text has at least one token.
pub(crate) fn pooled(tokens: usize, hidden: usize) -> u64 {
    // 64 for lists per text; pooling adds in double precision, one text at a time.
    (tokens * (4 * hidden + 64) + 16 * hidden) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_ends_where_the_next_text_would_not_fit_and_a_longer_one_is_alone() {
        let mut room = Room::default();
        assert!(room.takes(10 * SLICE_BYTES) && !room.takes(0));
        let mut room = Room::default();
        let taken = (0..).take_while(|_| room.takes(112)).count();
        assert_eq!(taken, SLICE_BYTES / 128);
    }

    #[test]
    fn what_a_slice_keeps_does_not_grow_with_the_number_of_texts() {
        let of = |n| Extent::of(n, std::iter::repeat_n(100, n));
        assert_eq!(slice(&of(10_000), 0), slice(&of(1_000_000), 0));
        assert_eq!(slice(&of(2), 0), 2 * 116 * KEPT);
        assert_eq!((of(5).longest_tokens(4, 512), of(5).longest_tokens(4, 64)), (107, 64));
        assert_eq!(of(5).most_tokens(4), 5 * 107);
    }
}
