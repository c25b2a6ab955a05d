//! The log record: one commit, byte by byte as ARCHITECTURE.md draws it.

use super::batch::Overlay;
use super::keyspace::Keyspace;
use super::runs::Settled;
use crate::storage::{StorageError, StorageResult};
use crate::varint;
use bytes::{Buf, Bytes};
use std::ops::Range;

/// The version of the storage format that this code writes, and the newest that it reads.
pub(super) const FORMAT: u8 = 1;

/// Refuses what was written in another format; `damaged` makes the error for what has none.
pub(super) fn check_format(found: u8, damaged: impl Fn(&'static str) -> StorageError) -> StorageResult<()> {
    match found {
        FORMAT => Ok(()),
        0 => Err(damaged("it has no format")),
        newer => Err(StorageError::NewerFormat { found: newer, known: FORMAT }),
    }
}

/// Bytes before the entries.
pub(super) const HEADER: usize = 24;
/// Where the checksummed part starts.
const CHECKED: usize = 8;

/// One write of a commit, as slices of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordEntry {
    pub(super) keyspace: Keyspace,
    pub(super) key: Bytes,
    pub(super) value: Option<Bytes>,
}

/// Appends an entry, its value given in two parts; gives where its key and its value are.
pub(super) fn encode_entry(
    out: &mut Vec<u8>,
    keyspace: Keyspace,
    key: &[u8],
    value: Option<[&[u8]; 2]>,
) -> (Range<usize>, Option<Range<usize>>) {
    out.push(keyspace as u8);
    varint::write(out, key.len() as u64);
    out.extend_from_slice(key);
    let key = out.len() - key.len()..out.len();
    // One more than the length: 0 is a removal.
    let length = value.map(|[first, second]| first.len() + second.len());
    varint::write(out, length.map_or(0, |length| length as u64 + 1));
    for part in value.unwrap_or_default() {
        out.extend_from_slice(part);
    }
    (key, length.map(|length| out.len() - length..out.len()))
}

/// Draws up the record of a commit. `writer` tells this engine's records from others' with the same content.
pub(super) fn encode(position: u64, writer: u64, overlay: Overlay) -> Bytes {
    seal(position, writer, overlay.into_encoded())
}

/// The record of a commit that writes one value.
pub(super) fn encode_one(position: u64, writer: u64, keyspace: Keyspace, key: &[u8], value: &[u8]) -> Bytes {
    let mut record = vec![0; HEADER];
    encode_entry(&mut record, keyspace, key, Some([value, &[]]));
    seal(position, writer, record)
}

/// Fills in the header of a record, for which there is room at its beginning.
fn seal(position: u64, writer: u64, mut record: Vec<u8>) -> Bytes {
    let mut header = [0; HEADER];
    header[0] = FORMAT;
    header[CHECKED..16].copy_from_slice(&position.to_le_bytes());
    header[16..].copy_from_slice(&writer.to_le_bytes());
    if let Some(start) = record.first_chunk_mut() {
        *start = header;
    }
    let checksum = crc32fast::hash(record.get(CHECKED..).unwrap_or_default());
    if let Some(place) = record.get_mut(4..CHECKED) {
        place.copy_from_slice(&checksum.to_le_bytes());
    }
    Bytes::from(record)
}

/// Reads the record that is expected at `position`.
///
/// # Errors
/// [`StorageError::NewerFormat`], and [`StorageError::Damaged`] naming the record for anything else that is not what
/// [`encode`] gives.
pub(super) fn decode(position: u64, record: &Bytes) -> StorageResult<Vec<RecordEntry>> {
    let damaged =
        |problem: &'static str| StorageError::Damaged { record: format!("log/{position}"), problem };
    let mut rest = record.clone();
    if rest.len() < HEADER {
        return Err(damaged("it is too short"));
    }
    check_format(rest.get_u8(), damaged)?;
    if rest.split_to(3) != [0; 3].as_slice() {
        return Err(damaged("its beginning is not as it should be"));
    }
    let checksum = rest.get_u32_le();
    if crc32fast::hash(&rest) != checksum {
        return Err(damaged("its checksum does not match"));
    }
    if rest.get_u64_le() != position {
        return Err(damaged("it belongs to another position"));
    }
    entries(record).ok_or_else(|| damaged("an entry ends too early"))
}

/// The position that a record says it has.
pub(super) fn position_of(record: &[u8]) -> Option<u64> {
    record.get(CHECKED..)?.first_chunk().map(|position| u64::from_le_bytes(*position))
}

/// The writer and the checksum of a record.
pub(super) fn settled(record: &[u8]) -> Settled {
    let checksum =
        record.get(4..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let writer =
        record.get(16..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    (writer, checksum)
}

/// The entries of a record, without a look at what stands before them: for one that was drawn up here.
pub(super) fn entries(record: &Bytes) -> Option<Vec<RecordEntry>> {
    let mut rest = record.slice_ref(record.get(HEADER..)?);
    let mut entries = Vec::new();
    while rest.has_remaining() {
        entries.push(decode_entry(&mut rest)?);
    }
    Some(entries)
}

pub(super) fn decode_entry(rest: &mut Bytes) -> Option<RecordEntry> {
    let keyspace = Keyspace::from_number(rest.get_u8())?;
    let key = take(rest, 0)?;
    let value = if rest.first() == Some(&0) {
        rest.advance(1);
        None
    } else {
        Some(take(rest, 1)?)
    };
    Some(RecordEntry { keyspace, key, value })
}

/// Takes a length and so many bytes; `surplus` is what the stored length is too great by.
fn take(rest: &mut Bytes, surplus: u64) -> Option<Bytes> {
    let mut slice: &[u8] = rest;
    let length = usize::try_from(varint::read(&mut slice)?.checked_sub(surplus)?).ok()?;
    let read = rest.len() - slice.len();
    rest.advance(read);
    (length <= rest.len()).then(|| rest.split_to(length))
}
