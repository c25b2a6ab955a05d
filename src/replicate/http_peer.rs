//! A database on a CouchDB server as a side of a replication.

use super::answers;
use super::peer::{ChangesPage, ChangesRequest, Doc, DocRevs, Got, LocalDoc, Peer, PeerInfo, WriteFailure};
use crate::error::Result;
use crate::http::{Client, Options};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::rc::Rc;

/// A remote database.
pub struct HttpPeer(Client);

impl HttpPeer {
    /// The database that `client` talks to.
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

#[async_trait(?Send)]
impl Peer for HttpPeer {
    fn is_remote(&self) -> bool {
        true
    }

    async fn id(&self) -> Result<String> {
        self.0.id().await
    }

    async fn info(&self) -> Result<PeerInfo> {
        answers::parse(&self.0.raw_info().await?)
    }

    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage> {
        answers::parse(&self.0.raw_changes(&Options::from(request.to_options())).await?)
    }

    async fn revs_diff(&self, revs: &[DocRevs]) -> Result<HashMap<String, Vec<String>>> {
        answers::missing_revs(&self.0.raw_revs_diff(answers::revs_diff_request(revs)).await?)
    }

    async fn bulk_get(&self, wanted: &[DocRevs]) -> Result<Vec<Got>> {
        let options = Options::parse(r#"{"revs":true,"latest":true}"#)?;
        answers::bulk_get_results(&self.0.raw_bulk_get(&answers::bulk_get_docs(wanted), &options).await?)
    }

    async fn open_revs(&self, wanted: &DocRevs) -> Result<Vec<Got>> {
        let options = json!({"open_revs": wanted.revs, "revs": true, "latest": true}).to_string();
        answers::open_revs_results(&wanted.id, self.0.get(&wanted.id, &options).await?.as_bytes())
    }

    async fn bulk_docs(&self, docs: &[Rc<Doc>]) -> Result<Vec<WriteFailure>> {
        answers::write_failures(&self.0.raw_bulk_docs(&answers::bulk_docs_docs(docs), false).await?)
    }

    async fn get_local(&self, id: &str) -> Result<Option<LocalDoc>> {
        match self.0.get(id, "").await {
            Ok(doc) => answers::parse(doc.as_bytes()).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put_local(&self, doc: &LocalDoc) -> Result<String> {
        let written = self.0.put(&Value::Object(doc.clone()).to_string(), "").await?;
        answers::written_rev(written.as_bytes())
    }
}
