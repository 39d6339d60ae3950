//! Signed ranks of differences, shared by the signed-rank test and its effect size.

use crate::sample::{Sample, round12};

/// Midranks of the absolute nonzero differences, doubled so that they are whole numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SignedRanks {
    /// Doubled rank and whether the difference is positive.
    pub(crate) doubled: Vec<(usize, bool)>,
    /// Number of differences that are 0 after rounding, dropped before ranking.
    pub(crate) zeros: usize,
    /// Sizes of the groups of tied absolute differences.
    pub(crate) ties: Vec<usize>,
}

impl SignedRanks {
    /// Rounds to 1e-12, drops zeros and ranks the rest by absolute value.
    pub(crate) fn of(differences: &Sample) -> Self {
        let mut nonzero: Vec<f64> = differences.values().iter().map(|&d| round12(d)).filter(|&d| d != 0.0).collect();
        let zeros = differences.len() - nonzero.len();
        nonzero.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let mut doubled = Vec::with_capacity(nonzero.len());
        let mut ties = Vec::new();
        for group in nonzero.chunk_by(|a, b| a.abs() == b.abs()) {
            // Ranks first..=last share (first + last) / 2.
            let (first, last) = (doubled.len() + 1, doubled.len() + group.len());
            doubled.extend(group.iter().map(|&d| (first + last, d > 0.0)));
            ties.push(group.len());
        }
        Self { doubled, zeros, ties }
    }

    /// Doubled rank sums of positive and of negative differences.
    pub(crate) fn sums(&self) -> (usize, usize) {
        let positive = self.doubled.iter().filter(|(_, positive)| *positive).map(|(rank, _)| rank).sum();
        let all: usize = self.doubled.iter().map(|(rank, _)| rank).sum();
        (positive, all - positive)
    }
}
