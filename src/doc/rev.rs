//! Revision ids: `generation-hash`.

use crate::error::{Error, ErrorKind};
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The part of a revision id after the dash.
///
/// Nearly always an MD5 in lower-case hexadecimal digits, which is kept in 16 bytes; any other text (a server's or
/// an old client's) is kept as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RevHash {
    /// The digits' value.
    Md5([u8; 16]),
    /// Any other text.
    Text(Box<str>),
}

impl RevHash {
    /// Reads what stands after the dash.
    pub fn new(text: &str) -> Self {
        let digits = text.as_bytes();
        let mut bytes = [0; 16];
        if digits.len() == 32 {
            let mut pairs = digits.chunks_exact(2);
            let complete = bytes.iter_mut().all(|byte| {
                let mut value = 0;
                for digit in pairs.next().into_iter().flatten() {
                    value = value << 4
                        | match digit {
                            b'0'..=b'9' => digit - b'0',
                            b'a'..=b'f' => digit - b'a' + 10,
                            _ => return false,
                        };
                }
                *byte = value;
                true
            });
            if complete {
                return Self::Md5(bytes);
            }
        }
        Self::Text(text.into())
    }
}

impl fmt::Display for RevHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5(bytes) => {
                // Written at once: hashes are written often, and formatting each byte takes fifty times as long.
                let mut digits = [0; 32];
                for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
                    for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
                        *digit = if value < 10 { b'0' + value } else { b'a' - 10 + value };
                    }
                }
                formatter.write_str(std::str::from_utf8(&digits).expect("BUG: digits are no text"))
            }
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

impl PartialOrd for RevHash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RevHash {
    /// The order of the texts, byte by byte.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Md5(left), Self::Md5(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => self.to_string().cmp(&other.to_string()),
        }
    }
}

/// A revision id: how many edits led to it, and a hash.
///
/// Ordered by generation, then by hash: the order in which the greater of two leaves wins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rev {
    /// The number of edits from the document's first one, which is 1 (0 only in local documents).
    pub generation: u64,
    /// What tells edits of one generation apart.
    pub hash: RevHash,
}

impl Rev {
    /// The revision of `generation` with the text `hash`.
    pub fn new(generation: u64, hash: &str) -> Self {
        Self { generation, hash: RevHash::new(hash) }
    }
}

impl fmt::Display for Rev {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.generation, self.hash)
    }
}

impl FromStr for Rev {
    type Err = Error;

    /// Fails with `Invalid rev format`, as PouchDB's `parseRevisionInfo` does: `/^\d+-/` must match.
    fn from_str(text: &str) -> Result<Self, Error> {
        text.split_once('-')
            .filter(|(generation, _)| {
                !generation.is_empty() && generation.bytes().all(|byte| byte.is_ascii_digit())
            })
            .and_then(|(generation, hash)| Some(Self::new(generation.parse().ok()?, hash)))
            .ok_or_else(|| Error::new(ErrorKind::InvalidRev))
    }
}

impl Serialize for Rev {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rev {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|error: Error| de::Error::custom(error.message().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_rev_reads_back_as_it_was_written(generation in 0u64.., hash in "[0-9a-f]{32}|[0-9A-Fa-f]{32}|[ -~]{0,40}") {
            let text = format!("{generation}-{hash}");
            prop_assert_eq!(text.parse::<Rev>().unwrap().to_string(), text);
        }

        #[test]
        fn hashes_are_ordered_as_their_texts(left in "[0-9a-f]{32}|[0-9A-Fa-f]{30,33}", right in "[0-9a-f]{32}|[ -~]{0,40}") {
            prop_assert_eq!(RevHash::new(&left).cmp(&RevHash::new(&right)), left.cmp(&right));
        }
    }

    #[test]
    fn what_has_no_generation_is_refused() {
        for text in ["", "-", "abc", "-abc", "1", "x-1", "1.5-a", "+1-a"] {
            assert_eq!(text.parse::<Rev>().unwrap_err().message(), "Invalid rev format", "{text:?}");
        }
    }
}
