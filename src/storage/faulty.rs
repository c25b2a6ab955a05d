//! A backend that fails or dies at the n-th operation, takes its time, and loses notices.

use super::{
    Change, Decide, Listener, Notice, Read, Rest, SharedTurn, Storage, StorageError, StorageResult, Write,
};
use crate::env::{self, Millis};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::lock::Mutex;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails with a platform's error and does nothing.
    Refuse,
    /// The connection is closed before it: it is not done, and that is known. The next operation has another connection.
    Disconnect,
    /// It is done, but its answer is lost: the connection closes.
    LoseAnswer,
    /// It is not done, and that is not known: the connection closes.
    LoseRequest,
    /// Everything stops here, for good: the tab is killed before the operation.
    DieBefore,
    /// Everything stops here, for good: the tab is killed after the operation.
    DieAfter,
}

impl Fault {
    /// Every kind of fault.
    pub const ALL: [Self; 6] = [
        Self::Refuse,
        Self::Disconnect,
        Self::LoseAnswer,
        Self::LoseRequest,
        Self::DieBefore,
        Self::DieAfter,
    ];

    /// Whether nothing happens in this tab afterwards.
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::DieBefore | Self::DieAfter)
    }
}

/// Which operation has a fault, and how many there have been. Shared with the test.
#[derive(Default)]
pub struct Faults {
    operations: Cell<u32>,
    writes: Cell<u32>,
    armed: Cell<Option<(u32, Fault)>>,
    /// Whether the fault that is armed stays.
    stays: Cell<bool>,
    dead: Cell<bool>,
    /// Whether the connection is closed and no read has opened another one yet.
    cut: Cell<bool>,
    /// Who waits for the death.
    mourners: RefCell<Vec<Waker>>,
    pace: RefCell<Option<Random>>,
    loses_notices: Cell<bool>,
    /// How many bytes a write may add; `None` where there is no limit.
    room: Cell<Option<usize>>,
    /// Who has the turn at the work in the background.
    turns: RefCell<Option<Arc<Mutex<()>>>>,
}

impl Faults {
    /// Lets the operation with this index, counted from 0, have the fault; the ones after it work again unless dead.
    pub fn arm(&self, operation: u32, fault: Fault) {
        self.armed.set(Some((operation, fault)));
        self.stays.set(false);
    }

    /// Whether a fault is still to come.
    pub fn is_armed(&self) -> bool {
        self.armed.get().is_some_and(|(operation, _)| operation >= self.operations.get())
    }

    /// Lets the next operation have the fault.
    pub fn arm_next(&self, fault: Fault) {
        self.arm(self.operations.get(), fault);
    }

    /// Lets all operations from now on have the fault, until another is armed.
    pub fn arm_for_good(&self, fault: Fault) {
        self.arm_next(fault);
        self.stays.set(true);
    }

    /// From now on operations take some turns of the executor, before they happen and before they are answered, so that
    /// those of several connections mix.
    pub fn take_turns(&self, random: Random) {
        self.pace.replace(Some(random));
    }

    /// From now on no notice leaves this connection.
    pub fn lose_notices(&self) {
        self.loses_notices.set(true);
    }

    /// From now on only writes are done that add no more than so many bytes; `None` ends that.
    pub fn leave_room(&self, bytes: impl Into<Option<usize>>) {
        self.room.set(bytes.into());
    }

    /// From now on this connection works in the background only when it has `turns`, as the others do that were given the same.
    pub fn share_turns(&self, turns: &Arc<Mutex<()>>) {
        self.turns.replace(Some(turns.clone()));
    }

    fn has_room(&self, changes: &[Change]) -> bool {
        let bytes_of = |change: &Change| match change {
            Change::Add(.., content) | Change::Put(.., content) => content.len(),
            Change::PutContent(_, content) => content.length() as usize,
            Change::Delete(..) | Change::DeleteRange(..) => 0,
        };
        self.room.get().is_none_or(|room| changes.iter().map(bytes_of).sum::<usize>() <= room)
    }

    /// How many operations there have been.
    pub fn operations(&self) -> u32 {
        self.operations.get()
    }

    /// How many of them were writes.
    pub fn writes(&self) -> u32 {
        self.writes.get()
    }

    /// Resolves when the tab is killed.
    pub async fn death(&self) {
        std::future::poll_fn(|context| {
            if self.dead.get() {
                return Poll::Ready(());
            }
            self.mourners.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn die(&self) {
        self.dead.set(true);
        self.mourners.take().into_iter().for_each(Waker::wake);
    }

    async fn pause(&self) {
        let turns = self.pace.borrow_mut().as_mut().map_or(0, |random| 1 + random.below(3));
        take_turns(turns).await;
    }

    /// `lost` is what a caller hears of an operation whose connection closed under it.
    async fn apply<T>(
        &self,
        operation: impl Future<Output = StorageResult<T>>,
        lost: StorageError,
    ) -> StorageResult<T> {
        let index = self.operations.replace(self.operations.get() + 1);
        let is_armed = |armed| armed == index || armed < index && self.stays.get();
        let fault = self.armed.get().filter(|(armed, _)| is_armed(*armed)).map(|(_, fault)| fault);
        self.pause().await;
        if self.dead.get() {
            return std::future::pending().await;
        }
        if matches!(fault, Some(Fault::Disconnect | Fault::LoseAnswer | Fault::LoseRequest)) {
            self.cut.set(true);
        }
        let answer = match fault {
            None => operation.await,
            Some(Fault::Refuse) => Err(no_room()),
            Some(Fault::Disconnect) => Err(StorageError::Closed),
            Some(Fault::LoseAnswer) => operation.await.and(Err(lost)),
            Some(Fault::LoseRequest) => Err(lost),
            Some(Fault::DieBefore) => {
                self.die();
                return std::future::pending().await;
            }
            Some(Fault::DieAfter) => {
                drop(operation.await);
                self.die();
                return std::future::pending().await;
            }
        };
        self.pause().await;
        if self.dead.get() {
            return std::future::pending().await;
        }
        answer
    }
}

/// A backend with faults.
pub struct FaultyStorage<S> {
    inner: S,
    faults: Rc<Faults>,
}

impl<S: Storage> FaultyStorage<S> {
    /// `inner`, with the faults that the test arms.
    pub fn new(inner: S, faults: Rc<Faults>) -> Self {
        Self { inner, faults }
    }
}

#[async_trait(?Send)]
impl<S: Storage> Storage for FaultyStorage<S> {
    fn adapter(&self) -> &'static str {
        self.inner.adapter()
    }

    async fn read(&self, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>> {
        self.faults.cut.set(false);
        self.faults.apply(self.inner.read(reads), StorageError::Closed).await
    }

    async fn content_names(&self) -> StorageResult<Vec<String>> {
        self.faults.cut.set(false);
        self.faults.apply(self.inner.content_names(), StorageError::Closed).await
    }

    async fn write(&self, write: Write) -> StorageResult<Vec<Option<Bytes>>> {
        if self.faults.cut.get() {
            return Err(StorageError::Closed);
        }
        self.faults.writes.set(self.faults.writes.get() + 1);
        if !self.faults.has_room(&write.changes) {
            let refused = async { Err(no_room()) };
            return self.faults.apply(refused, StorageError::Unknown).await;
        }
        self.faults.apply(self.inner.write(write), StorageError::Unknown).await
    }

    async fn write_upon(&self, reads: &[Read], decide: &mut Decide<'_>) -> StorageResult<bool> {
        if self.faults.cut.get() {
            return Err(StorageError::Closed);
        }
        self.faults.writes.set(self.faults.writes.get() + 1);
        let mut has_room = true;
        let mut decide = |found| {
            let changes = decide(found)?;
            has_room = self.faults.has_room(&changes);
            has_room.then_some(changes)
        };
        let writing = self.inner.write_upon(reads, &mut decide);
        let outcome = self.faults.apply(writing, StorageError::Unknown).await;
        if has_room { outcome } else { Err(no_room()) }
    }

    fn announce(&self, notice: Notice) {
        if !self.faults.dead.get() && !self.faults.loses_notices.get() {
            self.inner.announce(notice);
        }
    }

    fn listen(&self, listener: Listener) {
        let faults = self.faults.clone();
        self.inner.listen(Box::new(move |notice| {
            if !faults.dead.get() {
                listener(notice);
            }
        }));
    }

    fn suspend(&self, rest: Rest) {
        self.inner.suspend(rest);
    }

    fn resume(&self) {
        self.inner.resume();
    }

    async fn turn(&self, _: Millis) -> Option<SharedTurn> {
        let turns = self.faults.turns.borrow().clone()?;
        Some(match turns.try_lock_owned() {
            Some(turn) => SharedTurn::new(false, turn),
            None => SharedTurn::new(true, turns.lock_owned().await),
        })
    }

    fn close(&self) {
        self.inner.close();
    }

    async fn destroy(&self) -> StorageResult<()> {
        self.inner.destroy().await
    }
}

fn no_room() -> StorageError {
    StorageError::Platform { name: "QuotaExceededError".into(), message: "no room".into() }
}

/// Lets other tasks run, so many times.
pub async fn take_turns(turns: u64) {
    for _ in 0..turns {
        crate::env::give_way().await;
    }
}

/// Numbers that follow from a seed (SplitMix64), for what a test must be able to repeat.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is more than 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// Other numbers, that follow from these.
    pub fn split(&mut self) -> Self {
        Self::new(self.number())
    }
}

/// From now on the random bytes on this thread are those of a seed: what is compressed takes as many bytes in each run of a
/// test, so that each flushes and merges at the same places.
pub fn repeat_randomness(seed: u64) {
    let mut random = Random::new(seed);
    env::take_randomness_from(move || random.number());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::conformance::{self, Connect};
    use crate::storage::memory::MemoryStorage;

    #[test]
    fn a_backend_without_faults_conforms_however_its_operations_mix() {
        for seed in 0..3 {
            let new_database = |name: &str| -> Connect {
                let name = format!("faulty {seed} {name}");
                let random = RefCell::new(Random::new(seed));
                Rc::new(move || {
                    let faults: Rc<Faults> = Rc::default();
                    faults.take_turns(random.borrow_mut().split());
                    let storage: Box<dyn Storage> =
                        Box::new(FaultyStorage::new(MemoryStorage::open(&name), faults));
                    Box::pin(async move { Ok(storage) })
                })
            };
            let outcomes = crate::env::block_on(conformance::run(new_database));
            let failures: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).collect();
            assert!(!outcomes.is_empty() && failures.is_empty(), "seed {seed}: {failures:?}");
        }
    }
}
