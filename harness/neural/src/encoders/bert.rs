//! `bert`: a frozen sentence encoder from a Hugging Face folder of the BERT architecture.
//!
//! A text is cut into word pieces, at most `max_tokens` with `[CLS]` and `[SEP]`; the last layer's vectors of its
//! tokens, special ones included, are pooled into one. The empty text is `[CLS] [SEP]` and has a vector as any other.
//! Identical texts are encoded once. The others are sorted by length and cut into batches by a rule that knows only
//! the texts, and each batch runs on one thread: the number of threads changes no bit.

use std::collections::BTreeMap;
use std::sync::Mutex;

use trailmark_core::catalogue::{BuildError, EncoderEntry};
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{
    Embeddings, Failure, FailureClass, Matrix, ParamKind, ParamSpec, ParamValue, Params, SequenceView, Spec,
};

use super::batches::{cut, in_parallel};
use crate::checkpoint::config::{BertConfig, SentenceConfig};
use crate::checkpoint::tokenizer::{Tokenizer, Tokens};
use crate::checkpoint::weights::Weights;
use crate::checkpoint::{CheckpointError, Folder};
use crate::networks::bert::Bert;

pub(crate) static SPEC: Spec = Spec {
    name: "bert",
    summary: "Frozen BERT over the readable text of a sequence, one pooled vector each",
    reference: "Devlin et al. 2019, NAACL; Reimers and Gurevych 2019, EMNLP. Agrees with sentence-transformers",
    revision: 1,
    params: &[
        ParamSpec {
            name: "model",
            summary: "Name of a model manifest such as \"minilm\", a hub id, or a folder with config.json, \
                      model.safetensors and tokenizer.json or vocab.txt",
            kind: ParamKind::Text,
            default: ParamDefault::Required,
        },
        ParamSpec {
            name: "pooling",
            summary: "Mean over the tokens, the first token, or the largest value of each feature",
            kind: ParamKind::Choice(&["mean", "cls", "max"]),
            default: ParamDefault::Text("mean"),
        },
        ParamSpec {
            name: "max_tokens",
            summary: "Longest text in tokens, [CLS] and [SEP] included; left out: the model's own (the smaller of \
                      max_position_embeddings and max_seq_length)",
            kind: ParamKind::Integer { min: 3, max: i64::MAX },
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "normalize",
            summary: "Scale vectors to length 1; left out: as the model's modules.json says, and not without one",
            kind: ParamKind::Flag,
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "prefix",
            summary: "Put before every text; some models ask for \"query: \"",
            kind: ParamKind::Text,
            default: ParamDefault::Text(""),
        },
        ParamSpec {
            name: "batch_tokens",
            summary: "Tokens in a batch, padding counted",
            kind: ParamKind::Integer { min: 1, max: 1 << 20 },
            default: ParamDefault::Integer(2048),
        },
    ],
};

pub(crate) const ENTRY: EncoderEntry = EncoderEntry { spec: &SPEC, build };

/// Above this share of unknown pieces the reader is warned: the model does not read this language or notation.
const UNKNOWN_WARNING: f64 = 0.05;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pooling {
    Mean,
    Cls,
    Max,
}

impl Pooling {
    fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::Max => "max",
        }
    }

    /// Pools a text's token vectors, (length, hidden) row-major, into (hidden,).
    fn pool(self, tokens: &[f32], hidden: usize) -> Vec<f32> {
        match self {
            Self::Cls => tokens[..hidden].to_vec(),
            Self::Max => tokens.chunks_exact(hidden).fold(vec![f32::NEG_INFINITY; hidden], |mut best, token| {
                best.iter_mut().zip(token).for_each(|(best, value)| *best = best.max(*value));
                best
            }),
            Self::Mean => {
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

#[derive(Debug)]
struct BertEncoder {
    network: Bert,
    tokenizer: Tokenizer,
    fingerprint: String,
    pooling: Pooling,
    /// The pooling that the model's folder names, where it names one.
    trained_pooling: Option<&'static str>,
    normalize: bool,
    prefix: String,
    max_tokens: usize,
    batch_tokens: usize,
}

fn build(params: &Params, assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    let name = params.text("model");
    let path = assets.model(name).map_err(BuildError)?;
    let encoder = Folder::open(&path)
        .and_then(|folder| BertEncoder::load(params, folder))
        .map_err(|error| BuildError(format!("model {name:?}: {}", error.with_causes())))?;
    Ok(Box::new(encoder))
}

impl BertEncoder {
    fn load(params: &Params, mut folder: Folder) -> Result<Self, CheckpointError> {
        let config = BertConfig::read(&mut folder)?;
        let sentence = SentenceConfig::read(&mut folder)?;
        let limit = config.max_position_embeddings;
        let max_tokens = match params.try_size("max_tokens") {
            Some(asked) if asked > limit => return Err(CheckpointError::MaxTokens { asked, limit }),
            Some(asked) => asked,
            None => sentence.max_seq_length.unwrap_or(limit).min(limit),
        };
        let tokenizer = Tokenizer::read(&mut folder, config.vocab_size, max_tokens)?;
        let network = Bert::new(&Weights::read(&mut folder)?, config)?;
        Ok(Self {
            network,
            tokenizer,
            fingerprint: folder.fingerprint(),
            pooling: match params.text("pooling") {
                "cls" => Pooling::Cls,
                "max" => Pooling::Max,
                _ => Pooling::Mean,
            },
            trained_pooling: sentence.pooling,
            normalize: match params.get("normalize") {
                Some(ParamValue::Flag(value)) => *value,
                _ => sentence.normalize,
            },
            prefix: params.text("prefix").to_owned(),
            max_tokens,
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

    /// One vector per text of a batch, (batch, hidden).
    fn encode(&self, batch: &[&[u32]]) -> Result<Vec<Vec<f32>>, Failure> {
        let bug = |error: candle_core::Error| Failure::bug(format!("the forward pass failed: {error}"));
        let output = self.network.forward(batch).map_err(bug)?;
        let (_, seq_len, hidden) = output.dims3().map_err(bug)?;
        let values = output.flatten_all().and_then(|flat| flat.to_vec1::<f32>()).map_err(bug)?;
        let pooled = batch.iter().zip(values.chunks_exact(seq_len * hidden)).map(|(ids, rows)| {
            let mut vector = self.pooling.pool(&rows[..ids.len() * hidden], hidden);
            if self.normalize {
                let norm = vector.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt().max(1e-12);
                vector.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
            }
            vector
        });
        Ok(pooled.collect())
    }

    /// Refuses what would not fit, before the first product.
    fn check_memory(&self, samples: usize, batches: &[usize], longest: usize, ctx: &Context) -> Result<(), Failure> {
        let vectors = 8 * samples as u64 * self.network.config().hidden_size as u64;
        let widest = batches.iter().copied().max().unwrap_or(0);
        let at_once = ctx.threads.clamp(1, batches.len().max(1)) as u64;
        let need = self.network.weight_bytes() + vectors + at_once * self.network.batch_bytes(widest, longest);
        if need <= ctx.memory_bytes {
            return Ok(());
        }
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        Err(Failure::new(
            FailureClass::Oom,
            format!(
                "encoding {samples} texts needs about {} MiB, and {} MiB are allowed; a smaller batch_tokens or fewer \
                 threads need less",
                mib(need),
                mib(ctx.memory_bytes)
            ),
        ))
    }
}

impl Encoder for BertEncoder {
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

#[derive(Debug)]
struct Fitted<'a> {
    encoder: &'a BertEncoder,
    seen: Mutex<Seen>,
}

impl Transform for Fitted<'_> {
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let encoder = self.encoder;
        // Rows of each distinct text, ascending by text.
        let mut distinct: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for row in 0..rows.len() {
            distinct.entry(rows.text(row)).or_default().push(row);
        }
        let (texts, owners): (Vec<&str>, Vec<Vec<usize>>) = distinct.into_iter().unzip();
        let tokens: Vec<Tokens> = in_parallel(texts.len(), ctx.threads, |at| encoder.tokenize(texts[at]))
            .into_iter()
            .collect::<Result<_, _>>()?;

        // Stable, so that texts of one length stay in the order of the texts.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&at| tokens[at].ids.len());
        let lengths: Vec<usize> = order.iter().map(|&at| tokens[at].ids.len()).collect();
        let batches = cut(&lengths, encoder.batch_tokens);
        let sizes: Vec<usize> = batches.iter().map(|batch| batch.len() * lengths[batch.end - 1]).collect();
        encoder.check_memory(rows.len(), &sizes, lengths.last().copied().unwrap_or(0), ctx)?;

        let vectors = in_parallel(batches.len(), ctx.threads, |batch| {
            let ids: Vec<&[u32]> = order[batches[batch].clone()].iter().map(|&at| tokens[at].ids.as_slice()).collect();
            encoder.encode(&ids)
        });
        let mut matrix = Matrix::zeros(rows.len(), encoder.network.config().hidden_size);
        for (batch, vectors) in batches.iter().zip(vectors) {
            for (&at, vector) in order[batch.clone()].iter().zip(vectors?) {
                owners[at].iter().for_each(|&row| matrix.row_mut(row).copy_from_slice(&vector));
            }
        }
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (tokens, owners) in tokens.iter().zip(&owners) {
            let times = owners.len() as u64;
            seen.texts += times;
            seen.truncated += times * u64::from(tokens.truncated);
            seen.content += times * tokens.content as u64;
            seen.unknown += times * tokens.unknown as u64;
        }
        drop(seen);
        Embeddings::new(matrix).map_err(|error| Failure::from_error(FailureClass::Degenerate, &error))
    }

    fn warnings(&self) -> Vec<String> {
        let seen = *self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let encoder = self.encoder;
        let mut warnings = Vec::new();
        if seen.truncated > 0 {
            warnings.push(format!(
                "{} of {} texts are longer than {} tokens and were cut at their end",
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
