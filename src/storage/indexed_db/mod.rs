//! Records in IndexedDB: an object store for each [`Space`], keys as they are, contents as `Uint8Array`.
//!
//! A transaction awaits nothing but its own requests: anything else would let the browser commit it early.

mod connection;
mod error;
mod read;
mod write;

use super::web_locks::WebLocks;
use super::{
    Change, Content, Decide, Durability, Listener, Notice, Read, Rest, SharedTurn, Space, Storage,
    StorageError, StorageResult, Write,
};
use crate::env::Millis;
use async_trait::async_trait;
use bytes::Bytes;
use connection::{Missing, Shared, State};
use error::{from_idb, from_open};
use indexed_db_futures::database::Database;
use indexed_db_futures::internals::SystemRepr as _;
use read::{read_all, read_content_names, read_contents};
use std::cell::Cell;
use std::rc::Rc;
use web_sys::IdbDatabase;
use write::{write_all, write_upon};

/// A key of `meta` under which there is never anything.
const NO_KEY: &str = "nothing";

/// Up to this size a write is tried twice where there is no room.
const MOST_BYTES_TWICE: usize = 1 << 20;

/// A connection to one IndexedDB database.
pub struct IndexedDb {
    adapter: &'static str,
    durability: Durability,
    shared: Rc<Shared>,
}

impl IndexedDb {
    /// Opens the database, new and empty if there is none of this name. `adapter` is the name told to the application;
    /// `durability` is that of the writes.
    ///
    /// # Errors
    /// [`StorageError::Platform`] where IndexedDB is missing, denied or full.
    pub async fn open(name: &str, adapter: &'static str, durability: Durability) -> StorageResult<Self> {
        let shared = Shared::new(name);
        shared.connect(Missing::Make).await?;
        Ok(Self { adapter, durability, shared })
    }

    /// Reads over the connection, or another one if there is none.
    async fn reading<T>(&self, read: impl AsyncFnOnce(&IdbDatabase) -> StorageResult<T>) -> StorageResult<T> {
        let reading = async {
            let open = self.shared.connection().await?;
            read(open.database.as_sys()).await
        };
        let answer = self.shared.unless_lost(reading, StorageError::Closed).await;
        self.shared.forget_if_closed(&answer);
        answer
    }

    /// The database, if somebody has looked at it over this connection.
    fn database_to_write(&self) -> StorageResult<Database> {
        let open = self.shared.connected().filter(|open| open.looked_at.get());
        open.map(|open| open.database).ok_or(StorageError::Closed)
    }

    /// Has the browser look how much room there is; tells whether a write of so many bytes that it has refused should be tried once
    /// more.
    ///
    /// Chromium goes by a number that it corrects only when something was committed: a storage that was full once would
    /// stay so for ever, whatever is removed from it. A transaction that only deletes is never refused.
    async fn measures_room(&self, database: &Database, refused: &StorageError, bytes: usize) -> bool {
        if refused.name() != "QuotaExceededError" {
            return false;
        }
        let nothing = Change::Delete(Space::Meta, NO_KEY.into());
        let nothing = Write { changes: vec![nothing], ..Write::default() };
        let is_measured = write_all(database, &nothing, self.durability).await.is_ok();
        // Larger ones fill the disk with what is given up again; who makes them tries again later.
        is_measured && bytes <= MOST_BYTES_TWICE
    }
}

fn bytes_of(changes: &[Change]) -> usize {
    changes.iter().map(Change::bytes).sum()
}

#[async_trait(?Send)]
impl Storage for IndexedDb {
    fn adapter(&self) -> &'static str {
        self.adapter
    }

    async fn read(&self, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>> {
        let reading = async {
            let open = self.shared.connection().await?;
            let answer = read_all(open.database.as_sys(), reads).await?;
            if reads.iter().any(|read| matches!(read, Read::One(Space::Meta, _))) {
                open.looked_at.set(true);
            }
            Ok(answer)
        };
        let answer = self.shared.unless_lost(reading, StorageError::Closed).await;
        self.shared.forget_if_closed(&answer);
        answer
    }

    async fn hold(&self, content: Content) -> StorageResult<Content> {
        Ok(match content {
            Content::Browser(content) => Content::Browser(content.to_kept().await?),
            bytes => bytes,
        })
    }

    async fn read_contents(&self, names: &[String]) -> StorageResult<Vec<Option<Content>>> {
        let answer = self.reading(async |database| read_contents(database, names).await).await;
        Ok(answer?.into_iter().map(|found| found.map(Content::Browser)).collect())
    }

    async fn content_names(&self) -> StorageResult<Vec<String>> {
        self.reading(async |database| read_content_names(database).await).await
    }

    async fn write(&self, write: Write) -> StorageResult<Vec<Option<Bytes>>> {
        let database = self.database_to_write()?;
        let writing = async {
            match write_all(&database, &write, self.durability).await {
                Err(error) if self.measures_room(&database, &error, bytes_of(&write.changes)).await => {
                    write_all(&database, &write, self.durability).await
                }
                outcome => outcome,
            }
        };
        let outcome = self.shared.unless_lost(writing, StorageError::Unknown).await;
        self.shared.forget_if_closed(&outcome);
        outcome
    }

    async fn write_upon(&self, reads: &[Read], decide: &mut Decide<'_>) -> StorageResult<bool> {
        let database = self.database_to_write()?;
        let bytes = Cell::new(0);
        let mut decide = |found| decide(found).inspect(|changes| bytes.set(bytes_of(changes)));
        let writing = async {
            match write_upon(&database, reads, &mut decide, self.durability).await {
                Err(error) if self.measures_room(&database, &error, bytes.get()).await => {
                    write_upon(&database, reads, &mut decide, self.durability).await
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
        self.shared.give_up_later();
    }

    async fn turn(&self, patience: Millis) -> Option<SharedTurn> {
        let locks = WebLocks::find(&format!("potoroo:background:{}", self.shared.name)).await?;
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
