//! From the token vectors of a text to one vector.

/// How token vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    Mean,
    Cls,
    Max,
    Last,
    FirstLast,
}

impl Pooling {
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "cls" => Self::Cls,
            "max" => Self::Max,
            "last" => Self::Last,
            "first_last" => Self::FirstLast,
            _ => Self::Mean,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::Max => "max",
            Self::Last => "last",
            Self::FirstLast => "first_last",
        }
    }

    /// The hidden states that it reads when `last` is the one asked for.
    pub(crate) fn states(self, last: usize) -> [usize; 2] {
        match self {
            Self::FirstLast => [last.min(1), last],
            _ => [last, last],
        }
    }

    /// Pools a text's token vectors of one state, (length, hidden) row-major, into (hidden,).
    pub(crate) fn pool(self, tokens: &[f32], hidden: usize) -> Vec<f32> {
        match self {
            Self::Cls => tokens[..hidden].to_vec(),
            Self::Last => tokens[tokens.len() - hidden..].to_vec(),
            Self::Max => tokens.chunks_exact(hidden).fold(vec![f32::NEG_INFINITY; hidden], |mut best, token| {
                best.iter_mut().zip(token).for_each(|(best, value)| *best = best.max(*value));
                best
            }),
            Self::Mean | Self::FirstLast => {
                let mut sums = vec![0.0_f64; hidden];
                for token in tokens.chunks_exact(hidden) {
                    sums.iter_mut().zip(token).for_each(|(sum, &value)| *sum += f64::from(value));
                }
                let length = (tokens.len() / hidden) as f64;
                sums.iter().map(|sum| (sum / length) as f32).collect()
            }
        }
    }
}

/// Scales a vector to length 1; zeros stay.
pub(crate) fn normalize(vector: &mut [f32]) {
    let norm = vector.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt().max(1e-12);
    vector.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pooling_takes_what_its_name_says() {
        let tokens = [1.0, 8.0, 3.0, 2.0, 5.0, 5.0];
        for (name, expected) in [
            ("mean", [3.0, 5.0]),
            ("cls", [1.0, 8.0]),
            ("max", [5.0, 8.0]),
            ("last", [5.0, 5.0]),
            ("first_last", [3.0, 5.0]),
        ] {
            let pooling = Pooling::from_name(name);
            assert_eq!(pooling.name(), name);
            assert_eq!(pooling.pool(&tokens, 2), expected, "{name}");
        }
        assert_eq!(Pooling::FirstLast.states(6), [1, 6]);
        assert_eq!(Pooling::FirstLast.states(0), [0, 0]);
        assert_eq!(Pooling::Mean.states(6), [6, 6]);
    }

    #[test]
    fn a_vector_of_zeros_has_no_direction_and_stays() {
        let mut vector = [3.0, 4.0];
        normalize(&mut vector);
        assert_eq!(vector, [0.6, 0.8]);
        let mut zero = [0.0, 0.0];
        normalize(&mut zero);
        assert_eq!(zero, [0.0, 0.0]);
    }
}
