//! Looking at every record that is stored, also where the database cannot be opened.

use super::cache::Loaded;
use super::catch_up::missing;
use super::header::{FLOOR_KEY, HEADER_KEY, Header, decode_floor};
use super::open::Engine;
use super::record;
use super::runs::{BlockNumber, BlockRecord, MANIFEST_KEY, Manifest, Segment, SegmentCheck};
use crate::env;
use crate::error::Result;
use crate::storage::{Read, Space, Storage, StorageError, StorageResult};
use bytes::Bytes;
use serde::Serialize;
use std::collections::BTreeMap;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which record: `space/key` of a stored one, or what was read from some, such as `document/` and its id.
    pub record: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Problem {
    pub(crate) fn new(record: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { record: record.into(), problem: problem.into() }
    }
}

/// How much is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StoredRecords {
    /// Commits in the log.
    pub log_records: u64,
    /// What they take, in bytes.
    pub log_bytes: u64,
    /// Sorted runs.
    pub runs: u64,
    /// Blocks and indexes.
    pub blocks: u64,
    /// What they take, in bytes.
    pub block_bytes: u64,
}

impl Engine {
    /// Looks at every record that is stored, and notes what is wrong. Others may go on reading and writing.
    ///
    /// # Errors
    /// As [`check_records`]; [`ErrorKind::Closed`](crate::error::ErrorKind::Closed) or
    /// [`ErrorKind::Destroyed`](crate::error::ErrorKind::Destroyed) once the engine has ended.
    pub async fn check_records(&self, problems: &mut Vec<Problem>) -> Result<StoredRecords> {
        self.inner.check()?;
        let outcome = check_records(&*self.inner.storage, problems).await;
        outcome.map_err(|error| self.inner.error_of(error))
    }
}

/// Looks at every record of a database, whether or not it can be opened, and notes what is wrong.
///
/// # Errors
/// What the platform says. Damage, and a newer format, are no errors here.
pub async fn check_records(
    storage: &dyn Storage,
    problems: &mut Vec<Problem>,
) -> StorageResult<StoredRecords> {
    let mut check = Check { storage, problems, stored: StoredRecords::default() };
    let mut manifest = check.log().await?;
    let mut done = BTreeMap::new();
    // What a merge has replaced in the meantime is looked at where it is now.
    loop {
        let next = manifest.segments().find(|segment| !done.contains_key(&segment.number)).cloned();
        let Some(segment) = next else { break };
        let counted = check.segment(&segment, &mut manifest).await?.unwrap_or_default();
        done.insert(segment.number, counted);
        env::pause().await;
    }
    check.stored.runs = manifest.runs.len() as u64;
    for (blocks, bytes) in manifest.segments().filter_map(|segment| done.get(&segment.number)) {
        check.stored.blocks += blocks;
        check.stored.block_bytes += bytes;
    }
    Ok(check.stored)
}

struct Check<'a> {
    storage: &'a dyn Storage,
    problems: &'a mut Vec<Problem>,
    stored: StoredRecords,
}

impl Check<'_> {
    /// Notes damage; gives back any other error.
    fn note<T>(&mut self, record: &str, outcome: StorageResult<T>) -> StorageResult<Option<T>> {
        let problem = match outcome {
            Ok(value) => return Ok(Some(value)),
            Err(StorageError::Damaged { problem, .. }) => problem.to_owned(),
            Err(error @ StorageError::NewerFormat { .. }) => error.to_string(),
            Err(error) => return Err(error),
        };
        self.problems.push(Problem::new(record, problem));
        Ok(None)
    }

    /// Reads, over another connection if the browser has closed the one there was.
    async fn read(&self, reads: &[Read]) -> StorageResult<std::vec::IntoIter<Vec<Bytes>>> {
        let answers = match self.storage.read(reads).await {
            Err(StorageError::Closed) => self.storage.read(reads).await,
            answers => answers,
        };
        Ok(answers?.into_iter())
    }

    /// Looks at the small records and the log; gives the manifest, an empty one where it cannot be read.
    async fn log(&mut self) -> StorageResult<Manifest> {
        let meta = |key: &str| Read::One(Space::Meta, key.into());
        let reads = [
            meta(HEADER_KEY),
            meta(FLOOR_KEY),
            meta(MANIFEST_KEY),
            Read::From(Space::Block, 0, 1),
            Read::From(Space::Log, 0, u32::MAX),
        ];
        let mut answers = self.read(&reads).await?;
        let mut one = || answers.next().unwrap_or_default().into_iter().next();
        let (header, floor, manifest, block) = (one(), one(), one(), one());
        let records = answers.next().unwrap_or_default();
        if header.is_none() && floor.is_none() && manifest.is_none() && records.is_empty() {
            // Nothing was ever written.
            return Ok(Manifest::default());
        }
        let header = header.ok_or_else(|| missing("meta/header")).and_then(|header| Header::decode(&header));
        let header = self.note("meta/header", header)?;
        let manifest = self.note("meta/manifest", manifest.as_ref().map(Manifest::decode).transpose())?;
        let manifest = manifest.map(Option::unwrap_or_default);
        let flushed = manifest.as_ref().map(|manifest| manifest.flushed);
        let floor = floor.ok_or_else(|| missing("meta/floor"));
        let floor = header.map(|header| floor.and_then(|floor| decode_floor(&floor, &header))).transpose();
        let floor = self.note("meta/floor", floor)?.flatten();
        if let (Some(floor), Some(flushed)) = (floor, flushed)
            && floor != flushed + 1
        {
            let problem = format!("the log begins at {floor}, and the runs end with {flushed}");
            self.problems.push(Problem::new("meta/floor", problem));
        }
        if let Some(manifest) = &manifest {
            self.note_stray(block.as_ref(), |block| manifest.names(block));
        }
        self.stored.log_records = records.len() as u64;
        self.stored.log_bytes = records.iter().map(|record| record.len() as u64).sum();
        let mut next = floor.or(flushed.map(|flushed| flushed + 1)).unwrap_or_default();
        for record in &records {
            // A damaged one is taken for that which is expected. Below the floor there may be what a tab that slept has left.
            let own = record::position_of(record).filter(|own| record::decode(*own, record).is_ok());
            let position = own.unwrap_or(next);
            if position > next {
                self.problems.push(Problem::new(format!("log/{next}"), "it is missing"));
            }
            self.note(&format!("log/{position}"), record::decode(position, record))?;
            next = next.max(position + 1);
        }
        Ok(manifest.unwrap_or_default())
    }

    /// Looks at a segment: how many records and bytes it has; nothing where it is gone by now. Renews the manifest.
    async fn segment(
        &mut self,
        segment: &Segment,
        manifest: &mut Manifest,
    ) -> StorageResult<Option<(u64, u64)>> {
        let number = BlockNumber::index(segment.number);
        let Some(found) = self.blocks(segment, manifest, &[number]).await? else { return Ok(None) };
        let [record, _] = found.as_slice() else { return Ok(None) };
        let index = record.as_ref().ok_or_else(|| number.damaged("it is missing"));
        let index = index.and_then(|record| Loaded::read(number, record));
        let Some(Loaded::Index(index)) = self.note(&number.name(), index)? else { return Ok(Some((0, 0))) };

        let numbers: Vec<_> =
            (0..index.len()).map(|place| BlockNumber::block(segment.number, place)).collect();
        let Some(blocks) = self.blocks(segment, manifest, &numbers).await? else { return Ok(None) };
        let mut check = SegmentCheck::new(segment, &index);
        for (number, record) in numbers.iter().zip(&blocks) {
            self.note(&number.name(), check.block(*number, record.as_ref()))?;
        }
        self.note(&number.name(), check.finish())?;
        let behind = blocks.get(numbers.len()).and_then(Option::as_ref);
        self.note_stray(behind, |behind| behind.segment() != segment.number && manifest.names(behind));
        let bytes = record
            .iter()
            .chain(blocks.iter().take(numbers.len()).flatten())
            .map(|record| record.len() as u64);
        Ok(Some((numbers.len() as u64 + 1, bytes.sum())))
    }

    /// Notes a block that belongs nowhere. One that is damaged is noted where it belongs.
    fn note_stray(&mut self, block: Option<&Bytes>, is_named: impl Fn(BlockNumber) -> bool) {
        let Some((record, number)) = block.and_then(|block| Some((block, BlockRecord::number(block)?)))
        else {
            return;
        };
        if BlockRecord::decode(number, record).is_ok() && !is_named(number) {
            self.problems.push(Problem::new(number.name(), "nothing refers to it"));
        }
    }

    /// Reads blocks of a segment, and what stands behind the last one; nothing where the newest manifest doesn't name the
    /// segment any more.
    async fn blocks(
        &self,
        segment: &Segment,
        manifest: &mut Manifest,
        numbers: &[BlockNumber],
    ) -> StorageResult<Option<Vec<Option<Bytes>>>> {
        let behind = numbers.last().map_or(0, |last| last.0 + 1);
        let mut reads = vec![Read::One(Space::Meta, MANIFEST_KEY.into())];
        reads.extend(numbers.iter().map(|number| Read::One(Space::Block, number.0.into())));
        reads.push(Read::From(Space::Block, behind, 1));
        let mut answers = self.read(&reads).await?.map(|found| found.into_iter().next());
        if let Some(Ok(newest)) = answers.next().flatten().map(|record| Manifest::decode(&record)) {
            *manifest = newest;
        }
        Ok(manifest.names(BlockNumber::index(segment.number)).then(|| answers.collect()))
    }
}
