//! A database here as a side of a replication.

use super::answers;
use super::peer::{
    ChangeRow, ChangedRev, ChangesPage, ChangesRequest, Doc, DocRevs, Got, LocalDoc, Peer, PeerInfo,
    WriteFailure,
};
use super::seq::Seq;
use crate::db::{Database, DatabaseEvent, GetOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Change, ChangesOptions};
use async_trait::async_trait;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::rc::Rc;

/// A local database.
pub struct LocalPeer(Database);

impl LocalPeer {
    /// The database behind this handle.
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    /// What became of the one document written with `bulk_docs`.
    async fn write_one(&self, doc: &LocalDoc) -> Result<String> {
        let docs = Value::Array(vec![Value::Object(doc.clone())]).to_string();
        let results: Vec<Map<String, Value>> =
            answers::parse(self.0.bulk_docs(&docs, "{}").await?.as_bytes())?;
        let result = results.first().ok_or_else(|| Error::new(ErrorKind::Unknown))?;
        match result.get("rev").and_then(Value::as_str) {
            Some(rev) if !result.contains_key("error") => Ok(rev.to_owned()),
            _ => Err(answers::error_from(result)),
        }
    }
}

#[async_trait(?Send)]
impl Peer for LocalPeer {
    fn is_remote(&self) -> bool {
        false
    }

    async fn id(&self) -> Result<String> {
        Ok(self.0.id().to_owned())
    }

    async fn info(&self) -> Result<PeerInfo> {
        let info = self.0.info()?;
        Ok(PeerInfo { doc_count: Some(info.doc_count), update_seq: Some(Seq::from(info.update_seq)) })
    }

    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage> {
        let options = changes_options(request)?;
        // Watched before it is read, so that no change falls between.
        let mut events = self.0.events();
        loop {
            let page = self.0.changes(&options).await?;
            if !request.waits || !page.results.is_empty() || page.last_seq > options.since {
                return Ok(ChangesPage {
                    results: page.results.into_iter().map(row).collect::<Result<_>>()?,
                    last_seq: Some(Seq::from(page.last_seq)),
                    pending: Some(page.pending),
                });
            }
            match events.next().await {
                Some(DatabaseEvent::Changed) => {}
                Some(DatabaseEvent::Destroyed) => return Err(Error::new(ErrorKind::Destroyed)),
                Some(DatabaseEvent::Closed) | None => return Err(Error::new(ErrorKind::Closed)),
            }
        }
    }

    async fn revs_diff(&self, revs: &[DocRevs]) -> Result<HashMap<String, Vec<String>>> {
        let revs = revs.iter().map(|doc| (doc.id.to_string(), doc.revs.clone())).collect();
        Ok(self.0.missing_revs(&revs).await?.into_iter().collect())
    }

    async fn bulk_get(&self, wanted: &[DocRevs]) -> Result<Vec<Got>> {
        let requests: Vec<_> =
            wanted.iter().map(|doc| (doc.id.to_string(), open_revs_options(doc))).collect();
        let mut results = Vec::with_capacity(wanted.len());
        for (doc, answer) in wanted.iter().zip(self.0.get_many(&requests).await?) {
            results.extend(answers::open_revs_results(&doc.id, answer.as_bytes())?);
        }
        Ok(results)
    }

    async fn open_revs(&self, wanted: &DocRevs) -> Result<Vec<Got>> {
        let answer = self.0.get(&wanted.id, &open_revs_options(wanted)).await?;
        answers::open_revs_results(&wanted.id, answer.as_bytes())
    }

    async fn bulk_docs(&self, docs: &[Rc<Doc>]) -> Result<Vec<WriteFailure>> {
        let errors = self.0.write_revisions(docs.iter().map(|doc| doc.body.get()), Vec::new()).await?;
        Ok(errors
            .into_iter()
            .map(|error| WriteFailure { id: error.doc_id().map(str::to_owned), rev: None, error })
            .collect())
    }

    async fn get_local(&self, id: &str) -> Result<Option<LocalDoc>> {
        match self.0.get(id, &GetOptions::default()).await {
            Ok(doc) => answers::parse(doc.as_bytes()).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put_local(&self, doc: &LocalDoc) -> Result<String> {
        self.write_one(doc).await
    }
}

fn open_revs_options(wanted: &DocRevs) -> GetOptions {
    let revs = wanted.revs.iter().cloned().map(Value::from).collect();
    GetOptions { open_revs: Some(revs), revs: true, latest: true, ..GetOptions::default() }
}

fn changes_options(request: &ChangesRequest) -> Result<ChangesOptions> {
    let mut options = (*request.options).clone();
    // A database's own seqs are numbers; text is what a user may have given as `since`.
    let since = match request.since.to_value() {
        Value::Number(seq) => seq.as_f64().map_or(0, |seq| seq as u64),
        Value::String(seq) => seq.parse().unwrap_or_default(),
        _ => 0,
    };
    options.retain(|name, _| matches!(name.as_str(), "style" | "doc_ids" | "include_docs"));
    options.insert("since".into(), since.into());
    options.insert("limit".into(), request.limit.into());
    serde_json::from_value(Value::Object(options))
        .map_err(|error| Error::new(ErrorKind::BadRequest).with_reason(error.to_string()))
}

fn row(change: Change) -> Result<ChangeRow> {
    let doc = change.doc.map(RawValue::from_string).transpose();
    Ok(ChangeRow {
        id: change.id,
        seq: Some(Seq::from(change.seq)),
        changes: change.revs.iter().map(|rev| ChangedRev { rev: rev.to_string() }).collect(),
        deleted: change.deleted,
        doc: doc.map_err(|error| Error::new(ErrorKind::Unknown).with_reason(error.to_string()))?,
    })
}
