//! Holm's step-down correction over a declared family.

/// Adjusted p-values and the family they belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct Holm {
    /// One per comparison, in the order given; none where there was no p.
    pub adjusted: Vec<Option<f64>>,
    /// Number of comparisons that entered.
    pub family: usize,
}

/// Holm's adjusted p-values: rejecting those below alpha keeps the family-wise error at alpha under any dependence.
///
/// Comparisons without a p (undefined, refused) leave the family first; its size is what is left. Values must lie in
/// [0, 1].
/// # Reference
/// Holm 1979, Scand. J. Statist. 6. Agrees with statsmodels' `multipletests(method="holm")`.
pub fn holm(p: &[Option<f64>]) -> Holm {
    let mut order: Vec<(f64, usize)> = p.iter().enumerate().filter_map(|(at, p)| p.map(|p| (p, at))).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let family = order.len();
    let mut adjusted = vec![None; p.len()];
    let mut highest = 0.0_f64;
    for (step, &(p, at)) in order.iter().enumerate() {
        highest = highest.max(p * (family - step) as f64).min(1.0);
        adjusted[at] = Some(highest);
    }
    Holm { adjusted, family }
}

#[cfg(test)]
mod tests {
    use trailmark_kit::{numbers, oracle};

    use super::*;

    #[test]
    fn adjusted_values_agree_with_statsmodels() {
        let table = oracle("stats", "holm");
        for case in &table.case {
            let p: Vec<Option<f64>> = numbers(case, "p").into_iter().map(Some).collect();
            let result = holm(&p);
            assert_eq!(result.family, p.len());
            for (actual, expected) in result.adjusted.iter().zip(numbers(case, "adjusted")) {
                table.assert_close("adjusted p", actual.unwrap(), expected);
            }
        }
    }

    #[test]
    fn comparisons_without_a_p_leave_the_family_before_it_is_corrected() {
        let result = holm(&[None, Some(0.02), None, Some(0.03)]);
        assert_eq!(result.family, 2);
        assert_eq!(result.adjusted, [None, Some(0.04), None, Some(0.04)]);
    }

    #[test]
    fn an_empty_family_has_no_size() {
        assert_eq!(holm(&[None]), Holm { adjusted: vec![None], family: 0 });
    }
}
