//! What a replication is asked to do.

use super::id::{IdOptions, replication_id, sorted_list};
use super::seq::Seq;
use crate::error::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::rc::Rc;

/// Where a replication starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Where it was left the last time.
    Checkpoint,
    /// Here, whatever the checkpoints say.
    At(Seq),
    /// After everything that is there when it starts.
    Now,
}

/// Which sides keep checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointSides {
    /// The source does.
    pub source: bool,
    /// The target does.
    pub target: bool,
}

/// How much is done at once. None of these changes what a replication does, only how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of the feed in a batch, where the user has said so.
    pub batch_size: Option<u64>,
    /// Batches of the feed read ahead.
    pub batches_ahead: usize,
    /// Batches between the first question about them and their end.
    pub batches_at_once: usize,
    /// Revisions in one request for documents.
    pub revs_in_fetch: usize,
    /// Bytes that a request for documents should bring, by what those before have brought.
    pub bytes_in_fetch: usize,
    /// Requests for documents at once.
    pub fetches_at_once: usize,
    /// Bytes in one write to a database behind a network; many proxies take no more than a megabyte.
    pub bytes_in_write: usize,
    /// Writes at once.
    pub writes_at_once: usize,
    /// Bytes of documents in memory, beyond which no others are asked for until some are written.
    pub bytes_held: usize,
}

impl Limits {
    /// Rows in the first batch: it shows that something happens.
    pub(super) const FIRST_BATCH: u64 = 250;
    /// Rows in the others.
    pub(super) const BATCH: u64 = 1000;

    /// Rows in the batch of that number, counted from 0.
    pub fn rows(&self, batch: u64) -> u64 {
        self.batch_size.unwrap_or(if batch == 0 { Self::FIRST_BATCH } else { Self::BATCH }).max(1)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_size: None,
            batches_ahead: 10,
            batches_at_once: 6,
            revs_in_fetch: 1000,
            bytes_in_fetch: 640 << 10,
            fetches_at_once: 5,
            bytes_in_write: 900_000,
            writes_at_once: 4,
            bytes_held: 16 << 20,
        }
    }
}

/// The options of a replication.
#[derive(Debug, Clone)]
pub struct ReplicationOptions {
    /// Whether it goes on when everything is replicated.
    pub live: bool,
    /// Whether it tries again after errors.
    pub retry: bool,
    /// Where it starts.
    pub start: Start,
    /// Where its progress is kept.
    pub checkpoint: CheckpointSides,
    /// Whether rows are shown to a filter function before anything else happens to them.
    pub filters: bool,
    /// How much is done at once.
    pub limits: Limits,
    /// What every request to the feed carries.
    pub changes: Rc<Map<String, Value>>,
    given: Rc<Given>,
}

/// PouchDB's options as they come.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Given {
    live: Value,
    continuous: Value,
    retry: Value,
    since: Value,
    doc_ids: Option<Vec<Value>>,
    selector: Option<Box<RawValue>>,
    filter: Option<String>,
    filter_source: Option<String>,
    view: Option<String>,
    query_params: Option<Box<RawValue>>,
    batch_size: Value,
    batches_limit: Value,
    checkpoint: Value,
    style: Option<String>,
    heartbeat: Value,
    timeout: Value,
    seq_interval: Value,
}

impl ReplicationOptions {
    /// Reads PouchDB's options. `filters`: whether a function filters the rows, which then is all the filtering there is
    /// beside `doc_ids`; its text, or its name where it has one, comes as `filter_source` or `filter`.
    pub fn parse(text: &str, filters: bool) -> Result<Self> {
        let text = if text.is_empty() { "{}" } else { text };
        let given: Given = serde_json::from_str(text)
            .map_err(|error| Error::new(ErrorKind::BadRequest).with_reason(error.to_string()))?;
        let count = |value: &Value| value.as_u64().filter(|count| *count > 0);
        let defaults = Limits::default();
        let limits = Limits {
            batch_size: count(&given.batch_size),
            batches_ahead: count(&given.batches_limit).map_or(defaults.batches_ahead, |count| count as usize),
            ..defaults
        };
        // A list of no ids leaves no trace in the id: what did not pass would count as done for a replication of everything.
        let shares_id = given.doc_ids.as_deref().is_some_and(|ids| sorted_list(ids).is_empty());
        let side = |name: &str| match &given.checkpoint {
            _ if shares_id => false,
            Value::Bool(keeps) => *keeps,
            Value::String(only) if only == "source" || only == "target" => only == name,
            _ => true,
        };
        let start = match &given.since {
            Value::Null => Start::Checkpoint,
            Value::String(now) if now == "now" => Start::Now,
            since => Start::At(Seq::from_value(since).unwrap_or_else(Seq::zero)),
        };
        Ok(Self {
            live: is_true(&given.live) || is_true(&given.continuous),
            retry: is_true(&given.retry),
            start,
            checkpoint: CheckpointSides { source: side("source"), target: side("target") },
            filters,
            limits,
            changes: Rc::new(given.changes(filters)?),
            given: Rc::new(given),
        })
    }

    /// The id of the checkpoint documents between databases with these ids.
    pub fn replication_id(&self, source: &str, target: &str) -> String {
        let given = &self.given;
        let options = IdOptions {
            filter: given
                .filter
                .as_deref()
                .or(given.filter_source.as_deref())
                .filter(|filter| !filter.is_empty()),
            view: given.view.as_deref(),
            query_params: given.query_params.as_deref(),
            doc_ids: given.doc_ids.as_deref(),
            selector: given.selector.as_deref(),
        };
        replication_id(source, target, &options)
    }
}

impl Given {
    fn changes(&self, filters: bool) -> Result<Map<String, Value>> {
        let mut options = Map::new();
        options.insert("style".into(), self.style.as_deref().unwrap_or("all_docs").into());
        let mut add = |name: &str, value: Value| {
            if !value.is_null() {
                options.insert(name.into(), value);
            }
        };
        let read = |value: &Option<Box<RawValue>>| match value {
            Some(value) => serde_json::from_str(value.get())
                .map_err(|error| Error::new(ErrorKind::BadRequest).with_reason(error.to_string())),
            None => Ok(Value::Null),
        };
        add("doc_ids", self.doc_ids.clone().into());
        if filters {
            add("include_docs", true.into());
        } else {
            add("selector", read(&self.selector)?);
            add("filter", self.filter.as_deref().map(full_name).into());
            add("view", self.view.as_deref().map(full_name).into());
            add("query_params", read(&self.query_params)?);
        }
        add("heartbeat", self.heartbeat.clone());
        add("timeout", self.timeout.clone());
        add("seq_interval", self.seq_interval.clone());
        Ok(options)
    }
}

/// `name` alone is short for `name/name`.
fn full_name(name: &str) -> String {
    let is_short = !name.is_empty() && !name.starts_with('_') && !name.contains('/');
    if is_short { format!("{name}/{name}") } else { name.to_owned() }
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value.as_f64() != Some(0.0)
}
