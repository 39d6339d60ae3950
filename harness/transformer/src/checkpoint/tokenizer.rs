//! Text to ids: `tokenizer.json`, or a BERT tokenizer built from `vocab.txt`, or a GPT-2 tokenizer built from
//! `vocab.json` and `merges.txt`.
//!
//! A `tokenizer.json` may carry fixed padding and a truncation of its own (that of all-MiniLM-L6-v2 pads and cuts to
//! 128). Both are switched off; the caller says how many tokens a text may have.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokenizers::models::bpe::BPE;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::{AddedToken, ModelWrapper, TruncationDirection, TruncationParams};

use super::{CheckpointError, Folder};

const JSON: &str = "tokenizer.json";
const VOCAB: &str = "vocab.txt";
const VOCAB_JSON: &str = "vocab.json";
const MERGES: &str = "merges.txt";
const END_OF_TEXT: &str = "<|endoftext|>";
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// The ids of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Ids with the special tokens around them, never empty.
    pub(crate) ids: Vec<u32>,
    /// True when the text had more.
    pub(crate) truncated: bool,
    /// How many of them are the unknown piece.
    pub(crate) unknown: usize,
    /// How many of them come from the text.
    pub(crate) content: usize,
}

/// A tokenizer that gives one text at most `max_tokens` ids, special tokens included.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    inner: tokenizers::Tokenizer,
    unknown: Option<u32>,
    stand_in: Option<u32>,
}

/// The side on which a longer text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Its end goes.
    Right,
    /// Its beginning goes.
    Left,
}

/// `tokenizer_config.json`; the defaults are those of transformers' `BertTokenizer` and `GPT2Tokenizer`.
#[derive(Deserialize)]
struct Wire {
    #[serde(default = "yes")]
    do_lower_case: bool,
    #[serde(default = "yes")]
    tokenize_chinese_chars: bool,
    #[serde(default)]
    strip_accents: Option<bool>,
    #[serde(default)]
    add_prefix_space: bool,
}

fn yes() -> bool {
    true
}

impl Default for Wire {
    fn default() -> Self {
        Self { do_lower_case: true, tokenize_chinese_chars: true, strip_accents: None, add_prefix_space: false }
    }
}

impl Tokenizer {
    /// Reads `tokenizer.json`; without one, builds BERT's from `vocab.txt`, or GPT-2's from `vocab.json` and
    /// `merges.txt`, each with `tokenizer_config.json` where present. `stand_in` is read for a text without tokens.
    ///
    /// # Errors
    /// When none is there, or it gives ids for which the model has no embedding.
    pub(crate) fn read(
        folder: &mut Folder,
        vocab_size: usize,
        max_tokens: usize,
        side: Side,
        stand_in: Option<u32>,
    ) -> Result<Self, CheckpointError> {
        let (name, mut inner) = if folder.has(JSON) {
            let bytes = folder.read(JSON)?;
            let inner = tokenizers::Tokenizer::from_bytes(&bytes).map_err(|error| refuse(folder, JSON, &error))?;
            (JSON, inner)
        } else if folder.has(VOCAB) {
            (VOCAB, from_vocab(folder)?)
        } else if folder.has(VOCAB_JSON) && folder.has(MERGES) {
            (VOCAB_JSON, from_merges(folder)?)
        } else if folder.has("spiece.model") {
            return Err(folder.missing(
                JSON,
                "spiece.model alone is not read; convert it with transformers: \
                 AutoTokenizer.from_pretrained(folder).save_pretrained(folder)",
            ));
        } else {
            return Err(folder.missing(
                JSON,
                "without it, vocab.txt is enough for a BERT tokenizer, vocab.json with merges.txt for GPT-2's; \
                 neither is there",
            ));
        };
        inner.with_padding(None);
        let direction = match side {
            Side::Right => TruncationDirection::Right,
            Side::Left => TruncationDirection::Left,
        };
        let truncation = TruncationParams { max_length: max_tokens, direction, ..TruncationParams::default() };
        inner.with_truncation(Some(truncation)).map_err(|error| refuse(folder, name, &error))?;
        let largest = inner.get_vocab(true).into_values().max().unwrap_or(0);
        if largest as usize >= vocab_size {
            return Err(CheckpointError::Vocabulary { path: folder.file(name), largest, vocab_size });
        }
        let unknown = match inner.get_model() {
            ModelWrapper::WordPiece(model) => inner.token_to_id(&model.unk_token),
            ModelWrapper::BPE(model) => model.get_unk_token().as_ref().and_then(|token| inner.token_to_id(token)),
            ModelWrapper::Unigram(_) => inner.token_to_id("<unk>"),
            ModelWrapper::WordLevel(_) => inner.token_to_id("[UNK]"),
        };
        Ok(Self { inner, unknown, stand_in })
    }

    /// The ids of a text.
    ///
    /// # Errors
    /// The tokenizer's own words when it cannot.
    pub(crate) fn encode(&self, text: &str) -> Result<Tokens, String> {
        let encoding = self.inner.encode_fast(text, true).map_err(|error| error.to_string())?;
        let special = encoding.get_special_tokens_mask().iter().filter(|&&special| special == 1).count();
        let ids = encoding.get_ids().to_vec();
        if ids.is_empty() {
            let id = self.stand_in.ok_or_else(|| {
                "the tokenizer gives no token at all, and config.json names no bos_token_id or eos_token_id that could \
                 stand for it"
                    .to_owned()
            })?;
            return Ok(Tokens { ids: vec![id], truncated: false, unknown: 0, content: 0 });
        }
        Ok(Tokens {
            truncated: !encoding.get_overflowing().is_empty(),
            unknown: ids.iter().filter(|&&id| Some(id) == self.unknown).count(),
            content: ids.len() - special,
            ids,
        })
    }
}

fn refuse(folder: &Folder, name: &str, error: &dyn std::fmt::Display) -> CheckpointError {
    CheckpointError::Tokenizer { path: folder.file(name), reason: error.to_string() }
}

/// What transformers builds from the same two files.
fn from_vocab(folder: &mut Folder) -> Result<tokenizers::Tokenizer, CheckpointError> {
    let wire: Wire = folder.json("tokenizer_config.json")?.unwrap_or_default();
    let bytes = folder.read(VOCAB)?;
    let vocab = WordPiece::read_bytes(&bytes).map_err(|error| refuse(folder, VOCAB, &error))?;
    let id = |token: &str| {
        vocab.get(token).copied().ok_or_else(|| refuse(folder, VOCAB, &format!("it has no line {token}")))
    };
    let (cls, sep) = (id("[CLS]")?, id("[SEP]")?);
    id("[UNK]")?;
    let special: Vec<AddedToken> = SPECIAL
        .iter()
        .filter(|token| vocab.contains_key(**token))
        .map(|token| AddedToken::from(*token, true))
        .collect();
    let model = WordPiece::builder().vocab(vocab).build().map_err(|error| refuse(folder, VOCAB, &error))?;
    let mut inner = tokenizers::Tokenizer::new(model);
    let normalizer = BertNormalizer::new(true, wire.tokenize_chinese_chars, wire.strip_accents, wire.do_lower_case);
    inner.with_normalizer(Some(normalizer)).map_err(|error| refuse(folder, VOCAB, &error))?;
    inner.with_pre_tokenizer(Some(BertPreTokenizer));
    inner.with_post_processor(Some(BertProcessing::new(("[SEP]".to_owned(), sep), ("[CLS]".to_owned(), cls))));
    inner.add_special_tokens(special).map_err(|error| refuse(folder, VOCAB, &error))?;
    Ok(inner)
}

/// What transformers builds of GPT-2's two files.
fn from_merges(folder: &mut Folder) -> Result<tokenizers::Tokenizer, CheckpointError> {
    let wire: Wire = folder.json("tokenizer_config.json")?.unwrap_or_default();
    let vocab: BTreeMap<String, u32> = folder.json(VOCAB_JSON)?.unwrap_or_default();
    let bytes = folder.read(MERGES)?;
    let text = String::from_utf8(bytes).map_err(|error| refuse(folder, MERGES, &error))?;
    let mut merges = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("#version") || line.is_empty() {
            continue;
        }
        let Some((left, right)) = line.split_once(' ') else {
            return Err(refuse(folder, MERGES, &format!("line {} is not two pieces with a space between", at + 1)));
        };
        merges.push((left.to_owned(), right.to_owned()));
    }
    let special = vocab.contains_key(END_OF_TEXT).then(|| AddedToken::from(END_OF_TEXT, true));
    let model = BPE::builder()
        .vocab_and_merges(vocab.into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges)
        .build()
        .map_err(|error| refuse(folder, MERGES, &error))?;
    let mut inner = tokenizers::Tokenizer::new(model);
    inner.with_pre_tokenizer(Some(ByteLevel::new(wire.add_prefix_space, true, true)));
    inner.add_special_tokens(special).map_err(|error| refuse(folder, VOCAB_JSON, &error))?;
    Ok(inner)
}
