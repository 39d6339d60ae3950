//! Samplers over the fixed stream, in IEEE arithmetic and libm alone: the same bytes on every platform.

use trailmark_core::Stream;

/// Log-normal with the parameters of its logarithm.
pub(super) fn log_normal(stream: &mut Stream, mu: f64, sd: f64) -> f64 {
    libm::exp(mu + sd * stream.normal())
}

/// Number of failures before the first success; mean `(1 - p) / p`.
pub(super) fn geometric(stream: &mut Stream, p: f64) -> usize {
    if p >= 1.0 {
        return 0;
    }
    libm::floor(libm::log(1.0 - stream.uniform()) / libm::log(1.0 - p)) as usize
}

/// Gamma with scale 1 (Marsaglia and Tsang 2000, with their boost below shape 1).
fn gamma(stream: &mut Stream, shape: f64) -> f64 {
    if shape < 1.0 {
        let boost = libm::pow(1.0 - stream.uniform(), 1.0 / shape);
        return gamma(stream, shape + 1.0) * boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = stream.normal();
        let v = 1.0 + c * x;
        if v > 0.0 {
            let v = v * v * v;
            if libm::log(1.0 - stream.uniform()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }
}

/// Dirichlet around `mean` (summing to 1); a larger concentration stays nearer.
pub(super) fn dirichlet(stream: &mut Stream, mean: &[f64], concentration: f64) -> Vec<f64> {
    let draws: Vec<f64> = mean.iter().map(|share| gamma(stream, (share * concentration).max(1e-3))).collect();
    let total: f64 = draws.iter().sum();
    draws.into_iter().map(|draw| draw / total).collect()
}

/// Weights of ranks 1.. that fall as `rank^-exponent`, summing to 1.
pub(super) fn zipf(n: usize, exponent: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=n).map(|rank| libm::pow(rank as f64, -exponent)).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// Draws an index from running sums in logarithmic time.
#[derive(Debug, Clone)]
pub(super) struct Table(Vec<f64>);

impl Table {
    /// A table of weights, finite and not negative, with a positive sum.
    pub(super) fn new(weights: &[f64]) -> Self {
        let mut total = 0.0;
        Self(
            weights
                .iter()
                .map(|weight| {
                    total += weight;
                    total
                })
                .collect(),
        )
    }

    /// One draw.
    pub(super) fn draw(&self, stream: &mut Stream) -> usize {
        let at = stream.uniform() * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|sum| *sum <= at).min(self.0.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dirichlet_draw_sums_to_one_and_averages_to_its_mean() {
        let mut stream = Stream::new(1);
        let mean = [0.5, 0.3, 0.2];
        let mut sums = [0.0; 3];
        for _ in 0..4000 {
            let draw = dirichlet(&mut stream, &mean, 5.0);
            assert!((draw.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            sums.iter_mut().zip(&draw).for_each(|(sum, share)| *sum += share / 4000.0);
        }
        for (found, expected) in sums.iter().zip(&mean) {
            assert!((found - expected).abs() < 0.015, "{sums:?}");
        }
    }

    #[test]
    fn geometric_draws_have_the_mean_of_the_law() {
        let mut stream = Stream::new(2);
        let mean = (0..20_000).map(|_| geometric(&mut stream, 0.25)).sum::<usize>() as f64 / 20_000.0;
        assert!((mean - 3.0).abs() < 0.1, "{mean}");
        assert_eq!(geometric(&mut stream, 1.0), 0);
    }

    #[test]
    fn a_table_draws_in_proportion_and_never_a_weight_of_zero() {
        let (mut stream, table) = (Stream::new(3), Table::new(&[0.0, 1.0, 3.0, 0.0]));
        let mut counts = [0; 4];
        (0..8000).for_each(|_| counts[table.draw(&mut stream)] += 1);
        assert_eq!((counts[0], counts[3]), (0, 0));
        assert!((1850..2150).contains(&counts[1]), "{counts:?}");
    }
}
