use crate::env::Millis;

/// Sizes that the engine works with, in bytes unless said otherwise.
///
/// None of them is part of the storage format: each tab may have its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The log is flushed into a run when it is longer than this: opening a database replays no more.
    pub flush_bytes: usize,
    /// The log is also flushed when nothing was committed for so long, if it is longer than a sixteenth of that; `None`: not.
    pub idle_flush: Option<Millis>,
    /// After a flush or a merge that failed another is tried after so long, then after twice as long, and so on; `None`:
    /// once the log has grown.
    pub retry_after: Option<Millis>,
    /// A block is closed when its entries take this much: what one cold read costs.
    pub block_bytes: usize,
    /// A segment is closed when its blocks take this much: one step of a merge, and one transaction.
    pub segment_bytes: usize,
    /// So many runs of about one size are merged into one.
    pub fan_in: usize,
    /// Merges neither wait for reads nor make pauses once there are so many runs.
    pub hurry: usize,
    /// Merges wait until no block was read for so long, though not for ever, and make pauses where one was read during the last
    /// step: what an application reads as it starts, or as somebody uses it, goes first. With 0 they do neither, and nothing
    /// depends on the clock.
    pub merge_after_read: Millis,
    /// So long after the first read that had to wait for the storage, the indexes are read that are not in memory yet: what an
    /// application asks for at its start goes first. `None`: each as it is needed.
    pub indexes_ahead: Option<Millis>,
    /// Where the platform gives no turns at flushing and merging, who does it has so long before another tab does; 0: nobody
    /// waits, and nothing depends on the clock.
    pub lease: Millis,
    /// Whether a damaged record of the log does not keep the database from being opened: it can be read then, as it was before
    /// that record, and not be written.
    pub salvage: bool,
    /// Blocks are kept in memory up to this much.
    pub cache_bytes: usize,
}

#[cfg(test)]
impl Settings {
    /// So small that some commits are a run, some entries a block, some blocks a segment, and little is cached.
    pub fn tiny() -> Self {
        Self {
            flush_bytes: 400,
            merge_after_read: Millis(0),
            idle_flush: None,
            retry_after: None,
            indexes_ahead: None,
            lease: Millis(0),
            salvage: false,
            block_bytes: 120,
            segment_bytes: 300,
            fan_in: 2,
            hurry: 6,
            cache_bytes: 1000,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            flush_bytes: 2 << 20,
            idle_flush: Some(Millis(1000)),
            retry_after: Some(Millis(2000)),
            block_bytes: 16 << 10,
            segment_bytes: 1 << 20,
            fan_in: 4,
            hurry: 12,
            merge_after_read: Millis(2000),
            indexes_ahead: Some(Millis(20)),
            lease: Millis(5000),
            salvage: false,
            cache_bytes: 32 << 20,
        }
    }
}
