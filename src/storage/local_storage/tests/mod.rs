//! The backend over maps in memory: one that fails at any call, and one that several processes see late.

mod cuts;
mod late;
mod map;
mod model;
mod room;
mod turns;

use super::names::Names;
use super::records::Records;
use super::root::Root;
use crate::storage::{Change, Read, Space, StorageResult, Write};
use bytes::Bytes;
use map::TestMap;

/// What is in every space, by numbers and by some texts.
fn contents(map: &TestMap) -> StorageResult<Vec<Vec<Bytes>>> {
    let names = Names::new("notes");
    let records = Records::new(map, &names);
    let root = records.root()?.expect("there is a root");
    let reads = Space::ALL.into_iter().flat_map(|space| {
        let numbers = (0..12).map(move |number| Read::One(space, number.into()));
        let texts = ["a", "b", "7"].map(|text| Read::One(space, text.into()));
        numbers.chain(texts).chain([Read::From(space, 0, 1000)])
    });
    records.read(&root, &reads.collect::<Vec<_>>())
}

/// A new database.
fn new_database() -> TestMap {
    let map = TestMap::default();
    Records::new(&map, &Names::new("notes")).create("instance".into()).unwrap();
    map.reopened()
}

/// Does what a connection does: it cleans up, then writes.
fn write(map: &TestMap, write: &Write) -> StorageResult<Vec<Option<Bytes>>> {
    let names = Names::new("notes");
    let records = Records::new(map, &names);
    let mut root: Root = records.root()?.expect("there is a root");
    records.settle(&mut root)?;
    records.write(&mut root, write)
}

fn changes(changes: impl Into<Vec<Change>>) -> Write {
    Write { changes: changes.into(), ..Write::default() }
}

fn put(space: Space, number: u64, content: &str) -> Change {
    Change::Put(space, number.into(), Bytes::copy_from_slice(content.as_bytes()))
}

fn add(space: Space, number: u64, content: &str) -> Change {
    Change::Add(space, number.into(), Bytes::copy_from_slice(content.as_bytes()))
}
