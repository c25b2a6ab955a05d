//! Blocks in memory: those used last, up to a limit.

use super::runs::{Block, BlockNumber, BlockRecord, Index};
use crate::storage::{StorageError, StorageResult};
use bytes::Bytes;
use lru::LruCache;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// A block or an index, read.
#[derive(Debug, Clone)]
pub(super) enum Loaded {
    Index(Rc<Index>),
    Block(Rc<Block>),
}

impl Loaded {
    /// Reads a record.
    ///
    /// # Errors
    /// As [`BlockRecord::decode`].
    pub(super) fn read(number: BlockNumber, record: &Bytes) -> StorageResult<Self> {
        let content = BlockRecord::decode(number, record)?;
        let loaded = if number.is_index() {
            Index::read(content).map(|index| Self::Index(Rc::new(index)))
        } else {
            Block::read(content).map(|block| Self::Block(Rc::new(block)))
        };
        loaded.ok_or_else(|| number.damaged(NOT_WELL_FORMED))
    }

    fn size(&self) -> usize {
        match self {
            Self::Index(index) => index.size(),
            Self::Block(block) => block.size(),
        }
    }
}

const NOT_WELL_FORMED: &str = "it is not well formed";

/// The blocks used last. A block never changes, so what is here holds whatever is committed.
pub(super) struct Cache {
    entries: RefCell<LruCache<BlockNumber, Loaded>>,
    bytes: Cell<usize>,
    limit: usize,
}

impl Cache {
    /// An empty cache for so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { entries: RefCell::new(LruCache::unbounded()), bytes: Cell::new(0), limit }
    }

    fn get(&self, number: BlockNumber) -> Option<Loaded> {
        self.entries.borrow_mut().get(&number).cloned()
    }

    /// Keeps a block that was just stored, as long as nothing has to go for it.
    ///
    /// # Errors
    /// As [`BlockRecord::decode`].
    pub(super) fn insert_if_room(&self, number: BlockNumber, record: &Bytes) -> StorageResult<()> {
        if self.has_room() {
            self.insert(number, Loaded::read(number, record)?);
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.bytes.get() < self.limit
    }

    fn insert(&self, number: BlockNumber, loaded: Loaded) {
        let mut entries = self.entries.borrow_mut();
        self.bytes.set(self.bytes.get() + loaded.size());
        let replaced = entries.put(number, loaded);
        self.bytes.set(self.bytes.get() - replaced.map_or(0, |replaced| replaced.size()));
        while self.bytes.get() > self.limit
            && let Some((_, evicted)) = entries.pop_lru()
        {
            self.bytes.set(self.bytes.get() - evicted.size());
        }
    }
}

/// The blocks that one reader has at hand, and those it turned out to need.
///
/// A reader is a synchronous function. Where a block is not at hand it goes on as if nothing were there; its outcome then
/// does not count, the blocks it wanted are loaded, and it is called again.
pub(super) struct Blocks {
    cache: Rc<Cache>,
    /// What was loaded or used for this reader: what is needed at once may be more than the cache keeps.
    pinned: RefCell<HashMap<BlockNumber, Loaded>>,
    wanted: RefCell<BTreeSet<BlockNumber>>,
    damage: RefCell<Option<StorageError>>,
    /// How many blocks a scan that wants one is given; twice as many each time, up to `most_ahead`.
    ahead: Cell<usize>,
    most_ahead: usize,
    fill: Cell<Fill>,
    is_again: Cell<bool>,
}

/// Whether what is loaded goes into the cache too.
#[derive(Clone, Copy)]
enum Fill {
    Always,
    /// What is read once, and is a lot, shall not drive out what is read often.
    IfRoom,
    Never,
}

/// How many blocks a scan is given at first.
const FIRST_AHEAD: usize = 2;
/// How many blocks a scan is given at most.
const MOST_AHEAD: usize = 256;

impl Blocks {
    pub(super) fn new(cache: Rc<Cache>) -> Self {
        Self {
            cache,
            pinned: RefCell::default(),
            wanted: RefCell::default(),
            damage: RefCell::default(),
            ahead: Cell::new(FIRST_AHEAD),
            most_ahead: MOST_AHEAD,
            fill: Cell::new(Fill::Always),
            is_again: Cell::new(false),
        }
    }

    /// For reading a run once from end to end, so many blocks at a time.
    pub(super) fn of_merge(cache: Rc<Cache>, ahead: usize) -> Self {
        Self { ahead: Cell::new(ahead), most_ahead: ahead, fill: Cell::new(Fill::Never), ..Self::new(cache) }
    }

    fn get(&self, number: BlockNumber) -> Option<Loaded> {
        let pinned = self.pinned.borrow().get(&number).cloned();
        if pinned.is_some() {
            return pinned;
        }
        let cached = self.cache.get(number);
        match &cached {
            Some(loaded) if self.is_again.get() => {
                self.pinned.borrow_mut().insert(number, loaded.clone());
            }
            Some(_) => {}
            None => {
                self.wanted.borrow_mut().insert(number);
            }
        }
        cached
    }

    /// A segment's index, if it is at hand; else it is wanted.
    pub(super) fn index(&self, segment: u64) -> Option<Rc<Index>> {
        match self.get(BlockNumber::index(segment))? {
            Loaded::Index(index) => Some(index),
            Loaded::Block(_) => None,
        }
    }

    /// A block, if it is at hand; else it is wanted.
    pub(super) fn block(&self, segment: u64, block: usize) -> Option<Rc<Block>> {
        match self.get(BlockNumber::block(segment, block))? {
            Loaded::Block(block) => Some(block),
            Loaded::Index(_) => None,
        }
    }

    /// Wants a block or an index that is not needed yet but soon will be, unless it is at hand.
    pub(super) fn want(&self, number: BlockNumber) {
        self.get(number);
    }

    /// Whether a block was wanted that is not at hand.
    pub(super) fn lacks(&self) -> bool {
        !self.wanted.borrow().is_empty()
    }

    /// How many blocks to want at once in a scan that seems to need so many.
    pub(super) fn ahead(&self, needed: usize) -> usize {
        self.ahead.get().max(needed).min(self.most_ahead)
    }

    /// Notes that a block that passed its checksum has an entry that cannot be read.
    pub(super) fn spoil(&self, number: BlockNumber) {
        self.damage.replace(Some(number.damaged(NOT_WELL_FORMED)));
    }

    /// What the reader wanted and had not; nothing where its outcome counts.
    ///
    /// # Errors
    /// What was found damaged.
    pub(super) fn take_wanted(&self) -> StorageResult<BTreeSet<BlockNumber>> {
        if let Some(damage) = self.damage.take() {
            return Err(damage);
        }
        let wanted = self.wanted.take();
        if !wanted.is_empty() {
            self.is_again.set(true);
            self.ahead.set((self.ahead.get() * 2).min(self.most_ahead));
        }
        Ok(wanted)
    }

    /// Lets go of the blocks at hand, which the reader is done with.
    pub(super) fn let_go(&self) {
        self.pinned.borrow_mut().clear();
        if matches!(self.fill.get(), Fill::Always) {
            self.fill.set(Fill::IfRoom);
        }
    }

    /// Puts a block at hand.
    ///
    /// # Errors
    /// As [`BlockRecord::decode`].
    pub(super) fn load(&self, number: BlockNumber, record: &Bytes) -> StorageResult<()> {
        let loaded = Loaded::read(number, record)?;
        match self.fill.get() {
            Fill::Always => self.cache.insert(number, loaded.clone()),
            Fill::IfRoom if self.cache.has_room() => self.cache.insert(number, loaded.clone()),
            Fill::IfRoom | Fill::Never => {}
        }
        self.pinned.borrow_mut().insert(number, loaded);
        Ok(())
    }
}
