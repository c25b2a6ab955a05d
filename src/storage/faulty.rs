//! A backend that fails or dies at the n-th operation.

use super::{Listener, Notice, Read, Storage, StorageError, StorageResult, Write};
use async_trait::async_trait;
use bytes::Bytes;
use std::cell::Cell;
use std::rc::Rc;

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails with a platform's error and does nothing.
    Refuse,
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
    pub const ALL: [Self; 5] =
        [Self::Refuse, Self::LoseAnswer, Self::LoseRequest, Self::DieBefore, Self::DieAfter];

    /// Whether nothing happens in this tab afterwards.
    pub fn is_fatal(self) -> bool {
        matches!(self, Self::DieBefore | Self::DieAfter)
    }
}

/// Which operation has a fault, and how many there have been. Shared with the test.
#[derive(Default)]
pub struct Faults {
    operations: Cell<u32>,
    armed: Cell<Option<(u32, Fault)>>,
    dead: Cell<bool>,
}

impl Faults {
    /// Lets the operation with this index, counted from 0, have the fault; the ones after it work again unless dead.
    pub fn arm(&self, operation: u32, fault: Fault) {
        self.armed.set(Some((operation, fault)));
    }

    /// How many operations there have been.
    pub fn operations(&self) -> u32 {
        self.operations.get()
    }

    async fn apply<T>(&self, operation: impl Future<Output = StorageResult<T>>) -> StorageResult<T> {
        let index = self.operations.replace(self.operations.get() + 1);
        let fault = self.armed.get().filter(|(armed, _)| *armed == index).map(|(_, fault)| fault);
        if self.dead.get() {
            return std::future::pending().await;
        }
        match fault {
            None => operation.await,
            Some(Fault::Refuse) => {
                Err(StorageError::Platform { name: "QuotaExceededError".into(), message: "no room".into() })
            }
            Some(Fault::LoseAnswer) => operation.await.and(Err(StorageError::Unknown)),
            Some(Fault::LoseRequest) => Err(StorageError::Unknown),
            Some(Fault::DieBefore) => {
                self.dead.set(true);
                std::future::pending().await
            }
            Some(Fault::DieAfter) => {
                self.dead.set(true);
                drop(operation.await);
                std::future::pending().await
            }
        }
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
        self.faults.apply(self.inner.read(reads)).await
    }

    async fn write(&self, write: Write) -> StorageResult<()> {
        self.faults.apply(self.inner.write(write)).await
    }

    fn announce(&self, notice: Notice) {
        if !self.faults.dead.get() {
            self.inner.announce(notice);
        }
    }

    fn listen(&self, listener: Listener) {
        self.inner.listen(listener);
    }

    fn close(&self) {
        self.inner.close();
    }

    async fn destroy(&self) -> StorageResult<()> {
        self.inner.destroy().await
    }
}
