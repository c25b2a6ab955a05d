//! `changes`: documents by the order of their last changes.

use super::document::{Wanted, winner_text};
use crate::doc::{Rev, close, id_from_key, json_text, push_member};
use crate::edit::{Counters, SequenceEntry, StoredDocument};
use crate::engine::{Keyspace, Listing, Rows, Snapshot, Step, View};
use crate::error::Result;
use bytes::Bytes;
use serde::Deserialize;
use std::collections::HashSet;
use std::ops::Bound;

/// Which revisions a change names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// The winner.
    #[default]
    MainOnly,
    /// All leaves.
    AllDocs,
}

/// What a page of changes is asked for with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ChangesOptions {
    /// Changes after this seq; not looked at when descending, as in PouchDB.
    pub since: u64,
    /// At most so many changes; 0 is 1, as in CouchDB.
    pub limit: Option<usize>,
    /// Whether the newest comes first.
    pub descending: bool,
    /// Whether each change has the document.
    pub include_docs: bool,
    /// Whether each document has its `_conflicts`.
    pub conflicts: bool,
    /// Whether each document has marks for the contents of its attachments, instead of stubs.
    pub attachments: bool,
    /// Which revisions a change names.
    pub style: Style,
    /// Only these documents.
    pub doc_ids: Option<HashSet<String>>,
}

/// A document's last change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The document.
    pub id: String,
    /// The change's seq.
    pub seq: u64,
    /// The winner, or all leaves, by the style.
    pub revs: Vec<Rev>,
    /// Whether the winner is a deletion.
    pub deleted: bool,
    /// The winner's JSON text, where it was asked for.
    pub doc: Option<String>,
}

/// Some changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesPage {
    /// In the order asked for.
    pub results: Vec<Change>,
    /// The seq from which to go on.
    pub last_seq: u64,
    /// How many changes there are after it at most, before any selection of documents: documents that changed several times
    /// count as often. 0 when descending.
    pub pending: u64,
}

/// A page of changes that is being drawn up.
pub struct Changes<'a> {
    listing: Listing,
    update_seq: u64,
    rows: Found<'a>,
}

impl<'a> Changes<'a> {
    /// A page without any changes yet.
    pub fn new(options: &'a ChangesOptions) -> Self {
        let since = options.since.to_be_bytes();
        let start =
            if options.descending { Bound::Unbounded } else { Bound::Excluded(since.as_slice().into()) };
        let limit = options.limit.map_or(usize::MAX, |limit| limit.max(1));
        Self {
            listing: Listing {
                keyspace: Keyspace::Sequence,
                bounds: (start, Bound::Unbounded),
                descending: options.descending,
            },
            update_seq: 0,
            rows: Found { options, limit, results: Vec::new(), last_seq: options.since },
        }
    }

    /// Adds the next changes.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn step(&mut self, snapshot: &Snapshot) -> Result<Step> {
        self.update_seq = Counters::read(snapshot).update_seq;
        self.listing.step(snapshot, &mut self.rows)
    }

    /// The page.
    pub fn into_page(self) -> ChangesPage {
        let Self { update_seq, rows: Found { options, limit, results, mut last_seq }, .. } = self;
        if options.descending {
            return ChangesPage { results, last_seq, pending: 0 };
        }
        if results.len() < limit {
            // Everything up to the end has been looked at, whatever was selected of it.
            last_seq = last_seq.max(update_seq);
        }
        ChangesPage { results, last_seq, pending: update_seq.saturating_sub(last_seq) }
    }
}

/// The changes of a page so far.
struct Found<'a> {
    options: &'a ChangesOptions,
    limit: usize,
    results: Vec<Change>,
    last_seq: u64,
}

impl Rows for Found<'_> {
    type Row = Change;

    fn left(&self) -> usize {
        self.limit - self.results.len()
    }

    fn make(&self, snapshot: &Snapshot, key: &Bytes, value: Bytes) -> Result<Option<Change>> {
        let seq = <[u8; 8]>::try_from(key.as_ref()).map_or(0, u64::from_be_bytes);
        let entry = SequenceEntry::decode(seq, &value)?;
        let id = id_from_key(&entry.key);
        if self.options.doc_ids.as_ref().is_some_and(|wanted| !wanted.contains(&id)) {
            return Ok(None);
        }
        change(snapshot, self.options, &entry, id, seq)
    }

    fn keep(&mut self, change: Change) {
        self.last_seq = change.seq;
        self.results.push(change);
    }
}

fn change(
    snapshot: &Snapshot,
    options: &ChangesOptions,
    entry: &SequenceEntry,
    id: String,
    seq: u64,
) -> Result<Option<Change>> {
    let Some(winner) = entry.winner.winner() else { return Ok(None) };
    let names_all = options.style == Style::AllDocs && entry.is_branched;
    let mut revs = vec![winner.rev.clone()];
    let mut doc = None;
    if names_all || options.include_docs {
        let key = &entry.key;
        let Some(stored) = snapshot.get(Keyspace::Document, key) else { return Ok(None) };
        let document = StoredDocument::decode(key, stored)?;
        if names_all {
            revs = document.tree.open_revs().into_iter().cloned().collect();
        }
        if options.include_docs {
            let ChangesOptions { conflicts, attachments, .. } = *options;
            doc = Some(winner_text(snapshot, &document, key, winner, Wanted { conflicts, attachments })?);
        }
    }
    Ok(Some(Change { id, seq, revs, deleted: winner.deleted, doc }))
}

impl Change {
    /// The change's JSON text, as PouchDB has it in `results`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        push_member(&mut text, "id", &json_text(&self.id));
        let revs: Vec<String> =
            self.revs.iter().map(|rev| format!("{{\"rev\":{}}}", json_text(rev))).collect();
        push_member(&mut text, "changes", &format!("[{}]", revs.join(",")));
        if let Some(doc) = &self.doc {
            push_member(&mut text, "doc", doc);
        }
        if self.deleted {
            push_member(&mut text, "deleted", "true");
        }
        push_member(&mut text, "seq", &self.seq.to_string());
        close(&mut text);
        text
    }
}

/// A page's JSON text: `{results, last_seq, pending}`.
pub fn changes_text(page: &ChangesPage) -> String {
    let rows: Vec<String> = page.results.iter().map(Change::text).collect();
    format!(
        "{{\"results\":[{}],\"last_seq\":{},\"pending\":{}}}",
        rows.join(","),
        page.last_seq,
        page.pending
    )
}
