//! Listing entries in steps, so that neither a step nor the blocks that it holds are ever large.

use super::keyspace::Keyspace;
use super::read::Step;
use super::snapshot::Snapshot;
use crate::error::Result;
use bytes::Bytes;
use std::ops::Bound;

/// A step ends when it has read, or written, so many bytes: some milliseconds on a slow machine.
pub const STEP_BYTES: usize = 1 << 20;

/// So many rows are looked at beyond one that lacks a block, so that what they lack is loaded together.
pub const ROWS_AHEAD: usize = 256;

/// What becomes of the entries of a scan.
pub trait Rows {
    /// What an entry becomes.
    type Row;

    /// How many more rows are wanted.
    fn left(&self) -> usize;

    /// Makes a row of an entry; `None` where it is to be left out.
    ///
    /// # Errors
    /// Where it cannot be made; that ends the listing.
    fn make(&self, snapshot: &Snapshot, key: &Bytes, value: Bytes) -> Result<Option<Self::Row>>;

    /// Takes the next row.
    fn keep(&mut self, row: Self::Row);
}

/// Which entries are to be listed, and how far that has come.
pub struct Listing {
    /// Which keyspace.
    pub keyspace: Keyspace,
    /// Which keys are still to come.
    pub bounds: (Bound<Vec<u8>>, Bound<Vec<u8>>),
    /// Whether the greatest key comes first.
    pub descending: bool,
}

impl Listing {
    /// Makes rows of the next entries, and leaves them out of the bounds from then on. A step of
    /// [`Engine::read_in_steps`](super::Engine::read_in_steps).
    ///
    /// # Errors
    /// Those of the rows.
    pub fn step<R: Rows>(&mut self, snapshot: &Snapshot, rows: &mut R) -> Result<Step> {
        let Self { keyspace, bounds, descending } = self;
        let borrowed = (bounds.0.as_ref().map(Vec::as_slice), bounds.1.as_ref().map(Vec::as_slice));
        // A listing of everything begins with few blocks.
        let expected = Some(rows.left()).filter(|left| *left < usize::MAX).unwrap_or_default();
        let mut entries = snapshot.scan_some(*keyspace, borrowed, *descending, expected);
        let mut last = None;
        let mut bytes = 0;
        let mut ahead = 0;
        let mut is_to_the_end = true;
        while ahead < rows.left().min(ROWS_AHEAD)
            && let Some((key, value)) = entries.next()
        {
            bytes += value.len();
            let row = rows.make(snapshot, &key, value);
            if snapshot.lacks_blocks() {
                ahead += 1;
                continue;
            }
            if let Some(row) = row? {
                rows.keep(row);
            }
            last = Some(key);
            if bytes >= STEP_BYTES {
                is_to_the_end = false;
                break;
            }
        }
        drop(entries);
        is_to_the_end &= !snapshot.lacks_blocks();
        if let Some(last) = last {
            let bound = if *descending { &mut bounds.1 } else { &mut bounds.0 };
            *bound = Bound::Excluded(last.to_vec());
            return Ok(if is_to_the_end { Step::Done } else { Step::Further });
        }
        Ok(Step::Done)
    }
}
