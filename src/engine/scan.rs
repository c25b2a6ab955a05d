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

/// The newest entry of each key, removals included; ends where a source's block is not at hand.
pub(super) struct Merged<'a> {
    /// The newest first, each with its next entry.
    sources: Vec<(Source<'a>, Option<RecordEntry>)>,
    descending: bool,
    is_blocked: bool,
}

impl<'a> Merged<'a> {
    /// `sources`: the newest first, all in one direction.
    pub(super) fn new(sources: Vec<Source<'a>>, descending: bool) -> Self {
        let mut merged = Self { sources: Vec::with_capacity(sources.len()), descending, is_blocked: false };
        for mut source in sources {
            let head = source.next();
            merged.is_blocked |= source.is_blocked();
            merged.sources.push((source, head));
        }
        merged
    }
}

fn order(left: &RecordEntry, right: &RecordEntry) -> Ordering {
    left.keyspace.cmp(&right.keyspace).then_with(|| left.key.cmp(&right.key))
}

impl Iterator for Merged<'_> {
    type Item = RecordEntry;

    fn next(&mut self) -> Option<RecordEntry> {
        if self.is_blocked {
            return None;
        }
        if let [(source, head)] = self.sources.as_mut_slice() {
            let next = source.next();
            self.is_blocked = source.is_blocked();
            return std::mem::replace(head, next);
        }
        let mut first: Option<&RecordEntry> = None;
        for head in self.sources.iter().filter_map(|(_, head)| head.as_ref()) {
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
        for (source, head) in &mut self.sources {
            if head.as_ref().is_some_and(|head| order(head, &first) == Ordering::Equal) {
                *head = source.next();
                self.is_blocked |= source.is_blocked();
            }
        }
        Some(first)
    }
}
