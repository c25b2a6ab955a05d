//! Single documents and lists of them.

use super::{Call, Client};
use crate::error::{Error, ErrorKind, Result};
use crate::http::error;
use crate::http::params::{Options, Query};
use crate::http::transport::{Method, Payload};
use crate::http::url::encode_doc_id;
use crate::storage::Content;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Map, Value, json};

/// Browsers open six connections to a host; more requests at once would only wait.
const REQUESTS_AT_ONCE: usize = 6;

impl Client {
    /// A document, with PouchDB's options `rev`, `revs`, `revs_info`, `open_revs`, `conflicts`, `latest`,
    /// `update_seq` and `attachments`; with `open_revs` a list of `{ok}` and `{missing}`. Ids may be those of design
    /// documents and of local ones.
    pub async fn get(&self, id: &str, options: &str) -> Result<String> {
        self.get_with(id, &Options::parse(options)?).await
    }

    async fn get_with(&self, id: &str, options: &Options) -> Result<String> {
        let mut query = Query::default();
        query.add_flags(options, &["revs", "revs_info", "latest"]);
        if let Some(revs) = options.get("open_revs").filter(|_| options.is_set("open_revs")) {
            query.add_bare("open_revs", revs);
        }
        if let Some(rev) = options.text("rev") {
            query.add("rev", rev);
        }
        query.add_flags(options, &["conflicts", "update_seq", "attachments", "att_encoding_info"]);
        let url = self.in_db(&(encode_doc_id(id) + &query.finish()));
        let answer = self.call(Call::get(url)).await.map_err(|error| error.with_doc_id(id))?;
        error::text(answer)
    }

    /// Writes one document, local ones too: `{ok, id, rev}`. With `new_edits: false` in the options it is written
    /// with the revision it has.
    pub async fn put(&self, doc: &str, options: &str) -> Result<String> {
        #[derive(serde::Deserialize)]
        struct Ids {
            _id: Option<String>,
            _rev: Option<String>,
        }
        let ids: Ids = serde_json::from_str(doc).map_err(|_| Error::new(ErrorKind::NotAnObject))?;
        let id = ids._id.ok_or_else(|| Error::new(ErrorKind::MissingId))?;
        if Options::parse(options)?.get("new_edits") == Some(&Value::Bool(false)) {
            let failures = self.bulk_docs(&format!("[{doc}]"), options).await?;
            return match serde_json::from_str::<Vec<Map<String, Value>>>(&failures)
                .unwrap_or_default()
                .first()
            {
                Some(failure) if failure.contains_key("error") => {
                    Err(error::from_members(0, failure).with_doc_id(id))
                }
                _ => Ok(json!({"ok": true, "id": id, "rev": ids._rev}).to_string()),
            };
        }
        let call = Call::put(self.in_db(&encode_doc_id(&id)), doc.to_owned());
        let answer = self.call(call).await.map_err(|error| error.with_doc_id(id))?;
        error::text(answer)
    }

    /// Writes a checkpoint, which may come to the server twice. The second is refused with 409, or, by CouchDB from version 2 on, takes
    /// the place of the first; one that comes late sets a position back, which costs reading on from there.
    pub(crate) async fn put_checkpoint(&self, id: &str, doc: String) -> Result<Bytes> {
        let call = Call::put(self.in_db(&encode_doc_id(id)), doc);
        self.call(Call { is_repeatable: true, ..call }).await.map_err(|error| error.with_doc_id(id))
    }

    /// Writes a JSON array of documents: a list of `{ok, id, rev}` and errors in the order given; with
    /// `new_edits: false` in the options only the errors.
    pub async fn bulk_docs(&self, docs: &str, options: &str) -> Result<String> {
        let new_edits = Options::parse(options)?.get("new_edits") != Some(&Value::Bool(false));
        let answer = self.raw_bulk_docs(docs, new_edits).await?;
        let results: Vec<Map<String, Value>> = error::parse(&answer)?;
        let results: Vec<Value> = results
            .into_iter()
            .map(|result| match result.get("error") {
                None => Value::Object(result),
                Some(_) => serde_json::to_value(error::from_members(0, &result))
                    .expect("BUG: an error can always be written as JSON"),
            })
            .collect();
        Ok(Value::Array(results).to_string())
    }

    pub(crate) async fn raw_bulk_docs(&self, docs: &str, new_edits: bool) -> Result<Bytes> {
        self.send_bulk_docs(format!(r#"{{"docs":{docs},"new_edits":{new_edits}}}"#).into(), new_edits).await
    }

    /// The same with documents in pieces, which are not brought together where the browser has some of them.
    pub(crate) async fn raw_bulk_docs_of(&self, docs: Vec<Content>, new_edits: bool) -> Result<Bytes> {
        let [start, end] = [r#"{"docs":"#.to_owned(), format!(r#","new_edits":{new_edits}}}"#)]
            .map(|text| Content::Bytes(text.into()));
        let pieces = [vec![start], docs, vec![end]].concat();
        let here: Option<Vec<&[u8]>> =
            pieces.iter().map(|piece| piece.bytes().map(|bytes| &**bytes)).collect();
        let body = match here {
            Some(here) => Payload::Json(here.concat().into()),
            None => Payload::Pieces(pieces),
        };
        self.send_bulk_docs(body, new_edits).await
    }

    /// Without `new_edits` nothing happens twice, so what is refused for want of a user is sent again where the application
    /// has fresh credentials: to a database that anybody may read, somebody whose session has expired is nobody.
    async fn send_bulk_docs(&self, body: Payload, new_edits: bool) -> Result<Bytes> {
        let is_repeatable = !new_edits;
        let call =
            Call { body: Some(body), is_repeatable, ..Call::new(Method::Post, self.in_db("_bulk_docs")) };
        let renewals = self.renewals();
        let answer = self.call(call.clone()).await?;
        if new_edits
            || self.0.refuses_documents.get()
            || !wants_user(&answer)
            || !self.renew(renewals).await?
        {
            return Ok(answer);
        }
        let answer = self.call(call).await?;
        // Not for want of a user, then: there is no use in asking again.
        self.0.refuses_documents.set(wants_user(&answer));
        Ok(answer)
    }

    /// `{docs: [{id, rev?}], revs?, latest?, attachments?}` to `{results: [{id, docs: [{ok} | {error} | {missing}]}]}`.
    ///
    /// A server without `_bulk_get` is asked for one document after the other, six at once.
    pub async fn bulk_get(&self, request: &str) -> Result<String> {
        let options = Options::parse(request)?;
        let docs = options.get("docs").cloned().unwrap_or_else(|| json!([]));
        if !self.0.lacks_bulk_get.get() {
            match self.raw_bulk_get(&docs.to_string(), &options).await {
                Err(error) if lacks_bulk_get(&error) => self.0.lacks_bulk_get.set(true),
                answer => return error::text(answer?),
            }
        }
        self.get_one_by_one(&docs, &options).await
    }

    pub(crate) async fn raw_bulk_get(&self, docs: &str, options: &Options) -> Result<Bytes> {
        let mut query = Query::default();
        query.add_flags(options, &["revs", "attachments", "latest", "att_encoding_info"]);
        let url = self.in_db(&format!("_bulk_get{}", query.finish()));
        self.call(Call::ask(url, format!(r#"{{"docs":{docs}}}"#))).await
    }

    async fn get_one_by_one(&self, docs: &Value, options: &Options) -> Result<String> {
        let mut wanted: Vec<(String, Vec<Value>)> = Vec::new();
        for doc in docs.as_array().into_iter().flatten() {
            let id = doc.get("id").and_then(Value::as_str).unwrap_or_default();
            let rev = doc.get("rev").filter(|rev| rev.is_string()).cloned();
            match wanted.iter_mut().find(|(known, _)| known == id) {
                Some((_, revs)) => revs.extend(rev),
                None => wanted.push((id.to_owned(), rev.into_iter().collect())),
            }
        }
        let answers: Vec<Vec<Value>> = stream::iter(wanted)
            .map(|(id, revs)| async move {
                let infos = match self.get_revs(&id, &revs, options).await {
                    Ok(infos) => infos,
                    Err(error) => vec![json!({ "error": error })],
                };
                infos.into_iter().map(|info| json!({"id": id, "docs": [info]})).collect()
            })
            .buffered(REQUESTS_AT_ONCE)
            .collect()
            .await;
        Ok(json!({"results": answers.concat()}).to_string())
    }

    async fn get_revs(&self, id: &str, revs: &[Value], options: &Options) -> Result<Vec<Value>> {
        let mut request: Map<String, Value> = ["revs", "attachments", "latest"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), options.get(name)?.clone())))
            .collect();
        if !revs.is_empty() {
            request.insert("open_revs".into(), revs.into());
        }
        let answer = self.get(id, &Value::Object(request).to_string()).await?;
        if revs.is_empty() {
            return Ok(vec![json!({"ok": error::parse::<Value>(answer.as_bytes())?})]);
        }
        error::parse(answer.as_bytes())
    }
}

fn wants_user(answer: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Outcome<'a> {
        #[serde(borrow, default)]
        error: Option<std::borrow::Cow<'a, str>>,
    }
    // The word may be in an id as well; most answers have it nowhere.
    memchr::memmem::find(answer, b"unauthorized").is_some()
        && serde_json::from_slice::<Vec<Outcome<'_>>>(answer)
            .is_ok_and(|all| all.iter().any(|one| one.error.as_deref() == Some("unauthorized")))
}

/// Whether the error says that the server knows no `_bulk_get`; an error of the network or of the database does not.
pub(crate) fn lacks_bulk_get(error: &Error) -> bool {
    match error.status() {
        400 | 405 | 415 | 501 => true,
        404 => !matches!(error.reason(), Some("no_db_file" | "Database does not exist.")),
        _ => false,
    }
}
