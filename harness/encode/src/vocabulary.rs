//! The n-grams of the training rows, and how often each occurs in a row. Shared by `bag_of_events` and `tfidf`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use trailmark_core::{Failure, SequenceView};

/// Which n-grams become features.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Shortest n-gram, in tokens, words or characters.
    pub(crate) ngram_min: usize,
    /// Longest n-gram.
    pub(crate) ngram_max: usize,
    /// Rows an n-gram must occur in.
    pub(crate) min_df: usize,
    /// Number of features at most: those that occur in most rows, among equals those first by name.
    pub(crate) max_features: Option<usize>,
}

/// The columns of a matrix of counts, ascending by the names of their tokens as scikit-learn's are.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    rule: Rule,
    columns: BTreeMap<Vec<u32>, u32>,
    /// (n_features,) number of training rows that hold the n-gram.
    pub(crate) document_frequencies: Vec<u32>,
    /// Number of training rows.
    pub(crate) n_rows: usize,
    /// N-grams that `max_features` left out.
    pub(crate) left_out: usize,
}

impl Vocabulary {
    /// Learns the n-grams of training rows' tokens.
    pub(crate) fn learn(train: SequenceView<'_>, rule: Rule) -> Result<Self, Failure> {
        let documents: Vec<&[u32]> = (0..train.len()).map(|i| train.tokens(i)).collect();
        Self::learn_from(&documents, |token| Cow::Borrowed(train.token_name(token)), "tokens", rule)
    }

    /// Learns the n-grams of documents, whose parts are called `unit` and named by `name`.
    ///
    /// Token numbers come from the whole dataset, so order and choice go by names: another fold's tokens cannot move a
    /// column.
    pub(crate) fn learn_from<'a>(
        documents: &[impl AsRef<[u32]>],
        name: impl Fn(u32) -> Cow<'a, str>,
        unit: &str,
        rule: Rule,
    ) -> Result<Self, Failure> {
        let mut frequencies: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
        for document in documents {
            let mut grams = rule.grams(document.as_ref());
            grams.sort_unstable();
            grams.dedup();
            for gram in grams {
                match frequencies.get_mut(gram) {
                    Some(frequency) => *frequency += 1,
                    None => drop(frequencies.insert(gram.to_vec(), 1)),
                }
            }
        }
        let n_found = frequencies.len();
        let mut grams: Vec<(Vec<Cow<'a, str>>, Vec<u32>, u32)> = frequencies
            .into_iter()
            .filter(|(_, frequency)| *frequency as usize >= rule.min_df)
            .map(|(gram, frequency)| (gram.iter().map(|&part| name(part)).collect(), gram, frequency))
            .collect();
        if grams.is_empty() {
            return Err(Failure::bad_input(format!(
                "no n-gram of {} to {} {unit} occurs in at least {} of {} training samples ({n_found} distinct n-grams); \
                 lower min_df or ngram_min",
                rule.ngram_min,
                rule.ngram_max,
                rule.min_df,
                documents.len()
            )));
        }
        let mut left_out = 0;
        if let Some(most) = rule.max_features.filter(|most| *most < grams.len()) {
            left_out = grams.len() - most;
            grams.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
            grams.truncate(most);
        }
        grams.sort_by(|a, b| a.0.cmp(&b.0));
        let document_frequencies = grams.iter().map(|gram| gram.2).collect();
        let columns = (0_u32..).zip(grams).map(|(column, (_, gram, _))| (gram, column)).collect();
        Ok(Self { rule, columns, document_frequencies, n_rows: documents.len(), left_out })
    }

    /// Number of features.
    pub(crate) fn len(&self) -> usize {
        self.document_frequencies.len()
    }

    /// True when every n-gram is one part, so that an n-gram not known is a part not known.
    pub(crate) fn is_of_single_parts(&self) -> bool {
        self.rule.ngram_max == 1
    }

    /// Column and count of every known n-gram of a row, columns ascending; and the number of n-grams not known.
    pub(crate) fn counts(&self, tokens: &[u32]) -> (Vec<(u32, u32)>, usize) {
        let grams = self.rule.grams(tokens);
        let n_grams = grams.len();
        let mut columns: Vec<u32> = grams.into_iter().filter_map(|gram| self.columns.get(gram).copied()).collect();
        let unknown = n_grams - columns.len();
        columns.sort_unstable();
        let mut counts: Vec<(u32, u32)> = Vec::new();
        for column in columns {
            match counts.last_mut() {
                Some((last, count)) if *last == column => *count += 1,
                _ => counts.push((column, 1)),
            }
        }
        (counts, unknown)
    }

    /// A warning when features were left out.
    pub(crate) fn warnings(&self) -> Vec<String> {
        if self.left_out == 0 {
            return Vec::new();
        }
        vec![format!(
            "{} n-grams were left out, the {} that occur in most training samples are kept (max_features)",
            self.left_out,
            self.len()
        )]
    }
}

impl Rule {
    /// All n-grams of a row, each as often as it occurs.
    fn grams<'a>(&self, tokens: &'a [u32]) -> Vec<&'a [u32]> {
        (self.ngram_min..=self.ngram_max).flat_map(|n| tokens.windows(n)).collect()
    }
}
