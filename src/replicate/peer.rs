//! The two databases of a replication, as much of them as it needs.

use super::attachments::Wanted;
use super::seq::Seq;
use crate::error::{Error, Result};
use crate::storage::Content;
use async_trait::async_trait;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::rc::Rc;

/// A local document's members, such as a checkpoint's.
pub type LocalDoc = Map<String, Value>;

/// A database that can be read from and written to.
///
/// Dropping a future gives up what it was doing as far as that is possible; a write may or may not have happened.
#[async_trait(?Send)]
pub trait Peer {
    /// Whether it is anything else than a database of ours on this device: requests are then kept small enough for what
    /// stands between, and a target's checkpoints have no member of our own.
    fn is_remote(&self) -> bool;

    /// What tells this database from all others, as PouchDB's `db.id()`.
    async fn id(&self) -> Result<String>;

    /// How much there is.
    async fn info(&self) -> Result<PeerInfo>;

    /// One page of changes after `request.since`; with `request.waits` it resolves when there is something.
    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage>;

    /// The feed is not read on for now: what was kept open for the next page is closed.
    fn leave_feed(&self) {}

    /// Which of these revisions it has not, by document.
    async fn revs_diff(&self, revs: &[DocRevs]) -> Result<HashMap<String, Missing>>;

    /// The documents with their history, newest leaves in place of what has been superseded.
    async fn bulk_get(&self, wanted: &[DocRevs]) -> Result<Vec<Got>>;

    /// The same for one document, from servers that have no `_bulk_get`.
    async fn open_revs(&self, wanted: &DocRevs) -> Result<Vec<Got>>;

    /// Contents of attachments, in the order in which they are wanted. What is wrong with one of them does not keep the
    /// others from being given.
    async fn attachments(&self, wanted: &[Wanted]) -> Result<Vec<std::result::Result<Content, Lacking>>>;

    /// Stores documents with the revisions they have; what it did not take, and why. The contents of attachments that it
    /// needs for that it gets from `source`, few at a time.
    async fn bulk_docs(&self, docs: &[Rc<Doc>], source: &dyn Peer) -> Result<Vec<WriteFailure>>;

    /// A local document.
    async fn get_local(&self, id: &str) -> Result<Option<LocalDoc>>;

    /// Writes a local document; the revision it has then.
    async fn put_local(&self, doc: &LocalDoc) -> Result<String>;
}

/// How much there is in a database.
#[derive(Debug, Clone, Deserialize)]
pub struct PeerInfo {
    /// How many documents there are that are not deleted.
    #[serde(default)]
    pub doc_count: Option<u64>,
    /// Its newest seq.
    #[serde(default)]
    pub update_seq: Option<Seq>,
}

impl PeerInfo {
    /// Whether nothing was ever written to the database.
    pub fn is_untouched(&self) -> bool {
        self.doc_count == Some(0) && self.update_seq.as_ref().is_some_and(Seq::is_untouched)
    }
}

/// What to read of a changes feed.
#[derive(Debug, Clone)]
pub struct ChangesRequest {
    /// Where to go on.
    pub since: Seq,
    /// The most rows to give.
    pub limit: u64,
    /// After so many rows each there is to be a seq; those between may be without.
    pub interval: u64,
    /// Whether to wait where there is nothing yet.
    pub waits: bool,
    /// PouchDB's further options of `changes()`, the same in every request of a replication.
    pub options: Rc<Map<String, Value>>,
}

impl ChangesRequest {
    /// Everything as PouchDB's options, with `feed` for whether to wait.
    pub fn to_options(&self) -> Map<String, Value> {
        let mut options = (*self.options).clone();
        options.insert("since".into(), self.since.to_value());
        options.insert("limit".into(), self.limit.into());
        options.insert("feed".into(), if self.waits { "longpoll" } else { "normal" }.into());
        options
    }
}

/// One page of a changes feed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ChangesPage {
    /// One row a document.
    #[serde(default)]
    pub results: Vec<ChangeRow>,
    /// How far the page goes.
    #[serde(default)]
    pub last_seq: Option<Seq>,
    /// How many changes come after it, where that is known.
    #[serde(default, deserialize_with = "count")]
    pub pending: Option<u64>,
    /// How large the source's documents are on average, as far as it says.
    #[serde(skip)]
    pub bytes_per_doc: Option<u64>,
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_u64())
}

/// One document's last change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeRow {
    /// The document.
    pub id: String,
    /// Its place in the feed; servers may leave it out of most rows.
    #[serde(default)]
    pub seq: Option<Seq>,
    /// The leaves it has.
    #[serde(default)]
    pub changes: Vec<ChangedRev>,
    /// Whether its winner is a deletion.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The winner, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<Box<RawValue>>,
    /// Whether the source knows it for an edit that was just made on it, so that hardly anybody else has it.
    #[serde(skip)]
    pub is_own: bool,
}

/// A leaf in a row of a changes feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedRev {
    /// The revision.
    pub rev: String,
}

/// Revisions of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocRevs {
    /// The document.
    pub id: Rc<str>,
    /// Its revisions.
    pub revs: Vec<String>,
    /// Older ones that the target has told to have.
    pub ancestors: Rc<[String]>,
}

impl DocRevs {
    /// Revisions of which nothing is known that the target has.
    pub fn new(id: Rc<str>, revs: Vec<String>) -> Self {
        Self { id, revs, ancestors: Rc::default() }
    }
}

/// What a target has not of one document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Missing {
    /// The revisions that it has not.
    #[serde(default, rename = "missing")]
    pub revs: Vec<String>,
    /// Older ones that it has, where it tells.
    #[serde(default, rename = "possible_ancestors")]
    pub ancestors: Vec<String>,
}

/// A document on its way: its JSON text as the source gave it, with `_revisions`.
#[derive(Debug)]
pub struct Doc {
    /// The document's id.
    pub id: Rc<str>,
    /// The JSON text.
    pub body: Box<RawValue>,
    /// Older revisions that the target has told to have.
    pub ancestors: Rc<[String]>,
}

impl Doc {
    /// The revision, where the text has one.
    pub fn rev(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Members {
            _rev: Option<String>,
        }
        serde_json::from_str::<Members>(self.body.get()).ok()?._rev
    }
}

/// What a source gave for a revision.
#[derive(Debug, Clone)]
pub enum Got {
    /// The document.
    Doc(Rc<Doc>),
    /// It has no such revision any more.
    Missing {
        /// The document.
        id: Rc<str>,
    },
    /// It can't give it.
    Failed {
        /// The document.
        id: Rc<str>,
        /// Why; `None` where something is wrong that is not about this document in particular.
        error: Option<Error>,
    },
}

/// Why a target did not take a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteFailure {
    /// The document.
    pub id: Option<String>,
    /// The revision; all of the document's where it is not said.
    pub rev: Option<String>,
    /// Why.
    pub error: Error,
    /// Whose fault it is.
    pub cause: Cause,
}

/// Whose fault it is that a document was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The target did not take it.
    Target,
    /// The source did not give the contents of its attachments, and never will: it has not got them.
    Lost,
    /// The source did not give them, and may be in trouble.
    Source,
}

/// Why the content of an attachment is not to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// What the source says.
    pub error: Error,
    /// Whether it will say so again.
    pub is_final: bool,
}

impl WriteFailure {
    /// Whether it is about this document.
    pub fn is_about(&self, doc: &Doc) -> bool {
        self.id.as_deref() == Some(&*doc.id) && (self.rev.is_none() || self.rev == doc.rev())
    }
}
