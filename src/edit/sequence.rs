//! The entries of the sequence: what a change says without a look at its document.

use crate::error::Result;
use crate::storage::StorageError;
use crate::tree::{RevPath, RevTree};
use bytes::Bytes;

/// The document has more than one leaf.
const BRANCHED: u8 = 1;

/// What is stored under a change's seq.
///
/// Layout: flags (1 byte), a tree that has the winner alone ([`RevTree::encode`]), the document's key to the end.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceEntry {
    /// A tree with one revision: the winner.
    pub winner: RevTree,
    /// Whether the document has more leaves than that.
    pub is_branched: bool,
    /// The document's key.
    pub key: Bytes,
}

impl SequenceEntry {
    /// The entry of a document with this tree, but for the key that follows it.
    pub(super) fn encode_head(tree: &RevTree) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        bytes.push(if tree.open_revs().len() > 1 { BRANCHED } else { 0 });
        if let Some(winner) = tree.winner() {
            let mut alone = RevTree::default();
            alone.merge(&RevPath::single(winner.rev.clone()), winner.deleted, 1);
            alone.encode(&mut bytes);
        }
        bytes
    }

    /// Reads what is stored under a seq.
    ///
    /// # Errors
    /// A storage error that names the seq, if it is not what was written.
    pub fn decode(seq: u64, stored: &Bytes) -> Result<Self> {
        let damaged =
            || StorageError::Damaged { record: format!("sequence/{seq}"), problem: "it cannot be read" };
        let (flags, mut rest) = stored.split_first().ok_or_else(damaged)?;
        let winner = RevTree::decode(&mut rest).map_err(|_| damaged())?;
        Ok(Self { winner, is_branched: flags & BRANCHED != 0, key: stored.slice_ref(rest) })
    }
}
