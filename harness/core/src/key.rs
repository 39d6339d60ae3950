//! Identity. Each stage's output has a key: the hash of its resolved parameters, its Spec revision and its inputs'
//! keys. Names given by the user, comments, order, threads and processors are in no key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A content key: 32 bytes of BLAKE3, printed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of raw bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The first 12 hexadecimal digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }

    /// The first eight bytes as a seed.
    pub fn seed(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(first)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.short())
    }
}

/// Text that is not a key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a key is 64 hexadecimal digits, got {0:?}")]
pub struct ParseKeyError(String);

impl FromStr for Key {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ParseKeyError(text.to_owned());
        if text.len() != 64 || !text.is_ascii() {
            return Err(refuse());
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| refuse())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Hashes named fields. Every part is written with its length, so that no two lists of fields run into each other.
#[derive(Debug, Clone)]
pub struct KeyBuilder(blake3::Hasher);

impl KeyBuilder {
    /// Starts a key for one kind of thing.
    pub fn new(kind: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"trailmark\0");
        Self(hasher).bytes(kind.as_bytes())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// A named text.
    #[must_use]
    pub fn text(self, name: &str, value: &str) -> Self {
        self.bytes(name.as_bytes()).bytes(value.as_bytes())
    }

    /// A named whole number.
    #[must_use]
    pub fn number(self, name: &str, value: u64) -> Self {
        self.bytes(name.as_bytes()).bytes(&value.to_le_bytes())
    }

    /// A named real number, by its bits.
    #[must_use]
    pub fn real(self, name: &str, value: f64) -> Self {
        self.number(name, value.to_bits())
    }

    /// A named key of an input.
    #[must_use]
    pub fn key(self, name: &str, value: &Key) -> Self {
        self.bytes(name.as_bytes()).bytes(&value.0)
    }

    /// A named run of raw bytes.
    #[must_use]
    pub fn raw(self, name: &str, value: &[u8]) -> Self {
        self.bytes(name.as_bytes()).bytes(value)
    }

    /// The key.
    pub fn finish(self) -> Key {
        Key(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let a = KeyBuilder::new("t").text("a", "bc").finish();
        let b = KeyBuilder::new("t").text("ab", "c").finish();
        assert_ne!(a, b);
    }

    #[test]
    fn a_key_survives_printing_and_parsing() {
        let key = Key::of_bytes(b"x");
        assert_eq!(key.to_string().parse::<Key>().unwrap(), key);
        assert!("xyz".parse::<Key>().is_err());
    }
}
