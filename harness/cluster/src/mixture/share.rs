//! From log densities to responsibilities and labels: log-sum-exp over the components, rows in the lanes.

use super::rows::BLOCK_LINES;
use super::tile::{LANES, Line};
use crate::width::{Width, per_width};

/// What is known of 16 rows besides their responsibilities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Best {
    /// The component of greatest weighted density, the lowest among equals.
    pub(crate) label: Line,
    /// Its log.
    pub(crate) log: Line,
    /// Sum of all weighted densities relative to the greatest: at least 1.
    pub(crate) sum: Line,
}

impl Best {
    /// Nothing yet.
    pub(crate) const NONE: Self = Self { label: Line::ZERO, log: Line::ZERO, sum: Line::ZERO };
}

/// Turns log densities, (n_clusters, BLOCK_LINES), into responsibilities in place.
pub(crate) fn share_out(width: Width, logs: &mut [Line], found: &mut [Best; BLOCK_LINES]) {
    for (line, found) in found.iter_mut().enumerate() {
        normalise(width, logs, line, found);
    }
}

/// The label with the greatest log among the first components, per lane.
pub(crate) fn greatest(logs: &[Line], line: usize, among: usize) -> [u32; LANES] {
    let mut best = logs[line];
    let mut labels = [0_u32; LANES];
    for (label, lines) in (0_u32..).zip(logs.chunks_exact(BLOCK_LINES).take(among)) {
        for ((value, best), name) in lines[line].0.iter().zip(&mut best.0).zip(&mut labels) {
            if value > best {
                *best = *value;
                *name = label;
            }
        }
    }
    labels
}

per_width! {
    /// Log-sum-exp over the components of one line of rows.
    fn [] normalise(logs: &mut [Line], line: usize, found: &mut Best) {
        let mut best = logs[line];
        let mut label = Line::ZERO;
        let mut sum = Line::ZERO;
        let mut name = 0.0;
        for lines in logs.chunks_exact(BLOCK_LINES) {
            for lane in 0..LANES {
                let better = lines[line].0[lane] > best.0[lane];
                best.0[lane] = if better { lines[line].0[lane] } else { best.0[lane] };
                label.0[lane] = if better { name } else { label.0[lane] };
            }
            name += 1.0;
        }
        for lines in logs.chunks_exact_mut(BLOCK_LINES) {
            for lane in 0..LANES {
                let share = exp(lines[line].0[lane] - best.0[lane]);
                lines[line].0[lane] = share;
                sum.0[lane] += share;
            }
        }
        for lines in logs.chunks_exact_mut(BLOCK_LINES) {
            for lane in 0..LANES {
                lines[line].0[lane] /= sum.0[lane];
            }
        }
        *found = Best { label, log: best, sum };
    }
}

/// `e^x` for `x <= 0` within 2 units in the last place, without branches so that it is made for 8 values at once; 0
/// below -708, where the result would be subnormal. NaN stays NaN.
#[inline(always)]
fn exp(x: f64) -> f64 {
    /// 1.5 * 2^52: adding it rounds to a whole number that stands in the low bits.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    /// The logarithm of 2 in two parts; the first has 33 bits, so its product with a whole number is exact.
    const LN_2: (f64, f64) = (0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10);
    /// 1 / k! for k = 13, 12, .., 0.
    const TERMS: [f64; 14] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let rounded = x.mul_add(std::f64::consts::LOG2_E, ROUNDER);
    let whole = rounded - ROUNDER;
    let rest = whole.mul_add(-LN_2.1, whole.mul_add(-LN_2.0, x));
    let mut sum = TERMS[0];
    for term in &TERMS[1..] {
        sum = sum.mul_add(rest, *term);
    }
    let power = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52));
    if x < -708.0 { 0.0 } else { sum * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_agrees_with_libm_and_ends_at_zero() {
        for i in 0..200_000 {
            let x = -f64::from(i) * 708.0 / 200_000.0;
            let (got, expected) = (exp(x), libm::exp(x));
            assert!((got - expected).abs() <= 2.0 * f64::EPSILON * expected, "e^{x}: {got:e} for {expected:e}");
        }
        assert_eq!(exp(0.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(exp(-709.0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(exp(f64::NEG_INFINITY).to_bits(), 0.0_f64.to_bits());
        assert!(exp(f64::NAN).is_nan());
    }
}
