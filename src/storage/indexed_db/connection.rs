//! The browser's connection to a database: opened, watched, let go of, and what is asked over it and never answered.

use super::error::from_open;
use crate::env::Millis;
use crate::storage::notices::Notices;
use crate::storage::{Notice, Space, StorageError, StorageResult};
use futures_channel::oneshot;
use futures_util::future::{AbortHandle, Either, abortable, select};
use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr as _;
use indexed_db_futures::prelude::*;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

/// The version of the object stores; the format of what is in them is the engine's.
const SCHEMA_VERSION: u32 = 1;

/// How long after its return a page waits for answers to what it has asked before.
const ANSWERED: Millis = Millis(2000);

/// After what pauses to look whether a database is there whose connection the browser has closed.
const LOOKS: [Millis; 4] = [Millis(0), Millis(100), Millis(500), Millis(2000)];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// Closed by us.
    Closed,
    /// Deleted, by us or by another tab.
    Gone,
}

pub(super) struct Shared {
    pub(super) name: String,
    pub(super) state: Cell<State>,
    /// None after the browser closed the connection by itself, or the page went to sleep; the next read opens it again.
    connection: RefCell<Option<Connection>>,
    pub(super) notices: Notices,
    /// What is asked of the browser and not answered.
    asked: RefCell<Vec<oneshot::Sender<()>>>,
}

struct Connection {
    open: OpenDatabase,
    /// Ends the task that waits for what happens to it.
    watch: AbortHandle,
}

/// A connection as it is used.
#[derive(Clone)]
pub(super) struct OpenDatabase {
    pub(super) database: Database,
    /// Whether somebody has looked what database that is: nothing is written before.
    pub(super) looked_at: Rc<Cell<bool>>,
}

impl Connection {
    /// What is under way is done still.
    fn close(self) {
        self.watch.abort();
        self.open.database.close();
    }
}

/// What to do where there is no database of the name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Make,
    /// It was there, so it is gone.
    Leave,
}

impl Shared {
    /// Not connected yet.
    pub(super) fn new(name: &str) -> Rc<Self> {
        Rc::new(Shared {
            name: name.to_owned(),
            state: Cell::new(State::Open),
            connection: RefCell::default(),
            notices: Notices::new(&format!("potoroo:{name}")),
            asked: RefCell::default(),
        })
    }

    /// The connection there is, or another one to the same database.
    pub(super) async fn connection(self: &Rc<Self>) -> StorageResult<OpenDatabase> {
        if self.state.get() != State::Open {
            return Err(StorageError::Closed);
        }
        self.notices.take_up();
        let connected = self.connected();
        match connected {
            Some(open) => Ok(open),
            None => self.connect(Missing::Leave).await,
        }
    }

    pub(super) fn connected(&self) -> Option<OpenDatabase> {
        self.connection.borrow().as_ref().map(|connection| connection.open.clone())
    }

    pub(super) async fn connect(self: &Rc<Self>, missing: Missing) -> StorageResult<OpenDatabase> {
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
        let looked_at = Rc::new(Cell::new(missing == Missing::Make));
        let open = OpenDatabase { database, looked_at };
        self.connection.replace(Some(Connection { open: open.clone(), watch }));
        Ok(open)
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
                connection.open.database.close();
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
    pub(super) async fn unless_lost<T>(
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
    pub(super) fn end(&self) {
        if self.state.get() == State::Open {
            self.state.set(State::Gone);
            self.notices.tell_self(Notice::Gone);
        }
    }

    pub(super) fn disconnect(&self) {
        let connection = self.connection.take();
        if let Some(connection) = connection {
            connection.close();
        }
    }

    /// Drops a connection that the browser has closed, so that the next read opens a new one.
    pub(super) fn forget_if_closed<T>(&self, outcome: &StorageResult<T>) {
        if let Err(StorageError::Closed | StorageError::Unknown) = outcome {
            self.disconnect();
        }
    }

    /// Counts as lost what is asked now and not answered after a while.
    pub(super) fn give_up_later(&self) {
        let asked = self.asked.take();
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
}
