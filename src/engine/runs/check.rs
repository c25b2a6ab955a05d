use super::block::{Block, BlockNumber, BlockRecord};
use super::index::Index;
use super::manifest::Segment;
use super::run_key;
use crate::storage::StorageResult;
use bytes::Bytes;

/// Looks at the blocks of a segment one after another.
pub(in crate::engine) struct SegmentCheck<'a> {
    segment: &'a Segment,
    index: &'a Index,
    entries: u64,
    last: Option<Vec<u8>>,
    has_all: bool,
}

impl<'a> SegmentCheck<'a> {
    pub(in crate::engine) fn new(segment: &'a Segment, index: &'a Index) -> Self {
        Self { segment, index, entries: 0, last: None, has_all: true }
    }

    /// Looks at the block in the next place.
    ///
    /// # Errors
    /// [`Damaged`](crate::storage::StorageError::Damaged).
    pub(in crate::engine) fn block(
        &mut self,
        number: BlockNumber,
        record: Option<&Bytes>,
    ) -> StorageResult<()> {
        let outcome = self.check_block(number, record);
        self.has_all &= outcome.is_ok();
        outcome
    }

    fn check_block(&mut self, number: BlockNumber, record: Option<&Bytes>) -> StorageResult<()> {
        let content = BlockRecord::decode(number, record.ok_or_else(|| number.damaged("it is missing"))?)?;
        let block = Block::read(content).filter(|block| block.len() > 0);
        let block = block.ok_or_else(|| number.damaged("it is not well formed"))?;
        for place in 0..block.len() {
            let entry = block.entry(place).ok_or_else(|| number.damaged("it is not well formed"))?;
            let key = run_key(entry.keyspace, &entry.key);
            if self.last.as_ref().is_some_and(|last| *last >= key) {
                return Err(number.damaged("its keys are not in order"));
            }
            if !self.index.may_have(&key) || self.index.block_of(&key) != number.place() {
                return Err(number.damaged("the index does not lead to one of its keys"));
            }
            if self.last.is_none() && self.has_all && self.segment.first != key {
                return Err(number.damaged("it does not begin with the segment's first key"));
            }
            self.entries += 1;
            self.last = Some(key);
        }
        Ok(())
    }

    /// Looks at the segment as a whole, after its last block.
    ///
    /// # Errors
    /// [`Damaged`](crate::storage::StorageError::Damaged).
    pub(in crate::engine) fn finish(self) -> StorageResult<()> {
        let is_whole =
            self.entries == self.segment.entries && self.last.as_deref() == Some(self.segment.last.as_ref());
        if self.has_all && !is_whole {
            let index = BlockNumber::index(self.segment.number);
            return Err(index.damaged("the segment's entries are not those that the manifest tells of"));
        }
        Ok(())
    }
}
