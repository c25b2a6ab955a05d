use super::block::{BlockNumber, BlockRecord};
use super::manifest::Segment;
use super::{Index, filter};
use crate::engine::keyspace::Keyspace;
use crate::engine::record;
use bytes::Bytes;

/// A segment with its records, ready to be stored.
pub(in crate::engine) struct FinishedSegment {
    pub(in crate::engine) segment: Segment,
    /// The index and the blocks.
    pub(in crate::engine) records: Vec<(BlockNumber, Bytes)>,
}

/// Puts entries, given in the order of their keys, into the blocks of a segment.
pub(in crate::engine) struct SegmentBuilder {
    number: u64,
    block_bytes: usize,
    /// The block that is being filled, and where its entries begin.
    content: Vec<u8>,
    offsets: Vec<u32>,
    first_keys: Vec<Vec<u8>>,
    last_key: Vec<u8>,
    hashes: Vec<u64>,
    blocks: Vec<(BlockNumber, Bytes)>,
    stored: usize,
}

impl SegmentBuilder {
    pub(in crate::engine) fn new(number: u64, block_bytes: usize) -> Self {
        Self {
            number,
            block_bytes,
            content: Vec::new(),
            offsets: Vec::new(),
            first_keys: Vec::new(),
            last_key: Vec::new(),
            hashes: Vec::new(),
            blocks: Vec::new(),
            stored: 0,
        }
    }

    /// Adds an entry whose key is behind all before it; no value is a tombstone.
    pub(in crate::engine) fn push(&mut self, keyspace: Keyspace, key: &[u8], value: Option<&[u8]>) {
        self.last_key.clear();
        self.last_key.push(keyspace as u8);
        self.last_key.extend_from_slice(key);
        if self.offsets.is_empty() {
            self.first_keys.push(self.last_key.clone());
        }
        self.hashes.push(filter::hash(&self.last_key));
        self.offsets.push(self.content.len() as u32);
        record::encode_entry(&mut self.content, keyspace, key, value.map(|value| [value, &[]]));
        if self.content.len() >= self.block_bytes {
            self.close_block();
        }
    }

    fn close_block(&mut self) {
        if self.offsets.is_empty() {
            return;
        }
        for offset in &self.offsets {
            self.content.extend(offset.to_le_bytes());
        }
        self.content.extend((self.offsets.len() as u32).to_le_bytes());
        let number = BlockNumber::block(self.number, self.blocks.len());
        let record = BlockRecord::encode(number, &self.content);
        self.stored += record.len();
        self.blocks.push((number, record));
        self.content.clear();
        self.offsets.clear();
    }

    /// Whether it should get no more entries.
    pub(in crate::engine) fn is_full(&self, segment_bytes: usize) -> bool {
        self.stored >= segment_bytes || self.blocks.len() + 1 >= BlockNumber::MOST
    }

    /// Whether it has no entries.
    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The last entry's key, in the form of [`run_key`](super::run_key).
    pub(in crate::engine) fn last_key(&self) -> &[u8] {
        &self.last_key
    }

    /// Closes the segment, which has at least one entry.
    pub(in crate::engine) fn finish(mut self) -> FinishedSegment {
        self.close_block();
        let number = BlockNumber::index(self.number);
        let index = BlockRecord::encode(number, &Index::encode(&self.first_keys, &self.hashes));
        let segment = Segment {
            number: self.number,
            entries: self.hashes.len() as u64,
            stored_bytes: (self.stored + index.len()) as u64,
            first: self.first_keys.first().cloned().unwrap_or_default().into(),
            last: self.last_key.into(),
        };
        let mut records = vec![(number, index)];
        records.append(&mut self.blocks);
        FinishedSegment { segment, records }
    }
}
