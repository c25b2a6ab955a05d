use super::batch::View;
use super::keyspace::Keyspace;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::rc::Rc;

/// The replayed log: an ordered map for each keyspace.
#[derive(Debug, Clone, Default)]
pub(super) struct Memtable {
    maps: [BTreeMap<Bytes, Bytes>; Keyspace::COUNT],
}

impl Memtable {
    fn map(&self, keyspace: Keyspace) -> &BTreeMap<Bytes, Bytes> {
        self.maps.get(keyspace as usize).expect("BUG: a keyspace without a map")
    }

    /// Sets or, with `None`, removes the value of a key.
    pub(super) fn set(&mut self, keyspace: Keyspace, key: Bytes, value: Option<Bytes>) {
        let map = self.maps.get_mut(keyspace as usize).expect("BUG: a keyspace without a map");
        match value {
            Some(value) => match map.entry(key.clone()) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                // Taken out first, so that the old key's buffer (a whole log record) is let go of too.
                Entry::Occupied(place) => {
                    place.remove();
                    map.insert(key, value);
                }
            },
            None => {
                map.remove(&key);
            }
        }
    }
}

/// One consistent state of the database, however long it is held. Cheap to take.
///
/// Hold it no longer than needed: while it lives, the next commit copies the memtable's map.
#[derive(Debug, Clone)]
pub struct Snapshot {
    table: Rc<Memtable>,
}

impl Snapshot {
    pub(super) fn new(table: Rc<Memtable>) -> Self {
        Self { table }
    }

    /// The entries of a keyspace between two bounds, in the order of the keys' bytes, or backwards.
    ///
    /// Bounds that exclude everything give nothing.
    pub fn scan<'a>(
        &'a self,
        keyspace: Keyspace,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        descending: bool,
    ) -> Box<dyn Iterator<Item = (&'a Bytes, &'a Bytes)> + 'a> {
        let empty = match bounds {
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (
                Bound::Included(start) | Bound::Excluded(start),
                Bound::Included(end) | Bound::Excluded(end),
            ) => start >= end,
            _ => false,
        };
        if empty {
            // BTreeMap::range panics on such bounds.
            return Box::new(std::iter::empty());
        }
        let range = self.table.map(keyspace).range::<[u8], _>(bounds);
        if descending { Box::new(range.rev()) } else { Box::new(range) }
    }

    /// How many entries a keyspace has.
    pub fn len(&self, keyspace: Keyspace) -> usize {
        self.table.map(keyspace).len()
    }
}

impl View for Snapshot {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Bytes> {
        self.table.map(keyspace).get(key).cloned()
    }
}
