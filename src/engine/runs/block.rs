use crate::engine::record::{FORMAT, RecordEntry, check_format, decode_entry};
use crate::storage::{StorageError, StorageResult};
use bytes::Bytes;
use std::ops::Range;

/// Bytes before the payload of a block's record.
const HEADER: usize = 20;
/// Where the checksummed part starts.
const CHECKED: usize = 8;

const PLAIN: u8 = 0;
const LZ4: u8 = 1;

/// The number that a block, or a segment's index, is stored under: the segment's number and a place in it. The index has
/// the first place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::engine) struct BlockNumber(pub(in crate::engine) u64);

impl BlockNumber {
    /// Places in a segment.
    const PLACES: u64 = 1 << 12;

    /// The most blocks that a segment has.
    pub(super) const MOST: usize = Self::PLACES as usize - 1;

    /// A segment's index.
    pub(in crate::engine) fn index(segment: u64) -> Self {
        Self(segment * Self::PLACES)
    }

    /// A segment's block.
    pub(in crate::engine) fn block(segment: u64, block: usize) -> Self {
        Self(segment * Self::PLACES + 1 + block as u64)
    }

    /// All numbers of a segment.
    pub(in crate::engine) fn all(segment: u64) -> Range<u64> {
        segment * Self::PLACES..(segment + 1) * Self::PLACES
    }

    /// The number of the segment.
    pub(in crate::engine) fn segment(self) -> u64 {
        self.0 / Self::PLACES
    }

    /// Which of the segment's blocks it is; not for an index.
    pub(super) fn place(self) -> usize {
        (self.0 % Self::PLACES).saturating_sub(1) as usize
    }

    /// The record's name in messages.
    pub(in crate::engine) fn name(self) -> String {
        format!("block/{}", self.0)
    }

    /// The error for this record.
    pub(in crate::engine) fn damaged(self, problem: &'static str) -> StorageError {
        StorageError::Damaged { record: self.name(), problem }
    }

    pub(in crate::engine) fn is_index(self) -> bool {
        self.0.is_multiple_of(Self::PLACES)
    }
}

/// The form in which blocks and indexes are stored: checksummed, compressed where that helps.
pub(in crate::engine) struct BlockRecord;

impl BlockRecord {
    pub(in crate::engine) fn encode(number: BlockNumber, content: &[u8]) -> Bytes {
        let mut record = vec![FORMAT, LZ4, 0, 0, 0, 0, 0, 0];
        record.extend(number.0.to_le_bytes());
        record.extend((content.len() as u32).to_le_bytes());
        record.extend(lz4_flex::block::compress(content));
        if record.len() >= HEADER + content.len() {
            record.truncate(HEADER);
            record.extend_from_slice(content);
            record.splice(1..2, [PLAIN]);
        }
        let checksum = crc32fast::hash(record.get(CHECKED..).unwrap_or_default());
        record.splice(4..CHECKED, checksum.to_le_bytes());
        record.into()
    }

    /// # Errors
    /// [`StorageError::NewerFormat`], and [`StorageError::Damaged`] naming the record for anything else that is not what
    /// [`BlockRecord::encode`] gives for this number.
    pub(in crate::engine) fn decode(number: BlockNumber, record: &Bytes) -> StorageResult<Bytes> {
        let damaged = |problem| number.damaged(problem);
        let short = || damaged("it is too short");
        let (header, payload) = record.split_first_chunk::<HEADER>().ok_or_else(short)?;
        let [format, compression, 0, 0, checked @ ..] = header else {
            return Err(damaged("its beginning is not as it should be"));
        };
        check_format(*format, damaged)?;
        let (checksum, numbers) = checked.split_first_chunk::<4>().ok_or_else(short)?;
        if crc32fast::hash(record.get(CHECKED..).unwrap_or_default()) != u32::from_le_bytes(*checksum) {
            return Err(damaged("its checksum does not match"));
        }
        let (own_number, length) = numbers.split_first_chunk::<8>().ok_or_else(short)?;
        if u64::from_le_bytes(*own_number) != number.0 {
            return Err(damaged("it belongs to another number"));
        }
        let length = length.first_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length)) as usize;
        match *compression {
            PLAIN if payload.len() == length => Ok(record.slice(HEADER..)),
            // LZ4 makes at most 255 of one byte: a length beyond that would only take room.
            LZ4 if length / 255 <= payload.len() => lz4_flex::block::decompress(payload, length)
                .map(Bytes::from)
                .ok()
                .filter(|content| content.len() == length)
                .ok_or_else(|| damaged("it cannot be decompressed")),
            _ => Err(damaged("its compression is not known")),
        }
    }

    /// The number that a record says it has.
    pub(in crate::engine) fn number(record: &[u8]) -> Option<BlockNumber> {
        let number = record.get(CHECKED..)?.first_chunk::<8>()?;
        Some(BlockNumber(u64::from_le_bytes(*number)))
    }
}

/// Entries in the order of their keys.
///
/// Content: the entries as in a log record; where each begins (4 bytes each, little endian); how many there are (4 bytes).
#[derive(Debug)]
pub(in crate::engine) struct Block {
    content: Bytes,
    /// Where the list of beginnings begins.
    offsets: usize,
    count: usize,
}

impl Block {
    /// Reads a block's content; `None` if it is none.
    pub(in crate::engine) fn read(content: Bytes) -> Option<Self> {
        let (rest, count) = content.split_last_chunk::<4>()?;
        let count = u32::from_le_bytes(*count) as usize;
        let offsets = rest.len().checked_sub(count.checked_mul(4)?)?;
        Some(Self { content, offsets, count })
    }

    pub(in crate::engine) fn len(&self) -> usize {
        self.count
    }

    /// How many bytes it takes in memory.
    pub(in crate::engine) fn size(&self) -> usize {
        self.content.len()
    }

    /// The bytes of an entry and of those behind it.
    fn at(&self, index: usize) -> Option<&[u8]> {
        let place = self.offsets + index * 4;
        let start = self.content.get(place..)?.first_chunk::<4>()?;
        self.content.get(u32::from_le_bytes(*start) as usize..self.offsets)
    }

    /// The entry with an index; `None` past the end, or where the block is not well formed.
    pub(in crate::engine) fn entry(&self, index: usize) -> Option<RecordEntry> {
        if index >= self.count {
            return None;
        }
        let bytes = self.at(index).filter(|bytes| !bytes.is_empty())?;
        decode_entry(&mut self.content.slice_ref(bytes))
    }

    /// How an entry's key stands to `key`, which is one of [`run_key`](super::run_key).
    fn compare(&self, index: usize, key: &[u8]) -> std::cmp::Ordering {
        let own = || {
            let (keyspace, mut rest) = self.at(index)?.split_first()?;
            let length = crate::varint::read(&mut rest)? as usize;
            Some((*keyspace, rest.get(..length)?))
        };
        let other = key.split_first().map(|(keyspace, key)| (*keyspace, key));
        own().cmp(&other)
    }

    /// The index of the first entry whose key is not less than `key`, and whether it has that key.
    pub(in crate::engine) fn search(&self, key: &[u8]) -> (usize, bool) {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.compare(middle, key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return (middle, true),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        (low, false)
    }
}
