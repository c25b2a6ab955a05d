//! What comes from outside, as functions of bytes: each must end without a panic, whatever it is given, and leave
//! everything in order. The fuzz targets of `fuzz/` call them, and so do tests, with what is valid but for some bytes.

mod adoption;
mod documents;
mod server;
#[cfg(test)]
mod tests;

pub use crate::engine::fuzzing::stored_records;
pub use crate::http::fuzzing::multipart;
pub use adoption::adoption;
pub use documents::{documents, stored_documents};
pub use server::server;

use crate::tree::{RevPath, RevTree};
use std::collections::BTreeSet;

/// A revision tree as it is stored.
pub fn tree(mut data: &[u8]) {
    let Ok(mut tree) = RevTree::decode(&mut data) else { return };
    let mut encoded = Vec::new();
    tree.encode(&mut encoded);
    assert!(RevTree::decode(&mut encoded.as_slice()).is_ok_and(|again| again == tree));
    assert_eq!(tree.leaves().len(), tree.open_revs().len());
    // One revision in two places is not looked for where a tree is read: that takes a broken writer. Nothing panics then.
    let revs: BTreeSet<String> = tree.revs().map(|(rev, _)| rev.to_string()).collect();
    let is_sound = revs.len() == tree.len();
    tree.conflicts();
    tree.deleted_conflicts();
    let mut merged = tree.clone();
    for (rev, status) in tree.revs() {
        let known = tree.ancestry(rev).unwrap_or_default();
        let path = RevPath::new(
            rev.clone(),
            known.iter().skip(1).map(|(rev, _)| rev.hash.clone()).collect::<Vec<_>>(),
        );
        merged.merge(&path, status.deleted, 1000);
        let latest = tree.latest(rev);
        assert!(!is_sound || latest.is_some_and(|leaf| tree.is_leaf(leaf)));
    }
    merged.compact(0);
    while let Some(leaf) = tree.winner().map(|winner| winner.rev.clone()) {
        let removed = tree.remove_leaf(&leaf);
        assert!(!is_sound || removed.as_ref().is_ok_and(|removed| removed.first() == Some(&leaf)));
        if removed.is_err() {
            break;
        }
    }
    assert!(!is_sound || tree.is_empty());
}
