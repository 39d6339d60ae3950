//! Numbers for people. Files for programs print every digit instead.

/// Decimals that show about three significant digits of a score.
pub(crate) fn decimals(value: f64) -> usize {
    match value.abs() {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    }
}

/// A number with fixed decimals, never `-0.000`.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        _ => text,
    }
}

/// A number for a table cell.
pub(crate) fn plain(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.0005 { format!("{value:.1e}") } else { fixed(value, decimals(value)) }
}

/// A number with its sign.
pub(crate) fn signed(value: f64) -> String {
    let text = plain(value);
    if text.starts_with('-') || value == 0.0 { text } else { format!("+{text}") }
}

/// A p-value: three decimals, or that it is below them.
pub(crate) fn p_value(value: f64) -> String {
    if value < 0.001 { "<0.001".to_owned() } else { fixed(value, 3) }
}

/// An interval.
pub(crate) fn interval(low: f64, high: f64) -> String {
    let places = decimals(low.abs().max(high.abs()));
    format!("[{}, {}]", fixed(low, places), fixed(high, places))
}

/// Seconds.
pub(crate) fn seconds(value: f64) -> String {
    match value {
        v if v >= 100.0 => fixed(v, 0),
        v if v >= 1.0 => fixed(v, 1),
        v => fixed(v, 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_negative_numbers_do_not_print_as_minus_zero() {
        assert_eq!(fixed(-0.0001, 3), "0.000");
        assert_eq!(fixed(-0.4, 3), "-0.400");
    }

    #[test]
    fn digits_follow_the_size() {
        assert_eq!(plain(0.412_33), "0.412");
        assert_eq!(plain(12_345.678), "12346");
        assert_eq!(plain(0.000_012_3), "1.2e-5");
        assert_eq!(signed(0.0312), "+0.031");
    }
}
