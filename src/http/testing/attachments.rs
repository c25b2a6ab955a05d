//! Attachments of the model: contents beside the bodies, which have stubs, and CouchDB's ways with both.

use super::database::Members;
use crate::doc::Digest;
use crate::http::multipart::{Parser, Piece, Segment, boundary_of, related};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Contents by what the stubs say as `digest`.
pub(crate) type Contents = BTreeMap<String, Bytes>;

/// CouchDB compresses what is text; the model only has another digest then.
fn stub(content_type: &str, revpos: u64, bytes: &Bytes) -> Value {
    let mut stub =
        json!({"content_type": content_type, "revpos": revpos, "length": bytes.len(), "stub": true});
    if content_type.starts_with("text/") {
        stub["digest"] = Digest::of(&[b"compressed ", bytes.as_ref()].concat()).to_string().into();
        stub["encoding"] = "gzip".into();
    } else {
        stub["digest"] = Digest::of(bytes).to_string().into();
    }
    stub
}

/// Puts contents aside and stubs in their place. `before` is the body of the last revision before it that is there;
/// `following` are contents that came after the document.
///
/// Fails with 412 for a stub of something that `before` has not.
pub(super) fn take(
    doc: &mut Members,
    generation: u64,
    before: Option<&Members>,
    mut following: Vec<Bytes>,
    contents: &mut Contents,
) -> Result<(), (u16, Value)> {
    let Some(Value::Object(attachments)) = doc.get_mut("_attachments") else { return Ok(()) };
    let refused = |error: &str, reason: &str| {
        (if error == "missing_stub" { 412 } else { 400 }, json!({"error": error, "reason": reason}))
    };
    for (name, attachment) in attachments {
        let revpos = attachment["revpos"].as_u64().unwrap_or(generation);
        let content_type =
            attachment["content_type"].as_str().unwrap_or("application/octet-stream").to_owned();
        let bytes: Bytes = if attachment["stub"] == true {
            let known = before.and_then(|before| before.get("_attachments")?.get(name.as_str()));
            match known.filter(|known| attachment["revpos"].is_null() || known["revpos"] == revpos) {
                Some(known) => *attachment = known.clone(),
                None => return Err(refused("missing_stub", name)),
            }
            continue;
        } else if attachment["follows"] == true {
            let bytes = following.remove(0);
            let digest =
                attachment["digest"].as_str().map_or_else(|| Digest::of(&bytes).to_string(), str::to_owned);
            assert_eq!(attachment["length"], bytes.len());
            if digest != Digest::of(&bytes).to_string() {
                return Err(refused("md5_mismatch", "Possible message corruption."));
            }
            bytes
        } else {
            STANDARD.decode(attachment["data"].as_str().unwrap_or_default()).unwrap().into()
        };
        *attachment = stub(&content_type, revpos, &bytes);
        contents.insert(attachment["digest"].as_str().unwrap().to_owned(), bytes);
    }
    assert!(following.is_empty(), "more follows than the document says");
    Ok(())
}

/// Leaves out what is only told to those who ask for it.
pub(super) fn without_encoding(doc: &mut Value) {
    match doc {
        Value::Array(all) => all.iter_mut().for_each(without_encoding),
        Value::Object(members) => {
            if members.get("encoding").is_some_and(|encoding| encoding == "gzip") {
                members.shift_remove("encoding");
            }
            members.values_mut().for_each(without_encoding);
        }
        _ => {}
    }
}

/// The bytes of an attachment of this body.
pub(super) fn content(doc: &Members, name: &str, contents: &Contents) -> Option<Bytes> {
    contents.get(doc.get("_attachments")?.get(name)?["digest"].as_str()?).cloned()
}

/// Reads a document that its attachments follow.
pub(super) fn read_related(content_type: &str, body: &[u8]) -> (Value, Vec<Bytes>) {
    let mut parser = Parser::new(&boundary_of(content_type).unwrap()).unwrap();
    parser.feed(body);
    let mut parts: Vec<Vec<u8>> = Vec::new();
    while let Some(piece) = parser.next().unwrap() {
        match piece {
            Piece::Part(_) => parts.push(Vec::new()),
            Piece::Data(data) => parts.last_mut().unwrap().extend_from_slice(&data),
            Piece::PartEnd | Piece::End => {}
        }
    }
    parser.finish().unwrap();
    let mut parts = parts.into_iter();
    (serde_json::from_slice(&parts.next().unwrap()).unwrap(), parts.map(Bytes::from).collect())
}

/// The answer of `_bulk_get` with the attachments of each document.
pub(super) fn write_mixed(results: &[Value], contents: &Contents) -> (String, Bytes) {
    let mut message: Vec<u8> = Vec::new();
    for info in results.iter().flat_map(|result| result["docs"].as_array().unwrap()) {
        message.extend_from_slice(b"\r\n----outer\r\n");
        let Some(doc) = info.get("ok").and_then(Value::as_object) else {
            let error = json!({"rev": info["missing"], "error": "not_found", "reason": "missing"});
            message.extend_from_slice(
                format!("Content-Type: application/json; error=\"true\"\r\n\r\n{error}").as_bytes(),
            );
            continue;
        };
        let mut doc = doc.clone();
        let mut parts = Vec::new();
        let attachments = doc.get_mut("_attachments").and_then(Value::as_object_mut);
        for (name, attachment) in attachments.into_iter().flatten() {
            let bytes = contents[attachment["digest"].as_str().unwrap()].clone();
            let attachment = attachment.as_object_mut().unwrap();
            attachment.shift_remove("stub");
            attachment.insert("follows".into(), true.into());
            parts.push((name.clone(), "x/y".to_owned(), bytes.len() as u64, bytes));
        }
        let doc = Value::Object(doc).to_string();
        if parts.is_empty() {
            message.extend_from_slice(format!("Content-Type: application/json\r\n\r\n{doc}").as_bytes());
            continue;
        }
        let (content_type, segments) = related("--inner", &doc, parts);
        message.extend_from_slice(format!("Content-Type: {content_type}\r\n\r\n").as_bytes());
        for segment in segments {
            match segment {
                Segment::Text(text) => message.extend_from_slice(text.as_bytes()),
                Segment::Content(bytes) => message.extend_from_slice(&bytes),
            }
        }
    }
    message.extend_from_slice(b"\r\n----outer--\r\n");
    ("multipart/mixed; boundary=\"--outer\"".into(), message.into())
}
