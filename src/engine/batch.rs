use super::keyspace::Keyspace;
use super::memtable::Snapshot;
use bytes::Bytes;
use std::collections::HashMap;

/// Something that values can be read from.
pub trait View {
    /// The value of a key.
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Bytes>;
}

/// One write of a plan.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) keyspace: Keyspace,
    pub(super) key: Bytes,
    /// `None` removes the key.
    pub(super) value: Option<Bytes>,
    /// The entry of the same key that this one stands in for.
    replaces: Option<usize>,
}

impl Entry {
    fn size(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, Bytes::len)
    }
}

/// What is there, and over it what the plans of one group write: each plan sees the ones before it.
#[derive(Debug)]
pub struct Overlay {
    base: Snapshot,
    entries: Vec<Entry>,
    /// Where in `entries` the last write of each key is, by keyspace.
    latest: [HashMap<Bytes, usize>; Keyspace::COUNT],
    size: usize,
}

impl Overlay {
    /// An overlay that writes nothing yet.
    pub fn new(base: Snapshot) -> Self {
        Self { base, entries: Vec::new(), latest: Default::default(), size: 0 }
    }

    /// Writes a value.
    pub fn put(&mut self, keyspace: Keyspace, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.write(keyspace, key.into(), Some(value.into()));
    }

    /// Removes a key.
    pub fn delete(&mut self, keyspace: Keyspace, key: impl Into<Bytes>) {
        self.write(keyspace, key.into(), None);
    }

    fn latest(&mut self, keyspace: Keyspace) -> &mut HashMap<Bytes, usize> {
        self.latest.get_mut(keyspace as usize).expect("BUG: a keyspace without a map")
    }

    fn write(&mut self, keyspace: Keyspace, key: Bytes, value: Option<Bytes>) {
        let index = self.entries.len();
        let replaces = self.latest(keyspace).insert(key.clone(), index);
        let entry = Entry { keyspace, key, value, replaces };
        self.size += entry.size();
        self.entries.push(entry);
    }

    /// A point that [`Overlay::roll_back`] returns to.
    pub(super) fn mark(&self) -> usize {
        self.entries.len()
    }

    /// Undoes what was written since the mark.
    pub(super) fn roll_back(&mut self, mark: usize) {
        while self.entries.len() > mark
            && let Some(entry) = self.entries.pop()
        {
            self.size -= entry.size();
            match entry.replaces {
                Some(index) => self.latest(entry.keyspace).insert(entry.key, index),
                None => self.latest(entry.keyspace).remove(&entry.key),
            };
        }
    }

    /// Roughly how many bytes are written, for deciding when a group is full.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether nothing is written.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The writes that no later one stands in for, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        let mut is_last = vec![true; self.entries.len()];
        for replaced in self.entries.iter().filter_map(|entry| entry.replaces) {
            if let Some(is_last) = is_last.get_mut(replaced) {
                *is_last = false;
            }
        }
        self.entries.iter().zip(is_last).filter_map(|(entry, is_last)| is_last.then_some(entry))
    }
}

impl View for Overlay {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Bytes> {
        let latest = self.latest.get(keyspace as usize).and_then(|latest| latest.get(key));
        if let Some(entry) = latest.and_then(|index| self.entries.get(*index)) {
            return entry.value.clone();
        }
        self.base.get(keyspace, key)
    }
}
