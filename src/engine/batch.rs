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

/// What is there, and over it what the plans of one group write: each plan sees the ones before it.
#[derive(Debug)]
pub struct Overlay {
    base: Snapshot,
    entries: Vec<Entry>,
    latest: HashMap<(Keyspace, Bytes), usize>,
    size: usize,
}

impl Overlay {
    /// An overlay that writes nothing yet.
    pub fn new(base: Snapshot) -> Self {
        Self { base, entries: Vec::new(), latest: HashMap::new(), size: 0 }
    }

    /// Writes a value.
    pub fn put(&mut self, keyspace: Keyspace, key: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.write(keyspace, key.into(), Some(value.into()));
    }

    /// Removes a key.
    pub fn delete(&mut self, keyspace: Keyspace, key: impl Into<Bytes>) {
        self.write(keyspace, key.into(), None);
    }

    fn write(&mut self, keyspace: Keyspace, key: Bytes, value: Option<Bytes>) {
        self.size += key.len() + value.as_ref().map_or(0, Bytes::len);
        let replaces = self.latest.insert((keyspace, key.clone()), self.entries.len());
        self.entries.push(Entry { keyspace, key, value, replaces });
    }

    /// A point that [`Overlay::roll_back`] returns to.
    pub(super) fn mark(&self) -> usize {
        self.entries.len()
    }

    /// Undoes what was written since the mark.
    pub(super) fn roll_back(&mut self, mark: usize) {
        for entry in self.entries.drain(mark.min(self.entries.len())..).rev() {
            match entry.replaces {
                Some(index) => self.latest.insert((entry.keyspace, entry.key), index),
                None => self.latest.remove(&(entry.keyspace, entry.key)),
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
        let is_latest = |(index, entry): &(usize, &Entry)| {
            self.latest.get(&(entry.keyspace, entry.key.clone())) == Some(index)
        };
        self.entries.iter().enumerate().filter(is_latest).map(|(_, entry)| entry)
    }
}

impl View for Overlay {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Bytes> {
        if !self.entries.is_empty() {
            let entry = self.latest.get(&(keyspace, Bytes::copy_from_slice(key)));
            if let Some(entry) = entry.and_then(|index| self.entries.get(*index)) {
                return entry.value.clone();
            }
        }
        self.base.get(keyspace, key)
    }
}
