//! Trying again what was set aside: at rest, a few documents at a time, one request after the other.
//!
//! No position depends on it. What comes of it is told only where it is news: a document that was taken, or another
//! reason why it was not. An error that is not about single documents puts it off, and nothing else: where the network
//! is gone or the user is not allowed in any longer, the feed, or the next document, shows it.

use super::Machine;
use super::batch::{Batch, Stage};
use super::feed::Page;
use super::fetch::Refused;
use super::outbox::Purpose;
use super::running::Run;
use super::set_aside::FIRST_PAUSE;
use crate::replicate::effect::Request;
use crate::replicate::report::ReplicationEvent;
use crate::replicate::seq::Seq;
use std::rc::Rc;

/// The number of a batch of documents that are tried again.
pub(super) const AGAIN: u64 = u64::MAX;

/// The most documents in such a batch. The first has one, because it is not known how large they are.
const MOST: usize = 100;

/// Trying again.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// What is being tried.
    pub(super) batch: Option<Batch>,
    /// How many documents the last batch had, if there are more that were due with them.
    last: usize,
}

impl Machine {
    /// Begins to try some of those that are due; whether any are on their way. A replication that stays alive waits for
    /// those that are not due yet.
    pub(super) fn try_again(&mut self, run: &mut Run) -> bool {
        if run.again.batch.is_some() {
            return true;
        }
        let most = (2 * run.again.last).clamp(1, MOST).min(self.fetched.revs_in_fetch(&self.options.limits));
        // One that ends tries each once.
        let rows = self.set_aside.due(self.now, most, self.options.live);
        run.again.last = rows.len();
        if rows.is_empty() {
            // Looked at in time for those that are set aside meanwhile.
            if self.options.live
                && let Some(wait) = self.set_aside.wait(self.now)
                && !self.outbox.waits_for(|purpose| purpose == Purpose::AgainPause)
            {
                self.outbox.ask(Purpose::AgainPause, Request::Sleep(wait.min(FIRST_PAUSE)));
            }
            return false;
        }
        let page = Page { rows: Rc::new(rows), seq: Seq::zero(), pending: None, is_news: false };
        let mut batch = Batch::new(AGAIN, page);
        self.outbox.ask(Purpose::Diff(AGAIN), Request::RevsDiff(batch.leaves()));
        batch.stage = Stage::Diffing;
        run.again.batch = Some(batch);
        true
    }

    /// Goes on with what is tried again, unless other documents are on their way.
    pub(super) fn work_again(&mut self, run: &mut Run) {
        if let Some(batch) = run.again.batch.take_if(|batch| matches!(batch.stage, Stage::Done(_))) {
            return self.count_again(run, batch);
        }
        let is_busy = |purpose| matches!(purpose, Purpose::Fetch(..) | Purpose::Write(..));
        let Some(batch) = &mut run.again.batch else { return };
        if self.outbox.waits_for(is_busy) {
            return;
        }
        let size = self.fetched.revs_in_fetch(&self.options.limits);
        let next = match &mut batch.stage {
            Stage::Fetching(fetch) => fetch
                .next(self.has_bulk_get, size)
                .map(|(part, request)| (Purpose::Fetch(AGAIN, part), request)),
            Stage::Writing => {
                batch.write.next().map(|(part, request)| (Purpose::Write(AGAIN, part), request))
            }
            _ => None,
        };
        if let Some((purpose, request)) = next {
            self.outbox.ask(purpose, request);
        }
    }

    /// Counts what was tried again, and tells what is news of it.
    fn count_again(&mut self, run: &Run, batch: Batch) {
        let Batch { rows, refused, error, docs_read, stage, .. } = batch;
        let Stage::Done(written) = stage else { return };
        let refused: Vec<Refused> = refused.into_iter().chain(written.refused).collect();
        let before = self.set_aside.len();
        let reasons = if error.is_none() && written.error.is_none() {
            self.set_aside.tried(&rows, &refused, self.now)
        } else {
            self.set_aside.put_off(&rows, self.now);
            Vec::new()
        };
        if self.set_aside.len() != before
            && let (Some(checkpoints), Some(position)) = (&mut self.checkpoints, &self.position)
        {
            checkpoints.keep(&self.set_aside);
            checkpoints.want(position.clone(), self.now);
        }
        let docs = written.docs;
        if docs.is_empty() && reasons.is_empty() {
            return;
        }
        if !docs.is_empty() {
            self.stir();
        }
        let (count, failures) = (docs.len() as u64, reasons.len() as u64);
        self.progress.batch(self.now, docs.len(), docs_read, count, failures);
        self.report.docs_read += docs_read;
        self.report.docs_written += count;
        reasons.into_iter().for_each(|error| self.deny(error));
        if !docs.is_empty() {
            let (report, pending) = (self.report.clone(), run.pending());
            self.outbox.emit(ReplicationEvent::Change { report, docs, pending });
        }
    }
}
