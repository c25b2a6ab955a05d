//! Getting the documents of one batch, in parts, around those that the source can't give.
//!
//! A request for many documents that fails because of one of them is halved until that one stands alone. It is then
//! asked for by itself, and if that fails too it is a suspect: either the source can't give it or it can't give
//! anything. The documents that did arrive tell which.

use crate::error::Error;
use crate::http::lacks_bulk_get;
use crate::replicate::effect::Request;
use crate::replicate::options::Limits;
use crate::replicate::peer::{Doc, DocRevs, Got};
use crate::sort::sort_by_key;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::rc::Rc;

/// A document that one side does not give or take, and why.
pub(super) type Refused = (Rc<str>, Error);

/// The most that is sent to a target that may have it.
const STRAIGHT_BYTES: usize = 64 << 10;

#[derive(Debug, Clone)]
enum Part {
    Many(Vec<DocRevs>),
    One(DocRevs),
}

/// The documents of one batch on their way.
#[derive(Debug)]
pub(super) struct Fetch {
    /// What was not asked for yet.
    rest: VecDeque<DocRevs>,
    /// What was asked for together with others, and is asked for once more.
    again: VecDeque<Part>,
    under_way: BTreeMap<u64, Part>,
    next: u64,
    places: HashMap<Rc<str>, usize>,
    outcome: Fetched,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// The documents, in the order of the feed.
    pub(super) docs: Vec<Rc<Doc>>,
    /// Whether the source gave any, also before.
    pub(super) has_given: bool,
    /// Documents that the source has not, or does not give to this user.
    pub(super) refused: Vec<Refused>,
    /// Documents it may be unable to give.
    pub(super) suspects: Vec<Refused>,
    /// Whether something was wrong with the answers that is about no document in particular.
    pub(super) broken: bool,
}

impl Fetched {
    /// Whether it can be sent without asking the target what it has: all of it is here, it is little, and there are no
    /// attachments, of which the target may have the contents.
    pub(super) fn may_go_straight(&self) -> bool {
        let is_whole = self.refused.is_empty() && self.suspects.is_empty() && !self.broken;
        is_whole
            && bytes_of(&self.docs) <= STRAIGHT_BYTES
            && !self.docs.iter().any(|doc| doc.body.get().contains("\"_attachments\""))
    }
}

impl Fetch {
    /// A plan for these documents.
    pub(super) fn new(wanted: Vec<DocRevs>) -> Self {
        let places = wanted.iter().enumerate().map(|(place, doc)| (doc.id.clone(), place)).collect();
        Self {
            rest: wanted.into(),
            again: VecDeque::new(),
            under_way: BTreeMap::new(),
            next: 0,
            places,
            outcome: Fetched::default(),
        }
    }

    /// As many of the documents that were not asked for yet as have no more than `size` revisions, but one at least.
    fn cut(&mut self, size: usize) -> Option<Part> {
        let mut part = Vec::new();
        let mut revs = 0;
        while let Some(doc) = self.rest.pop_front_if(|doc| part.is_empty() || revs + doc.revs.len() <= size) {
            revs += doc.revs.len();
            part.push(doc);
        }
        (!part.is_empty()).then_some(Part::Many(part))
    }

    /// The next request, for `size` revisions, with the number its answer goes by; `bulk_get`: whether the source can give
    /// many at once.
    pub(super) fn next(&mut self, bulk_get: bool, size: usize) -> Option<(u64, Request)> {
        let mut part = self.again.pop_front().or_else(|| self.cut(size))?;
        if let Part::Many(docs) = &part
            && !bulk_get
        {
            self.put_back_alone(docs.clone());
            part = self.again.pop_front()?;
        }
        let request = match &part {
            Part::Many(docs) => Request::BulkGet(docs.clone()),
            Part::One(doc) => Request::OpenRevs(doc.clone()),
        };
        let number = self.next;
        self.next += 1;
        self.under_way.insert(number, part);
        Some((number, request))
    }

    /// Bytes of the documents that have come.
    pub(super) fn bytes_held(&self) -> usize {
        bytes_of(&self.outcome.docs)
    }

    /// The documents that have come, in the order of the feed; what comes afterwards is given by itself.
    pub(super) fn take_docs(&mut self) -> Vec<Rc<Doc>> {
        let mut docs = std::mem::take(&mut self.outcome.docs);
        self.outcome.has_given |= !docs.is_empty();
        sort_by_key(&mut docs, |doc| self.places.get(&doc.id).copied());
        docs
    }

    /// What came of it, once everything has come.
    pub(super) fn finish(&mut self) -> Option<Fetched> {
        if !self.rest.is_empty() || !self.again.is_empty() || !self.under_way.is_empty() {
            return None;
        }
        let docs = self.take_docs();
        Some(Fetched { docs, ..std::mem::take(&mut self.outcome) })
    }

    /// Takes the answer to a request. Gives back whether the source turned out to have no `_bulk_get`.
    ///
    /// Fails with what fails the whole batch: an error that is not about single documents.
    pub(super) fn answered(&mut self, number: u64, answer: Result<Vec<Got>, Error>) -> Result<bool, Error> {
        let Some(part) = self.under_way.remove(&number) else { return Ok(false) };
        match (part, answer) {
            (Part::Many(docs), Ok(results)) => self.take_many(docs, results),
            (Part::One(doc), Ok(results)) => self.take_one(&doc, results),
            (Part::Many(docs), Err(error)) if lacks_bulk_get(&error) => {
                self.put_back_alone(docs);
                return Ok(true);
            }
            (Part::Many(docs), Err(error)) if may_be_about_one(&error) => self.halve(docs),
            (Part::One(doc), Err(error)) if is_refusal(&error) => self.outcome.refused.push((doc.id, error)),
            (Part::One(doc), Err(error)) if may_be_about_one(&error) => {
                self.outcome.suspects.push((doc.id, error))
            }
            (_, Err(error)) => return Err(error),
        }
        Ok(false)
    }

    fn take_many(&mut self, wanted: Vec<DocRevs>, results: Vec<Got>) {
        let mut answered: HashSet<Rc<str>> = HashSet::with_capacity(wanted.len());
        let mut again: HashSet<Rc<str>> = HashSet::new();
        for got in results {
            match got {
                Got::Doc(doc) => {
                    answered.insert(doc.id.clone());
                    self.outcome.docs.push(doc);
                }
                Got::Missing { id } => {
                    self.outcome.refused.push((id.clone(), missing(&id)));
                    answered.insert(id);
                }
                Got::Failed { id, error } => {
                    match error {
                        Some(error) if is_refusal(&error) => self.outcome.refused.push((id.clone(), error)),
                        Some(_) => drop(again.insert(id.clone())),
                        None => self.outcome.broken = true,
                    }
                    answered.insert(id);
                }
            }
        }
        let alone =
            wanted.into_iter().filter(|doc| !answered.contains(&doc.id) || again.contains(&doc.id)).collect();
        self.put_back_alone(alone);
    }

    fn take_one(&mut self, wanted: &DocRevs, results: Vec<Got>) {
        if results.is_empty() {
            self.outcome.refused.push((wanted.id.clone(), missing(&wanted.id)));
        }
        for got in results {
            match got {
                Got::Doc(doc) => self.outcome.docs.push(doc),
                Got::Missing { id } => self.outcome.refused.push((id.clone(), missing(&id))),
                Got::Failed { id, error: Some(error) } if is_refusal(&error) => {
                    self.outcome.refused.push((id, error))
                }
                Got::Failed { id, error: Some(error) } => self.outcome.suspects.push((id, error)),
                Got::Failed { error: None, .. } => self.outcome.broken = true,
            }
        }
    }

    fn put_back_alone(&mut self, docs: Vec<DocRevs>) {
        for doc in docs.into_iter().rev() {
            self.again.push_front(Part::One(doc));
        }
    }

    fn halve(&mut self, mut docs: Vec<DocRevs>) {
        if docs.len() < 2 {
            return self.put_back_alone(docs);
        }
        let second = docs.split_off(docs.len() / 2);
        self.again.push_front(Part::Many(second));
        self.again.push_front(Part::Many(docs));
    }
}

/// How large documents are, by those that came last.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    bytes_per_doc: Option<usize>,
}

impl Sizes {
    /// Learns from an answer.
    pub(super) fn measure(&mut self, got: &[Got]) {
        let docs = || got.iter().filter_map(|got| if let Got::Doc(doc) = got { Some(doc) } else { None });
        if let Some(average) = bytes_of(docs()).checked_div(docs().count()) {
            self.bytes_per_doc = Some(average.max(1));
        }
    }

    /// Takes what the source says until there is an answer.
    pub(super) fn expect(&mut self, bytes_per_doc: Option<u64>) {
        let expected = bytes_per_doc.map(|bytes| usize::try_from(bytes.max(1)).unwrap_or(usize::MAX));
        self.bytes_per_doc = self.bytes_per_doc.or(expected);
    }

    /// How many revisions to ask for at once: as many as come quickly, and few while it is not known how large they are.
    pub(super) fn revs_in_fetch(&self, limits: &Limits) -> usize {
        let most = limits.revs_in_fetch;
        self.bytes_per_doc.map_or(most / 4, |bytes| limits.bytes_in_fetch / bytes).clamp(1, most)
    }
}

/// Bytes of the documents' JSON texts.
pub(super) fn bytes_of<'a>(docs: impl IntoIterator<Item = &'a Rc<Doc>>) -> usize {
    docs.into_iter().map(|doc| doc.body.get().len()).sum()
}

fn missing(id: &str) -> Error {
    Error::missing().with_doc_id(id)
}

/// Whether the source has said that this document is not to be had: it is gone, or not for this user.
///
/// A 401 to a whole request is about the user, not about the document, and stops the replication.
fn is_refusal(error: &Error) -> bool {
    match error.status() {
        404 => {
            matches!(error.reason(), Some("missing" | "deleted" | "not_found")) || error.doc_id().is_some()
        }
        401 => error.doc_id().is_some(),
        403 => true,
        _ => false,
    }
}

/// Whether a request may have failed because of one of its documents. What says that the source is not there or too
/// busy does not.
fn may_be_about_one(error: &Error) -> bool {
    matches!(error.status(), 400 | 413 | 414 | 500)
}
