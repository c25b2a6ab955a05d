//! A CouchDB client.
//!
//! [`Transport`] is all that the client asks of the outside world: send one request, stream its answer. In a
//! browser it is [`Fetch`]; in tests a server in memory. [`Client`] knows CouchDB's addresses, parameters and
//! errors, and PouchDB's ways with them: the database is created when it is not there, an error carries the
//! server's `error` as its name, a `401` of whatever shape means refused credentials.
//!
//! No request waits for ever. Each has a patience: how long the connection may be silent before the request is
//! given up with a retryable error. That is how a connection that died with the network is noticed. Long before that, one that
//! may come to the server twice is sent once more.

mod again;
mod client;
mod error;
#[cfg(target_arch = "wasm32")]
mod fetch;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg(target_arch = "wasm32")]
mod js_error;
mod lines;
mod multipart;
mod params;
mod patience;
mod pieces;
mod streaming;
mod transport;
mod turns;
mod url;

pub(crate) use client::{ChangesFeed, lacks_bulk_get};
pub use client::{Client, ClientOptions, Fresh, Reauthenticate};
pub(crate) use error::{from_members as error_from_members, parse as parse_answer};
#[cfg(target_arch = "wasm32")]
pub use fetch::Fetch;
#[cfg(target_arch = "wasm32")]
pub use js_error::error_from_js;
pub(crate) use multipart::Document;
pub use params::Options;
pub use transport::{Body, Headers, Method, Payload, Request, Response, Transport};
pub use url::{Credentials, DbUrl, encode_doc_id};

#[cfg(test)]
mod again_tests;
#[cfg(test)]
mod feed_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
