//! The overlay against a plain map.

use super::*;
use crate::engine::memtable::Memtable;
use crate::engine::record::{self, RecordEntry};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8),
    Delete(u8),
    /// Undoes so many steps.
    RollBack(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u8, any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        (0..6_u8).prop_map(Step::Delete),
        (1..4_u8).prop_map(Step::RollBack),
    ]
}

/// What a commit of the overlay would write.
fn entries(overlay: Overlay) -> Vec<RecordEntry> {
    record::entries(&record::encode(1, 1, overlay)).unwrap()
}

type Model = BTreeMap<u8, Option<u8>>;

proptest! {
    #[test]
    fn an_overlay_shows_and_keeps_the_last_writes(base in prop::collection::btree_map(0..6_u8, any::<u8>(), 0..4),
                                                  steps in prop::collection::vec(step(), 0..40)) {
        let mut table = Memtable::default();
        for (key, value) in &base {
            table.set(Keyspace::Local, Bytes::from(vec![*key]), Some(Bytes::from(vec![*value])));
        }
        let mut overlay = Overlay::new(snapshot_of(table));
        let mut history: Vec<(usize, Model)> = vec![(0, Model::new())];
        for step in steps {
            let mut written = history.last().unwrap().1.clone();
            match step {
                Step::Put(key, value) => {
                    overlay.put(Keyspace::Local, vec![key], vec![value]);
                    written.insert(key, Some(value));
                }
                Step::Delete(key) => {
                    overlay.delete(Keyspace::Local, vec![key]);
                    written.insert(key, None);
                }
                Step::RollBack(count) => {
                    let kept = history.len().saturating_sub(usize::from(count)).max(1);
                    history.truncate(kept);
                    overlay.roll_back(history.last().unwrap().0);
                    continue;
                }
            }
            history.push((overlay.mark(), written));
        }
        let written = &history.last().unwrap().1;
        for key in 0..6_u8 {
            let expected = written.get(&key).copied().unwrap_or_else(|| base.get(&key).copied());
            let found = overlay.get(Keyspace::Local, &[key]).map(|value| value[0]);
            prop_assert_eq!(found, expected);
            prop_assert_eq!(overlay.get(Keyspace::Body, &[key]), None);
        }
        let is_empty = overlay.is_empty();
        let entries: Vec<_> = entries(overlay).into_iter().map(|entry| (entry.key[0], entry.value.map(|value| value[0]))).collect();
        let expected: Vec<_> = written.iter().map(|(key, value)| (*key, *value)).collect();
        let mut sorted = entries.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, expected);
        prop_assert_eq!(is_empty, entries.is_empty());
    }
}

#[test]
fn entries_are_in_the_order_of_their_last_writes() {
    let mut overlay = Overlay::new(snapshot_of(Memtable::default()));
    overlay.put(Keyspace::Document, "a", "1");
    overlay.put(Keyspace::Document, "b", "2");
    overlay.delete(Keyspace::Document, "a");
    overlay.put(Keyspace::Body, "a", "3");
    let keys: Vec<_> = entries(overlay).into_iter().map(|entry| (entry.keyspace, entry.key)).collect();
    let expected = [(Keyspace::Document, "b"), (Keyspace::Document, "a"), (Keyspace::Body, "a")];
    assert_eq!(keys, expected.map(|(keyspace, key)| (keyspace, Bytes::from(key))));
}

#[test]
fn a_scan_gives_what_is_between_its_bounds() {
    let mut table = Memtable::default();
    for key in ["a", "b", "ba", "c"] {
        table.set(Keyspace::Document, key.into(), Some(key.into()));
        table.set(Keyspace::Local, key.into(), Some(key.into()));
    }
    let snapshot = snapshot_of(table);
    let scan = |start: Bound<&str>, end: Bound<&str>, descending| {
        let bounds = (start.map(str::as_bytes), end.map(str::as_bytes));
        let found: Vec<_> = snapshot
            .scan(Keyspace::Document, bounds, descending)
            .map(|(key, _)| String::from_utf8(key.to_vec()).unwrap())
            .collect();
        found.join(" ")
    };
    use Bound::{Excluded, Included, Unbounded};
    assert_eq!(scan(Unbounded, Unbounded, false), "a b ba c");
    assert_eq!(scan(Unbounded, Unbounded, true), "c ba b a");
    assert_eq!(scan(Included("b"), Included("ba"), false), "b ba");
    assert_eq!(scan(Excluded("b"), Excluded("c"), true), "ba");
    assert_eq!(scan(Included("b"), Included("b"), false), "b");
    for (start, end) in [
        (Included("b"), Excluded("b")),
        (Excluded("b"), Included("b")),
        (Excluded("b"), Excluded("b")),
        (Included("c"), Included("b")),
        (Excluded("c"), Excluded("b")),
    ] {
        assert_eq!(scan(start, end, false), "", "{start:?} {end:?}");
    }
}

#[test]
fn an_entry_that_is_overwritten_or_removed_lets_go_of_its_record() {
    let record = Bytes::from(vec![7; 1000]);
    let mut table = Memtable::default();
    for value in [Some(Bytes::from("other")), None] {
        table.set(Keyspace::Local, record.slice(..1), Some(record.slice(1..)));
        assert!(!record.is_unique());
        table.set(Keyspace::Local, Bytes::from(vec![7]), value);
        assert!(record.is_unique());
    }
}
