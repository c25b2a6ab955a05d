//! What the machine asks for and is told: its whole contact with the world.

use super::peer::{
    ChangeRow, ChangesPage, ChangesRequest, Doc, DocRevs, Got, LocalDoc, Missing, PeerInfo, WriteFailure,
};
use super::report::ReplicationEvent;
use crate::env::Millis;
use crate::error::Result;
use std::collections::HashMap;
use std::rc::Rc;

/// One of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one read from.
    Source,
    /// The one written to.
    Target,
}

/// Ties an answer to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub(super) u64);

/// Something that takes time.
#[derive(Debug, Clone)]
pub enum Request {
    /// The database's id.
    Id(Side),
    /// How much there is.
    Info(Side),
    /// The checkpoint document of that id.
    ReadCheckpoint(Side, String),
    /// Write it.
    WriteCheckpoint(Side, LocalDoc),
    /// Read the source's feed.
    Changes(ChangesRequest),
    /// Show the rows to the filter function.
    Filter(Rc<Vec<ChangeRow>>),
    /// Ask the target what it has not.
    RevsDiff(Vec<DocRevs>),
    /// Get documents from the source.
    BulkGet(Vec<DocRevs>),
    /// Get one document from a source that has no `_bulk_get`, or fails with it.
    OpenRevs(DocRevs),
    /// Write documents to the target.
    WriteDocs(Vec<Rc<Doc>>),
    /// Ask the back-off function for the pause that follows this one.
    BackOff(f64),
    /// Wait.
    Sleep(Millis),
}

/// What a request gives; each variant belongs to the requests of the same kind.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Of `Id`.
    Id(String),
    /// Of `Info`.
    Info(PeerInfo),
    /// Of `ReadCheckpoint`: the document, if there is one.
    Checkpoint(Option<LocalDoc>),
    /// Of `WriteCheckpoint`: its new revision.
    CheckpointWritten(String),
    /// Of `Changes`.
    Changes(ChangesPage),
    /// Of `Filter`: for each row whether it passes.
    Filtered(Vec<bool>),
    /// Of `RevsDiff`.
    Missing(HashMap<String, Missing>),
    /// Of `BulkGet` and `OpenRevs`.
    Docs(Vec<Got>),
    /// Of `WriteDocs`.
    Written(Vec<WriteFailure>),
    /// Of `BackOff`, in milliseconds.
    BackOff(f64),
    /// Of `Sleep`.
    Slept,
}

/// What the driver is to do.
#[derive(Debug)]
pub enum Effect {
    /// Start this; its answer comes as an event.
    Perform(Token, Request),
    /// Give it up; no answer is wanted any more.
    Abort(Token),
    /// The source's feed is not read on for now.
    LeaveFeed,
    /// Tell the application.
    Emit(ReplicationEvent),
    /// That was all.
    Finish,
}

/// What the driver tells.
#[derive(Debug)]
pub enum Event {
    /// A request is answered, or failed.
    Answered(Token, Result<Answer>),
    /// The network may be back, or the page: do not wait any longer.
    Wake,
    /// The application wants it to end.
    Cancel,
}
