//! A database here as a side of a replication.

use super::answers;
use super::attachments::{Inherited, Stubs, Wanted};
use super::peer::{
    Cause, ChangeRow, ChangedRev, ChangesPage, ChangesRequest, Doc, DocRevs, Got, Lacking, LocalDoc, Missing,
    Peer, PeerInfo, WriteFailure,
};
use super::seq::Seq;
use super::writing::{self, Takes};
use crate::db::{Database, DatabaseEvent, GetOptions};
use crate::doc::{Digest, is_true};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Change, ChangesOptions, Style};
use crate::storage::Content;
use async_trait::async_trait;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// A local database.
pub struct LocalPeer(Database);

impl LocalPeer {
    /// The database behind this handle.
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    /// `is_news`: whether it was waited for, so that it is of interest who has made it.
    fn row(&self, change: Change, is_news: bool) -> Result<ChangeRow> {
        let doc = change.doc.map(RawValue::from_string).transpose();
        let revs: Vec<String> = change.revs.iter().map(ToString::to_string).collect();
        Ok(ChangeRow {
            is_own: is_news && revs.iter().all(|rev| self.0.is_own_edit(&change.id, rev)),
            id: change.id,
            seq: Some(Seq::from(change.seq)),
            changes: revs.into_iter().map(|rev| ChangedRev { rev }).collect(),
            deleted: change.deleted,
            doc: doc.map_err(|error| Error::new(ErrorKind::Unknown).with_reason(error.to_string()))?,
        })
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

/// How large documents are supposed to be until some were read, which costs little here: so that not too many large ones
/// are read at first.
const SUPPOSED_BYTES: u64 = 16 << 10;

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
                    results: page
                        .results
                        .into_iter()
                        .map(|change| self.row(change, request.waits))
                        .collect::<Result<_>>()?,
                    last_seq: Some(Seq::from(page.last_seq)),
                    pending: Some(page.pending),
                    bytes_per_doc: Some(SUPPOSED_BYTES),
                });
            }
            match events.next().await {
                Some(DatabaseEvent::Changed) => {}
                Some(DatabaseEvent::Destroyed) => return Err(Error::new(ErrorKind::Destroyed)),
                Some(DatabaseEvent::Closed) | None => return Err(Error::new(ErrorKind::Closed)),
            }
        }
    }

    async fn revs_diff(&self, revs: &[DocRevs]) -> Result<HashMap<String, Missing>> {
        let revs = revs.iter().map(|doc| (doc.id.to_string(), doc.revs.clone())).collect();
        let missing = self.0.missing_revs(&revs).await?.into_iter();
        // Which contents are here is known by their digests.
        Ok(missing.map(|(id, revs)| (id, Missing { revs, ancestors: Vec::new() })).collect())
    }

    async fn bulk_get(&self, wanted: &[DocRevs]) -> Result<Vec<Got>> {
        let requests: Vec<_> =
            wanted.iter().map(|doc| (doc.id.to_string(), open_revs_options(doc))).collect();
        let mut results = Vec::with_capacity(wanted.len());
        for (doc, answer) in wanted.iter().zip(self.0.get_many(&requests).await?) {
            results.extend(answers::open_revs_results(doc, answer.as_bytes())?);
        }
        Ok(results)
    }

    async fn open_revs(&self, wanted: &DocRevs) -> Result<Vec<Got>> {
        let answer = self.0.get(&wanted.id, &open_revs_options(wanted)).await?;
        answers::open_revs_results(wanted, answer.as_bytes())
    }

    async fn attachments(&self, wanted: &[Wanted]) -> Result<Vec<std::result::Result<Content, Lacking>>> {
        let unknown =
            |name: &str| Error::missing().with_message(format!("The attachment {name} is not here"));
        let digests: Vec<Digest> = wanted.iter().filter_map(|one| one.stub.digest).collect();
        let mut found = self.0.contents(&digests).await?.into_iter();
        let each = wanted.iter().map(|Wanted { stub, .. }| {
            let content = stub.digest.and_then(|_| found.next().flatten());
            content.ok_or_else(|| Lacking { error: unknown(&stub.name), is_final: true })
        });
        Ok(each.collect())
    }

    async fn bulk_docs(&self, docs: &[Rc<Doc>], source: &dyn Peer) -> Result<Vec<WriteFailure>> {
        writing::write(self, docs, source).await
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

#[async_trait(?Send)]
impl Takes for LocalPeer {
    async fn known(&self, digests: &[Digest]) -> Result<BTreeSet<Digest>> {
        self.0.known_contents(digests).await
    }

    async fn inherited(&self, doc: &Doc, stubs: &Stubs) -> Result<Inherited> {
        if !stubs.may_inherit() {
            return Ok(Inherited::new());
        }
        let options = GetOptions { open_revs: Some("all".into()), ..GetOptions::default() };
        match self.0.get(&doc.id, &options).await {
            Ok(leaves) => Ok(stubs.inherited(&leaves)),
            Err(error) if error.is_not_found() => Ok(Inherited::new()),
            Err(error) => Err(error),
        }
    }

    async fn take(&self, docs: &[&str], contents: Vec<Content>) -> Result<Vec<WriteFailure>> {
        let errors = self.0.write_revisions(docs.iter().copied(), contents).await?;
        let failure = |error: Error| WriteFailure {
            id: error.doc_id().map(str::to_owned),
            rev: None,
            error,
            cause: Cause::Target,
        };
        Ok(errors.into_iter().map(failure).collect())
    }

    fn is_about_a_document(&self, error: &Error) -> bool {
        use ErrorKind::{Closed, Destroyed, MissingStub, NotOpen, Storage};
        !matches!(error.kind(), Closed | Destroyed | MissingStub | NotOpen | Storage)
    }
}

fn open_revs_options(wanted: &DocRevs) -> GetOptions {
    let revs = wanted.revs.iter().cloned().map(Value::from).collect();
    GetOptions { open_revs: Some(revs), revs: true, latest: true, ..GetOptions::default() }
}

fn changes_options(request: &ChangesRequest) -> Result<ChangesOptions> {
    let given = &request.options;
    // A database's own seqs are numbers; text is what a user may have given as `since`.
    let since = match request.since.to_value() {
        Value::Number(seq) => seq.as_f64().map_or(0, |seq| seq as u64),
        Value::String(seq) => seq.parse().unwrap_or_default(),
        _ => 0,
    };
    let text = |name| given.get(name).and_then(Value::as_str);
    let ids = |ids: &Vec<Value>| ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let mut options = ChangesOptions {
        since,
        limit: usize::try_from(request.limit).ok(),
        include_docs: given.get("include_docs").is_some_and(is_true),
        style: if text("style") == Some("all_docs") { Style::AllDocs } else { Style::MainOnly },
        doc_ids: given.get("doc_ids").and_then(Value::as_array).map(ids),
        ..ChangesOptions::default()
    };
    let selector = match text("filter") {
        // As in PouchDB, a list of ids is all the filter there is.
        _ if options.doc_ids.is_some() => None,
        Some("_design") => Some(json!({"_id": {"$beginsWith": "_design"}})),
        _ => given.get("selector").cloned(),
    };
    if let Some(selector) = selector {
        options.select(&selector)?;
    }
    Ok(options)
}
