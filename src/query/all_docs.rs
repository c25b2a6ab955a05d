//! `allDocs`: documents by id.

use super::document::{Wanted, winner_text};
use super::range::id_range;
use crate::doc::{id_from_key, id_key, json_text};
use crate::edit::{Counters, StoredDocument};
use crate::engine::{Keyspace, Listing, ROWS_AHEAD, Rows, STEP_BYTES, Snapshot, Step, View};
use crate::error::Result;
use crate::tree::Leaf;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write as _;
use std::ops::Bound;

/// PouchDB's options of `allDocs`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct AllDocsOptions {
    /// Whether each row has the document.
    pub include_docs: bool,
    /// Whether each document has its `_conflicts`.
    pub conflicts: bool,
    /// The first id.
    pub startkey: Option<Value>,
    /// The last id.
    pub endkey: Option<Value>,
    /// Whether the row of `endkey` is included.
    pub inclusive_end: bool,
    /// At most so many rows; negative: all.
    pub limit: Option<i64>,
    /// So many rows are left out at the beginning.
    pub skip: usize,
    /// Whether the order is reversed.
    pub descending: bool,
    /// The only id.
    pub key: Option<Value>,
    /// The ids of the rows, in their order.
    pub keys: Option<Vec<Value>>,
    /// Whether each document has marks for the contents of its attachments, instead of stubs.
    pub attachments: bool,
    /// Whether the answer has the database's `update_seq`.
    pub update_seq: bool,
}

impl Default for AllDocsOptions {
    fn default() -> Self {
        Self {
            include_docs: false,
            conflicts: false,
            startkey: None,
            endkey: None,
            inclusive_end: true,
            limit: None,
            skip: 0,
            descending: false,
            key: None,
            keys: None,
            attachments: false,
            update_seq: false,
        }
    }
}

/// An answer of `allDocs` that is being drawn up.
pub struct AllDocs<'a> {
    listing: Listing,
    /// So many of the wanted ids have their rows.
    keys_done: usize,
    counters: Counters,
    rows: RowTexts<'a>,
}

impl<'a> AllDocs<'a> {
    /// An answer without any rows yet.
    pub fn new(options: &'a AllDocsOptions) -> Self {
        let AllDocsOptions { startkey, endkey, key, inclusive_end, descending, .. } = options;
        // Nothing is between these.
        let nothing = || (Bound::Excluded(Vec::new()), Bound::Excluded(Vec::new()));
        let bounds = id_range(startkey, endkey, key, *inclusive_end, *descending).unwrap_or_else(nothing);
        let limit = options.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        Self {
            listing: Listing { keyspace: Keyspace::Document, bounds, descending: *descending },
            keys_done: 0,
            counters: Counters::default(),
            rows: RowTexts { options, skip: options.skip, left: limit, text: String::new() },
        }
    }

    /// Adds the next rows.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn step(&mut self, snapshot: &Snapshot) -> Result<Step> {
        self.counters = Counters::read(snapshot);
        match &self.rows.options.keys {
            Some(keys) => self.step_by_keys(snapshot, keys),
            None => self.listing.step(snapshot, &mut self.rows),
        }
    }

    fn step_by_keys(&mut self, snapshot: &Snapshot, keys: &[Value]) -> Result<Step> {
        let rows = &mut self.rows;
        let mut wanted: Vec<_> = keys.iter().skip(rows.skip).take(rows.left).collect();
        if rows.options.descending {
            wanted.reverse();
        }
        let before = (self.keys_done, rows.text.len());
        for key in wanted.into_iter().skip(self.keys_done).take(ROWS_AHEAD) {
            let row = rows.row_of_key(snapshot, key);
            // The others are looked at still, so that what they lack is loaded together.
            if snapshot.lacks_blocks() {
                continue;
            }
            if let Some(row) = row? {
                rows.push(&row);
            }
            self.keys_done += 1;
            if rows.text.len() - before.1 >= STEP_BYTES {
                break;
            }
        }
        Ok(if self.keys_done > before.0 { Step::Further } else { Step::Done })
    }

    /// The answer as JSON text: `{total_rows, offset, rows, update_seq?}`.
    pub fn into_text(self) -> String {
        let RowTexts { options, text: rows, .. } = self.rows;
        let offset = if options.keys.is_some() { 0 } else { options.skip };
        let Counters { doc_count, update_seq } = self.counters;
        let mut text = format!("{{\"total_rows\":{doc_count},\"offset\":{offset},\"rows\":[");
        text.push_str(&rows);
        text.push(']');
        if options.update_seq {
            // Writing to a string does not fail.
            let _ = write!(text, ",\"update_seq\":{update_seq}");
        }
        text.push('}');
        text
    }
}

/// The rows' JSON texts, with commas between them.
struct RowTexts<'a> {
    options: &'a AllDocsOptions,
    /// So many rows are to be left out still.
    skip: usize,
    /// So many rows are wanted still.
    left: usize,
    text: String,
}

impl Rows for RowTexts<'_> {
    /// Empty where it is to be left out.
    type Row = String;

    fn left(&self) -> usize {
        self.left
    }

    fn make(&self, snapshot: &Snapshot, key: &Bytes, value: Bytes) -> Result<Option<String>> {
        let document = StoredDocument::decode(key, value)?;
        let Some(winner) = document.tree.winner().filter(|winner| !winner.deleted) else { return Ok(None) };
        if self.skip > 0 {
            return Ok(Some(String::new()));
        }
        let doc = self.options.include_docs.then(|| self.document(snapshot, key, &document, winner));
        Ok(Some(row_text(&id_from_key(key), winner, doc.transpose()?.as_deref())))
    }

    fn keep(&mut self, row: String) {
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            self.left -= 1;
            self.push(&row);
        }
    }
}

impl RowTexts<'_> {
    fn row_of_key(&self, snapshot: &Snapshot, wanted: &Value) -> Result<Option<String>> {
        let key = wanted.as_str().map(id_key);
        let found = key.and_then(|key| Some((snapshot.get(Keyspace::Document, &key)?, key)));
        let Some((stored, key)) = found else {
            return Ok(Some(format!("{{\"key\":{wanted},\"error\":\"not_found\"}}")));
        };
        let document = StoredDocument::decode(&key, stored)?;
        let Some(winner) = document.tree.winner() else { return Ok(None) };
        let doc = match (winner.deleted, self.options.include_docs) {
            (true, _) => Some("null".to_owned()),
            (false, true) => Some(self.document(snapshot, &key, &document, winner)?),
            (false, false) => None,
        };
        Ok(Some(row_text(&id_from_key(&key), winner, doc.as_deref())))
    }

    fn document(
        &self,
        snapshot: &Snapshot,
        key: &[u8],
        document: &StoredDocument,
        winner: Leaf<'_>,
    ) -> Result<String> {
        let AllDocsOptions { conflicts, attachments, .. } = *self.options;
        winner_text(snapshot, document, key, winner, Wanted { conflicts, attachments })
    }

    fn push(&mut self, row: &str) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(row);
    }
}

fn row_text(id: &str, winner: Leaf<'_>, doc: Option<&str>) -> String {
    let mut text = String::with_capacity(2 * id.len() + doc.map_or(0, str::len) + 80);
    let id = json_text(id);
    let deleted = if winner.deleted { ",\"deleted\":true" } else { "" };
    let rev = json_text(winner.rev);
    // Writing to a string does not fail.
    let _ = write!(text, "{{\"id\":{id},\"key\":{id},\"value\":{{\"rev\":{rev}{deleted}}}");
    if let Some(doc) = doc {
        text.push_str(",\"doc\":");
        text.push_str(doc);
    }
    text.push('}');
    text
}
