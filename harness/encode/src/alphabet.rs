//! The tokens of the training samples as columns, for encoders with a feature per pair of tokens.

use std::collections::BTreeMap;

use trailmark_core::spec::ParamDefault;
use trailmark_core::{Failure, ParamKind, ParamSpec, SequenceView};

/// The parameter that bounds an alphabet.
pub(crate) const MAX_TOKENS: ParamSpec = ParamSpec {
    name: "max_tokens",
    summary: "know this many tokens, those of most training samples; a vector has a number for each pair of them",
    kind: ParamKind::Integer { min: 1, max: 4096 },
    default: ParamDefault::Integer(64),
};

/// Known tokens, ascending by name.
#[derive(Debug)]
pub(crate) struct Alphabet {
    columns: BTreeMap<u32, usize>,
    left_out: usize,
}

impl Alphabet {
    /// Learns the tokens of training samples; choice and order go by token names.
    ///
    /// # Errors
    /// When there is no token at all.
    pub(crate) fn learn(train: SequenceView<'_>, max_tokens: usize) -> Result<Self, Failure> {
        let mut frequencies: BTreeMap<u32, u32> = BTreeMap::new();
        for i in 0..train.len() {
            let mut tokens = train.tokens(i).to_vec();
            tokens.sort_unstable();
            tokens.dedup();
            tokens.into_iter().for_each(|token| *frequencies.entry(token).or_default() += 1);
        }
        if frequencies.is_empty() {
            return Err(Failure::bad_input(format!("{} training samples hold no token at all", train.len())));
        }
        let mut known: Vec<(&str, u32, u32)> =
            frequencies.into_iter().map(|(token, frequency)| (train.token_name(token), token, frequency)).collect();
        known.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(b.0)));
        let left_out = known.len().saturating_sub(max_tokens);
        known.truncate(max_tokens);
        known.sort_unstable();
        Ok(Self { columns: known.into_iter().enumerate().map(|(at, (_, token, _))| (token, at)).collect(), left_out })
    }

    /// Number of known tokens.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The column of each token of a sample; none for unknown ones.
    pub(crate) fn columns(&self, tokens: &[u32]) -> Vec<Option<usize>> {
        tokens.iter().map(|token| self.columns.get(token).copied()).collect()
    }

    /// A warning when tokens were left out.
    pub(crate) fn warnings(&self) -> Vec<String> {
        if self.left_out == 0 {
            return Vec::new();
        }
        vec![format!(
            "{} tokens were left out, the {} that occur in most training samples are known (max_tokens)",
            self.left_out,
            self.len()
        )]
    }
}
