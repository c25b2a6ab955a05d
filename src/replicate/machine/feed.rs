//! Reading the source's changes feed.

use crate::env::Millis;
use crate::error::Error;
use crate::replicate::options::Limits;
use crate::replicate::peer::{ChangeRow, ChangesPage};
use crate::replicate::seq::Seq;
use std::rc::Rc;

/// A waiting feed that answers faster than this with nothing was not waiting.
const AT_ONCE: Millis = Millis(500);
/// So many pages in a row without a row, of a source that says that there is more, are its end: nobody filters so much.
const EMPTY_PAGES: u32 = 100;
/// The longest pause before such a feed is asked again.
const LONGEST_PAUSE: u64 = 1_000;

/// Rows of the first page: enough to be busy with while the second one comes from far away.
const FIRST_PAGE: u64 = 2 * Limits::BATCH - 1;
/// A page that took less than this is followed by a greater one.
const QUICK: Millis = Millis(500);
/// One that took longer by a smaller one.
const SLOW: Millis = Millis(2_000);
/// How many times as great it is.
const GROWTH: u64 = 4;
/// About so much of a feed is asked for at once.
const BYTES_IN_PAGE: u64 = 2 << 20;

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
    /// What was asked for last, and when.
    plan: Plan,
    asked: Millis,
    /// How many batches the next page is to have.
    batches: u64,
    /// How long the rows of the last page were, on the average.
    bytes_per_row: u64,
    /// How often in a row it answered at once with nothing.
    empty_answers: u32,
    /// How many pages in a row had no rows.
    empty_pages: u32,
    /// The page whose rows are being filtered.
    pub(super) filtering: Option<Page>,
    /// Why it can't be read any further.
    pub(super) error: Option<Error>,
}

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Rows, at most.
    pub(super) limit: u64,
    /// After so many each there has to be a seq.
    pub(super) interval: u64,
}

/// A page of the feed.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: Rc<Vec<ChangeRow>>,
    pub(super) seq: Seq,
    pub(super) pending: Option<u64>,
    /// Whether it was waited for.
    pub(super) is_news: bool,
}

impl Feed {
    pub(super) fn from(since: Seq) -> Self {
        Self {
            since,
            at_end: false,
            pending: None,
            waiting_since: None,
            plan: Plan { limit: 0, interval: 1 },
            asked: Millis(0),
            batches: 0,
            bytes_per_row: 0,
            empty_answers: 0,
            empty_pages: 0,
            filtering: None,
            error: None,
        }
    }

    /// What to ask for next.
    ///
    /// A page has as many batches as the source gives quickly, so that one that is far away is asked seldom; or all that is
    /// left where that is not much more. `include_docs`: rows come with documents, which may be of any size.
    pub(super) fn plan(&self, limits: &Limits, include_docs: bool) -> Plan {
        if let Some(size) = limits.batch_size {
            return Plan { limit: size, interval: size };
        }
        if self.batches == 0 {
            let interval = Limits::FIRST_BATCH;
            return Plan { limit: if include_docs { interval } else { FIRST_PAGE }, interval };
        }
        let interval = Limits::BATCH;
        let fitting = BYTES_IN_PAGE / self.bytes_per_row.max(1) / interval;
        let most = fitting.min(limits.batches_ahead as u64).max(1);
        let all = self.pending.map_or(u64::MAX, |pending| pending / interval + 1);
        let batches = if all <= 2 * self.batches { all } else { self.batches };
        // CouchDB counts the rows between two seqs from the end of the page, and the last one has one anyway.
        Plan { limit: batches.min(most) * interval - 1, interval }
    }

    /// A request is sent that waits for something to happen, or one that does not.
    pub(super) fn asked(&mut self, plan: Plan, waits: bool, now: Millis) {
        (self.plan, self.asked) = (plan, now);
        self.waiting_since = waits.then_some(now);
    }

    /// Finds out how great the next page may be.
    fn measure(&mut self, rows: &[ChangeRow], now: Millis) {
        let bytes = |row: &ChangeRow| {
            let revs: usize = row.changes.iter().map(|change| change.rev.len() + 12).sum();
            (row.id.len() + revs + row.doc.as_ref().map_or(0, |doc| doc.get().len()) + 50) as u64
        };
        if let Some(average) = rows.iter().map(bytes).sum::<u64>().checked_div(rows.len() as u64) {
            self.bytes_per_row = average;
        }
        let took = now.since(self.asked).0;
        let batches = self.batches.max(1);
        self.batches = match took {
            _ if self.waiting_since.is_some() => batches,
            took if took < QUICK.0 => batches.saturating_mul(GROWTH),
            took if took > SLOW.0 => batches / 2,
            _ => batches,
        }
        .clamp(1, BYTES_IN_PAGE);
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

    /// Takes a page. Gives the pause to be made before the next request.
    pub(super) fn take(&mut self, page: ChangesPage, now: Millis) -> (Page, Option<Millis>) {
        let ChangesPage { results: rows, last_seq, pending, .. } = page;
        self.measure(&rows, now);
        let seq = last_seq
            .or_else(|| rows.last().and_then(|row| row.seq.clone()))
            .unwrap_or_else(|| self.since.clone());
        let moved = seq != self.since;
        self.empty_pages = if rows.is_empty() { self.empty_pages + 1 } else { 0 };
        self.at_end = match pending {
            Some(pending) => pending == 0 || (rows.is_empty() && (!moved || self.empty_pages >= EMPTY_PAGES)),
            None => (rows.len() as u64) < self.plan.limit,
        };
        // CouchDB counts nothing where the feed was waited upon.
        self.pending = if self.at_end { Some(0) } else { pending };
        let waited = self.waiting_since.take().map(|since| now.since(since).0);
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
        (Page { rows, seq, pending, is_news: waited.is_some() }, pause)
    }
}

impl Page {
    /// The page in batches, which end where there is a seq; `rows` tells how many each is to have at least, by its number.
    pub(super) fn split(self, rows: impl Fn(u64) -> u64) -> Vec<Self> {
        let Self { rows: all, seq, pending, is_news } = self;
        if all.len() as u64 <= rows(0) {
            return vec![Self { rows: all, seq, pending, is_news }];
        }
        let mut pages = Vec::new();
        let mut left = all.len() as u64;
        let mut part = Vec::new();
        for row in Rc::unwrap_or_clone(all) {
            left -= 1;
            let end = row.seq.clone().filter(|_| part.len() as u64 + 1 >= rows(pages.len() as u64));
            part.push(row);
            // A few rows are not worth requests of their own.
            if let Some(seq) = end.filter(|_| left >= rows(pages.len() as u64 + 1) / 8) {
                let rows = Rc::new(std::mem::take(&mut part));
                pages.push(Self { rows, seq, pending: pending.map(|pending| pending + left), is_news });
            }
        }
        pages.push(Self { rows: Rc::new(part), seq, pending, is_news });
        pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64, seq: bool) -> ChangeRow {
        let seq = seq.then(|| Seq::from(number));
        ChangeRow {
            id: number.to_string(),
            seq,
            changes: Vec::new(),
            deleted: false,
            doc: None,
            is_own: false,
        }
    }

    fn page(rows: u64, interval: u64) -> Page {
        // As CouchDB does it where one less than a multiple was asked for.
        let rows = (1..=rows).map(|number| row(number, number % interval == 0)).collect();
        Page { rows: Rc::new(rows), seq: Seq::from(1_000_000), pending: Some(7), is_news: false }
    }

    #[test]
    fn a_page_is_cut_where_it_has_seqs() {
        let rows = |number| if number == 0 { 250 } else { 1_000 };
        let parts = |page: Page| -> Vec<(usize, String, Option<u64>)> {
            let parts = page.split(rows).into_iter();
            parts.map(|part| (part.rows.len(), part.seq.as_json().to_owned(), part.pending)).collect()
        };
        let end = |count| (count, "1000000".to_owned(), Some(7));
        assert_eq!(parts(page(999, 250)), [(250, "250".to_owned(), Some(756)), end(749)]);
        assert_eq!(parts(page(300, 1_000)), [end(300)]);
        assert_eq!(parts(page(250, 250)), [end(250)]);
        assert_eq!(
            parts(page(2_500, 100)),
            [
                (300, "300".to_owned(), Some(2_207)),
                (1_000, "1300".to_owned(), Some(1_207)),
                (1_000, "2300".to_owned(), Some(207)),
                end(200)
            ]
        );
        assert_eq!(parts(page(2_100, 1_000)), [(1_000, "1000".to_owned(), Some(1_107)), end(1_100)]);
        assert_eq!(parts(page(0, 1)), [end(0)]);
    }

    /// The limits of the pages of a feed whose pages take so long.
    fn limits(took: &[u64], rows: u64, row: &ChangeRow) -> Vec<u64> {
        let mut feed = Feed::from(Seq::zero());
        let mut left = rows;
        let each = took.iter().map(|took| {
            let plan = feed.plan(&Limits::default(), false);
            feed.asked(plan, false, Millis(0));
            let given = plan.limit.min(left);
            left -= given;
            let results = vec![row.clone(); given as usize];
            let last_seq = Some(Seq::from(rows - left));
            feed.take(
                ChangesPage { results, last_seq, pending: Some(left), bytes_per_doc: None },
                Millis(*took),
            );
            plan.limit
        });
        each.collect()
    }

    #[test]
    fn pages_grow_while_they_come_quickly() {
        let row = row(1, false);
        assert_eq!(limits(&[100, 100, 100, 100], 1_000_000, &row), [1_999, 3_999, 9_999, 9_999]);
        assert_eq!(
            limits(&[1_000, 1_000, 100, 3_000, 3_000], 1_000_000, &row),
            [1_999, 999, 999, 3_999, 1_999]
        );
        // What is left is not left for one more page.
        assert_eq!(limits(&[100, 100, 100], 8_000, &row), [1_999, 6_999, 999]);
        assert_eq!(limits(&[100, 100], 2_050, &row), [1_999, 999]);
        let long = ChangeRow { id: "x".repeat(10_000), ..row };
        assert_eq!(limits(&[100, 100, 100], 50_000, &long), [1_999, 999, 999]);
    }
}
