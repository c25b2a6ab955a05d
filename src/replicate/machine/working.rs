//! Answers to what is under way.

use super::batch::{Batch, Stage};
use super::feed::Page;
use super::outbox::Purpose;
use super::running::Run;
use super::trying_again::AGAIN;
use super::write::Written;
use super::{GRACE, Machine};
use crate::error::{Error, Result};
use crate::replicate::effect::{Answer, Request};
use crate::replicate::peer::{ChangeRow, ChangesPage, Got, Missing, WriteFailure};
use std::collections::HashMap;
use std::rc::Rc;

/// A document that has failed so often, each time of a source that answers everything else, is given up.
const SUSPICIONS: u32 = 3;

impl Machine {
    pub(super) fn work_answered(&mut self, run: &mut Run, purpose: Purpose, answer: Result<Answer>) {
        match (purpose, answer) {
            (Purpose::Feed, Ok(Answer::Changes(page))) => self.page_read(run, page),
            (Purpose::Feed, Err(error)) => self.feed_failed(run, error),
            (Purpose::Filter, Ok(Answer::Filtered(passes))) => self.filtered(run, passes),
            (Purpose::Filter, Err(error)) => self.feed_failed(run, error),
            (Purpose::Diff(batch), answer) => {
                let missing = answer.map(|answer| match answer {
                    Answer::Missing(missing) => missing,
                    _ => HashMap::new(),
                });
                self.diffed(run, batch, missing);
            }
            (Purpose::Fetch(batch, part), answer) => {
                let got = answer.map(|answer| match answer {
                    Answer::Docs(got) => got,
                    _ => Vec::new(),
                });
                self.fetched(run, batch, part, got);
            }
            (Purpose::Write(batch, part), answer) => {
                let failures = answer.map(|answer| match answer {
                    Answer::Written(failures) => failures,
                    _ => Vec::new(),
                });
                self.written(run, batch, part, failures);
            }
            _ => {}
        }
    }

    fn page_read(&mut self, run: &mut Run, page: ChangesPage) {
        self.fetched.expect(page.bytes_per_doc);
        let (page, pause) = run.feed.take(page, self.now);
        if let Some(pause) = pause {
            self.outbox.ask(Purpose::FeedPause, Request::Sleep(pause));
        }
        if self.options.filters && !page.rows.is_empty() {
            self.outbox.ask(Purpose::Filter, Request::Filter(page.rows.clone()));
            run.feed.filtering = Some(page);
        } else {
            self.accept(run, page);
        }
    }

    fn filtered(&mut self, run: &mut Run, passes: Vec<bool>) {
        let Some(page) = run.feed.filtering.take() else { return };
        let passes = passes.into_iter().chain(std::iter::repeat(false));
        let chosen = page.rows.iter().zip(passes).filter_map(|(row, passes)| passes.then_some(row));
        // The document was for the filter; the one that is replicated has its history.
        let rows = Rc::new(chosen.map(|row| ChangeRow { doc: None, ..row.clone() }).collect());
        self.accept(run, Page { rows, ..page });
    }

    fn feed_failed(&mut self, run: &mut Run, error: Error) {
        if error.status() == 408 && run.feed.is_waiting() {
            // Silence: either the connection is dead or something on the way swallows the heartbeat. A request that
            // need not wait tells them apart.
            return run.feed.doubt();
        }
        run.feed.error = Some(error);
        if !run.is_quiet() {
            self.outbox.ask(Purpose::Grace, Request::Sleep(GRACE));
        }
    }

    fn diffed(&mut self, run: &mut Run, number: u64, missing: Result<HashMap<String, Missing>>) {
        let Some(batch) = run.batch(number) else { return };
        batch.stage = match missing.map(|missing| batch.select(missing)) {
            Ok(wanted) if wanted.is_empty() => Stage::Done(Written::default()),
            Ok(wanted) => Stage::Fetching(super::fetch::Fetch::new(wanted)),
            Err(error) => {
                batch.error = Some(error);
                Stage::Done(Written::default())
            }
        };
    }

    fn fetched(&mut self, run: &mut Run, number: u64, part: u64, got: Result<Vec<Got>>) {
        if let Ok(got) = &got {
            self.fetched.measure(got);
        }
        let most = self.bytes_in_write();
        let Some(batch) = run.batch(number) else { return };
        let Stage::Fetching(fetch) = &mut batch.stage else { return };
        match fetch.answered(part, got) {
            Ok(lacks_bulk_get) => {
                self.has_bulk_get &= !lacks_bulk_get;
                let Some(mut fetched) = fetch.finish() else { return };
                if number == AGAIN {
                    // What has been superseded comes by the feed, or does not pass the filter any more.
                    fetched.docs.retain(|doc| batch.names(doc));
                }
                if std::mem::take(&mut batch.is_straight) && !fetched.may_go_straight() {
                    self.outbox.ask(Purpose::Diff(number), Request::RevsDiff(batch.leaves()));
                    batch.stage = Stage::Diffing;
                    return;
                }
                let suspicions = &mut self.suspicions;
                batch.fetched(fetched, most, |id| number == AGAIN || is_given_up(suspicions, id));
                self.finish(batch);
            }
            Err(error) => {
                batch.error = Some(error);
                self.give_up(batch);
            }
        }
    }

    fn written(&mut self, run: &mut Run, number: u64, part: u64, failures: Result<Vec<WriteFailure>>) {
        let proved = self.has_written || number == AGAIN;
        let Some(batch) = run.batch(number) else { return };
        batch.write.answered(part, failures, proved);
        self.has_written |= batch.write.has_taken();
        match batch.stage {
            Stage::Fetching(_) if batch.write.has_failed() => self.give_up(batch),
            Stage::Fetching(_) => self.count_early(batch),
            _ => self.finish(batch),
        }
    }

    /// Ends a batch of which everything is written.
    fn finish(&mut self, batch: &mut Batch) {
        if let Stage::Writing = batch.stage
            && let Some(mut written) = batch.write.finish()
        {
            let (suspicions, number) = (&mut self.suspicions, batch.number);
            written.settle(batch.write.has_taken(), |id| number == AGAIN || is_given_up(suspicions, id));
            batch.stage = Stage::Done(written);
        }
    }

    /// Ends a batch that fails before its documents are here.
    fn give_up(&mut self, batch: &mut Batch) {
        batch.stage = Stage::Done(batch.write.stop());
        let number = batch.number;
        self.outbox.abort(|purpose| matches!(purpose, Purpose::Fetch(batch, _) if batch == number));
    }
}

/// Counts the suspicion; whether there have been enough.
fn is_given_up(suspicions: &mut HashMap<String, u32>, id: &str) -> bool {
    let count = suspicions.entry(id.to_owned()).or_default();
    *count += 1;
    *count >= SUSPICIONS
}
