//! How a replication stands: what an application shows as a sentence and a progress bar.

use super::report::some_iso_time;
use super::seq::Seq;
use crate::env::Millis;
use crate::error::Error;
use serde::Serialize;

/// What a replication is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum State {
    /// It asks both sides who they are and where they stand.
    #[serde(rename = "connecting")]
    Connecting,
    /// There are changes on their way.
    #[serde(rename = "catching up")]
    CatchingUp,
    /// Both sides have everything; it waits for more.
    #[serde(rename = "up to date")]
    UpToDate,
    /// An error that somebody has answered with; it tries again later.
    #[serde(rename = "waiting to retry")]
    WaitingToRetry,
    /// Nobody has answered; it tries again later, or when the network is back.
    #[serde(rename = "offline")]
    Offline,
    /// Everything there was is replicated, and that was all.
    #[serde(rename = "complete")]
    Complete,
    /// It was told to stop.
    #[serde(rename = "cancelled")]
    Cancelled,
    /// An error has ended it.
    #[serde(rename = "stopped")]
    Stopped,
}

/// A replication's state and counts, since it was begun.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplicationStatus {
    /// What it is about.
    pub state: State,
    /// How many changes are still to come, as far as that is known. Databases that count a document as often as it has
    /// changed may name too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
    /// How many changes it has dealt with since it was last up to date: of a progress bar, `done / (done + pending)`.
    pub done: u64,
    /// Changes in a second, lately.
    pub rate: f64,
    /// Documents read from the source.
    pub docs_read: u64,
    /// Documents the target has taken.
    pub docs_written: u64,
    /// Documents that the source could not give or the target did not take.
    pub doc_write_failures: u64,
    /// Documents among these that are to be tried again.
    pub set_aside: u64,
    /// How far it has come in the source's feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<Seq>,
    /// The last error that made it wait or stop; it stays when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Error>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_iso_time")]
    pub last_error_time: Option<Millis>,
    /// When a batch was last done, or there was last found to be nothing to do.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_iso_time")]
    pub last_success: Option<Millis>,
    /// When it tries again, if it waits for that.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_iso_time")]
    pub next_retry: Option<Millis>,
}
