//! References from stored bodies to the contents of attachments. Each attachment of each stored body is one.

use crate::doc::{ContentInfo, Given, IncomingAttachments, stored_attachments};
use crate::engine::{Keyspace, Overlay, View};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Content;
use crate::varint;
use bytes::Bytes;

/// A content that comes beside documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplied {
    /// What is known of it.
    pub info: ContentInfo,
    /// As [`Engine::hold`](crate::engine::Engine::hold) has given it.
    pub content: Content,
}

/// How often a content is referred to, and how long it is. Stored as two varints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct References {
    pub(super) count: u64,
    pub(super) length: u64,
}

impl References {
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        Some(Self { count: varint::read(&mut rest)?, length: varint::read(&mut rest)? })
    }

    fn of(view: &impl View, name: &str) -> Option<Self> {
        Self::decode(&view.get(Keyspace::Content, name.as_bytes())?)
    }

    fn put(self, overlay: &mut Overlay, name: &str) {
        let mut bytes = Vec::with_capacity(8);
        varint::write(&mut bytes, self.count);
        varint::write(&mut bytes, self.length);
        overlay.put(Keyspace::Content, name, bytes);
    }
}

/// The contents that a document brings.
pub(super) fn contents_of(attachments: &IncomingAttachments, beside: &[Supplied]) -> Vec<Supplied> {
    let content = |given: &Given| match given {
        Given::Inside(info, bytes) => {
            Some(Supplied { info: *info, content: Bytes::from(bytes.clone()).into() })
        }
        Given::Beside(index) => beside.get(*index).cloned(),
    };
    attachments.given.iter().filter_map(content).collect()
}

/// Makes sure that a stub's content is there.
///
/// # Errors
/// [`ErrorKind::MissingStub`].
pub(super) fn check_stub(overlay: &Overlay, digest: &str) -> Result<()> {
    if References::of(overlay, digest).is_none() {
        let reason = format!("unknown stub attachment with digest {digest}");
        return Err(Error::new(ErrorKind::MissingStub).with_reason(reason));
    }
    Ok(())
}

/// Notes the references of a body that is stored from now on.
pub(super) fn refer(overlay: &mut Overlay, body: &[u8]) {
    for attachment in stored_attachments(body) {
        let name = attachment.digest.to_string();
        let before = References::of(overlay, &name);
        let References { count, length } =
            before.unwrap_or(References { count: 0, length: attachment.length });
        References { count: count + 1, length }.put(overlay, &name);
    }
}

/// Takes back the references of a body that is stored no longer. The last one takes the content with it.
pub(super) fn release(overlay: &mut Overlay, body: &[u8]) {
    for attachment in stored_attachments(body) {
        let name = attachment.digest.to_string();
        match References::of(overlay, &name) {
            Some(References { count, length }) if count > 1 => {
                References { count: count - 1, length }.put(overlay, &name);
            }
            Some(_) => overlay.delete(Keyspace::Content, name),
            None => {}
        }
    }
}
