//! Group commit: the queue of plans, and the loop that commits them.

use super::batch::Overlay;
use super::cache::Blocks;
use super::header::{FLOOR_KEY, decode_floor, encode_floor};
use super::open::Inner;
use super::record;
use super::runs::{MANIFEST_KEY, Manifest};
use crate::env::{self, Millis};
use crate::error::{Error, Result};
use crate::storage::{
    Change, Expectation, Read, SharedTurn, Space, StorageError, StorageResult, Task, Write,
};
use bytes::Bytes;
use futures_channel::oneshot;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// A group takes no more plans once it writes so many bytes: a commit stays one short transaction.
const GROUP_BYTES: usize = 4 << 20;

/// After a conflict with another tab so many groups are committed in turn. A conflict costs two round trips to the storage, and
/// of many tabs that all try at once only one gets on.
const GROUPS_IN_TURN: u32 = 20;

/// So long a commit waits for its turn.
const PATIENCE: Millis = Millis(2000);

/// So often a group is written again when a connection closes under it, before that is told.
const RECONNECTS: u32 = 3;

/// A plan in the queue, with the one who waits for it.
pub(super) struct Job {
    /// Plans into the overlay; what a failing plan wrote is undone.
    plan: Box<dyn FnMut(&mut Overlay)>,
    /// Gives the plan's last result, or the error that kept it from being committed.
    finish: Box<dyn FnOnce(Option<Error>)>,
}

impl Job {
    /// A job, and the future of its result.
    pub(super) fn new<T: 'static>(
        mut plan: impl FnMut(&mut Overlay) -> Result<T> + 'static,
    ) -> (Self, impl Future<Output = Result<T>>) {
        let (sender, receiver) = oneshot::channel::<Result<T>>();
        let planned: Rc<Cell<Option<Result<T>>>> = Rc::default();
        let result = planned.clone();
        let job = Self {
            plan: Box::new(move |overlay| {
                let mark = overlay.mark();
                let outcome = plan(overlay);
                if outcome.is_err() {
                    overlay.roll_back(mark);
                }
                planned.set(Some(outcome));
            }),
            finish: Box::new(move |error| {
                let outcome = match error {
                    Some(error) => Err(error),
                    None => result.take().expect("BUG: a job finished before it was planned"),
                };
                // Nobody waits any more where the future was dropped.
                let _ = sender.send(outcome);
            }),
        };
        let outcome = async { receiver.await.expect("BUG: a job was dropped without a result") };
        (job, outcome)
    }
}

/// What a group writes.
struct Planned {
    position: u64,
    record: Bytes,
    /// What is done in the same transaction with contents of attachments.
    contents: Vec<Change>,
}

/// The plans that wait for the next group.
#[derive(Default)]
pub(super) struct Queue {
    jobs: RefCell<VecDeque<Job>>,
    running: Cell<bool>,
    waiting_for_idle: RefCell<Vec<oneshot::Sender<()>>>,
    /// So many groups more are committed in turn with other tabs.
    in_turn: Cell<u32>,
}

impl Queue {
    /// Whether nothing waits and nothing is being committed.
    pub(super) fn is_idle(&self) -> bool {
        !self.running.get() && self.jobs.borrow().is_empty()
    }

    /// Resolves when the queue is idle.
    pub(super) async fn idle(&self) {
        if !self.is_idle() {
            let (sender, receiver) = oneshot::channel();
            self.waiting_for_idle.borrow_mut().push(sender);
            // Dropped where the engine is.
            let _ = receiver.await;
        }
    }

    /// Refuses everything that waits.
    pub(super) fn fail_all(&self, error: &Error) {
        let jobs = self.jobs.take();
        for job in jobs {
            (job.finish)(Some(error.clone()));
        }
    }

    /// Notes that another tab commits at the same time.
    fn note_contention(&self) {
        self.in_turn.set(GROUPS_IN_TURN);
    }

    fn stop(&self) {
        self.running.set(false);
        for waiting in self.waiting_for_idle.take() {
            let _ = waiting.send(());
        }
    }
}

impl Inner {
    pub(super) fn enqueue(self: &Rc<Self>, job: Job) {
        self.queue.jobs.borrow_mut().push_back(job);
        if !self.queue.running.replace(true) {
            // Started in a task of its own, so that everything the application does in one turn joins the group.
            env::spawn(self.clone().commit_groups());
        }
    }

    async fn commit_groups(self: Rc<Self>) {
        loop {
            // Not in the turn, which the flush may need.
            self.wait_for_flush().await;
            let turn = self.turn.lock().await;
            let mut group = Vec::new();
            let outcome = self.commit_group(&mut group).await;
            if group.is_empty() {
                self.queue.stop();
                return;
            }
            let (committed, error) = match outcome {
                Ok(committed) => (committed, None),
                Err(error) => (None, Some(self.error_of(error))),
            };
            for job in group {
                (job.finish)(error.clone());
            }
            if let Some(record) = committed {
                self.announce_commit(&record);
                self.tell(None);
                self.maintain();
            }
            if self.queue.jobs.borrow().is_empty() {
                self.queue.stop();
                return;
            }
            drop(turn);
            // Who waits for the turn would never have it else, while there is always something to commit.
            env::give_way().await;
        }
    }

    /// Fills the group from the queue and commits it; gives its record, if there was something to write.
    async fn commit_group(&self, group: &mut Vec<Job>) -> StorageResult<Option<Bytes>> {
        let mut reconnects = 0;
        let mut turn = None;
        loop {
            if turn.is_none() && self.queue.in_turn.get() > 0 {
                turn = self.turn_at_commit().await?;
            }
            let Some(Planned { position, record, contents }) = self.plan(group).await? else {
                // Nothing to write; but a refusal is right only if no commit was missed.
                if group.is_empty() || !self.catch_up_in_turn().await? {
                    return Ok(None);
                }
                continue;
            };
            let floor = self.floor();
            let mut write = Write {
                observe: vec![(Space::Meta, FLOOR_KEY.into())],
                changes: vec![Change::Add(Space::Log, position.into(), record.clone())],
                ..Write::default()
            };
            if !contents.is_empty() {
                // A record below the floor does no harm, but what would be done with it to contents does.
                let content = Some(floor.clone());
                write.expect.push(Expectation { space: Space::Meta, key: FLOOR_KEY.into(), content });
                write.changes.extend(contents);
            }
            let committed = match self.storage.write(write).await {
                Ok(observed) => self.is_above_floor(position, observed.into_iter().flatten().next()),
                Err(StorageError::Conflict) => false,
                Err(StorageError::Unknown) if self.is_committed(position, &record).await? => true,
                // Nothing is written. To catch up opens another connection, and finds the position that is free then.
                Err(StorageError::Closed | StorageError::Unknown) if reconnects < RECONNECTS => {
                    reconnects += 1;
                    self.catch_up_in_turn().await?;
                    continue;
                }
                Err(StorageError::Unknown) => return Err(StorageError::Closed),
                Err(error) => return Err(error),
            };
            if committed {
                let entries = record::entries(&record).expect("BUG: a record that cannot be read back");
                self.apply_entries(&record, entries);
                return Ok(Some(record));
            }
            self.queue.note_contention();
            if !self.catch_up_in_turn().await? && self.floor() == floor {
                // A conflict with nothing would be one for ever.
                return Err(StorageError::Conflict);
            }
        }
    }

    /// The record of the floor as it should be by what is known here.
    fn floor(&self) -> Bytes {
        encode_floor(self.state.borrow().manifest.flushed + 1, &self.header)
    }

    /// Waits for the turn to commit, and catches up with whoever had it before.
    async fn turn_at_commit(&self) -> StorageResult<Option<SharedTurn>> {
        let turn = self.storage.turn_at(Task::Commit, PATIENCE).await;
        match &turn {
            Some(turn) if turn.was_contested => {
                self.queue.note_contention();
                if !self.apply_heard() {
                    self.catch_up_in_turn().await?;
                }
            }
            Some(_) => self.queue.in_turn.set(self.queue.in_turn.get() - 1),
            // Somebody keeps it who is asleep, or there are no turns.
            None => self.queue.in_turn.set(0),
        }
        Ok(turn)
    }

    /// Whether a record that was added at a position is part of the log: below the floor, which another tab may have
    /// moved, nobody reads it, and nobody else will.
    fn is_above_floor(&self, position: u64, floor: Option<Bytes>) -> bool {
        floor.is_some_and(|floor| decode_floor(&floor, &self.header).is_ok_and(|floor| floor <= position))
    }

    /// Plans the group, and as much of the queue as it has room for, into a record for the next position; `None` where
    /// nothing is written.
    async fn plan(&self, group: &mut Vec<Job>) -> StorageResult<Option<Planned>> {
        let blocks = Rc::new(Blocks::new(self.cache.clone()));
        loop {
            let snapshot = self.snapshot_over(&blocks);
            let mut overlay = Overlay::new(snapshot.clone());
            for job in group.iter_mut() {
                (job.plan)(&mut overlay);
            }
            while overlay.size() < GROUP_BYTES {
                let Some(mut job) = self.queue.jobs.borrow_mut().pop_front() else { break };
                (job.plan)(&mut overlay);
                group.push(job);
            }
            let contents = overlay.content_changes();
            let wanted = blocks.take_wanted()?;
            if wanted.is_empty() {
                if overlay.is_empty() {
                    return Ok(None);
                }
                let position = self.position.get() + 1;
                let record = record::encode(position, self.writer, overlay);
                return Ok(Some(Planned { position, record, contents }));
            }
            if let Some(gone) = self.load(&blocks, &wanted).await? {
                if self.is_current(&snapshot) {
                    self.catch_up_in_turn().await?;
                }
                self.check_replaced(&snapshot, gone)?;
            }
        }
    }

    /// Settles a commit whose answer was lost: looks at its position, in the log or among those that were retired.
    async fn is_committed(&self, position: u64, record: &Bytes) -> StorageResult<bool> {
        let reads = [
            Read::One(Space::Log, position.into()),
            Read::One(Space::Meta, FLOOR_KEY.into()),
            Read::One(Space::Meta, MANIFEST_KEY.into()),
        ];
        let mut found = self.read(&reads).await?.into_iter().map(|found| found.into_iter().next());
        let (there, floor, manifest) =
            (found.next().flatten(), found.next().flatten(), found.next().flatten());
        if self.is_above_floor(position, floor) {
            return Ok(there.as_ref() == Some(record));
        }
        let manifest = manifest.as_ref().map(Manifest::decode).transpose()?.unwrap_or_default();
        if manifest.flushed < position {
            // The database is gone, which catching up will find.
            return Ok(false);
        }
        manifest.has_settled(position, record::settled(record)).ok_or_else(|| StorageError::Platform {
            name: "UnknownError".into(),
            message: "the connection was lost during the write, and too much was written since to tell whether it was made"
                .into(),
        })
    }
}
