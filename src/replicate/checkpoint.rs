//! Checkpoint documents: PouchDB's, member for member.
//!
//! Both sides keep one under the replication's id: how far the replication has come, in which session, and the last
//! positions of earlier sessions. Where the two name a session in common, the source's position in it is safe to go
//! on from: the target has been written to at least as far.

use super::peer::LocalDoc;
use super::seq::Seq;
use crate::db::WITH_ATTACHMENTS;
use serde_json::{Map, Value, json};

/// The version PouchDB writes; documents of another are not understood.
const VERSION: u64 = 1;
const REPLICATOR: &str = "pouchdb";
/// How many sessions are remembered.
const HISTORY: usize = 5;
/// The member with the documents that are to be tried again. PouchDB knows no such member, and leaves it alone.
pub const SET_ASIDE: &str = "set_aside";

/// Where both sides agree to go on from, by their checkpoint documents.
pub fn common_ancestry(source: &LocalDoc, target: &LocalDoc) -> Seq {
    let version = |doc: &LocalDoc| doc.get("version").cloned();
    if version(source) != version(target) {
        return Seq::zero();
    }
    match version(source) {
        // Written before sessions were: good only where both say the same.
        None => {
            let same = last_seq(source) == last_seq(target);
            if same { position(source) } else { Seq::zero() }
        }
        Some(version) if version == VERSION || version.as_str() == Some("1") => {
            compare_sessions(source, target)
        }
        Some(_) => Seq::zero(),
    }
}

fn compare_sessions(source: &LocalDoc, target: &LocalDoc) -> Seq {
    if source.get("session_id") == target.get("session_id") {
        return position(source);
    }
    let (mut source, mut target) = (history(source), history(target));
    while let ([first_source, rest_of_source @ ..], [first_target, rest_of_target @ ..]) = (source, target) {
        if names_session_of(target, first_source) {
            return position_of(first_source);
        }
        if names_session_of(rest_of_source, first_target) {
            return position_of(first_target);
        }
        (source, target) = (rest_of_source, rest_of_target);
    }
    Seq::zero()
}

fn names_session_of(history: &[Value], entry: &Value) -> bool {
    let session = entry.get("session_id").and_then(Value::as_str).filter(|session| !session.is_empty());
    session.is_some_and(|session| {
        history.iter().any(|other| other.get("session_id").and_then(Value::as_str) == Some(session))
    })
}

fn history(doc: &LocalDoc) -> &[Value] {
    doc.get("history").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn position_of(entry: &Value) -> Seq {
    entry.get("last_seq").and_then(Seq::from_value).unwrap_or_else(Seq::zero)
}

/// The position a checkpoint document names, 0 where it names none.
pub fn position(doc: &LocalDoc) -> Seq {
    last_seq(doc).unwrap_or_else(Seq::zero)
}

fn last_seq(doc: &LocalDoc) -> Option<Seq> {
    doc.get("last_seq").and_then(Seq::from_value)
}

/// The checkpoint document that follows `current` when `session` has come to `seq`; `None` where `current` says so
/// already.
pub fn advance(current: Option<&LocalDoc>, id: &str, session: &str, seq: &Seq) -> Option<LocalDoc> {
    let last_seq = seq.to_value();
    let mut doc = current.cloned().unwrap_or_else(|| {
        let mut doc = Map::new();
        doc.insert("session_id".into(), session.into());
        doc.insert("_id".into(), id.into());
        doc.insert("history".into(), json!([]));
        doc.insert("replicator".into(), REPLICATOR.into());
        doc.insert("version".into(), VERSION.into());
        doc
    });
    if doc.get("last_seq") == Some(&last_seq) {
        return None;
    }
    let mut entries = vec![json!({"last_seq": last_seq, "session_id": session})];
    let of_others = |entry: &&Value| entry.get("session_id").and_then(Value::as_str) != Some(session);
    entries.extend(history(&doc).iter().filter(of_others).take(HISTORY - 1).cloned());
    doc.insert("history".into(), entries.into());
    doc.insert("version".into(), VERSION.into());
    doc.insert("replicator".into(), REPLICATOR.into());
    doc.insert("session_id".into(), session.into());
    doc.insert("last_seq".into(), last_seq);
    Some(doc)
}

/// What follows `current` with this list of the documents that are to be tried again: `next`, or `current` itself where only
/// the list is another; `None` where there is nothing to write.
pub fn keeping(
    current: Option<&LocalDoc>,
    next: Option<LocalDoc>,
    set_aside: Option<&Value>,
) -> Option<LocalDoc> {
    if next.as_ref().or(current).and_then(|doc| doc.get(SET_ASIDE)) == set_aside {
        return next;
    }
    let mut doc = next.or_else(|| current.cloned())?;
    match set_aside {
        Some(list) => drop(doc.insert(SET_ASIDE.into(), list.clone())),
        None => doc.retain(|name, _| name != SET_ASIDE),
    }
    Some(doc)
}

/// The document on a target here, said to have been written with attachments: before there were any, documents with some were
/// passed by. Servers and PouchDB know no such member.
pub fn marked(mut doc: LocalDoc) -> LocalDoc {
    doc.insert(WITH_ATTACHMENTS.into(), true.into());
    doc
}

/// What counts of the document that was found on a target here: of one without the mark only that it is there. Those without
/// a version are older than sessions, and were never written by a version of ours.
pub fn if_marked(mut doc: LocalDoc) -> LocalDoc {
    if doc.contains_key("version") && doc.get(WITH_ATTACHMENTS) != Some(&Value::Bool(true)) {
        doc.retain(|name, _| matches!(name.as_str(), "_id" | "_rev"));
    }
    doc
}

/// What is put on a source that has no checkpoint while the target has one: a try whether the source can be written
/// to, which leaves no position to go on from.
pub fn stub(id: &str) -> LocalDoc {
    let mut doc = Map::new();
    doc.insert("_id".into(), id.into());
    doc.insert("last_seq".into(), 0.into());
    doc
}
