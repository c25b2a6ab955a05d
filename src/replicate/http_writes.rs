//! Documents with attachments on their way to a CouchDB.
//!
//! Contents that the server has already, because it has a revision since which they have not changed, stay stubs. Of the
//! others, small ones go into the documents, and greater ones follow their document in a request for it alone, so that
//! neither becomes base64 nor has to be in our memory. Where a server takes no such request, they become base64 in pieces, which the
//! browser keeps.

use super::answers;
use super::attachments::{Place, Stretch, Stub, Stubs, Wanted, bring, placed, split_at_marks};
use super::peer::{Cause, Doc, Lacking, Peer, WriteFailure};
use crate::doc::Digest;
use crate::error::{Error, Result};
use crate::http::Client;
use crate::storage::Content;
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

/// A document that needs no more than this goes together with others.
const SMALL: u64 = 64 << 10;
/// So much goes together, about.
const TOGETHER: u64 = 1 << 20;

/// Writes documents with the revisions they have, and contents from `source`.
pub(super) async fn write(client: &Client, docs: &[Rc<Doc>], source: &dyn Peer) -> Result<Vec<WriteFailure>> {
    let mut writing = Writing { client, source, failures: Vec::new() };
    let mut together = Together::default();
    let mut alone = Vec::new();
    for doc in docs {
        let stubs = match Stubs::of(doc) {
            Ok(stubs) => stubs,
            Err(error) => {
                writing.failed(doc, "", error, Cause::Lost);
                continue;
            }
        };
        let common = stubs.common_generation(&doc.ancestors);
        let needed: Vec<Stub> = stubs.all.iter().filter(|stub| !is_since(stub, common)).cloned().collect();
        let bytes = length_of(&needed);
        if bytes > SMALL && client.multipart().is_taken.get() {
            alone.push((doc, stubs, needed));
            continue;
        }
        if together.bytes > 0 && together.bytes.saturating_add(bytes) > TOGETHER {
            writing.write_together(std::mem::take(&mut together)).await?;
        }
        together.bytes = together.bytes.saturating_add(bytes);
        together.docs.push((doc, stubs, needed));
    }
    writing.write_together(together).await?;
    for (doc, stubs, needed) in alone {
        writing.write_alone(doc, stubs, needed).await?;
    }
    Ok(writing.failures)
}

/// Whether the content is that of this generation's revision.
fn is_since(stub: &Stub, generation: u64) -> bool {
    stub.revpos.is_some_and(|revpos| revpos <= generation)
}

fn length_of(stubs: &[Stub]) -> u64 {
    stubs.iter().map(|stub| stub.length.unwrap_or(SMALL)).sum()
}

/// A document and those of its attachments whose contents are sent.
type Outgoing<'a> = (&'a Rc<Doc>, Stubs, Vec<Stub>);

#[derive(Default)]
struct Together<'a> {
    docs: Vec<Outgoing<'a>>,
    bytes: u64,
}

struct Writing<'a> {
    client: &'a Client,
    source: &'a dyn Peer,
    failures: Vec<WriteFailure>,
}

impl<'a> Writing<'a> {
    async fn write_together(&mut self, Together { docs, .. }: Together<'a>) -> Result<()> {
        if docs.is_empty() {
            return Ok(());
        }
        match self.write_inline(&docs).await {
            // The server has not what it was thought to have, and does not say whose.
            Err(error)
                if is_missing_stub(&error)
                    && docs.iter().any(|(_, stubs, needed)| stubs.all.len() > needed.len()) =>
            {
                let (mut plain, mut doubtful) = (Vec::new(), Vec::new());
                for (doc, stubs, needed) in docs {
                    let has_stubs = stubs.all.len() > needed.len();
                    if has_stubs { &mut doubtful } else { &mut plain }.push((doc, stubs, needed));
                }
                if !plain.is_empty() {
                    self.write_inline(&plain).await?;
                }
                for (doc, stubs, _) in doubtful {
                    let all = stubs.all.clone();
                    self.write_alone(doc, stubs, all).await?;
                }
                Ok(())
            }
            written => written,
        }
    }

    /// Writes documents with the contents in them.
    async fn write_inline(&mut self, docs: &[Outgoing<'_>]) -> Result<()> {
        let wanted: Vec<Wanted> = docs
            .iter()
            .flat_map(|(doc, stubs, needed)| needed.iter().map(|stub| stubs.want(doc, stub)))
            .collect();
        let brought = if wanted.is_empty() { Vec::new() } else { bring(self.source, &wanted).await? };
        let mut brought = brought.into_iter();
        let mut texts: Vec<Cow<'_, str>> = Vec::with_capacity(docs.len());
        let mut encoded = Vec::new();
        let mut failures = Vec::new();
        'docs: for (doc, stubs, needed) in docs {
            if stubs.all.is_empty() {
                texts.push(doc.body.get().into());
                continue;
            }
            let mut contents = HashMap::new();
            let mut lacking = None;
            for (stub, one) in needed.iter().zip(brought.by_ref()) {
                match one {
                    Ok((content, _)) => drop(contents.insert(stub.name.as_str(), content)),
                    Err(reason) => lacking = Some(reason),
                }
            }
            if let Some(Lacking { error, is_final }) = lacking {
                failures.push((*doc, &stubs.rev, error, if is_final { Cause::Lost } else { Cause::Source }));
                continue 'docs;
            }
            let mut places = HashMap::new();
            for (name, content) in contents {
                places.insert(name, encoded.len());
                encoded.push(content.to_base64().await?);
            }
            texts.push(placed(doc, |name| places.remove(name).map(Place::Inside)).into());
        }
        if !texts.is_empty() {
            let docs = answers::bulk_docs_docs(texts.iter().map(|text| &**text));
            let pieces = split_at_marks(&docs).filter_map(|stretch| match stretch {
                Stretch::Text(text) => Some(Bytes::copy_from_slice(text.as_bytes()).into()),
                Stretch::Content(index) => encoded.get(index).cloned(),
            });
            let answer = self.client.raw_bulk_docs_of(pieces.collect(), false).await?;
            self.failures.extend(answers::write_failures(&answer)?);
        }
        for (doc, rev, error, cause) in failures {
            self.failed(doc, rev, error, cause);
        }
        Ok(())
    }

    /// Writes a document that its attachments follow.
    async fn write_alone(&mut self, doc: &'a Rc<Doc>, stubs: Stubs, needed: Vec<Stub>) -> Result<()> {
        if !self.client.multipart().is_taken.get() || length_of(&needed) <= SMALL {
            return self.write_inline(&[(doc, stubs, needed)]).await;
        }
        let wanted: Vec<Wanted> = needed.iter().map(|stub| stubs.want(doc, stub)).collect();
        let mut contents: HashMap<&str, (Content, Digest)> = HashMap::new();
        for (stub, one) in needed.iter().zip(bring(self.source, &wanted).await?) {
            match one {
                Ok(brought) => drop(contents.insert(&stub.name, brought)),
                Err(Lacking { error, is_final }) => {
                    self.failed(doc, &stubs.rev, error, if is_final { Cause::Lost } else { Cause::Source });
                    return Ok(());
                }
            }
        }
        let text = placed(doc, |name| {
            let (content, digest) = contents.get(name)?;
            Some(Place::Following(*digest, content.length()))
        });
        // In the order in which the document has them.
        let attachments = needed.iter().filter_map(|stub| {
            let (content, _) = contents.get(stub.name.as_str())?;
            Some((stub.name.clone(), stub.content_type.clone(), content.clone()))
        });
        let attachments = attachments.collect();
        match self.client.put_with_attachments(&doc.id, &stubs.rev, &text, attachments).await {
            Ok(true) => Ok(()),
            Err(error) if is_missing_stub(&error) && needed.len() < stubs.all.len() => {
                let all = stubs.all.clone();
                Box::pin(self.write_alone(doc, stubs, all)).await
            }
            Err(error) if matches!(error.status(), 403 | 413) => {
                self.failed(doc, &stubs.rev, error, Cause::Target);
                Ok(())
            }
            // It may be the server that does not take such a request, or the document that it does not take; which of the
            // two shows when it comes in the usual way.
            Err(error) if !(400..500).contains(&error.status()) || matches!(error.status(), 408 | 429) => {
                Err(error)
            }
            answer => {
                let failures = self.failures.len();
                let is_taken_for_another = answer.is_ok();
                self.write_inline(&[(doc, stubs, needed)]).await?;
                if is_taken_for_another || self.failures.len() == failures {
                    self.client.multipart().is_taken.set(false);
                }
                Ok(())
            }
        }
    }

    fn failed(&mut self, doc: &Doc, rev: &str, error: Error, cause: Cause) {
        let rev = Some(rev.to_owned()).filter(|rev| !rev.is_empty());
        let id = Some(doc.id.to_string());
        self.failures.push(WriteFailure { id, rev, error: error.with_doc_id(&*doc.id), cause });
    }
}

fn is_missing_stub(error: &Error) -> bool {
    error.status() == 412 || error.name() == "missing_stub"
}
