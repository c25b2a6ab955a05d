//! Potoroo: a document database for the browser that syncs with CouchDB.

pub mod db;
pub mod doc;
pub mod edit;
pub mod engine;
pub mod env;
pub mod error;
pub mod http;
#[cfg(target_arch = "wasm32")]
pub mod js;
pub mod query;
pub mod replicate;
pub mod sort;
pub mod storage;
pub mod tree;
pub mod varint;

pub use error::{Error, ErrorKind, Result};
