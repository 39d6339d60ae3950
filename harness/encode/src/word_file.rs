//! Files of word vectors: word2vec's text and binary formats, GloVe's text format (each also packed by gzip), and an
//! `.npy` matrix beside a list of words. Which one a file is shows in its first bytes.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;
use trailmark_core::Matrix;

use crate::npy::{self, NpyError, NpyMatrix};

/// Words and their vectors.
#[derive(Debug)]
pub(crate) struct WordFile {
    /// Row of each word. Bytes that are not UTF-8 were replaced, so such words match nothing.
    pub(crate) index: BTreeMap<String, u32>,
    /// (n_words, dim)
    pub(crate) vectors: Matrix<f32>,
    /// Rows whose word had come before; the first one counts.
    pub(crate) repeated: usize,
}

/// Files that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum WordFileError {
    #[error("cannot read {}: {source}; give a path relative to the suite file", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}", path.display())]
    Npy { path: PathBuf, source: NpyError },
    #[error("{} is an .npy file, which holds no words: name a text file with one word per row in vocabulary", path.display())]
    NoVocabulary { path: PathBuf },
    #[error("{} brings its own words; leave vocabulary out", path.display())]
    TwoVocabularies { path: PathBuf },
    #[error("{} has {rows} rows and {} has {words} words; write one word per row, in the same order", path.display(), vocabulary.display())]
    Rows { path: PathBuf, rows: usize, vocabulary: PathBuf, words: usize },
    #[error("{} is not UTF-8 text", path.display())]
    NotText { path: PathBuf },
    #[error("{} holds no vectors; the formats are word2vec text and binary, GloVe text, and .npy with vocabulary", path.display())]
    Empty { path: PathBuf },
    #[error("{}, line {line}: {got} numbers after the word, {expected} are needed", path.display())]
    Width { path: PathBuf, line: usize, got: usize, expected: usize },
    #[error("{}, line {line}: {text:?} is not a number", path.display())]
    NotANumber { path: PathBuf, line: usize, text: String },
    #[error("{} promises {promised} words and ends after {got}; was it cut short?", path.display())]
    Short { path: PathBuf, promised: usize, got: usize },
    #[error("{} holds {value} for word {word:?}, dimension {column}; mend or leave out that word", path.display())]
    NotFinite { path: PathBuf, value: f64, word: String, column: usize },
}

fn bytes(path: &Path) -> Result<Vec<u8>, WordFileError> {
    let unreadable = |source| WordFileError::Unreadable { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(unreadable)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).map_err(unreadable)?;
    Ok(unpacked)
}

impl WordFile {
    /// Reads the first `max_words` words, and the bytes of both files, for a fingerprint.
    pub(crate) fn read(
        path: &Path,
        vocabulary: Option<&Path>,
        max_words: Option<usize>,
    ) -> Result<(Self, Vec<u8>, Vec<u8>), WordFileError> {
        let content = bytes(path)?;
        let most = max_words.unwrap_or(usize::MAX);
        let is_npy = content.starts_with(b"\x93NUMPY");
        let names = match vocabulary {
            Some(_) if !is_npy => return Err(WordFileError::TwoVocabularies { path: path.to_owned() }),
            None if is_npy => return Err(WordFileError::NoVocabulary { path: path.to_owned() }),
            Some(vocabulary) => bytes(vocabulary)?,
            None => Vec::new(),
        };
        let mut rows = Rows { path, words: Vec::new(), values: Vec::new(), dim: 0 };
        match vocabulary {
            Some(vocabulary) => rows.npy(&content, vocabulary, &names, most)?,
            None => match header(&content) {
                Some((promised, dim, rest)) if !is_text(rest, dim) => rows.binary(rest, promised, dim, most)?,
                Some((promised, dim, rest)) => {
                    rows.dim = dim;
                    rows.text(rest, 2, most)?;
                    if rows.words.len() < promised.min(most) {
                        let got = rows.words.len();
                        return Err(WordFileError::Short { path: path.to_owned(), promised, got });
                    }
                }
                None => rows.text(&content, 1, most)?,
            },
        }
        Ok((rows.finish()?, content, names))
    }
}

/// word2vec's first line: number of words and of dimensions.
fn header(content: &[u8]) -> Option<(usize, usize, &[u8])> {
    let end = content.iter().take(64).position(|byte| *byte == b'\n')?;
    let mut fields = std::str::from_utf8(&content[..end]).ok()?.split_whitespace();
    let (words, dim) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    (fields.next().is_none() && dim > 0).then_some((words, dim, &content[end + 1..]))
}

/// True when the first line is a word and `dim` numbers; a binary vector is so by no likely accident.
fn is_text(content: &[u8], dim: usize) -> bool {
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let numbers: Vec<&str> = line.trim_end().rsplitn(dim + 1, ' ').take(dim).collect();
    numbers.len() == dim && numbers.iter().all(|number| number.parse::<f32>().is_ok())
}

/// What is read so far.
struct Rows<'a> {
    path: &'a Path,
    words: Vec<String>,
    values: Vec<f32>,
    dim: usize,
}

impl Rows<'_> {
    /// Lines of a word and its numbers; a word may hold blanks, as a few in GloVe's largest files do.
    fn text(&mut self, content: &[u8], first_line: usize, most: usize) -> Result<(), WordFileError> {
        let path = || self.path.to_owned();
        let text = std::str::from_utf8(content).map_err(|_| WordFileError::NotText { path: path() })?;
        for (line, row) in (first_line..).zip(text.lines()) {
            let row = row.trim_end();
            if row.is_empty() {
                continue;
            }
            if self.words.len() >= most {
                break;
            }
            if self.dim == 0 {
                self.dim = row.split(' ').count() - 1;
            }
            let mut fields: Vec<&str> = row.rsplitn(self.dim + 1, ' ').collect();
            let word = fields.pop().filter(|_| fields.len() == self.dim && self.dim > 0);
            let Some(word) = word else {
                return Err(WordFileError::Width { path: path(), line, got: fields.len(), expected: self.dim.max(1) });
            };
            for number in fields.into_iter().rev() {
                let value = number.parse().map_err(|_| WordFileError::NotANumber {
                    path: self.path.to_owned(),
                    line,
                    text: number.to_owned(),
                })?;
                self.values.push(value);
            }
            self.words.push(word.to_owned());
        }
        Ok(())
    }

    /// A word, a blank, little-endian f32, and in most files a line break.
    fn binary(&mut self, mut rest: &[u8], promised: usize, dim: usize, most: usize) -> Result<(), WordFileError> {
        self.dim = dim;
        while self.words.len() < promised.min(most) {
            let short = || WordFileError::Short { path: self.path.to_owned(), promised, got: self.words.len() };
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            let end = rest.iter().position(|byte| *byte == b' ').ok_or_else(short)?;
            let (numbers, after) = rest[end + 1..].split_at_checked(4 * dim).ok_or_else(short)?;
            self.values.extend(numbers.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
            self.words.push(String::from_utf8_lossy(&rest[..end]).into_owned());
            rest = after;
        }
        Ok(())
    }

    fn npy(&mut self, content: &[u8], vocabulary: &Path, names: &[u8], most: usize) -> Result<(), WordFileError> {
        let path = || self.path.to_owned();
        let matrix = npy::read(content).map_err(|source| WordFileError::Npy { path: path(), source })?;
        let names = std::str::from_utf8(names).map_err(|_| WordFileError::NotText { path: vocabulary.to_owned() })?;
        let words: Vec<&str> = names.lines().collect();
        let (rows, dim) = matrix.shape();
        if rows != words.len() {
            return Err(WordFileError::Rows {
                path: path(),
                rows,
                vocabulary: vocabulary.to_owned(),
                words: words.len(),
            });
        }
        let values = match matrix {
            NpyMatrix::F32(x) => x,
            NpyMatrix::F64(x) => x.cast(),
        };
        let kept = rows.min(most);
        self.dim = dim;
        self.words = words[..kept].iter().map(|word| (*word).to_owned()).collect();
        self.values = values.as_slice()[..kept * dim].to_vec();
        Ok(())
    }

    fn finish(self) -> Result<WordFile, WordFileError> {
        let Self { path, words, values, dim } = self;
        if words.is_empty() || dim == 0 {
            return Err(WordFileError::Empty { path: path.to_owned() });
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let (word, column) = (words[at / dim].clone(), at % dim);
            return Err(WordFileError::NotFinite { path: path.to_owned(), value: values[at].into(), word, column });
        }
        let n_words = words.len();
        let mut index = BTreeMap::new();
        let mut repeated = 0;
        for (row, word) in (0_u32..).zip(words) {
            match index.entry(word) {
                std::collections::btree_map::Entry::Vacant(entry) => drop(entry.insert(row)),
                std::collections::btree_map::Entry::Occupied(_) => repeated += 1,
            }
        }
        let vectors =
            Matrix::from_vec(n_words, dim, values).map_err(|_| WordFileError::Empty { path: path.to_owned() })?;
        Ok(WordFile { index, vectors, repeated })
    }
}
