use super::{options_of, promise, promise_of, promise_of_nothing, thrown};
use crate::doc::json_text;
use crate::error::{Error, ErrorKind};
use crate::http::{ChangesFeed, Client, ClientOptions, Fetch, Fresh, Method, Reauthenticate, error_from_js};
use futures_util::future::{FutureExt as _, abortable};
use js_sys::{Function, JSON, Promise};
use std::collections::BTreeMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
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
    /// Sends nothing yet; `options` is the JSON text of [`ClientOptions`]. `reauthenticate` is called with the refusal
    /// where the server answers 401, and gives (or promises) [`Fresh`] credentials, nothing where the same request will do
    /// now, or `false`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        url: &str,
        options: &str,
        fetch: Option<Function>,
        reauthenticate: Option<Function>,
    ) -> Result<Remote, JsValue> {
        let options: ClientOptions = options_of(options).map_err(thrown)?;
        let reauthenticate = reauthenticate.map(|function| {
            Box::new(move |refusal: &Error| ask(function.clone(), thrown(refusal.clone())).boxed_local())
                as Reauthenticate
        });
        let client = Client::new(Rc::new(Fetch::new(fetch)), url, options, reauthenticate);
        Ok(Self { client: client.map_err(thrown)? })
    }

    /// The address, without credentials.
    #[wasm_bindgen(getter)]
    pub fn url(&self) -> String {
        self.client.url().in_db("").trim_end_matches('/').to_owned()
    }

    /// The JSON text of the headers that every request carries.
    pub fn fetch_headers(&self) -> String {
        json_text(&self.client.headers().into_iter().collect::<BTreeMap<_, _>>())
    }

    /// How often the credentials were renewed.
    #[wasm_bindgen(getter)]
    pub fn renewals(&self) -> u32 {
        self.client.renewals()
    }

    /// Whether a request with `fetch_headers` that was refused with 401 is worth sending again; `renewals` is how many
    /// there were when it was sent.
    pub fn renew(&self, renewals: u32) -> Promise {
        let client = self.client.clone();
        promise_of(async move { client.renew(renewals).await.map(JsValue::from) }.boxed_local())
    }

    /// Any other request for something in the database, with a body of JSON.
    pub fn request(&self, method: &str, path: String, body: Option<String>) -> Promise {
        let (client, method) = (self.client.clone(), Method::named(method));
        promise(async move { client.request(method?, &path, body).await })
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

    /// A changes feed, to be read from where its reader says.
    pub fn feed(&self) -> RemoteFeed {
        RemoteFeed { feed: Rc::new(ChangesFeed::new(self.client.clone())) }
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

/// A changes feed of a remote database. What it keeps open between two pages ends when it is freed.
#[wasm_bindgen]
pub struct RemoteFeed {
    feed: Rc<ChangesFeed>,
}

#[wasm_bindgen]
impl RemoteFeed {
    /// The next page, given up when `signal` says so; with the feed `longpoll` when there is something.
    pub fn page(&self, options: String, signal: Option<AbortSignal>) -> Promise {
        let feed = self.feed.clone();
        promise(async move {
            let (request, handle) = abortable(async move { feed.text(&options).await });
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
}

/// What the application's function gives after a refusal.
async fn ask(reauthenticate: Function, refusal: JsValue) -> Result<Option<Fresh>, Error> {
    let answer =
        reauthenticate.call1(&JsValue::UNDEFINED, &refusal).map_err(|error| error_from_js(&error))?;
    let answer = JsFuture::from(Promise::resolve(&answer)).await.map_err(|error| error_from_js(&error))?;
    if answer == false {
        return Ok(None);
    }
    if !answer.is_object() {
        return Ok(Some(Fresh::default()));
    }
    let text = JSON::stringify(&answer).map(String::from).map_err(|error| error_from_js(&error))?;
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Error::new(ErrorKind::BadArgument).with_reason(format!("reauthenticate gave no credentials: {error}"))
    })
}
