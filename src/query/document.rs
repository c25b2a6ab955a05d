use super::attachments::with_marks;
use crate::doc::{Rev, close, id_from_key, json_text, push_member, reopen};
use crate::edit::StoredDocument;
use crate::engine::Snapshot;
use crate::error::Result;
use crate::storage::StorageError;
use crate::tree::Leaf;
use bytes::Bytes;

/// A stored body as text.
///
/// # Errors
/// A storage error where it is none.
pub fn text_of(body: &[u8]) -> Result<&str> {
    std::str::from_utf8(body)
        .map_err(|_| StorageError::Damaged { record: "body".into(), problem: "it is no text" }.into())
}

/// A document's JSON text as PouchDB gives it: its own members, `_id`, `_rev`, `_deleted` where it is, and whatever
/// further members (name and JSON text) the options ask for.
pub fn document_text(body: &str, id: &str, rev: &Rev, deleted: bool, further: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(body.len() + id.len() + 80);
    text.push_str(body);
    reopen(&mut text);
    push_member(&mut text, "_id", &json_text(id));
    push_member(&mut text, "_rev", &json_text(rev));
    if deleted {
        push_member(&mut text, "_deleted", "true");
    }
    for (name, value) in further {
        push_member(&mut text, name, value);
    }
    close(&mut text);
    text
}

/// What of the winner is wanted beside its own members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Its `_conflicts`, if there are some.
    pub(super) conflicts: bool,
    /// Marks for the contents of its attachments, instead of stubs.
    pub(super) attachments: bool,
}

/// The winner's JSON text.
///
/// # Errors
/// A storage error where it cannot be read.
pub(super) fn winner_text(
    snapshot: &Snapshot,
    document: &StoredDocument,
    key: &[u8],
    winner: Leaf<'_>,
    wanted: Wanted,
) -> Result<String> {
    let body = body_of(snapshot, document, key, winner.rev)?;
    let conflicts = if wanted.conflicts { document.tree.conflicts() } else { Vec::new() };
    let further = [("_conflicts", json_text(&conflicts))];
    let further = if conflicts.is_empty() { &[][..] } else { &further[..] };
    let body = text_of(&body)?;
    let body = if wanted.attachments { with_marks(body) } else { body.into() };
    Ok(document_text(&body, &id_from_key(key), winner.rev, winner.deleted, further))
}

/// The body of a document's revision, which should be there.
///
/// # Errors
/// A storage error where it is not.
fn body_of(snapshot: &Snapshot, document: &StoredDocument, key: &[u8], rev: &Rev) -> Result<Bytes> {
    match document.body_of(snapshot, key, rev) {
        Some(body) => Ok(body),
        // It goes on, so that all that is wanted is loaded at once.
        None if snapshot.lacks_blocks() => Ok(Bytes::from_static(b"{}")),
        None => {
            let record = format!("body/{}/{rev}", id_from_key(key));
            Err(StorageError::Damaged { record, problem: "it is missing" }.into())
        }
    }
}
