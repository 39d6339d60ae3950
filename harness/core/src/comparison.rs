//! A tested difference between two arms: made by `evaluate`, kept by `store`, drawn by `report`.

use serde::{Deserialize, Serialize};

/// One tested difference, in `comparisons.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Dataset.
    pub dataset: String,
    /// What varies: `encoder` or `clusterer`.
    pub varies: String,
    /// The arms, `b` minus `a` is the difference.
    pub a: String,
    /// The other arm.
    pub b: String,
    /// What both share: the clusterer or the encoder.
    pub shared: String,
    /// Metric.
    pub metric: String,
    /// Mean of each arm.
    pub mean_a: Option<f64>,
    /// Mean of each arm.
    pub mean_b: Option<f64>,
    /// Mean difference, oriented so that positive means `b` is better.
    pub difference: Option<f64>,
    /// 95 % interval of the difference and the method's name.
    pub interval: Option<Interval>,
    /// All tests made of this difference.
    pub tests: Vec<TestResult>,
    /// The p-value that enters the family (of the first test that may claim), adjusted by Holm.
    pub p_adjusted: Option<f64>,
    /// Size of the family.
    pub family: usize,
    /// Family-wise error rate.
    pub alpha: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// Why there is no claim, where there is none.
    pub note: Option<String>,
}

/// An interval with its method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Coverage, 0.95.
    pub level: f64,
    /// `corrected resampled t`, `paired user bootstrap (BCa)`.
    pub method: String,
}

/// A test with its effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestResult {
    /// `corrected_resampled_t`, `sign_flip`, `wilcoxon`.
    pub test: String,
    /// Number of blocks it used: folds, users, datasets.
    pub n_blocks: usize,
    /// Two-sided p, where the test may be made.
    pub p: Option<f64>,
    /// The effect beside it: name and value (`dz`, `rank_biserial`).
    pub effect: Option<(String, f64)>,
    /// Why it was refused, where it was.
    pub refused: Option<String>,
}

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// `b` is better, p and interval agree.
    BetterB,
    /// `a` is better, p and interval agree.
    BetterA,
    /// No difference shown. Not the same as equal.
    NoDifferenceShown,
    /// The design cannot reach the level; no claim is made.
    Refused,
    /// Scores are missing or undefined.
    Undefined,
}
