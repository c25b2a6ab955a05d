//! Work in slices, between which other tasks get their turn.

use crate::env;

/// Counts the bytes that were worked on.
pub(super) struct Slice {
    bytes: usize,
    limit: usize,
}

impl Slice {
    /// Pauses after each `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: 0, limit }
    }

    /// Adds to the count; lets other tasks run where the slice is full.
    pub(super) async fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= self.limit {
            self.bytes = 0;
            env::pause().await;
        }
    }
}
