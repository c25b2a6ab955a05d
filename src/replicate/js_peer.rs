//! A database written in JavaScript as a side of a replication: another library's, or one with methods that the
//! application has replaced.

use super::answers;
use super::attachments::{Inherited, Stubs, Wanted};
use super::peer::{
    ChangesPage, ChangesRequest, Doc, DocRevs, Got, Lacking, LocalDoc, Missing, Peer, PeerInfo, WriteFailure,
};
use super::writing::{self, Takes};
use crate::doc::Digest;
use crate::error::{Error, Result};
use crate::http::error_from_js;
use crate::storage::{BrowserContent, Content};
use async_trait::async_trait;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use js_sys::{Array, Function, Promise, Reflect};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

/// An object with PouchDB's methods under the names `id`, `info`, `changes`, `revs_diff`, `bulk_get`, `bulk_docs`, `get`
/// and `put`, which take JSON texts and promise them, and `is_here`: whether it is a database of ours in this browser.
///
/// `changes` also gets an `AbortSignal`, for a feed that is not waited for any longer; `bulk_docs` an array of contents of
/// attachments, which have their index as `data` in the documents; `get_attachment` promises a content.
///
/// One that also has `known_contents`, which takes a JSON array of digests and promises that of those it has, gets stubs of
/// these.
pub struct JsPeer(JsValue);

/// So many attachments are asked for at once.
const AT_ONCE: usize = 5;

impl JsPeer {
    /// The database behind `object`.
    pub fn new(object: JsValue) -> Self {
        Self(object)
    }

    async fn call(&self, name: &str, arguments: &[JsValue]) -> Result<String> {
        let value = self.call_for_value(name, arguments).await?;
        value.as_string().ok_or_else(|| Error::network(format!("{name} gave something else than a text")))
    }

    async fn call_for_value(&self, name: &str, arguments: &[JsValue]) -> Result<JsValue> {
        let method: Function = Reflect::get(&self.0, &name.into())
            .ok()
            .and_then(|method| method.dyn_into().ok())
            .ok_or_else(|| Error::network(format!("The database has no method {name}")))?;
        let returned = method.apply(&self.0, &arguments.iter().collect::<Array>());
        let promise = Promise::resolve(&returned.map_err(|error| error_from_js(&error))?);
        JsFuture::from(promise).await.map_err(|error| error_from_js(&error))
    }

    /// Whether it says which contents it has.
    fn tells_contents(&self) -> bool {
        Reflect::get(&self.0, &"known_contents".into()).is_ok_and(|method| method.is_function())
    }

    async fn attachment(
        &self,
        Wanted { id, rev, stub, .. }: &Wanted,
    ) -> Result<std::result::Result<Content, Lacking>> {
        let arguments = [(&**id).into(), stub.name.as_str().into(), rev.as_str().into()];
        match self.call_for_value("get_attachment", &arguments).await {
            Ok(value) => match BrowserContent::new(value) {
                Some(content) => Ok(Ok(Content::Browser(content))),
                None => Ok(Err(Lacking { error: Error::missing(), is_final: true })),
            },
            Err(error) if error.is_not_found() => Ok(Err(Lacking { error, is_final: true })),
            Err(error) if matches!(error.status(), 400 | 500) => Ok(Err(Lacking { error, is_final: false })),
            Err(error) => Err(error),
        }
    }
}

/// Aborts what its signal was given to when it is dropped.
struct Abort(Option<AbortController>);

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

#[async_trait(?Send)]
impl Peer for JsPeer {
    /// Of another library nobody knows, and small requests do no harm.
    fn is_remote(&self) -> bool {
        !Reflect::get(&self.0, &"is_here".into()).is_ok_and(|is_here| is_here.is_truthy())
    }

    async fn id(&self) -> Result<String> {
        self.call("id", &[]).await
    }

    async fn info(&self) -> Result<PeerInfo> {
        answers::parse(self.call("info", &[]).await?.as_bytes())
    }

    async fn changes(&self, request: &ChangesRequest) -> Result<ChangesPage> {
        let mut abort = Abort(AbortController::new().ok());
        let signal = abort.0.as_ref().map_or(JsValue::UNDEFINED, |controller| controller.signal().into());
        let options = Value::Object(request.to_options()).to_string();
        let answer = self.call("changes", &[options.into(), signal]).await;
        abort.0 = None;
        answers::parse(answer?.as_bytes())
    }

    async fn revs_diff(&self, revs: &[DocRevs]) -> Result<HashMap<String, Missing>> {
        let answer = self.call("revs_diff", &[answers::revs_diff_request(revs).into()]).await?;
        answers::missing_revs(answer.as_bytes())
    }

    async fn bulk_get(&self, wanted: &[DocRevs]) -> Result<Vec<Got>> {
        let request = format!(r#"{{"docs":{},"revs":true,"latest":true}}"#, answers::bulk_get_docs(wanted));
        answers::bulk_get_results(self.call("bulk_get", &[request.into()]).await?.as_bytes(), wanted)
    }

    async fn open_revs(&self, wanted: &DocRevs) -> Result<Vec<Got>> {
        let options = json!({"open_revs": wanted.revs, "revs": true, "latest": true}).to_string();
        let answer = self.call("get", &[(&*wanted.id).into(), options.into()]).await?;
        answers::open_revs_results(wanted, answer.as_bytes())
    }

    async fn attachments(&self, wanted: &[Wanted]) -> Result<Vec<std::result::Result<Content, Lacking>>> {
        stream::iter(wanted).map(|one| self.attachment(one)).buffered(AT_ONCE).try_collect().await
    }

    async fn bulk_docs(&self, docs: &[Rc<Doc>], source: &dyn Peer) -> Result<Vec<WriteFailure>> {
        writing::write(self, docs, source).await
    }

    async fn get_local(&self, id: &str) -> Result<Option<LocalDoc>> {
        match self.call("get", &[id.into(), "{}".into()]).await {
            Ok(doc) => answers::parse(doc.as_bytes()).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put_local(&self, doc: &LocalDoc) -> Result<String> {
        let answer = self.call("put", &[Value::Object(doc.clone()).to_string().into()]).await?;
        answers::written_rev(answer.as_bytes())
    }
}

#[async_trait(?Send)]
impl Takes for JsPeer {
    async fn known(&self, digests: &[Digest]) -> Result<BTreeSet<Digest>> {
        if !self.tells_contents() {
            return Ok(BTreeSet::new());
        }
        let digests: Vec<String> = digests.iter().map(Digest::to_string).collect();
        let known = self.call("known_contents", &[answers::json(&digests).into()]).await?;
        let known: Vec<String> = answers::parse(known.as_bytes())?;
        Ok(known.iter().filter_map(|digest| digest.parse().ok()).collect())
    }

    async fn inherited(&self, doc: &Doc, stubs: &Stubs) -> Result<Inherited> {
        if !self.tells_contents() || !stubs.may_inherit() {
            return Ok(Inherited::new());
        }
        let options = json!({"open_revs": "all"}).to_string();
        match self.call("get", &[(&*doc.id).into(), options.into()]).await {
            Ok(leaves) => Ok(stubs.inherited(&leaves)),
            Err(error) if error.is_not_found() => Ok(Inherited::new()),
            Err(error) => Err(error),
        }
    }

    async fn take(&self, docs: &[&str], contents: Vec<Content>) -> Result<Vec<WriteFailure>> {
        let docs = answers::bulk_docs_docs(docs.iter().copied());
        let contents: Array = contents.iter().map(Content::to_js).collect();
        let arguments = [docs.into(), r#"{"new_edits":false}"#.into(), contents.into()];
        answers::write_failures(self.call("bulk_docs", &arguments).await?.as_bytes())
    }

    /// What there is to be known of it, the machine knows.
    fn is_about_a_document(&self, _: &Error) -> bool {
        false
    }
}
