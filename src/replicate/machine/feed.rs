//! Reading the source's changes feed.

use crate::env::Millis;
use crate::error::Error;
use crate::replicate::peer::{ChangeRow, ChangesPage};
use crate::replicate::seq::Seq;
use std::rc::Rc;

/// A waiting feed that answers faster than this with nothing was not waiting.
const AT_ONCE: Millis = Millis(500);
/// So many pages in a row without a row, of a source that says that there is more, are its end: nobody filters so much.
const EMPTY_PAGES: u32 = 100;
/// The longest pause before such a feed is asked again.
const LONGEST_PAUSE: u64 = 1_000;

/// Where the feed is and how it is read.
#[derive(Debug)]
pub(super) struct Feed {
    /// Where to go on.
    pub(super) since: Seq,
    /// Whether everything there was has been read.
    pub(super) at_end: bool,
    /// How much comes after it, where the source has said so.
    pub(super) pending: Option<u64>,
    /// Whether it is being waited on, and since when.
    waiting_since: Option<Millis>,
    /// How often in a row it answered at once with nothing.
    empty_answers: u32,
    /// How many pages in a row had no rows.
    empty_pages: u32,
    /// The page whose rows are being filtered.
    pub(super) filtering: Option<Page>,
    /// Why it can't be read any further.
    pub(super) error: Option<Error>,
}

/// A page of the feed.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: Rc<Vec<ChangeRow>>,
    pub(super) seq: Seq,
    pub(super) pending: Option<u64>,
}

impl Feed {
    pub(super) fn from(since: Seq) -> Self {
        Self {
            since,
            at_end: false,
            pending: None,
            waiting_since: None,
            empty_answers: 0,
            empty_pages: 0,
            filtering: None,
            error: None,
        }
    }

    /// A request is sent that waits for something to happen, or one that does not.
    pub(super) fn asked(&mut self, waits: bool, now: Millis) {
        self.waiting_since = waits.then_some(now);
    }

    /// Whether it is being waited on.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting_since.is_some()
    }

    /// The feed may have moved on unnoticed: it is asked again without waiting.
    pub(super) fn doubt(&mut self) {
        self.at_end = false;
        self.waiting_since = None;
    }

    /// Takes a page for which `limit` rows were asked. Gives the pause to be made before the next request.
    pub(super) fn take(&mut self, page: ChangesPage, limit: u64, now: Millis) -> (Page, Option<Millis>) {
        let ChangesPage { results: rows, last_seq, pending } = page;
        let seq = last_seq
            .or_else(|| rows.last().and_then(|row| row.seq.clone()))
            .unwrap_or_else(|| self.since.clone());
        let moved = seq != self.since;
        self.empty_pages = if rows.is_empty() { self.empty_pages + 1 } else { 0 };
        self.at_end = match pending {
            Some(pending) => pending == 0 || (rows.is_empty() && (!moved || self.empty_pages >= EMPTY_PAGES)),
            None => (rows.len() as u64) < limit,
        };
        // CouchDB counts nothing where the feed was waited upon.
        self.pending = if self.at_end { Some(0) } else { pending };
        let waited = self.waiting_since.take().map(|since| now.0.saturating_sub(since.0));
        let pause = match waited {
            Some(waited) if rows.is_empty() && waited < AT_ONCE.0 => {
                self.empty_answers += 1;
                Some(Millis((10_u64 << self.empty_answers.min(10)).min(LONGEST_PAUSE)))
            }
            _ => {
                self.empty_answers = 0;
                None
            }
        };
        self.since = seq.clone();
        // Sync Gateway sends rows for its own users.
        let rows = Rc::new(rows.into_iter().filter(|row| row.id != "_user/").collect());
        (Page { rows, seq, pending }, pause)
    }
}
