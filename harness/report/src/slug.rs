//! Names that may stand in a file name, an anchor and an id.

/// Ids may hold anything a user types: letters, digits, `-`, `_` and `.` stay, the rest becomes `_`.
pub(crate) fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' }).collect()
}
