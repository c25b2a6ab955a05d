//! The log record's form.

use super::*;
use crate::engine::record::{FORMAT, decode, encode};
use crate::storage::StorageError;
use proptest::prelude::*;

type Write = (u8, Vec<u8>, Option<Vec<u8>>);

fn write() -> impl Strategy<Value = Write> {
    let value = prop_oneof![prop::collection::vec(any::<u8>(), 0..300), Just(Vec::new())];
    (0..5_u8, prop::collection::vec(any::<u8>(), 0..200), prop::option::of(value))
}

fn overlay_of(writes: &[Write]) -> Overlay {
    let mut overlay = Overlay::new(snapshot_of(Memtable::default()));
    for (keyspace, key, value) in writes {
        let keyspace = Keyspace::from_number(*keyspace).unwrap();
        match value {
            Some(value) => overlay.put(keyspace, key.clone(), value.clone()),
            None => overlay.delete(keyspace, key.clone()),
        }
    }
    overlay
}

fn with_checksum(mut record: Vec<u8>) -> Bytes {
    let checksum = crc32fast::hash(&record[8..]).to_le_bytes();
    record[4..8].copy_from_slice(&checksum);
    record.into()
}

proptest! {
    #[test]
    fn a_record_reads_back(position: u64, writer: u64, writes in prop::collection::vec(write(), 1..20)) {
        let record = encode(position, writer, overlay_of(&writes));
        let entries = decode(position, &record).unwrap();
        let is_last = |index: usize, (keyspace, key, _): &Write| {
            !writes[index + 1..].iter().any(|(other, other_key, _)| (other, other_key) == (keyspace, key))
        };
        let expected: Vec<Write> = (0..)
            .zip(&writes)
            .filter(|(index, write)| is_last(*index, write))
            .map(|(_, write)| write.clone())
            .collect();
        let found: Vec<Write> = entries
            .into_iter()
            .map(|entry| (entry.keyspace as u8, entry.key.to_vec(), entry.value.map(|value| value.to_vec())))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_changed_byte_and_any_cut_is_noticed(writes in prop::collection::vec(write(), 1..4), mask in 1..=255_u8) {
        let record = encode(7, 1, overlay_of(&writes));
        for index in 0..record.len() {
            let mut changed = record.to_vec();
            changed[index] ^= mask;
            let error = decode(7, &changed.into()).unwrap_err();
            match error {
                StorageError::NewerFormat { found, .. } => prop_assert_eq!((index, found), (0, FORMAT ^ mask)),
                error => prop_assert!(error.to_string().contains("log/7"), "{}", error),
            }
            let error = decode(7, &record.slice(..index)).unwrap_err();
            prop_assert!(error.to_string().contains("log/7"), "{}", error);
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>, tail in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = decode(0, &bytes.into());
        // With a right beginning, so that the entries are looked at.
        let mut record = vec![FORMAT, 0, 0, 0, 0, 0, 0, 0];
        record.extend(5_u64.to_le_bytes());
        record.extend(0_u64.to_le_bytes());
        record.extend(tail);
        let _ = decode(5, &with_checksum(record));
    }
}

#[test]
fn a_record_belongs_to_its_position() {
    let record = encode(3, 1, overlay_of(&[(0, b"a".to_vec(), None)]));
    assert!(decode(3, &record).is_ok());
    assert!(matches!(decode(4, &record), Err(StorageError::Damaged { record, .. }) if record == "log/4"));
}

#[test]
fn records_of_two_tabs_differ_even_if_they_write_the_same() {
    let overlay = || overlay_of(&[(0, b"a".to_vec(), Some(b"b".to_vec()))]);
    assert_ne!(encode(3, 1, overlay()), encode(3, 2, overlay()));
}

/// The bytes are the storage format, which applications have on disk: they must not change without a new version.
#[test]
fn the_form_of_a_record_is_fixed() {
    let overlay = overlay_of(&[(0, b"key".to_vec(), Some(b"value".to_vec())), (4, b"x".to_vec(), None)]);
    let mut expected = vec![1, 0, 0, 0, 0, 0, 0, 0];
    expected.extend([2, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([9, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend(b"\x00\x03key\x06value\x04\x01x\x00");
    assert_eq!(encode(2, 9, overlay), with_checksum(expected));
}
