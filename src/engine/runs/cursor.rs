use super::block::{Block, BlockNumber};
use super::index::Index;
use super::manifest::Segment;
use crate::engine::cache::Blocks;
use crate::engine::record::RecordEntry;
use std::ops::{Bound, Range};
use std::rc::Rc;

/// A range within a segment that takes no more blocks than this is read at once.
const SHORT_RANGE: usize = 16;

/// Bounds of keys in the form of [`run_key`](super::run_key).
pub(in crate::engine) type RunBounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Reads a run's entries in the order of their keys, or backwards, as far as its blocks are at hand.
pub(in crate::engine) struct RunCursor<'a> {
    blocks: &'a Blocks,
    /// The segments that are still to be read, the current one included.
    segments: &'a [Segment],
    /// The block of the current segment that is read next, once that is known.
    next_block: Option<usize>,
    bounds: RunBounds,
    descending: bool,
    /// So many entries are likely to be read.
    expected: u64,
    /// The current block and its entries that are still to be read.
    current: Option<(BlockNumber, Rc<Block>, Range<usize>)>,
    is_blocked: bool,
}

impl<'a> RunCursor<'a> {
    pub(in crate::engine) fn new(
        blocks: &'a Blocks,
        run: &'a [Segment],
        bounds: RunBounds,
        descending: bool,
    ) -> Self {
        let start = run.partition_point(|segment| match &bounds.0 {
            Bound::Included(key) => segment.last.as_ref() < key.as_slice(),
            Bound::Excluded(key) => segment.last.as_ref() <= key.as_slice(),
            Bound::Unbounded => false,
        });
        let end = run.partition_point(|segment| match &bounds.1 {
            Bound::Included(key) => segment.first.as_ref() <= key.as_slice(),
            Bound::Excluded(key) => segment.first.as_ref() < key.as_slice(),
            Bound::Unbounded => true,
        });
        let segments = run.get(start..end).unwrap_or_default();
        Self {
            blocks,
            segments,
            next_block: None,
            bounds,
            descending,
            expected: 0,
            current: None,
            is_blocked: false,
        }
    }

    /// How many entries the segments have that are still to be read, those beyond the bounds included.
    pub(in crate::engine) fn entries(&self) -> u64 {
        self.segments.iter().map(|segment| segment.entries).sum()
    }

    /// Says how many entries are likely to be read.
    pub(in crate::engine) fn expect(&mut self, entries: u64) {
        self.expected = entries;
    }

    /// Whether it has ended because a block is not at hand.
    pub(in crate::engine) fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// The next entry; `None` at the end, or where a block is not at hand: then that is wanted.
    pub(in crate::engine) fn next_entry(&mut self) -> Option<RecordEntry> {
        loop {
            if let Some((number, block, entries)) = &mut self.current {
                let next = if self.descending { entries.next_back() } else { entries.next() };
                if let Some(index) = next {
                    let entry = block.entry(index);
                    if entry.is_none() {
                        self.blocks.spoil(*number);
                    }
                    return entry;
                }
            }
            self.current = None;
            if !self.open_block() {
                return None;
            }
        }
    }

    /// Opens the next block that has entries within the bounds.
    fn open_block(&mut self) -> bool {
        while !self.is_blocked {
            let segment = if self.descending { self.segments.last() } else { self.segments.first() };
            let Some(segment) = segment else { return false };
            let Some(index) = self.blocks.index(segment.number) else {
                self.is_blocked = true;
                return false;
            };
            let place = self.next_block.unwrap_or_else(|| match (self.descending, &self.bounds) {
                (false, (Bound::Included(key) | Bound::Excluded(key), _))
                | (true, (_, Bound::Included(key) | Bound::Excluded(key))) => index.block_of(key),
                (false, _) => 0,
                (true, _) => index.len().saturating_sub(1),
            });
            let Some(block) = self.blocks.block(segment.number, place) else {
                self.want_ahead(segment, place, &index);
                self.is_blocked = true;
                return false;
            };
            let entries = self.within(&block);
            let after = if self.descending { place.checked_sub(1) } else { Some(place + 1) };
            self.next_block = after.filter(|after| *after < index.len());
            if self.next_block.is_none() {
                self.segments = match self.segments {
                    [rest @ .., _] if self.descending => rest,
                    [_, rest @ ..] if !self.descending => rest,
                    _ => &[],
                };
            }
            if !entries.is_empty() {
                self.current = Some((BlockNumber::block(segment.number, place), block, entries));
                return true;
            }
        }
        false
    }

    /// Wants the blocks behind one that is not at hand, in the direction of reading.
    fn want_ahead(&self, segment: &Segment, place: usize, index: &Index) {
        let per_block = (segment.entries / index.len() as u64).max(1);
        // The first one is likely to be begun in its middle.
        let mut needed = self.expected.div_ceil(per_block).saturating_add(1) as usize;
        let (low, high) = (Self::key(&self.bounds.0), Self::key(&self.bounds.1));
        let first = low.map_or(0, |low| index.block_of(low));
        let last = high.map_or(index.len(), |high| index.block_of(high) + 1);
        let left = if self.descending { place - first.min(place) + 1 } else { last.max(place + 1) - place };
        if left <= SHORT_RANGE {
            needed = left;
        }
        let ahead = self.blocks.ahead(needed).min(left);
        let places = if self.descending { place + 1 - ahead..place } else { place + 1..place + ahead };
        for place in places {
            self.blocks.want(BlockNumber::block(segment.number, place));
        }
    }

    fn key(bound: &Bound<Vec<u8>>) -> Option<&[u8]> {
        match bound {
            Bound::Included(key) | Bound::Excluded(key) => Some(key),
            Bound::Unbounded => None,
        }
    }

    /// The entries of a block that are within the bounds.
    fn within(&self, block: &Block) -> Range<usize> {
        let start = match &self.bounds.0 {
            Bound::Included(key) => block.search(key).0,
            Bound::Excluded(key) => {
                let (place, is_there) = block.search(key);
                place + usize::from(is_there)
            }
            Bound::Unbounded => 0,
        };
        let end = match &self.bounds.1 {
            Bound::Included(key) => {
                let (place, is_there) = block.search(key);
                place + usize::from(is_there)
            }
            Bound::Excluded(key) => block.search(key).0,
            Bound::Unbounded => block.len(),
        };
        start..end.max(start)
    }
}
