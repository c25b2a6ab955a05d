//! What a replication tells of itself: PouchDB's events and their results.

use super::peer::{ChangeRow, Doc};
use super::seq::Seq;
use super::status::ReplicationStatus;
use crate::env::Millis;
use crate::error::Error;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::rc::Rc;

/// PouchDB's result of a replication, so far or at its end.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether nothing has stopped it.
    pub ok: bool,
    /// When it started; after an error it starts anew.
    #[serde(serialize_with = "iso_time")]
    pub start_time: Millis,
    /// Documents read from the source.
    pub docs_read: u64,
    /// Documents the target has taken.
    pub docs_written: u64,
    /// Documents that the source could not give or the target did not take.
    pub doc_write_failures: u64,
    /// Why, for each of them.
    pub errors: Vec<Error>,
    /// How far it has come in the source's feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<Seq>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_iso_time")]
    pub end_time: Option<Millis>,
}

/// How a replication ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Everything there was is replicated.
    Complete,
    /// It was told to stop.
    Cancelled,
    /// An error stopped it, for good or until the next try.
    Aborting,
}

impl Report {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            ok: true,
            start_time: now,
            docs_read: 0,
            docs_written: 0,
            doc_write_failures: 0,
            errors: Vec::new(),
            last_seq: None,
            status: None,
            end_time: None,
        }
    }

    pub(super) fn ended(&self, status: Status, now: Millis) -> Self {
        let ok = self.ok && status != Status::Aborting;
        let last_seq = Some(self.last_seq.clone().unwrap_or_else(Seq::zero));
        Self { ok, last_seq, status: Some(status), end_time: Some(now), ..self.clone() }
    }
}

/// An event of a replication, as PouchDB names them.
#[derive(Debug, Clone)]
pub enum ReplicationEvent {
    /// A batch is written.
    Change {
        /// The result so far.
        report: Report,
        /// What the target has taken.
        docs: Vec<Rc<Doc>>,
        /// How much of the feed comes after this, where the source knows.
        pending: Option<u64>,
    },
    /// There is nothing to do: everything is replicated, or an error makes it wait.
    Paused(Option<Failure>),
    /// There is something to do again.
    Active,
    /// A document was not replicated. It is tried again later, and this is told again where the reason is another then.
    Denied(Error),
    /// How far the replication has come inside; one event of PouchDB's for each payload.
    Checkpoint(Progress),
    /// An error after which it is tried again.
    RequestError(Failure),
    /// How it stands now; not PouchDB's. It comes before the events that tell of the same.
    Status(Box<ReplicationStatus>),
    /// The end.
    Complete(Report),
    /// The end, by an error.
    Error(Failure),
}

/// An error that stops a replication, with the result so far.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What went wrong.
    pub error: Error,
    /// What was done until then.
    pub report: Report,
}

/// PouchDB's `checkpoint` events.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Rows of the feed were read.
    Pending(Rc<Vec<ChangeRow>>, Seq),
    /// A batch is begun, up to this seq.
    Begun(Seq),
    /// The target is asked for these.
    Diffed(Rc<Vec<ChangeRow>>),
    /// The checkpoints stand here.
    Written(Seq),
}

impl ReplicationEvent {
    /// The event's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Change { .. } => "change",
            Self::Paused(_) => "paused",
            Self::Active => "active",
            Self::Denied(_) => "denied",
            Self::Checkpoint(_) => "checkpoint",
            Self::RequestError(_) => "requestError",
            Self::Status(_) => "status",
            Self::Complete(_) => "complete",
            Self::Error(_) => "error",
        }
    }

    /// The event's payload as JSON text, if it has one; of a `checkpoint` event an array of payloads.
    pub fn payload(&self) -> Option<String> {
        match self {
            Self::Change { report, docs, pending } => Some(change(report, docs, *pending)),
            Self::Paused(failure) => failure.as_ref().map(Failure::payload),
            Self::Active => None,
            Self::Denied(error) => Some(json(error)),
            Self::Checkpoint(progress) => Some(progress.payload()),
            Self::RequestError(failure) | Self::Error(failure) => Some(failure.payload()),
            Self::Status(status) => Some(json(status)),
            Self::Complete(report) => Some(json(report)),
        }
    }
}

impl Failure {
    fn payload(&self) -> String {
        let mut members = serde_json::to_value(&self.error).unwrap_or_default();
        if let Value::Object(members) = &mut members {
            members.insert("result".into(), serde_json::to_value(&self.report).unwrap_or_default());
        }
        members.to_string()
    }
}

impl Progress {
    fn payload(&self) -> String {
        let one = |name: &str, value: &str| format!(r#"{{"{name}":{value}}}"#);
        let all = match self {
            Self::Pending(rows, last) => {
                let seqs = rows.iter().map(|row| row.seq.as_ref().unwrap_or(last));
                seqs.map(|seq| one("pending_batch", seq.as_json())).collect()
            }
            Self::Begun(seq) => vec![one("start_next_batch", seq.as_json())],
            Self::Diffed(rows) => rows.iter().map(|row| one("revs_diff", &json(row))).collect(),
            Self::Written(seq) => vec![one("checkpoint", seq.as_json())],
        };
        format!("[{}]", all.join(","))
    }
}

/// The result with `docs` and `pending` at its end; the documents' texts are taken as they are.
fn change(report: &Report, docs: &[Rc<Doc>], pending: Option<u64>) -> String {
    let mut text = json(report);
    text.pop();
    text.push_str(r#","docs":"#);
    text.push_str(&super::answers::bulk_docs_docs(docs.iter().map(|doc| doc.body.get())));
    if let Some(pending) = pending {
        text.push_str(&format!(r#","pending":{pending}"#));
    }
    text.push('}');
    text
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("BUG: results can always be written as JSON")
}

fn iso_time<S: Serializer>(time: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&iso(*time))
}

pub(super) fn some_iso_time<S: Serializer>(time: &Option<Millis>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(iso).serialize(serializer)
}

/// JavaScript's `toISOString`.
fn iso(Millis(time): Millis) -> String {
    let (days, time) = (time / 86_400_000, time % 86_400_000);
    // Years that begin in March have their leap day at the end: Howard Hinnant's civil_from_days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let (month, day) = ((shifted + 2) % 12 + 1, day - (153 * shifted + 2) / 5 + 1);
    let year = year + era * 400 + u64::from(month <= 2);
    let (hours, minutes, seconds) = (time / 3_600_000, time / 60_000 % 60, time / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}Z", time % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_javascript_writes_them() {
        for (time, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(iso(Millis(time)), expected);
        }
    }

    #[test]
    fn a_change_is_the_result_with_the_documents() {
        let body = serde_json::value::RawValue::from_string(r#"{"_id":"a","_rev":"1-x"}"#.into()).unwrap();
        let docs = vec![Rc::new(Doc { id: "a".into(), body, ancestors: Rc::default() })];
        let report = Report { docs_read: 1, last_seq: Some(Seq::from(3)), ..Report::new(Millis(0)) };
        let event = ReplicationEvent::Change { report, docs, pending: Some(0) };
        assert_eq!(
            event.payload().unwrap(),
            r#"{"ok":true,"start_time":"1970-01-01T00:00:00.000Z","docs_read":1,"docs_written":0,"doc_write_failures":0,"errors":[],"last_seq":3,"docs":[{"_id":"a","_rev":"1-x"}],"pending":0}"#
        );
    }
}
