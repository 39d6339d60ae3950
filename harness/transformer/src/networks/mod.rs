//! Forward passes over packed tokens: the texts of a block one after the other, each at its own length, no padding.

pub(crate) mod bert;
pub(crate) mod gpt2;
pub(crate) mod t5;

use trailmark_core::Failure;

use crate::kernels::attention::{Attention, Scratch};
use crate::kernels::product::TILE;
use crate::kernels::rows::{Activation, activate};
use crate::kernels::{Linear, Width};

/// Values between the two products of a feed-forward block that are there at once: they stay in the second-level
/// cache, which is 1 MiB to 2 MiB on processors of these years.
const FEED_VALUES: usize = 192 * 1536;

/// Rows that go through a feed-forward block together, each with that many values between the products.
fn feed_rows(values: usize) -> usize {
    (FEED_VALUES / values.max(1) / TILE * TILE).max(TILE)
}

/// A frozen network: ids in, hidden states out. A text's states must not depend on the texts beside it.
pub trait Network: Send + Sync {
    /// Features of a hidden state.
    fn hidden_size(&self) -> usize;

    /// Layers after the embeddings.
    fn n_layers(&self) -> usize;

    /// Bytes of its weights.
    fn weight_bytes(&self) -> u64;

    /// Bytes that a block of `tokens` tokens needs, the longest text having `longest`.
    fn block_bytes(&self, tokens: usize, longest: usize) -> u64;

    /// Runs a block of texts, each with at least one id, up to hidden state `last`, and shows every state on the way:
    /// 0 for the embeddings, `n_layers` for the last layer with what the network puts after it. A state is
    /// (tokens, hidden_size), the texts one after the other.
    ///
    /// # Errors
    /// [`Failure`] when an operation fails, which would be a broken invariant.
    fn forward(
        &self,
        texts: &[&[u32]],
        last: usize,
        workspace: &mut Workspace,
        show: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<(), Failure>;
}

/// Memory that one thread uses for one block after the other.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    lengths: Vec<usize>,
    x: Vec<f32>,       // (tokens, hidden)
    normed: Vec<f32>,  // (tokens, hidden)
    qkv: Vec<f32>,     // (tokens, 3 * features of all heads)
    context: Vec<f32>, // (tokens, features of all heads)
    inner: Vec<f32>,   // (feed_rows, outputs of the first product)
    gated: Vec<f32>,   // (feed_rows, inputs of the second product), where it is not in place
    y: Vec<f32>,       // (tokens, hidden)
    attention: Scratch,
}

impl Workspace {
    /// Takes the shape of a block. What it holds is not cleared: every part is written before it is read.
    fn prepare(&mut self, texts: &[&[u32]], hidden: usize, features: usize) {
        self.lengths.clear();
        self.lengths.extend(texts.iter().map(|ids| ids.len()));
        let tokens: usize = self.lengths.iter().sum();
        for part in [&mut self.x, &mut self.normed, &mut self.y] {
            fit(part, tokens * hidden);
        }
        fit(&mut self.qkv, tokens * 3 * features);
        fit(&mut self.context, tokens * features);
    }

    /// Self-attention: `from` is `x` or `normed`; the result is in `y`.
    fn attend(&mut self, width: Width, normed: bool, attention: &Attention, qkv: &Linear, output: &Linear) {
        let from = if normed { &self.normed } else { &self.x };
        qkv.apply(width, from, &mut self.qkv);
        attention.apply(width, &self.qkv, &self.lengths, &mut self.attention, &mut self.context);
        output.apply(width, &self.context, &mut self.y);
    }

    /// The feed-forward block: `from` is `x` or `normed`; the result is in `y`.
    fn feed(&mut self, width: Width, normed: bool, up: &Linear, activation: Activation, down: &Linear) {
        let from = if normed { &self.normed } else { &self.x };
        let hidden = down.outputs();
        let at_once = feed_rows(up.outputs()) * hidden;
        for (from, to) in from.chunks(at_once).zip(self.y.chunks_mut(at_once)) {
            let rows = from.len() / hidden;
            fit(&mut self.inner, rows * up.outputs());
            up.apply(width, from, &mut self.inner);
            activate(width, activation, &mut self.inner);
            down.apply(width, &self.inner, to);
        }
    }
}

/// Gives a part its length. Exactly, since a vector that grows by itself takes up to twice what [`workspace_bytes`] says.
fn fit(part: &mut Vec<f32>, length: usize) {
    part.reserve_exact(length.saturating_sub(part.len()));
    part.resize(length, 0.0);
}

/// Bytes of a [`Workspace`].
fn workspace_bytes(tokens: usize, longest: usize, hidden: usize, inner: usize, attention: &Attention) -> u64 {
    let floats = tokens * (3 * hidden + 4 * attention.features()) + tokens.min(feed_rows(inner)) * inner;
    4 * floats as u64 + attention.scratch_bytes(longest)
}

/// Copies rows of a table, (rows, hidden).
fn look_up(table: &[f32], hidden: usize, texts: &[&[u32]], x: &mut [f32]) {
    for (&id, row) in texts.iter().copied().flatten().zip(x.chunks_exact_mut(hidden)) {
        row.copy_from_slice(&table[id as usize * hidden..][..hidden]);
    }
}

/// Adds the table of positions, (positions, hidden), from the start of each text.
fn add_positions(table: &[f32], hidden: usize, texts: &[&[u32]], x: &mut [f32]) {
    let mut rows = x.chunks_exact_mut(hidden);
    for text in texts {
        for position in table.chunks_exact(hidden).take(text.len()) {
            let Some(row) = rows.next() else { return };
            row.iter_mut().zip(position).for_each(|(x, position)| *x += position);
        }
    }
}

#[cfg(test)]
mod tests;
