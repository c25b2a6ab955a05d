//! Flushing the log into runs and merging runs, in the background and in slices.
//!
//! Nothing depends on who does it, or whether it is done: a manifest is replaced only where it is still the one that was
//! looked at, in the transaction that adds and removes the blocks. Who loses throws the work away. So that this is rare, tabs
//! take turns where the platform has such a thing.

use super::cache::Blocks;
use super::header::{FLOOR_KEY, encode_floor};
use super::keyspace::Keyspace;
use super::memtable::Memtable;
use super::open::Inner;
use super::runs::{
    FinishedSegment, Lease, MANIFEST_KEY, Manifest, Merge, RunCursor, SegmentBuilder, run_key,
};
use super::scan::{Merged, Source};
use crate::env::{self, Millis};
use crate::storage::{Change, Expectation, SharedTurn, Space, StorageError, StorageResult, Task, Write};
use bytes::Bytes;
use futures_channel::oneshot;
use std::cell::{Cell, RefCell};
use std::ops::{Bound, Range};
use std::rc::{Rc, Weak};

/// How many bytes of entries are worked on before other tasks get their turn: some milliseconds on a slow machine.
const SLICE_BYTES: usize = 128 << 10;
/// The same for a flush, which commits may be waiting for.
const FLUSH_SLICE_BYTES: usize = 512 << 10;
/// How many blocks a merge reads at once from each input.
const READ_AHEAD: usize = 8;
/// Of so many retired log records it is still known that they were commits.
const SETTLED: usize = 256;
/// Commits wait for the flush under way once the log behind it is so many times as long as that which starts one.
const PATIENCE: usize = 8;

/// The pause after a step that failed is doubled at most so many times.
const MOST_DOUBLINGS: u32 = 5;

/// A flush waits for so long for another tab's work in the background: commits may wait for it.
const FLUSH_PATIENCE: Millis = Millis(1000);

/// A step of a merge waits for so long for another tab's.
const MERGE_PATIENCE: Millis = Millis(30_000);

/// So often who waits for another tab's lease to end looks whether that is still right.
const LEASE_LOOK: Millis = Millis(100);

/// A step of a merge lets reads go first for so many times as long as they have to be over.
const READS_FIRST: u64 = 20;

/// What is known of the work in the background.
#[derive(Default)]
pub(super) struct Maintenance {
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
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
}

impl Maintenance {
    /// Whether a flush has failed: what it froze has to be read again from the log.
    pub(super) fn must_replay(&self) -> bool {
        self.must_replay.get()
    }

    /// Notes that a read has to wait for the storage.
    pub(super) fn note_read(&self) {
        self.last_read.set(env::now());
    }

    pub(super) fn has_replayed(&self) {
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

/// Counts the bytes that were worked on.
struct Slice {
    bytes: usize,
    limit: usize,
}

impl Slice {
    /// Adds to the count; lets other tasks run where the slice is full.
    async fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= self.limit {
            self.bytes = 0;
            env::pause().await;
        }
    }
}

impl Inner {
    /// Starts the work in the background if there is some.
    pub(super) fn maintain(self: &Rc<Self>) {
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
    pub(super) fn tidy(self: &Rc<Self>) {
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
            let turn = self.storage.turn_at(Task::Background, patience).await;
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
            let is_patient = self.settings.merge_after_read > Millis(0)
                && self.state.borrow().manifest.runs.len() < self.settings.hurry;
            if is_patient && outcome == Ok(Work::Merge) {
                // Reads wait for the storage while a merge writes: they get as much of its time.
                env::sleep(Millis(env::now().0.saturating_sub(started.0))).await;
            }
        }
        if self.state.borrow().manifest.runs.len() <= 1 {
            self.maintenance.tidies_until.set(None);
        }
        self.maintenance.running.set(false);
    }

    /// Leaves the work to another tab that has it leased; tells whether it did. Not where commits would have to wait: a tab may
    /// have died with its lease.
    async fn wait_for_lease(&self) -> bool {
        let turn = self.turn.lock().await;
        if self.ended.get().is_none() {
            // What cannot be read is found out again with the work.
            let _ = self.catch_up_in_turn().await;
        }
        drop(turn);
        let lease = self.state.borrow().manifest.lease.filter(|lease| lease.writer != self.writer);
        // A clock that was set back must not keep everybody from working.
        let left = lease.map_or(0, |lease| lease.until.0.saturating_sub(env::now().0));
        let is_urgent = self.state.borrow().active.log_bytes() / 4 >= self.settings.flush_bytes;
        if left == 0 || left > self.settings.lease.0 || is_urgent {
            return false;
        }
        env::sleep(LEASE_LOOK.min(Millis(left))).await;
        true
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

    /// Waits until nobody reads, which a merge would be in the way of.
    async fn wait_for_reads(&self) {
        let quiet = self.settings.merge_after_read.0;
        let until = env::now().0 + quiet * READS_FIRST;
        while !self.must_flush() && self.ended.get().is_none() {
            let now = env::now().0;
            let left = (self.maintenance.last_read.get().0 + quiet).min(until).saturating_sub(now);
            if left == 0 {
                return;
            }
            env::sleep(Millis(left)).await;
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
    pub(super) async fn wait_for_flush(&self) {
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

    /// Moves the log up to here into a new run.
    async fn flush(&self) -> StorageResult<()> {
        if self.state.borrow().frozen.is_some() {
            // An earlier flush has failed, and what became of it could not be found out yet.
            return Err(StorageError::Unknown);
        }
        let position = self.position.get();
        let before = self.manifest_record.borrow().clone();
        let recent = self.recent.borrow().clone();
        let (frozen, mut manifest) = {
            let mut state = self.state.borrow_mut();
            let frozen = std::mem::take(&mut state.active);
            state.frozen = Some(frozen.clone());
            (frozen, (*state.manifest).clone())
        };
        let is_first = manifest.runs.is_empty();
        let finished = self.build(&frozen, &mut manifest.next_segment, is_first).await;
        if !finished.is_empty() {
            manifest.runs.insert(0, finished.iter().map(|finished| finished.segment.clone()).collect());
            if let Some(merge) = &mut manifest.merge {
                merge.inputs = merge.inputs.start + 1..merge.inputs.end + 1;
            }
        }
        for (key, value) in frozen.all(Keyspace::Metadata) {
            match value {
                Some(value) => {
                    // Copied, so that they don't hold the record that they came with.
                    manifest.metadata.insert(Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))
                }
                None => manifest.metadata.remove(key),
            };
        }
        manifest.flushed = position;
        manifest.settled.extend(recent);
        manifest.settled.drain(..manifest.settled.len().saturating_sub(SETTLED));
        let retired = [
            Change::Put(Space::Meta, FLOOR_KEY.into(), encode_floor(position + 1, &self.header)),
            Change::DeleteRange(Space::Log, 0..position + 1),
        ];
        let flushed = self.publish(before, manifest, &finished, retired.into()).await?;
        if flushed {
            // What was just written is likely to be read.
            for (number, block) in finished.iter().flat_map(|finished| &finished.records) {
                self.cache.insert_if_room(*number, block)?;
            }
            let mut recent = self.recent.borrow_mut();
            let kept = (self.position.get() - position) as usize;
            let retired = recent.len().saturating_sub(kept);
            recent.drain(..retired);
            self.state.borrow_mut().frozen = None;
        }
        Ok(())
    }

    /// Puts a memtable into segments. In the first run of all nothing has to be removed.
    async fn build(&self, table: &Memtable, next_segment: &mut u64, is_first: bool) -> Vec<FinishedSegment> {
        let mut finished = Vec::new();
        let mut builder = self.segment(next_segment);
        let mut slice = Slice { bytes: 0, limit: FLUSH_SLICE_BYTES };
        for keyspace in Keyspace::IN_RUNS {
            for (key, value) in table.all(keyspace) {
                if value.is_none() && is_first {
                    continue;
                }
                builder.push(keyspace, key, value.as_deref());
                if builder.is_full(self.settings.segment_bytes) {
                    let full = std::mem::replace(&mut builder, self.segment(next_segment));
                    finished.push(full.finish());
                }
                slice.add(key.len() + value.as_ref().map_or(0, Bytes::len)).await;
            }
        }
        if !builder.is_empty() {
            finished.push(builder.finish());
        }
        finished
    }

    fn segment(&self, next_segment: &mut u64) -> SegmentBuilder {
        *next_segment += 1;
        SegmentBuilder::new(*next_segment, self.settings.block_bytes)
    }

    /// Replaces the manifest, with the blocks that it names from now on; tells whether that is still the newest.
    async fn publish(
        &self,
        before: Option<Bytes>,
        mut manifest: Manifest,
        finished: &[FinishedSegment],
        mut changes: Vec<Change>,
    ) -> StorageResult<bool> {
        let until = Millis(env::now().0 + self.settings.lease.0);
        manifest.lease = self.leases.get().then_some(Lease { writer: self.writer, until });
        let record = manifest.encode();
        for (number, block) in finished.iter().flat_map(|finished| &finished.records) {
            changes.push(Change::Put(Space::Block, number.0.into(), block.clone()));
        }
        changes.push(Change::Put(Space::Meta, MANIFEST_KEY.into(), record.clone()));
        let expect =
            vec![Expectation { space: Space::Meta, key: MANIFEST_KEY.into(), content: before.clone() }];
        self.storage.write(Write { expect, changes, ..Write::default() }).await?;
        // Somebody may have caught up in the meantime, even with what came after this.
        let is_newest = *self.manifest_record.borrow() == before;
        if is_newest {
            self.manifest_record.replace(Some(record));
            self.state.borrow_mut().manifest = Rc::new(manifest);
        }
        Ok(is_newest)
    }

    /// Does one step of a merge: reads on in the inputs, and moves one segment's worth of entries to the output.
    async fn merge(&self) -> StorageResult<()> {
        let before = self.manifest_record.borrow().clone();
        let mut manifest = (*self.state.borrow().manifest).clone();
        let begin = |inputs: Range<usize>| Merge { inputs, output: Vec::new(), from: Bytes::new() };
        let begun = manifest.merge.take().or_else(|| self.next_merge(&manifest).map(begin));
        let Some(mut merge) = begun else { return Ok(()) };
        let has_oldest = merge.inputs.end == manifest.runs.len();
        let mut builder = self.segment(&mut manifest.next_segment);
        let inputs: Vec<_> = manifest.runs.get(merge.inputs.clone()).unwrap_or_default().to_vec();
        let is_complete = self.read_on(&inputs, &merge.from, has_oldest, &mut builder).await?;

        merge.from = [builder.last_key(), &[0]].concat().into();
        let finished: Vec<FinishedSegment> =
            if builder.is_empty() { Vec::new() } else { vec![builder.finish()] };
        merge.output.extend(finished.iter().map(|finished| finished.segment.clone()));
        let mut changes = Vec::new();
        for run in manifest.runs.get_mut(merge.inputs.clone()).unwrap_or_default() {
            let read = if is_complete {
                run.len()
            } else {
                run.partition_point(|segment| segment.last < merge.from)
            };
            changes.extend(
                run.drain(..read).map(|segment| Change::DeleteRange(Space::Block, segment.numbers())),
            );
        }
        if is_complete {
            let output = Some(merge.output).filter(|output| !output.is_empty());
            manifest.runs.splice(merge.inputs, output);
        } else {
            manifest.merge = Some(merge);
        }
        self.publish(before, manifest, &finished, changes).await.map(drop)
    }

    /// Puts the entries from `from` on into a segment until it is full; tells whether these were the last.
    async fn read_on(
        &self,
        inputs: &[Vec<super::runs::Segment>],
        from: &Bytes,
        has_oldest: bool,
        builder: &mut SegmentBuilder,
    ) -> StorageResult<bool> {
        let blocks = Blocks::of_merge(self.cache.clone(), READ_AHEAD);
        let mut low = Bound::Included(from.to_vec());
        let mut slice = Slice { bytes: 0, limit: SLICE_BYTES };
        loop {
            let sources = inputs
                .iter()
                .map(|run| Source::Run(RunCursor::new(&blocks, run, (low.clone(), Bound::Unbounded), false)));
            let mut merged = Merged::new(sources.collect(), false);
            let mut bytes = 0;
            while bytes < SLICE_BYTES
                && let Some(entry) = merged.next()
            {
                // A removal hides older entries; under the oldest run there are none.
                if entry.value.is_some() || !has_oldest {
                    builder.push(entry.keyspace, &entry.key, entry.value.as_deref());
                }
                bytes += entry.key.len() + entry.value.as_ref().map_or(0, Bytes::len);
                low = Bound::Excluded(run_key(entry.keyspace, &entry.key));
                if builder.is_full(self.settings.segment_bytes) {
                    return Ok(false);
                }
            }
            let is_sliced = bytes >= SLICE_BYTES;
            drop(merged);
            let wanted = blocks.take_wanted()?;
            if wanted.is_empty() && !is_sliced {
                return Ok(true);
            }
            if self.load(&blocks, &wanted).await?.is_some() {
                return Err(StorageError::Conflict);
            }
            slice.add(bytes).await;
            self.wait_for_reads().await;
        }
    }
}
