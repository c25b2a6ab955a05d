use crate::doc::{Rev, close, id_from_key, json_text, push_member, reopen};
use crate::edit::StoredDocument;
use crate::engine::Snapshot;
use crate::error::Result;
use crate::storage::StorageError;
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

/// The body of a document's revision, which should be there.
///
/// # Errors
/// A storage error where it is not.
pub(super) fn body_of(
    snapshot: &Snapshot,
    document: &StoredDocument,
    key: &[u8],
    rev: &Rev,
) -> Result<Bytes> {
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
