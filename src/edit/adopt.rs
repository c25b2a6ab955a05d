//! Documents of another database of PouchDB's, which this one takes the place of: with their trees, seqs and bodies as they
//! are there, and not as edits.
//!
//! It is done in pieces. A mark in the metadata says how far it has come, from the database's first commit on to the one
//! with the last piece, so that what is there by halves can be told, and several tabs may be at it at once: a piece is
//! written only where the mark is the one that it follows.

use super::attachments::{Supplied, contents_of, refer};
use super::counters::Counters;
use super::local_document::{self, WITH_ATTACHMENTS};
use super::sequence::SequenceEntry;
use super::stored::{StoredDocument, body_key};
use super::write::{drop_body, put_document};
use crate::doc::{IncomingDocument, Members, Rev, check_id, fill_revpos, id_key, is_local, with_member};
use crate::engine::{Keyspace, Overlay, View};
use crate::error::{Error, ErrorKind, Result};
use crate::tree::RevTree;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The key of the mark.
const KEY: &[u8] = b"adoption";

/// A body that says nothing, of a leaf of which none was found.
const EMPTY: &str = "{}";

/// A piece as it comes.
#[derive(Deserialize)]
struct Piece<'a> {
    before: String,
    after: Option<String>,
    update_seq: u64,
    #[serde(borrow)]
    documents: Vec<GivenDocument<'a>>,
    #[serde(borrow)]
    locals: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct GivenDocument<'a> {
    id: String,
    seq: u64,
    /// In PouchDB's form, as a text of its own because it is nested deeply.
    tree: String,
    #[serde(borrow)]
    revs: Vec<&'a RawValue>,
}

/// A document with everything that is stored of it.
struct Document {
    key: Bytes,
    seq: u64,
    tree: RevTree,
    bodies: Vec<Body>,
}

struct Body {
    rev: Rev,
    text: String,
    has_attachments: bool,
}

struct LocalOne {
    id: String,
    number: u64,
    body: String,
}

/// A piece of another database, read and ready to be written.
pub struct Adoption {
    before: String,
    after: Option<String>,
    update_seq: u64,
    documents: Vec<Document>,
    locals: Vec<LocalOne>,
    contents: Vec<Supplied>,
}

/// The entry of the metadata with which a database begins that is to be filled: what `mark` says is up to the caller.
pub fn first_mark(mark: &str) -> (Vec<u8>, Vec<u8>) {
    (KEY.to_vec(), mark.as_bytes().to_vec())
}

/// How far the filling of this database has come; `None` where it is as it should be.
pub fn adoption_mark(view: &impl View) -> Option<String> {
    Some(String::from_utf8_lossy(&view.get(Keyspace::Metadata, KEY)?).into_owned())
}

impl Adoption {
    /// Reads a piece, given as the JSON text of
    /// `{before, after, update_seq, documents: [{id, seq, tree, revs: [document]}], locals: [document]}`: the mark that it
    /// follows; the mark from then on, or null for the last one; the other database's seq; each document's tree in PouchDB's
    /// form, and the bodies that are stored of it, each with its `_rev`. Attachments whose `data` is a number have
    /// the content with this index in `beside`.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] for what is no such text, and for a tree that is none; what documents are refused for.
    pub fn prepare(piece: &str, beside: &[Supplied]) -> Result<Self> {
        let piece: Piece<'_> = serde_json::from_str(piece).map_err(|error| bad(error.to_string()))?;
        let infos: Vec<_> = beside.iter().map(|supplied| supplied.info).collect();
        let mut contents = Vec::new();
        let mut documents = Vec::with_capacity(piece.documents.len());
        for given in piece.documents {
            let read = |text: &&'_ RawValue| {
                let document = IncomingDocument::parse(text.get(), &infos)?;
                let rev: Rev = document.rev.as_deref().unwrap_or_default().parse()?;
                let has_attachments = document.attachments.is_some();
                if let Some(attachments) = document.attachments {
                    contents.extend(contents_of(attachments.given, beside));
                }
                let text = if has_attachments {
                    fill_revpos(&document.body, rev.generation, true)
                } else {
                    document.body
                };
                Ok(Body { rev, text, has_attachments })
            };
            let bodies: Result<Vec<Body>> = given.revs.iter().map(read).collect();
            let id = &given.id;
            let document = bodies.and_then(|bodies| Document::new(id, given.seq, &given.tree, bodies));
            documents.push(document.map_err(|error| error.with_doc_id(id.clone()))?);
        }
        let locals = piece.locals.iter().map(|text| LocalOne::parse(text.get())).collect::<Result<_>>()?;
        let Piece { before, after, update_seq, .. } = piece;
        Ok(Self { before, after, update_seq, documents, locals, contents })
    }

    /// Plans the piece, and gives the mark from then on. Where the mark is another than the one that the piece follows, because
    /// another tab has been faster, nothing is written.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub fn plan(&self, overlay: &mut Overlay) -> Result<Option<String>> {
        let mark = adoption_mark(overlay);
        if mark.as_ref() != Some(&self.before) {
            return Ok(mark);
        }
        for Supplied { info, content } in &self.contents {
            overlay.supply(&info.digest.to_string(), content);
        }
        let mut counters = Counters::read(overlay);
        for document in &self.documents {
            document.store(overlay, &mut counters)?;
        }
        counters.update_seq = counters.update_seq.max(self.update_seq);
        counters.write(overlay);
        for LocalOne { id, number, body } in &self.locals {
            local_document::put(overlay, id, *number, body);
        }
        match &self.after {
            Some(after) => overlay.put(Keyspace::Metadata, KEY, after),
            None => overlay.delete(Keyspace::Metadata, KEY),
        }
        Ok(self.after.clone())
    }
}

fn bad(reason: String) -> Error {
    Error::new(ErrorKind::BadArgument).with_reason(reason)
}

impl Document {
    fn new(id: &str, seq: u64, tree: &str, mut bodies: Vec<Body>) -> Result<Self> {
        check_id(id)?;
        let mut tree = RevTree::from_pouch_json(tree).map_err(|error| bad(error.to_string()))?;
        let lacking = tree.settle_bodies(|rev| bodies.iter().any(|body| body.rev == *rev));
        // Those that the tree has no use for were left over.
        bodies.retain(|body| tree.status(&body.rev).is_some_and(|status| status.available));
        bodies.extend(lacking.into_iter().map(|rev| Body {
            rev,
            text: EMPTY.to_owned(),
            has_attachments: false,
        }));
        Ok(Self { key: id_key(id), seq, tree, bodies })
    }

    /// Stores it, in place of what an earlier piece has stored.
    fn store(&self, overlay: &mut Overlay, counters: &mut Counters) -> Result<()> {
        let Self { key, tree, bodies, .. } = self;
        let before = StoredDocument::find_at(overlay, key)?;
        // First, so that the contents that it has before and afterwards stay.
        for body in bodies.iter().filter(|body| body.has_attachments) {
            refer(overlay, body.text.as_bytes());
        }
        if let Some(before) = before {
            for (rev, _) in before.tree.revs() {
                drop_body(overlay, key, &before, rev);
            }
            overlay.delete(Keyspace::Sequence, before.seq.to_be_bytes());
            counters.doc_count -= u64::from(before.tree.winner().is_some_and(|winner| !winner.deleted));
        }
        let Some(winner) = tree.winner() else {
            overlay.delete(Keyspace::Document, key);
            return Ok(());
        };
        counters.doc_count += u64::from(!winner.deleted);
        let mut inline = None;
        for Body { rev, text, .. } in bodies {
            if rev == winner.rev && StoredDocument::is_inline(text.as_bytes()) {
                inline = Some(text.as_bytes());
            } else {
                overlay.put(Keyspace::Body, body_key(key, rev), text);
            }
        }
        let is_free = |seq: u64| seq > 0 && overlay.get(Keyspace::Sequence, &seq.to_be_bytes()).is_none();
        let seq = if is_free(self.seq) { self.seq } else { counters.update_seq.max(self.seq) + 1 };
        counters.update_seq = counters.update_seq.max(seq);
        let entry = SequenceEntry::encode_head(tree);
        overlay.put_parts(Keyspace::Sequence, seq.to_be_bytes(), [&entry, key]);
        let has_attachments = bodies.iter().any(|body| body.has_attachments);
        put_document(overlay, key, seq, tree, has_attachments, inline);
        Ok(())
    }
}

impl LocalOne {
    fn parse(text: &str) -> Result<Self> {
        let document = IncomingDocument::parse(text, &[])?;
        let id = document.id.filter(|id| is_local(id)).ok_or_else(|| Error::new(ErrorKind::InvalidId))?;
        // The adapter `indexeddb` gives local documents revisions like any others.
        let rev = document.rev.as_deref().unwrap_or_default();
        let number = rev.strip_prefix("0-").or_else(|| Some(rev.split_once('-')?.0));
        let number = number.and_then(|number| number.parse().ok()).unwrap_or(1);
        let mut body = document.body;
        let members = Members::parse(text).map_err(|error| bad(error.to_string()))?;
        // PouchDB never passes attachments by.
        let is_checkpoint =
            members.get("replicator").is_some_and(|replicator| replicator.get() == "\"pouchdb\"");
        if is_checkpoint && members.get(WITH_ATTACHMENTS).is_none() {
            with_member(&mut body, WITH_ATTACHMENTS, "true");
        }
        Ok(Self { id: id.into_owned(), number, body })
    }
}
