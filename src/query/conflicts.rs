//! `conflicts`: documents of which more than one leaf is not deleted, by the order of their last changes. The sequence
//! says which documents have branches, so that no other is looked at.

use super::document::{Wanted, winner_text};
use crate::doc::{Rev, close, id_from_key, json_text, push_member};
use crate::edit::{Counters, SequenceEntry, StoredDocument};
use crate::engine::{Keyspace, Listing, Rows, Snapshot, Step, View};
use crate::error::Result;
use bytes::Bytes;
use serde::Deserialize;
use std::ops::Bound;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ConflictsOptions {
    /// Documents changed after this seq.
    pub since: u64,
    /// At most so many documents.
    pub limit: Option<usize>,
    /// Whether each comes with its winner.
    pub include_docs: bool,
    /// Whether documents are given too that have branches and no conflict, as one has that was settled.
    pub settled: bool,
}

/// A document's conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The document's id.
    pub id: String,
    /// The seq of its last change.
    pub seq: u64,
    /// The winner.
    pub rev: Rev,
    /// The other leaves that are not deleted.
    pub conflicts: Vec<Rev>,
    /// The winner's JSON text, where it was asked for.
    pub doc: Option<String>,
}

/// A page of conflicts that is being drawn up.
pub struct Conflicts<'a> {
    listing: Listing,
    update_seq: u64,
    rows: Found<'a>,
}

/// The conflicts of a page so far.
struct Found<'a> {
    options: &'a ConflictsOptions,
    limit: usize,
    results: Vec<Conflict>,
}

impl<'a> Conflicts<'a> {
    /// A page without any conflicts yet.
    pub fn new(options: &'a ConflictsOptions) -> Self {
        let start = Bound::Excluded(options.since.to_be_bytes().as_slice().into());
        let limit = options.limit.map_or(usize::MAX, |limit| limit.max(1));
        Self {
            listing: Listing {
                keyspace: Keyspace::Sequence,
                bounds: (start, Bound::Unbounded),
                descending: false,
            },
            update_seq: 0,
            rows: Found { options, limit, results: Vec::new() },
        }
    }

    /// Adds the next ones. A step of [`Engine::read_in_steps`](crate::engine::Engine::read_in_steps).
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn step(&mut self, snapshot: &Snapshot) -> Result<Step> {
        self.update_seq = Counters::read(snapshot).update_seq;
        self.listing.step(snapshot, &mut self.rows)
    }

    /// The page's JSON text: `{results, last_seq}`.
    pub fn into_text(self) -> String {
        let Self { update_seq, rows: Found { options, limit, results }, .. } = self;
        let last_seq = match results.last() {
            Some(last) if results.len() >= limit => last.seq,
            _ => options.since.max(update_seq),
        };
        let rows: Vec<_> = results.iter().map(Conflict::text).collect();
        format!("{{\"results\":[{}],\"last_seq\":{last_seq}}}", rows.join(","))
    }
}

impl Rows for Found<'_> {
    type Row = Conflict;

    fn left(&self) -> usize {
        self.limit - self.results.len()
    }

    fn make(&self, snapshot: &Snapshot, key: &Bytes, value: Bytes) -> Result<Option<Conflict>> {
        let seq = <[u8; 8]>::try_from(key.as_ref()).map_or(0, u64::from_be_bytes);
        let entry = SequenceEntry::decode(seq, &value)?;
        if !entry.is_branched {
            return Ok(None);
        }
        let Some(stored) = snapshot.get(Keyspace::Document, &entry.key) else { return Ok(None) };
        let document = StoredDocument::decode(&entry.key, stored)?;
        let Some(winner) = document.tree.winner() else { return Ok(None) };
        let conflicts: Vec<_> = document.tree.conflicts().into_iter().cloned().collect();
        if conflicts.is_empty() && !self.options.settled {
            return Ok(None);
        }
        let doc = match self.options.include_docs {
            true => {
                let wanted = Wanted { conflicts: true, attachments: false };
                Some(winner_text(snapshot, &document, &entry.key, winner, wanted)?)
            }
            false => None,
        };
        Ok(Some(Conflict { id: id_from_key(&entry.key), seq, rev: winner.rev.clone(), conflicts, doc }))
    }

    fn keep(&mut self, conflict: Conflict) {
        self.results.push(conflict);
    }
}

impl Conflict {
    fn text(&self) -> String {
        let mut text = String::new();
        push_member(&mut text, "id", &json_text(&self.id));
        push_member(&mut text, "seq", &self.seq.to_string());
        push_member(&mut text, "rev", &json_text(&self.rev));
        push_member(&mut text, "conflicts", &json_text(&self.conflicts));
        if let Some(doc) = &self.doc {
            push_member(&mut text, "doc", doc);
        }
        close(&mut text);
        text
    }
}
