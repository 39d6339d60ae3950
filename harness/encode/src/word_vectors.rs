//! Public word vectors over the words of the readable text, pooled over a sample.
//!
//! How a text becomes words: letters and digits make a word, everything else parts words. A word is looked up as it is
//! written, then in lower case. Chinese characters and Japanese kana have no blanks between words, so a run of them is
//! matched against the vocabulary from the left, the longest known word first; a character that begins no known word is
//! one unknown word.

use trailmark_core::catalogue::BuildError;
use trailmark_core::contract::{Assets, Context, Encoder, Scope, Transform};
use trailmark_core::spec::ParamDefault;
use trailmark_core::{Cost, Embeddings, Failure, KeyBuilder, Matrix, ParamKind, ParamSpec, Params, SequenceView, Spec};

use crate::counting::{Counts, dense, embeddings};
use crate::pooling::{POOLING, Pool, Pooling, SIF_A, Vectors};
use crate::word_file::WordFile;

/// Name card.
pub(crate) static SPEC: Spec = Spec {
    name: "word_vectors",
    summary: "word2vec or GloVe vectors from a file, over the words of the readable text, pooled; with pooling = \"mean\" \
              nothing is fitted",
    reference: "Mikolov et al. 2013, arXiv 1310.4546; Pennington, Socher and Manning 2014, EMNLP; sif pooling: Arora, \
                Liang and Ma 2017, ICLR",
    // 2: the direction that sif pooling removes comes from a more exact SVD.
    revision: 2,
    cost: Cost { time: "words * dim", memory: "4 * words in the file * dim, and the file itself while it is read" },
    params: &[
        ParamSpec {
            name: "path",
            summary: "word2vec text or binary, GloVe text, each also as .gz; or .npy with vocabulary",
            kind: ParamKind::Text,
            default: ParamDefault::Required,
        },
        ParamSpec {
            name: "vocabulary",
            summary: "for .npy: text file with one word per line, in the order of the rows",
            kind: ParamKind::Text,
            default: ParamDefault::Absent,
        },
        ParamSpec {
            name: "max_words",
            summary: "read this many words from the start of the file, where the frequent ones are; left out: all",
            kind: ParamKind::Integer { min: 1, max: i64::MAX },
            default: ParamDefault::Absent,
        },
        POOLING,
        SIF_A,
    ],
};

/// Makes the encoder: reads and checks the file.
pub(crate) fn build(params: &Params, assets: &dyn Assets) -> Result<Box<dyn Encoder>, BuildError> {
    let path = assets.path(params.text("path"));
    let vocabulary = params.try_text("vocabulary").map(|path| assets.path(path));
    let (file, content, names) = WordFile::read(&path, vocabulary.as_deref(), params.try_size("max_words"))
        .map_err(|error| BuildError(format!("word_vectors: {error}")))?;
    let fingerprint = KeyBuilder::new("word_vectors").raw("path", &content).raw("vocabulary", &names).finish();
    let longest = file.index.keys().filter(|word| word.chars().next().is_some_and(is_unspaced));
    Ok(Box::new(WordVectors {
        longest: longest.map(|word| word.chars().count()).max().unwrap_or(1),
        file,
        pooling: Pooling::of(params),
        fingerprint: fingerprint.to_string(),
    }))
}

struct WordVectors {
    file: WordFile,
    /// Characters of the longest word of a script without blanks.
    longest: usize,
    pooling: Pooling,
    fingerprint: String,
}

/// Chinese characters and Japanese kana.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x3005..=0x3007 | 0x3040..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff)
}

impl WordVectors {
    fn find(&self, word: &str) -> Option<u32> {
        self.file.index.get(word).or_else(|| self.file.index.get(&word.to_lowercase())).copied()
    }

    /// The known words of a text, and the number of all.
    fn words(&self, text: &str) -> (Vec<u32>, usize) {
        let mut known = Vec::new();
        let mut n_words = 0;
        for run in text.split(|c: char| !c.is_alphanumeric()) {
            let mut rest = run;
            while let Some(first) = rest.chars().next() {
                let unspaced = is_unspaced(first);
                let end = rest.find(|c| is_unspaced(c) != unspaced).unwrap_or(rest.len());
                let (part, after) = rest.split_at(end);
                rest = after;
                if unspaced {
                    self.match_longest(part, &mut known, &mut n_words);
                } else {
                    known.extend(self.find(part));
                    n_words += 1;
                }
            }
        }
        (known, n_words)
    }

    fn match_longest(&self, run: &str, known: &mut Vec<u32>, n_words: &mut usize) {
        let ends: Vec<usize> = run.char_indices().map(|(at, c)| at + c.len_utf8()).collect();
        let (mut at, mut start) = (0, 0);
        while at < ends.len() {
            let most = (at + self.longest).min(ends.len());
            let found =
                (at + 1..=most).rev().find_map(|to| Some((to, *self.file.index.get(&run[start..ends[to - 1]])?)));
            let to = found.map_or(at + 1, |(to, _)| to);
            known.extend(found.map(|(_, word)| word));
            *n_words += 1;
            (at, start) = (to, ends[to - 1]);
        }
    }
}

impl Encoder for WordVectors {
    /// Weights of words are learnt from training samples; a plain mean needs none.
    fn scope(&self) -> Scope {
        if self.pooling == Pooling::Mean { Scope::Frozen } else { Scope::PerFold }
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn fit<'a>(&'a self, train: SequenceView<'_>, ctx: &Context) -> Result<Box<dyn Transform + 'a>, Failure> {
        let WordFile { vectors, .. } = &self.file;
        let pool = if self.pooling == Pooling::Mean {
            Pool::mean(vectors.cols())
        } else {
            let samples: Vec<Vec<u32>> = (0..train.len()).map(|i| self.words(train.text(i)).0).collect();
            Pool::fit(self.pooling, vectors.cols(), &samples, vectors.rows(), vectors, ctx)?
        };
        Ok(Box::new(Fitted { encoder: self, pool, counts: Counts::default() }))
    }
}

impl Vectors for Matrix<f32> {
    fn vector(&self, word: u32) -> &[f32] {
        self.row(word as usize)
    }
}

struct Fitted<'a> {
    encoder: &'a WordVectors,
    pool: Pool,
    counts: Counts,
}

impl Transform for Fitted<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "embeddings are f32, rounded once")]
    fn transform(&self, rows: SequenceView<'_>, ctx: &Context) -> Result<Embeddings, Failure> {
        let vectors = &self.encoder.file.vectors;
        let mut x = dense(rows.len(), vectors.cols(), "raise --memory", ctx)?;
        for i in 0..rows.len() {
            let (known, n_words) = self.encoder.words(rows.text(i));
            self.counts.row(!known.is_empty());
            self.counts.tokens(n_words, n_words - known.len());
            for (value, pooled) in x.row_mut(i).iter_mut().zip(self.pool.pool(&known, vectors)) {
                *value = pooled as f32;
            }
        }
        embeddings(x)
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings =
            self.counts.warnings_of("the file of word vectors knows", "words", "the file of word vectors");
        if self.encoder.file.repeated > 0 {
            let n = self.encoder.file.repeated;
            warnings.push(format!("{n} rows of the file repeat an earlier word; the first row of a word counts"));
        }
        warnings
    }
}
