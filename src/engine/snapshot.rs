use super::batch::View;
use super::cache::Blocks;
use super::keyspace::Keyspace;
use super::memtable::Memtable;
use super::runs::{Manifest, RunCursor, run_key};
use super::scan::{Merged, Source};
use bytes::Bytes;
use std::ops::Bound;
use std::rc::Rc;

/// What there is after some commit: cheap to copy, and never changed.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// What was committed since the last flush began.
    pub(super) active: Rc<Memtable>,
    /// What is being flushed.
    pub(super) frozen: Option<Rc<Memtable>>,
    pub(super) manifest: Rc<Manifest>,
}

/// One consistent state of the database, however long it is held. Cheap to take.
///
/// Hold it no longer than needed: while it lives, the next commit copies the memtable's map.
#[derive(Clone)]
pub struct Snapshot {
    state: State,
    blocks: Rc<Blocks>,
}

impl Snapshot {
    pub(super) fn new(state: State, blocks: Rc<Blocks>) -> Self {
        Self { state, blocks }
    }

    /// Whether something that was asked for was not at hand: then nothing that was told counts, and there is no point in
    /// reading much further.
    pub fn lacks_blocks(&self) -> bool {
        self.blocks.lacks()
    }

    /// Whether it is of this manifest.
    pub(super) fn has_manifest(&self, manifest: &Rc<Manifest>) -> bool {
        Rc::ptr_eq(&self.state.manifest, manifest)
    }

    fn manifest(&self) -> &Manifest {
        &self.state.manifest
    }

    fn tables(&self) -> impl Iterator<Item = &Memtable> {
        [Some(&self.state.active), self.state.frozen.as_ref()].into_iter().flatten().map(Rc::as_ref)
    }

    /// The entries of a keyspace between two bounds, in the order of the keys' bytes, or backwards. Not for the metadata.
    ///
    /// Bounds that exclude everything give nothing.
    pub fn scan<'a>(
        &'a self,
        keyspace: Keyspace,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        descending: bool,
    ) -> impl Iterator<Item = (Bytes, Bytes)> + 'a {
        self.scan_some(keyspace, bounds, descending, 0)
    }

    /// The same for somebody who is going to read so many entries: the blocks that have them are wanted at once.
    pub fn scan_some<'a>(
        &'a self,
        keyspace: Keyspace,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        descending: bool,
        entries: usize,
    ) -> impl Iterator<Item = (Bytes, Bytes)> + 'a {
        let is_empty = match bounds {
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (
                Bound::Included(start) | Bound::Excluded(start),
                Bound::Included(end) | Bound::Excluded(end),
            ) => start >= end,
            _ => false,
        };
        // BTreeMap::range panics on bounds that exclude everything.
        let sources = if is_empty { Vec::new() } else { self.sources(keyspace, bounds, descending, entries) };
        Merged::new(sources, descending).filter_map(|entry| Some((entry.key, entry.value?)))
    }

    fn sources<'a>(
        &'a self,
        keyspace: Keyspace,
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        descending: bool,
        entries: usize,
    ) -> Vec<Source<'a>> {
        let mut sources: Vec<Source<'a>> = self
            .tables()
            .map(|table| {
                let range = table.range(keyspace, bounds);
                let entries: Box<dyn Iterator<Item = _>> =
                    if descending { Box::new(range.rev()) } else { Box::new(range) };
                Source::Table(entries, keyspace)
            })
            .collect();
        let key = |bound: Bound<&[u8]>| bound.map(|key| run_key(keyspace, key));
        let low = match key(bounds.0) {
            Bound::Unbounded => Bound::Included(vec![keyspace as u8]),
            low => low,
        };
        let high = match key(bounds.1) {
            Bound::Unbounded => Bound::Excluded(vec![keyspace as u8 + 1]),
            high => high,
        };
        let mut cursors: Vec<_> = self
            .manifest()
            .runs_within((low, high))
            .into_iter()
            .map(|(run, bounds)| RunCursor::new(&self.blocks, run, bounds, descending))
            .collect();
        // Keys are taken to be spread evenly over the runs that may have them.
        let total = cursors.iter().map(RunCursor::entries).sum::<u64>().max(1);
        for cursor in &mut cursors {
            cursor.expect((entries as u64).saturating_mul(cursor.entries()).div_ceil(total));
        }
        sources.extend(cursors.into_iter().map(Source::Run));
        sources
    }
}

impl View for Snapshot {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Option<Bytes> {
        if let Some(slot) = self.tables().find_map(|table| table.get(keyspace, key)) {
            return slot.clone();
        }
        if keyspace == Keyspace::Metadata {
            return self.manifest().metadata.get(key).cloned();
        }
        if self.manifest().runs.is_empty() {
            return None;
        }
        let key = run_key(keyspace, key);
        // Once an index is not at hand nothing older can be the answer; but those needed are loaded together.
        let mut is_blocked = false;
        for segment in self.manifest().segments_of(&key) {
            let Some(index) = self.blocks.index(segment.number) else {
                is_blocked = true;
                continue;
            };
            if is_blocked || !index.may_have(&key) {
                continue;
            }
            let place = index.block_of(&key);
            let Some(block) = self.blocks.block(segment.number, place) else {
                is_blocked = true;
                continue;
            };
            if let (entry, true) = block.search(&key) {
                return block.entry(entry)?.value;
            }
        }
        None
    }
}
