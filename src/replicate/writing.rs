//! Documents with attachments on their way into a database that is not behind HTTP.
//!
//! Only contents that are not there yet are brought, some megabytes at a time, and written together with the documents
//! that refer to them: whatever breaks off, there is nothing left that belongs to nobody.

use super::attachments::{Inherited, Place, Stub, Stubs, Wanted, bring, placed};
use super::peer::{Cause, Doc, Peer, WriteFailure};
use crate::doc::{Digest, is_local};
use crate::error::{Error, Result};
use crate::storage::Content;
use async_trait::async_trait;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// About so much is on its way at once.
const BYTES_AT_ONCE: u64 = 8 << 20;

/// The database that is written to.
#[async_trait(?Send)]
pub(super) trait Takes {
    /// Which of these contents it has.
    async fn known(&self, digests: &[Digest]) -> Result<BTreeSet<Digest>>;

    /// Contents that are known not to have changed since a revision that it has, where the digest does not tell.
    async fn inherited(&self, doc: &Doc, stubs: &Stubs) -> Result<Inherited>;

    /// Writes documents; contents that they say to be beside them come so.
    async fn take(&self, docs: &[&str], contents: Vec<Content>) -> Result<Vec<WriteFailure>>;

    /// Whether the error says that one of the documents is none, so that the others can be written without it.
    fn is_about_a_document(&self, error: &Error) -> bool;
}

/// Writes documents with the revisions they have, and contents from `source`.
pub(super) async fn write(db: &dyn Takes, docs: &[Rc<Doc>], source: &dyn Peer) -> Result<Vec<WriteFailure>> {
    let mut writing =
        Writing { db, source, known: BTreeSet::new(), part: Part::default(), failures: Vec::new() };
    let mut read = Vec::with_capacity(docs.len());
    for doc in docs {
        match check_id(doc).and_then(|()| Stubs::of(doc)) {
            Ok(stubs) => read.push((doc, stubs)),
            Err(error) => writing.failed(doc, None, error, Cause::Lost),
        }
    }
    let digests: Vec<Digest> =
        read.iter().flat_map(|(_, stubs)| &stubs.all).filter_map(|stub| stub.digest).collect();
    if !digests.is_empty() {
        writing.known = db.known(&digests).await?;
    }
    for (doc, stubs) in read {
        writing.add(doc, stubs).await?;
    }
    writing.finish_part().await?;
    Ok(writing.failures)
}

struct Writing<'a> {
    db: &'a dyn Takes,
    source: &'a dyn Peer,
    /// Contents that are there.
    known: BTreeSet<Digest>,
    part: Part<'a>,
    failures: Vec<WriteFailure>,
}

/// Documents that are written together.
#[derive(Default)]
struct Part<'a> {
    docs: Vec<(&'a Rc<Doc>, Stubs, Inherited)>,
    bytes: u64,
}

impl<'a> Writing<'a> {
    async fn add(&mut self, doc: &'a Rc<Doc>, stubs: Stubs) -> Result<()> {
        let inherited = self.db.inherited(doc, &stubs).await?;
        let missing = stubs.all.iter().filter(|stub| !self.is_here(stub, &inherited));
        let bytes = missing.map(|stub| stub.length.unwrap_or(BYTES_AT_ONCE)).sum();
        if self.part.bytes > 0 && self.part.bytes.saturating_add(bytes) > BYTES_AT_ONCE {
            self.finish_part().await?;
        }
        self.part.bytes = self.part.bytes.saturating_add(bytes);
        self.part.docs.push((doc, stubs, inherited));
        Ok(())
    }

    fn is_here(&self, stub: &Stub, inherited: &Inherited) -> bool {
        inherited.contains_key(&stub.name) || stub.digest.is_some_and(|digest| self.known.contains(&digest))
    }

    async fn finish_part(&mut self) -> Result<()> {
        let mut part = std::mem::take(&mut self.part);
        match self.write_part(&part).await {
            // Somebody has removed a content meanwhile.
            Err(error) if error.is_missing_stub() => {
                self.known.clear();
                part.docs.iter_mut().for_each(|(_, _, inherited)| inherited.clear());
                self.write_part(&part).await
            }
            written => written,
        }
    }

    async fn write_part(&mut self, part: &Part<'a>) -> Result<()> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut by_digest: HashMap<Digest, usize> = HashMap::new();
        // For each document the names of what is brought, and the place among the wanted.
        let mut places: Vec<HashMap<&str, usize>> = Vec::with_capacity(part.docs.len());
        for (doc, stubs, inherited) in &part.docs {
            let mut of_doc = HashMap::new();
            for stub in stubs.all.iter().filter(|stub| !self.is_here(stub, inherited)) {
                let next = wanted.len();
                let place = match stub.digest {
                    Some(digest) => *by_digest.entry(digest).or_insert(next),
                    None => next,
                };
                if place == next {
                    wanted.push(stubs.want(doc, stub));
                }
                of_doc.insert(stub.name.as_str(), place);
            }
            places.push(of_doc);
        }
        let brought = if wanted.is_empty() { Vec::new() } else { bring(self.source, &wanted).await? };

        let mut contents: Vec<Content> = Vec::new();
        let mut beside: HashMap<usize, usize> = HashMap::new();
        let mut texts = Vec::with_capacity(part.docs.len());
        let mut failures = Vec::new();
        for ((doc, stubs, inherited), places) in part.docs.iter().zip(&places) {
            let lacking = places.values().find_map(|place| brought.get(*place)?.as_ref().err());
            if let Some(lacking) = lacking {
                let cause = if lacking.is_final { Cause::Lost } else { Cause::Source };
                failures.push((*doc, stubs.rev.clone(), lacking.error.clone(), cause));
                continue;
            }
            if stubs.all.is_empty() {
                texts.push((*doc, Cow::Borrowed(doc.body.get())));
                continue;
            }
            let mut place = |name: &str| match places.get(name) {
                None => Some(Place::There(inherited.get(name).copied())),
                Some(wanted) => {
                    let (content, _) = brought.get(*wanted)?.as_ref().ok()?;
                    let index = *beside.entry(*wanted).or_insert_with(|| {
                        contents.push(content.clone());
                        contents.len() - 1
                    });
                    Some(Place::Beside(index))
                }
            };
            texts.push((*doc, placed(doc, &mut place).into()));
        }
        self.write_texts(&texts, contents).await?;
        for (doc, rev, error, cause) in failures {
            self.failed(doc, Some(rev), error, cause);
        }
        self.known.extend(brought.iter().filter_map(|one| one.as_ref().ok().map(|(_, digest)| *digest)));
        Ok(())
    }

    /// Writes documents; one that is none, which fails the whole call, is left out of it.
    async fn write_texts(
        &mut self,
        texts: &[(&Rc<Doc>, Cow<'_, str>)],
        contents: Vec<Content>,
    ) -> Result<()> {
        if texts.is_empty() {
            return Ok(());
        }
        let all: Vec<&str> = texts.iter().map(|(_, text)| &**text).collect();
        match self.db.take(&all, contents.clone()).await {
            Ok(failures) => self.failures.extend(failures),
            Err(error) if !self.db.is_about_a_document(&error) => return Err(error),
            Err(error) => match texts {
                [(doc, _)] => self.failed(doc, None, error, Cause::Lost),
                _ => {
                    let (some, others) = texts.split_at(texts.len() / 2);
                    Box::pin(self.write_texts(some, contents.clone())).await?;
                    Box::pin(self.write_texts(others, contents)).await?;
                }
            },
        }
        Ok(())
    }

    fn failed(&mut self, doc: &Doc, rev: Option<String>, error: Error, cause: Cause) {
        let id = Some(doc.id.to_string());
        self.failures.push(WriteFailure { id, rev, error: error.with_doc_id(&*doc.id), cause });
    }
}

/// Whether the document is the one that it is given for. Above all no local one: these are nobody's business but the
/// database's.
fn check_id(doc: &Doc) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Id<'a> {
        #[serde(borrow)]
        _id: Cow<'a, str>,
    }
    match serde_json::from_str::<Id<'_>>(doc.body.get()) {
        Ok(Id { _id }) if _id == *doc.id && !is_local(&_id) => Ok(()),
        _ => Err(Error::remote(400, "bad_request", "The source gives another document than it says")),
    }
}
