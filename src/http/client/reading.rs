//! Lists: all documents, the changes feed, missing revisions.

use super::{Call, Client};
use crate::error::Result;
use crate::http::error;
use crate::http::params::{Options, Query};
use crate::http::patience::Patience;
use bytes::Bytes;
use serde_json::{Value, json};

/// The heartbeat of a feed that waits, where the user wants no other; PouchDB's default.
const HEARTBEAT: u64 = 10_000;

impl Client {
    /// Lists documents, with PouchDB's options; `keys` are sent in a body, so that there may be many.
    pub async fn all_docs(&self, options: &str) -> Result<String> {
        let options = Options::parse(options)?;
        let mut query = Query::default();
        query.add_flags(&options, &["conflicts", "update_seq", "descending", "include_docs", "attachments"]);
        for (name, other_name) in [("key", "key"), ("startkey", "start_key"), ("endkey", "end_key")] {
            if let Some(key) = options.get(other_name).or_else(|| options.get(name)) {
                query.add(name, &key.to_string());
            }
        }
        if options.get("inclusive_end").is_some() {
            query.add("inclusive_end", if options.is_set("inclusive_end") { "true" } else { "false" });
        }
        for name in ["limit", "skip"] {
            if let Some(count) = options.get(name) {
                query.add_bare(name, count);
            }
        }
        let url = self.in_db(&format!("_all_docs{}", query.finish()));
        let call = match options.get("keys") {
            Some(keys) => Call::ask(url, json!({ "keys": keys }).to_string()),
            None => Call::get(url),
        };
        error::text(self.call(call).await?)
    }

    /// One request to the changes feed: `{results, last_seq, pending?}`.
    ///
    /// PouchDB's options, and `feed`: `normal` answers with what there is, `longpoll` waits until there is something.
    /// Dropping the future aborts the request.
    pub async fn changes(&self, options: &str) -> Result<String> {
        error::text(self.raw_changes(&Options::parse(options)?).await?)
    }

    pub(crate) async fn raw_changes(&self, options: &Options) -> Result<Bytes> {
        let call = self.changes_call(options);
        if options.text("feed") == Some("longpoll") {
            self.call(call).await
        } else {
            self.call_early(call).await
        }
    }

    pub(super) fn changes_call(&self, options: &Options) -> Call {
        let feed = options.text("feed").filter(|feed| matches!(*feed, "longpoll" | "continuous"));
        let waits = feed.is_some();
        let timeout = options.millis("timeout");
        let heartbeat = match options.get("heartbeat") {
            None if waits => Some(HEARTBEAT),
            // `false` switches it off.
            _ => options.millis("heartbeat"),
        };
        let mut query = Query::default();
        let mut add_number = |name: &str, value: Option<u64>| {
            if let Some(value) = value {
                query.add(name, &value.to_string());
            }
        };
        add_number("timeout", timeout);
        add_number("heartbeat", heartbeat);
        for name in ["style", "seq_interval", "limit"] {
            if let Some(value) = options.get(name).filter(|_| options.is_set(name)) {
                query.add_bare(name, value);
            }
        }
        if let Some(feed) = feed {
            query.add("feed", feed);
        }
        query.add_flags(options, &["include_docs", "attachments", "conflicts", "descending", "update_seq"]);
        let body = add_filter(&mut query, options);
        match options.get("since") {
            Some(since) => query.add_bare("since", since),
            None => query.add("since", "0"),
        }
        let url = self.in_db(&format!("_changes{}", query.finish()));
        let patience = match waits {
            true => Patience::for_feed(heartbeat, timeout),
            false => Patience::for_answer(timeout, body.as_ref().map_or(0, |body| body.len() as u64)),
        };
        let call = match body {
            Some(body) => Call::ask(url, body),
            None => Call::get(url),
        };
        // A filter may keep the server busy for long before it has anything to say.
        let is_filtered = ["filter", "view", "selector"].iter().any(|name| options.get(name).is_some());
        let is_repeatable = !waits && !is_filtered;
        Call { patience: Some(patience), is_repeatable, waits, ..call }
    }

    /// `{id: [revs]}` to `{id: {missing: [revs]}}`.
    pub async fn revs_diff(&self, request: &str) -> Result<String> {
        error::text(self.raw_revs_diff(request.to_owned()).await?)
    }

    pub(crate) async fn raw_revs_diff(&self, request: String) -> Result<Bytes> {
        self.call(Call::ask(self.in_db("_revs_diff"), request)).await
    }
}

/// What the server filters by; `doc_ids` and `selector` become a body.
fn add_filter(query: &mut Query, options: &Options) -> Option<String> {
    let (filter, body) = if let Some(ids) = options.get("doc_ids") {
        (Some("_doc_ids"), Some(json!({ "doc_ids": ids })))
    } else if let Some(selector) = options.get("selector") {
        (Some("_selector"), Some(json!({ "selector": selector })))
    } else if options.text("view").is_some() {
        (Some("_view"), None)
    } else {
        (options.text("filter"), None)
    };
    if let Some(filter) = filter {
        query.add("filter", filter);
    }
    if let Some(view) = options.text("view") {
        query.add("view", view);
    }
    if let Some(Value::Object(params)) = options.get("query_params") {
        for (name, value) in params {
            query.add_bare(name, value);
        }
    }
    body.map(|body| body.to_string())
}
