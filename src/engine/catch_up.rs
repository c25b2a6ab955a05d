//! Applying what other tabs have committed, flushed and merged.

use super::header::{FLOOR_KEY, HEADER_KEY, decode_floor};
use super::memtable::Memtable;
use super::open::{Ended, Inner};
use super::record;
use super::runs::{MANIFEST_KEY, Manifest, Settled};
use super::snapshot::State;
use crate::storage::{Read, Space, StorageError, StorageResult};
use bytes::Bytes;
use std::rc::Rc;

/// How many log records are read at once.
const READ_AHEAD: u32 = 256;

/// The state as it is read anew from a manifest and the log behind it.
struct Replay {
    record: Option<Bytes>,
    manifest: Manifest,
    table: Memtable,
    position: u64,
    recent: Vec<Settled>,
}

impl Replay {
    fn apply(&mut self, record: &Bytes) -> StorageResult<()> {
        let entries = record::decode(self.position + 1, record)?;
        self.table.apply(entries, record.len());
        self.recent.push(record::settled(record));
        self.position += 1;
        Ok(())
    }
}

pub(super) fn missing(record: &str) -> StorageError {
    StorageError::Damaged { record: record.into(), problem: "it is missing" }
}

/// What tells which database there is, and where its log begins: the header and the floor.
pub(super) fn reads_of_beginning() -> [Read; 2] {
    [Read::One(Space::Meta, HEADER_KEY.into()), Read::One(Space::Meta, FLOOR_KEY.into())]
}

/// What there is behind a position: the small records, and the log from there on.
pub(super) fn reads_behind(position: u64) -> [Read; 4] {
    let [header, floor] = reads_of_beginning();
    [
        header,
        floor,
        Read::One(Space::Meta, MANIFEST_KEY.into()),
        Read::From(Space::Log, position + 1, READ_AHEAD),
    ]
}

impl Inner {
    /// Applies what other tabs have committed, and tells whether there was something. The caller holds the turn.
    pub(super) async fn catch_up_in_turn(&self) -> StorageResult<bool> {
        self.catch_up_from(None).await
    }

    /// The same; `found`, if given, are the answers to [`reads_behind`] this engine's position.
    pub(super) async fn catch_up_from(&self, mut found: Option<Vec<Vec<Bytes>>>) -> StorageResult<bool> {
        if self.damage.borrow().is_some() {
            // There is no way past it.
            return Ok(false);
        }
        let before = self.position.get();
        let mut replay = self.maintenance.must_replay().then(|| self.replay_of(None, Manifest::default()));
        loop {
            let next = replay.as_ref().map_or(self.position.get(), |replay| replay.position) + 1;
            let answers = match found.take() {
                Some(found) => found,
                None => self.read(&reads_behind(next - 1)).await?,
            };
            let mut answers = answers.into_iter().map(Vec::into_iter);
            let mut answer = || answers.next().expect("BUG: a read without an answer");
            let header = answer().next();
            if header.is_none_or(|header| header != self.header.encode()) {
                // The browser's settings removed the records, or somebody has made the database anew.
                self.end(Ended::Destroyed);
                return Err(StorageError::Closed);
            }
            let floor = decode_floor(&answer().next().ok_or_else(|| missing("meta/floor"))?, &self.header)?;
            let manifest_record = answer().next();
            let records = answer();
            if manifest_record
                != replay
                    .as_ref()
                    .map_or_else(|| self.manifest_record.borrow().clone(), |replay| replay.record.clone())
            {
                let manifest =
                    manifest_record.as_ref().map(Manifest::decode).transpose()?.unwrap_or_default();
                if replay.is_none() && manifest.flushed == self.state.borrow().manifest.flushed {
                    self.state.borrow_mut().manifest = Rc::new(manifest);
                    self.manifest_record.replace(manifest_record);
                } else {
                    let behind = manifest.flushed + 1;
                    replay = Some(self.replay_of(manifest_record, manifest));
                    if behind < next {
                        // What was read begins too late for it.
                        continue;
                    }
                }
            }
            let next = replay.as_ref().map_or(next, |replay| replay.position + 1);
            if floor != self.flushed(replay.as_ref()) + 1 || floor > next {
                return Err(missing(&format!("log/{next}")));
            }
            let complete = records.len() < READ_AHEAD as usize;
            for record in records {
                // Below the floor there may be what a tab that slept has left; if it is that, and no damaged record.
                let position = record::position_of(&record).filter(|position| *position < floor);
                if position.is_some_and(|position| record::decode(position, &record).is_ok()) {
                    continue;
                }
                let applied = match &mut replay {
                    Some(replay) => replay.apply(&record),
                    None => self.apply(&record),
                };
                if !self.is_applied(applied)? {
                    break;
                }
            }
            if complete || self.damage.borrow().is_some() {
                break;
            }
        }
        if let Some(Replay { record, manifest, table, position, recent }) = replay {
            self.state.replace(State { active: Rc::new(table), frozen: None, manifest: Rc::new(manifest) });
            self.manifest_record.replace(record);
            self.position.set(position);
            self.recent.replace(recent);
            self.maintenance.has_replayed();
        }
        let advanced = self.position.get() > before;
        if advanced {
            self.tell(None);
        }
        Ok(advanced)
    }

    /// Applies what [`reads_behind`] a position has found, without waiting for anything. Tells whether all of it is applied; not where
    /// there is more to be done than to apply commits.
    pub(super) fn apply_found(&self, found: Vec<Vec<Bytes>>) -> bool {
        let Ok([header, floor, manifest, records]) = <[Vec<Bytes>; 4]>::try_from(found) else { return false };
        if self.damage.borrow().is_some()
            || self.maintenance.must_replay()
            || header.first() != Some(&self.header.encode())
            || floor.first() != Some(&self.floor())
            || manifest.first() != self.manifest_record.borrow().as_ref()
            || records.len() >= READ_AHEAD as usize
        {
            return false;
        }
        // Some may have been applied since they were read for the first time.
        let mut missed = records.iter().skip_while(|record| {
            record::position_of(record).is_some_and(|position| position <= self.position.get())
        });
        missed.all(|record| self.apply(record).is_ok())
    }

    fn replay_of(&self, record: Option<Bytes>, manifest: Manifest) -> Replay {
        let position = manifest.flushed;
        Replay { record, manifest, table: Memtable::default(), position, recent: Vec::new() }
    }

    /// Whether a record was applied; not where it is damaged and what comes before it is to be read all the same.
    fn is_applied(&self, outcome: StorageResult<()>) -> StorageResult<bool> {
        match outcome {
            Err(damage @ StorageError::Damaged { .. }) if self.settings.salvage => {
                self.damage.replace(Some(damage));
                Ok(false)
            }
            outcome => outcome.map(|()| true),
        }
    }

    fn flushed(&self, replay: Option<&Replay>) -> u64 {
        replay.map_or_else(|| self.state.borrow().manifest.flushed, |replay| replay.manifest.flushed)
    }

    /// Applies the record of the next position.
    pub(super) fn apply(&self, record: &Bytes) -> StorageResult<()> {
        let entries = record::decode(self.position.get() + 1, record)?;
        self.apply_entries(record, entries);
        Ok(())
    }

    /// Applies the record of the next position, which has these entries.
    pub(super) fn apply_entries(&self, record: &Bytes, entries: Vec<record::RecordEntry>) {
        let mut state = self.state.borrow_mut();
        Rc::make_mut(&mut state.active).apply(entries, record.len());
        self.recent.borrow_mut().push(record::settled(record));
        self.position.set(self.position.get() + 1);
    }
}
