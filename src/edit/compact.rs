//! Compaction: the bodies of revisions that are no leaves are dropped. Where they stood in the tree stays known.

use super::local_document;
use super::sequence::SequenceEntry;
use super::stored::StoredDocument;
use super::write::{drop_body, put_document};
use crate::doc::{Members, id_key};
use crate::edit::read_local;
use crate::engine::{Keyspace, Listing, Overlay, Rows, Snapshot, Step, View};
use crate::error::Result;
use bytes::Bytes;
use std::ops::Bound;

/// The local document that tells up to which seq the database is compacted, as `{"last_seq": N}`.
const PROGRESS: &str = "_local/compaction";

/// A slice ends with so many bytes of documents, or so many documents: some milliseconds on a slow machine.
const SLICE_BYTES: usize = 256 << 10;
const SLICE_DOCUMENTS: usize = 512;

/// The seq up to which everything is compacted: what changed later has a greater one.
pub fn compacted_until(view: &impl View) -> u64 {
    let document = read_local(view, PROGRESS);
    let text = document.as_ref().and_then(|document| std::str::from_utf8(&document.body).ok());
    let members = text.and_then(|text| Members::parse(text).ok());
    let last_seq = members.and_then(|members| members.get("last_seq"));
    last_seq.and_then(|last_seq| last_seq.get().parse().ok()).unwrap_or_default()
}

/// Drops the bodies of a document's revisions that are further than `max_height` generations from all leaves. `None` where
/// there is no such document; else how many there were.
///
/// # Errors
/// A storage error where what is stored cannot be read.
pub fn compact_document(overlay: &mut Overlay, id: &str, max_height: usize) -> Result<Option<usize>> {
    compact_at(overlay, &id_key(id), max_height)
}

fn compact_at(overlay: &mut Overlay, key: &[u8], max_height: usize) -> Result<Option<usize>> {
    let Some(document) = StoredDocument::find_at(overlay, key)? else { return Ok(None) };
    let mut tree = document.tree.clone();
    let dropped = tree.compact(max_height);
    for rev in &dropped {
        drop_body(overlay, key, &document, rev);
    }
    if !dropped.is_empty() {
        let StoredDocument { seq, has_attachments, body, .. } = &document;
        put_document(overlay, key, *seq, &tree, *has_attachments, body.as_deref());
    }
    Ok(Some(dropped.len()))
}

/// What of the documents that changed after one seq, and not after another, is to be compacted next: a slice of them.
pub struct CompactionSlice {
    listing: Listing,
    found: Found,
    until: u64,
}

impl CompactionSlice {
    /// A slice of the changes after `since`, up to `until`.
    pub fn new(since: u64, until: u64) -> Self {
        let bound = |seq: u64| seq.to_be_bytes().to_vec();
        // A range that ends before it begins is empty.
        let bounds = (Bound::Excluded(bound(since)), Bound::Included(bound(until.max(since))));
        Self {
            listing: Listing { keyspace: Keyspace::Sequence, bounds, descending: false },
            found: Found { last_seq: since, ..Found::default() },
            until,
        }
    }

    /// Looks at the next documents. A step of [`Engine::read_in_steps`](crate::engine::Engine::read_in_steps).
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn step(&mut self, snapshot: &Snapshot) -> Result<Step> {
        let step = self.listing.step(snapshot, &mut self.found)?;
        if step == Step::Done && self.found.left() > 0 && !snapshot.lacks_blocks() {
            self.found.last_seq = self.until.max(self.found.last_seq);
        }
        Ok(step)
    }

    /// How many changes it is made of.
    pub fn changes(&self) -> usize {
        self.found.changes
    }

    /// Up to which seq everything is compacted once its plan is carried out.
    pub fn last_seq(&self) -> u64 {
        self.found.last_seq
    }

    /// Whether its plan would do nothing that matters: there is nothing to drop, and more slices follow.
    pub fn is_void(&self) -> bool {
        self.found.keys.is_empty() && self.found.last_seq < self.until
    }

    /// Compacts the documents, whatever has become of them, and notes how far that has come. Tells how many
    /// bodies were dropped.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn plan(&self, overlay: &mut Overlay) -> Result<usize> {
        let mut dropped = 0;
        for key in &self.found.keys {
            dropped += compact_at(overlay, key, 0)?.unwrap_or_default();
        }
        if compacted_until(overlay) < self.found.last_seq {
            local_document::replace(overlay, PROGRESS, &format!("{{\"last_seq\":{}}}", self.found.last_seq));
        }
        Ok(dropped)
    }
}

/// What a slice is made of so far.
#[derive(Default)]
struct Found {
    changes: usize,
    last_seq: u64,
    bytes: usize,
    /// The documents of which there is something to drop.
    keys: Vec<Bytes>,
}

/// A change looked at: its seq, its document's size, and the document's key if there is something to drop of it.
struct Change {
    seq: u64,
    bytes: usize,
    key: Option<Bytes>,
}

impl Rows for Found {
    type Row = Change;

    fn left(&self) -> usize {
        if self.bytes >= SLICE_BYTES { 0 } else { SLICE_DOCUMENTS.saturating_sub(self.changes) }
    }

    fn make(&self, snapshot: &Snapshot, key: &Bytes, value: Bytes) -> Result<Option<Change>> {
        let seq = <[u8; 8]>::try_from(key.as_ref()).map_or(0, u64::from_be_bytes);
        let entry = SequenceEntry::decode(seq, &value)?;
        let nothing = Change { seq, bytes: 0, key: None };
        let is_first = entry.winner.winner().is_some_and(|winner| winner.rev.generation == 1);
        if is_first && !entry.is_branched {
            // Most documents are never edited; a look at them would be a read for nothing.
            return Ok(Some(nothing));
        }
        let Some(stored) = snapshot.get(Keyspace::Document, &entry.key) else { return Ok(Some(nothing)) };
        let bytes = stored.len();
        let mut document = StoredDocument::decode(&entry.key, stored)?;
        let has_some = !document.tree.compact(0).is_empty();
        Ok(Some(Change { seq, bytes, key: has_some.then_some(entry.key) }))
    }

    fn keep(&mut self, change: Change) {
        self.changes += 1;
        self.last_seq = change.seq;
        self.bytes += change.bytes;
        self.keys.extend(change.key);
    }
}
