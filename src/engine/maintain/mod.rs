//! Flushing the log into runs and merging runs, in the background and in slices.
//!
//! Nothing depends on who does it, or whether it is done: a manifest is replaced only where it is still the one that was
//! looked at, in the transaction that adds and removes the blocks. Who loses throws the work away. So that this is rare, tabs
//! take turns where the platform has such a thing.

mod flush;
mod lease;
mod merge;
mod publish;
mod slice;

use crate::engine::open::Inner;
use crate::engine::runs::Manifest;
use crate::env::{self, Millis};
use crate::storage::{SharedTurn, StorageError, StorageResult};
use futures_channel::oneshot;
use futures_util::future::select;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::pin::pin;
use std::rc::{Rc, Weak};

/// Commits wait for the flush under way once the log behind it is so many times as long as that which starts one.
const PATIENCE: usize = 8;

/// The pause after a step that failed is doubled at most so many times.
const MOST_DOUBLINGS: u32 = 5;

/// A flush waits for so long for another tab's work in the background: commits may wait for it.
const FLUSH_PATIENCE: Millis = Millis(1000);

/// A step of a merge waits for so long for another tab's.
const MERGE_PATIENCE: Millis = Millis(30_000);

/// A step of a merge lets reads go first for so many times as long as they have to be over.
const READS_FIRST: u64 = 5;

/// What is known of the work in the background.
#[derive(Default)]
pub(in crate::engine) struct Maintenance {
    running: Cell<bool>,
    /// Whether somebody waits for the database to be idle.
    watching: Cell<bool>,
    /// Whether the next flush is made before the log is long.
    flushes_anyway: Cell<bool>,
    /// The whole database is to be written anew, with the log up to here.
    tidies_until: Cell<Option<u64>>,
    must_replay: Cell<bool>,
    /// After a failure the log has to grow beyond this before another flush is tried, or some time has to pass.
    not_before: Cell<usize>,
    /// How many steps have failed since one worked, and whether a task waits to try again.
    failures: Cell<u32>,
    retrying: Cell<bool>,
    /// When a block was last read.
    last_read: Cell<Millis>,
    /// Ends the wait of a merge for the reads.
    urge: RefCell<Option<oneshot::Sender<()>>>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
}

impl Maintenance {
    /// Whether a flush has failed: what it froze has to be read again from the log.
    pub(in crate::engine) fn must_replay(&self) -> bool {
        self.must_replay.get()
    }

    /// Notes that a read has to wait for the storage.
    pub(in crate::engine) fn note_read(&self) {
        self.last_read.set(env::now());
    }

    /// Lets a merge wait no longer, if one does: there is something else to do, or nothing any more.
    pub(in crate::engine) fn urge(&self) {
        drop(self.urge.take());
    }

    pub(in crate::engine) fn has_replayed(&self) {
        self.must_replay.set(false);
    }
}

/// What was done.
#[derive(Debug, PartialEq, Eq)]
enum Work {
    Flush,
    Merge,
    Nothing,
}

impl Inner {
    /// Starts the work in the background if there is some.
    pub(in crate::engine) fn maintain(self: &Rc<Self>) {
        if self.must_flush() || self.is_in_a_hurry() {
            self.maintenance.urge();
        }
        if self.has_work() && !self.maintenance.running.replace(true) {
            env::spawn(self.clone().work());
        }
        if let Some(idle) = self.settings.idle_flush
            && self.is_worth_flushing()
            && !self.maintenance.watching.replace(true)
        {
            env::spawn(Self::flush_when_idle(Rc::downgrade(self), idle));
        }
    }

    /// Has the whole database written anew, without what newer entries hide: that is the end of what was removed, which else
    /// may stay on the disk for long.
    pub(in crate::engine) fn tidy(self: &Rc<Self>) {
        self.maintenance.tidies_until.set(Some(self.position.get()));
        self.maintain();
    }

    /// Which runs are to be merged.
    fn next_merge(&self, manifest: &Manifest) -> Option<Range<usize>> {
        let tidies_until = self.maintenance.tidies_until.get();
        let is_all = tidies_until.is_some_and(|until| manifest.flushed >= until) && manifest.runs.len() > 1;
        if is_all { Some(0..manifest.runs.len()) } else { manifest.choose_merge(self.settings.fan_in) }
    }

    /// Whether to flush while nothing else is to be done, so that the next opening has little to replay.
    fn is_worth_flushing(&self) -> bool {
        self.state.borrow().active.log_bytes() >= self.settings.flush_bytes / 16
    }

    async fn flush_when_idle(inner: Weak<Self>, idle: Millis) {
        loop {
            let Some(before) = inner.upgrade().map(|inner| inner.position.get()) else { return };
            env::sleep(idle).await;
            let Some(inner) = inner.upgrade() else { return };
            if inner.ended.get().is_some() || !inner.is_worth_flushing() {
                inner.maintenance.watching.set(false);
                return;
            }
            if inner.position.get() == before {
                inner.maintenance.watching.set(false);
                inner.maintenance.flushes_anyway.set(true);
                inner.maintain();
                return;
            }
        }
    }

    fn has_work(&self) -> bool {
        self.ended.get().is_none()
            && self.damage.borrow().is_none()
            && (self.must_flush() || self.must_merge())
    }

    fn must_flush(&self) -> bool {
        let state = self.state.borrow();
        let log_bytes = state.active.log_bytes();
        // Where merges don't keep up with the commits, runs get larger instead of more.
        let is_behind = state.manifest.runs.len() > self.settings.fan_in;
        let limit = self.settings.flush_bytes.saturating_mul(if is_behind { 2 } else { 1 });
        let tidies_until = self.maintenance.tidies_until.get();
        let is_untidy = tidies_until.is_some_and(|until| state.manifest.flushed < until);
        drop(state);
        let is_long = log_bytes >= limit
            || self.maintenance.flushes_anyway.get() && self.is_worth_flushing()
            || is_untidy;
        is_long && log_bytes >= self.maintenance.not_before.get()
    }

    fn must_merge(&self) -> bool {
        let state = self.state.borrow();
        self.maintenance.not_before.get() == 0
            && (state.manifest.merge.is_some() || self.next_merge(&state.manifest).is_some())
    }

    async fn work(self: Rc<Self>) {
        while self.has_work() {
            if !self.must_flush() {
                self.wait_for_reads().await;
            }
            let patience = if self.must_flush() { FLUSH_PATIENCE } else { MERGE_PATIENCE };
            let turn = self.storage.turn(patience).await;
            self.leases.set(turn.is_none() && self.settings.lease > Millis(0));
            if self.leases.get() && self.wait_for_lease().await {
                continue;
            }
            let started = env::now();
            let outcome = match self.do_next(turn.as_ref()).await {
                Err(error) => self.recover(error).await.map(|()| Work::Nothing),
                done => done,
            };
            drop(turn);
            if outcome.is_ok() {
                self.maintenance.not_before.set(0);
                self.maintenance.failures.set(0);
            } else {
                let log_bytes = self.state.borrow().active.log_bytes();
                self.maintenance.not_before.set(log_bytes + self.settings.flush_bytes);
                self.retry_later();
            }
            for waiting in self.maintenance.waiting.take() {
                // Whoever waited may be gone.
                let _ = waiting.send(());
            }
            if outcome == Ok(Work::Merge) && !self.is_quiet_at(started) && !self.is_in_a_hurry() {
                // Reads wait for the storage while a merge writes: they get as much of its time.
                env::sleep(env::now().since(started)).await;
            }
        }
        if self.state.borrow().manifest.runs.len() <= 1 {
            self.maintenance.tidies_until.set(None);
        }
        self.maintenance.running.set(false);
    }

    /// Has what failed tried again after a while: by then there may be room again, and nobody may commit anything that
    /// would lead to it.
    fn retry_later(self: &Rc<Self>) {
        let failures = self.maintenance.failures.get();
        self.maintenance.failures.set(failures + 1);
        let Some(pause) = self.settings.retry_after else { return };
        if self.maintenance.retrying.replace(true) {
            return;
        }
        let pause = Millis(pause.0 << failures.min(MOST_DOUBLINGS));
        let weak = Rc::downgrade(self);
        env::spawn(async move {
            env::sleep(pause).await;
            let Some(inner) = weak.upgrade() else { return };
            inner.maintenance.retrying.set(false);
            inner.maintenance.not_before.set(0);
            inner.maintain();
        });
    }

    /// Flushes, or does a step of a merge, whatever there is to do after a look at what was done by whoever had the turn before.
    async fn do_next(&self, turn: Option<&SharedTurn>) -> StorageResult<Work> {
        if turn.is_some_and(|turn| turn.was_contested) {
            let _turn = self.turn.lock().await;
            if self.ended.get().is_none() {
                self.catch_up_in_turn().await?;
            }
        }
        if self.must_flush() {
            self.maintenance.flushes_anyway.set(false);
            self.flush().await.map(|()| Work::Flush)
        } else if self.has_work() {
            self.merge().await.map(|()| Work::Merge)
        } else {
            Ok(Work::Nothing)
        }
    }

    /// Whether merges matter more than who reads now: there are many runs, or the application wants its disk back.
    fn is_in_a_hurry(&self) -> bool {
        let is_tidied = self.maintenance.tidies_until.get().is_some();
        is_tidied || self.state.borrow().manifest.runs.len() >= self.settings.hurry
    }

    /// Whether by that time no block was read for long enough.
    fn is_quiet_at(&self, time: Millis) -> bool {
        let quiet = self.settings.merge_after_read.0;
        quiet == 0 || self.maintenance.last_read.get().0 + quiet <= time.0
    }

    /// Waits until nobody reads, which a merge would be in the way of.
    async fn wait_for_reads(&self) {
        let quiet = self.settings.merge_after_read.0;
        let until = env::now().0 + quiet * READS_FIRST;
        while !self.must_flush() && !self.is_in_a_hurry() && self.ended.get().is_none() {
            let now = env::now().0;
            let left = (self.maintenance.last_read.get().0 + quiet).min(until).saturating_sub(now);
            if left == 0 {
                return;
            }
            let (sender, urged) = oneshot::channel();
            self.maintenance.urge.replace(Some(sender));
            select(pin!(env::sleep(Millis(left))), urged).await;
        }
    }

    /// Finds out what there is after a step that failed, or whose outcome is not known.
    async fn recover(&self, error: StorageError) -> StorageResult<()> {
        let _turn = self.turn.lock().await;
        if self.ended.get().is_some() {
            return Err(StorageError::Closed);
        }
        if self.state.borrow().frozen.is_some() {
            self.maintenance.must_replay.set(true);
        }
        self.catch_up_in_turn().await?;
        match error {
            // Another tab was first, or it is known now whether the step was made.
            StorageError::Conflict | StorageError::Unknown => Ok(()),
            error => Err(error),
        }
    }

    /// Waits where commits come faster than they are flushed.
    pub(in crate::engine) async fn wait_for_flush(&self) {
        let is_behind = |inner: &Self| {
            let state = inner.state.borrow();
            state.frozen.is_some() && state.active.log_bytes() > inner.settings.flush_bytes * PATIENCE
        };
        while self.maintenance.running.get() && is_behind(self) {
            let (sender, receiver) = oneshot::channel();
            self.maintenance.waiting.borrow_mut().push(sender);
            // Dropped where the engine is.
            let _ = receiver.await;
        }
    }
}
