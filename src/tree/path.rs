//! A revision with what is known of its history.

use crate::doc::{Rev, RevHash};
use std::fmt;

/// A revision and its ancestors, newest first, without a gap: what `_rev` and `_revisions` of a document say.
#[derive(Clone, PartialEq, Eq)]
pub struct RevPath {
    leaf: Rev,
    ancestors: Vec<RevHash>,
}

impl RevPath {
    /// The revision `leaf` upon `ancestors`: its parent's hash first, and so on.
    ///
    /// Generations start at 1; ancestors for which none is left are ignored.
    pub fn new(leaf: Rev, ancestors: impl IntoIterator<Item = RevHash>) -> Self {
        let room = usize::try_from(leaf.generation.saturating_sub(1)).unwrap_or(usize::MAX);
        Self { leaf, ancestors: ancestors.into_iter().take(room).collect() }
    }

    /// A revision of which no ancestor is known.
    pub fn single(rev: Rev) -> Self {
        Self { leaf: rev, ancestors: Vec::new() }
    }

    /// The newest revision.
    pub fn leaf(&self) -> &Rev {
        &self.leaf
    }

    /// The hashes of the leaf's ancestors, its parent's first.
    pub fn ancestors(&self) -> &[RevHash] {
        &self.ancestors
    }

    /// The revision upon which the leaf was made.
    pub fn parent(&self) -> Option<Rev> {
        (self.ancestors.first()).map(|hash| Rev { generation: self.leaf.generation - 1, hash: hash.clone() })
    }

    /// How many revisions there are, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a leaf")]
    pub fn len(&self) -> usize {
        self.ancestors.len() + 1
    }

    /// The hash of the revision `age` generations older than the leaf.
    pub(super) fn hash_at(&self, age: usize) -> Option<&RevHash> {
        match age.checked_sub(1) {
            None => Some(&self.leaf.hash),
            Some(place) => self.ancestors.get(place),
        }
    }
}

impl fmt::Debug for RevPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.leaf)?;
        self.ancestors.iter().try_for_each(|hash| write!(formatter, " < {hash}"))
    }
}
