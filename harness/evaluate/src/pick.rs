//! Rules that choose n_clusters inside the training part of a fold. "None" is an answer: no structure found.

/// What a rule answered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PickAnswer {
    /// The rule: `silhouette`, `elbow`.
    pub rule: &'static str,
    /// Its choice; none means that it found no structure.
    pub n_clusters: Option<usize>,
    /// How strong the best candidate is, in the rule's unit: the silhouette, or the height of the knee. It is given
    /// with "none" too, where there is one.
    pub strength: Option<f64>,
}

/// The n_clusters with the largest mean silhouette; ties go to the smallest. Undefined values are skipped.
///
/// None unless the best exceeds `min_silhouette`: the largest of many silhouettes is positive on structureless data
/// too.
/// # Reference
/// Rousseeuw 1987, J. Comput. Appl. Math. 20.
pub fn silhouette_pick(curve: &[(usize, Option<f64>)], min_silhouette: f64) -> PickAnswer {
    let best = defined(curve).into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best });
    PickAnswer {
        rule: "silhouette",
        n_clusters: best.filter(|(_, value)| *value > min_silhouette).map(|(n_clusters, _)| n_clusters),
        strength: best.map(|(_, value)| value),
    }
}

/// The finite points of a curve, ascending by n_clusters.
pub(crate) fn defined(curve: &[(usize, Option<f64>)]) -> Vec<(usize, f64)> {
    let mut points: Vec<(usize, f64)> = curve
        .iter()
        .filter_map(|&(n_clusters, value)| value.filter(|value| value.is_finite()).map(|value| (n_clusters, value)))
        .collect();
    points.sort_by_key(|&(n_clusters, _)| n_clusters);
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(curve: &[(usize, Option<f64>)], min_silhouette: f64) -> (Option<usize>, Option<f64>) {
        let PickAnswer { rule, n_clusters, strength } = silhouette_pick(curve, min_silhouette);
        assert_eq!(rule, "silhouette");
        (n_clusters, strength)
    }

    #[test]
    fn the_largest_silhouette_wins() {
        let curve = [(2, Some(0.3)), (3, Some(0.5)), (4, Some(0.4))];
        assert_eq!(answer(&curve, 0.1), (Some(3), Some(0.5)));
    }

    #[test]
    fn ties_go_to_the_smallest_value_in_whatever_order_they_come() {
        let curve = [(7, Some(0.5)), (3, Some(0.5)), (4, Some(0.5))];
        assert_eq!(answer(&curve, 0.1), (Some(3), Some(0.5)));
    }

    #[test]
    fn undefined_values_are_skipped() {
        assert_eq!(answer(&[(2, None), (3, Some(0.2)), (4, Some(f64::NAN))], 0.1), (Some(3), Some(0.2)));
    }

    #[test]
    fn a_best_that_does_not_exceed_the_minimum_is_no_structure_and_keeps_its_strength() {
        assert_eq!(answer(&[(2, Some(0.05)), (3, Some(0.1))], 0.1), (None, Some(0.1)));
    }

    #[test]
    fn a_curve_without_values_has_no_pick_and_no_strength() {
        assert_eq!(answer(&[(2, None)], 0.0), (None, None));
        assert_eq!(answer(&[], 0.0), (None, None));
    }
}
