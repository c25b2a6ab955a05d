//! A database on a CouchDB server as a side of a replication.

use super::attachments::Wanted;
use super::peer::{
    ChangesPage, ChangesRequest, Doc, DocRevs, Got, Lacking, LocalDoc, Missing, Peer, PeerInfo, WriteFailure,
};
use super::{answers, http_attachments, http_writes};
use crate::error::Result;
use crate::http::{ChangesFeed, Client, Options};
use crate::storage::Content;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::rc::Rc;

/// A remote database.
pub struct HttpPeer {
    client: Client,
    feed: ChangesFeed,
}

impl HttpPeer {
    /// The database that `client` talks to.
    pub fn new(client: Client) -> Self {
        Self { feed: ChangesFeed::new(client.clone()), client }
    }
}

#[async_trait(?Send)]
impl Peer for HttpPeer {
    fn is_remote(&self) -> bool {
        true
    }

    async fn id(&self) -> Result<String> {
        self.client.id().await
    }

    async fn info(&self) -> Result<PeerInfo> {
        answers::parse(&self.client.raw_info().await?)
    }

    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage> {
        let mut options = request.to_options();
        if !request.waits {
            // The seqs of the others would only have to be worked out and sent.
            options.entry("seq_interval").or_insert_with(|| request.interval.into());
        }
        let page: ChangesPage = answers::parse(&self.feed.page(&Options::from(options)).await?)?;
        // By the time that a feed is waited upon documents have told themselves.
        let bytes_per_doc = if request.waits { None } else { self.client.bytes_per_doc() };
        Ok(ChangesPage { bytes_per_doc, ..page })
    }

    fn leave_feed(&self) {
        self.feed.leave();
    }

    async fn revs_diff(&self, revs: &[DocRevs]) -> Result<HashMap<String, Missing>> {
        answers::missing_revs(&self.client.raw_revs_diff(answers::revs_diff_request(revs)).await?)
    }

    async fn bulk_get(&self, wanted: &[DocRevs]) -> Result<Vec<Got>> {
        let options = Options::parse(r#"{"revs":true,"latest":true,"att_encoding_info":true}"#)?;
        let answer = self.client.raw_bulk_get(&answers::bulk_get_docs(wanted), &options).await?;
        answers::bulk_get_results(&answer, wanted)
    }

    async fn open_revs(&self, wanted: &DocRevs) -> Result<Vec<Got>> {
        let options =
            json!({"open_revs": wanted.revs, "revs": true, "latest": true, "att_encoding_info": true});
        let options = options.to_string();
        answers::open_revs_results(wanted, self.client.get(&wanted.id, &options).await?.as_bytes())
    }

    async fn attachments(&self, wanted: &[Wanted]) -> Result<Vec<std::result::Result<Content, Lacking>>> {
        http_attachments::get(&self.client, wanted).await
    }

    async fn bulk_docs(&self, docs: &[Rc<Doc>], source: &dyn Peer) -> Result<Vec<WriteFailure>> {
        http_writes::write(&self.client, docs, source).await
    }

    async fn get_local(&self, id: &str) -> Result<Option<LocalDoc>> {
        match self.client.get(id, "").await {
            Ok(doc) => answers::parse(doc.as_bytes()).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put_local(&self, doc: &LocalDoc) -> Result<String> {
        let id = doc.get("_id").and_then(Value::as_str).unwrap_or_default();
        answers::written_rev(&self.client.put_checkpoint(id, Value::Object(doc.clone()).to_string()).await?)
    }
}
