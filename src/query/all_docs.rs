//! `allDocs`: documents by id.

use super::document::winner_text;
use super::range::id_range;
use crate::doc::{Rev, id_from_key, id_key, json_text};
use crate::edit::{Counters, StoredDocument};
use crate::engine::{Keyspace, Snapshot, View};
use crate::error::Result;
use crate::tree::Leaf;
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Write as _;

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
            update_seq: false,
        }
    }
}

/// The answer of `allDocs` as JSON text: `{total_rows, offset, rows, update_seq?}`.
///
/// # Errors
/// A storage error where what is stored cannot be read.
pub fn all_docs(snapshot: &Snapshot, options: &AllDocsOptions) -> Result<String> {
    let counters = Counters::read(snapshot);
    let mut rows = Rows { snapshot, options, text: String::new(), count: 0 };
    let limit = options.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let mut offset = options.skip;
    match &options.keys {
        Some(keys) => {
            offset = 0;
            let mut wanted: Vec<_> = keys.iter().skip(options.skip).take(limit).collect();
            if options.descending {
                wanted.reverse();
            }
            for key in wanted {
                rows.push_key(key)?;
            }
        }
        None => rows.push_range(limit)?,
    }
    let mut text = format!("{{\"total_rows\":{},\"offset\":{offset},\"rows\":[", counters.doc_count);
    text.push_str(&rows.text);
    text.push(']');
    if options.update_seq {
        // Writing to a string does not fail.
        let _ = write!(text, ",\"update_seq\":{}", counters.update_seq);
    }
    text.push('}');
    Ok(text)
}

struct Rows<'a> {
    snapshot: &'a Snapshot,
    options: &'a AllDocsOptions,
    text: String,
    count: usize,
}

impl Rows<'_> {
    fn push_range(&mut self, limit: usize) -> Result<()> {
        let AllDocsOptions { startkey, endkey, key, inclusive_end, descending, .. } = self.options;
        let Some((low, high)) = id_range(startkey, endkey, key, *inclusive_end, *descending) else {
            return Ok(());
        };
        let bounds = (low.as_ref().map(Vec::as_slice), high.as_ref().map(Vec::as_slice));
        let mut skip = self.options.skip;
        for (key, stored) in self.snapshot.scan(Keyspace::Document, bounds, *descending) {
            if self.count >= limit {
                break;
            }
            let document = StoredDocument::decode(&key, stored)?;
            let Some(winner) = document.tree.winner() else { continue };
            if winner.deleted {
                continue;
            }
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let doc =
                self.options.include_docs.then(|| self.document(&key, &document, winner)).transpose()?;
            self.push_row(&id_from_key(&key), winner.rev, false, doc.as_deref());
        }
        Ok(())
    }

    fn push_key(&mut self, wanted: &Value) -> Result<()> {
        let key = wanted.as_str().map(id_key);
        let found = key.and_then(|key| Some((self.snapshot.get(Keyspace::Document, &key)?, key)));
        let Some((stored, key)) = found else {
            self.begin_row();
            // Writing to a string does not fail.
            let _ = write!(self.text, "{{\"key\":{wanted},\"error\":\"not_found\"}}");
            return Ok(());
        };
        let document = StoredDocument::decode(&key, stored)?;
        let Some(winner) = document.tree.winner() else { return Ok(()) };
        let doc = match (winner.deleted, self.options.include_docs) {
            (true, _) => Some("null".to_owned()),
            (false, true) => Some(self.document(&key, &document, winner)?),
            (false, false) => None,
        };
        self.push_row(&id_from_key(&key), winner.rev, winner.deleted, doc.as_deref());
        Ok(())
    }

    fn document(&self, key: &[u8], document: &StoredDocument, winner: Leaf<'_>) -> Result<String> {
        winner_text(self.snapshot, document, key, winner, self.options.conflicts)
    }

    fn begin_row(&mut self) {
        if self.count > 0 {
            self.text.push(',');
        }
        self.count += 1;
    }

    fn push_row(&mut self, id: &str, rev: &Rev, deleted: bool, doc: Option<&str>) {
        self.begin_row();
        let id = json_text(id);
        let deleted = if deleted { ",\"deleted\":true" } else { "" };
        // Writing to a string does not fail.
        let _ =
            write!(self.text, "{{\"id\":{id},\"key\":{id},\"value\":{{\"rev\":{}{deleted}}}", json_text(rev));
        if let Some(doc) = doc {
            self.text.push_str(",\"doc\":");
            self.text.push_str(doc);
        }
        self.text.push('}');
    }
}
