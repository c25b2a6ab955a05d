//! Storing a document after its tree has changed.

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
    /// Revisions that the tree has forgotten.
    pub(super) stemmed: Vec<Rev>,
}

/// Stores a change under the next seq.
pub(super) fn store(overlay: &mut Overlay, counters: &mut Counters, change: Change<'_>) {
    let Change { key, before, tree, rev, body, mut stemmed } = change;
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
    stemmed.retain(|stemmed| !tree.contains(stemmed));
    for stemmed in stemmed {
        overlay.delete(Keyspace::Body, body_key(key, &stemmed));
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
