//! Bodies: a document's own members as JSON text, and how documents are taken apart into them and put together again.

use super::attachments::{ContentInfo, IncomingAttachments};
use super::id::is_local;
use super::members::{Members, is_truthy};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Members with an underscore that are part of the body.
const BODY_MEMBERS: [&str; 6] = [
    "_access",
    "_replication_id",
    "_replication_state",
    "_replication_state_time",
    "_replication_state_reason",
    "_replication_stats",
];

/// Members with an underscore that say something about a document and are not kept.
const DROPPED_MEMBERS: [&str; 7] =
    ["_revs_info", "_conflicts", "_deleted_conflicts", "_local_seq", "_rev_tree", "_removed", "_cv"];

/// A document's ancestry as CouchDB writes it: `{"start": 3, "ids": ["c", "b", "a"]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revisions {
    /// The generation of the first id.
    pub start: u64,
    /// Hashes, newest first.
    pub ids: Vec<String>,
}

/// A document as the application or a server gave it, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingDocument<'a> {
    /// `_id`; `None` where there is none.
    pub id: Option<Cow<'a, str>>,
    /// `_rev`.
    pub rev: Option<Cow<'a, str>>,
    /// `_deleted`.
    pub deleted: bool,
    /// `_revisions`.
    pub revisions: Option<Revisions>,
    /// Its attachments, if there are some.
    pub attachments: Option<IncomingAttachments>,
    /// Its own members, a JSON object's text without white space around. Where there are attachments, [`fill_revpos`] has to
    /// complete it.
    ///
    /// [`fill_revpos`]: super::fill_revpos
    pub body: String,
    /// What is hashed instead of the body where the document is written upon a deletion, if that is something else.
    pub rehashed: Option<String>,
    /// The text whose MD5 is the next revision's hash: the document's own JSON text as PouchDB would write it.
    pub hashed: Cow<'a, str>,
}

impl<'a> IncomingDocument<'a> {
    /// Takes a document's JSON text apart, as PouchDB's `parseDoc` does. Where the content of an attachment is a number, it is
    /// an index into `beside`.
    ///
    /// # Errors
    /// [`ErrorKind::NotAnObject`], [`ErrorKind::InvalidId`] and [`ErrorKind::InvalidRev`] for members of a wrong type,
    /// [`ErrorKind::DocValidation`] for an unknown member with an underscore, [`ErrorKind::BadArgument`] and
    /// [`ErrorKind::BadRequest`] for attachments that are none.
    pub fn parse(text: &'a str, beside: &[ContentInfo]) -> Result<Self> {
        let members = Members::parse(text).map_err(|_| Error::new(ErrorKind::NotAnObject))?;
        let is_local_document = match members.get("_id").map(parse_id) {
            Some(Ok(Some(id))) => is_local(&id),
            _ => false,
        };
        let mut document = Self {
            id: None,
            rev: None,
            deleted: members.get("_deleted").is_some_and(is_truthy),
            revisions: None,
            attachments: None,
            body: String::with_capacity(text.len()),
            rehashed: None,
            hashed: Cow::Borrowed(text),
        };
        let mut place = 0..0;
        for (name, value) in &members.0 {
            let value = *value;
            match name.as_ref() {
                "_id" => document.id = parse_id(value)?,
                "_rev" => document.rev = parse_rev(value)?,
                "_deleted" => {}
                "_revisions" => {
                    document.revisions = match value.get() {
                        "null" | "false" => None,
                        text => {
                            Some(serde_json::from_str(text).map_err(|_| Error::new(ErrorKind::InvalidRev))?)
                        }
                    }
                }
                // PouchDB takes those of a deletion out before it hashes.
                "_attachments" if document.deleted && !is_local_document => {}
                "_attachments" if is_truthy(value) && !is_local_document => {
                    let attachments = IncomingAttachments::parse(value, beside)?;
                    push_member(&mut document.body, name, &attachments.stored);
                    let end = document.body.len();
                    place = end - attachments.stored.len()..end;
                    document.attachments = Some(attachments);
                }
                // A local document is kept with whatever members it has.
                name if name.starts_with('_') && !BODY_MEMBERS.contains(&name) && !is_local_document => {
                    if !DROPPED_MEMBERS.contains(&name) {
                        return Err(Error::new(ErrorKind::DocValidation)
                            .with_message(format!("Bad special document member: {name}"))
                            .with_reason(name.to_owned()));
                    }
                }
                name => push_member(&mut document.body, name, value.get()),
            }
        }
        close(&mut document.body);
        let attachments = document.attachments.as_ref();
        if attachments.is_some() || document.deleted && members.get("_attachments").is_some() {
            let mut text = String::with_capacity(document.body.len() + 80);
            for (name, value) in &members.0 {
                match attachments {
                    _ if name != "_attachments" => push_member(&mut text, name, value.get()),
                    Some(attachments) => push_member(&mut text, name, &attachments.hashed),
                    None => {}
                }
            }
            close(&mut text);
            document.hashed = text.into();
        }
        if let Some(attachments) = attachments {
            let mut rehashed = document.body.clone();
            rehashed.replace_range(place, &attachments.rehashed);
            document.rehashed = Some(rehashed);
        }
        Ok(document)
    }

    /// Gives a document without an id the one that was made for it, where PouchDB puts it: at the end.
    pub fn assign_id(&mut self, id: String) {
        with_member(self.hashed.to_mut(), "_id", &json_text(&id));
        self.id = Some(id.into());
    }
}

fn parse_id(value: &RawValue) -> Result<Option<Cow<'_, str>>> {
    match value.get() {
        "null" | "false" | "0" | "\"\"" => Ok(None),
        text => string_of(text).map(Some).ok_or_else(|| Error::new(ErrorKind::InvalidId)),
    }
}

fn parse_rev(value: &RawValue) -> Result<Option<Cow<'_, str>>> {
    match value.get() {
        "null" => Ok(None),
        text => string_of(text).map(Some).ok_or_else(|| Error::new(ErrorKind::InvalidRev)),
    }
}

/// What a JSON string's text stands for; `None` where it is another value's.
fn string_of(text: &str) -> Option<Cow<'_, str>> {
    let plain = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match plain {
        Some(plain) if !plain.contains('\\') => Some(plain.into()),
        _ => serde_json::from_str::<String>(text).ok().map(Cow::Owned),
    }
}

/// The MD5 of a text: the hash of PouchDB's deterministic revisions.
pub fn md5(text: &str) -> [u8; 16] {
    use ::md5::{Digest, Md5};
    Md5::digest(text.as_bytes()).into()
}

/// A value's JSON text.
pub fn json_text(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("BUG: a plain value has no JSON text")
}

/// Appends a member to an object's text that is not closed yet (`{"a":1` or nothing at all).
pub fn push_member(object: &mut String, name: &str, value: &str) {
    object.push(if object.is_empty() { '{' } else { ',' });
    if name.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        object.push_str(&json_text(name));
    } else {
        object.push('"');
        object.push_str(name);
        object.push('"');
    }
    object.push(':');
    object.push_str(value);
}

/// Closes an object's text that [`push_member`] built.
pub fn close(object: &mut String) {
    object.push_str(if object.is_empty() { "{}" } else { "}" });
}

/// Opens a closed object's text again for [`push_member`].
pub fn reopen(object: &mut String) {
    object.pop();
    if object == "{" {
        object.clear();
    }
}

/// Appends a member to a closed object's text.
pub fn with_member(object: &mut String, name: &str, value: &str) {
    reopen(object);
    push_member(object, name, value);
    close(object);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_taken_apart() {
        let text = r#"{"_id":"a","b":[1, {"c":"\ud800"}],"_rev":"2-x","_deleted":true,"é\n":null,"_revisions":{"start":2,"ids":["x","y"]},"_conflicts":[]}"#;
        let document = IncomingDocument::parse(text, &[]).unwrap();
        assert_eq!(document.id.as_deref(), Some("a"));
        assert_eq!(document.rev.as_deref(), Some("2-x"));
        assert!(document.deleted);
        assert_eq!(document.revisions, Some(Revisions { start: 2, ids: vec!["x".into(), "y".into()] }));
        assert_eq!(document.body, r#"{"b":[1, {"c":"\ud800"}],"é\n":null}"#);
        assert_eq!(document.hashed, text);
    }

    #[test]
    fn an_id_is_added_at_the_end() {
        let mut document = IncomingDocument::parse("{}", &[]).unwrap();
        document.assign_id("x\"".into());
        assert_eq!(document.hashed, r#"{"_id":"x\""}"#);
        let mut document = IncomingDocument::parse(r#"{"a":1}"#, &[]).unwrap();
        document.assign_id("x".into());
        assert_eq!(document.hashed, r#"{"a":1,"_id":"x"}"#);
    }

    #[test]
    fn a_deletions_attachments_are_not_hashed() {
        let document =
            IncomingDocument::parse(r#"{"_id":"a","_attachments":{"b":{}},"_deleted":true}"#, &[]).unwrap();
        assert_eq!(document.hashed, r#"{"_id":"a","_deleted":true}"#);
        assert_eq!((document.attachments, document.body.as_str()), (None, "{}"));
    }

    #[test]
    fn wrong_members_are_named() {
        for (text, status, message) in [
            ("[]", 400, "Document must be a JSON object"),
            ("null", 400, "Document must be a JSON object"),
            (r#"{"_id":1}"#, 400, "_id field must contain a string"),
            (r#"{"_rev":{}}"#, 400, "Invalid rev format"),
            (r#"{"_foo":1}"#, 500, "Bad special document member: _foo"),
        ] {
            let error = IncomingDocument::parse(text, &[]).unwrap_err();
            assert_eq!((error.status(), error.message()), (status, message), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_only_text() {
        let text = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(IncomingDocument::parse(&text, &[]).unwrap().body, text);
    }
}
