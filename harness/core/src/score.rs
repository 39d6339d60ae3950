//! A score is a value, an approximate value, or a named reason why there is none. It is never NaN, infinite, or a
//! stand-in number.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a score does not exist. The name is what `scores.csv` prints in its `reason` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// No samples, or fewer than the definition needs to mean anything.
    Empty,
    /// One cluster only.
    OneCluster,
    /// Every sample is its own cluster.
    AllSingletons,
    /// The samples do not differ inside clusters, so the denominator is zero.
    ZeroDispersion,
    /// Two cluster centres coincide.
    CoincidentCentroids,
    /// Fewer points, users or blocks than the definition's minimum.
    BelowMinPoints,
    /// A zero vector under cosine distance.
    ZeroVector,
    /// No reference labels, or nothing in the future to predict.
    NoTruth,
    /// The arms agree everywhere.
    IdenticalArms,
    /// A denominator that counts pairs or hits is zero.
    ZeroDenominator,
    /// The definition needs something this arm does not have (an inertia without centroids, say).
    NotApplicable,
}

impl Undefined {
    /// The snake_case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::OneCluster => "one_cluster",
            Self::AllSingletons => "all_singletons",
            Self::ZeroDispersion => "zero_dispersion",
            Self::CoincidentCentroids => "coincident_centroids",
            Self::BelowMinPoints => "below_min_points",
            Self::ZeroVector => "zero_vector",
            Self::NoTruth => "no_truth",
            Self::IdenticalArms => "identical_arms",
            Self::ZeroDenominator => "zero_denominator",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// One sentence for people.
    pub fn explain(self) -> &'static str {
        match self {
            Self::Empty => "there are no samples to score",
            Self::OneCluster => "the partition has one cluster",
            Self::AllSingletons => "every sample is its own cluster",
            Self::ZeroDispersion => "the samples do not differ inside their clusters",
            Self::CoincidentCentroids => "two cluster centres coincide",
            Self::BelowMinPoints => "there are fewer points than the definition needs",
            Self::ZeroVector => "a vector of zeros has no direction",
            Self::NoTruth => "there is nothing to compare with",
            Self::IdenticalArms => "the arms agree everywhere",
            Self::ZeroDenominator => "the quantity divided by is zero",
            Self::NotApplicable => "the definition does not apply to this arm",
        }
    }
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The outcome of scoring.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Score {
    /// Exact, and finite.
    Ok {
        /// The value.
        value: f64,
    },
    /// Estimated.
    Approximate {
        /// The estimate.
        value: f64,
        /// Its standard error.
        se: f64,
        /// How, and on how many samples.
        method: String,
    },
    /// The mathematics gives no answer.
    Undefined {
        /// Why.
        reason: Undefined,
    },
    /// Computing it went wrong.
    Failed {
        /// What happened.
        cause: String,
    },
}

impl Score {
    /// A value; one that is not finite becomes `Failed`, because no status may hide a number that is none.
    pub fn value(value: f64) -> Self {
        if value.is_finite() {
            Self::Ok { value }
        } else {
            Self::Failed { cause: format!("the computation gave {value}") }
        }
    }

    /// The number, where there is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Ok { value } | Self::Approximate { value, .. } => Some(*value),
            Self::Undefined { .. } | Self::Failed { .. } => None,
        }
    }

    /// `ok`, `approximate`, `undefined` or `failed`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Ok { .. } => "ok",
            Self::Approximate { .. } => "approximate",
            Self::Undefined { .. } => "undefined",
            Self::Failed { .. } => "failed",
        }
    }

    /// The reason column: empty for an exact value.
    pub fn reason(&self) -> String {
        match self {
            Self::Ok { .. } => String::new(),
            Self::Approximate { method, .. } => method.clone(),
            Self::Undefined { reason } => reason.name().to_owned(),
            Self::Failed { cause } => cause.clone(),
        }
    }
}

impl From<Result<f64, Undefined>> for Score {
    fn from(result: Result<f64, Undefined>) -> Self {
        match result {
            Ok(value) => Self::value(value),
            Err(reason) => Self::Undefined { reason },
        }
    }
}

impl From<Undefined> for Score {
    fn from(reason: Undefined) -> Self {
        Self::Undefined { reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_finite_becomes_a_failure_and_never_a_number() {
        let score = Score::value(f64::NAN);
        assert_eq!(score.number(), None);
        assert_eq!(score.status(), "failed");
        assert_eq!(score.reason(), "the computation gave NaN");
    }

    #[test]
    fn an_undefined_score_keeps_its_reason() {
        let score = Score::from(Err(Undefined::OneCluster));
        assert_eq!((score.status(), score.reason().as_str(), score.number()), ("undefined", "one_cluster", None));
    }
}
