use super::keyspace::Keyspace;
use super::record::RecordEntry;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, Range};
use std::ops::Bound;

/// A value, or the removal of the key.
pub(super) type Slot = Option<Bytes>;

/// The part of the log that is in no run yet, replayed: an ordered map for each keyspace, with removals.
#[derive(Debug, Clone, Default)]
pub(super) struct Memtable {
    maps: [BTreeMap<Bytes, Slot>; Keyspace::COUNT],
    /// How many bytes of log records its entries came from.
    log_bytes: usize,
}

impl Memtable {
    fn map(&self, keyspace: Keyspace) -> &BTreeMap<Bytes, Slot> {
        self.maps.get(keyspace as usize).expect("BUG: a keyspace without a map")
    }

    /// Applies a log record of `log_bytes` bytes.
    pub(super) fn apply(&mut self, entries: Vec<RecordEntry>, log_bytes: usize) {
        for entry in entries {
            self.set(entry.keyspace, entry.key, entry.value);
        }
        self.log_bytes += log_bytes;
    }

    /// Sets or, with `None`, removes the value of a key.
    pub(super) fn set(&mut self, keyspace: Keyspace, key: Bytes, value: Slot) {
        let map = self.maps.get_mut(keyspace as usize).expect("BUG: a keyspace without a map");
        match map.entry(key.clone()) {
            Entry::Vacant(place) => {
                place.insert(value);
            }
            // Taken out first, so that the old key's buffer (a whole log record) is let go of too.
            Entry::Occupied(place) => {
                place.remove();
                map.insert(key, value);
            }
        }
    }

    /// What is known of a key: `None` where nothing is.
    pub(super) fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<&Slot> {
        self.map(keyspace).get(key)
    }

    /// The entries between two bounds, removals included. The bounds must not exclude everything.
    pub(super) fn range(
        &self,
        keyspace: Keyspace,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> Range<'_, Bytes, Slot> {
        self.map(keyspace).range::<[u8], _>(bounds)
    }

    /// All entries of a keyspace.
    pub(super) fn all(&self, keyspace: Keyspace) -> impl Iterator<Item = (&Bytes, &Slot)> {
        self.map(keyspace).iter()
    }

    pub(super) fn log_bytes(&self) -> usize {
        self.log_bytes
    }
}
