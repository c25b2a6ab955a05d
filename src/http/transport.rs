//! What the client needs of the platform.

use crate::error::{Error, ErrorKind, Result};
use crate::storage::Content;
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;

/// Names and values in the order given; names are compared without regard to case.
pub type Headers = Vec<(String, String)>;

/// The methods CouchDB is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Writes under a known address.
    Put,
    /// Everything with a question in its body.
    Post,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method of that name.
    pub fn named(name: &str) -> Result<Self> {
        [Self::Get, Self::Put, Self::Post, Self::Delete]
            .into_iter()
            .find(|method| method.as_str() == name)
            .ok_or_else(|| Error::new(ErrorKind::BadArgument).with_reason(format!("no method {name}")))
    }

    /// The method as it stands in the request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// One request.
#[derive(Clone)]
pub struct Request {
    /// What to do.
    pub method: Method,
    /// The whole address, without credentials.
    pub url: String,
    /// All headers the client wants; the platform may add its own.
    pub headers: Headers,
    /// What is sent with it.
    pub body: Option<Payload>,
    /// Whether no cache may have a part in it.
    pub bypasses_cache: bool,
}

/// The body of a request.
#[derive(Clone)]
pub enum Payload {
    /// A JSON text.
    Json(Bytes),
    /// Stretches of bytes, which are sent one after the other and need not be brought together for that.
    Pieces(Vec<Content>),
}

impl Payload {
    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        match self {
            Self::Json(text) => text.len() as u64,
            Self::Pieces(pieces) => pieces.iter().map(Content::length).sum(),
        }
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::Json(text.into())
    }
}

impl fmt::Debug for Request {
    /// Headers and body stay out: they hold passwords and other people's documents.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method.as_str(), self.url)
    }
}

/// The answer to a request, as soon as its status and headers are there.
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers that the platform lets see.
    pub headers: Headers,
    /// What follows, in pieces.
    pub body: Box<dyn Body>,
}

impl Response {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The rest of an answer. Dropping it before its end aborts the request.
#[async_trait(?Send)]
pub trait Body {
    /// The next piece, `None` at the end; an error where the connection breaks.
    async fn next_chunk(&mut self) -> Result<Option<Bytes>>;

    /// The same where the bytes are not looked at: they may stay the platform's.
    async fn next_piece(&mut self) -> Result<Option<Content>> {
        Ok(self.next_chunk().await?.map(Content::Bytes))
    }
}

/// Sends requests.
#[async_trait(?Send)]
pub trait Transport {
    /// Sends one request and resolves with the head of its answer, whatever its status.
    ///
    /// Fails only where there is no HTTP answer, with a [network error](crate::Error::network). Dropping the future
    /// aborts the request.
    async fn send(&self, request: Request) -> Result<Response>;
}
