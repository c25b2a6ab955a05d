use super::options::DatabaseOptions;
use super::shared::{self, SharedEngine};
use crate::edit::Counters;
use crate::engine::{Ended, Engine, Origin};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Rest;
use futures_channel::mpsc;
use serde::Serialize;
use std::cell::Cell;
use std::rc::Rc;

/// A handle of a local database; clones are the same handle.
#[derive(Clone)]
pub struct Database {
    inner: Rc<Handle>,
}

struct Handle {
    name: String,
    options: DatabaseOptions,
    shared: Rc<SharedEngine>,
    closed: Cell<bool>,
}

/// What a database tells those who watch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseEvent {
    /// There may be new changes, made here or in another tab.
    Changed,
    /// The engine was closed.
    Closed,
    /// The database was destroyed, here or in another tab.
    Destroyed,
}

/// Counters and names, as `info()` tells them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatabaseInfo {
    /// How many documents there are that are not deleted.
    pub doc_count: u64,
    /// The seq of the last change.
    pub update_seq: u64,
    /// The option the database was opened with.
    pub auto_compaction: bool,
    /// PouchDB's name of the kind of storage.
    pub adapter: &'static str,
    /// The damaged record because of which the database can only be read, as it was before it; with the option `salvage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

impl Database {
    /// Opens a database, new if there is none of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the storage refuses or what it holds cannot be read.
    pub async fn open(name: &str, options: DatabaseOptions) -> Result<Self> {
        Self::open_from(name, options, None).await
    }

    /// The same; a new database of IndexedDB begins as `origin` says.
    ///
    /// # Errors
    /// Those of [`Database::open`], and those of `origin`: then there is no database.
    pub async fn open_from(name: &str, options: DatabaseOptions, origin: Option<Origin>) -> Result<Self> {
        let shared = shared::acquire(name, &options, origin).await?;
        Ok(Self {
            inner: Rc::new(Handle { name: name.to_owned(), options, shared, closed: Cell::new(false) }),
        })
    }

    /// A handle of an engine that nobody else has, such as one over a storage with faults.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn over(engine: Engine, options: DatabaseOptions) -> Self {
        let shared = SharedEngine::alone(engine);
        Self {
            inner: Rc::new(Handle { name: crate::env::uuid(), options, shared, closed: Cell::new(false) }),
        }
    }

    pub(super) fn shared(&self) -> &Rc<SharedEngine> {
        &self.inner.shared
    }

    pub(super) fn engine(&self) -> Result<&Engine> {
        if self.inner.closed.get() && self.inner.shared.engine.ended() != Some(Ended::Destroyed) {
            return Err(Error::new(ErrorKind::Closed));
        }
        Ok(&self.inner.shared.engine)
    }

    pub(super) fn options(&self) -> &DatabaseOptions {
        &self.inner.options
    }

    /// The adapter's name as PouchDB has it.
    pub fn adapter(&self) -> &'static str {
        self.inner.shared.engine.adapter()
    }

    /// The database's identity, a UUID, which goes into replication ids.
    pub fn id(&self) -> &str {
        self.inner.shared.engine.instance()
    }

    /// Counters and names.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] and [`ErrorKind::Destroyed`].
    pub fn info(&self) -> Result<DatabaseInfo> {
        let counters = self.engine()?.peek(Counters::read)?;
        Ok(DatabaseInfo {
            doc_count: counters.doc_count,
            update_seq: counters.update_seq,
            auto_compaction: self.options().auto_compaction,
            adapter: self.adapter(),
            damage: self.engine()?.damage().map(|damage| damage.to_string()),
        })
    }

    /// Applies what other tabs have committed, where their notice may have been lost.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the storage cannot be read.
    pub async fn refresh(&self) -> Result<()> {
        self.engine()?.refresh().await
    }

    /// Lets go of what would keep a page that goes to sleep out of the back/forward cache, or hold up other tabs.
    /// [`Database::resume`], and whatever reads or writes, takes it up again.
    pub fn suspend(&self, rest: Rest) {
        self.inner.shared.engine.suspend(rest);
    }

    /// Gives up what the browser does not answer because the page slept, and applies what other tabs have committed.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the storage cannot be read.
    pub async fn resume(&self) -> Result<()> {
        self.engine()?.resume().await
    }

    /// What happens to the database from now on. Several changes may be one event.
    ///
    /// The stream ends with the engine, or when it is dropped.
    pub fn events(&self) -> DatabaseEvents {
        let (sender, receiver) = mpsc::unbounded();
        let engine = self.inner.shared.engine.clone();
        let number = engine.subscribe(Rc::new(move |ended| {
            // Nobody listens any more where the receiver was dropped.
            let _ = sender.unbounded_send(match ended {
                None => DatabaseEvent::Changed,
                Some(Ended::Closed) => DatabaseEvent::Closed,
                Some(Ended::Destroyed) => DatabaseEvent::Destroyed,
            });
        }));
        DatabaseEvents { receiver, engine, number }
    }

    /// Waits for the writes under way and closes this handle; the last handle of a name closes the storage. Idempotent.
    pub async fn close(&self) {
        if !self.inner.closed.replace(true) {
            shared::release(&self.inner.name, self.adapter(), &self.inner.shared).await;
        }
    }

    /// Removes the database; all handles, here and in other tabs, are told.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the platform refuses.
    pub async fn destroy(&self) -> Result<()> {
        self.engine()?;
        self.inner.closed.set(true);
        shared::destroy(&self.inner.name, self.adapter(), &self.inner.shared).await
    }
}

/// The events of a database, from [`Database::events`].
pub struct DatabaseEvents {
    receiver: mpsc::UnboundedReceiver<DatabaseEvent>,
    engine: Engine,
    number: u64,
}

impl DatabaseEvents {
    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<DatabaseEvent> {
        futures_util::StreamExt::next(&mut self.receiver).await
    }
}

impl Drop for DatabaseEvents {
    fn drop(&mut self) {
        self.engine.unsubscribe(self.number);
    }
}
