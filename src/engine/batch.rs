use super::keyspace::Keyspace;
use super::record;
use super::snapshot::Snapshot;
use crate::sort::sort_by;
use crate::storage::Content;
use bytes::Bytes;
use hashbrown::DefaultHashBuilder;
use hashbrown::hash_table::{self, HashTable};
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Range;

/// Something that values can be read from.
pub trait View {
    /// The value of a key.
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Bytes>;
}

/// One write of a plan.
#[derive(Debug)]
struct Entry {
    keyspace: Keyspace,
    /// Where in `encoded` it begins, and where its key and its value are; no value removes the key.
    start: usize,
    key: Range<usize>,
    value: Option<Range<usize>>,
    hash: u64,
    /// The entry of the same key that this one stands in for.
    replaces: Option<usize>,
}

/// What is there, and over it what the plans of one group write: each plan sees the ones before it.
pub struct Overlay {
    base: Snapshot,
    /// The record of the commit as it grows: room for its header, then the entries in order.
    encoded: Vec<u8>,
    entries: Vec<Entry>,
    /// Where in `entries` the last write of each key is.
    latest: HashTable<usize>,
    hasher: DefaultHashBuilder,
    /// Contents of attachments that plans have brought, by name.
    pub(super) supplied: HashMap<String, Content>,
    /// How many bytes these have.
    pub(super) supplied_bytes: usize,
}

impl Overlay {
    /// An overlay that writes nothing yet.
    pub fn new(base: Snapshot) -> Self {
        Self {
            base,
            encoded: vec![0; record::HEADER],
            entries: Vec::new(),
            latest: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            supplied: HashMap::new(),
            supplied_bytes: 0,
        }
    }

    /// What was there before.
    pub(super) fn base(&self) -> &Snapshot {
        &self.base
    }

    /// The keys of a keyspace that are written, in the order of their last writes, and whether each has a value afterwards.
    pub(super) fn entries_of(&self, keyspace: Keyspace) -> impl Iterator<Item = (&[u8], bool)> {
        let is_latest = |index: usize, hash: u64| self.latest.find(hash, |latest| *latest == index).is_some();
        let entries = self.entries.iter().enumerate();
        entries
            .filter(move |(index, entry)| entry.keyspace == keyspace && is_latest(*index, entry.hash))
            .filter_map(|(_, entry)| Some((self.encoded.get(entry.key.clone())?, entry.value.is_some())))
    }

    /// Writes a value.
    pub fn put(&mut self, keyspace: Keyspace, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.write(keyspace, key.as_ref(), Some([value.as_ref(), &[]]));
    }

    /// Writes a value that is in two parts.
    pub fn put_parts(&mut self, keyspace: Keyspace, key: impl AsRef<[u8]>, value: [&[u8]; 2]) {
        self.write(keyspace, key.as_ref(), Some(value));
    }

    /// Removes a key.
    pub fn delete(&mut self, keyspace: Keyspace, key: impl AsRef<[u8]>) {
        self.write(keyspace, key.as_ref(), None);
    }

    fn write(&mut self, keyspace: Keyspace, key: &[u8], value: Option<[&[u8]; 2]>) {
        let hash = self.hasher.hash_one((keyspace as u8, key));
        let index = self.entries.len();
        let (encoded, entries) = (&self.encoded, &self.entries);
        let is_same =
            |other: &usize| entries.get(*other).is_some_and(|other| other.is_of(encoded, keyspace, key));
        let hash_of = |other: &usize| entries.get(*other).map_or(0, |other| other.hash);
        let replaces = match self.latest.entry(hash, is_same, hash_of) {
            hash_table::Entry::Occupied(mut place) => Some(std::mem::replace(place.get_mut(), index)),
            hash_table::Entry::Vacant(place) => {
                place.insert(index);
                None
            }
        };
        let start = self.encoded.len();
        let (key, value) = record::encode_entry(&mut self.encoded, keyspace, key, value);
        self.entries.push(Entry { keyspace, start, key, value, hash, replaces });
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
            let index = self.entries.len();
            self.encoded.truncate(entry.start);
            if let Ok(mut place) = self.latest.find_entry(entry.hash, |other| *other == index) {
                match entry.replaces {
                    Some(earlier) => *place.get_mut() = earlier,
                    None => drop(place.remove()),
                }
            }
        }
    }

    /// How many bytes the commit would take, roughly, for deciding when a group is full.
    pub(super) fn size(&self) -> usize {
        self.encoded.len().saturating_add(self.supplied_bytes)
    }

    /// Whether nothing is written.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The record of the commit, with room for its header: the writes that no later one stands in for, in order.
    pub(super) fn into_encoded(mut self) -> Vec<u8> {
        let mut replaced: Vec<usize> = self.entries.iter().filter_map(|entry| entry.replaces).collect();
        if replaced.is_empty() {
            return self.encoded;
        }
        sort_by(&mut replaced, Ord::cmp);
        let mut replaced = replaced.into_iter().peekable();
        let mut end = record::HEADER;
        let ends = self.entries.iter().skip(1).map(|entry| entry.start).chain([self.encoded.len()]);
        for (index, (entry, next)) in self.entries.iter().zip(ends).enumerate() {
            if replaced.next_if_eq(&index).is_none() {
                self.encoded.copy_within(entry.start..next, end);
                end += next - entry.start;
            }
        }
        self.encoded.truncate(end);
        self.encoded
    }
}

impl Entry {
    fn is_of(&self, encoded: &[u8], keyspace: Keyspace, key: &[u8]) -> bool {
        self.keyspace == keyspace && encoded.get(self.key.clone()) == Some(key)
    }
}

impl View for Overlay {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Bytes> {
        if !self.entries.is_empty() {
            let hash = self.hasher.hash_one((keyspace as u8, key));
            let entry_of = |index: &usize| self.entries.get(*index);
            let is_same = |index: &usize| {
                entry_of(index).is_some_and(|entry| entry.is_of(&self.encoded, keyspace, key))
            };
            if let Some(entry) = self.latest.find(hash, is_same).and_then(entry_of) {
                let value = entry.value.clone().and_then(|value| self.encoded.get(value));
                return value.map(Bytes::copy_from_slice);
            }
        }
        self.base.get(keyspace, key)
    }
}
