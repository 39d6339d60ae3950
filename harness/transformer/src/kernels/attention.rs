//! Softmax attention inside each text of a packed block. Texts do not see each other, so that there is nothing to
//! mask and nothing to pad.

use super::Width;
use super::product::{Line, PANEL, Panels, Rows, TILE, multiply};
use super::rows::{Reach, add_diagonal, softmax};

/// How a network attends.
#[derive(Debug, Clone)]
pub(crate) struct Attention {
    pub(crate) heads: usize,
    /// Features of a head.
    pub(crate) size: usize,
    /// Put before the softmax, on queries times keys.
    pub(crate) scale: f32,
    /// True where a token sees only those up to itself.
    pub(crate) causal: bool,
    /// A bias by distance, where the network has one.
    pub(crate) bias: Option<DistanceBias>,
}

/// A bias on scores for every distance from query to key, per head.
#[derive(Debug, Clone)]
pub(crate) struct DistanceBias {
    values: Vec<f32>, // (heads, 2 * longest - 1), distance 0 in the middle
    longest: usize,
}

impl DistanceBias {
    /// Takes `at(head, key - query)` for texts of up to `longest` tokens.
    pub(crate) fn new(heads: usize, longest: usize, at: impl Fn(usize, i64) -> f32) -> Self {
        let reach = longest as i64 - 1;
        let values = (0..heads).flat_map(|head| (-reach..=reach).map(move |d| (head, d))).map(|(h, d)| at(h, d));
        Self { values: values.collect(), longest }
    }

    fn head(&self, head: usize) -> &[f32] {
        let each = 2 * self.longest - 1;
        &self.values[head * each..(head + 1) * each]
    }
}

/// Memory that attention uses again and again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scratch {
    keys: Panels,     // (size, length), transposed
    values: Panels,   // (length, size)
    scores: Vec<f32>, // (TILE, length in whole panels), from the first aligned value on
}

impl Attention {
    /// Features of all heads together.
    pub(crate) fn features(&self) -> usize {
        self.heads * self.size
    }

    /// Bytes of a [`Scratch`] for texts of `longest` tokens.
    pub(crate) fn scratch_bytes(&self, longest: usize) -> u64 {
        let padded = longest.next_multiple_of(PANEL);
        4 * (self.size * padded + longest * self.size.next_multiple_of(PANEL) + TILE * padded + PANEL) as u64
    }

    /// `qkv`: (tokens, 3 * features), queries, keys and values side by side; `lengths`: tokens of each text, in the
    /// order of the rows. Writes (tokens, features).
    pub(crate) fn apply(&self, width: Width, qkv: &[f32], lengths: &[usize], scratch: &mut Scratch, out: &mut [f32]) {
        let (features, size) = (self.features(), self.size);
        let stride = 3 * features;
        let mut first = 0;
        for &length in lengths {
            let padded = length.next_multiple_of(PANEL);
            let scores = TILE * padded + PANEL;
            scratch.scores.reserve_exact(scores.saturating_sub(scratch.scores.len()));
            scratch.scores.resize(scores, 0.0);
            // Rows on bounds of cache lines: a vector across two of them is slow to read again after it was written.
            let aligned = scratch.scores.as_ptr().align_offset(align_of::<Line>()).min(PANEL);
            for head in 0..self.heads {
                let text = &qkv[first * stride + head * size..];
                scratch.pack(text, stride, features, length, size);
                for row in (0..length).step_by(TILE) {
                    let rows = TILE.min(length - row);
                    let keys = if self.causal { row + rows } else { length };
                    let queries = Rows { data: &text[row * stride..], stride };
                    let scores = &mut scratch.scores[aligned..][..TILE * padded];
                    // Whole panels: those past the keys are products with zeros, and softmax overwrites them.
                    let whole = keys.next_multiple_of(PANEL);
                    multiply(width, rows, size, whole, queries, &scratch.keys, &[], scores, padded);
                    if let Some(bias) = &self.bias {
                        let middle = bias.longest - 1;
                        add_diagonal(width, scores, padded, rows, keys, bias.head(head), middle - row);
                    }
                    let reach = if self.causal {
                        Reach { rows, keys: row + 1, step: 1 }
                    } else {
                        Reach { rows, keys: length, step: 0 }
                    };
                    softmax(width, scores, padded, reach, self.scale);
                    let weights = Rows { data: scores, stride: padded };
                    let to = &mut out[(first + row) * features + head * size..];
                    multiply(width, rows, keys, size, weights, &scratch.values, &[], to, features);
                }
            }
            first += length;
        }
    }
}

impl Scratch {
    /// Packs keys and values of one head of one text, whose queries begin at `text`.
    fn pack(&mut self, text: &[f32], stride: usize, features: usize, length: usize, size: usize) {
        self.keys.resize(size, length.next_multiple_of(PANEL));
        self.values.resize(length, size);
        for token in 0..length {
            let key = &text[token * stride + features..][..size];
            let lines = self.keys.panel_mut(token / PANEL);
            key.iter().zip(lines).for_each(|(&value, line)| line.0[token % PANEL] = value);
            let value = &text[token * stride + 2 * features..][..size];
            for (panel, part) in value.chunks(PANEL).enumerate() {
                let Line(line) = &mut self.values.panel_mut(panel)[token];
                line[..part.len()].copy_from_slice(part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(at: usize) -> f32 {
        ((at * 2_654_435_761) % 1_000_003) as f32 / 500_000.0 - 1.0
    }

    /// The definition, in double precision.
    fn expected(attention: &Attention, qkv: &[f32], lengths: &[usize]) -> Vec<f64> {
        let (features, size) = (attention.features(), attention.size);
        let mut out = Vec::new();
        let mut first = 0;
        for &length in lengths {
            for query in 0..length {
                for head in 0..attention.heads {
                    let at = |token: usize, part: usize, i: usize| {
                        f64::from(qkv[(first + token) * 3 * features + part * features + head * size + i])
                    };
                    let seen = if attention.causal { query + 1 } else { length };
                    let weights: Vec<f64> = (0..seen)
                        .map(|key| {
                            let dot: f64 = (0..size).map(|i| at(query, 0, i) * at(key, 1, i)).sum();
                            let bias = attention.bias.as_ref().map_or(0.0, |bias| {
                                f64::from(bias.head(head)[(bias.longest - 1 + key).strict_sub(query)])
                            });
                            (f64::from(attention.scale) * (dot + bias)).exp()
                        })
                        .collect();
                    let total: f64 = weights.iter().sum();
                    for i in 0..size {
                        out.push(weights.iter().enumerate().map(|(key, w)| w / total * at(key, 2, i)).sum());
                    }
                }
            }
            first += length;
        }
        out
    }

    #[test]
    fn attention_follows_its_definition_with_and_without_mask_and_bias_at_every_width() {
        let lengths = [1, 7, 40, 33];
        let tokens: usize = lengths.iter().sum();
        let bias = DistanceBias::new(3, 40, |head, distance| head as f32 * 0.1 - distance as f32 * 0.05);
        for (size, causal, bias) in [(8, false, None), (40, true, None), (32, false, Some(bias))] {
            let attention = Attention { heads: 3, size, scale: 0.7, causal, bias };
            let qkv: Vec<f32> = (0..tokens * 9 * size).map(value).collect();
            let run = |width| {
                let mut out = vec![f32::NAN; tokens * 3 * size];
                attention.apply(width, &qkv, &lengths, &mut Scratch::default(), &mut out);
                out
            };
            let portable = run(Width::Portable);
            for (at, (&actual, expected)) in portable.iter().zip(expected(&attention, &qkv, &lengths)).enumerate() {
                assert!((f64::from(actual) - expected).abs() < 1e-5, "size {size}, value {at}: {actual} {expected}");
            }
            for width in Width::available() {
                assert_eq!(run(width), portable, "{width:?}, size {size}");
            }
        }
    }
}
