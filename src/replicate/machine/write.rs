//! Writing the documents of one batch, in parts, around those that the target can't take.

use super::fetch::{Refused, bytes_of};
use crate::error::{Error, ErrorKind};
use crate::replicate::effect::Request;
use crate::replicate::peer::{Cause, Doc, WriteFailure};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// The documents of one batch on their way to the target.
#[derive(Debug, Default)]
pub(super) struct Write {
    waiting: VecDeque<Vec<Rc<Doc>>>,
    under_way: BTreeMap<u64, Vec<Rc<Doc>>>,
    next: u64,
    /// Whether any document was taken.
    has_taken: bool,
    outcome: Written,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// What the target has taken.
    pub(super) docs: Vec<Rc<Doc>>,
    /// What it does not take: forbidden, not allowed to this user, or not acceptable as a document; and what the source
    /// can't give the attachments of.
    pub(super) refused: Vec<Refused>,
    /// Documents of whose attachments that may be so.
    suspects: Vec<Refused>,
    /// Documents that failed for another reason, by which the batch fails.
    pub(super) failures: u64,
    /// Errors of single documents among these.
    pub(super) errors: Vec<Error>,
    /// The first of all these reasons.
    pub(super) error: Option<Error>,
}

impl Write {
    /// These documents too, with no more than `bytes` in a request unless one document alone has more.
    pub(super) fn add(&mut self, docs: Vec<Rc<Doc>>, bytes: usize) {
        let mut part = Vec::new();
        let mut length = 0_usize;
        for doc in docs {
            let more = doc.body.get().len() + 1;
            if !part.is_empty() && length.saturating_add(more) > bytes {
                self.waiting.push_back(std::mem::take(&mut part));
                length = 0;
            }
            length = length.saturating_add(more);
            part.push(doc);
        }
        if !part.is_empty() {
            self.waiting.push_back(part);
        }
    }

    /// Bytes of its documents in memory.
    pub(super) fn bytes_held(&self) -> usize {
        let parts = self.waiting.iter().chain(self.under_way.values());
        bytes_of(parts.flatten()) + self.outcome.bytes_held()
    }

    /// The next request, with the number its answer goes by.
    pub(super) fn next(&mut self) -> Option<(u64, Request)> {
        let docs = self.waiting.pop_front()?;
        let number = self.next;
        self.next += 1;
        self.under_way.insert(number, docs.clone());
        Some((number, Request::WriteDocs(docs)))
    }

    /// Whether there is nothing left to ask for.
    pub(super) fn is_all_under_way(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What came of it, once everything has come.
    pub(super) fn finish(&mut self) -> Option<Written> {
        (self.waiting.is_empty() && self.under_way.is_empty()).then(|| self.stop())
    }

    /// What has come of it by now.
    pub(super) fn stop(&mut self) -> Written {
        std::mem::take(&mut self.outcome)
    }

    /// What the target has taken since the last call.
    pub(super) fn take_docs(&mut self) -> Vec<Rc<Doc>> {
        std::mem::take(&mut self.outcome.docs)
    }

    /// Whether the batch has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.outcome.error.is_some()
    }

    /// Whether the target has taken anything.
    pub(super) fn has_taken(&self) -> bool {
        self.has_taken
    }

    /// Takes the answer to a request. `proved`: whether the target has taken anything else lately, so that a refusal is
    /// the document's fault.
    pub(super) fn answered(&mut self, number: u64, answer: Result<Vec<WriteFailure>, Error>, proved: bool) {
        let Some(mut docs) = self.under_way.remove(&number) else { return };
        match answer {
            Ok(failures) => self.take(docs, &failures),
            Err(error) if is_unacceptable(&error) && docs.len() > 1 => {
                let second = docs.split_off(docs.len() / 2);
                self.waiting.push_front(second);
                self.waiting.push_front(docs);
            }
            Err(error) if is_unacceptable(&error) && (proved || self.has_taken) => {
                self.outcome.refused.extend(docs.into_iter().map(|doc| (doc.id.clone(), error.clone())));
            }
            Err(error) => {
                self.outcome.failures += docs.len() as u64;
                self.outcome.error.get_or_insert(error);
                // What has not been sent would only meet the same error.
                self.waiting.clear();
            }
        }
    }

    fn take(&mut self, docs: Vec<Rc<Doc>>, failures: &[WriteFailure]) {
        for doc in docs {
            match failures.iter().find(|failure| failure.is_about(&doc)) {
                None => {
                    self.has_taken = true;
                    self.outcome.docs.push(doc);
                }
                Some(WriteFailure { error, cause: Cause::Source, .. }) => {
                    self.outcome.suspects.push((doc.id.clone(), error.clone()));
                }
                Some(WriteFailure { error, cause, .. })
                    if *cause == Cause::Lost || error.is_denied() || is_unacceptable(error) =>
                {
                    self.outcome.refused.push((doc.id.clone(), error.clone()));
                }
                Some(WriteFailure { error, .. }) => {
                    self.outcome.failures += 1;
                    self.outcome.errors.push(error.clone());
                    self.outcome.error.get_or_insert_with(|| error.clone());
                }
            }
        }
    }
}

impl Written {
    /// Bytes of the documents that are to be told of.
    pub(super) fn bytes_held(&self) -> usize {
        bytes_of(&self.docs)
    }

    /// Decides on the suspects, as [`Batch::fetched`](super::batch::Batch::fetched) does; `has_taken`: whether the target
    /// has taken others.
    pub(super) fn settle(&mut self, has_taken: bool, mut is_given_up: impl FnMut(&str) -> bool) {
        for (id, error) in std::mem::take(&mut self.suspects) {
            if is_given_up(&id) || has_taken {
                self.refused.push((id, error));
            } else {
                self.failures += 1;
                self.error.get_or_insert(error);
            }
        }
    }
}

/// Whether the error says that a document is not one the target can hold, which no other try will change: too large,
/// or with members, attachments or an id it does not know.
fn is_unacceptable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::DocValidation | ErrorKind::MissingStub | ErrorKind::NotYet)
        || matches!(error.name(), "doc_validation" | "missing_stub")
        || matches!(error.status(), 400 | 413)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn docs(count: usize) -> Vec<Rc<Doc>> {
        let doc = |number: usize| Doc {
            id: number.to_string().into(),
            body: RawValue::NULL.to_owned(),
            ancestors: Rc::default(),
        };
        (0..count).map(|number| Rc::new(doc(number))).collect()
    }

    /// Writes where document 1 fails like this, alone or with others.
    fn write(error: &Error, alone: bool) -> Written {
        let mut write = Write::default();
        write.add(docs(4), usize::MAX);
        while let Some((number, Request::WriteDocs(docs))) = write.next() {
            let failed = docs.iter().find(|doc| &*doc.id == "1");
            let answer = match failed {
                Some(_) if !alone => Err(error.clone()),
                Some(doc) => {
                    let (id, error) = (Some(doc.id.to_string()), error.clone());
                    Ok(vec![WriteFailure { id, rev: None, error, cause: Cause::Target }])
                }
                None => Ok(Vec::new()),
            };
            write.answered(number, answer, false);
        }
        write.finish().unwrap()
    }

    #[test]
    fn a_document_that_the_target_will_never_take_is_passed() {
        for error in [
            Error::new(ErrorKind::DocValidation),
            Error::new(ErrorKind::MissingStub),
            Error::new(ErrorKind::NotYet),
            Error::remote(413, "document_too_large", "1"),
            Error::remote(400, "bad_request", "no"),
        ] {
            for alone in [true, false] {
                let written = write(&error, alone);
                assert_eq!(
                    (written.docs.len(), written.refused.len(), written.error),
                    (3, 1, None),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn an_error_that_may_pass_fails_the_batch() {
        for error in
            [Error::network("gone"), Error::remote(500, "timeout", ""), Error::new(ErrorKind::Storage)]
        {
            for alone in [true, false] {
                let written = write(&error, alone);
                assert_eq!((written.refused.len(), written.error), (0, Some(error.clone())));
                assert_eq!(written.failures, if alone { 1 } else { 4 });
            }
        }
    }
}
