//! Records in localStorage: for little data, in a page that is denied IndexedDB.
//!
//! There is room for five million UTF-16 units for all of an origin, and every page that uses it keeps all of it in
//! memory. Contents are [texts of fifteen bits a unit](encoding); a write of several records is [made one](records) by a
//! root that decides. What belongs to a platform, the map, the turns and the notices, is an [`Origin`].
//!
//! ## What is promised
//!
//! With Web Locks, the whole contract of [`Storage`]. Browsers don't say when a page sees what another process has set, and
//! a lock may be granted before that (of 301 documents written by three tabs at once, 36 were lost in Chromium, with locks
//! alone). So each write tells its number by the name of a lock that its connection holds, and whoever reads or writes waits
//! until it sees the write of the greatest number. Two gaps remain: the writes of a tab that is killed in the
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
pub(super) use browser::platform_error;
#[cfg(target_arch = "wasm32")]
pub(crate) use browser::{is_there, open};

use super::{Decide, Listener, Notice, Read, Rest, Space, Storage, StorageError, StorageResult, Write};
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

/// How often a page looks for what it knows to be written, and after how long it gives up. A page in the background may get
/// to look only once a second, so looks are not counted.
const PAUSE: Millis = Millis(5);
const PATIENCE: Millis = Millis(5000);
/// After how long it takes a database, of which it is told and which it does not see, for one that is not there.
const PATIENCE_FOR_ANOTHER: Millis = Millis(1000);

/// What is told as the number of a database that was destroyed.
const DESTROYED: u64 = u64::MAX;

/// The platform beneath one connection: a map, turns, and what connections tell each other.
#[async_trait(?Send)]
pub(crate) trait Origin {
    /// Held by who writes.
    type Turn: 'static;

    /// The map, which all connections share.
    fn map(&self) -> &dyn StringMap;

    /// Waits until no other connection writes; none does before the answer is dropped.
    async fn turn(&self) -> StorageResult<Self::Turn>;

    /// What connections have told and still tell: instances and numbers. Nothing where the platform has no way to.
    async fn told(&self) -> StorageResult<Vec<(String, u64)>>;

    /// Tells the number of this connection's last write: in place of what it told before, until it is closed and all have
    /// seen the write.
    async fn tell(&self, instance: &str, number: u64);

    /// Tells nothing any more, as soon as all have seen what was told: the database is another one, or gone.
    fn forget(&self);

    /// As [`Storage::announce`].
    fn announce(&self, notice: Notice);

    /// As [`Storage::listen`].
    fn listen(&self, listener: Listener);

    /// As [`Storage::suspend`].
    fn suspend(&self);

    /// Takes up again what [`Origin::suspend`] let go of, if it did.
    fn resume(&self);

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
        let turn = self.origin.turn().await?;
        if let Some(root) = self.newest_root().await? {
            return Ok(root);
        }
        let root = self.records().create(env::uuid())?;
        self.finish(turn, root.instance.clone(), root.number).await;
        Ok(root)
    }

    fn records(&self) -> Records<'_> {
        Records::new(self.origin.map(), &self.names)
    }

    fn hear(&self) {
        let (shared, origin) = (Rc::downgrade(&self.shared), Rc::downgrade(&self.origin));
        self.origin.listen(Box::new(move |notice| {
            let (Some(shared), Some(origin)) = (shared.upgrade(), origin.upgrade()) else { return };
            if notice == Notice::Gone && shared.state.get() == State::Open {
                shared.state.set(State::Gone);
                origin.forget();
            }
            // Released before the call: the listener may close the storage.
            let listener = shared.listener.borrow().clone();
            if let Some(listener) = listener {
                listener(notice);
            }
        }));
    }

    /// The root of a read, which has looked at whatever database is there.
    async fn root_to_read(&self) -> StorageResult<Option<Root>> {
        self.check_open()?;
        self.origin.resume();
        let root = self.newest_root().await?;
        self.check_open()?;
        let instance = root.as_ref().map(|root| root.instance.clone());
        if self.shared.instance.replace(instance.clone()) != instance {
            self.origin.forget();
        }
        Ok(root)
    }

    fn check_open(&self) -> StorageResult<()> {
        if self.shared.state.get() == State::Open { Ok(()) } else { Err(StorageError::Closed) }
    }

    /// The root, once every write is seen that is known to be done; `None` where there is no database.
    async fn newest_root(&self) -> StorageResult<Option<Root>> {
        let began = env::now();
        loop {
            let told = self.origin.told().await?;
            // From here on nothing is awaited: what is returned is what there is.
            let waited = passed_since(began);
            let root = self.records().root()?;
            match sight(root.as_ref(), &told) {
                Sight::Newest => return Ok(root),
                Sight::OfAnother if waited >= PATIENCE_FOR_ANOTHER => return Ok(root),
                Sight::Older if waited >= PATIENCE => {
                    return Err(StorageError::Platform {
                        name: "TimeoutError".into(),
                        message: "this page does not get to see what another one has written".into(),
                    });
                }
                Sight::OfAnother | Sight::Older => {}
            }
            env::sleep(PAUSE).await;
        }
    }
}

fn passed_since(began: Millis) -> Millis {
    env::now().since(began)
}

/// What a page sees, by what it is told.
#[derive(Debug, PartialEq, Eq)]
enum Sight {
    /// All there is.
    Newest,
    /// A state before the last write.
    Older,
    /// Another database than that of which it is told, or none.
    OfAnother,
}

fn sight(root: Option<&Root>, told: &[(String, u64)]) -> Sight {
    let is_destroyed = |instance: &String| told.contains(&(instance.clone(), DESTROYED));
    if let Some(root) = root
        && told.iter().any(|(instance, number)| *instance == root.instance && *number > root.number)
    {
        return Sight::Older;
    }
    let seen = root.map(|root| &root.instance);
    let is_another = |instance: &String| Some(instance) != seen && !is_destroyed(instance);
    if told.iter().any(|(instance, _)| is_another(instance)) { Sight::OfAnother } else { Sight::Newest }
}

#[async_trait(?Send)]
impl<O: Origin + 'static> Storage for LocalStorage<O> {
    fn adapter(&self) -> &'static str {
        "localstorage"
    }

    async fn read(&self, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>> {
        match self.root_to_read().await? {
            Some(root) => self.records().read(&root, reads),
            None => Ok(reads.iter().map(|_| Vec::new()).collect()),
        }
    }

    async fn content_names(&self) -> StorageResult<Vec<String>> {
        match self.root_to_read().await? {
            Some(root) => self.records().texts(&root, Space::Attachment),
            None => Ok(Vec::new()),
        }
    }

    async fn write(&self, write: Write) -> StorageResult<Vec<Option<Bytes>>> {
        let changed = self.change(|_, _| Ok(Some(write))).await?;
        Ok(changed.unwrap_or_default())
    }

    async fn write_upon(&self, reads: &[Read], decide: &mut Decide<'_>) -> StorageResult<bool> {
        let write = |records: &Records<'_>, root: &Root| {
            let changes = decide(records.read(root, reads)?);
            Ok(changes.map(|changes| Write { changes, ..Write::default() }))
        };
        Ok(self.change(write).await?.is_some())
    }

    fn announce(&self, notice: Notice) {
        if self.shared.state.get() == State::Open {
            // Whoever knew of a record before its page sees it would be ahead of what it reads.
            let notice = match notice {
                Notice::Committed(position, _) => Notice::Committed(position, Bytes::new()),
                Notice::Gone => Notice::Gone,
            };
            self.origin.announce(notice);
        }
    }

    fn listen(&self, listener: Listener) {
        self.shared.listener.replace(Some(Rc::new(listener)));
    }

    fn suspend(&self, _: Rest) {
        self.origin.suspend();
    }

    fn resume(&self) {}

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
        let root = self.newest_root().await?;
        let destroyed = self.records().destroy();
        if let (Some(root), Ok(())) = (root, &destroyed) {
            self.finish(turn, root.instance, DESTROYED).await;
        }
        self.origin.announce(Notice::Gone);
        self.close();
        destroyed
    }
}

impl<O: Origin + 'static> LocalStorage<O> {
    /// Writes in turn with the other connections, if `write` makes something of what is there; gives what was observed then.
    async fn change(
        &self,
        write: impl FnOnce(&Records<'_>, &Root) -> StorageResult<Option<Write>>,
    ) -> StorageResult<Option<Vec<Option<Bytes>>>> {
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
        let Some(write) = write(&records, &root)? else { return Ok(None) };
        let observed = records.write(&mut root, &write)?;
        if root.number > before {
            self.finish(turn, root.instance, root.number).await;
        }
        Ok(Some(observed))
    }

    /// Gives the turn back once the others know of the write: also where nobody waits for its end any more.
    async fn finish(&self, turn: O::Turn, instance: String, number: u64) {
        let (done, finished) = oneshot::channel();
        let origin = self.origin.clone();
        env::spawn(async move {
            origin.tell(&instance, number).await;
            drop(turn);
            // Whoever has written may be gone.
            let _ = done.send(());
        });
        // Cancelled only where the task is dropped with everything else.
        let _ = finished.await;
    }
}
