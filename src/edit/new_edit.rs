//! An edit made here: it gets a new revision, and is refused where it is not made upon a leaf.

use super::bulk::{Edit, EditOptions};
use super::counters::Counters;
use super::stored::StoredDocument;
use super::write::{Change, store, without_old_bodies};
use crate::doc::{Rev, RevHash, id_key, json_text, md5, with_member};
use crate::engine::Overlay;
use crate::error::{Error, ErrorKind, Result};
use crate::tree::{MergeOutcome, RevPath};

/// Applies one edit, made upon `parent`; `hash` is the new revision's.
///
/// # Errors
/// [`ErrorKind::Conflict`]; [`ErrorKind::InvalidRev`] where there is no next generation; and a 404 `deleted` where a document is removed that never was; by PouchDB's rules
/// (`pouchdb-adapter-utils`, `processDocs` and `updateDoc`).
pub(super) fn apply(
    overlay: &mut Overlay,
    counters: &mut Counters,
    edit: &Edit,
    parent: Option<&Rev>,
    hash: &RevHash,
    options: &EditOptions,
) -> Result<Rev> {
    let key = id_key(&edit.id);
    let found = StoredDocument::find_at(overlay, &key)?;
    let conflict = || Error::new(ErrorKind::Conflict);
    let mut path = path_upon(parent, hash.clone())?;
    let before = match found {
        None if edit.deleted && options.was_delete => return Err(Error::deleted()),
        None if parent.is_some() => return Err(conflict()),
        None => StoredDocument::default(),
        Some(before) => before,
    };
    let winner_before = before.tree.winner().map(|winner| (winner.rev.clone(), winner.deleted));
    if let Some((winner, true)) = &winner_before
        && !edit.deleted
        && path.leaf().generation == 1
    {
        // Writing a deleted document anew goes on from the deletion, as PouchDB has it.
        path = path_upon(Some(winner), rehash(edit, winner))?;
    }
    let mut tree = before.tree.clone();
    let merged = tree.merge(&path, edit.deleted, options.revs_limit);
    let refused = match winner_before {
        None => false,
        Some((_, true)) if !edit.deleted => merged.outcome == MergeOutcome::NewBranch,
        Some(_) => merged.outcome != MergeOutcome::NewLeaf,
    };
    if refused {
        return Err(conflict());
    }
    let rev = path.leaf().clone();
    let body = edit.body_of(rev.generation);
    let (new, has_attachments) = (Some((&rev, body.as_bytes())), edit.attachments.is_some());
    let dropped = without_old_bodies(&mut tree, merged.stemmed, options);
    store(overlay, counters, Change { key: &key, before, tree, new, has_attachments, dropped });
    Ok(rev)
}

fn path_upon(parent: Option<&Rev>, hash: RevHash) -> Result<RevPath> {
    let Some(parent) = parent else { return Ok(RevPath::single(Rev { generation: 1, hash })) };
    let generation = parent.generation.checked_add(1).ok_or_else(|| Error::new(ErrorKind::InvalidRev))?;
    Ok(RevPath::new(Rev { generation, hash }, [parent.hash.clone()]))
}

/// The hash of a document that is written anew upon a deletion: its own members, then `_rev`, then `_id`.
fn rehash(edit: &Edit, parent: &Rev) -> RevHash {
    let mut text = edit.rehashed.as_ref().unwrap_or(&edit.body).clone();
    with_member(&mut text, "_rev", &json_text(parent));
    with_member(&mut text, "_id", &json_text(&edit.id));
    RevHash::Md5(md5(&text))
}
