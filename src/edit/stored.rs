use crate::doc::{Rev, id_key};
use crate::engine::{Keyspace, View};
use crate::error::{Error, Result};
use crate::storage::StorageError;
use crate::tree::RevTree;
use crate::varint;
use bytes::Bytes;

/// The winner's body is kept with its document up to so many bytes; then one read gives both.
const INLINE_BYTES: usize = 8 << 10;

/// The flag of a document whose winner's body is kept with it.
const INLINE: u8 = 1;

/// The flag of a document of which a body has, or had, attachments.
const ATTACHMENTS: u8 = 2;

/// What is stored under a document's id.
///
/// Layout: the seq (varint), flags (1 byte), the tree ([`RevTree::encode`]), the winner's body to the end if inline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StoredDocument {
    /// The seq of its last change.
    pub seq: u64,
    /// Its revisions.
    pub tree: RevTree,
    /// Whether a body of one of its revisions has attachments, or had.
    pub has_attachments: bool,
    /// The winner's body, a JSON object's text; of the members that start with an underscore it has `_attachments`, as stubs,
    /// and those that PouchDB keeps. `None` where it is kept apart.
    pub body: Option<Bytes>,
}

impl StoredDocument {
    /// Whether a body of so many bytes is kept with its document.
    pub(super) fn is_inline(body: &[u8]) -> bool {
        body.len() <= INLINE_BYTES
    }

    /// What is stored before the winner's body, which follows if it is kept with the document.
    pub(super) fn encode_head(seq: u64, tree: &RevTree, has_attachments: bool, has_body: bool) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(48);
        varint::write(&mut bytes, seq);
        bytes.push(if has_body { INLINE } else { 0 } | if has_attachments { ATTACHMENTS } else { 0 });
        tree.encode(&mut bytes);
        bytes
    }

    /// Reads what is stored under a document's key.
    ///
    /// # Errors
    /// A storage error that names the document, if it is not what was written.
    pub fn decode(key: &[u8], stored: Bytes) -> Result<Self> {
        let damaged = || {
            Error::from(StorageError::Damaged {
                record: format!("document/{}", crate::doc::id_from_key(key)),
                problem: "it cannot be read",
            })
        };
        let mut rest: &[u8] = &stored;
        let seq = varint::read(&mut rest).ok_or_else(damaged)?;
        let (flags, mut rest) = rest.split_first().ok_or_else(damaged)?;
        let tree = RevTree::decode(&mut rest).map_err(|_| damaged())?;
        let is_inline = *flags & INLINE != 0;
        let body = stored.slice(stored.len() - rest.len()..);
        let has_attachments = *flags & ATTACHMENTS != 0;
        Ok(Self { seq, tree, has_attachments, body: is_inline.then_some(body) })
    }

    /// The document with this id, if there has ever been one.
    ///
    /// # Errors
    /// As [`StoredDocument::decode`].
    pub fn find(view: &impl View, id: &str) -> Result<Option<Self>> {
        Self::find_at(view, &id_key(id))
    }

    /// The document with this key, if there has ever been one.
    ///
    /// # Errors
    /// As [`StoredDocument::decode`].
    pub(super) fn find_at(view: &impl View, key: &[u8]) -> Result<Option<Self>> {
        view.get(Keyspace::Document, key).map(|stored| Self::decode(key, stored)).transpose()
    }

    /// Whether the body of this revision is in this very record.
    pub(super) fn is_kept_with_document(&self, rev: &Rev) -> bool {
        self.body.is_some() && self.tree.winner().is_some_and(|winner| winner.rev == rev)
    }

    /// The body of one of its revisions; `None` where it is not stored.
    pub fn body_of(&self, view: &impl View, key: &[u8], rev: &Rev) -> Option<Bytes> {
        match &self.body {
            Some(body) if self.is_kept_with_document(rev) => Some(body.clone()),
            _ => view.get(Keyspace::Body, &body_key(key, rev)),
        }
    }
}

/// The key of a body that is kept apart: the length of the document's key (varint), the key, the revision's text.
pub(super) fn body_key(key: &[u8], rev: &Rev) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.len() + 48);
    varint::write(&mut bytes, key.len() as u64);
    bytes.extend_from_slice(key);
    bytes.extend(rev.to_string().bytes());
    bytes
}
