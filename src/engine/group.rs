//! Group commit: the queue of plans, and the loop that commits them.

use super::batch::Overlay;
use super::cache::Blocks;
use super::catch_up::reads_behind;
use super::header::{FLOOR_KEY, decode_floor, encode_floor};
use super::open::Inner;
use super::record;
use super::runs::{MANIFEST_KEY, Manifest};
use super::snapshot::Snapshot;
use crate::env;
use crate::error::{Error, Result};
use crate::storage::{Change, Expectation, Read, Space, StorageError, StorageResult, Write};
use bytes::Bytes;
use futures_channel::oneshot;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// A group takes no more plans once it writes so many bytes: a commit stays one short transaction.
const GROUP_BYTES: usize = 4 << 20;

/// After a commit of another tab that was not known, so many groups are planned anew where they are written. A conflict costs two
/// round trips to the storage, and of many tabs that all try at once only one gets on.
const GROUPS_UPON_LOG: u32 = 20;

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

impl Planned {
    fn changes(&self) -> Vec<Change> {
        let record = Change::Add(Space::Log, self.position.into(), self.record.clone());
        [record].into_iter().chain(self.contents.iter().cloned()).collect()
    }
}

/// The plans that wait for the next group.
#[derive(Default)]
pub(super) struct Queue {
    jobs: RefCell<VecDeque<Job>>,
    running: Cell<bool>,
    waiting_for_idle: RefCell<Vec<oneshot::Sender<()>>>,
    /// So many groups more are written upon the log as it is found then.
    upon_log: Cell<u32>,
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
        self.upon_log.set(GROUPS_UPON_LOG);
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
        loop {
            let blocks = Rc::new(Blocks::new(self.cache.clone()));
            let Some(mut planned) = self.plan(group, &blocks).await? else {
                // Nothing to write; but a refusal is right only if no commit was missed.
                if group.is_empty() || !self.catch_up_in_turn().await? {
                    return Ok(None);
                }
                continue;
            };
            let floor = self.floor();
            let is_upon_log = self.queue.upon_log.get() > 0;
            let written = if is_upon_log {
                self.write_upon_log(group, &blocks, &mut planned).await
            } else {
                self.write_record(&planned, &floor).await
            };
            let Planned { position, record, .. } = planned;
            let committed = match written {
                Ok(false) if is_upon_log => {
                    // That is no conflict; whether there is one shows without.
                    self.queue.upon_log.set(0);
                    self.catch_up_in_turn().await?;
                    continue;
                }
                Ok(committed) => committed,
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

    /// Adds what was planned to the log; tells whether it is part of that.
    async fn write_record(&self, planned: &Planned, floor: &Bytes) -> StorageResult<bool> {
        // A record below the floor does no harm, but what would be done with it to contents does.
        let content = Some(floor.clone());
        let unmoved = Expectation { space: Space::Meta, key: FLOOR_KEY.into(), content };
        let write = Write {
            expect: if planned.contents.is_empty() { Vec::new() } else { vec![unmoved] },
            observe: vec![(Space::Meta, FLOOR_KEY.into())],
            changes: planned.changes(),
        };
        let observed = self.storage.write(write).await?;
        Ok(self.is_above_floor(planned.position, observed.into_iter().flatten().next()))
    }

    /// Commits in the transaction that finds what other tabs have committed, upon which the group is planned anew: while that lasts
    /// nobody else commits. Tells whether it was written, and leaves there what was; not where what is found is more than
    /// commits, or a block is not at hand.
    async fn write_upon_log(
        &self,
        group: &mut Vec<Job>,
        blocks: &Rc<Blocks>,
        planned: &mut Planned,
    ) -> StorageResult<bool> {
        let before = self.position.get();
        let mut decide = |found| {
            if !self.apply_found(found) {
                return None;
            }
            if planned.position <= self.position.get() {
                let anew = self.plan_over(&self.snapshot_over(blocks), group);
                if !blocks.take_wanted().is_ok_and(|wanted| wanted.is_empty()) {
                    return None;
                }
                *planned = anew?;
            }
            Some(planned.changes())
        };
        let written = self.storage.write_upon(&reads_behind(before), &mut decide).await;
        if self.position.get() > before {
            self.queue.note_contention();
            self.tell(None);
        } else {
            self.queue.upon_log.set(self.queue.upon_log.get() - 1);
        }
        written
    }

    /// The record of the floor as it should be by what is known here.
    pub(super) fn floor(&self) -> Bytes {
        encode_floor(self.state.borrow().manifest.flushed + 1, &self.header)
    }

    /// Whether a record that was added at a position is part of the log: below the floor, which another tab may have
    /// moved, nobody reads it, and nobody else will.
    fn is_above_floor(&self, position: u64, floor: Option<Bytes>) -> bool {
        floor.is_some_and(|floor| decode_floor(&floor, &self.header).is_ok_and(|floor| floor <= position))
    }

    /// Plans the group, and as much of the queue as it has room for, into a record for the next position; `None` where
    /// nothing is written.
    async fn plan(&self, group: &mut Vec<Job>, blocks: &Rc<Blocks>) -> StorageResult<Option<Planned>> {
        loop {
            let snapshot = self.snapshot_over(blocks);
            let planned = self.plan_over(&snapshot, group);
            let wanted = blocks.take_wanted()?;
            if wanted.is_empty() {
                return Ok(planned);
            }
            if let Some(gone) = self.load(blocks, &wanted).await? {
                if self.is_current(&snapshot) {
                    self.catch_up_in_turn().await?;
                }
                self.check_replaced(&snapshot, gone)?;
            }
        }
    }

    /// The same over a snapshot; what it gives where that lacks blocks does not count.
    fn plan_over(&self, snapshot: &Snapshot, group: &mut Vec<Job>) -> Option<Planned> {
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
        if overlay.is_empty() || snapshot.lacks_blocks() {
            return None;
        }
        let position = self.position.get() + 1;
        let record = record::encode(position, self.writer, overlay);
        Some(Planned { position, record, contents })
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
