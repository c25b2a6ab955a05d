//! Records in memory: for Node, for tests, and where a page asks for a database that is gone with it.
//!
//! Databases live as long as the thread, as PouchDB's memory adapter has it: what is closed and opened again under
//! the same name has its records. Several connections to one database behave as several tabs do.

use super::{
    Change, Decide, Expectation, Key, Listener, Notice, Read, Rest, Space, Storage, StorageError,
    StorageResult, Write,
};
use async_trait::async_trait;
use bytes::Bytes;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::{Rc, Weak};

/// A database's records and its connections.
#[derive(Default)]
pub struct MemoryDisk {
    records: RefCell<BTreeMap<(Space, Key), Bytes>>,
    connections: RefCell<Vec<Weak<Connection>>>,
}

/// What happens to a disk behind the back of its connections.
#[cfg(test)]
impl MemoryDisk {
    /// All records.
    pub fn records(&self) -> Vec<((Space, Key), Bytes)> {
        self.records.borrow().iter().map(|(key, content)| (key.clone(), content.clone())).collect()
    }

    /// Sets or removes a record.
    pub fn tamper(&self, space: Space, key: impl Into<Key>, content: Option<Bytes>) {
        let key = (space, key.into());
        match content {
            Some(content) => self.records.borrow_mut().insert(key, content),
            None => self.records.borrow_mut().remove(&key),
        };
    }

    /// Removes everything without a word, as a browser does when it needs the room: connections are cut by that.
    pub fn wipe(&self) {
        self.records.borrow_mut().clear();
        for connection in self.connections.borrow().iter().filter_map(Weak::upgrade) {
            connection.cut.set(true);
        }
    }
}

struct Connection {
    open: Cell<bool>,
    /// Whether it has to be made again before anything is written.
    cut: Cell<bool>,
    listener: RefCell<Option<Rc<Listener>>>,
}

thread_local! {
    static DISKS: RefCell<HashMap<String, Rc<MemoryDisk>>> = RefCell::default();
}

/// A connection to a [`MemoryDisk`].
pub struct MemoryStorage {
    /// The name in [`DISKS`]; none for a disk that only its owner knows.
    name: Option<String>,
    disk: Rc<MemoryDisk>,
    connection: Rc<Connection>,
}

impl MemoryStorage {
    /// Connects to the thread's database of this name, which is empty if there was none.
    pub fn open(name: &str) -> Self {
        let disk = DISKS.with_borrow_mut(|disks| disks.entry(name.to_owned()).or_default().clone());
        Self { name: Some(name.to_owned()), ..Self::on(disk) }
    }

    /// Connects to `disk`.
    pub fn on(disk: Rc<MemoryDisk>) -> Self {
        let connection = Rc::new(Connection {
            open: Cell::new(true),
            cut: Cell::new(false),
            listener: RefCell::default(),
        });
        disk.connections.borrow_mut().push(Rc::downgrade(&connection));
        Self { name: None, disk, connection }
    }

    fn check_open(&self) -> StorageResult<()> {
        if self.connection.open.get() { Ok(()) } else { Err(StorageError::Closed) }
    }

    fn check_writable(&self) -> StorageResult<()> {
        self.check_open()?;
        if self.connection.cut.get() { Err(StorageError::Closed) } else { Ok(()) }
    }

    fn answers(&self, reads: &[Read]) -> Vec<Vec<Bytes>> {
        let records = self.disk.records.borrow();
        let answer = |read: &Read| match read {
            Read::One(space, key) => records.get(&(*space, key.clone())).cloned().into_iter().collect(),
            Read::From(space, first, limit) => records
                .range((*space, Key::Number(*first))..=(*space, Key::Number(u64::MAX)))
                .map(|(_, content)| content.clone())
                .take(*limit as usize)
                .collect(),
        };
        reads.iter().map(answer).collect()
    }

    fn change(&self, write: Write) -> StorageResult<Vec<Option<Bytes>>> {
        if !write.expect.iter().all(|expectation| self.holds(expectation)) {
            return Err(StorageError::Conflict);
        }
        let mut records = self.disk.records.borrow_mut();
        let taken = |change: &Change| match change {
            Change::Add(space, key, _) => records.contains_key(&(*space, key.clone())),
            _ => false,
        };
        if write.changes.iter().any(taken) {
            return Err(StorageError::Conflict);
        }
        let observed = write.observe.into_iter().map(|key| records.get(&key).cloned()).collect();
        for change in write.changes {
            match change {
                Change::Add(space, key, content) | Change::Put(space, key, content) => {
                    records.insert((space, key), content);
                }
                Change::PutContent(name, content) => {
                    let bytes = content.bytes().expect("BUG: a content that was not brought into memory");
                    records.insert((Space::Attachment, Key::Text(name)), bytes.clone());
                }
                Change::Delete(space, key) => {
                    records.remove(&(space, key));
                }
                Change::DeleteRange(space, range) => {
                    let is_in = |key: &Key| matches!(key, Key::Number(number) if range.contains(number));
                    records.retain(|(other, key), _| *other != space || !is_in(key));
                }
            }
        }
        Ok(observed)
    }

    fn holds(&self, expectation: &Expectation) -> bool {
        let records = self.disk.records.borrow();
        records.get(&(expectation.space, expectation.key.clone())) == expectation.content.as_ref()
    }
}

#[async_trait(?Send)]
impl Storage for MemoryStorage {
    fn adapter(&self) -> &'static str {
        "memory"
    }

    async fn read(&self, reads: &[Read]) -> StorageResult<Vec<Vec<Bytes>>> {
        self.check_open()?;
        self.connection.cut.set(false);
        Ok(self.answers(reads))
    }

    async fn content_names(&self) -> StorageResult<Vec<String>> {
        self.check_open()?;
        let records = self.disk.records.borrow();
        let names = records.keys().filter_map(|key| match key {
            (Space::Attachment, Key::Text(name)) => Some(name.clone()),
            _ => None,
        });
        Ok(names.collect())
    }

    async fn write(&self, write: Write) -> StorageResult<Vec<Option<Bytes>>> {
        self.check_writable()?;
        self.change(write)
    }

    async fn write_upon(&self, reads: &[Read], decide: &mut Decide<'_>) -> StorageResult<bool> {
        self.check_writable()?;
        let Some(changes) = decide(self.answers(reads)) else { return Ok(false) };
        self.change(Write { changes, ..Write::default() }).map(|_| true)
    }

    fn announce(&self, notice: Notice) {
        let mut connections = self.disk.connections.borrow().clone();
        connections.retain(|connection| !std::ptr::eq(connection.as_ptr(), Rc::as_ptr(&self.connection)));
        for connection in
            connections.iter().filter_map(Weak::upgrade).filter(|connection| connection.open.get())
        {
            let listener = connection.listener.borrow().clone();
            if let Some(listener) = listener {
                listener(notice.clone());
            }
        }
        self.disk.connections.borrow_mut().retain(|connection| connection.strong_count() > 0);
    }

    fn listen(&self, listener: Listener) {
        self.connection.listener.replace(Some(Rc::new(listener)));
    }

    fn suspend(&self, _: Rest) {}

    fn resume(&self) {}

    fn close(&self) {
        self.connection.open.set(false);
        self.connection.listener.replace(None);
    }

    async fn destroy(&self) -> StorageResult<()> {
        self.announce(Notice::Gone);
        for connection in self.disk.connections.take().iter().filter_map(Weak::upgrade) {
            connection.open.set(false);
        }
        self.disk.records.borrow_mut().clear();
        if let Some(name) = &self.name {
            DISKS.with_borrow_mut(|disks| disks.remove(name));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::conformance::{self, Connect};

    #[test]
    fn memory_conforms() {
        let new_database = |name: &str| -> Connect {
            let name = name.to_owned();
            Rc::new(move || {
                let storage: Box<dyn Storage> = Box::new(MemoryStorage::open(&name));
                Box::pin(async move { Ok(storage) })
            })
        };
        let outcomes = crate::env::block_on(conformance::run(new_database));
        let failures: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).collect();
        assert!(!outcomes.is_empty() && failures.is_empty(), "{failures:?}");
    }
}
