//! Purge: a leaf is forgotten as if it had never been.

use super::counters::Counters;
use super::local_document;
use super::stored::StoredDocument;
use super::write::{Change, store};
use crate::doc::{Members, Rev, id_key, json_text};
use crate::edit::read_local;
use crate::engine::{Overlay, View};
use crate::error::{Error, ErrorKind, Result};
use crate::tree::RemoveLeafError;
use serde::{Deserialize, Serialize};

/// The local document that lists what was purged.
const LOG: &str = "_local/purges";

/// What a purge has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Purged {
    /// Always true.
    pub ok: bool,
    /// The leaf, and the ancestors upon which nothing else was made.
    #[serde(rename = "deletedRevs")]
    pub deleted_revs: Vec<Rev>,
    /// Whether there is no such document any more.
    #[serde(rename = "documentWasRemovedCompletely")]
    pub document_was_removed_completely: bool,
}

/// One entry of the list of purges, as PouchDB has it.
#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "docId")]
    doc_id: String,
    rev: String,
    #[serde(rename = "purgeSeq")]
    purge_seq: u64,
}

/// Forgets a leaf with those of its ancestors upon which nothing else was made, and their bodies. The list of purges keeps
/// the last `log_limit`.
///
/// What is left of the document counts as changed; nothing tells other databases that something is gone.
///
/// # Errors
/// 404 where there is no such document or revision; 400 where the revision is no leaf.
pub fn purge(overlay: &mut Overlay, id: &str, rev: &str, log_limit: usize) -> Result<Purged> {
    let key = id_key(id);
    let missing = || Error::missing().with_doc_id(id);
    let before = StoredDocument::find_at(overlay, &key)?.ok_or_else(missing)?;
    let mut tree = before.tree.clone();
    let leaf: Rev = rev.parse().map_err(|_| refusal(RemoveLeafError::NotFound, id))?;
    let deleted_revs = tree.remove_leaf(&leaf).map_err(|error| refusal(error, id))?;
    let purged = Purged {
        ok: true,
        deleted_revs: deleted_revs.clone(),
        document_was_removed_completely: tree.is_empty(),
    };
    let mut counters = Counters::read(overlay);
    let change = Change { key: &key, before, tree, new: None, has_attachments: false, dropped: deleted_revs };
    store(overlay, &mut counters, change);
    counters.write(overlay);
    note(overlay, id, rev, log_limit);
    Ok(purged)
}

fn refusal(error: RemoveLeafError, id: &str) -> Error {
    let kind = match error {
        RemoveLeafError::NotFound => ErrorKind::NotFound,
        RemoveLeafError::NotALeaf => ErrorKind::BadRequest,
    };
    Error::new(kind).with_message(error.to_string()).with_doc_id(id)
}

/// Adds to the list of purges. One that cannot be read, because somebody wrote over it, is begun anew.
fn note(overlay: &mut Overlay, doc_id: &str, rev: &str, limit: usize) {
    let (mut purges, last) = read_log(overlay).unwrap_or_default();
    // PouchDB counts from 0.
    let purge_seq = last.map_or(0, |last| last + 1);
    purges.push(Entry { doc_id: doc_id.to_owned(), rev: rev.to_owned(), purge_seq });
    purges.drain(..purges.len().saturating_sub(limit.max(1)));
    let body = format!("{{\"purges\":{},\"purgeSeq\":{purge_seq}}}", json_text(&purges));
    local_document::replace(overlay, LOG, &body);
}

fn read_log(view: &impl View) -> Option<(Vec<Entry>, Option<u64>)> {
    let document = read_local(view, LOG)?;
    let members = Members::parse(std::str::from_utf8(&document.body).ok()?).ok()?;
    let purges = serde_json::from_str(members.get("purges")?.get()).ok()?;
    let last = serde_json::from_str(members.get("purgeSeq")?.get()).ok()?;
    Some((purges, Some(last)))
}
