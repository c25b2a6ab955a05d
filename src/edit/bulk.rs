use super::attachments::{Supplied, check_stub, contents_of};
use super::counters::Counters;
use super::{local_document, new_edit, replicated};
use crate::doc::{
    IncomingAttachments, IncomingDocument, Rev, RevHash, check_id, fill_revpos, id_key, is_local, md5,
};
use crate::engine::Overlay;
use crate::env;
use crate::error::{Error, ErrorKind, Result};
use crate::sort::sort_by;
use crate::tree::RevPath;
use serde::Serialize;
use std::borrow::Cow;

/// How a bulk write treats its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditOptions {
    /// Whether the documents are edits that get a new revision each; else they are revisions made elsewhere.
    pub new_edits: bool,
    /// Whether all documents are written or none: then the first refusal is the whole call's.
    pub atomic: bool,
    /// Whether the edits came through `remove`: then a document that never was is not found, instead of being made.
    pub was_delete: bool,
    /// Whether a new revision's hash is the MD5 of the edit, so that equal edits are one revision; else it is random.
    pub deterministic_revs: bool,
    /// How many generations of a branch are kept.
    pub revs_limit: usize,
    /// Whether a document loses the bodies of all revisions but its leaves as it is written.
    pub auto_compaction: bool,
}

impl Default for EditOptions {
    fn default() -> Self {
        Self {
            new_edits: true,
            atomic: false,
            was_delete: false,
            deterministic_revs: true,
            revs_limit: 1000,
            auto_compaction: false,
        }
    }
}

/// What became of one document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DocumentResult {
    /// It is written.
    Written {
        /// Always true.
        ok: bool,
        /// Its id.
        id: String,
        /// Its new revision.
        rev: String,
    },
    /// It is not.
    Refused(Error),
}

/// A document to be written.
pub(super) struct Edit {
    pub(super) id: String,
    pub(super) deleted: bool,
    /// Its own members, a JSON object's text; with attachments, what [`Edit::body_of`] makes of it.
    pub(super) body: String,
    /// What is hashed instead of the body where it is written upon a deletion, if that is something else.
    pub(super) rehashed: Option<String>,
    pub(super) attachments: Option<Attachments>,
    revision: Revision,
}

/// The attachments of a document to be written.
pub(super) struct Attachments {
    /// The digests of contents that must be there.
    stubs: Vec<String>,
    contents: Vec<Supplied>,
}

impl Edit {
    /// The body of its revision, which is of that generation.
    pub(super) fn body_of(&self, generation: u64) -> Cow<'_, str> {
        let is_known = matches!(self.revision, Revision::Known(_));
        match &self.attachments {
            Some(_) => fill_revpos(&self.body, generation, is_known).into(),
            None => self.body.as_str().into(),
        }
    }
}

enum Revision {
    /// A new one, made upon the parent.
    New { parent: Option<Rev>, hash: RevHash },
    /// One made elsewhere.
    Known(RevPath),
    /// A local document's, made upon the given one.
    Local { given: Option<String> },
}

/// A bulk write, prepared: documents read, ids and random hashes drawn.
pub struct Bulk {
    edits: Vec<Edit>,
    options: EditOptions,
}

impl Bulk {
    /// Reads the documents, given as JSON texts; `beside` are the contents of attachments that are no base64 in them, but
    /// numbers: indices.
    ///
    /// # Errors
    /// What PouchDB refuses a whole call for: a document that is no object, a wrong `_id` or `_rev`, an unknown member
    /// with an underscore, an attachment that is none.
    pub fn prepare<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        beside: &[Supplied],
        options: EditOptions,
    ) -> Result<Self> {
        let infos: Vec<_> = beside.iter().map(|supplied| supplied.info).collect();
        let mut edits = Vec::new();
        for text in texts {
            edits.push(prepare_edit(IncomingDocument::parse(text, &infos)?, beside, &options)?);
        }
        if !options.new_edits {
            // Revisions of one document in the order of their generations, as PouchDB's `compareByIdThenRev`.
            let start = |edit: &Edit| match &edit.revision {
                Revision::Known(path) => path.leaf().generation,
                _ => 0,
            };
            let mut keyed: Vec<_> =
                edits.into_iter().map(|edit| (id_key(&edit.id), start(&edit), edit)).collect();
            sort_by(&mut keyed, |left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
            edits = keyed.into_iter().map(|(_, _, edit)| edit).collect();
        }
        Ok(Self { edits, options })
    }

    /// Plans the write: what becomes of each document, in the order given; with `new_edits: false` only the refused
    /// ones, as CouchDB answers.
    ///
    /// # Errors
    /// With `atomic` the first refusal; [`ErrorKind::MissingStub`] for an attachment without content that is not there; a
    /// storage error where what is stored cannot be read.
    pub fn plan(&self, overlay: &mut Overlay) -> Result<Vec<DocumentResult>> {
        // Before anything is written: what an earlier document of the call brings does not count.
        let attachments = || self.edits.iter().filter_map(|edit| edit.attachments.as_ref());
        for digest in attachments().flat_map(|attachments| &attachments.stubs) {
            check_stub(overlay, digest)?;
        }
        for Supplied { info, content } in attachments().flat_map(|attachments| &attachments.contents) {
            overlay.supply(&info.digest.to_string(), content);
        }
        let mut counters = Counters::read(overlay);
        let before = counters;
        let mut results = Vec::with_capacity(self.edits.len());
        for edit in &self.edits {
            let outcome = match &edit.revision {
                Revision::New { parent, hash } => {
                    new_edit::apply(overlay, &mut counters, edit, parent.as_ref(), hash, &self.options)
                        .map(|rev| Some(rev.to_string()))
                }
                Revision::Known(path) => {
                    replicated::apply(overlay, &mut counters, edit, path, &self.options).map(|()| None)
                }
                Revision::Local { given } => local_document::apply(overlay, edit, given.as_deref()).map(Some),
            };
            match outcome {
                Ok(Some(rev)) if self.options.new_edits => {
                    results.push(DocumentResult::Written { ok: true, id: edit.id.clone(), rev });
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Storage => return Err(error),
                Err(error) if self.options.atomic => return Err(error.with_doc_id(edit.id.clone())),
                Err(error) => results.push(DocumentResult::Refused(error.with_doc_id(edit.id.clone()))),
            }
        }
        if counters != before {
            counters.write(overlay);
        }
        Ok(results)
    }
}

fn prepare_edit(
    mut document: IncomingDocument<'_>,
    beside: &[Supplied],
    options: &EditOptions,
) -> Result<Edit> {
    if document.id.is_none() {
        if !options.new_edits {
            return Err(Error::new(ErrorKind::MissingId));
        }
        document.assign_id(env::uuid());
    }
    let id = document.id.take().unwrap_or_default().into_owned();
    check_id(&id)?;
    let revision = if is_local(&id) {
        Revision::Local { given: document.rev.map(Cow::into_owned) }
    } else if !options.new_edits {
        Revision::Known(replicated::path_of(&document)?)
    } else {
        let parent = document.rev.as_deref().map(str::parse).transpose()?;
        let hash = if options.deterministic_revs {
            RevHash::Md5(md5(&document.hashed))
        } else {
            RevHash::new(&env::uuid().replace('-', ""))
        };
        Revision::New { parent, hash }
    };
    let attachments = document.attachments.map(|IncomingAttachments { stubs, given, .. }| Attachments {
        stubs,
        contents: contents_of(given, beside),
    });
    let IncomingDocument { deleted, body, rehashed, .. } = document;
    Ok(Edit { id, deleted, body, rehashed, attachments, revision })
}
