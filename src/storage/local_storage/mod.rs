//! Records in localStorage: for little data, in a page that is denied IndexedDB.
//!
//! There is room for five million UTF-16 units for all of an origin, and every page that uses it keeps all of it in
//! memory. Contents are [texts of fifteen bits a unit](encoding); a write of several records is [made one](records) by a
//! root that decides. What belongs to a platform, the map, the turns and the notices, is an [`Origin`].
//!
//! ## What is promised
//!
//! With Web Locks, the whole contract of [`Storage`]. Browsers don't say when a page sees what another process has set, and
//! a lock may be granted before that. So each write tells its number by the name of a lock, and whoever reads or writes
//! waits until it sees the write of the greatest number. Two gaps remain: the writes of a tab that is killed in the
//! milliseconds in which the others do not see them yet can be overwritten, and pages that other software lets write
//! under the same keys are not taken into account.
//!
//! Without Web Locks (a page that is not served securely, old browsers), writers take turns by a text under a key, which
//! [works](turn) as long as a text set by one page is seen by the others within a tenth of a second, and slows each write down by
//! that time. Reads may lag behind other tabs' writes by as much. Two tabs on a machine that stands still for longer can
//! overwrite each other's writes.
//!
//! A tab killed anywhere leaves all of a write or nothing. The browser writes to the disk when it likes (Chromium within some
//! seconds): if all of it is killed, or the machine, the last writes are lost, though never a part of one before another.

#[cfg(target_arch = "wasm32")]
mod browser;
mod encoding;
pub(crate) mod map;
mod names;
mod records;
mod root;
#[cfg(test)]
mod tests;
mod turn;
#[cfg(target_arch = "wasm32")]
mod web_locks;

#[cfg(target_arch = "wasm32")]
pub(crate) use browser::{is_there, open};

use super::{Listener, Notice, Read, Storage, StorageError, StorageResult, Write};
use crate::env::{self, Millis};
use async_trait::async_trait;
use bytes::Bytes;
use futures_channel::oneshot;
use map::StringMap;
use names::Names;
use records::Records;
use root::Root;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// How long a page waits to see what it knows to be written, and how often it looks.
const LOOKS: u32 = 1000;
const PAUSE: Millis = Millis(5);

/// The platform beneath one connection: a map, turns, and what connections tell each other.
#[async_trait(?Send)]
pub(crate) trait Origin {
    /// Held by who writes.
    type Turn: 'static;

    /// The map, which all connections share.
    fn map(&self) -> &dyn StringMap;

    /// Waits until no other connection writes; none does before the answer is dropped.
    async fn turn(&self) -> StorageResult<Self::Turn>;

    /// The greatest number that was told for a database; 0 where nothing is known.
    async fn newest(&self, instance: &str) -> StorageResult<u64>;

    /// Lets the other connections know the number of this one's last write.
    async fn tell_number(&self, instance: &str, number: u64);

    /// As [`Storage::announce`].
    fn announce(&self, notice: Notice);

    /// As [`Storage::listen`].
    fn listen(&self, listener: Listener);

    /// Ends what the connection holds.
    fn close(&self);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Closed by us.
    Closed,
    /// Destroyed, by us or by another tab.
    Gone,
}

/// A connection to one database in localStorage.
pub(crate) struct LocalStorage<O> {
    names: Names,
    origin: Rc<O>,
    shared: Rc<Shared>,
}

struct Shared {
    state: Cell<State>,
    /// The database this connection has looked at last: no other one is written.
    instance: RefCell<Option<String>>,
    listener: RefCell<Option<Rc<Listener>>>,
}

impl<O: Origin + 'static> LocalStorage<O> {
    /// Opens the database, new and empty if there is none of this name.
    ///
    /// # Errors
    /// [`StorageError::Platform`] where the platform refuses or there is no room.
    pub(crate) async fn over(name: &str, origin: O) -> StorageResult<Self> {
        let shared = Rc::new(Shared {
            state: Cell::new(State::Open),
            instance: RefCell::default(),
            listener: RefCell::default(),
        });
        let storage = Self { names: Names::new(name), origin: Rc::new(origin), shared };
        storage.hear();
        let root = match storage.newest_root().await? {
            // To open what there is takes no turn and no room.
            Some(root) => root,
            None => storage.create().await?,
        };
        storage.shared.instance.replace(Some(root.instance));
        Ok(storage)
    }

    /// Makes the database, unless another connection does first.
    async fn create(&self) -> StorageResult<Root> {
        let _turn = self.origin.turn().await?;
        match self.newest_root().await? {
            Some(root) => Ok(root),
            None => self.records().create(env::uuid()),
        }
    }

    fn records(&self) -> Records<'_> {
        Records::new(self.origin.map(), &self.names)
    }

    fn hear(&self) {
        let shared = Rc::downgrade(&self.shared);
        self.origin.listen(Box::new(move |notice| {
            let Some(shared) = shared.upgrade() else { return };
            if notice == Notice::Gone && shared.state.get() == State::Open {
                shared.state.set(State::Gone);
            }
            // Released before the call: the listener may close the storage.
            let listener = shared.listener.borrow().clone();
            if let Some(listener) = listener {
                listener(notice);
            }
        }));
    }

    fn check_open(&self) -> StorageResult<()> {
        if self.shared.state.get() == State::Open { Ok(()) } else { Err(StorageError::Closed) }
    }

    /// The root, once every write is seen that is known to be done; `None` where there is no database.
    async fn newest_root(&self) -> StorageResult<Option<Root>> {
        let Some(root) = self.records().root()? else { return Ok(None) };
        let newest = self.origin.newest(&root.instance).await?;
        for _ in 0..LOOKS {
            let found = self.records().root()?;
            if found.as_ref().is_none_or(|found| found.instance != root.instance || found.number >= newest) {
                return Ok(found);
            }
            env::sleep(PAUSE).await;
        }
        Err(StorageError::Platform {
            name: "TimeoutError".into(),
            message: format!("this page does not get to see write {newest}, which another one has done"),
        })
    }
}

#[async_trait(?Send)]
impl<O: Origin + 'static> Storage for LocalStorage<O> {
    fn adapter(&self) -> &'static str {
        "localstorage"
    }

    async fn read(&self, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>> {
        self.check_open()?;
        let root = self.newest_root().await?;
        self.check_open()?;
        self.shared.instance.replace(root.as_ref().map(|root| root.instance.clone()));
        match root {
            Some(root) => self.records().read(&root, reads),
            None => Ok(reads.iter().map(|_| Vec::new()).collect()),
        }
    }

    async fn write(&self, write: Write) -> StorageResult<Vec<Option<Bytes>>> {
        self.check_open()?;
        let turn = self.origin.turn().await?;
        let root = self.newest_root().await?;
        self.check_open()?;
        // From here on to the end of the write nothing is awaited.
        let looked_at = self.shared.instance.borrow().clone();
        if root.as_ref().map(|root| &root.instance) != looked_at.as_ref() {
            return Err(StorageError::Closed);
        }
        let records = self.records();
        let mut root = match root {
            Some(root) => root,
            None => {
                let root = records.create(env::uuid())?;
                self.shared.instance.replace(Some(root.instance.clone()));
                root
            }
        };
        records.settle(&mut root)?;
        let before = root.number;
        let observed = records.write(&mut root, &write)?;
        if root.number > before {
            self.finish(turn, root).await;
        }
        Ok(observed)
    }

    fn announce(&self, notice: Notice) {
        if self.shared.state.get() == State::Open {
            self.origin.announce(notice);
        }
    }

    fn listen(&self, listener: Listener) {
        self.shared.listener.replace(Some(Rc::new(listener)));
    }

    fn close(&self) {
        if self.shared.state.get() == State::Open {
            self.shared.state.set(State::Closed);
        }
        self.shared.listener.replace(None);
        self.origin.close();
    }

    async fn destroy(&self) -> StorageResult<()> {
        self.shared.state.set(State::Gone);
        let turn = self.origin.turn().await?;
        let destroyed = self.records().destroy();
        drop(turn);
        self.origin.announce(Notice::Gone);
        self.close();
        destroyed
    }
}

impl<O: Origin + 'static> LocalStorage<O> {
    /// Gives the turn back once the others know of the write: also where nobody waits for its end any more.
    async fn finish(&self, turn: O::Turn, root: Root) {
        let (done, finished) = oneshot::channel();
        let origin = self.origin.clone();
        env::spawn(async move {
            origin.tell_number(&root.instance, root.number).await;
            drop(turn);
            // Whoever has written may be gone.
            let _ = done.send(());
        });
        // Cancelled only where the task is dropped with everything else.
        let _ = finished.await;
    }
}
