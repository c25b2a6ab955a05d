//! One batch of the feed on its way from rows to written documents.

use super::feed::Page;
use super::fetch::{Fetch, Fetched, Refused};
use super::write::{Write, Written};
use crate::error::Error;
use crate::replicate::peer::{ChangeRow, Doc, DocRevs, Missing};
use crate::replicate::seq::Seq;
use std::collections::HashMap;
use std::rc::Rc;

/// The most rows of which the target is not asked whether it has them.
const STRAIGHT_ROWS: usize = 8;

/// A batch: rows that were read together, and how far they have come.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) number: u64,
    /// Where the feed stands after it.
    pub(super) seq: Seq,
    /// How much of the feed comes after it.
    pub(super) pending: Option<u64>,
    pub(super) rows: Rc<Vec<ChangeRow>>,
    /// Whether the feed was waited upon for them.
    pub(super) is_news: bool,
    /// Whether its documents are on their way without a question to the target.
    pub(super) is_straight: bool,
    pub(super) stage: Stage,
    /// The documents on their way to the target.
    pub(super) write: Write,
    /// How many documents the source gave, beyond those that were told of.
    pub(super) docs_read: u64,
    /// How many changes are done that were told of.
    pub(super) told: u64,
    /// Documents that are refused, by either side.
    pub(super) refused: Vec<Refused>,
    /// What fails the batch once everything before it is done and its own documents are written.
    pub(super) error: Option<Error>,
}

/// How far a batch has come.
#[derive(Debug)]
pub(super) enum Stage {
    /// Read from the feed.
    Waiting,
    /// The target is asked what it has not.
    Diffing,
    /// The source is asked for the documents.
    Fetching(Fetch),
    /// The documents are here, and on their way to the target.
    Writing,
    /// Nothing is left to do but to count.
    Done(Written),
}

impl Batch {
    pub(super) fn new(number: u64, page: Page) -> Self {
        let Page { rows, seq, pending, is_news } = page;
        let stage = if rows.is_empty() { Stage::Done(Written::default()) } else { Stage::Waiting };
        Self {
            number,
            seq,
            pending,
            rows,
            is_news,
            is_straight: false,
            stage,
            write: Write::default(),
            docs_read: 0,
            told: 0,
            refused: Vec::new(),
            error: None,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting)
    }

    /// Takes the rows of a later page into a batch that has not been begun.
    pub(super) fn append(&mut self, page: Page) {
        Rc::make_mut(&mut self.rows).extend(page.rows.iter().cloned());
        (self.seq, self.pending) = (page.seq, page.pending);
        self.is_news &= page.is_news;
    }

    /// Whether it is a few edits just made on the source: the target will hardly have them, and it costs little to send
    /// what it has, so the question would only take time.
    pub(super) fn may_go_straight(&self) -> bool {
        let is_own = |row: &ChangeRow| row.is_own && row.changes.len() == 1;
        self.is_news && self.rows.len() <= STRAIGHT_ROWS && self.rows.iter().all(is_own)
    }

    /// The documents and revisions its rows name, each document once.
    pub(super) fn leaves(&self) -> Vec<DocRevs> {
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(self.rows.len());
        let mut leaves: Vec<DocRevs> = Vec::with_capacity(self.rows.len());
        for row in self.rows.iter() {
            let place = *places.entry(&row.id).or_insert(leaves.len());
            if place == leaves.len() {
                leaves.push(DocRevs::new(row.id.as_str().into(), Vec::with_capacity(row.changes.len())));
            }
            if let Some(doc) = leaves.get_mut(place) {
                for change in &row.changes {
                    if !doc.revs.contains(&change.rev) {
                        doc.revs.push(change.rev.clone());
                    }
                }
            }
        }
        leaves.retain(|doc| !doc.revs.is_empty());
        leaves
    }

    /// Whether its rows name this revision.
    pub(super) fn names(&self, doc: &Doc) -> bool {
        let rev = doc.rev();
        let is_named = |row: &ChangeRow| row.changes.iter().any(|change| Some(&change.rev) == rev.as_ref());
        self.rows.iter().any(|row| row.id == *doc.id && is_named(row))
    }

    /// Those of its documents that the target has not, in the order of the feed.
    pub(super) fn select(&self, mut missing: HashMap<String, Missing>) -> Vec<DocRevs> {
        let each = self.leaves().into_iter().filter_map(|doc| {
            let Missing { revs, ancestors } =
                missing.remove(&*doc.id).filter(|missing| !missing.revs.is_empty())?;
            Some(DocRevs { id: doc.id, revs, ancestors: ancestors.into() })
        });
        each.collect()
    }

    /// Bytes of its documents in memory.
    pub(super) fn bytes_held(&self) -> usize {
        let here = match &self.stage {
            Stage::Fetching(fetch) => fetch.bytes_held(),
            Stage::Done(written) => written.bytes_held(),
            _ => 0,
        };
        here + self.write.bytes_held()
    }

    /// Takes documents that have come, to be written with no more than `bytes` in a request.
    fn take(&mut self, docs: Vec<Rc<Doc>>, bytes: usize) {
        self.docs_read += docs.len() as u64;
        self.write.add(docs, bytes);
    }

    /// Begins to write what is here before the rest has come, if that is as much as `enough`.
    pub(super) fn write_early(&mut self, enough: usize, bytes: usize) {
        if let Stage::Fetching(fetch) = &mut self.stage
            && fetch.bytes_held() >= enough
        {
            let docs = fetch.take_docs();
            self.take(docs, bytes);
        }
    }

    /// What was written early since the last call: how many documents were read for it, and what the target has taken of
    /// them, which is not kept any longer.
    pub(super) fn written_early(&mut self) -> (u64, Vec<Rc<Doc>>) {
        let docs = self.write.take_docs();
        self.told += docs.len() as u64;
        (std::mem::take(&mut self.docs_read), docs)
    }

    /// Takes all the documents. `is_given_up`: whether a suspect has failed too often to be waited for any longer.
    pub(super) fn fetched(
        &mut self,
        fetched: Fetched,
        bytes: usize,
        mut is_given_up: impl FnMut(&str) -> bool,
    ) {
        let Fetched { docs, has_given, refused, suspects, broken } = fetched;
        self.refused.extend(refused);
        for (id, error) in suspects {
            // One that failed where others did not is the source's only fault; one that failed alone may be met by a
            // source in trouble, and is tried again before the checkpoint passes it by.
            if is_given_up(&id) || has_given {
                self.refused.push((id, error));
            } else {
                self.error.get_or_insert(error);
            }
        }
        if broken {
            self.error.get_or_insert_with(|| Error::network("There was a problem getting docs."));
        }
        self.take(docs, bytes);
        self.stage = Stage::Writing;
    }
}
