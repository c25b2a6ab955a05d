//! What the engine needs of a place that keeps bytes: four spaces of records, read and written in transactions.
//!
//! A backend implements [`Storage`] and knows nothing of documents. All of them pass one [conformance] suite, natively
//! or in a page and in a worker. [`faulty`] wraps a backend and fails or dies at the n-th operation.

#[cfg(target_arch = "wasm32")]
mod browser_content;
mod choose;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod content;
mod error;
#[cfg(test)]
pub mod faulty;
#[cfg(target_arch = "wasm32")]
pub mod indexed_db;
#[cfg(any(test, target_arch = "wasm32"))]
mod local_storage;
pub mod memory;
#[cfg(target_arch = "wasm32")]
mod notices;
#[cfg(target_arch = "wasm32")]
mod web_locks;

#[cfg(target_arch = "wasm32")]
pub use browser_content::BrowserContent;
pub use choose::Adapter;
pub use content::Content;
pub use error::{StorageError, StorageResult};

use crate::env::Millis;
use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use std::any::Any;
use std::ops::Range;

/// A kind of record; each has its own keys. In IndexedDB each is an object store of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Few small records under a text: the header and the log's floor; later the manifest.
    Meta,
    /// Commits, under their position.
    Log,
    /// Blocks of sorted runs, under a number.
    Block,
    /// Contents of attachments, under their digest.
    Attachment,
}

impl Space {
    /// Every space there is.
    pub const ALL: [Self; 4] = [Self::Meta, Self::Log, Self::Block, Self::Attachment];

    /// The name a backend keeps it under.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Log => "log",
            Self::Block => "block",
            Self::Attachment => "attachment",
        }
    }
}

/// What a record is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A position or number; at most 2^53, because IndexedDB's numbers are doubles.
    Number(u64),
    /// A name or digest.
    Text(String),
}

impl From<u64> for Key {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// One request of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// The record under one key.
    One(Space, Key),
    /// The records under numbers from the first one on, in ascending order, at most so many.
    From(Space, u64, u32),
}

/// One change of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new record; the whole write fails with [`StorageError::Conflict`] if there is one under the key.
    Add(Space, Key, Bytes),
    /// A record, new or in place of the one under the key.
    Put(Space, Key, Bytes),
    /// The content of an attachment under its name in [`Space::Attachment`], as [`Storage::hold`] has given it.
    PutContent(String, Content),
    /// No record under the key any more.
    Delete(Space, Key),
    /// No records under these numbers any more.
    DeleteRange(Space, Range<u64>),
}

/// What must hold for a write to happen; else it fails with [`StorageError::Conflict`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The record's space.
    pub space: Space,
    /// The record's key.
    pub key: Key,
    /// Its content; `None` where there must be no record.
    pub content: Option<Bytes>,
}

/// A read-write transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Write {
    /// What must hold. In IndexedDB this costs a round trip before the changes can be committed.
    pub expect: Vec<Expectation>,
    /// Records to be read before the changes, whatever they are. Costs nothing, but the answer comes with the commit.
    pub observe: Vec<(Space, Key)>,
    /// What to do then, in this order.
    pub changes: Vec<Change>,
}

/// What an acknowledged write survives. Only IndexedDB gives the choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The end of the page and of the browser: the operating system has the write, and puts it on the disk when it likes.
    #[default]
    Relaxed,
    /// Also a crash of the operating system or a loss of power: the browser is asked to wait for the disk.
    Strict,
}

/// What the connections to one database tell each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Another connection has committed, up to this log position; and what its engine tells of it, which a backend may leave
    /// out.
    Committed(u64, Bytes),
    /// The database is gone: destroyed by another connection, or by the person through the browser's settings.
    Gone,
}

/// How much a page that goes to sleep lets go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// There are writes to come still, such as those of an application that saves when its page is left.
    Soon,
    /// Nothing of the page runs from now on.
    Still,
}

/// Makes of what was read what is to be written; `None`: nothing.
pub type Decide<'a> = dyn FnMut(Vec<Vec<Bytes>>) -> Option<Vec<Change>> + 'a;

/// A connection's turn at the work in the background, which is better done by one after another than by all at once; over when it
/// is dropped, and with the connection's page.
pub struct SharedTurn {
    /// Whether another connection had the turn before, and may have done something.
    pub was_contested: bool,
    _held: Box<dyn Any>,
}

impl SharedTurn {
    /// A turn that lasts as long as `held` lives.
    #[cfg(any(test, target_arch = "wasm32"))]
    fn new(was_contested: bool, held: impl Any) -> Self {
        Self { was_contested, _held: Box::new(held) }
    }
}

/// Called with what other connections tell.
pub type Listener = Box<dyn Fn(Notice)>;

/// One connection to one database's records.
///
/// Contract, checked by [conformance]:
/// - `read` sees one state: all of a write or nothing of it.
/// - `write` does all or nothing. When it has returned `Ok`, every later read of every connection sees it.
/// - Writes of all connections happen one after another; the expectations hold, and what is observed was there, at the
///   moment of the write.
/// - Where the platform has cut the connection, or the database was removed under it, writes fail with
///   [`StorageError::Closed`] until a `read` of [`Space::Meta`] has connected again: nothing is written into a database that
///   nobody has looked at.
/// - After [`StorageError::Unknown`] the write may or may not have happened: read to find out.
/// - A `read` never makes a database anew that is gone: where the platform tells, it fails with [`StorageError::Closed`],
///   and the listener hears [`Notice::Gone`].
/// - Dropping the future of a write leaves it done or not done, never half.
#[async_trait(?Send)]
pub trait Storage {
    /// The name PouchDB gives an adapter of this kind, such as `idb` or `memory`.
    fn adapter(&self) -> &'static str;

    /// Reads records in one transaction; an answer for each request, in order: the contents found (at most one for
    /// [`Read::One`]).
    async fn read(&self, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>>;

    /// What of a content is to be written: bytes, where the backend keeps nothing else.
    ///
    /// # Errors
    /// [`StorageError::Platform`] where the browser can't read it any more.
    async fn hold(&self, content: Content) -> StorageResult<Content> {
        content.to_bytes().await.map(Content::Bytes)
    }

    /// Contents of attachments by their names, in one transaction; `None` where there is none.
    async fn read_contents(&self, names: &[String]) -> StorageResult<Vec<Option<Content>>> {
        let one = |name: &String| Read::One(Space::Attachment, name.as_str().into());
        let found = self.read(&names.iter().map(one).collect::<Vec<_>>()).await?;
        Ok(found.into_iter().map(|found| found.into_iter().next().map(Content::Bytes)).collect())
    }

    /// The names of all contents that there are, in any order.
    async fn content_names(&self) -> StorageResult<Vec<String>>;

    /// Changes records in one transaction; gives the contents that were observed, in order.
    async fn write(&self, write: Write) -> StorageResult<Vec<Option<Bytes>>>;

    /// Reads records and does the changes that `decide` makes of the answers, both in one transaction: no other connection writes in
    /// between. Tells whether there was something to write. `decide` may not change [`Space::Block`]; it is called a second time, upon
    /// other answers, where there was no room at first.
    ///
    /// Takes a round trip more than [`Storage::write`], and waits until those who write now have done so.
    async fn write_upon(&self, reads: &[Read], decide: &mut Decide<'_>) -> StorageResult<bool>;

    /// Tells the other connections, without waiting for them. A notice may get lost; nothing may depend on one.
    fn announce(&self, notice: Notice);

    /// Has `listener` called with the notices of other connections, in place of an earlier one.
    fn listen(&self, listener: Listener);

    /// Lets go of what would keep the page out of the back/forward cache, or would hold up other tabs while the page
    /// does not run: channels, locks, and with [`Rest::Still`] the browser's connection. The next `read` of [`Space::Meta`] takes
    /// all of it up again; until then writes may fail with [`StorageError::Closed`], and no notices are heard.
    fn suspend(&self, rest: Rest);

    /// The page runs again: what was asked before and is not answered soon counts as lost, [`StorageError::Closed`] or
    /// [`StorageError::Unknown`].
    fn resume(&self);

    /// Asks for the turn at the work in the background. `None` where the platform has no such thing, or whoever has the turn keeps it
    /// for longer than `patience`: then the work is done all the same. Nothing may depend on a turn.
    async fn turn(&self, patience: Millis) -> Option<SharedTurn> {
        let _ = patience;
        None
    }

    /// Ends the connection; every later call fails with [`StorageError::Closed`]. Idempotent.
    fn close(&self);

    /// Ends the connection and removes the database; other connections hear [`Notice::Gone`].
    async fn destroy(&self) -> StorageResult<()>;
}
