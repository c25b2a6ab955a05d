//! Reading several sorted sources as one.

use super::memtable::Slot;
use super::record::RecordEntry;
use super::runs::RunCursor;
use bytes::Bytes;
use std::cmp::Ordering;

/// The entries of one source, in the order of their keys or backwards.
pub(super) enum Source<'a> {
    Table(Box<dyn Iterator<Item = (&'a Bytes, &'a Slot)> + 'a>, super::Keyspace),
    Run(RunCursor<'a>),
}

impl Source<'_> {
    fn next(&mut self) -> Option<RecordEntry> {
        match self {
            Self::Table(entries, keyspace) => entries.next().map(|(key, value)| RecordEntry {
                keyspace: *keyspace,
                key: key.clone(),
                value: value.clone(),
            }),
            Self::Run(cursor) => cursor.next_entry(),
        }
    }

    fn is_blocked(&self) -> bool {
        matches!(self, Self::Run(cursor) if cursor.is_blocked())
    }
}

/// The newest entry of each key, removals included; ends where a source's block is not at hand, and not before: no block
/// is wanted that the entries given so far don't need.
pub(super) struct Merged<'a> {
    /// The newest first.
    sources: Vec<Input<'a>>,
    descending: bool,
}

struct Input<'a> {
    source: Source<'a>,
    /// Its next entry, once that was read.
    head: Option<RecordEntry>,
    /// Whether there is a next entry to be read.
    is_due: bool,
}

impl<'a> Merged<'a> {
    /// `sources`: the newest first, all in one direction.
    pub(super) fn new(sources: Vec<Source<'a>>, descending: bool) -> Self {
        let input = |source| Input { source, head: None, is_due: true };
        Self { sources: sources.into_iter().map(input).collect(), descending }
    }
}

fn order(left: &RecordEntry, right: &RecordEntry) -> Ordering {
    left.keyspace.cmp(&right.keyspace).then_with(|| left.key.cmp(&right.key))
}

impl Iterator for Merged<'_> {
    type Item = RecordEntry;

    fn next(&mut self) -> Option<RecordEntry> {
        if let [input] = self.sources.as_mut_slice() {
            return input.source.next();
        }
        let mut is_blocked = false;
        for input in self.sources.iter_mut().filter(|input| input.is_due) {
            input.head = input.source.next();
            let blocked = input.source.is_blocked();
            // All sources are asked, so that what they want is loaded together.
            is_blocked |= blocked;
            input.is_due = blocked;
        }
        if is_blocked {
            return None;
        }
        let mut first: Option<&RecordEntry> = None;
        for head in self.sources.iter().filter_map(|input| input.head.as_ref()) {
            let is_before = first.is_none_or(|first| match order(head, first) {
                Ordering::Less => !self.descending,
                Ordering::Greater => self.descending,
                // The newer one comes first among the sources.
                Ordering::Equal => false,
            });
            if is_before {
                first = Some(head);
            }
        }
        let first = first?.clone();
        for input in &mut self.sources {
            if input.head.as_ref().is_some_and(|head| order(head, &first) == Ordering::Equal) {
                input.head = None;
                input.is_due = true;
            }
        }
        Some(first)
    }
}
