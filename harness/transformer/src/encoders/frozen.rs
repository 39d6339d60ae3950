//! What all pretrained encoders do around their network.
//!
//! Identical texts are encoded once. The others are tokenised a slice at a time, so that the ids of all texts are never
//! there together, sorted by length and cut into blocks by a rule that knows only the texts. Each block runs on one
//! thread without padding, and the hidden states asked for are pooled into one vector a text. A text has the same
//! vector, bit for bit, alone, in any company and with any number of threads.

use std::sync::{Mutex, PoisonError};

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::{Embeddings, Failure, FailureClass, Matrix, ParamValue, Params, SequenceView};

use super::blocks::{cut, in_parallel};
use super::memory::{self, Extent};
use super::pooling::{Pooling, normalize};
use crate::checkpoint::sentence::SentenceConfig;
use crate::checkpoint::tokenizer::{Side, Tokenizer, Tokens};
use crate::checkpoint::{CheckpointError, Folder, Weights};
use crate::networks::{Network, Workspace};

/// Above this share of unknown pieces the reader is warned: the model does not read this language or notation.
const UNKNOWN_WARNING: f64 = 0.05;

/// An architecture: how to read its settings, and how to make its network.
#[derive(Debug, Clone, Copy)]
pub struct Family<C> {
    /// Reads `config.json`.
    pub read: fn(&mut Folder) -> Result<C, CheckpointError>,
    /// What the settings say of texts.
    pub sizes: fn(&C) -> Sizes,
    /// Makes the network for texts of up to that many tokens.
    pub network: fn(&Weights, C, usize) -> LoadedNetwork,
}

/// A network, or what its weights lack.
pub type LoadedNetwork = Result<Box<dyn Network>, CheckpointError>;

/// What a model's settings say of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Word embeddings; every id is below.
    pub vocab_size: usize,
    /// Longest text, unless the suite or `sentence_bert_config.json` says otherwise.
    pub usual_tokens: usize,
    /// Longest text that can be asked for, where there is an end.
    pub most_tokens: Option<usize>,
    /// What stands for a text without tokens.
    pub stand_in: Option<u32>,
}

struct FrozenEncoder {
    network: Box<dyn Network>,
    tokenizer: Tokenizer,
    fingerprint: String,
    pooling: Pooling,
    /// The pooling that the model's folder names, where it names one.
    trained_pooling: Option<&'static str>,
    /// The hidden state to pool.
    layer: usize,
    normalize: bool,
    prefix: String,
    max_tokens: usize,
    side: Side,
    batch_tokens: usize,
}

/// Makes an encoder of a family from its parameters.
///
/// # Errors
/// When the model's folder is missing, damaged, or of another architecture, or the parameters ask for what it has not.
pub fn build<C>(params: &Params, assets: &dyn Assets, family: &Family<C>) -> Result<Box<dyn Encoder>, BuildError> {
    let name = params.text("model");
    let path = assets.model(name).map_err(BuildError)?;
    let encoder = Folder::open(&path)
        .and_then(|folder| FrozenEncoder::load(params, folder, family))
        .map_err(|error| BuildError(format!("model {name:?}: {}", error.with_causes())))?;
    Ok(Box::new(encoder))
}

impl FrozenEncoder {
    fn load<C>(params: &Params, mut folder: Folder, family: &Family<C>) -> Result<Self, CheckpointError> {
        let config = (family.read)(&mut folder)?;
        let sizes = (family.sizes)(&config);
        let sentence = SentenceConfig::read(&mut folder)?;
        let limit = sizes.most_tokens.unwrap_or(usize::MAX);
        let max_tokens = match params.try_size("max_tokens") {
            Some(asked) if asked > limit => return Err(CheckpointError::MaxTokens { asked, limit }),
            Some(asked) => asked,
            None => sentence.max_seq_length.unwrap_or(sizes.usual_tokens).min(limit),
        };
        let side = if params.text("truncation_side") == "left" { Side::Left } else { Side::Right };
        let tokenizer = Tokenizer::read(&mut folder, sizes.vocab_size, max_tokens, side, sizes.stand_in)?;
        let network = (family.network)(&Weights::read(&mut folder)?, config, max_tokens)?;
        let layers = network.n_layers();
        let layer = params.try_size("layer").unwrap_or(layers);
        if layer > layers {
            return Err(CheckpointError::Layer { asked: layer, layers });
        }
        Ok(Self {
            network,
            tokenizer,
            fingerprint: folder.fingerprint(),
            pooling: Pooling::from_name(params.text("pooling")),
            trained_pooling: sentence.pooling,
            layer,
            normalize: match params.get("normalize") {
                Some(ParamValue::Flag(value)) => *value,
                _ => sentence.normalize,
            },
            prefix: params.text("prefix").to_owned(),
            max_tokens,
            side,
            batch_tokens: params.size("batch_tokens"),
        })
    }

    fn tokenize(&self, text: &str) -> Result<Tokens, Failure> {
        let tokens = if self.prefix.is_empty() {
            self.tokenizer.encode(text)
        } else {
            self.tokenizer.encode(&format!("{}{text}", self.prefix))
        };
        tokens.map_err(|reason| Failure::bad_input(format!("the tokenizer refuses a text: {reason}")))
    }

    /// One vector per text of a block, (texts, hidden).
    fn encode(&self, workspace: &mut Workspace, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, Failure> {
        let hidden = self.network.hidden_size();
        let wanted = self.pooling.states(self.layer);
        let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(texts.len());
        self.network.forward(texts, self.layer, workspace, &mut |at, states| {
            if !wanted.contains(&at) {
                return;
            }
            let mut rest = states;
            for (text, ids) in texts.iter().enumerate() {
                let (tokens, after) = rest.split_at(ids.len() * hidden);
                rest = after;
                let pooled = self.pooling.pool(tokens, hidden);
                match vectors.get_mut(text) {
                    None => vectors.push(pooled),
                    // The second of two states: their average.
                    Some(first) => {
                        first.iter_mut().zip(pooled).for_each(|(first, last)| *first = 0.5 * (*first + last))
                    }
                }
            }
        })?;
        if self.normalize {
            vectors.iter_mut().for_each(|vector| normalize(vector));
        }
        Ok(vectors)
    }

    /// Refuses what would not fit, before the first text is tokenised.
    fn check_memory(&self, extent: &Extent, ctx: &Context) -> Result<(), Failure> {
        let network = &*self.network;
        let longest = extent.longest_tokens(self.prefix.len(), self.max_tokens);
        let widest = self.batch_tokens.max(longest).min(extent.most_tokens(self.prefix.len()));
        let threads = ctx.threads.clamp(1, extent.n_distinct.max(1)) as u64;
        let at_once = network.block_bytes(widest, longest)
            + memory::pooled(widest, network.hidden_size())
            + memory::tokenizing(extent, self.prefix.len());
        let need = network.weight_bytes()
            + memory::rows_and_vectors(extent.n_rows, network.hidden_size())
            + memory::slice(extent, self.prefix.len())
            + threads * at_once;
        if need <= ctx.memory_bytes {
            return Ok(());
        }
        Err(Failure::new(
            FailureClass::Oom,
            format!(
                "encoding {} texts needs about {} MiB, and {} MiB are allowed; a smaller batch_tokens or fewer threads \
                 need less",
                extent.n_rows,
                need.div_ceil(1 << 20),
                ctx.memory_bytes >> 20
            ),
        ))
    }

    /// Encodes distinct texts, each with the rows that hold it, into `matrix`.
    fn encode_slice(
        &self,
        texts: &[(&str, &[usize])],
        workers: &mut [Workspace],
        matrix: &Mutex<Matrix<f32>>,
    ) -> Result<Seen, Failure> {
        let tokens: Vec<Tokens> =
            in_parallel(texts.len(), &mut vec![(); workers.len()], |(), at| self.tokenize(texts[at].0))
                .into_iter()
                .collect::<Result<_, _>>()?;
        // Stable, so that texts of one length stay in the order of the texts.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&at| tokens[at].ids.len());
        let lengths: Vec<usize> = order.iter().map(|&at| tokens[at].ids.len()).collect();
        let blocks = cut(&lengths, self.batch_tokens);
        let done = in_parallel(blocks.len(), workers, |workspace, block| {
            let block = &order[blocks[block].clone()];
            let ids: Vec<&[u32]> = block.iter().map(|&at| tokens[at].ids.as_slice()).collect();
            let vectors = self.encode(workspace, &ids)?;
            // Every row is written once, so the order of the threads does not matter.
            let mut matrix = matrix.lock().unwrap_or_else(PoisonError::into_inner);
            for (&at, vector) in block.iter().zip(vectors) {
                texts[at].1.iter().for_each(|&row| matrix.row_mut(row).copy_from_slice(&vector));
            }
            Ok(())
        });
        done.into_iter().collect::<Result<(), Failure>>()?;
        let mut seen = Seen::default();
        for (tokens, (_, rows)) in tokens.iter().zip(texts) {
            seen.add(tokens, rows.len() as u64);
        }
        Ok(seen)
    }
}

impl Encoder for FrozenEncoder {
    fn scope(&self) -> Scope {
        Scope::Frozen
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn fit<'a>(&'a self, _train: SequenceView<'_>, _ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        Ok(Box::new(Fitted { encoder: self, seen: Mutex::default() }))
    }
}

/// Counts over all rows that were transformed.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    texts: u64,
    truncated: u64,
    content: u64,
    unknown: u64,
}

impl Seen {
    fn add(&mut self, tokens: &Tokens, times: u64) {
        self.texts += times;
        self.truncated += times * u64::from(tokens.truncated);
        self.content += times * tokens.content as u64;
        self.unknown += times * tokens.unknown as u64;
    }

    fn merge(&mut self, other: Self) {
        self.texts += other.texts;
        self.truncated += other.truncated;
        self.content += other.content;
        self.unknown += other.unknown;
    }
}

struct Fitted<'a> {
    encoder: &'a FrozenEncoder,
    seen: Mutex<Seen>,
}

impl Transform for Fitted<'_> {
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let encoder = self.encoder;
        // Equal texts side by side; the length first, so that few comparisons read the texts.
        let mut sorted: Vec<usize> = (0..rows.len()).collect();
        sorted.sort_unstable_by_key(|&row| (rows.text(row).len(), rows.text(row), row));
        let groups =
            || sorted.chunk_by(|&a, &b| rows.text(a) == rows.text(b)).map(|rows_of| (rows.text(rows_of[0]), rows_of));
        encoder.check_memory(&Extent::of(rows.len(), groups().map(|(text, _)| text.len())), ctx)?;

        let matrix = Mutex::new(Matrix::zeros(rows.len(), encoder.network.hidden_size()));
        let mut workers = vec![Workspace::default(); ctx.threads.max(1)];
        let mut seen = Seen::default();
        let mut groups = groups().peekable();
        while groups.peek().is_some() {
            let mut room = memory::Room::default();
            let mut slice = Vec::new();
            while let Some(group) = groups.next_if(|(text, _)| room.takes(text.len() + encoder.prefix.len())) {
                slice.push(group);
            }
            seen.merge(encoder.encode_slice(&slice, &mut workers, &matrix)?);
        }
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).merge(seen);
        let matrix = matrix.into_inner().unwrap_or_else(PoisonError::into_inner);
        Embeddings::new(matrix).map_err(|error| Failure::from_error(FailureClass::Degenerate, &error))
    }

    fn warnings(&self) -> Vec<String> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let encoder = self.encoder;
        let mut warnings = Vec::new();
        if seen.truncated > 0 {
            let side = if encoder.side == Side::Left { "beginning" } else { "end" };
            warnings.push(format!(
                "{} of {} texts are longer than {} tokens and were cut at their {side}",
                seen.truncated, seen.texts, encoder.max_tokens
            ));
        }
        let share = seen.unknown as f64 / seen.content.max(1) as f64;
        if share > UNKNOWN_WARNING {
            warnings.push(format!(
                "{:.1} % of the tokens are unknown to the model: it may not read this language, or the texts hold codes",
                100.0 * share
            ));
        }
        if let Some(trained) = encoder.trained_pooling.filter(|trained| *trained != encoder.pooling.name()) {
            warnings.push(format!(
                "the model's 1_Pooling/config.json says {trained} pooling, the suite uses {}",
                encoder.pooling.name()
            ));
        }
        warnings
    }
}
