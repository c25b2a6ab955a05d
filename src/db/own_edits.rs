//! The edits made here lately: what a live replication may send without asking whether anybody has it.

use crate::edit::DocumentResult;
use std::collections::VecDeque;
use xxhash_rust::xxh64::xxh64;

/// So many are remembered. Who writes more than that at once does not wait for each.
const MOST: usize = 256;

/// Documents and revisions, as hashes, the newest last.
#[derive(Debug, Default)]
pub(super) struct OwnEdits(VecDeque<u64>);

impl OwnEdits {
    /// Remembers those of a write's results that are edits.
    pub(super) fn note(&mut self, results: &[DocumentResult]) {
        if results.len() > MOST {
            return;
        }
        for result in results {
            if let DocumentResult::Written { id, rev, .. } = result {
                self.0.push_back(hash(id, rev));
            }
        }
        let surplus = self.0.len().saturating_sub(MOST);
        self.0.drain(..surplus);
    }

    /// Whether this revision is one of them.
    pub(super) fn contains(&self, id: &str, rev: &str) -> bool {
        self.0.contains(&hash(id, rev))
    }
}

fn hash(id: &str, rev: &str) -> u64 {
    xxh64(id.as_bytes(), xxh64(rev.as_bytes(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(number: usize) -> DocumentResult {
        DocumentResult::Written { ok: true, id: number.to_string(), rev: "1-x".into() }
    }

    #[test]
    fn the_newest_are_remembered_and_many_at_once_are_not() {
        let mut own = OwnEdits::default();
        for number in 0..300 {
            own.note(&[written(number)]);
        }
        let known = |own: &OwnEdits, number: usize| own.contains(&number.to_string(), "1-x");
        assert_eq!((known(&own, 43), known(&own, 44), known(&own, 299)), (false, true, true));
        assert!(!own.contains("299", "2-x"));
        own.note(&(1_000..1_257).map(written).collect::<Vec<_>>());
        assert!(!known(&own, 1_000) && known(&own, 299));
    }
}
