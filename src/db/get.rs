//! One document, or some of its revisions.

use super::open::Database;
use crate::doc::{Rev, Revisions, close, id_key, is_local, json_text, push_member, reopen};
use crate::edit::{StoredDocument, read_local};
use crate::engine::Snapshot;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{document_text, text_of, with_marks};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// PouchDB's options of `get`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct GetOptions {
    /// This revision instead of the winner.
    pub rev: Option<String>,
    /// With `_revisions`.
    pub revs: bool,
    /// With `_revs_info`.
    pub revs_info: bool,
    /// `"all"` leaves or a list of revisions: the answer is a list.
    pub open_revs: Option<Value>,
    /// With `_conflicts`.
    pub conflicts: bool,
    /// With `_deleted_conflicts`.
    pub deleted_conflicts: bool,
    /// The leaf above the revision asked for, instead of it.
    pub latest: bool,
    /// With marks for the contents of attachments, instead of stubs: for [`Database::with_contents`].
    pub attachments: bool,
}

/// PouchDB's argument of `bulkGet`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BulkGetRequest {
    /// The documents, or their revisions.
    pub docs: Vec<BulkGetDocument>,
    /// With `_revisions`.
    #[serde(default)]
    pub revs: bool,
    /// The leaves above the revisions asked for, instead of them.
    #[serde(default)]
    pub latest: bool,
    /// With marks for the contents of attachments, instead of stubs: for [`Database::with_contents`].
    #[serde(default)]
    pub attachments: bool,
}

/// One entry of a [`BulkGetRequest`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BulkGetDocument {
    /// The document.
    pub id: String,
    /// The revision; the winner where it is left out.
    #[serde(default)]
    pub rev: Option<String>,
}

impl Database {
    /// A document's JSON text; with `open_revs` a list of `{"ok": document}` and `{"missing": rev}`.
    ///
    /// # Errors
    /// 404 `missing` or `deleted`; [`ErrorKind::InvalidRev`] for a wrong one in `open_revs`; each with the document's id.
    pub async fn get(&self, id: &str, options: &GetOptions) -> Result<String> {
        let question = |snapshot: &Snapshot| get_from(snapshot, id, options);
        self.engine()?.read(question).await.map_err(|error| error.with_doc_id(id))
    }

    /// [`Database::get`] for several documents, of one state of the database.
    ///
    /// # Errors
    /// As [`Database::get`].
    pub async fn get_many(&self, wanted: &[(String, GetOptions)]) -> Result<Vec<String>> {
        let question = |snapshot: &Snapshot| {
            let docs: Vec<Result<String>> = wanted
                .iter()
                .map(|(id, options)| get_from(snapshot, id, options).map_err(|error| error.with_doc_id(id)))
                .collect();
            docs.into_iter().collect()
        };
        self.engine()?.read(question).await
    }

    /// Several documents or revisions: `{"results": [{"id", "docs": [{"ok"} | {"missing"} | {"error"}]}]}`, an entry a
    /// revision, the entries of one document together.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub async fn bulk_get(&self, request: &BulkGetRequest) -> Result<String> {
        self.engine()?.read(|snapshot| Self::bulk_get_from(snapshot, request)).await
    }

    fn bulk_get_from(snapshot: &Snapshot, request: &BulkGetRequest) -> Result<String> {
        // The revisions wanted of each document, in the order in which the documents come first.
        let mut wanted: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut places = HashMap::new();
        for document in &request.docs {
            let place = *places.entry(document.id.as_str()).or_insert_with(|| {
                wanted.push((&document.id, Vec::new()));
                wanted.len() - 1
            });
            let rev = document.rev.as_deref().filter(|rev| !rev.is_empty());
            if let Some((_, revs)) = wanted.get_mut(place) {
                revs.extend(rev);
            }
        }
        let BulkGetRequest { revs, latest, attachments, .. } = *request;
        let options = GetOptions { revs, latest, attachments, ..GetOptions::default() };
        let mut results = Vec::with_capacity(request.docs.len());
        for (id, revs) in wanted {
            let outcome = if revs.is_empty() {
                get_from(snapshot, id, &options).map(|doc| vec![format!("{{\"ok\":{doc}}}")])
            } else {
                StoredDocument::find(snapshot, id)
                    .and_then(|found| open_revs(snapshot, id, found.as_ref(), revs, &options))
            };
            let entries = match outcome {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::Storage => return Err(error),
                Err(error) => vec![format!("{{\"error\":{}}}", json_text(&error.with_doc_id(id)))],
            };
            let id = json_text(id);
            results.extend(entries.iter().map(|entry| format!("{{\"id\":{id},\"docs\":[{entry}]}}")));
        }
        Ok(format!("{{\"results\":[{}]}}", results.join(",")))
    }
}

fn get_from(snapshot: &Snapshot, id: &str, options: &GetOptions) -> Result<String> {
    if is_local(id) {
        return get_local(snapshot, id);
    }
    let found = StoredDocument::find(snapshot, id)?;
    if let Some(wanted) = &options.open_revs {
        let asked = wanted_revs(wanted, found.as_ref())?;
        // PouchDB looks at no other options then.
        let GetOptions { revs, latest, attachments, .. } = *options;
        let options = GetOptions { revs, latest, attachments, ..GetOptions::default() };
        let asked = asked.iter().map(String::as_str);
        return Ok(format!("[{}]", open_revs(snapshot, id, found.as_ref(), asked, &options)?.join(",")));
    }
    let document = found.ok_or_else(Error::missing)?;
    let rev = wanted_rev(&document, options)?;
    revision_text(snapshot, id, &document, &rev, options)?.ok_or_else(Error::missing)
}

/// The revision that the options `rev` and `latest` ask for; the winner where there is none.
fn wanted_rev(document: &StoredDocument, options: &GetOptions) -> Result<Rev> {
    let winner = document.tree.winner().ok_or_else(Error::missing)?;
    match &options.rev {
        None if winner.deleted => Err(Error::deleted()),
        None => Ok(winner.rev.clone()),
        Some(rev) => {
            let rev: Rev = rev.parse().map_err(|_| Error::missing())?;
            Ok(if options.latest { document.tree.latest(&rev).cloned().unwrap_or(rev) } else { rev })
        }
    }
}

/// The body of the revision asked for.
pub(super) fn body_from(snapshot: &Snapshot, id: &str, options: &GetOptions) -> Result<Bytes> {
    let document = StoredDocument::find(snapshot, id)?.ok_or_else(Error::missing)?;
    let rev = wanted_rev(&document, options)?;
    document.body_of(snapshot, &id_key(id), &rev).ok_or_else(Error::missing)
}

fn get_local(snapshot: &Snapshot, id: &str) -> Result<String> {
    let document = read_local(snapshot, id).ok_or_else(Error::missing)?;
    let mut text = text_of(&document.body)?.to_owned();
    reopen(&mut text);
    push_member(&mut text, "_id", &json_text(id));
    push_member(&mut text, "_rev", &json_text(&document.rev()));
    close(&mut text);
    Ok(text)
}

/// The revisions that the option `open_revs` names.
fn wanted_revs(wanted: &Value, found: Option<&StoredDocument>) -> Result<Vec<String>> {
    match wanted {
        Value::String(all) if all == "all" => {
            let document = found.ok_or_else(Error::missing)?;
            Ok(document.tree.open_revs().iter().map(ToString::to_string).collect())
        }
        Value::Array(revs) => {
            let revs = revs.iter().map(|rev| rev.as_str().map(str::to_owned));
            revs.collect::<Option<_>>().ok_or_else(|| Error::new(ErrorKind::InvalidRev))
        }
        _ => Err(Error::new(ErrorKind::Unknown).with_reason("function_clause")),
    }
}

/// An entry, `{"ok": document}` or `{"missing": rev}`, for each revision.
fn open_revs<'a>(
    snapshot: &Snapshot,
    id: &str,
    found: Option<&StoredDocument>,
    revs: impl IntoIterator<Item = &'a str>,
    options: &GetOptions,
) -> Result<Vec<String>> {
    let mut entries = Vec::new();
    let mut given = HashSet::new();
    for text in revs {
        let asked: Rev = text.parse()?;
        let (rev, doc) = match found {
            None => (asked, None),
            Some(document) => {
                let leaf = document.tree.latest(&asked).filter(|_| options.latest);
                let rev = leaf.cloned().unwrap_or(asked);
                let doc = revision_text(snapshot, id, document, &rev, options)?;
                (rev, doc)
            }
        };
        match doc {
            // One may be asked for twice; and with `latest`, several revisions may lead to one leaf.
            Some(doc) if given.insert(rev) => entries.push(format!("{{\"ok\":{doc}}}")),
            Some(_) => {}
            None => entries.push(format!("{{\"missing\":{}}}", json_text(text))),
        }
    }
    Ok(entries)
}

/// A revision's JSON text with what the options add; `None` where its body is not stored.
fn revision_text(
    snapshot: &Snapshot,
    id: &str,
    document: &StoredDocument,
    rev: &Rev,
    options: &GetOptions,
) -> Result<Option<String>> {
    let Some(status) = document.tree.status(rev) else { return Ok(None) };
    let Some(body) = document.body_of(snapshot, &id_key(id), rev) else { return Ok(None) };
    let mut further = Vec::new();
    let mut list = |name, revs: Vec<&Rev>| {
        if !revs.is_empty() {
            further.push((name, json_text(&revs)));
        }
    };
    if options.conflicts {
        list("_conflicts", document.tree.conflicts());
    }
    if options.deleted_conflicts {
        list("_deleted_conflicts", document.tree.deleted_conflicts());
    }
    if options.revs || options.revs_info {
        let ancestry = document.tree.ancestry(rev).unwrap_or_default();
        if options.revs {
            let ids = ancestry.iter().map(|(rev, _)| rev.hash.to_string()).collect();
            further.push(("_revisions", json_text(&Revisions { start: rev.generation, ids })));
        }
        if options.revs_info {
            let entries = ancestry.iter().map(|(rev, status)| {
                let available = if status.available { "available" } else { "missing" };
                format!("{{\"rev\":{},\"status\":\"{available}\"}}", json_text(rev))
            });
            further.push(("_revs_info", format!("[{}]", entries.collect::<Vec<_>>().join(","))));
        }
    }
    let body = text_of(&body)?;
    let body = if options.attachments { with_marks(body) } else { body.into() };
    Ok(Some(document_text(&body, id, rev, status.deleted, &further)))
}
