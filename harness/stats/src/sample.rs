//! The only input of this crate: differences that can be tested at all.

use thiserror::Error;

/// Numbers that cannot be tested.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SampleError {
    /// Fewer than two values have no spread.
    #[error("a sample needs at least 2 values, got {got}: with {got} the smallest two-sided p is 1")]
    TooFew {
        /// Values given.
        got: usize,
    },
    /// A value is NaN or infinite.
    #[error("value {at} of the sample is {value}: an undefined score must leave the comparison before it is tested")]
    NotFinite {
        /// Position, from 0.
        at: usize,
        /// The value.
        value: f64,
    },
}

/// At least two values, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Checks length and values.
    ///
    /// # Errors
    /// [`SampleError`] for fewer than two values or one that is not finite.
    pub fn new(values: Vec<f64>) -> Result<Self, SampleError> {
        if let Some((at, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(SampleError::NotFinite { at, value });
        }
        if values.len() < 2 {
            return Err(SampleError::TooFew { got: values.len() });
        }
        Ok(Self(values))
    }

    /// The values, in the order given.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// Number of values, at least 2.
    #[expect(clippy::len_without_is_empty, reason = "a sample is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Arithmetic mean.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// Standard deviation with n - 1.
    pub fn sd(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|value| (value - mean) * (value - mean)).sum();
        libm::sqrt(squares / (self.0.len() - 1) as f64)
    }

    /// True when every value is 0 after rounding to 1e-12: the arms agree everywhere.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|&value| round12(value) == 0.0)
    }

    /// True when the values differ by rounding errors only, so that a standard deviation would be noise.
    pub(crate) fn is_constant(&self) -> bool {
        let low = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        high - low <= 1e-12 * low.abs().max(high.abs()).max(1.0)
    }
}

/// Rounds to 1e-12, so that 0.61 - 0.59 and 0.35 - 0.33 tie: unrounded they do not, and a p-value would depend on it.
pub(crate) fn round12(value: f64) -> f64 {
    let rounded = (value * 1e12).round() / 1e12;
    if rounded.is_finite() { rounded } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_refused_with_the_minimum() {
        let error = Sample::new(vec![0.3]).unwrap_err();
        assert_eq!(error.to_string(), "a sample needs at least 2 values, got 1: with 1 the smallest two-sided p is 1");
    }

    #[test]
    fn a_value_that_is_not_finite_is_refused_with_its_place() {
        let error = Sample::new(vec![0.3, 0.1, f64::NAN]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "value 2 of the sample is NaN: an undefined score must leave the comparison before it is tested"
        );
    }

    #[test]
    fn differences_that_only_rounding_separates_are_equal() {
        assert_ne!(0.61 - 0.59, 0.35 - 0.33);
        assert_eq!(round12(0.61 - 0.59), round12(0.35 - 0.33));
        assert!(Sample::new(vec![0.61 - 0.59, 0.35 - 0.33]).unwrap().is_constant());
        assert!(Sample::new(vec![1e-14, -1e-15]).unwrap().is_zero());
    }

    #[test]
    fn rounding_leaves_huge_values_alone() {
        assert_eq!(round12(1e300), 1e300);
    }
}
