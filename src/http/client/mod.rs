//! Requests to one database on a CouchDB server.

mod attachments;
mod documents;
mod feed;
mod reading;
mod renewal;
mod server;

pub(crate) use documents::lacks_bulk_get;
pub(crate) use feed::ChangesFeed;
pub use renewal::{Fresh, Reauthenticate};

use super::again::{Heard, Pace, with_patience};
use super::error;
use super::patience::Patience;
use super::streaming::Streaming;
use super::transport::{Headers, Method, Payload, Request, Response, Transport};
use super::turns::Server;
use super::url::{Credentials, DbUrl};
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use futures_util::future::{LocalBoxFuture, Shared, join};
use renewal::Identity;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cell::{Cell, RefCell, RefMut};
use std::future::Future;
use std::rc::Rc;

/// How to reach the database, beside its address.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct ClientOptions {
    /// Name and password; they win over those in the address.
    pub auth: Option<Credentials>,
    /// Headers for every request.
    pub headers: Map<String, Value>,
    /// Takes the database for granted: it is neither looked for nor created.
    pub skip_setup: bool,
}

/// One database on a CouchDB server. Clones share the connection's state.
///
/// Every call except those of the server itself first makes sure, once, that the database is there. Calls that
/// PouchDB's users make take JSON and give JSON; errors are PouchDB's.
#[derive(Clone)]
pub struct Client(Rc<Inner>);

struct Inner {
    wire: Rc<Wire>,
    skip_setup: bool,
    setup: RefCell<Option<Shared<LocalBoxFuture<'static, Result<Bytes>>>>>,
    /// Whether the server has told that it knows no `_bulk_get`.
    lacks_bulk_get: Cell<bool>,
    multipart: Multipart,
    streaming: RefCell<Streaming>,
    /// Whether it refuses single documents as unauthorized whoever the user is.
    refuses_documents: Cell<bool>,
}

/// What the server can do with documents and their attachments in one message, until it has shown that it can't.
pub(crate) struct Multipart {
    /// It answers with such messages.
    pub(crate) is_given: Cell<bool>,
    /// It takes them.
    pub(crate) is_taken: Cell<bool>,
}

/// What one request needs.
struct Wire {
    transport: Rc<dyn Transport>,
    url: DbUrl,
    identity: Identity,
    pace: Cell<Pace>,
}

/// Of a page that says what is wrong so much is read.
const MOST_OF_AN_ERROR: u64 = 1 << 20;

/// A request in the making.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    url: String,
    body: Option<Payload>,
    content_type: Cow<'static, str>,
    accept: &'static str,
    patience: Option<Patience>,
    /// Whether it does no harm if the server gets it several times.
    is_repeatable: bool,
    /// Whether it is a feed that waits. A browser that caches its answer lets the next one with the same address wait for the end
    /// of the first (seen in Firefox 153).
    waits: bool,
}

const JSON: &str = "application/json";

impl Call {
    fn new(method: Method, url: String) -> Self {
        Self {
            method,
            url,
            body: None,
            content_type: JSON.into(),
            accept: JSON,
            patience: None,
            is_repeatable: false,
            waits: false,
        }
    }

    pub(crate) fn get(url: String) -> Self {
        Self { is_repeatable: true, ..Self::new(Method::Get, url) }
    }

    /// A question that is too long for an address.
    pub(crate) fn ask(url: String, body: String) -> Self {
        Self { is_repeatable: true, ..Self::post(url, body) }
    }

    pub(crate) fn post(url: String, body: String) -> Self {
        Self { body: Some(body.into()), ..Self::new(Method::Post, url) }
    }

    pub(crate) fn put(url: String, body: String) -> Self {
        Self { body: Some(body.into()), ..Self::new(Method::Put, url) }
    }
}

impl Wire {
    /// Sends the request and gives the body of a good answer; every other answer is an error.
    async fn call(&self, call: Call) -> Result<Bytes> {
        let heard = &Heard::default();
        let attempt = async |call| {
            let (response, patience) = self.send(call, heard).await?;
            patience.body(response.body, heard).await
        };
        self.answer(&call, heard, attempt).await
    }

    /// Sends the request and gives a good answer, whose body is still to come, with the patience to wait for that.
    async fn open(&self, call: Call) -> Result<(Response, Patience)> {
        let heard = &Heard::default();
        self.answer(&call, heard, |call| self.send(call, heard)).await
    }

    /// The answer to the request. One that is refused with 401 is sent a second time where the application has fresh credentials.
    async fn answer<T, F>(&self, call: &Call, heard: &Heard, attempt: impl Fn(Call) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let renewals = self.identity.renewals();
        match self.repeat(call, heard, &attempt).await {
            Err(error) if error.status() == 401 && self.identity.renew(renewals, &error).await? => {
                self.repeat(call, heard, &attempt).await
            }
            answer => answer,
        }
    }

    /// The same with the credentials that there are. It is sent once more where no answer comes, if it may be.
    async fn repeat<T, F>(&self, call: &Call, heard: &Heard, attempt: impl Fn(Call) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        if !call.is_repeatable {
            return attempt(call.clone()).await;
        }
        let length = call.body.as_ref().map_or(0, Payload::length);
        let silences = self.pace.get().silences(length);
        let (answer, is_first) = with_patience(silences, heard, || attempt(call.clone())).await;
        let is_silence = |error: &Error| error.kind() == ErrorKind::Network || error.status() == 408;
        if !answer.as_ref().is_err_and(is_silence) {
            let mut pace = self.pace.get();
            pace.answered(heard.longest_silence());
            self.pace.set(pace);
            if !is_first {
                Server::suspect(&self.url.on_server(""));
            }
        }
        answer
    }

    /// Sends it once. Its head is `heard`.
    async fn send(&self, call: Call, heard: &Heard) -> Result<(Response, Patience)> {
        let Call { method, url, body, content_type, accept, patience, waits, .. } = call;
        let length = body.as_ref().map_or(0, Payload::length);
        let patience = patience.unwrap_or_else(|| Patience::for_answer(None, length));
        let mut headers = self.identity.headers();
        headers.push(("Accept".into(), accept.into()));
        // Only with a body: on a GET it would cost a CORS preflight that is not needed otherwise.
        if method == Method::Post || body.is_some() {
            headers.push(("Content-Type".into(), content_type.into_owned()));
        }
        let request = Request { method, url, headers, body, bypasses_cache: waits };
        let response = patience.bound(self.transport.send(request)).await?;
        heard.now();
        if (200..300).contains(&response.status) {
            return Ok((response, patience));
        }
        let (status, retry_after) = (response.status, error::retry_after(&response));
        // The status says enough where the rest of an error page is lost, or too long to be one.
        let body = patience.content(response.body, MOST_OF_AN_ERROR).await;
        let body = match &body {
            Ok(body) => body.to_bytes().await.unwrap_or_default(),
            Err(_) => Bytes::new(),
        };
        Err(error::from_answer(status, retry_after, &body))
    }
}

impl Client {
    /// A client for the database at `url`, which may hold credentials.
    ///
    /// `reauthenticate` is called where the server answers 401. Fails with `invalid_url` where the address is none;
    /// nothing is sent yet.
    pub fn new(
        transport: Rc<dyn Transport>,
        url: &str,
        options: ClientOptions,
        reauthenticate: Option<Reauthenticate>,
    ) -> Result<Self> {
        let (url, in_url) = DbUrl::parse(url)?;
        let identity = Identity::new(options.auth.or(in_url), options.headers, reauthenticate);
        Ok(Self(Rc::new(Inner {
            wire: Rc::new(Wire { transport, url, identity, pace: Cell::default() }),
            skip_setup: options.skip_setup,
            setup: RefCell::default(),
            lacks_bulk_get: Cell::new(false),
            multipart: Multipart { is_given: Cell::new(true), is_taken: Cell::new(true) },
            streaming: RefCell::default(),
            refuses_documents: Cell::new(false),
        })))
    }

    /// From now on requests are sent again after so short a silence.
    #[cfg(test)]
    pub(super) fn lose_patience(&self, silence: crate::env::Millis) {
        self.0.wire.pace.set(Pace::impatient(silence));
    }

    /// The database's address, without credentials.
    pub fn url(&self) -> &DbUrl {
        &self.0.wire.url
    }

    /// The headers that every request carries.
    pub fn headers(&self) -> Headers {
        self.0.wire.identity.headers()
    }

    pub(crate) fn multipart(&self) -> &Multipart {
        &self.0.multipart
    }

    fn streaming(&self) -> RefMut<'_, Streaming> {
        self.0.streaming.borrow_mut()
    }

    /// How often the credentials were renewed.
    pub fn renewals(&self) -> u32 {
        self.0.wire.identity.renewals()
    }

    /// Whether a request of somebody else's with these headers, which was refused with 401, is worth sending again;
    /// `renewals` is how many there were when it was sent.
    pub async fn renew(&self, renewals: u32) -> Result<bool> {
        self.0.wire.identity.renew(renewals, &Error::new(ErrorKind::Unauthorized)).await
    }

    /// A request for something in the database that this client has no name for; `body` is JSON.
    pub async fn request(&self, method: Method, path: &str, body: Option<String>) -> Result<String> {
        let answer =
            self.call(Call { body: body.map(Payload::from), ..Call::new(method, self.in_db(path)) }).await?;
        error::text(answer)
    }

    /// Sends the request once the database is known to be there.
    pub(crate) async fn call(&self, call: Call) -> Result<Bytes> {
        self.setup().await?;
        self.0.wire.call(call).await
    }

    /// The same for a question that changes nothing: it is asked while the database is looked for, and again where it was
    /// asked too early.
    async fn call_early(&self, call: Call) -> Result<Bytes> {
        if self.is_set_up() {
            return self.0.wire.call(call).await;
        }
        let (setup, answer) = join(self.setup(), self.0.wire.call(call.clone())).await;
        setup?;
        match answer {
            Ok(answer) => Ok(answer),
            Err(_) => self.0.wire.call(call).await,
        }
    }

    /// The same with the answer's body still to come.
    async fn open(&self, call: Call) -> Result<(Response, Patience)> {
        self.setup().await?;
        self.0.wire.open(call).await
    }

    fn in_db(&self, path: &str) -> String {
        self.url().in_db(path)
    }
}
