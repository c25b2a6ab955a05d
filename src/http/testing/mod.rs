//! A CouchDB in memory, and the ways in which a network fails between it and the client.

mod attachments;
mod couch;
mod database;
mod feed;

pub(crate) use couch::{Couch, Fault};
pub(crate) use database::{Database, Leaves};
