//! A merge: several runs become one, a segment at a time.

use super::slice::Slice;
use crate::engine::cache::Blocks;
use crate::engine::open::Inner;
use crate::engine::runs::{FinishedSegment, Merge, RunCursor, Segment, SegmentBuilder, run_key};
use crate::engine::scan::{Merged, Source};
use crate::storage::{Change, Space, StorageError, StorageResult};
use bytes::Bytes;
use std::ops::{Bound, Range};

/// How many bytes of entries are worked on before other tasks get their turn: some milliseconds on a slow machine.
const SLICE_BYTES: usize = 128 << 10;
/// How many blocks a merge reads at once from each input.
const READ_AHEAD: usize = 8;

impl Inner {
    /// Does one step of a merge: reads on in the inputs, and moves one segment's worth of entries to the output.
    pub(super) async fn merge(&self) -> StorageResult<()> {
        let before = self.manifest_record.borrow().clone();
        let mut manifest = (*self.state.borrow().manifest).clone();
        let begin = |inputs: Range<usize>| Merge { inputs, output: Vec::new(), from: Bytes::new() };
        let begun = manifest.merge.take().or_else(|| self.next_merge(&manifest).map(begin));
        let Some(mut merge) = begun else { return Ok(()) };
        let has_oldest = merge.inputs.end == manifest.runs.len();
        let mut builder = self.segment(&mut manifest.next_segment);
        let inputs: Vec<_> = manifest.runs.get(merge.inputs.clone()).unwrap_or_default().to_vec();
        let is_complete = self.read_on(&inputs, &merge.from, has_oldest, &mut builder).await?;

        merge.from = [builder.last_key(), &[0]].concat().into();
        let finished: Vec<FinishedSegment> =
            if builder.is_empty() { Vec::new() } else { vec![builder.finish()] };
        merge.output.extend(finished.iter().map(|finished| finished.segment.clone()));
        let mut changes = Vec::new();
        for run in manifest.runs.get_mut(merge.inputs.clone()).unwrap_or_default() {
            let read = if is_complete {
                run.len()
            } else {
                run.partition_point(|segment| segment.last < merge.from)
            };
            changes.extend(
                run.drain(..read).map(|segment| Change::DeleteRange(Space::Block, segment.numbers())),
            );
        }
        if is_complete {
            let output = Some(merge.output).filter(|output| !output.is_empty());
            manifest.runs.splice(merge.inputs, output);
        } else {
            manifest.merge = Some(merge);
        }
        self.publish(before, manifest, &finished, changes).await.map(drop)
    }

    /// Puts the entries from `from` on into a segment until it is full; tells whether these were the last.
    async fn read_on(
        &self,
        inputs: &[Vec<Segment>],
        from: &Bytes,
        has_oldest: bool,
        builder: &mut SegmentBuilder,
    ) -> StorageResult<bool> {
        let blocks = Blocks::of_merge(self.cache.clone(), READ_AHEAD);
        let mut low = Bound::Included(from.to_vec());
        let mut slice = Slice::new(SLICE_BYTES);
        loop {
            let sources = inputs
                .iter()
                .map(|run| Source::Run(RunCursor::new(&blocks, run, (low.clone(), Bound::Unbounded), false)));
            let mut merged = Merged::new(sources.collect(), false);
            let mut bytes = 0;
            while bytes < SLICE_BYTES
                && let Some(entry) = merged.next()
            {
                // A removal hides older entries; under the oldest run there are none.
                if entry.value.is_some() || !has_oldest {
                    builder.push(entry.keyspace, &entry.key, entry.value.as_deref());
                }
                bytes += entry.key.len() + entry.value.as_ref().map_or(0, Bytes::len);
                low = Bound::Excluded(run_key(entry.keyspace, &entry.key));
                if builder.is_full(self.settings.segment_bytes) {
                    return Ok(false);
                }
            }
            let is_sliced = bytes >= SLICE_BYTES;
            drop(merged);
            let wanted = blocks.take_wanted()?;
            if wanted.is_empty() && !is_sliced {
                return Ok(true);
            }
            if self.load(&blocks, &wanted).await?.is_some() {
                return Err(StorageError::Conflict);
            }
            slice.add(bytes).await;
        }
    }
}
