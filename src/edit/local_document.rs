//! Local documents: one revision each, counted, not replicated.

use super::bulk::Edit;
use crate::doc::id_key;
use crate::engine::{Keyspace, Overlay, View};
use crate::error::{Error, ErrorKind, Result};
use crate::varint;
use bytes::{Buf, Bytes};

/// The member of a replication's checkpoint on a target here that says that documents with attachments were not passed by.
pub const WITH_ATTACHMENTS: &str = "attachments";

/// A local document as stored: the number of its revision (varint), then its body's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalDocument {
    /// The number after the dash of its revision `0-N`.
    pub number: u64,
    /// Its members, a JSON object's text.
    pub body: Bytes,
}

impl LocalDocument {
    /// Its revision's text.
    pub fn rev(&self) -> String {
        format!("0-{}", self.number)
    }
}

/// The local document with this id.
pub fn read_local(view: &impl View, id: &str) -> Option<LocalDocument> {
    let mut stored = view.get(Keyspace::Local, &id_key(id))?;
    let mut rest: &[u8] = &stored;
    let number = varint::read(&mut rest)?;
    let length = rest.len();
    stored.advance(stored.len() - length);
    Some(LocalDocument { number, body: stored })
}

/// Writes or removes a local document, and gives its revision afterwards.
///
/// # Errors
/// [`ErrorKind::Conflict`] where it is written upon another revision than the one there is; 404 `missing` where a
/// revision is removed that is not there.
pub(super) fn apply(overlay: &mut Overlay, edit: &Edit, given: Option<&str>) -> Result<String> {
    let found = read_local(overlay, &edit.id).map(|found| found.rev());
    let given = given.filter(|rev| !rev.is_empty());
    if edit.deleted {
        if found.is_none() || found.as_deref() != given {
            return Err(Error::missing());
        }
        overlay.delete(Keyspace::Local, id_key(&edit.id));
        return Ok("0-0".to_owned());
    }
    if found.as_deref() != given {
        return Err(Error::new(ErrorKind::Conflict));
    }
    let number = given
        .and_then(|rev| rev.split_once('-').and_then(|(_, number)| number.parse::<u64>().ok()))
        .map_or(1, |number| number + 1);
    put(overlay, &edit.id, number, &edit.body);
    Ok(format!("0-{number}"))
}

/// Replaces the body of a local document of the database's own, whatever revision is there.
pub(super) fn replace(overlay: &mut Overlay, id: &str, body: &str) {
    let number = read_local(overlay, id).map_or(1, |found| found.number + 1);
    put(overlay, id, number, body);
}

/// Stores a local document, in place of one that is there.
pub(super) fn put(overlay: &mut Overlay, id: &str, number: u64, body: &str) {
    let mut head = Vec::with_capacity(4);
    varint::write(&mut head, number);
    overlay.put_parts(Keyspace::Local, id_key(id), [&head, body.as_bytes()]);
}
