//! Answering questions: synchronous functions of a snapshot, called again as the blocks that they want come to hand.

use super::cache::Blocks;
use super::open::{Engine, Inner};
use super::snapshot::Snapshot;
use crate::env::{self, Millis};
use crate::error::Result;
use crate::storage::{StorageError, StorageResult};
use std::rc::Rc;

/// After so many merges that took away what it was reading, a reader takes the turn at merging for itself.
const MOST_DISTURBED: u32 = 2;

/// So long it waits for that.
const PATIENCE: Millis = Millis(10_000);

/// What a step of a long question has come to. A step that wanted blocks is not the last one, whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is nothing more to do, or nothing could be done for want of blocks.
    Done,
    /// It came so far that what was read need not be read again, and goes on in the next step.
    Further,
}

impl Engine {
    /// Answers a question of the state after the last commit seen. `question` is called as often as it takes to have the
    /// blocks that it reads at hand, and must be free of side effects.
    ///
    /// # Errors
    /// The question's own; [`ErrorKind::Storage`](crate::error::ErrorKind::Storage) where a block cannot be read;
    /// [`ErrorKind::Closed`](crate::error::ErrorKind::Closed) or [`ErrorKind::Destroyed`](crate::error::ErrorKind::Destroyed)
    /// once the engine has ended.
    pub async fn read<T>(&self, mut question: impl FnMut(&Snapshot) -> Result<T>) -> Result<T> {
        let step = |answer: &mut Option<T>, snapshot: &Snapshot| {
            *answer = Some(question(snapshot)?);
            Ok(Step::Done)
        };
        let answer = self.read_in_steps(|| None, step).await?;
        Ok(answer.expect("BUG: a question was done without an answer"))
    }

    /// Answers a question that reads a lot, in steps between which other tasks run and blocks are let go. All steps see
    /// the same state. Where that is merged away under them, everything begins anew with another `begin()`.
    ///
    /// `step` gets on with what `begin` has made. What it found out when [`Snapshot::lacks_blocks`] is true may be wrong: it
    /// must not be kept.
    ///
    /// # Errors
    /// As [`Engine::read`].
    pub async fn read_in_steps<P>(
        &self,
        begin: impl Fn() -> P,
        mut step: impl FnMut(&mut P, &Snapshot) -> Result<Step>,
    ) -> Result<P> {
        self.inner.check()?;
        let blocks = Rc::new(Blocks::new(self.inner.cache.clone()));
        let mut snapshot = self.inner.snapshot_over(&blocks);
        let mut progress = begin();
        let mut has_loaded = false;
        let mut disturbed = 0;
        let mut _undisturbed = None;
        loop {
            let outcome = step(&mut progress, &snapshot);
            let wanted = blocks.take_wanted()?;
            if outcome == Ok(Step::Further) {
                blocks.let_go();
            }
            if wanted.is_empty() {
                match outcome? {
                    Step::Done => {
                        if has_loaded {
                            self.inner.read_indexes_ahead();
                        }
                        return Ok(progress);
                    }
                    Step::Further => env::pause().await,
                }
            } else {
                self.inner.maintenance.note_read();
                has_loaded = true;
                if let Some(gone) = self.inner.load(&blocks, &wanted).await? {
                    if self.inner.is_current(&snapshot) {
                        self.refresh().await?;
                    }
                    self.inner.check_replaced(&snapshot, gone)?;
                    disturbed += 1;
                    if disturbed == MOST_DISTURBED {
                        // While this has the turn nobody merges, nor does this tab.
                        _undisturbed = self.inner.storage.turn(PATIENCE).await;
                        self.refresh().await?;
                    }
                    snapshot = self.inner.snapshot_over(&blocks);
                    progress = begin();
                }
            }
            self.inner.check()?;
        }
    }

    /// Answers a question at once that needs nothing but the memtable and the metadata.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::error::ErrorKind::Closed) or [`ErrorKind::Destroyed`](crate::error::ErrorKind::Destroyed)
    /// once the engine has ended.
    pub fn peek<T>(&self, question: impl FnOnce(&Snapshot) -> T) -> Result<T> {
        self.inner.check()?;
        let blocks = Rc::new(Blocks::new(self.inner.cache.clone()));
        Ok(question(&self.inner.snapshot_over(&blocks)))
    }

    /// The state after the last commit seen; what is in runs is there only as far as it is in the cache.
    #[cfg(test)]
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.peek(Snapshot::clone)
    }
}

impl Inner {
    pub(super) fn snapshot_over(&self, blocks: &Rc<Blocks>) -> Snapshot {
        Snapshot::new(self.state.borrow().clone(), blocks.clone())
    }

    /// Whether the manifest is still the snapshot's.
    pub(super) fn is_current(&self, snapshot: &Snapshot) -> bool {
        snapshot.has_manifest(&self.state.borrow().manifest)
    }

    /// Makes sure that there is another state than the snapshot's, of which a block is gone.
    ///
    /// # Errors
    /// The error that was given, where there is not: then the block should be there.
    pub(super) fn check_replaced(&self, snapshot: &Snapshot, gone: StorageError) -> StorageResult<()> {
        if self.is_current(snapshot) { Err(gone) } else { Ok(()) }
    }
}
