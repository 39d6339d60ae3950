//! What n-grams are made of: the tokens of a history, or the words or characters of its readable text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use trailmark_core::spec::ParamDefault;
use trailmark_core::{ParamKind, ParamSpec, Params, SequenceView};

/// The number of words that training does not know.
const UNKNOWN: u32 = u32::MAX;

/// The parameter that chooses.
pub(crate) const ANALYZER: ParamSpec = ParamSpec {
    name: "analyzer",
    summary: "n-grams of tokens; or of the readable text in lower case: of words (two or more letters, digits or _) or of \
              characters, which need no word splitter for Chinese",
    kind: ParamKind::Choice(&["tokens", "words", "characters"]),
    default: ParamDefault::Text("tokens"),
};

/// What n-grams are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Analyzer {
    Tokens,
    Words,
    Characters,
}

impl Analyzer {
    /// What the suite says.
    pub(crate) fn of(params: &Params) -> Self {
        match params.text("analyzer") {
            "words" => Self::Words,
            "characters" => Self::Characters,
            _ => Self::Tokens,
        }
    }

    /// What the parts of an n-gram are called.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Words => "words",
            Self::Characters => "characters",
        }
    }
}

/// Numbers the parts of samples. Those of tokens are the dataset's and those of characters are code points; words are
/// numbered as training brings them.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) analyzer: Analyzer,
    words: BTreeMap<String, u32>,
}

impl Reader {
    /// Learns the words of the training samples.
    pub(crate) fn learn(analyzer: Analyzer, train: SequenceView<'_>) -> Self {
        let mut words = BTreeMap::new();
        if analyzer == Analyzer::Words {
            for i in 0..train.len() {
                for word in split_words(&train.text(i).to_lowercase()) {
                    if !words.contains_key(word) {
                        let number = u32::try_from(words.len()).unwrap_or(UNKNOWN);
                        words.insert(word.to_owned(), number);
                    }
                }
            }
        }
        Self { analyzer, words }
    }

    /// The parts of a sample.
    pub(crate) fn read<'a>(&self, rows: SequenceView<'a>, i: usize) -> Cow<'a, [u32]> {
        match self.analyzer {
            Analyzer::Tokens => Cow::Borrowed(rows.tokens(i)),
            Analyzer::Words => {
                let text = rows.text(i).to_lowercase();
                split_words(&text).map(|word| self.words.get(word).copied().unwrap_or(UNKNOWN)).collect()
            }
            Analyzer::Characters => characters(rows.text(i)).collect::<Vec<u32>>().into(),
        }
    }

    /// The names of all parts that training knows, by number.
    pub(crate) fn names<'a>(&'a self, train: SequenceView<'a>) -> impl Fn(u32) -> Cow<'a, str> {
        let mut words = vec![""; self.words.len()];
        self.words.iter().for_each(|(word, number)| words[*number as usize] = word);
        move |part| match self.analyzer {
            Analyzer::Tokens => Cow::Borrowed(train.token_name(part)),
            Analyzer::Words => Cow::Borrowed(words[part as usize]),
            Analyzer::Characters => Cow::Owned(char::from_u32(part).map(String::from).unwrap_or_default()),
        }
    }
}

/// Runs of at least two letters, digits or underscores: scikit-learn's `\w\w+`.
fn split_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| word.chars().nth(1).is_some())
}

/// The characters of a text in lower case; runs of two or more blanks are one blank, as in scikit-learn.
fn characters(text: &str) -> impl Iterator<Item = u32> {
    let lower: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let mut parts = Vec::with_capacity(lower.len());
    let mut at = 0;
    while let Some(&c) = lower.get(at) {
        let blanks = lower[at..].iter().take_while(|c| c.is_whitespace()).count();
        parts.push(u32::from(if blanks > 1 { ' ' } else { c }));
        at += blanks.max(1);
    }
    parts.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_two_letters_or_more_and_runs_of_blanks_are_one() {
        assert_eq!(
            split_words("don't pay 7 usd, 12_a 手机壳 x").collect::<Vec<_>>(),
            ["don", "pay", "usd", "12_a", "手机壳"]
        );
        let read = |text: &str| characters(text).filter_map(char::from_u32).collect::<String>();
        assert_eq!(read("A  B\tC\n\n手机"), "a b\tc 手机");
    }
}
