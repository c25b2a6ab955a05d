//! What both flushes and merges end with: segments, and a manifest that names them.

use crate::engine::open::Inner;
use crate::engine::runs::{FinishedSegment, Lease, MANIFEST_KEY, Manifest, SegmentBuilder};
use crate::env::{self, Millis};
use crate::storage::{Change, Expectation, Space, StorageResult, Write};
use bytes::Bytes;
use std::rc::Rc;

impl Inner {
    /// Begins a segment with the next number.
    pub(super) fn segment(&self, next_segment: &mut u64) -> SegmentBuilder {
        *next_segment += 1;
        SegmentBuilder::new(*next_segment, self.settings.block_bytes)
    }

    /// Replaces the manifest, with the blocks that it names from now on; tells whether that is still the newest.
    pub(super) async fn publish(
        &self,
        before: Option<Bytes>,
        mut manifest: Manifest,
        finished: &[FinishedSegment],
        mut changes: Vec<Change>,
    ) -> StorageResult<bool> {
        let until = Millis(env::now().0 + self.settings.lease.0);
        manifest.lease = self.leases.get().then_some(Lease { writer: self.writer, until });
        let record = manifest.encode();
        for (number, block) in finished.iter().flat_map(|finished| &finished.records) {
            changes.push(Change::Put(Space::Block, number.0.into(), block.clone()));
        }
        changes.push(Change::Put(Space::Meta, MANIFEST_KEY.into(), record.clone()));
        let expect =
            vec![Expectation { space: Space::Meta, key: MANIFEST_KEY.into(), content: before.clone() }];
        self.storage.write(Write { expect, changes, ..Write::default() }).await?;
        // Somebody may have caught up in the meantime, even with what came after this.
        let is_newest = *self.manifest_record.borrow() == before;
        if is_newest {
            self.manifest_record.replace(Some(record));
            self.state.borrow_mut().manifest = Rc::new(manifest);
        }
        Ok(is_newest)
    }
}
