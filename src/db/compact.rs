//! Compaction and purge.

use super::open::Database;
use crate::edit::{self, CompactionSlice, Counters, Purged, compacted_until};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Once one body was dropped for so many documents, the database is written anew: else what was dropped may stay on the disk
/// for long.
const DOCUMENTS_A_BODY: u64 = 8;

/// A piece of a compaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactionStep {
    /// The seq up to which everything is compacted.
    pub last_seq: u64,
    /// The seq up to which everything will be, in the end.
    pub until: u64,
    /// How many changes were looked at so far.
    pub changes: usize,
    /// How many bodies were dropped so far.
    pub dropped: usize,
}

impl CompactionStep {
    /// Whether nothing is left to be done.
    pub fn is_done(&self) -> bool {
        self.last_seq >= self.until
    }
}

impl Database {
    /// Where a compaction of all that has changed since the last one begins. [`Database::compact_further`] does it.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read.
    pub async fn begin_compaction(&self) -> Result<CompactionStep> {
        let question = |snapshot: &_| {
            let until = Counters::read(snapshot).update_seq;
            Ok(CompactionStep { last_seq: compacted_until(snapshot), until, changes: 0, dropped: 0 })
        };
        self.engine()?.read(question).await
    }

    /// Drops the bodies of revisions that are no leaves in some documents, in one commit. What is committed meanwhile is
    /// left for the next compaction.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read or written.
    pub async fn compact_further(&self, step: CompactionStep) -> Result<CompactionStep> {
        let engine = self.engine()?;
        let CompactionStep { last_seq, until, changes, mut dropped } = step;
        let slice =
            engine.read_in_steps(|| CompactionSlice::new(last_seq, until), CompactionSlice::step).await?;
        let (last_seq, changes) = (slice.last_seq(), changes + slice.changes());
        if !slice.is_void() {
            dropped += engine.commit(move |overlay| slice.plan(overlay)).await?;
        }
        let step = CompactionStep { last_seq, until, changes, dropped };
        let documents = engine.peek(Counters::read)?.doc_count;
        if step.is_done() && dropped > 0 && dropped as u64 * DOCUMENTS_A_BODY >= documents {
            engine.tidy();
        }
        Ok(step)
    }

    /// Drops the bodies of all revisions that are no leaves.
    ///
    /// # Errors
    /// A storage error where what is stored cannot be read or written.
    pub async fn compact(&self) -> Result<()> {
        let mut step = self.begin_compaction().await?;
        while !step.is_done() {
            step = self.compact_further(step).await?;
        }
        Ok(())
    }

    /// Drops the bodies of one document's revisions that are further than `max_height` generations from all leaves.
    ///
    /// # Errors
    /// 404 where there is no such document.
    pub async fn compact_document(&self, id: &str, max_height: usize) -> Result<()> {
        let id = id.to_owned();
        let plan = move |overlay: &mut _| {
            let found = edit::compact_document(overlay, &id, max_height)?;
            found.map(drop).ok_or_else(|| Error::missing().with_doc_id(&id))
        };
        self.engine()?.commit(plan).await
    }

    /// Forgets a leaf of a document, and what of its history is nobody else's, as if it had never been.
    ///
    /// # Errors
    /// 404 where there is no such document or revision; 400 where the revision is no leaf.
    pub async fn purge(&self, id: &str, rev: &str) -> Result<Purged> {
        let (id, rev, limit) = (id.to_owned(), rev.to_owned(), self.options().purged_infos_limit);
        self.engine()?.commit(move |overlay| edit::purge(overlay, &id, &rev, limit)).await
    }
}
