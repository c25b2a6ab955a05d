//! Records in IndexedDB: an object store for each [`Space`], keys as they are, contents as `Uint8Array`.
//!
//! A transaction awaits nothing but its own requests: anything else would let the browser commit it early.

mod error;
mod read;

use super::notices::Notices;
use super::web_locks::WebLocks;
use super::{
    Change, Durability, Key, Listener, Notice, Read, Rest, SharedTurn, Space, Storage, StorageError,
    StorageResult, Task, Write,
};
use crate::env::Millis;
use async_trait::async_trait;
use bytes::Bytes;
use error::{from_idb, from_open};
use futures_channel::oneshot;
use futures_util::future::{AbortHandle, Either, FutureExt as _, abortable, select};
use indexed_db_futures::KeyRange;
use indexed_db_futures::database::Database;
use indexed_db_futures::future::BasicRequest;
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::prelude::*;
use indexed_db_futures::transaction::{
    Transaction, TransactionDurability, TransactionMode, TransactionOptions,
};
use js_sys::Uint8Array;
use read::{content, read_all};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The version of the object stores; the format of what is in them is the engine's.
const SCHEMA_VERSION: u32 = 1;

/// How long after its return a page waits for answers to what it has asked before.
const ANSWERED: Millis = Millis(2000);

/// After what pauses to look whether a database is there whose connection the browser has closed.
const LOOKS: [Millis; 4] = [Millis(0), Millis(100), Millis(500), Millis(2000)];

/// A key of `meta` under which there is never anything.
const NO_KEY: &str = "nothing";

/// Up to this size a write is tried twice where there is no room.
const MOST_BYTES_TWICE: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Closed by us.
    Closed,
    /// Deleted, by us or by another tab.
    Gone,
}

/// A connection to one IndexedDB database.
pub struct IndexedDb {
    adapter: &'static str,
    durability: Durability,
    shared: Rc<Shared>,
}

struct Shared {
    name: String,
    state: Cell<State>,
    /// None after the browser closed the connection by itself, or the page went to sleep; the next read opens it again.
    connection: RefCell<Option<Connection>>,
    notices: Notices,
    /// What is asked of the browser and not answered.
    asked: RefCell<Vec<oneshot::Sender<()>>>,
}

struct Connection {
    database: Database,
    /// Ends the task that waits for what happens to it.
    watch: AbortHandle,
}

impl Connection {
    /// What is under way is done still.
    fn close(self) {
        self.watch.abort();
        self.database.close();
    }
}

impl IndexedDb {
    /// Opens the database, new and empty if there is none of this name. `adapter` is the name told to the application;
    /// `durability` is that of the writes.
    ///
    /// # Errors
    /// [`StorageError::Platform`] where IndexedDB is missing, denied or full.
    pub async fn open(name: &str, adapter: &'static str, durability: Durability) -> StorageResult<Self> {
        let shared = Rc::new(Shared {
            name: name.to_owned(),
            state: Cell::new(State::Open),
            connection: RefCell::default(),
            notices: Notices::new(&format!("potoroo:{name}")),
            asked: RefCell::default(),
        });
        shared.connect(Missing::Make).await?;
        Ok(Self { adapter, durability, shared })
    }
}

/// What to do where there is no database of the name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Make,
    /// It was there, so it is gone.
    Leave,
}

impl IndexedDb {
    /// Has the browser look how much room there is, and tries a write that it has refused once more.
    ///
    /// Chromium goes by a number that it corrects only when something was committed: a storage that was full once would
    /// stay so for ever, whatever is removed from it. A transaction that only deletes is never refused.
    async fn write_after_measuring(
        &self,
        database: &Database,
        write: &Write,
        refused: StorageError,
    ) -> StorageResult<Vec<Option<Bytes>>> {
        let nothing = Change::Delete(Space::Meta, NO_KEY.into());
        let measured =
            write_all(database, &Write { changes: vec![nothing], ..Write::default() }, self.durability).await;
        // Larger ones fill the disk with what is given up again; who makes them tries again later.
        let bytes: usize = write.changes.iter().map(Change::bytes).sum();
        if measured.is_err() || bytes > MOST_BYTES_TWICE {
            return Err(refused);
        }
        write_all(database, write, self.durability).await
    }
}

impl Shared {
    /// The connection there is, or another one to the same database.
    async fn connection(self: &Rc<Self>) -> StorageResult<Database> {
        if self.state.get() != State::Open {
            return Err(StorageError::Closed);
        }
        self.notices.take_up();
        let connected = self.connected();
        match connected {
            Some(database) => Ok(database),
            None => self.connect(Missing::Leave).await,
        }
    }

    fn connected(&self) -> Option<Database> {
        self.connection.borrow().as_ref().map(|connection| connection.database.clone())
    }

    async fn connect(self: &Rc<Self>, missing: Missing) -> StorageResult<Database> {
        let is_gone = Rc::new(Cell::new(false));
        let found_none = is_gone.clone();
        let opening = Database::open(self.name.clone()).with_version(SCHEMA_VERSION).with_on_upgrade_needed(
            move |event, database| {
                let is_new = event.old_version() == 0.0;
                for space in Space::ALL {
                    let store = database.create_object_store(space.name()).build()?;
                    if is_new && missing == Missing::Leave {
                        found_none.set(true);
                        // Nothing is left behind then. The request fails, whether this works or not.
                        let _ = store.transaction().as_sys().abort();
                        break;
                    }
                }
                Ok(())
            },
        );
        let (sender, opened) = oneshot::channel();
        crate::env::spawn(async move {
            if let Err(Ok(database)) = sender.send(opening.await) {
                // Nobody waits for it any more.
                database.close();
            }
        });
        let opened = opened.await.map_err(|_| StorageError::Closed)?;
        if is_gone.get() {
            self.end();
            return Err(StorageError::Closed);
        }
        let database = opened.map_err(from_open)?;
        if self.state.get() != State::Open {
            database.close();
            return Err(StorageError::Closed);
        }
        if let Some(earlier) = self.connected() {
            // Somebody else was as quick.
            database.close();
            return Ok(earlier);
        }
        let watch = self.watch(&database);
        self.connection.replace(Some(Connection { database: database.clone(), watch }));
        Ok(database)
    }

    /// Closes the connection when another tab deletes the database, and looks what there is when the browser closes it.
    fn watch(self: &Rc<Self>, database: &Database) -> AbortHandle {
        let events = database.version_changes();
        let shared = Rc::downgrade(self);
        let (watch, handle) = abortable(async move {
            let Ok(mut events) = events else { return };
            let event = events.recv().await;
            let Some(shared) = shared.upgrade() else { return };
            if let Some(connection) = shared.connection.take() {
                connection.database.close();
            }
            match event.map(|event| event.new_version()) {
                Some(None) => shared.end(),
                // A newer Potoroo wants to upgrade.
                Some(Some(_)) => {}
                // The browser closed the connection by itself, maybe because the person has removed the data.
                None => shared.look_again().await,
            }
        });
        crate::env::spawn(async move {
            // Aborted where the connection is closed by us.
            let _ = watch.await;
        });
        handle
    }

    /// The answer of the browser, or `lost` where none comes after the page has slept. Firefox never answers what a page
    /// asks while it goes into the back/forward cache, and has written it or not.
    async fn unless_lost<T>(
        &self,
        asking: impl Future<Output = StorageResult<T>>,
        lost: StorageError,
    ) -> StorageResult<T> {
        let (sender, is_lost) = oneshot::channel();
        self.asked.borrow_mut().retain(|asked| !asked.is_canceled());
        self.asked.borrow_mut().push(sender);
        match select(pin!(asking), is_lost).await {
            Either::Right((Ok(()), _)) => Err(lost),
            Either::Left((answer, _)) => answer,
            Either::Right((Err(_), asking)) => asking.await,
        }
    }

    /// Finds out whether the database is there still. Any other failure shows at the next read.
    async fn look_again(self: &Rc<Self>) {
        for pause in LOOKS {
            // Nothing is opened while the browser is about to remove all.
            crate::env::sleep(pause).await;
            if !matches!(self.connection().await, Err(StorageError::Closed))
                || self.state.get() != State::Open
            {
                return;
            }
        }
    }

    /// The database was deleted.
    fn end(&self) {
        if self.state.get() == State::Open {
            self.state.set(State::Gone);
            self.notices.tell_self(Notice::Gone);
        }
    }

    fn disconnect(&self) {
        let connection = self.connection.take();
        if let Some(connection) = connection {
            connection.close();
        }
    }

    /// Drops a connection that the browser has closed, so that the next read opens a new one.
    fn forget_if_closed<T>(&self, outcome: &StorageResult<T>) {
        if let Err(StorageError::Closed | StorageError::Unknown) = outcome {
            self.disconnect();
        }
    }
}

type IdbResult<T> = Result<T, indexed_db_futures::error::Error>;

fn js_key(key: &Key) -> JsValue {
    match key {
        Key::Number(number) => JsValue::from_f64(*number as f64),
        Key::Text(text) => JsValue::from_str(text),
    }
}

fn begin<'a>(
    database: &'a Database,
    spaces: impl Iterator<Item = Space>,
    mode: TransactionMode,
    durability: Durability,
) -> IdbResult<Transaction<'a>> {
    let mut names: Vec<&str> = spaces.map(Space::name).collect();
    names.sort_unstable();
    names.dedup();
    let mut options = TransactionOptions::new();
    options.set_durability(match durability {
        Durability::Relaxed => TransactionDurability::Relaxed,
        Durability::Strict => TransactionDurability::Strict,
    });
    database.transaction(names).with_mode(mode).with_options(options).build()
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Add(_, _, content) | Self::Put(_, _, content) => content.len(),
            Self::Delete(..) | Self::DeleteRange(..) => 0,
        }
    }

    fn space(&self) -> Space {
        match self {
            Self::Add(space, ..)
            | Self::Put(space, ..)
            | Self::Delete(space, _)
            | Self::DeleteRange(space, _) => *space,
        }
    }
}

/// Sends a change's request without waiting for it; for an addition, gives the request that fails if the key is taken.
fn send(transaction: &Transaction<'_>, change: &Change) -> IdbResult<Option<BasicRequest<JsValue>>> {
    let store = transaction.object_store(change.space().name())?;
    match change {
        Change::Add(_, key, bytes) => {
            let value = JsValue::from(Uint8Array::from(bytes.as_ref()));
            return store.add(value).with_key(js_key(key)).build().map(Some);
        }
        Change::Put(_, key, bytes) => {
            let value = JsValue::from(Uint8Array::from(bytes.as_ref()));
            drop(store.put(value).with_key(js_key(key)).build()?);
        }
        Change::Delete(_, key) => drop(store.delete::<JsValue, _>(KeyRange::Only(js_key(key))).build()?),
        // IndexedDB refuses a range with nothing in it.
        Change::DeleteRange(_, numbers) if numbers.is_empty() => {}
        Change::DeleteRange(_, numbers) => {
            let number = |number: u64| js_key(&Key::Number(number));
            let range = KeyRange::Bound(number(numbers.start), false, number(numbers.end), true);
            drop(store.delete::<JsValue, _>(range).build()?);
        }
    }
    Ok(None)
}

async fn write_all(
    database: &Database,
    write: &Write,
    durability: Durability,
) -> StorageResult<Vec<Option<Bytes>>> {
    let spaces = write.expect.iter().map(|expectation| expectation.space);
    let spaces = spaces.chain(write.observe.iter().map(|(space, _)| *space));
    let spaces = spaces.chain(write.changes.iter().map(Change::space));
    let transaction = begin(database, spaces, TransactionMode::Readwrite, durability).map_err(from_idb)?;
    let get = |space: Space, key: &Key| {
        let store = transaction.object_store(space.name()).map_err(from_idb)?;
        store.get::<JsValue, JsValue, _>(KeyRange::Only(js_key(key))).build().map_err(from_idb)
    };
    let found = write
        .expect
        .iter()
        .map(|expectation| get(expectation.space, &expectation.key))
        .collect::<Result<Vec<_>, _>>()?;
    let observed =
        write.observe.iter().map(|(space, key)| get(*space, key)).collect::<Result<Vec<_>, _>>()?;
    let mut additions = Vec::new();
    for change in &write.changes {
        additions.extend(send(&transaction, change).map_err(from_idb)?);
    }
    // The changes are under way already, which saves a round trip; but none is awaited before this is decided, because
    // Safari may keep what was awaited when the transaction is aborted.
    for (request, expectation) in found.into_iter().zip(&write.expect) {
        if request.await.map_err(from_idb)?.and_then(content) != expectation.content {
            // The outcome of an abort tells nothing more.
            let _ = transaction.abort().await;
            return Err(StorageError::Conflict);
        }
    }
    let handle = transaction.as_sys().clone();
    let committed = transaction.commit().await;
    for addition in additions {
        // Not waited for: Chromium never answers the requests of a transaction that waits for another one whose commit
        // finds the storage full. A key that was taken is what has ended the transaction, so it is known by now.
        match addition.now_or_never() {
            Some(Err(error)) if error::is_constraint(&error) => return Err(StorageError::Conflict),
            _ => {}
        }
    }
    committed.map_err(|error| error::from_commit(error, handle.error()))?;
    let mut contents = Vec::with_capacity(observed.len());
    for request in observed {
        contents.push(request.await.map_err(from_idb)?.and_then(content));
    }
    Ok(contents)
}

#[async_trait(?Send)]
impl Storage for IndexedDb {
    fn adapter(&self) -> &'static str {
        self.adapter
    }

    async fn read(&self, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>> {
        let reading = async {
            let database = self.shared.connection().await?;
            read_all(database.as_sys(), reads).await
        };
        let answer = self.shared.unless_lost(reading, StorageError::Closed).await;
        self.shared.forget_if_closed(&answer);
        answer
    }

    async fn write(&self, write: Write) -> StorageResult<Vec<Option<Bytes>>> {
        let database = self.shared.connected().ok_or(StorageError::Closed)?;
        let writing = async {
            match write_all(&database, &write, self.durability).await {
                Err(error) if error.name() == "QuotaExceededError" => {
                    self.write_after_measuring(&database, &write, error).await
                }
                outcome => outcome,
            }
        };
        let outcome = self.shared.unless_lost(writing, StorageError::Unknown).await;
        self.shared.forget_if_closed(&outcome);
        outcome
    }

    fn announce(&self, notice: Notice) {
        self.shared.notices.tell_others(notice);
    }

    fn listen(&self, listener: Listener) {
        self.shared.notices.listen(listener);
    }

    fn suspend(&self, rest: Rest) {
        self.shared.notices.let_go();
        if rest == Rest::Still {
            self.shared.disconnect();
        }
    }

    fn resume(&self) {
        let asked = self.shared.asked.take();
        if asked.is_empty() {
            return;
        }
        crate::env::spawn(async move {
            crate::env::sleep(ANSWERED).await;
            for asked in asked {
                // Gone where it was answered.
                let _ = asked.send(());
            }
        });
    }

    async fn turn_at(&self, task: Task, patience: Millis) -> Option<SharedTurn> {
        let kind = match task {
            Task::Commit => "commit",
            Task::Background => "background",
        };
        let locks = WebLocks::find(&format!("potoroo:{kind}:{}", self.shared.name)).await?;
        let (held, was_contested) = locks.turn_within(patience).await?;
        Some(SharedTurn::new(was_contested, held))
    }

    fn close(&self) {
        if self.shared.state.get() == State::Open {
            self.shared.state.set(State::Closed);
        }
        self.shared.notices.close();
        self.shared.disconnect();
    }

    async fn destroy(&self) -> StorageResult<()> {
        self.shared.state.set(State::Gone);
        self.shared.disconnect();
        let deleted = Database::delete_by_name(&self.shared.name).map_err(from_open)?.await;
        self.shared.notices.take_up();
        self.shared.notices.tell_others(Notice::Gone);
        self.shared.notices.close();
        deleted.map_err(from_idb)
    }
}
