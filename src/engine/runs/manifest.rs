use super::block::BlockNumber;
use super::cursor::RunBounds;
use crate::engine::record::{FORMAT, check_format};
use crate::env::Millis;
use crate::storage::{StorageError, StorageResult};
use crate::varint;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::{Bound, Range};

/// The key of the manifest's record.
pub(in crate::engine) const MANIFEST_KEY: &str = "manifest";

const MAGIC: &[u8; 7] = b"potorom";

/// Blocks in a row, in the order of their keys. Keys are those of [`run_key`](super::run_key).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Segment {
    pub(in crate::engine) number: u64,
    pub(in crate::engine) entries: u64,
    /// What its records take in the storage.
    pub(in crate::engine) stored_bytes: u64,
    pub(in crate::engine) first: Bytes,
    pub(in crate::engine) last: Bytes,
}

impl Segment {
    /// The numbers of its records.
    pub(in crate::engine) fn numbers(&self) -> Range<u64> {
        BlockNumber::all(self.number)
    }
}

/// Segments one after another, in the order of their keys.
pub(in crate::engine) type Run = Vec<Segment>;

/// A merge under way: keys below `from` are in the output already, the others still in the inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Merge {
    /// Which runs are the inputs.
    pub(in crate::engine) inputs: Range<usize>,
    pub(in crate::engine) output: Run,
    pub(in crate::engine) from: Bytes,
}

/// How a retired log record can still be told: by its writer and its checksum.
pub(in crate::engine) type Settled = (u64, u32);

/// Whose turn at flushing and merging it is, where the platform knows no turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Lease {
    pub(in crate::engine) writer: u64,
    /// By the clock of all tabs of the machine.
    pub(in crate::engine) until: Millis,
}

/// What is where outside the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::engine) struct Manifest {
    /// The last position of the log that is in the runs; 0 where none is.
    pub(in crate::engine) flushed: u64,
    /// The number of the next segment; none has ever had it.
    pub(in crate::engine) next_segment: u64,
    /// The newest first.
    pub(in crate::engine) runs: Vec<Run>,
    pub(in crate::engine) merge: Option<Merge>,
    /// The metadata keyspace, which is small and in no run.
    pub(in crate::engine) metadata: BTreeMap<Bytes, Bytes>,
    /// The last positions up to `flushed`: who lost the answer to a commit finds out here whether it was made.
    pub(in crate::engine) settled: Vec<Settled>,
    pub(in crate::engine) lease: Option<Lease>,
}

impl Manifest {
    /// Whether a commit that its writer does not know the outcome of is in the runs; `None` where it is too long ago.
    pub(in crate::engine) fn has_settled(&self, position: u64, commit: Settled) -> Option<bool> {
        let ago = usize::try_from(self.flushed.checked_sub(position)?).ok()?;
        self.settled.iter().rev().nth(ago).map(|settled| *settled == commit)
    }

    /// All segments.
    pub(in crate::engine) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.runs.iter().flatten().chain(self.merge.iter().flat_map(|merge| &merge.output))
    }

    /// Whether a block belongs to one of the segments.
    pub(in crate::engine) fn names(&self, block: BlockNumber) -> bool {
        self.segments().any(|segment| segment.numbers().contains(&block.0))
    }

    /// The segments that may have a key, the newest first.
    pub(in crate::engine) fn segments_of<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = &'a Segment> {
        self.runs_for(key).filter_map(move |run| {
            let place = run.partition_point(|segment| segment.last.as_ref() < key);
            run.get(place).filter(|segment| segment.first.as_ref() <= key)
        })
    }

    /// The runs that hold what there is about a key, the newest first.
    fn runs_for<'a>(&'a self, key: &'a [u8]) -> impl Iterator<Item = &'a Run> {
        let merge = self.merge.as_ref().filter(|merge| key < merge.from.as_ref());
        self.runs.iter().enumerate().filter_map(move |(index, run)| match merge {
            // The output stands where its first input stood.
            Some(merge) if merge.inputs.start == index => Some(&merge.output),
            Some(merge) if merge.inputs.contains(&index) => None,
            _ => Some(run),
        })
    }

    /// The runs, the newest first, each with the bounds within which it counts; of the inputs of a merge only what is not in
    /// its output yet.
    pub(in crate::engine) fn runs_within(&self, bounds: RunBounds) -> Vec<(&Run, RunBounds)> {
        let mut found = Vec::with_capacity(self.runs.len() + 1);
        for (index, run) in self.runs.iter().enumerate() {
            match &self.merge {
                Some(merge) if merge.inputs.contains(&index) => {
                    if merge.inputs.start == index {
                        found.push((&merge.output, bounds.clone()));
                    }
                    let from = merge.from.as_ref();
                    let low = match &bounds.0 {
                        Bound::Included(low) | Bound::Excluded(low) if low.as_slice() >= from => {
                            bounds.0.clone()
                        }
                        _ => Bound::Included(from.to_vec()),
                    };
                    found.push((run, (low, bounds.1.clone())));
                }
                _ => found.push((run, bounds.clone())),
            }
        }
        found
    }

    /// `potorom`, the format (1 byte), the checksum of what follows (4 bytes); then numbers as varints and bytes with their
    /// length before them: flushed, next segment, runs, merge, metadata, settled; the lease, if there is one.
    pub(in crate::engine) fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        varint::write(&mut out, self.flushed);
        varint::write(&mut out, self.next_segment);
        varint::write(&mut out, self.runs.len() as u64);
        for run in &self.runs {
            write_run(&mut out, run);
        }
        varint::write(&mut out, u64::from(self.merge.is_some()));
        if let Some(merge) = &self.merge {
            varint::write(&mut out, merge.inputs.start as u64);
            varint::write(&mut out, merge.inputs.end as u64);
            write_run(&mut out, &merge.output);
            write_bytes(&mut out, &merge.from);
        }
        varint::write(&mut out, self.metadata.len() as u64);
        for (key, value) in &self.metadata {
            write_bytes(&mut out, key);
            write_bytes(&mut out, value);
        }
        varint::write(&mut out, self.settled.len() as u64);
        for (writer, checksum) in &self.settled {
            out.extend(writer.to_le_bytes());
            out.extend(checksum.to_le_bytes());
        }
        if let Some(Lease { writer, until }) = self.lease {
            out.extend(writer.to_le_bytes());
            varint::write(&mut out, until.0);
        }
        let mut record = MAGIC.to_vec();
        record.push(FORMAT);
        record.extend(crc32fast::hash(&out).to_le_bytes());
        record.append(&mut out);
        record.into()
    }

    /// # Errors
    /// [`StorageError::NewerFormat`], and [`StorageError::Damaged`] for anything else that is not what
    /// [`Manifest::encode`] gives.
    pub(in crate::engine) fn decode(record: &Bytes) -> StorageResult<Self> {
        let damaged = |problem| StorageError::Damaged { record: format!("meta/{MANIFEST_KEY}"), problem };
        let rest = record.strip_prefix(MAGIC).ok_or_else(|| damaged("it is no manifest"))?;
        let (format, rest) = rest.split_first().ok_or_else(|| damaged("it is too short"))?;
        check_format(*format, damaged)?;
        let (checksum, rest) = rest.split_first_chunk().ok_or_else(|| damaged("it is too short"))?;
        if u32::from_le_bytes(*checksum) != crc32fast::hash(rest) {
            return Err(damaged("its checksum does not match"));
        }
        Self::read(record, rest).ok_or_else(|| damaged("it ends too early"))
    }

    fn read(record: &Bytes, mut rest: &[u8]) -> Option<Self> {
        let rest = &mut rest;
        let mut manifest =
            Self { flushed: varint::read(rest)?, next_segment: varint::read(rest)?, ..Self::default() };
        for _ in 0..varint::read(rest)? {
            manifest.runs.push(read_run(record, rest)?);
        }
        if varint::read(rest)? != 0 {
            let start = usize::try_from(varint::read(rest)?).ok()?;
            let end = usize::try_from(varint::read(rest)?).ok()?;
            let output = read_run(record, rest)?;
            manifest.merge = Some(Merge { inputs: start..end, output, from: read_bytes(record, rest)? });
        }
        for _ in 0..varint::read(rest)? {
            manifest.metadata.insert(read_bytes(record, rest)?, read_bytes(record, rest)?);
        }
        for _ in 0..varint::read(rest)? {
            let (writer, behind) = rest.split_first_chunk()?;
            let (checksum, behind) = behind.split_first_chunk()?;
            manifest.settled.push((u64::from_le_bytes(*writer), u32::from_le_bytes(*checksum)));
            *rest = behind;
        }
        if let Some((writer, mut behind)) = rest.split_first_chunk() {
            let until = Millis(varint::read(&mut behind)?);
            manifest.lease = Some(Lease { writer: u64::from_le_bytes(*writer), until });
        }
        Some(manifest)
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    varint::write(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn read_bytes(record: &Bytes, rest: &mut &[u8]) -> Option<Bytes> {
    let length = usize::try_from(varint::read(rest)?).ok()?;
    let (bytes, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(record.slice_ref(bytes))
}

fn write_run(out: &mut Vec<u8>, run: &Run) {
    varint::write(out, run.len() as u64);
    for segment in run {
        for number in [segment.number, segment.entries, segment.stored_bytes] {
            varint::write(out, number);
        }
        write_bytes(out, &segment.first);
        write_bytes(out, &segment.last);
    }
}

fn read_run(record: &Bytes, rest: &mut &[u8]) -> Option<Run> {
    let mut run = Run::new();
    for _ in 0..varint::read(rest)? {
        run.push(Segment {
            number: varint::read(rest)?,
            entries: varint::read(rest)?,
            stored_bytes: varint::read(rest)?,
            first: read_bytes(record, rest)?,
            last: read_bytes(record, rest)?,
        });
    }
    Some(run)
}
