//! The records of the engine, out of any bytes.

use super::header::{Header, decode_floor};
use super::record;
use super::runs::{Block, BlockNumber, BlockRecord, Index, Manifest};
use bytes::Bytes;

/// What is stored of the log, the runs and what describes them: taken as whole records, and as what is in them where a
/// checksum would keep all but the right bytes from being looked at.
pub fn stored_records(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let number = BlockRecord::number(data).unwrap_or(BlockNumber::block(1, 0));
    // Errors are what is expected of them.
    let _ = Header::decode(data);
    let _ = decode_floor(data, &Header { instance: "instance".to_owned() });
    let _ = Manifest::decode(&bytes);
    let _ = record::decode(record::position_of(data).unwrap_or(1), &bytes);
    let _ = BlockRecord::decode(number, &bytes);
    if let Some(entries) = record::entries(&bytes) {
        let size: usize = entries.iter().map(|entry| entry.key.len()).sum();
        assert!(size <= data.len());
    }
    if let Some(block) = Block::read(bytes.clone()) {
        for place in 0..block.len() {
            if let Some(entry) = block.entry(place) {
                block.search(&entry.key);
            }
        }
        block.search(data);
    }
    if let Some(index) = Index::read(bytes.clone()) {
        index.may_have(data);
        assert!(index.len() == 0 || index.block_of(data) < index.len());
    }
    checked(data);
}

/// The same bytes with the checksum that they should have.
fn checked(data: &[u8]) {
    let mut record = data.to_vec();
    let Some(rest) = record.get(8..) else { return };
    let checksum = crc32fast::hash(rest).to_le_bytes();
    if let Some(place) = record.get_mut(4..8) {
        place.copy_from_slice(&checksum);
    }
    let bytes = Bytes::from(record);
    let _ = record::decode(record::position_of(&bytes).unwrap_or(1), &bytes);
    if let Some(number) = BlockRecord::number(&bytes) {
        let _ = BlockRecord::decode(number, &bytes);
    }
    let mut manifest = b"potorom\x01".to_vec();
    manifest.extend(crc32fast::hash(data).to_le_bytes());
    manifest.extend_from_slice(data);
    let manifest = Bytes::from(manifest);
    if let Ok(read) = Manifest::decode(&manifest) {
        assert!(Manifest::decode(&read.encode()).is_ok_and(|again| again.encode() == read.encode()));
    }
}
