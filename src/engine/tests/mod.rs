//! Tests of the engine: over memory, with several connections as several tabs, and with faults.

mod commits;
mod damage;
mod ending;
mod faults;
mod overlay;
mod records;
mod simulation;
mod tabs;
mod weather;

use super::cache::{Blocks, Cache};
use super::memtable::Memtable;
use super::snapshot::State;
use super::{Engine, Keyspace, Overlay, Settings, Snapshot, View};
use crate::env::at_once;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::faulty::{Faults, FaultyStorage};
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use bytes::Bytes;
use std::ops::Bound;
use std::rc::Rc;

/// An engine over a disk that other tabs may share, and what befalls its storage.
struct Tab {
    engine: Engine,
    faults: Rc<Faults>,
}

impl Tab {
    async fn open(disk: &Rc<MemoryDisk>) -> Self {
        Self::open_with(disk, Rc::default()).await.unwrap()
    }

    async fn open_with(disk: &Rc<MemoryDisk>, faults: Rc<Faults>) -> Result<Self> {
        // Never flushed, so that the operations of the storage are those of the commits.
        let settings = Settings { flush_bytes: usize::MAX, idle_flush: None, ..Settings::default() };
        Self::open_with_settings(disk, faults, settings).await
    }

    /// A tab that flushes after some commits and merges after some flushes.
    async fn open_tiny(disk: &Rc<MemoryDisk>) -> Self {
        Self::open_with_settings(disk, Rc::default(), Settings::tiny()).await.unwrap()
    }

    async fn open_with_settings(
        disk: &Rc<MemoryDisk>,
        faults: Rc<Faults>,
        settings: Settings,
    ) -> Result<Self> {
        let storage = FaultyStorage::new(MemoryStorage::on(disk.clone()), faults.clone());
        Ok(Self { engine: Engine::open(Box::new(storage), settings).await?, faults })
    }

    /// A tab whose commits the others hear nothing of, and the other way round is up to them.
    async fn open_silent(disk: &Rc<MemoryDisk>) -> Self {
        let tab = Self::open(disk).await;
        tab.faults.lose_notices();
        tab
    }

    async fn put(&self, key: &'static str, value: &'static str) -> Result<()> {
        let plan = move |overlay: &mut Overlay| {
            overlay.put(Keyspace::Document, key, value);
            Ok(())
        };
        self.engine.commit(plan).await
    }

    async fn append(&self, name: &str) -> Result<u64> {
        let name = name.to_owned();
        self.engine.commit(move |overlay| Ok(append(overlay, &name))).await
    }

    fn get(&self, key: &str) -> Option<String> {
        self.read(|snapshot| text(snapshot, key))
    }

    fn contents(&self) -> Vec<(Keyspace, Bytes, Bytes)> {
        self.read(contents)
    }

    /// Answers a question once all blocks there are are at hand.
    fn read<T: Default>(&self, question: impl Fn(&Snapshot) -> T) -> T {
        at_once(self.engine.read(|snapshot| {
            contents(snapshot);
            Ok(if snapshot.lacks_blocks() { T::default() } else { question(snapshot) })
        }))
        .unwrap()
    }
}

/// What a tab that is opened now finds.
async fn found_on(disk: &Rc<MemoryDisk>) -> Tab {
    Tab::open(disk).await
}

fn text(view: &impl View, key: &str) -> Option<String> {
    view.get(Keyspace::Document, key.as_bytes()).map(|value| String::from_utf8(value.to_vec()).unwrap())
}

fn contents(snapshot: &Snapshot) -> Vec<(Keyspace, Bytes, Bytes)> {
    let entries = Keyspace::IN_RUNS.into_iter().flat_map(|keyspace| {
        snapshot
            .scan(keyspace, (Bound::Unbounded, Bound::Unbounded), false)
            .map(move |(key, value)| (keyspace, key, value))
            .collect::<Vec<_>>()
    });
    let length = snapshot.get(Keyspace::Metadata, b"length");
    entries.chain(length.map(|length| (Keyspace::Metadata, "length".into(), length))).collect()
}

fn count(snapshot: &Snapshot, keyspace: Keyspace) -> usize {
    snapshot.scan(keyspace, (Bound::Unbounded, Bound::Unbounded), false).count()
}

/// A state that is nothing but a memtable.
fn snapshot_of(table: Memtable) -> Snapshot {
    let state = State { active: Rc::new(table), ..State::default() };
    Snapshot::new(state, Rc::new(Blocks::new(Rc::new(Cache::new(0)))))
}

/// Puts a name at the end of a list that all tabs write, and gives its place.
fn append(overlay: &mut Overlay, name: &str) -> u64 {
    let place = length(overlay);
    overlay.put(Keyspace::Metadata, "length", (place + 1).to_be_bytes());
    overlay.put(Keyspace::Sequence, place.to_be_bytes(), name);
    place
}

fn length(view: &impl View) -> u64 {
    let length = view.get(Keyspace::Metadata, b"length");
    length.map_or(0, |length| u64::from_be_bytes(length.as_ref().try_into().unwrap()))
}

/// The list; fails where it has a gap or more entries than it should.
fn list(snapshot: &Snapshot) -> Vec<String> {
    let names: Vec<_> = (0..length(snapshot))
        .map(|place| {
            let name = snapshot.get(Keyspace::Sequence, &place.to_be_bytes());
            String::from_utf8(name.expect("a place without a name").to_vec()).unwrap()
        })
        .collect();
    assert_eq!(count(snapshot, Keyspace::Sequence), names.len(), "half a commit is there");
    names
}

fn refusal() -> Error {
    Error::new(ErrorKind::Conflict)
}
