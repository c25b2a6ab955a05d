//! Reading blocks from the storage.

use super::cache::Blocks;
use super::open::Inner;
use super::runs::{BlockNumber, BlockRecord};
use crate::env;
use crate::storage::{Read, Space, StorageError, StorageResult};
use std::collections::BTreeSet;
use std::rc::Rc;

/// How many blocks are read in one transaction.
const MOST_AT_ONCE: usize = 256;

/// How many indexes are read ahead.
const MOST_INDEXES: usize = 128;

impl Inner {
    /// Reads the indexes that are not at hand, once, in the background: the first read waits for those it needs alone, and
    /// the next ones for none.
    pub(super) fn read_indexes_ahead(self: &Rc<Self>) {
        let Some(pause) = self.settings.indexes_ahead else { return };
        if self.has_read_ahead.replace(true) {
            return;
        }
        let inner = self.clone();
        env::spawn(async move {
            env::sleep(pause).await;
            let blocks = Blocks::new(inner.cache.clone());
            for segment in inner.state.borrow().manifest.segments().take(MOST_INDEXES) {
                blocks.want(BlockNumber::index(segment.number));
            }
            if let Ok(wanted) = blocks.take_wanted() {
                // What fails here fails again for whoever needs it.
                let _ = inner.load(&blocks, &wanted).await;
            }
        });
    }

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
            let mut missing: BTreeSet<BlockNumber> = BTreeSet::new();
            missing.extend(part);
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
