//! Storing a document after its tree has changed.

use super::attachments;
use super::bulk::EditOptions;
use super::counters::Counters;
use super::sequence::SequenceEntry;
use super::stored::{StoredDocument, body_key};
use crate::doc::Rev;
use crate::engine::{Keyspace, Overlay};
use crate::tree::{Leaf, RevTree};
use bytes::Bytes;

/// A document's change, decided and ready to be stored.
pub(super) struct Change<'a> {
    /// The document's key.
    pub(super) key: &'a [u8],
    /// What was stored before; the default where there was nothing.
    pub(super) before: StoredDocument,
    /// Its tree from now on; without a revision, there is no such document any more.
    pub(super) tree: RevTree,
    /// The revision that is new, and its body.
    pub(super) new: Option<(&'a Rev, &'a [u8])>,
    /// Whether that body has attachments.
    pub(super) has_attachments: bool,
    /// Revisions that the tree has forgotten, or of which it needs the body no longer.
    pub(super) dropped: Vec<Rev>,
}

/// The revisions whose bodies go with a write that made the tree forget some: where compaction is automatic, those of all
/// that are no leaves too.
pub(super) fn without_old_bodies(tree: &mut RevTree, stemmed: Vec<Rev>, options: &EditOptions) -> Vec<Rev> {
    let mut dropped = stemmed;
    if options.auto_compaction {
        dropped.extend(tree.compact(0));
    }
    dropped
}

/// Whether the body of a revision is kept.
fn is_stored(tree: &RevTree, rev: &Rev) -> bool {
    tree.status(rev).is_some_and(|status| status.available)
}

/// Drops the body of a revision that is not needed any longer, if there is one, and its references to attachments. Every body
/// that goes goes through here, but for one kept with its document, of which the document's next record is the end: of that,
/// this is told all the same.
///
/// `before` is what was stored of the document until now.
pub(super) fn drop_body(overlay: &mut Overlay, key: &[u8], before: &StoredDocument, rev: &Rev) {
    let is_stored = is_stored(&before.tree, rev);
    if is_stored
        && before.has_attachments
        && let Some(body) = before.body_of(overlay, key, rev)
    {
        attachments::release(overlay, &body);
    }
    if is_stored && !before.is_kept_with_document(rev) {
        overlay.delete(Keyspace::Body, body_key(key, rev));
    }
}

/// Stores a change under the next seq.
pub(super) fn store(overlay: &mut Overlay, counters: &mut Counters, change: Change<'_>) {
    let Change { key, before, tree, new, has_attachments, dropped } = change;
    let (winner_before, winner) = (before.tree.winner(), tree.winner());
    let is_alive = |winner: &Option<Leaf<'_>>| u64::from(winner.is_some_and(|winner| !winner.deleted));
    counters.doc_count = counters.doc_count + is_alive(&winner) - is_alive(&winner_before);

    let is_inline = |(rev, body): &(&Rev, &[u8])| {
        winner.is_some_and(|winner| winner.rev == *rev) && StoredDocument::is_inline(body)
    };
    let new_body = new.filter(is_inline).map(|(_, body)| body);
    let old_body = winner.and_then(|winner| place_bodies(overlay, key, &before, &tree, winner.rev, new));
    // First, so that a content that goes from one revision to the next stays.
    if let Some((rev, body)) = new
        && has_attachments
        && is_stored(&tree, rev)
        // An edit upon an old revision of a deleted document may make one that there is already.
        && !is_stored(&before.tree, rev)
    {
        attachments::refer(overlay, body);
    }
    for rev in dropped {
        // A tree may know a revision that it forgot in another place.
        if !is_stored(&tree, &rev) {
            drop_body(overlay, key, &before, &rev);
        }
    }

    counters.update_seq += 1;
    if before.seq != 0 {
        overlay.delete(Keyspace::Sequence, before.seq.to_be_bytes());
    }
    if tree.is_empty() {
        overlay.delete(Keyspace::Document, key);
        return;
    }
    let entry = SequenceEntry::encode_head(&tree);
    overlay.put_parts(Keyspace::Sequence, counters.update_seq.to_be_bytes(), [&entry, key]);
    let has_attachments = has_attachments || before.has_attachments;
    let body = new_body.or(old_body.as_deref());
    put_document(overlay, key, counters.update_seq, &tree, has_attachments, body);
}

/// Stores a document's own record.
pub(super) fn put_document(
    overlay: &mut Overlay,
    key: &[u8],
    seq: u64,
    tree: &RevTree,
    has_attachments: bool,
    body: Option<&[u8]>,
) {
    let head = StoredDocument::encode_head(seq, tree, has_attachments, body.is_some());
    overlay.put_parts(Keyspace::Document, key, [&head, body.unwrap_or_default()]);
}

/// Puts the bodies of the new revision, and of the winners of before and from now on, where they belong, if that is not with
/// the document. Gives the one that is kept there, if it is not the new one.
fn place_bodies(
    overlay: &mut Overlay,
    key: &[u8],
    before: &StoredDocument,
    tree: &RevTree,
    winner: &Rev,
    new: Option<(&Rev, &[u8])>,
) -> Option<Bytes> {
    let winner_before = before.tree.winner().map(|winner| winner.rev);
    let moved = before.body.as_ref().zip(winner_before).filter(|(_, old)| *old != winner);
    if let Some((old_body, old_winner)) = moved
        && is_stored(tree, old_winner)
    {
        overlay.put(Keyspace::Body, body_key(key, old_winner), old_body);
    }
    if let Some((rev, body)) = new {
        if rev == winner && StoredDocument::is_inline(body) {
            return None;
        }
        if is_stored(tree, rev) {
            overlay.put(Keyspace::Body, body_key(key, rev), body);
        }
        if rev == winner {
            return None;
        }
    }
    let body = before.body_of(overlay, key, winner).filter(|body| StoredDocument::is_inline(body))?;
    // It was kept apart until now, if it was not the winner before.
    if winner_before != Some(winner) {
        overlay.delete(Keyspace::Body, body_key(key, winner));
    }
    Some(body)
}
