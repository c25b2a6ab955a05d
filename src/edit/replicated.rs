//! A revision made elsewhere: it is stored as it is, wherever it belongs in the tree.

use super::bulk::{Edit, EditOptions};
use super::counters::Counters;
use super::stored::StoredDocument;
use super::write::{Change, store, without_old_bodies};
use crate::doc::{IncomingDocument, Rev, RevHash, id_key};
use crate::engine::Overlay;
use crate::error::{Error, ErrorKind, Result};
use crate::tree::RevPath;

/// The revisions that a document with `new_edits: false` names: `_revisions`, or `_rev` alone.
///
/// # Errors
/// [`ErrorKind::InvalidRev`] where it names none.
pub(super) fn path_of(document: &IncomingDocument<'_>) -> Result<RevPath> {
    let invalid = || Error::new(ErrorKind::InvalidRev);
    match &document.revisions {
        Some(revisions) => {
            let (leaf, ancestors) = revisions.ids.split_first().ok_or_else(invalid)?;
            let leaf = Rev::new(revisions.start, leaf);
            Ok(RevPath::new(leaf, ancestors.iter().map(|hash| RevHash::new(hash))))
        }
        None => Ok(RevPath::single(document.rev.as_deref().ok_or_else(invalid)?.parse()?)),
    }
}

/// Stores a revision, unless it is known already.
///
/// # Errors
/// A storage error where what is stored cannot be read.
pub(super) fn apply(
    overlay: &mut Overlay,
    counters: &mut Counters,
    edit: &Edit,
    path: &RevPath,
    options: &EditOptions,
) -> Result<()> {
    let key = id_key(&edit.id);
    let before = StoredDocument::find_at(overlay, &key)?.unwrap_or_default();
    if before.tree.contains(path.leaf()) {
        return Ok(());
    }
    let mut tree = before.tree.clone();
    let merged = tree.merge(path, edit.deleted, options.revs_limit);
    let dropped = without_old_bodies(&mut tree, merged.stemmed, options);
    let body = edit.body_of(path.leaf().generation);
    let (new, has_attachments) = (Some((path.leaf(), body.as_bytes())), edit.attachments.is_some());
    store(overlay, counters, Change { key: &key, before, tree, new, has_attachments, dropped });
    Ok(())
}
