//! Sorted runs: what the log was flushed into, in blocks of entries in the order of their keys.
//!
//! - An **entry** is a keyspace, a key and a value, or the removal of the key (a tombstone).
//! - A **block** is a record of some entries, compressed and checksummed.
//! - A **segment** is blocks numbered in a row, and before them an index: each block's first key, and a Bloom filter.
//! - A **run** is segments one after another. Newer runs hide older ones key by key.
//! - The **manifest** names the runs. It is replaced by compare-and-swap in the transaction that adds and removes blocks, so
//!   a block is there exactly as long as the manifest names it.
//!
//! Everything here is a synchronous function of bytes and keys; [`maintain`](super::maintain) reads and writes.

mod block;
mod check;
mod cursor;
mod filter;
mod index;
mod manifest;
mod policy;
mod segment;

pub(super) use block::{Block, BlockNumber, BlockRecord};
pub(super) use check::SegmentCheck;
pub(super) use cursor::RunCursor;
pub(super) use index::Index;
pub(super) use manifest::{Lease, MANIFEST_KEY, Manifest, Merge, Segment, Settled};
pub(super) use segment::{FinishedSegment, SegmentBuilder};

use super::keyspace::Keyspace;

/// A key within a run: the keyspace's number, then the key.
pub(super) fn run_key(keyspace: Keyspace, key: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.len() + 1);
    bytes.push(keyspace as u8);
    bytes.extend_from_slice(key);
    bytes
}
