//! Storing a document after its tree has changed.

use super::bulk::EditOptions;
use super::counters::Counters;
use super::sequence::SequenceEntry;
use super::stored::{StoredDocument, body_key};
use crate::doc::Rev;
use crate::engine::{Keyspace, Overlay};
use crate::tree::RevTree;

/// A document's change, decided and ready to be stored.
pub(super) struct Change<'a> {
    /// The document's key.
    pub(super) key: &'a [u8],
    /// What was stored before; the default where there was nothing.
    pub(super) before: StoredDocument,
    /// Its tree from now on.
    pub(super) tree: RevTree,
    /// The revision that is new, and its body.
    pub(super) rev: Rev,
    pub(super) body: &'a [u8],
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

/// Drops the body of a revision that is not needed any longer, if there is one. Every body that goes goes through here, but
/// for one kept with its document, of which the document's next record is the end: of that, this is told all the same.
///
/// `before` is what was stored of the document until now.
pub(super) fn drop_body(overlay: &mut Overlay, key: &[u8], before: &StoredDocument, rev: &Rev) {
    let is_stored = before.tree.status(rev).is_some_and(|status| status.available);
    if is_stored && !before.is_kept_with_document(rev) {
        overlay.delete(Keyspace::Body, body_key(key, rev));
    }
}

/// Stores a change under the next seq.
pub(super) fn store(overlay: &mut Overlay, counters: &mut Counters, change: Change<'_>) {
    let Change { key, before, tree, rev, body, dropped } = change;
    let winner_before = before.tree.winner();
    let (winner, deleted) = match tree.winner() {
        Some(winner) => (winner.rev.clone(), winner.deleted),
        // A path has at least one revision.
        None => return,
    };
    let was_alive = winner_before.is_some_and(|winner| !winner.deleted);
    counters.doc_count = counters.doc_count + u64::from(!deleted) - u64::from(was_alive);

    let moved =
        before.body.as_ref().zip(winner_before.map(|winner| winner.rev)).filter(|(_, old)| **old != winner);
    if let Some((old_body, old_winner)) = moved
        && tree.status(old_winner).is_some_and(|status| status.available)
    {
        overlay.put(Keyspace::Body, body_key(key, old_winner), old_body);
    }
    let kept;
    let winner_body = if winner == rev {
        Some(body)
    } else {
        if tree.contains(&rev) {
            overlay.put(Keyspace::Body, body_key(key, &rev), body);
        }
        kept = before.body_of(overlay, key, &winner);
        kept.as_deref()
    };
    let inline_body = winner_body.filter(|body| StoredDocument::is_inline(body));
    match (winner_body, inline_body) {
        // What is not new is kept apart already.
        (Some(body), None) if winner == rev => overlay.put(Keyspace::Body, body_key(key, &winner), body),
        // It was kept apart until now, if it is neither new nor was the winner before.
        (_, Some(_)) if winner != rev && winner_before.is_none_or(|old| *old.rev != winner) => {
            overlay.delete(Keyspace::Body, body_key(key, &winner));
        }
        _ => {}
    }
    for rev in dropped {
        // A tree may know a revision that it forgot in another place.
        if !tree.status(&rev).is_some_and(|status| status.available) {
            drop_body(overlay, key, &before, &rev);
        }
    }

    counters.update_seq += 1;
    if before.seq != 0 {
        overlay.delete(Keyspace::Sequence, before.seq.to_be_bytes());
    }
    let entry = SequenceEntry::encode_head(&tree);
    overlay.put_parts(Keyspace::Sequence, counters.update_seq.to_be_bytes(), [&entry, key]);
    let head = StoredDocument::encode_head(counters.update_seq, &tree, inline_body.is_some());
    overlay.put_parts(Keyspace::Document, key, [&head, inline_body.unwrap_or_default()]);
}
