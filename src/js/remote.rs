use super::{options_of, promise, promise_of_nothing, thrown};
use crate::doc::json_text;
use crate::error::Error;
use crate::http::{Client, ClientOptions, Fetch};
use futures_util::future::abortable;
use js_sys::{Function, Promise};
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

/// A database behind HTTP.
#[wasm_bindgen]
pub struct Remote {
    client: Client,
}

impl Remote {
    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}

#[wasm_bindgen]
impl Remote {
    /// Sends nothing yet; `options` is the JSON text of [`ClientOptions`].
    #[wasm_bindgen(constructor)]
    pub fn new(url: &str, options: &str, fetch: Option<Function>) -> Result<Remote, JsValue> {
        let options: ClientOptions = options_of(options).map_err(thrown)?;
        let client = Client::new(Rc::new(Fetch::new(fetch)), url, options).map_err(thrown)?;
        Ok(Self { client })
    }

    /// The address, without credentials.
    #[wasm_bindgen(getter)]
    pub fn url(&self) -> String {
        self.client.url().in_db("").trim_end_matches('/').to_owned()
    }

    /// The JSON text of the headers that every request carries.
    pub fn fetch_headers(&self) -> String {
        let headers = self.client.headers().iter().map(|(name, value)| (name.as_str(), value.as_str()));
        json_text(&headers.collect::<BTreeMap<_, _>>())
    }

    /// Makes sure that the database is there.
    pub fn setup(&self) -> Promise {
        let client = self.client.clone();
        promise_of_nothing(async move { client.setup().await })
    }

    /// A document, or with `open_revs` a list.
    pub fn get(&self, id: String, options: String) -> Promise {
        let client = self.client.clone();
        promise(async move { client.get(&id, &options).await })
    }

    /// Writes one document.
    pub fn put(&self, doc: String, options: String) -> Promise {
        let client = self.client.clone();
        promise(async move { client.put(&doc, &options).await })
    }

    /// Several documents or revisions.
    pub fn bulk_get(&self, request: String) -> Promise {
        let client = self.client.clone();
        promise(async move { client.bulk_get(&request).await })
    }

    /// Writes documents.
    pub fn bulk_docs(&self, docs: String, options: String) -> Promise {
        let client = self.client.clone();
        promise(async move { client.bulk_docs(&docs, &options).await })
    }

    /// Documents by id.
    pub fn all_docs(&self, options: String) -> Promise {
        let client = self.client.clone();
        promise(async move { client.all_docs(&options).await })
    }

    /// One request for changes, given up when `signal` says so.
    pub fn changes(&self, options: String, signal: Option<AbortSignal>) -> Promise {
        let client = self.client.clone();
        promise(async move {
            let (request, handle) = abortable(async move { client.changes(&options).await });
            let on_abort = Closure::<dyn Fn()>::new(move || handle.abort());
            if let Some(signal) = &signal {
                if signal.aborted() {
                    return Err(Error::network("The request was given up"));
                }
                // An AbortSignal is an EventTarget.
                let _ = signal.add_event_listener_with_callback("abort", on_abort.as_ref().unchecked_ref());
            }
            let answer = request.await;
            if let Some(signal) = &signal {
                let _ =
                    signal.remove_event_listener_with_callback("abort", on_abort.as_ref().unchecked_ref());
            }
            answer.unwrap_or_else(|_| Err(Error::network("The request was given up")))
        })
    }

    /// Which revisions are missing.
    pub fn revs_diff(&self, request: String) -> Promise {
        let client = self.client.clone();
        promise(async move { client.revs_diff(&request).await })
    }

    /// What the server says of the database.
    pub fn info(&self) -> Promise {
        let client = self.client.clone();
        promise(async move { client.info().await })
    }

    /// The database's identity.
    pub fn id(&self) -> Promise {
        let client = self.client.clone();
        promise(async move { client.id().await })
    }

    /// Asks for compaction.
    pub fn compact(&self) -> Promise {
        let client = self.client.clone();
        promise_of_nothing(async move { client.compact("{}").await })
    }

    /// There is nothing to close.
    pub fn close(&self) -> Promise {
        Promise::resolve(&JsValue::UNDEFINED)
    }

    /// Removes the database from the server.
    pub fn destroy(&self) -> Promise {
        let client = self.client.clone();
        promise_of_nothing(async move { client.destroy().await })
    }
}
