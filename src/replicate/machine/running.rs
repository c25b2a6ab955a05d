//! From a position in the source's feed to its end: reading ahead, asking, getting, writing, counting.

use super::batch::{Batch, Stage};
use super::checkpoints::Haste;
use super::feed::{Feed, Page};
use super::fetch::{Fetch, Refused};
use super::outbox::Purpose;
use super::trying_again::{AGAIN, Again};
use super::write::Written;
use super::{Activity, End, Machine, Phase};
use crate::error::{Error, Result};
use crate::replicate::effect::Request;
use crate::replicate::peer::{ChangesRequest, DocRevs};
use crate::replicate::report::{Progress, ReplicationEvent};
use crate::replicate::seq::Seq;
use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

/// Requests for single documents at once: as many connections as browsers open to a host.
const SINGLES_AT_ONCE: usize = 6;

/// Batches that are begun before the checkpoints are read.
const BATCHES_AHEAD: usize = 3;

/// The work under way.
#[derive(Debug)]
pub(super) struct Run {
    /// Where it began.
    pub(super) start: Seq,
    pub(super) feed: Feed,
    batches: VecDeque<Batch>,
    next_batch: u64,
    pub(super) again: Again,
    pub(super) diff: Diff,
    /// What was brought to an empty target, as hashes: it is only worth a question whether one of them is there.
    brought: HashSet<u64>,
}

/// Whether the target is asked what it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Diff {
    /// It may be empty; that is being found out.
    Unknown,
    Ask,
    /// It was empty: what has not been brought to it since is missing.
    Skip,
}

impl Run {
    pub(super) fn from(start: Seq, diff: Diff) -> Self {
        Self {
            start: start.clone(),
            feed: Feed::from(start),
            batches: VecDeque::new(),
            next_batch: 0,
            again: Again::default(),
            diff,
            brought: HashSet::new(),
        }
    }

    pub(super) fn batch(&mut self, number: u64) -> Option<&mut Batch> {
        if number == AGAIN {
            return self.again.batch.as_mut();
        }
        self.batches.iter_mut().find(|batch| batch.number == number)
    }

    fn is_front_done(&self) -> bool {
        self.batches.front().is_some_and(|batch| matches!(batch.stage, Stage::Done(_)))
    }

    /// Whether nothing is on its way.
    pub(super) fn is_quiet(&self) -> bool {
        self.batches.iter().all(Batch::is_waiting)
    }

    /// How many changes are still to be dealt with, where the source has said what comes after those that were read.
    pub(super) fn pending(&self) -> Option<u64> {
        let rows = |batch: &Batch| batch.rows.len() as u64;
        let filtering = self.feed.filtering.as_ref().map_or(0, |page| page.rows.len() as u64);
        Some(self.feed.pending? + filtering + self.batches.iter().map(rows).sum::<u64>())
    }

    /// Whether everything that was read is done and there is no more to read now.
    pub(super) fn is_idle(&self) -> bool {
        self.batches.is_empty()
            && self.feed.at_end
            && self.feed.filtering.is_none()
            && self.feed.error.is_none()
    }
}

impl Machine {
    /// Does all that can be done now.
    ///
    /// Fails with what stops the replication, once everything before it is done.
    pub(super) fn work(&mut self, run: &mut Run) -> Result<()> {
        loop {
            while run.is_front_done() {
                if let Some(batch) = run.batches.pop_front() {
                    self.count(batch)?;
                    // As PouchDB's, one that ends after its first batch leaves that behind, also if others were as fast.
                    self.write_checkpoint(self.haste(true));
                }
            }
            if run.feed.error.is_some() {
                if run.is_quiet() {
                    return run.feed.error.take().map_or(Ok(()), Err);
                }
            } else {
                self.begin_batches(run);
            }
            self.fetch(run);
            self.write_early(run);
            self.write(run);
            // Some batches have nothing to be asked for or written.
            if !run.is_front_done() {
                break;
            }
        }
        self.read(run);
        self.work_again(run);
        let idle = run.is_idle();
        self.write_checkpoint(self.haste(!idle));
        if idle && self.is_checkpointed() {
            self.rest(run);
        }
        Ok(())
    }

    /// How soon to write a checkpoint when there is `more` to do, or not.
    fn haste(&self, more: bool) -> Haste {
        match more {
            _ if self.options.live && self.is_news => Haste::Lull,
            true => Haste::More,
            false => Haste::Now,
        }
    }

    /// Everything is replicated.
    fn rest(&mut self, run: &mut Run) {
        // Who waits for more is told at once that there is no more, who ends takes these along.
        if !self.options.live && self.try_again(run) {
            return;
        }
        if self.activity != Activity::Paused {
            self.activity = Activity::Paused;
            self.progress.rested(self.now);
            self.outbox.emit(ReplicationEvent::Paused(None));
        }
        if self.options.live {
            self.try_again(run);
        } else {
            self.end(End::Complete);
        }
    }

    /// Reads on, as far ahead as may be.
    pub(super) fn read(&mut self, run: &mut Run) {
        let is_read = |purpose| matches!(purpose, Purpose::Feed | Purpose::Filter | Purpose::FeedPause);
        let limits = self.options.limits;
        let is_over = run.feed.at_end && !self.options.live;
        if is_over
            || run.feed.error.is_some()
            || run.batches.len() > limits.batches_ahead
            || self.outbox.waits_for(is_read)
        {
            return;
        }
        let waits = run.feed.at_end;
        if waits && !run.batches.is_empty() {
            // A browser has six connections to a server of HTTP/1.1, and each feed that waits keeps one: what brings these
            // documents over would get none where there are as many feeds.
            return;
        }
        let page = run.feed.plan(&limits, self.options.filters);
        run.feed.asked(page, waits, self.now);
        let request = ChangesRequest {
            since: run.feed.since.clone(),
            limit: page.limit,
            interval: page.interval,
            waits,
            options: self.options.changes.clone(),
        };
        self.outbox.ask(Purpose::Feed, Request::Changes(request));
    }

    pub(super) fn begin_batches(&mut self, run: &mut Run) {
        if run.diff == Diff::Unknown {
            return;
        }
        // A source here gives all it has without a pause; the answers that are waited for have to come through.
        let is_ahead = matches!(self.phase, Phase::Starting);
        let at_once = if is_ahead { BATCHES_AHEAD } else { self.options.limits.batches_at_once };
        for index in 0..run.batches.len() {
            let (before, from_here) = run.batches.make_contiguous().split_at_mut(index);
            let Some(batch) = from_here.first_mut() else { return };
            if !batch.is_waiting() {
                continue;
            }
            if index >= at_once || names_one_of(batch, before) {
                return;
            }
            self.outbox.emit(ReplicationEvent::Checkpoint(Progress::Begun(batch.seq.clone())));
            self.outbox.emit(ReplicationEvent::Checkpoint(Progress::Diffed(batch.rows.clone())));
            let leaves = batch.leaves();
            batch.stage = if leaves.is_empty() {
                Stage::Done(Written::default())
            } else if run.diff == Diff::Skip && all_new(&mut run.brought, &leaves) {
                Stage::Fetching(Fetch::new(leaves))
            } else if self.target_is_remote && batch.may_go_straight() {
                batch.is_straight = true;
                Stage::Fetching(Fetch::new(leaves))
            } else {
                self.outbox.ask(Purpose::Diff(batch.number), Request::RevsDiff(leaves));
                Stage::Diffing
            };
        }
        if run.diff == Diff::Skip && run.feed.at_end && run.batches.iter().all(|batch| !batch.is_waiting()) {
            run.diff = Diff::Ask;
            run.brought = HashSet::new();
        }
    }

    /// Takes a page of the feed that has passed the filter.
    pub(super) fn accept(&mut self, run: &mut Run, page: Page) {
        if !page.rows.is_empty() {
            self.stir();
        } else if run.feed.at_end {
            // It answers and there is nothing new: whatever was wrong is over.
            self.back_off = 0.0;
            self.progress.succeeded(self.now);
        }
        let stands_at = run.batches.back().map(|batch| &batch.seq).or(self.position.as_ref());
        if page.rows.is_empty() && stands_at == Some(&page.seq) {
            return;
        }
        let limits = self.options.limits;
        let first = run.next_batch;
        for page in page.split(|number| limits.rows(first + number)) {
            if !page.rows.is_empty() {
                let pending = Progress::Pending(page.rows.clone(), page.seq.clone());
                self.outbox.emit(ReplicationEvent::Checkpoint(pending));
            }
            let room = limits.rows(run.next_batch);
            match run.batches.back_mut() {
                Some(last)
                    if last.number < first
                        && last.is_waiting()
                        && (last.rows.len() + page.rows.len()) as u64 <= room =>
                {
                    last.append(page);
                }
                _ => {
                    run.batches.push_back(Batch::new(run.next_batch, page));
                    run.next_batch += 1;
                }
            }
        }
    }

    /// There is something to do.
    pub(super) fn stir(&mut self) {
        if self.activity != Activity::Active {
            self.progress.stirred(self.now);
            self.activity = Activity::Active;
            self.outbox.emit(ReplicationEvent::Active);
        }
    }

    pub(super) fn fetch(&mut self, run: &mut Run) {
        let at_once = if self.has_bulk_get { self.options.limits.fetches_at_once } else { SINGLES_AT_ONCE };
        let size = self.fetched.revs_in_fetch(&self.options.limits);
        let mut room =
            at_once.saturating_sub(self.outbox.count(|purpose| matches!(purpose, Purpose::Fetch(..))));
        if room == 0 {
            return;
        }
        let held: usize = run.batches.iter().map(Batch::bytes_held).sum();
        for (index, batch) in run.batches.iter_mut().enumerate() {
            // The first one gets on whatever the others hold, because it is written when it holds too much; so does one that is not
            // written in parts, which is of few documents.
            let held = if index == 0 { batch.bytes_held() } else { held };
            let may_ask = batch.is_straight || held < self.options.limits.bytes_held;
            let Stage::Fetching(fetch) = &mut batch.stage else { continue };
            while room > 0 && may_ask {
                let Some((part, request)) = fetch.next(self.has_bulk_get, size) else { break };
                self.outbox.ask(Purpose::Fetch(batch.number, part), request);
                room -= 1;
            }
        }
    }

    /// Where documents are large, the first batch is not kept in memory until all of it is here; the other half is fetched
    /// while one is written.
    fn write_early(&self, run: &mut Run) {
        let most = self.bytes_in_write();
        if let Some(first) = run.batches.front_mut()
            && !first.is_straight
        {
            first.write_early(self.options.limits.bytes_held / 2, most);
        }
    }

    /// The most bytes in one write.
    pub(super) fn bytes_in_write(&self) -> usize {
        if self.target_is_remote { self.options.limits.bytes_in_write } else { usize::MAX }
    }

    /// Writes what is here, in the order of the feed.
    pub(super) fn write(&mut self, run: &mut Run) {
        let limits = self.options.limits;
        let mut room = limits
            .writes_at_once
            .saturating_sub(self.outbox.count(|purpose| matches!(purpose, Purpose::Write(..))));
        for batch in &mut run.batches {
            match &mut batch.stage {
                Stage::Writing | Stage::Fetching(_) => {
                    while room > 0 {
                        let Some((part, request)) = batch.write.next() else { break };
                        self.outbox.ask(Purpose::Write(batch.number, part), request);
                        room -= 1;
                    }
                    if !batch.write.is_all_under_way() || matches!(batch.stage, Stage::Fetching(_)) {
                        return;
                    }
                }
                Stage::Done(_) if batch.error.is_none() => {}
                _ => return,
            }
        }
    }

    /// Counts what was written of a batch that is not all here, and tells of it.
    pub(super) fn count_early(&mut self, batch: &mut Batch) {
        let (read, docs) = batch.written_early();
        self.progress.batch(self.now, 0, read, docs.len() as u64, 0);
        self.report.docs_read += read;
        self.report.docs_written += docs.len() as u64;
        if !docs.is_empty() {
            let rest = (batch.rows.len() as u64).saturating_sub(batch.told);
            let pending = batch.pending.map(|pending| pending + rest);
            self.outbox.emit(ReplicationEvent::Change { report: self.report.clone(), docs, pending });
        }
    }

    /// Counts a batch that is done, and tells of it.
    fn count(&mut self, mut batch: Batch) -> Result<()> {
        let Stage::Done(written) = std::mem::replace(&mut batch.stage, Stage::Waiting) else { return Ok(()) };
        let refused: Vec<Refused> = batch.refused.drain(..).chain(written.refused).collect();
        let is_done = written.error.is_none() && batch.error.is_none();
        self.progress.batch(
            self.now,
            if is_done { batch.rows.len() } else { 0 },
            batch.docs_read,
            written.docs.len() as u64,
            refused.len() as u64 + written.failures,
        );
        self.report.docs_read += batch.docs_read;
        let is_kept = is_done && self.set_aside.passed(|| batch.leaves(), &refused, self.now);
        for (id, error) in refused {
            self.deny(error.with_doc_id(&*id));
        }
        self.report.docs_written += written.docs.len() as u64;
        self.report.doc_write_failures += written.failures;
        self.report.errors.extend(written.errors);
        if let Some(error) = written.error.or(batch.error) {
            return Err(error);
        }
        self.progress.succeeded(self.now);
        self.position = Some(batch.seq.clone());
        self.is_news = batch.is_news;
        self.report.last_seq = Some(batch.seq.clone());
        if !batch.rows.is_empty() {
            self.back_off = 0.0;
        }
        if !written.docs.is_empty() {
            self.outbox.emit(ReplicationEvent::Change {
                report: self.report.clone(),
                docs: written.docs,
                pending: batch.pending,
            });
        }
        if let Some(checkpoints) = &mut self.checkpoints {
            if is_kept {
                checkpoints.keep(&self.set_aside);
            }
            checkpoints.want(batch.seq, self.now);
        }
        Ok(())
    }

    /// Counts a document that was refused, and tells why.
    pub(super) fn deny(&mut self, error: Error) {
        self.report.doc_write_failures += 1;
        self.report.errors.push(error.clone());
        self.outbox.emit(ReplicationEvent::Denied(error));
    }
}

/// Whether none of the documents is among those `brought`; from now on they are.
fn all_new(brought: &mut HashSet<u64>, docs: &[DocRevs]) -> bool {
    let hash = |doc: &DocRevs| BuildHasherDefault::<DefaultHasher>::default().hash_one(&doc.id);
    let before = brought.len();
    brought.extend(docs.iter().map(hash));
    brought.len() == before + docs.len()
}

/// Whether the batch names a document that one of the others names: it has to wait until they are done, or it would
/// get again what they are about to write.
fn names_one_of(batch: &Batch, others: &[Batch]) -> bool {
    let named: HashSet<&str> =
        others.iter().flat_map(|other| other.rows.iter().map(|row| row.id.as_str())).collect();
    !named.is_empty() && batch.rows.iter().any(|row| named.contains(row.id.as_str()))
}
