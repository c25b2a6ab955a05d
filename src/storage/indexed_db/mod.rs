//! Records in IndexedDB: an object store for each [`Space`], keys as they are, contents as `Uint8Array`.
//!
//! A transaction awaits nothing but its own requests: anything else would let the browser commit it early.

mod error;
mod read;

use super::notices::Notices;
use super::web_locks::WebLocks;
use super::{
    Change, Durability, Key, Listener, Notice, Read, SharedTurn, Space, Storage, StorageError, StorageResult,
    Task, Write,
};
use crate::env::Millis;
use async_trait::async_trait;
use bytes::Bytes;
use error::{from_idb, from_open};
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
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// The version of the object stores; the format of what is in them is the engine's.
const SCHEMA_VERSION: u32 = 1;

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
    name: String,
    durability: Durability,
    shared: Rc<Shared>,
}

struct Shared {
    state: Cell<State>,
    /// None after the browser closed the connection by itself; the next read opens it again.
    connection: RefCell<Option<Database>>,
    notices: Notices,
}

impl IndexedDb {
    /// Opens the database, new and empty if there is none of this name. `adapter` is the name told to the application;
    /// `durability` is that of the writes.
    ///
    /// # Errors
    /// [`StorageError::Platform`] where IndexedDB is missing, denied or full.
    pub async fn open(name: &str, adapter: &'static str, durability: Durability) -> StorageResult<Self> {
        let storage = Self {
            adapter,
            name: name.to_owned(),
            durability,
            shared: Rc::new(Shared {
                state: Cell::new(State::Open),
                connection: RefCell::default(),
                notices: Notices::new(&format!("potoroo:{name}")),
            }),
        };
        storage.connection().await?;
        Ok(storage)
    }

    async fn connection(&self) -> StorageResult<Database> {
        if self.shared.state.get() != State::Open {
            return Err(StorageError::Closed);
        }
        let connected = self.shared.connection.borrow().clone();
        if let Some(database) = connected {
            return Ok(database);
        }
        let database = Database::open(self.name.as_str())
            .with_version(SCHEMA_VERSION)
            .with_on_upgrade_needed(|_, database| {
                for space in Space::ALL {
                    database.create_object_store(space.name()).build()?;
                }
                Ok(())
            })
            .await
            .map_err(from_open)?;
        if self.shared.state.get() != State::Open {
            database.close();
            return Err(StorageError::Closed);
        }
        self.watch(database.clone());
        self.shared.connection.replace(Some(database.clone()));
        Ok(database)
    }

    /// Closes the connection when another tab deletes the database, and forgets it when the browser closes it.
    fn watch(&self, database: Database) {
        let Ok(mut events) = database.version_changes() else { return };
        let shared = Rc::downgrade(&self.shared);
        crate::env::spawn(async move {
            let event = events.recv().await;
            let Some(shared) = shared.upgrade() else { return };
            if shared.state.get() != State::Open {
                return;
            }
            if let Some(connection) = shared.connection.take() {
                connection.close();
            }
            // No event: the browser closed the connection by itself. A version: a newer Potoroo wants to upgrade.
            if event.is_some_and(|event| event.new_version().is_none()) {
                shared.state.set(State::Gone);
                shared.notices.tell_self(Notice::Gone);
            }
        });
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
        match addition.await {
            Err(error) if error::is_constraint(&error) => return Err(StorageError::Conflict),
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
        let database = self.connection().await?;
        let answer = read_all(database.as_sys(), reads).await;
        self.shared.forget_if_closed(&answer);
        answer
    }

    async fn write(&self, write: Write) -> StorageResult<Vec<Option<Bytes>>> {
        let database = self.shared.connection.borrow().clone().ok_or(StorageError::Closed)?;
        let outcome = write_all(&database, &write, self.durability).await;
        self.shared.forget_if_closed(&outcome);
        outcome
    }

    fn announce(&self, notice: Notice) {
        self.shared.notices.tell_others(notice);
    }

    fn listen(&self, listener: Listener) {
        self.shared.notices.listen(listener);
    }

    async fn turn_at(&self, task: Task, patience: Millis) -> Option<SharedTurn> {
        let kind = match task {
            Task::Commit => "commit",
            Task::Background => "background",
        };
        let locks = WebLocks::find(&format!("potoroo:{kind}:{}", self.name)).await?;
        let (held, was_contested) = locks.turn_within(patience).await?;
        Some(SharedTurn::new(was_contested, held))
    }

    fn close(&self) {
        if self.shared.state.get() == State::Open {
            self.shared.state.set(State::Closed);
        }
        self.shared.notices.close();
        if let Some(connection) = self.shared.connection.take() {
            connection.close();
        }
    }

    async fn destroy(&self) -> StorageResult<()> {
        self.shared.state.set(State::Gone);
        if let Some(connection) = self.shared.connection.take() {
            connection.close();
        }
        let deleted = Database::delete_by_name(&self.name).map_err(from_open)?.await;
        self.shared.notices.tell_others(Notice::Gone);
        self.shared.notices.close();
        deleted.map_err(from_idb)
    }
}

impl Shared {
    /// Drops a connection that the browser has closed, so that the next read opens a new one.
    fn forget_if_closed<T>(&self, outcome: &StorageResult<T>) {
        if let Err(StorageError::Closed | StorageError::Unknown) = outcome
            && self.state.get() == State::Open
            && let Some(connection) = self.connection.take()
        {
            connection.close();
        }
    }
}
