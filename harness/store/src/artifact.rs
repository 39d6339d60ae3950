//! The kinds of object: vectors, labels, per-user scores. Little-endian, with lengths first.

use std::path::PathBuf;

use trailmark_core::{Key, Labels, Matrix};

use crate::objects::{Found, ObjectStore, StoreError};

/// Labels of one cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelsArtifact {
    /// (n_train,) as fitted.
    pub train: Labels,
    /// (n_test,) as assigned.
    pub test: Labels,
}

/// Per-user scores of one cell: one row per test sample, one column per score. A user without a score (no truth, a
/// singleton's undefined value) holds none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserScores {
    /// (n_test,) the user each row belongs to.
    pub users: Vec<u32>,
    /// Column name and its (n_test,) values.
    pub columns: Vec<(String, Vec<Option<f64>>)>,
}

impl UserScores {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&[Option<f64>]> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, values)| values.as_slice())
    }
}

/// Vectors of an encoder with what it had to say, so that a cached run warns as a fresh one does.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// (n_samples, n_features)
    pub x: Matrix<f32>,
    /// Warnings for the reader.
    pub warnings: Vec<String>,
}

/// Something that can be kept as an object.
pub trait Artifact: Sized {
    /// The payload.
    fn encode(&self) -> Vec<u8>;
    /// The value of a payload; none when the bytes do not fit the kind.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

impl ObjectStore {
    /// Reads an artifact. A damaged one counts as absent; its new name goes to `damaged`.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn load<A: Artifact>(&self, key: &Key, damaged: &mut Vec<PathBuf>) -> Result<Option<A>, StoreError> {
        match self.get(key)? {
            Found::Absent => Ok(None),
            Found::Damaged(aside) => {
                damaged.push(aside);
                Ok(None)
            }
            Found::Whole(bytes) => A::decode(&bytes).map(Some).ok_or_else(|| StoreError::Damaged {
                path: self.path(key),
                what: "it holds another kind of object".to_owned(),
            }),
        }
    }

    /// Publishes an artifact under the key of what made it. A damaged object in its place is set aside; its new name
    /// goes to `damaged`.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn save<A: Artifact>(&self, key: &Key, artifact: &A, damaged: &mut Vec<PathBuf>) -> Result<(), StoreError> {
        damaged.extend(self.put(key, &artifact.encode())?);
        Ok(())
    }

    /// Publishes an artifact under the key of its own bytes, so that no two contents ever meet in one place.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn save_by_content<A: Artifact>(&self, artifact: &A, damaged: &mut Vec<PathBuf>) -> Result<Key, StoreError> {
        let payload = artifact.encode();
        let key = Key::of_bytes(&payload);
        damaged.extend(self.put(&key, &payload)?);
        Ok(key)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A length, refused when fewer bytes than that are left, so that damage cannot ask for memory.
    fn len(&mut self) -> Option<usize> {
        let len = usize::try_from(u64::from_le_bytes(self.array()?)).ok()?;
        (len <= self.0.len()).then_some(len)
    }
}

fn push_len(bytes: &mut Vec<u8>, len: usize) {
    bytes.extend_from_slice(&(len as u64).to_le_bytes());
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    push_len(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

fn read_text(reader: &mut Reader<'_>) -> Option<String> {
    let len = reader.len()?;
    String::from_utf8(reader.take(len)?.to_vec()).ok()
}

impl Artifact for Vectors {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 + 4 * self.x.as_slice().len());
        bytes.push(b'v');
        push_len(&mut bytes, self.warnings.len());
        for warning in &self.warnings {
            push_text(&mut bytes, warning);
        }
        push_len(&mut bytes, self.x.rows());
        push_len(&mut bytes, self.x.cols());
        bytes.extend(self.x.as_slice().iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes.strip_prefix(b"v")?);
        let n_warnings = reader.len()?;
        let warnings = (0..n_warnings).map(|_| read_text(&mut reader)).collect::<Option<Vec<_>>>()?;
        let rows = usize::try_from(u64::from_le_bytes(reader.array()?)).ok()?;
        let cols = usize::try_from(u64::from_le_bytes(reader.array()?)).ok()?;
        let values = reader.take(rows.checked_mul(cols)?.checked_mul(4)?)?;
        let data =
            values.chunks_exact(4).map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]])).collect();
        Some(Self { x: Matrix::from_vec(rows, cols, data).ok()?, warnings })
    }
}

fn push_labels(bytes: &mut Vec<u8>, labels: &Labels) {
    push_len(bytes, labels.len());
    bytes.extend(labels.0.iter().flat_map(|label| label.map_or(u32::MAX, |name| name).to_le_bytes()));
}

fn read_labels(reader: &mut Reader<'_>) -> Option<Labels> {
    let len = reader.len()?;
    (0..len)
        .map(|_| reader.u32().map(|name| (name != u32::MAX).then_some(name)))
        .collect::<Option<Vec<_>>>()
        .map(Labels)
}

impl Artifact for LabelsArtifact {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![b'l'];
        push_labels(&mut bytes, &self.train);
        push_labels(&mut bytes, &self.test);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes.strip_prefix(b"l")?);
        Some(Self { train: read_labels(&mut reader)?, test: read_labels(&mut reader)? })
    }
}

impl Artifact for UserScores {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![b'u'];
        push_len(&mut bytes, self.users.len());
        bytes.extend(self.users.iter().flat_map(|user| user.to_le_bytes()));
        push_len(&mut bytes, self.columns.len());
        for (name, values) in &self.columns {
            push_text(&mut bytes, name);
            for value in values {
                // A flag byte, so that "no score" is no number.
                bytes.push(u8::from(value.is_some()));
                bytes.extend_from_slice(&value.unwrap_or(0.0).to_le_bytes());
            }
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes.strip_prefix(b"u")?);
        let n = reader.len()?;
        let users = (0..n).map(|_| reader.u32()).collect::<Option<Vec<_>>>()?;
        let n_columns = reader.len()?;
        let mut columns = Vec::with_capacity(n_columns);
        for _ in 0..n_columns {
            let name = read_text(&mut reader)?;
            let values = (0..n)
                .map(|_| {
                    let flag = reader.array::<1>()?[0];
                    let value = f64::from_le_bytes(reader.array()?);
                    Some((flag == 1).then_some(value))
                })
                .collect::<Option<Vec<_>>>()?;
            columns.push((name, values));
        }
        Some(Self { users, columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_encoding() {
        let x = Matrix::from_vec(2, 3, vec![1.0_f32, -0.0, 3.5, f32::MIN_POSITIVE, 5.0, 6.0]).unwrap();
        let vectors = Vectors { x, warnings: vec!["7 % of tokens are unknown".to_owned()] };
        assert_eq!(Vectors::decode(&vectors.encode()), Some(vectors));
        let labels = LabelsArtifact { train: Labels(vec![Some(3), None]), test: Labels::from_ids([1]) };
        assert_eq!(LabelsArtifact::decode(&labels.encode()), Some(labels));
        let scores = UserScores { users: vec![4, 9], columns: vec![("recall@10".to_owned(), vec![Some(0.1), None])] };
        assert_eq!(UserScores::decode(&scores.encode()), Some(scores));
    }

    #[test]
    fn bytes_of_another_kind_or_cut_short_are_refused() {
        let labels = LabelsArtifact { train: Labels::from_ids([1, 2, 3]), test: Labels::default() }.encode();
        assert_eq!(UserScores::decode(&labels), None);
        assert_eq!(LabelsArtifact::decode(&labels[..labels.len() - 9]), None);
    }
}
