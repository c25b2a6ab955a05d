//! The two small records that every database starts with: what it is, and where its log starts.

use super::record::{FORMAT, check_format};
use crate::storage::{StorageError, StorageResult};
use bytes::Bytes;

/// The key of the header.
pub(super) const HEADER_KEY: &str = "header";
/// The key of the floor.
pub(super) const FLOOR_KEY: &str = "floor";

const MAGIC: &[u8; 7] = b"potoroo";

/// What a database is: written once, when it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// The database's identity, a UUID; a database destroyed and made anew has another one.
    pub(super) instance: String,
}

impl Header {
    /// `potoroo`, the format (1 byte), the checksum of what follows (4 bytes), the instance's text.
    pub(super) fn encode(&self) -> Bytes {
        let mut bytes = MAGIC.to_vec();
        bytes.push(FORMAT);
        bytes.extend(crc32fast::hash(self.instance.as_bytes()).to_le_bytes());
        bytes.extend(self.instance.as_bytes());
        bytes.into()
    }

    pub(super) fn decode(bytes: &[u8]) -> StorageResult<Self> {
        let damaged = |problem| StorageError::Damaged { record: format!("meta/{HEADER_KEY}"), problem };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it is no header of Potoroo's"))?;
        let (format, rest) = rest.split_first().ok_or_else(|| damaged("it is too short"))?;
        check_format(*format, damaged)?;
        let (checksum, instance) = rest.split_first_chunk().ok_or_else(|| damaged("it is too short"))?;
        if u32::from_le_bytes(*checksum) != crc32fast::hash(instance) {
            return Err(damaged("its checksum does not match"));
        }
        let instance = std::str::from_utf8(instance).map_err(|_| damaged("its instance is no text"))?;
        Ok(Self { instance: instance.to_owned() })
    }
}

/// The floor's record: the first position of the log that is not retired (8 bytes), and a checksum of that and the
/// instance (4 bytes).
///
/// So the floor of a database made anew is another record, and the commit of a tab that still has the old database in
/// mind fails on it, even where its position is free.
pub(super) fn encode_floor(floor: u64, header: &Header) -> Bytes {
    let mut bytes = floor.to_le_bytes().to_vec();
    bytes.extend(floor_checksum(&floor.to_le_bytes(), header).to_le_bytes());
    bytes.into()
}

/// Reads the floor's record.
pub(super) fn decode_floor(bytes: &[u8], header: &Header) -> StorageResult<u64> {
    let damaged = |problem| StorageError::Damaged { record: format!("meta/{FLOOR_KEY}"), problem };
    let (floor, checksum) = bytes.split_first_chunk::<8>().ok_or_else(|| damaged("it is too short"))?;
    if floor_checksum(floor, header).to_le_bytes() != checksum {
        return Err(damaged("its checksum does not match"));
    }
    Ok(u64::from_le_bytes(*floor))
}

fn floor_checksum(floor: &[u8; 8], header: &Header) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(floor);
    hasher.update(header.instance.as_bytes());
    hasher.finalize()
}
