//! Replication: bringing one database's documents to another, once or for as long as both live.
//!
//! [`machine`] decides, [`driver`] performs, and the two meet in [`effect`]. The machine knows neither sockets nor
//! clocks nor futures: it takes what happened and the time, and gives what to do. So every order of events, every
//! error at every place, can be tried in a test.
//!
//! Each side is a [`Peer`]: a local database, a CouchDB over HTTP, or anything in JavaScript that behaves like PouchDB.
//! What goes over the wire and what is left on both sides, checkpoints and their ids, is PouchDB's; what a
//! replication tells of itself are PouchDB's events.

mod answers;
mod attachments;
pub mod backoff;
pub mod checkpoint;
pub mod driver;
pub mod effect;
mod http_attachments;
mod http_peer;
mod http_writes;
pub mod id;
#[cfg(target_arch = "wasm32")]
mod js_peer;
mod local_peer;
pub mod machine;
mod options;
mod peer;
mod report;
mod seq;
mod status;
mod writing;

#[cfg(test)]
mod tests;

pub use attachments::{Stub, Wanted};
pub use driver::{Hooks, Replication, replicate};
pub use http_peer::HttpPeer;
#[cfg(target_arch = "wasm32")]
pub use js_peer::JsPeer;
pub use local_peer::LocalPeer;
pub use machine::Machine;
pub use options::{CheckpointSides, Limits, ReplicationOptions, Start};
pub use peer::{
    Cause, ChangeRow, ChangedRev, ChangesPage, ChangesRequest, Doc, DocRevs, Got, Lacking, LocalDoc, Missing,
    Peer, PeerInfo, WriteFailure,
};
pub use report::{Failure, Progress, ReplicationEvent, Report, Status};
pub use seq::Seq;
pub use status::{ReplicationStatus, State};
