//! What can be wrong with a suite: the message, the few words below the caret, and the way to mend it.

use thiserror::Error;

/// One mistake of a suite. Its `Display` says what; the place is added by [`crate::Diagnostics`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Mistake {
    /// The file cannot be read.
    #[error("cannot read the suite: {reason}")]
    Unreadable {
        /// The operating system's words.
        reason: String,
    },
    /// Not TOML.
    #[error("not valid TOML: {reason}")]
    Syntax {
        /// The parser's words.
        reason: String,
    },
    /// A key or table nobody reads.
    #[error("{within} has no key {key:?}")]
    UnknownKey {
        /// The table: `[[encoder]] of kind "tfidf"`.
        within: String,
        /// The key.
        key: String,
        /// Keys it has.
        valid: Vec<String>,
    },
    /// A key that must be given.
    #[error("{within} needs the key {key:?}")]
    MissingKey {
        /// The table.
        within: String,
        /// The key.
        key: String,
        /// What it is and takes.
        about: String,
    },
    /// A table that must be given.
    #[error("the suite needs {table}")]
    MissingTable {
        /// The table with its brackets.
        table: String,
        /// What it is.
        about: String,
    },
    /// A value of another type.
    #[error("{key:?} takes {takes}, not {found}")]
    WrongType {
        /// The key.
        key: String,
        /// What it takes.
        takes: String,
        /// What it got.
        found: String,
        /// What the key is.
        about: String,
    },
    /// A value of the right type that is too small, too large or not finite.
    #[error("{key:?} is out of range: {value}")]
    OutOfRange {
        /// The key.
        key: String,
        /// Its range in words.
        range: String,
        /// The value.
        value: String,
        /// What the key is.
        about: String,
    },
    /// A word that is none of a fixed list.
    #[error("{key:?} cannot be {name:?}")]
    UnknownChoice {
        /// The key.
        key: String,
        /// The word.
        name: String,
        /// The list.
        valid: Vec<String>,
    },
    /// A component, column, label or id that does not exist.
    #[error("no {what} is named {name:?}")]
    UnknownName {
        /// `clusterer`, `metric`, `label`.
        what: String,
        /// The name.
        name: String,
        /// Where valid names come from: `built in`, `in this suite`.
        origin: &'static str,
        /// Valid names.
        valid: Vec<String>,
    },
    /// An id that is used twice.
    #[error("two {what}s have the id {id:?}")]
    DuplicateId {
        /// `dataset`, `encoder`, `clusterer`.
        what: String,
        /// The id.
        id: String,
        /// Where it was used first: `on line 7`.
        first: String,
    },
    /// A value that stands twice in a list.
    #[error("{key:?} holds {value} twice")]
    DuplicateValue {
        /// The key of the list.
        key: String,
        /// The value.
        value: String,
    },
    /// An id that cannot be part of a cell's name or of a path.
    #[error("{key:?} cannot be {id:?}: {reason}")]
    BadId {
        /// The key: `id`, `name`.
        key: String,
        /// The text.
        id: String,
        /// Why.
        reason: &'static str,
    },
    /// A lower end above the upper end.
    #[error("{low_key:?} = {low} is above {high_key:?} = {high}")]
    LowAboveHigh {
        /// Key of the lower end.
        low_key: &'static str,
        /// Its value.
        low: String,
        /// Key of the upper end.
        high_key: &'static str,
        /// Its value.
        high: String,
    },
    /// A list that must ascend and does not.
    #[error("{key:?} must ascend, but {after} follows {before}")]
    NotAscending {
        /// The key.
        key: String,
        /// A value.
        before: String,
        /// The next one.
        after: String,
    },
    /// A list that must hold something.
    #[error("{key:?} is empty")]
    EmptyList {
        /// The key.
        key: String,
        /// What belongs into it.
        about: String,
    },
    /// A fusion with too few or too many parts.
    #[error("{within} joins {range}, and {n_parts} {} given", if *n_parts == 1 { "is" } else { "are" })]
    NumberOfParts {
        /// The table.
        within: String,
        /// How many it joins, in words.
        range: String,
        /// How many are given.
        n_parts: usize,
    },
    /// A fusion as a part of a fusion.
    #[error("{id:?} is a fusion itself and cannot be a part of one")]
    NestedFusion {
        /// The part.
        id: String,
    },
    /// A key that means nothing beside the others.
    #[error("{key:?} has no meaning {beside}")]
    Meaningless {
        /// The key.
        key: String,
        /// `with rule = "exact"`, `without unit = "session"`.
        beside: String,
    },
    /// None or both of two keys.
    #[error("{within} takes either {one:?} or {other:?}, and {found}")]
    EitherOr {
        /// The table.
        within: String,
        /// A key.
        one: &'static str,
        /// The other.
        other: &'static str,
        /// `both are given`, `neither is given`.
        found: &'static str,
    },
    /// A text that is not of its form: a pause, a date, a regular expression.
    #[error("{key:?} is not {what}: {reason}")]
    Unparsable {
        /// The key.
        key: String,
        /// `a length of time`.
        what: &'static str,
        /// Why.
        reason: String,
        /// How it should look.
        example: &'static str,
    },
    /// A template with an unknown or broken placeholder.
    #[error("{reason} in the template {key:?}")]
    Template {
        /// `text` or `tokens`.
        key: String,
        /// What is wrong.
        reason: String,
        /// The placeholder, where it is only misspelt.
        name: Option<String>,
        /// Valid placeholders.
        valid: Vec<String>,
    },
    /// Recommendation without anything to predict.
    #[error("recommendation needs a future to predict, and [split] declares none")]
    NoFuture,
    /// A future, pause or session that this dataset cannot have.
    #[error("{setting} needs {needs}, and dataset {dataset:?} has none")]
    DatasetLacks {
        /// The setting.
        setting: String,
        /// What it needs.
        needs: &'static str,
        /// The dataset.
        dataset: String,
        /// How to mend it.
        mend: &'static str,
    },
    /// A metric against reference labels where there are none.
    #[error("{metric:?} needs reference labels, and {lacking}")]
    NoLabels {
        /// The metric.
        metric: String,
        /// `no dataset declares any`.
        lacking: String,
    },
    /// A metric the suite knows but does not compute.
    #[error("{metric:?} is not computed by this suite")]
    NotComputed {
        /// The metric.
        metric: String,
        /// Why, where more can be said.
        why: Option<String>,
        /// What is computed.
        computed: Vec<String>,
    },
    /// An internal score across encoders.
    #[error("{metric:?} cannot compare encoders: it is an internal score")]
    InternalAcrossSpaces {
        /// The metric.
        metric: String,
        /// Metrics of this suite that can.
        instead: Vec<String>,
    },
    /// A comparison with fewer than two arms.
    #[error("nothing to compare: the suite has {count} {what}")]
    TooFewArms {
        /// Number of arms.
        count: usize,
        /// `encoder` or `clusterer`.
        what: &'static str,
    },
    /// A format this program does not read.
    #[error("this program reads schema 1, not {found}")]
    Schema {
        /// What the file says.
        found: i64,
    },
    /// An override that is not `path=value`.
    #[error("an override is written path=value, and this one has no {missing}")]
    OverrideForm {
        /// `=`, `path`, `value`.
        missing: &'static str,
    },
    /// An override whose path leads through something that is no table.
    #[error("{step:?} is {found}: a path cannot go on behind it")]
    OverrideThrough {
        /// The step.
        step: String,
        /// What is there.
        found: String,
    },
    /// An override that ends at a table.
    #[error("{step:?} is a whole table: set one of its keys")]
    OverrideTable {
        /// The step.
        step: String,
    },
}

impl Mistake {
    /// What stands behind the caret.
    pub(crate) fn label(&self) -> Option<String> {
        match self {
            Self::UnknownKey { key: name, valid, .. }
            | Self::UnknownChoice { name, valid, .. }
            | Self::UnknownName { name, valid, .. }
            | Self::NotComputed { metric: name, computed: valid, .. }
            | Self::Template { name: Some(name), valid, .. } => {
                near(name, valid).map(|near| format!("did you mean {near:?}?"))
            }
            Self::OutOfRange { range, .. } => Some(format!("takes {range}")),
            Self::DuplicateId { first, .. } => Some(format!("first used {first}")),
            _ => None,
        }
    }

    /// The help lines.
    pub(crate) fn help(&self) -> Vec<String> {
        let about = |text: &String| if text.is_empty() { Vec::new() } else { vec![text.clone()] };
        match self {
            Self::UnknownKey { valid, .. } => vec![format!("valid keys: {}", valid.join(", "))],
            Self::MissingKey { about: text, .. }
            | Self::MissingTable { about: text, .. }
            | Self::EmptyList { about: text, .. }
            | Self::WrongType { about: text, .. }
            | Self::OutOfRange { about: text, .. } => about(text),
            Self::UnknownChoice { valid, .. } => vec![format!("one of: {}", valid.join(", "))],
            Self::UnknownName { origin, valid, what, .. } => match valid.is_empty() {
                true => vec![format!("{origin}: no {what}")],
                false => vec![format!("{origin}: {}", valid.join(", "))],
            },
            Self::Unparsable { example, .. } => vec![format!("write it as {example}")],
            Self::Template { valid, .. } => {
                let names: Vec<String> = valid.iter().map(|name| format!("{{{name}}}")).collect();
                vec![format!("placeholders: {}", names.join(", "))]
            }
            Self::NestedFusion { .. } => vec!["list all encoders in one `parts`".to_owned()],
            Self::NoFuture => {
                vec!["add `future = { last = 3 }` or `future = { after = \"2017-12-01\" }` to [split]".to_owned()]
            }
            Self::DatasetLacks { mend, .. } => vec![(*mend).to_owned()],
            Self::NoLabels { .. } => vec!["declare them in [[dataset]], as in `labels = [\"persona\"]`".to_owned()],
            Self::NotComputed { why, computed, .. } => {
                let mut help: Vec<String> = why.iter().cloned().collect();
                help.push(format!("computed: {}", computed.join(", ")));
                help
            }
            Self::InternalAcrossSpaces { instead, .. } => {
                let mut help = vec![
                    "internal scores compare partitions inside one space only, and every encoder makes a space of its own"
                        .to_owned(),
                ];
                if instead.is_empty() {
                    help.push("score against reference labels or by recommendation to compare encoders".to_owned());
                } else {
                    help.push(format!("metrics that can: {}", instead.join(", ")));
                }
                help
            }
            Self::TooFewArms { what, .. } => vec![format!("add another [[{what}]], or leave this comparison out")],
            Self::OverrideForm { .. } | Self::OverrideThrough { .. } | Self::OverrideTable { .. } => {
                vec!["as in `--set suite.seed=9` or `--set encoder.w2v.dim=32`, where w2v is the id".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

/// The valid name that was probably meant: one or few slips away, else one that holds the word as a whole, as
/// `silhouette_score` holds `silhouette`.
fn near<'a>(name: &str, valid: &'a [String]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let length = lower.chars().count();
    if length < 2 {
        return None;
    }
    let slips =
        valid.iter().map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate));
    let close = slips.filter(|(slips, candidate)| *slips <= (candidate.chars().count().max(length) / 3).max(1));
    close
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
        .or_else(|| valid.iter().find(|candidate| length >= 4 && candidate.to_lowercase().contains(&lower)))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_suggested_when_it_is_near_or_holds_the_word_and_not_otherwise() {
        let valid = ["kmeans", "gaussian_mixture", "dbscan"].map(str::to_owned);
        let suggested = |name: &str| near(name, &valid);
        assert_eq!(suggested("kmean"), Some("kmeans"));
        assert_eq!(suggested("KMeans"), Some("kmeans"));
        assert_eq!(suggested("mixture"), Some("gaussian_mixture"));
        assert_eq!(suggested("optics"), None);
        assert_eq!(near("3", &["1".to_owned()]), None, "one character is near to any other");
    }
}
