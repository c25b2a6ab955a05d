use super::filter;
use crate::varint;
use bytes::Bytes;

/// What stands before a segment's blocks: which keys are where.
///
/// Content: how many blocks there are (varint); each one's first key (length as varint, bytes); the Bloom filter of all
/// keys to the end.
#[derive(Debug)]
pub(in crate::engine) struct Index {
    first_keys: Vec<Bytes>,
    filter: Bytes,
}

impl Index {
    pub(super) fn encode(first_keys: &[Vec<u8>], hashes: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        varint::write(&mut bytes, first_keys.len() as u64);
        for key in first_keys {
            varint::write(&mut bytes, key.len() as u64);
            bytes.extend_from_slice(key);
        }
        bytes.extend(filter::build(hashes));
        bytes
    }

    /// Reads an index's content; `None` if it is none.
    pub(in crate::engine) fn read(content: Bytes) -> Option<Self> {
        let mut rest: &[u8] = &content;
        let mut first_keys = Vec::new();
        for _ in 0..varint::read(&mut rest)? {
            let length = usize::try_from(varint::read(&mut rest)?).ok()?;
            let (key, behind) = rest.split_at_checked(length)?;
            first_keys.push(content.slice_ref(key));
            rest = behind;
        }
        let filter = content.slice_ref(rest);
        Some(Self { first_keys, filter })
    }

    /// How many bytes it takes in memory, roughly.
    pub(in crate::engine) fn size(&self) -> usize {
        self.filter.len() + self.first_keys.iter().map(|key| key.len() + 32).sum::<usize>()
    }

    /// How many blocks the segment has.
    pub(in crate::engine) fn len(&self) -> usize {
        self.first_keys.len()
    }

    /// Whether the segment may have a key.
    pub(in crate::engine) fn may_have(&self, key: &[u8]) -> bool {
        filter::may_have(&self.filter, key)
    }

    /// The only block that can have a key: the last one that does not begin behind it; the first where all do.
    pub(in crate::engine) fn block_of(&self, key: &[u8]) -> usize {
        self.first_keys.partition_point(|first| first.as_ref() <= key).saturating_sub(1)
    }
}
