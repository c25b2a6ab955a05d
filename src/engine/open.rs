use super::batch::Overlay;
use super::cache::Cache;
use super::catch_up::{missing, reads_behind, reads_of_beginning};
use super::group::{Job, Queue};
use super::header::{FLOOR_KEY, HEADER_KEY, Header, decode_floor, encode_floor};
use super::keyspace::Keyspace;
use super::maintain::Maintenance;
use super::record;
use super::runs::Settled;
use super::settings::Settings;
use super::snapshot::State;
use crate::env;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{
    Change, Expectation, Notice, Read, Rest, Space, Storage, StorageError, StorageResult, Write,
};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::lock::Mutex;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The log's first position.
const FIRST_POSITION: u64 = 1;

/// So often a new database is begun, where it is not known whether that has worked, before that is told.
const CREATIONS: u32 = 3;

/// Why an engine works no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was closed.
    Closed,
    /// The database was destroyed, here or by another tab.
    Destroyed,
}

impl From<Ended> for Error {
    fn from(ended: Ended) -> Self {
        Self::new(match ended {
            Ended::Closed => ErrorKind::Closed,
            Ended::Destroyed => ErrorKind::Destroyed,
        })
    }
}

/// What a new database is besides empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beginning {
    /// Its identity, where it takes the place of another database; else it gets one of its own.
    pub instance: Option<String>,
    /// The key and the value of an entry of the metadata that is there from the first moment on.
    pub first_commit: Option<(Vec<u8>, Vec<u8>)>,
}

/// Finds out what a new database begins with; awaited only where there is none.
pub type Origin = LocalBoxFuture<'static, Result<Beginning>>;

/// Called after every commit, of this engine or another tab's, and once when the engine ends.
pub(crate) type EngineListener = Rc<dyn Fn(Option<Ended>)>;

/// A database's engine; clones share it.
#[derive(Clone)]
pub struct Engine {
    pub(super) inner: Rc<Inner>,
}

pub(super) struct Inner {
    pub(super) storage: Box<dyn Storage>,
    /// Tells this engine's records from others'.
    pub(super) writer: u64,
    pub(super) queue: Queue,
    pub(super) header: Header,
    pub(super) settings: Settings,
    pub(super) state: RefCell<State>,
    /// The manifest's record as last seen; none before the first flush.
    pub(super) manifest_record: RefCell<Option<Bytes>>,
    pub(super) cache: Rc<Cache>,
    pub(super) has_read_ahead: Cell<bool>,
    /// Whether work in the background is leased, because the platform gives no turns at it.
    pub(super) leases: Cell<bool>,
    /// The record that keeps what there is from being more than read; see [`Settings::salvage`].
    pub(super) damage: RefCell<Option<StorageError>>,
    /// The last position applied.
    pub(super) position: Cell<u64>,
    /// How the log's records since the last flush can be told, once they are retired.
    pub(super) recent: RefCell<Vec<Settled>>,
    pub(super) maintenance: Maintenance,
    /// Records that other tabs have told and that could not be applied yet, by their positions.
    pub(super) heard: RefCell<BTreeMap<u64, Bytes>>,
    pub(super) ended: Cell<Option<Ended>>,
    /// Held by whoever applies records: a commit, or catching up.
    pub(super) turn: Mutex<()>,
    listeners: RefCell<Vec<(u64, EngineListener)>>,
    next_listener: Cell<u64>,
}

impl Engine {
    /// Opens a database, new if the storage is empty.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`], with the name of what is wrong as reason: the platform's errors, `DataError` for a damaged
    /// record (of the log, unless [`Settings::salvage`] is set) and `VersionError` for a newer format.
    pub async fn open(storage: Box<dyn Storage>, settings: Settings) -> Result<Self> {
        Self::open_from(storage, settings, None).await
    }

    /// The same; a new database begins as `origin` says.
    ///
    /// # Errors
    /// Those of [`Engine::open`], and those of `origin`: then there is no database.
    pub async fn open_from(
        storage: Box<dyn Storage>,
        settings: Settings,
        origin: Option<Origin>,
    ) -> Result<Self> {
        // Heard once there is an engine; from the first read on no commit is missed.
        let heard: Rc<Cell<Option<Notice>>> = Rc::default();
        let hearing = heard.clone();
        storage.listen(Box::new(move |notice| hearing.set(Some(notice))));
        let Begun { header, position, found } = match read_or_create(&*storage, origin).await {
            Ok(found) => found,
            Err(error) => {
                storage.close();
                return Err(error);
            }
        };
        let inner = Rc::new(Inner {
            storage,
            writer: u64::from_le_bytes(env::random_bytes()),
            queue: Queue::default(),
            header,
            settings,
            state: RefCell::default(),
            manifest_record: RefCell::default(),
            cache: Rc::new(Cache::new(settings.cache_bytes)),
            has_read_ahead: Cell::new(false),
            leases: Cell::new(false),
            damage: RefCell::default(),
            position: Cell::new(position),
            recent: RefCell::default(),
            maintenance: Maintenance::default(),
            heard: RefCell::default(),
            ended: Cell::new(None),
            turn: Mutex::new(()),
            listeners: RefCell::default(),
            next_listener: Cell::new(0),
        });
        let weak = Rc::downgrade(&inner);
        inner.storage.listen(Box::new(move |notice| {
            if let Some(inner) = weak.upgrade() {
                inner.hear(notice);
            }
        }));
        // A notice may arrive already, and whoever hears it waits for the turn.
        let turn = inner.turn.lock().await;
        if let Err(error) = inner.catch_up_from(Some(found)).await {
            inner.storage.close();
            return Err(inner.error_of(error));
        }
        drop(turn);
        if let Some(notice) = heard.take() {
            inner.clone().hear(notice);
        }
        // Whoever opens a database will read.
        inner.maintenance.note_read();
        inner.maintain();
        Ok(Self { inner })
    }

    /// The database's identity, a UUID.
    pub fn instance(&self) -> &str {
        &self.inner.header.instance
    }

    /// The damaged record of the log because of which the database can only be read, as it was before it.
    pub fn damage(&self) -> Option<Error> {
        self.inner.damage.borrow().clone().map(Error::from)
    }

    /// PouchDB's name for the storage's kind of adapter.
    pub fn adapter(&self) -> &'static str {
        self.inner.storage.adapter()
    }

    /// Commits what `plan` writes, in a group with the plans that wait beside it, and gives its result once that is in
    /// the storage. `plan` must be free of side effects: it is called again where another tab committed first. Where it
    /// gives an error nothing is written, and the error is given once it is certain that no commit was missed.
    ///
    /// # Errors
    /// The plan's own; [`ErrorKind::Storage`] where the storage failed: then nothing of the plan is written.
    pub async fn commit<T: 'static>(
        &self,
        plan: impl FnMut(&mut Overlay) -> Result<T> + 'static,
    ) -> Result<T> {
        self.inner.check()?;
        if let Some(damage) = self.inner.damage.borrow().clone() {
            return Err(damage.into());
        }
        let (job, outcome) = Job::new(plan);
        self.inner.enqueue(job);
        outcome.await
    }

    /// Has the whole database written anew in the background, so that what was removed leaves the disk.
    pub fn tidy(&self) {
        self.inner.tidy();
    }

    /// Applies what other tabs have committed. Called where a notice may have been lost, such as when a page comes back
    /// from sleep.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub async fn refresh(&self) -> Result<()> {
        let _turn = self.inner.turn.lock().await;
        self.inner.check()?;
        self.inner.catch_up_in_turn().await.map(drop).map_err(|error| self.inner.error_of(error))
    }

    /// Lets go of what the storage holds while the page sleeps; [`Engine::refresh`], and whatever reads or writes, takes it
    /// up again.
    pub fn suspend(&self, rest: Rest) {
        if self.inner.ended.get().is_none() {
            self.inner.storage.suspend(rest);
        }
    }

    /// Gives up what the storage has not answered while the page slept, and applies what other tabs have committed.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub async fn resume(&self) -> Result<()> {
        self.inner.storage.resume();
        self.refresh().await
    }

    /// Has `listener` called after every commit and when the engine ends, until the returned number is given to
    /// [`Engine::unsubscribe`].
    pub(crate) fn subscribe(&self, listener: EngineListener) -> u64 {
        let number = self.inner.next_listener.replace(self.inner.next_listener.get() + 1);
        self.inner.listeners.borrow_mut().push((number, listener));
        number
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&self, number: u64) {
        self.inner.listeners.borrow_mut().retain(|(other, _)| *other != number);
    }

    /// Why the engine works no more, if so.
    pub fn ended(&self) -> Option<Ended> {
        self.inner.ended.get()
    }

    /// Waits for the commits under way and closes the storage; what comes later fails. Idempotent.
    pub async fn close(&self) {
        while !self.inner.queue.is_idle() && self.inner.ended.get().is_none() {
            drop(self.inner.turn.lock().await);
            self.inner.queue.idle().await;
        }
        let _turn = self.inner.turn.lock().await;
        self.inner.end(Ended::Closed);
        self.inner.storage.close();
    }

    /// Removes the database; this and other tabs' engines end. One that is destroyed already is left alone: by now there
    /// may be a new one of its name.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the platform refuses.
    pub async fn destroy(&self) -> Result<()> {
        let _turn = self.inner.turn.lock().await;
        if self.inner.ended.get() == Some(Ended::Destroyed) {
            return Ok(());
        }
        self.inner.end(Ended::Destroyed);
        Ok(self.inner.storage.destroy().await?)
    }
}

impl Inner {
    pub(super) fn check(&self) -> Result<()> {
        self.ended.get().map_or(Ok(()), |ended| Err(ended.into()))
    }

    /// What the application is told of a failure of the storage: that the engine has ended, or what is damaged, if that is why.
    pub(super) fn error_of(&self, error: StorageError) -> Error {
        let damage = || self.damage.borrow().clone().unwrap_or(error);
        self.check().err().unwrap_or_else(|| damage().into())
    }

    /// Reads, over another connection if the browser has closed the one there was.
    pub(super) async fn read(&self, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>> {
        match self.storage.read(reads).await {
            Err(StorageError::Closed) => self.storage.read(reads).await,
            answer => answer,
        }
    }

    pub(super) fn end(&self, ended: Ended) {
        if self.ended.get().is_none() {
            self.ended.set(Some(ended));
            self.maintenance.urge();
            self.queue.fail_all(&ended.into());
            self.tell(Some(ended));
            self.listeners.borrow_mut().clear();
        }
    }

    pub(super) fn tell(&self, ended: Option<Ended>) {
        let listeners: Vec<_> =
            self.listeners.borrow().iter().map(|(_, listener)| listener.clone()).collect();
        for listener in listeners {
            listener(ended);
        }
    }
}

/// What an engine begins with.
struct Begun {
    header: Header,
    /// There is no commit up to here that is not in the runs.
    position: u64,
    /// The answers to [`reads_behind`] that position.
    found: Vec<Vec<Bytes>>,
}

/// Reads what an engine begins with; if there is nothing, the header, the floor and the first commit are written before.
async fn read_or_create(storage: &dyn Storage, mut origin: Option<Origin>) -> Result<Begun> {
    let mut writes = 0;
    let mut beginning = Beginning::default();
    loop {
        // The log is read from the floor on: what was removed before it is in the browser's files for a long time still, and
        // looking through that takes longer than to ask twice.
        let found = storage.read(&reads_of_beginning()).await?;
        let mut first = found.iter().map(|found| found.first());
        let (header, floor) = (first.next().flatten(), first.next().flatten());
        if let Some(header) = header {
            let header = Header::decode(header)?;
            let floor = floor.ok_or_else(|| missing("meta/floor"))?;
            // Another tab may retire more of the log meanwhile; what is read now is one state, and says so.
            let position = decode_floor(floor, &header)?.saturating_sub(1);
            let behind = storage.read(&reads_behind(position)).await?;
            if behind.first() != found.first() {
                // It was destroyed meanwhile, and may have been made anew.
                continue;
            }
            return Ok(Begun { header, position, found: behind });
        }
        if floor.is_some() {
            return Err(missing("meta/header").into());
        }
        if let Some(origin) = origin.take() {
            beginning = origin.await?;
        }
        writes += 1;
        match storage.write(creation(&beginning)).await {
            // Read back in every case: another tab may have been first.
            Ok(_) => {}
            Err(StorageError::Conflict | StorageError::Unknown | StorageError::Closed)
                if writes < CREATIONS => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// What makes a database where there is none.
fn creation(beginning: &Beginning) -> Write {
    let header = Header { instance: beginning.instance.clone().unwrap_or_else(env::uuid) };
    let first_commit = beginning.first_commit.as_ref().map(|(key, value)| {
        let writer = u64::from_le_bytes(env::random_bytes());
        let record = record::encode_one(FIRST_POSITION, writer, Keyspace::Metadata, key, value);
        Change::Add(Space::Log, FIRST_POSITION.into(), record)
    });
    let records = [
        Change::Put(Space::Meta, HEADER_KEY.into(), header.encode()),
        Change::Put(Space::Meta, FLOOR_KEY.into(), encode_floor(FIRST_POSITION, &header)),
    ];
    Write {
        expect: vec![Expectation { space: Space::Meta, key: HEADER_KEY.into(), content: None }],
        changes: records.into_iter().chain(first_commit).collect(),
        ..Write::default()
    }
}
