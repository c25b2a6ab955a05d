//! Attachments of documents on their way: which contents have to be brought, and documents that say where these are.
//!
//! A source gives documents with stubs. What a target needs of the contents it decides itself, see
//! [`Peer::bulk_docs`]; what comes is looked at here before anything is done with it.

use super::answers::json;
use super::peer::{Doc, Lacking, Peer};
use crate::db::digest_of;
use crate::doc::{Digest, Member, Members, close, push_member, push_member_text, stored_attachments};
use crate::error::{Error, Result};
use crate::storage::Content;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::rc::Rc;

/// So often a content that is not what its digest says is asked for.
const TRIES: usize = 3;
/// What a content may have where nobody says how long it is.
pub(super) const MOST: u64 = 1 << 32;

/// An attachment that comes without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stub {
    /// Its name.
    pub name: String,
    /// Its type, where it has one.
    pub content_type: String,
    /// What the content is known by, where that is the MD5 of the very content.
    pub digest: Option<Digest>,
    /// How many bytes it has.
    pub length: Option<u64>,
    /// The generation in which it got this content.
    pub revpos: Option<u64>,
}

/// An attachment whose content is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The document.
    pub id: Rc<str>,
    /// The revision: others may have other contents under the same name.
    pub rev: String,
    /// The attachment.
    pub stub: Stub,
    /// How many attachments the revision has.
    pub of: usize,
}

/// Contents that a document has from a revision that is there, by name.
pub(super) type Inherited = HashMap<String, (Digest, u64)>;

/// Stands around the number of a content, in a text that [`split_at_marks`] takes apart. No JSON text has it.
const MARK: char = '\u{1}';

/// A stretch of a text with contents in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stretch<'a> {
    Text(&'a str),
    Content(usize),
}

/// The stretches of a document of which [`placed`] has put contents inside.
pub(super) fn split_at_marks(text: &str) -> impl Iterator<Item = Stretch<'_>> {
    text.split(MARK).enumerate().map(|(index, part)| match part.parse() {
        Ok(number) if index % 2 == 1 => Stretch::Content(number),
        _ => Stretch::Text(part),
    })
}

/// Where a document says that a content is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// At the target, under that digest, and so long.
    There(Option<(Digest, u64)>),
    /// Beside the document, under this number.
    Beside(usize),
    /// In the document, in the place of a [`MARK`] and this number.
    Inside(usize),
    /// After the document.
    Following(Digest, u64),
}

/// A document's attachments that come without their contents, and what tells how old these are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stubs {
    pub(super) rev: String,
    /// The revisions before it, newest first, itself among them.
    history: Vec<String>,
    pub(super) all: Vec<Stub>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    _rev: String,
    #[serde(default)]
    _revisions: Option<Revisions>,
    #[serde(borrow, default)]
    _attachments: Option<Members<'a>>,
}

#[derive(Deserialize)]
struct Revisions {
    start: u64,
    ids: Vec<String>,
}

#[derive(Deserialize)]
struct Attachment {
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    length: Option<u64>,
    #[serde(default)]
    revpos: Option<u64>,
    #[serde(default)]
    encoding: Option<String>,
    #[serde(default)]
    stub: bool,
}

impl Stubs {
    /// Those of a document; none where there is nothing to be brought.
    ///
    /// # Errors
    /// Where its attachments are not what attachments are.
    pub(super) fn of(doc: &Doc) -> Result<Self> {
        let text = doc.body.get();
        if !text.contains("\"_attachments\"") {
            return Ok(Self::default());
        }
        let unreadable = |error: serde_json::Error| {
            Error::remote(
                400,
                "bad_request",
                format!("The attachments of the document can't be read: {error}"),
            )
        };
        let Body { _rev, _revisions, _attachments } = serde_json::from_str(text).map_err(unreadable)?;
        let mut all = Vec::new();
        for member in _attachments.iter().flat_map(|attachments| &attachments.0) {
            let attachment: Attachment = serde_json::from_str(member.value.get()).map_err(unreadable)?;
            if attachment.stub {
                all.push(attachment.into_stub(member.name().into_owned()));
            }
        }
        let history = _revisions.map_or_else(Vec::new, |Revisions { start, ids }| {
            let generations = (0..=start).rev();
            generations.zip(ids).map(|(generation, hash)| format!("{generation}-{hash}")).collect()
        });
        Ok(Self { rev: _rev, history, all })
    }

    /// The generation of the last revision before it that is among these; 0 if none is.
    pub(super) fn common_generation(&self, revs: &[String]) -> u64 {
        let common = self.history.iter().skip(1).find(|rev| revs.contains(rev));
        common.and_then(|rev| rev.split_once('-')?.0.parse().ok()).unwrap_or_default()
    }

    /// Whether a digest tells nothing, and a revision that the target has may tell it.
    pub(super) fn may_inherit(&self) -> bool {
        self.unknown().next().is_some()
    }

    /// Those without a digest.
    fn unknown(&self) -> impl Iterator<Item = &Stub> {
        self.all.iter().filter(|stub| stub.digest.is_none() && stub.revpos.is_some())
    }

    /// Contents that have not changed since a revision among the target's leaves, which are what a `get` with `open_revs`
    /// answers.
    pub(super) fn inherited(&self, leaves: &str) -> Inherited {
        #[derive(Deserialize)]
        struct Leaf {
            ok: Option<Box<RawValue>>,
        }
        #[derive(Deserialize)]
        struct WithRev {
            _rev: String,
        }
        let leaves: Vec<Leaf> = serde_json::from_str(leaves).unwrap_or_default();
        let mut inherited = Inherited::new();
        for leaf in leaves.into_iter().filter_map(|leaf| leaf.ok) {
            let Ok(WithRev { _rev }) = serde_json::from_str(leaf.get()) else { continue };
            let generation = self.common_generation(&[_rev]);
            for stored in stored_attachments(leaf.get().as_bytes()) {
                let is_same = |stub: &&Stub| {
                    stub.name == stored.name
                        && stub.revpos == stored.revpos
                        && stub.revpos <= Some(generation)
                };
                if let Some(stub) = self.unknown().find(is_same) {
                    inherited.insert(stub.name.clone(), (stored.digest, stored.length));
                }
            }
        }
        inherited
    }

    /// What is to be asked for to get one of the contents.
    pub(super) fn want(&self, doc: &Doc, stub: &Stub) -> Wanted {
        Wanted { id: doc.id.clone(), rev: self.rev.clone(), stub: stub.clone(), of: self.all.len() }
    }
}

impl Attachment {
    fn into_stub(self, name: String) -> Stub {
        // CouchDB compresses texts, and the digest is then that of what it has stored. Others have other digests.
        let digest = if self.encoding.is_none() { self.digest.parse().ok() } else { None };
        let Self { content_type, length, revpos, .. } = self;
        Stub { name, content_type, digest, length, revpos }
    }
}

/// Gets contents from a source: each with its digest, which is that of its stub where the stub has one.
///
/// # Errors
/// What is not about one of them alone.
pub(super) async fn bring(
    source: &dyn Peer,
    wanted: &[Wanted],
) -> Result<Vec<std::result::Result<(Content, Digest), Lacking>>> {
    let mut brought: Vec<Option<std::result::Result<(Content, Digest), Lacking>>> = vec![None; wanted.len()];
    for _ in 0..TRIES {
        let is_open = |one: &Option<std::result::Result<_, Lacking>>| match one {
            None => true,
            Some(Err(lacking)) => lacking.error.name() == MISMATCH,
            Some(Ok(_)) => false,
        };
        let open: Vec<usize> =
            brought.iter().enumerate().filter(|(_, one)| is_open(one)).map(|(place, _)| place).collect();
        if open.is_empty() {
            break;
        }
        let asked: Vec<Wanted> = open.iter().filter_map(|place| wanted.get(*place)).cloned().collect();
        let given = source.attachments(&asked).await?;
        for ((place, given), Wanted { stub, .. }) in open.into_iter().zip(given).zip(&asked) {
            let checked = match given {
                Ok(content) => check(stub, content).await?,
                Err(lacking) => Err(lacking),
            };
            if let Some(one) = brought.get_mut(place) {
                *one = Some(checked);
            }
        }
    }
    let nothing = || Lacking { error: Error::missing(), is_final: false };
    Ok(brought.into_iter().map(|one| one.unwrap_or_else(|| Err(nothing()))).collect())
}

/// The name of the error of a content that is another one.
const MISMATCH: &str = "digest_mismatch";

async fn check(stub: &Stub, content: Content) -> Result<std::result::Result<(Content, Digest), Lacking>> {
    let digest = digest_of(&content).await?;
    let is_other = stub.digest.is_some_and(|expected| expected != digest)
        || stub.length.is_some_and(|length| length != content.length());
    if is_other {
        let reason =
            format!("The source gives another content for the attachment {} than it says", stub.name);
        return Ok(Err(Lacking { error: Error::remote(500, MISMATCH, reason), is_final: true }));
    }
    Ok(Ok((content, digest)))
}

/// The document with its stubs saying where the contents are; `place` gives that by name.
pub(super) fn placed(doc: &Doc, mut place: impl FnMut(&str) -> Option<Place>) -> String {
    let unchanged = || doc.body.get().to_owned();
    let Ok(members) = Members::parse(doc.body.get()) else { return unchanged() };
    let mut text = String::with_capacity(doc.body.get().len() + 64);
    for member in &members.0 {
        let value = member.value.get();
        let attachments = if member.name() == "_attachments" { Members::parse(value).ok() } else { None };
        let placed = attachments.map(|attachments| placed_attachments(&attachments, &mut place));
        push_member_text(&mut text, member.name.get(), placed.as_deref().unwrap_or(value));
    }
    close(&mut text);
    text
}

fn placed_attachments(attachments: &Members<'_>, place: &mut impl FnMut(&str) -> Option<Place>) -> String {
    let mut text = String::new();
    for Member { name, value } in &attachments.0 {
        let member = Member { name, value };
        let place = if is_stub(value) { place(&member.name()) } else { None };
        let attachment = match (place, Members::parse(value.get())) {
            (Some(place), Ok(members)) => placed_attachment(&members, &place),
            _ => value.get().to_owned(),
        };
        push_member_text(&mut text, name.get(), &attachment);
    }
    close(&mut text);
    text
}

fn is_stub(value: &RawValue) -> bool {
    serde_json::from_str::<Attachment>(value.get()).is_ok_and(|attachment| attachment.stub)
}

fn placed_attachment(members: &Members<'_>, place: &Place) -> String {
    let mut text = String::new();
    let described = !matches!(place, Place::There(None));
    for member in &members.0 {
        let is_replaced = match &*member.name() {
            "stub" | "data" | "follows" | "encoding" | "encoded_length" => true,
            "digest" | "length" => described,
            _ => false,
        };
        if !is_replaced {
            push_member_text(&mut text, member.name.get(), member.value.get());
        }
    }
    let describe = |text: &mut String, digest: &Digest, length: u64| {
        push_member(text, "digest", &json(&digest.to_string()));
        push_member(text, "length", &length.to_string());
    };
    match place {
        Place::There(described) => {
            if let Some((digest, length)) = described {
                describe(&mut text, digest, *length);
            }
            push_member(&mut text, "stub", "true");
        }
        Place::Beside(index) => push_member(&mut text, "data", &index.to_string()),
        Place::Inside(index) => push_member(&mut text, "data", &format!("\"{MARK}{index}{MARK}\"")),
        Place::Following(digest, length) => {
            describe(&mut text, digest, *length);
            push_member(&mut text, "follows", "true");
        }
    }
    close(&mut text);
    text
}
