//! A flush: the log becomes a run.

use super::slice::Slice;
use crate::engine::header::{FLOOR_KEY, encode_floor};
use crate::engine::keyspace::Keyspace;
use crate::engine::memtable::Memtable;
use crate::engine::open::Inner;
use crate::engine::runs::FinishedSegment;
use crate::storage::{Change, Space, StorageError, StorageResult};
use bytes::Bytes;

/// How many bytes of entries are worked on before other tasks get their turn; commits may be waiting for the flush.
const FLUSH_SLICE_BYTES: usize = 512 << 10;
/// Of so many retired log records it is still known that they were commits.
const SETTLED: usize = 256;

impl Inner {
    /// Moves the log up to here into a new run.
    pub(super) async fn flush(&self) -> StorageResult<()> {
        if self.state.borrow().frozen.is_some() {
            // An earlier flush has failed, and what became of it could not be found out yet.
            return Err(StorageError::Unknown);
        }
        let position = self.position.get();
        let before = self.manifest_record.borrow().clone();
        let recent = self.recent.borrow().clone();
        let (frozen, mut manifest) = {
            let mut state = self.state.borrow_mut();
            let frozen = std::mem::take(&mut state.active);
            state.frozen = Some(frozen.clone());
            (frozen, (*state.manifest).clone())
        };
        let is_first = manifest.runs.is_empty();
        let finished = self.build(&frozen, &mut manifest.next_segment, is_first).await;
        if !finished.is_empty() {
            manifest.runs.insert(0, finished.iter().map(|finished| finished.segment.clone()).collect());
            if let Some(merge) = &mut manifest.merge {
                merge.inputs = merge.inputs.start + 1..merge.inputs.end + 1;
            }
        }
        for (key, value) in frozen.all(Keyspace::Metadata) {
            match value {
                Some(value) => {
                    // Copied, so that they don't hold the record that they came with.
                    manifest.metadata.insert(Bytes::copy_from_slice(key), Bytes::copy_from_slice(value))
                }
                None => manifest.metadata.remove(key),
            };
        }
        manifest.flushed = position;
        manifest.settled.extend(recent);
        manifest.settled.drain(..manifest.settled.len().saturating_sub(SETTLED));
        let retired = [
            Change::Put(Space::Meta, FLOOR_KEY.into(), encode_floor(position + 1, &self.header)),
            Change::DeleteRange(Space::Log, 0..position + 1),
        ];
        let flushed = self.publish(before, manifest, &finished, retired.into()).await?;
        if flushed {
            // What was just written is likely to be read.
            for (number, block) in finished.iter().flat_map(|finished| &finished.records) {
                self.cache.insert_if_room(*number, block)?;
            }
            let mut recent = self.recent.borrow_mut();
            let kept = (self.position.get() - position) as usize;
            let retired = recent.len().saturating_sub(kept);
            recent.drain(..retired);
            self.state.borrow_mut().frozen = None;
        }
        Ok(())
    }

    /// Puts a memtable into segments. In the first run of all nothing has to be removed.
    async fn build(&self, table: &Memtable, next_segment: &mut u64, is_first: bool) -> Vec<FinishedSegment> {
        let mut finished = Vec::new();
        let mut builder = self.segment(next_segment);
        let mut slice = Slice::new(FLUSH_SLICE_BYTES);
        for keyspace in Keyspace::IN_RUNS {
            for (key, value) in table.all(keyspace) {
                if value.is_none() && is_first {
                    continue;
                }
                builder.push(keyspace, key, value.as_deref());
                if builder.is_full(self.settings.segment_bytes) {
                    let full = std::mem::replace(&mut builder, self.segment(next_segment));
                    finished.push(full.finish());
                }
                slice.add(key.len() + value.as_ref().map_or(0, Bytes::len)).await;
            }
        }
        if !builder.is_empty() {
            finished.push(builder.finish());
        }
        finished
    }
}
