//! Reading blocks from the storage.

use super::cache::Blocks;
use super::open::Inner;
use super::runs::{BlockNumber, BlockRecord};
use crate::storage::{Read, Space, StorageError, StorageResult};
use std::collections::BTreeSet;

/// How many blocks are read in one transaction.
const MOST_AT_ONCE: usize = 256;

impl Inner {
    /// Puts wanted blocks at hand; gives the error of one that is not there any more, if it is needed still.
    pub(super) async fn load(
        &self,
        blocks: &Blocks,
        wanted: &BTreeSet<BlockNumber>,
    ) -> StorageResult<Option<StorageError>> {
        let wanted: Vec<BlockNumber> = wanted.iter().copied().collect();
        let mut gone = None;
        for part in wanted.chunks(MOST_AT_ONCE) {
            let groups = part.chunk_by(|left, right| left.0 + 1 == right.0);
            let reads: Vec<Read> = groups
                .filter_map(|group| {
                    let first = group.first()?.0;
                    Some(match group.len() {
                        1 => Read::One(Space::Block, first.into()),
                        count => Read::From(Space::Block, first, count as u32),
                    })
                })
                .collect();
            let mut missing: BTreeSet<BlockNumber> = part.iter().copied().collect();
            for record in self.read(&reads).await?.into_iter().flatten() {
                match BlockRecord::number(&record) {
                    // A range may give what stands behind one that is missing.
                    Some(number) if !missing.remove(&number) => {}
                    Some(number) => blocks.load(number, &record)?,
                    None => {}
                }
            }
            if let Some(number) = missing.first() {
                gone = Some(number.damaged("it is missing"));
            }
        }
        Ok(gone)
    }
}
