//! Whether documents, sequence, bodies and counters fit together, read in steps.

use super::attachments::References;
use super::counters::Counters;
use super::local_document::read_local;
use super::sequence::SequenceEntry;
use super::stored::{StoredDocument, body_key};
use crate::doc::{Digest, id_from_key, id_key, stored_attachments};
use crate::engine::{Keyspace, Listing, Problem, Rows, Snapshot, Step, View};
use crate::error::Result;
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::ops::Bound;

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct StoredContents {
    /// Documents that are not deleted.
    pub documents: u64,
    /// Documents that are deleted.
    pub deleted_documents: u64,
    /// Revisions whose bodies are stored.
    pub revisions: u64,
    /// Local documents.
    pub local_documents: u64,
    /// Contents of attachments; those with one digest are one.
    pub attachments: u64,
    /// What these take, in bytes.
    pub attachment_bytes: u64,
}

/// What is read, in this order.
const ORDER: [Keyspace; 5] =
    [Keyspace::Document, Keyspace::Sequence, Keyspace::Body, Keyspace::Local, Keyspace::Content];

/// So many problems are told of.
const MOST_PROBLEMS: usize = 1000;

/// A look at everything that is stored.
pub struct ContentsCheck {
    /// How many keyspaces have been read.
    done: usize,
    listing: Listing,
    found: Found,
}

impl Default for ContentsCheck {
    fn default() -> Self {
        Self { done: 0, listing: everything(Keyspace::Document), found: Found::default() }
    }
}

fn everything(keyspace: Keyspace) -> Listing {
    Listing { keyspace, bounds: (Bound::Unbounded, Bound::Unbounded), descending: false }
}

impl ContentsCheck {
    /// Looks at the next entries. A step of [`Engine::read_in_steps`](crate::engine::Engine::read_in_steps).
    ///
    /// # Errors
    /// A storage error where a block cannot be read.
    pub fn step(&mut self, snapshot: &Snapshot) -> Result<Step> {
        self.found.counters = Counters::read(snapshot);
        self.found.keyspace = self.listing.keyspace;
        let step = self.listing.step(snapshot, &mut self.found)?;
        if step == Step::Further || snapshot.lacks_blocks() {
            return Ok(step);
        }
        self.done += 1;
        let Some(next) = ORDER.get(self.done) else { return Ok(Step::Done) };
        self.listing = everything(*next);
        Ok(Step::Further)
    }

    /// The contents of attachments that should be stored, by name: how many bytes each has.
    pub fn attachments(&self) -> &BTreeMap<String, u64> {
        &self.found.contents
    }

    /// What there is, and what doesn't fit together.
    pub fn into_parts(self) -> (StoredContents, Vec<Problem>) {
        let Found { counters, tally, references, mut problems, .. } = self.found;
        problems.extend(references.into_iter().map(|(name, count)| {
            let problem =
                if count > 0 { "a body refers to it that is not counted" } else { "it is counted too often" };
            Problem::new(format!("content/{name}"), problem)
        }));
        let mut compare = |record: &str, says: u64, found: u64| {
            if says != found {
                problems.push(Problem::new(record, format!("it should be {found}, and is {says}")));
            }
        };
        let documents = tally.contents.documents + tally.contents.deleted_documents;
        compare("counters/doc_count", counters.doc_count, tally.contents.documents);
        compare("sequence/count", tally.sequence_entries, documents);
        compare("body/count", tally.bodies_found, tally.bodies_apart);
        // The last change may have been purged.
        if counters.update_seq < tally.last_seq {
            let problem = format!("there is a later one, {}", tally.last_seq);
            problems.push(Problem::new("counters/update_seq", problem));
        }
        (tally.contents, problems)
    }
}

/// Counts of what some entries stand for.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    contents: StoredContents,
    /// The greatest seq of a document.
    last_seq: u64,
    /// Bodies that should be kept apart from their documents.
    bodies_apart: u64,
    bodies_found: u64,
    sequence_entries: u64,
}

/// What was found so far.
struct Found {
    keyspace: Keyspace,
    counters: Counters,
    tally: Tally,
    /// How many references to each content were found more than are counted.
    references: BTreeMap<String, i64>,
    /// The contents that have an entry, and their lengths.
    contents: BTreeMap<String, u64>,
    problems: Vec<Problem>,
}

/// What an entry stands for.
#[derive(Default)]
struct Row {
    tally: Tally,
    /// Contents that are referred to.
    referred: Vec<String>,
    /// A content, and how often it should be referred to.
    content: Option<(String, References)>,
    problems: Vec<Problem>,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            keyspace: Keyspace::Document,
            counters: Counters::default(),
            tally: Tally::default(),
            references: BTreeMap::new(),
            contents: BTreeMap::new(),
            problems: Vec::new(),
        }
    }
}

impl Rows for Found {
    type Row = Row;

    fn left(&self) -> usize {
        usize::MAX
    }

    fn make(&self, snapshot: &Snapshot, key: &Bytes, value: Bytes) -> Result<Option<Self::Row>> {
        let mut row = Row::default();
        let Row { tally, referred, content, problems } = &mut row;
        match self.keyspace {
            Keyspace::Document => {
                if let Err(problem) = document(snapshot, key, value, tally, referred) {
                    problems.push(Problem::new(format!("document/{}", id_from_key(key)), problem));
                }
            }
            Keyspace::Local => {
                tally.contents.local_documents = 1;
                let id = id_from_key(key);
                if !read_local(snapshot, &id).is_some_and(|document| is_object(&document.body)) {
                    problems.push(Problem::new(format!("local/{id}"), UNREADABLE));
                }
            }
            Keyspace::Sequence => tally.sequence_entries = 1,
            Keyspace::Body => tally.bodies_found = 1,
            Keyspace::Content => {
                let name = String::from_utf8_lossy(key).into_owned();
                match References::decode(&value).filter(|_| name.parse::<Digest>().is_ok()) {
                    Some(references) => *content = Some((name, references)),
                    None => problems.push(Problem::new(format!("content/{name}"), UNREADABLE)),
                }
            }
            Keyspace::Metadata => {}
        }
        Ok(Some(row))
    }

    fn keep(&mut self, Row { tally, referred, content, problems }: Row) {
        let sum = &mut self.tally;
        sum.contents.documents += tally.contents.documents;
        sum.contents.deleted_documents += tally.contents.deleted_documents;
        sum.contents.revisions += tally.contents.revisions;
        sum.contents.local_documents += tally.contents.local_documents;
        sum.last_seq = sum.last_seq.max(tally.last_seq);
        sum.bodies_apart += tally.bodies_apart;
        sum.bodies_found += tally.bodies_found;
        sum.sequence_entries += tally.sequence_entries;
        for name in referred {
            *self.references.entry(name).or_default() += 1;
        }
        if let Some((name, References { count, length })) = content {
            sum.contents.attachments += 1;
            sum.contents.attachment_bytes += length;
            let left = self.references.remove(&name).unwrap_or_default() - count as i64;
            if left != 0 {
                self.references.insert(name.clone(), left);
            }
            self.contents.insert(name, length);
        }
        self.problems.extend(problems);
        self.problems.truncate(MOST_PROBLEMS);
    }
}

const UNREADABLE: &str = "it cannot be read";

/// Counts a document, or tells what is wrong with it.
fn document(
    snapshot: &Snapshot,
    key: &Bytes,
    stored: Bytes,
    tally: &mut Tally,
    referred: &mut Vec<String>,
) -> std::result::Result<(), String> {
    let expect = |holds: bool, problem: &str| if holds { Ok(()) } else { Err(problem.to_owned()) };
    expect(id_key(&id_from_key(key)) == *key, "its key is none")?;
    let document = StoredDocument::decode(key, stored.clone()).map_err(|_| UNREADABLE)?;
    let StoredDocument { seq, tree, has_attachments, body } = &document;
    let head = StoredDocument::encode_head(*seq, tree, *has_attachments, body.is_some());
    let encoded = [head.as_slice(), body.as_deref().unwrap_or_default()].concat();
    expect(encoded == stored, "it is stored otherwise than it is written")?;
    let winner = tree.winner().ok_or("it has no revision")?;
    if winner.deleted {
        tally.contents.deleted_documents = 1;
    } else {
        tally.contents.documents = 1;
    }
    tally.last_seq = *seq;
    let entry = [&SequenceEntry::encode_head(tree), key.as_ref()].concat();
    let found = snapshot.get(Keyspace::Sequence, &seq.to_be_bytes());
    expect(found.is_some_and(|found| found == entry), "the entry of its seq is another one")?;
    for (rev, status) in tree.revs() {
        expect(status.available || !status.leaf, "a leaf has no body")?;
        let body = document.body_of(snapshot, key, rev);
        let is_winner = winner.rev == rev;
        let is_apart = snapshot.get(Keyspace::Body, &body_key(key, rev)).is_some();
        let Some(body) = body else {
            expect(!status.available, "a body is missing")?;
            continue;
        };
        expect(status.available, "there is a body of a revision that should have none")?;
        expect(is_object(&body), "a body is no JSON object")?;
        let attachments = stored_attachments(&body);
        expect(*has_attachments || attachments.is_empty(), "it does not say that it has attachments")?;
        referred.extend(attachments.iter().map(|attachment| attachment.digest.to_string()));
        let is_inline = is_winner && StoredDocument::is_inline(&body);
        expect(is_inline == (is_winner && document.body.is_some()), "a body is in the wrong place")?;
        expect(is_inline != is_apart, "a body is there twice")?;
        tally.contents.revisions += 1;
        tally.bodies_apart += u64::from(is_apart);
    }
    Ok(())
}

fn is_object(body: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(body).is_ok_and(|value| value.get().starts_with('{'))
}
