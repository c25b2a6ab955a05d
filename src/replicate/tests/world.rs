//! A world of tables for the machine: two databases, what it is waiting for, and what it has told.

use crate::env::Millis;
use crate::error::Error;
use crate::replicate::effect::{Answer, Effect, Event, Request, Side, Token};
use crate::replicate::options::Limits;
use crate::replicate::{
    Cause, ChangeRow, ChangedRev, ChangesPage, Doc, DocRevs, Got, LocalDoc, Machine, Missing, PeerInfo,
    ReplicationEvent, ReplicationOptions, Seq, WriteFailure,
};
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// Two databases and what the machine is waiting for.
pub(super) struct World {
    /// Seq to document; a document has one row, its newest.
    pub(super) feed: BTreeMap<u64, (String, String)>,
    pub(super) next_seq: u64,
    pub(super) target: BTreeSet<(String, String)>,
    pub(super) source_log: Option<LocalDoc>,
    pub(super) target_log: Option<LocalDoc>,
    /// Documents the source can't give.
    pub(super) poisoned: BTreeSet<String>,
    /// Documents the target does not take, by failing the whole request.
    pub(super) unacceptable: BTreeSet<String>,
    /// Documents that the target forbids.
    pub(super) forbidden: BTreeSet<String>,
    /// Whether the target is behind a network, so that the source keeps what was set aside.
    pub(super) target_is_remote: bool,
    pub(super) waiting: Vec<(Token, Request)>,
    pub(super) events: Vec<ReplicationEvent>,
    pub(super) finished: bool,
    pub(super) now: u64,
    pub(super) written_twice: usize,
    /// Whether the source's edits are made on it.
    pub(super) is_own_feed: bool,
    /// How often the target was asked what it has not.
    pub(super) asked: usize,
    /// How many bytes and revisions are dealt with at once.
    pub(super) limits: Limits,
    /// How long a text documents have.
    pub(super) text_bytes: usize,
    /// Documents that were given and are not written yet, and the most at a time.
    pub(super) held: (usize, usize),
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            feed: BTreeMap::new(),
            next_seq: 1,
            target: BTreeSet::new(),
            source_log: None,
            target_log: None,
            poisoned: BTreeSet::new(),
            unacceptable: BTreeSet::new(),
            forbidden: BTreeSet::new(),
            target_is_remote: true,
            waiting: Vec::new(),
            events: Vec::new(),
            finished: false,
            now: 1_700_000_000_000,
            written_twice: 0,
            is_own_feed: false,
            asked: 0,
            limits: Limits::default(),
            text_bytes: 0,
            held: (0, 0),
        }
    }

    /// A machine that replicates it.
    pub(super) fn start(&mut self, options: &str) -> Machine {
        let mut options = ReplicationOptions::parse(options, false).unwrap();
        let Limits { bytes_held, revs_in_fetch, bytes_in_write, .. } = self.limits;
        options.limits = Limits { bytes_held, revs_in_fetch, bytes_in_write, ..options.limits };
        let (machine, effects) =
            Machine::start(options, "session".into(), self.target_is_remote, Millis(self.now));
        self.do_effects(effects);
        machine
    }

    pub(super) fn edit(&mut self, id: &str) {
        let generation = self
            .feed
            .values()
            .find(|(known, _)| known == id)
            .map_or(1, |(_, rev)| rev.split('-').next().unwrap().parse::<u32>().unwrap() + 1);
        self.feed.retain(|_, (known, _)| known != id);
        self.feed.insert(self.next_seq, (id.to_owned(), format!("{generation}-x")));
        self.next_seq += 1;
    }

    pub(super) fn do_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            assert!(!self.finished, "{effect:?} after the end");
            match effect {
                Effect::Perform(token, request) => {
                    if let Request::WriteCheckpoint(side, doc) = &request {
                        self.check_checkpoint(*side, doc);
                    }
                    self.waiting.push((token, request));
                }
                Effect::Abort(token) => {
                    let before = self.waiting.len();
                    self.waiting.retain(|(other, _)| *other != token);
                    assert_eq!(self.waiting.len() + 1, before, "aborted what was not asked");
                }
                Effect::LeaveFeed => {
                    let reads = |(_, request): &(Token, Request)| matches!(request, Request::Changes(_));
                    assert!(!self.waiting.iter().any(reads), "left while it is read");
                }
                Effect::Emit(event) => self.events.push(event),
                Effect::Finish => {
                    assert!(self.waiting.is_empty(), "left open: {:?}", self.waiting);
                    self.finished = true;
                }
            }
        }
    }

    /// The side whose checkpoint keeps what was set aside.
    pub(super) fn keeper(&self) -> Side {
        if self.target_is_remote { Side::Source } else { Side::Target }
    }

    /// That side's checkpoint.
    pub(super) fn kept(&self) -> Option<&LocalDoc> {
        if self.target_is_remote { self.source_log.as_ref() } else { self.target_log.as_ref() }
    }

    /// What is behind a checkpoint is in the target, or is set aside in it, or has changed since.
    fn check_checkpoint(&self, side: Side, doc: &LocalDoc) {
        let seq = doc.get("last_seq").unwrap().as_u64().unwrap();
        let Some(list) = (side == self.keeper()).then(|| doc.get("set_aside")) else {
            return assert!(!doc.contains_key("set_aside"));
        };
        let is_kept = |id: &str, rev: &str| {
            list.is_some_and(|list| list.as_array().unwrap().contains(&json!({"id": id, "revs": [rev]})))
        };
        for (_, (id, rev)) in self.feed.range(..=seq) {
            let is_there = self.target.contains(&(id.clone(), rev.clone()));
            assert!(is_there || is_kept(id, rev), "the checkpoint {seq} passes {id} {rev}: {list:?}");
        }
    }

    fn is_passed(&self, id: &str) -> bool {
        self.poisoned.contains(id) || self.unacceptable.contains(id) || self.forbidden.contains(id)
    }

    /// Nobody refuses anything any more.
    pub(super) fn heal(&mut self) {
        (self.poisoned, self.unacceptable, self.forbidden) = Default::default();
    }

    /// Whether the request could be answered now.
    pub(super) fn is_ready(&self, request: &Request) -> bool {
        match request {
            Request::Changes(changes) if changes.waits => {
                self.next_seq - 1 > changes.since.to_value().as_u64().unwrap()
            }
            // So long waits only who has nothing else to do.
            Request::Sleep(span) => span.0 < 15_000,
            _ => true,
        }
    }

    pub(super) fn answer(&mut self, request: Request) -> Result<Answer, Error> {
        Ok(match request {
            Request::Id(side) => Answer::Id(format!("{side:?}")),
            Request::Info(side) => {
                let (docs, seq) = match side {
                    Side::Source => (self.feed.len() as u64, self.next_seq - 1),
                    Side::Target => (self.target.len() as u64, self.target.len() as u64),
                };
                Answer::Info(PeerInfo { doc_count: Some(docs), update_seq: Some(Seq::from(seq)) })
            }
            Request::ReadCheckpoint(Side::Source, _) => Answer::Checkpoint(self.source_log.clone()),
            Request::ReadCheckpoint(Side::Target, _) => Answer::Checkpoint(self.target_log.clone()),
            Request::WriteCheckpoint(side, doc) => {
                let log = if side == Side::Source { &mut self.source_log } else { &mut self.target_log };
                let current = log.as_ref().and_then(|log| log.get("_rev")).cloned();
                if doc.get("_rev") != current.as_ref() {
                    return Err(Error::remote(409, "conflict", "Document update conflict."));
                }
                let number = current.map_or(0, |rev| rev.as_str().unwrap()[2..].parse::<u32>().unwrap());
                let rev = format!("0-{}", number + 1);
                let mut doc = doc;
                doc.insert("_rev".into(), rev.clone().into());
                *log = Some(doc);
                Answer::CheckpointWritten(rev)
            }
            Request::Changes(changes) => {
                let since = changes.since.to_value().as_u64().unwrap();
                let rows: Vec<_> = self.feed.range(since + 1..).collect();
                let page = &rows[..rows.len().min(changes.limit as usize)];
                let is_last = page.len() == rows.len();
                let last_seq = if is_last { self.next_seq - 1 } else { *page.last().unwrap().0 };
                let results = page.iter().map(|(seq, (id, rev))| ChangeRow {
                    id: id.clone(),
                    seq: Some(Seq::from(**seq)),
                    changes: vec![ChangedRev { rev: rev.clone() }],
                    deleted: false,
                    doc: None,
                    is_own: self.is_own_feed,
                });
                Answer::Changes(ChangesPage {
                    results: results.collect(),
                    last_seq: Some(Seq::from(last_seq.max(since))),
                    pending: Some((rows.len() - page.len()) as u64),
                    bytes_per_doc: None,
                })
            }
            Request::Filter(rows) => Answer::Filtered(rows.iter().map(|_| true).collect()),
            Request::RevsDiff(revs) => {
                self.asked += 1;
                let missing = revs.into_iter().filter_map(|doc| {
                    // A document brings its history with it.
                    let has = |rev: &str| {
                        self.target
                            .iter()
                            .any(|(id, known)| **id == *doc.id && generation(known) >= generation(rev))
                    };
                    let missing = |rev: &String| !has(rev);
                    let revs: Vec<_> = doc.revs.into_iter().filter(missing).collect();
                    (!revs.is_empty()).then(|| (doc.id.to_string(), Missing { revs, ancestors: Vec::new() }))
                });
                Answer::Missing(missing.collect::<HashMap<_, _>>())
            }
            Request::BulkGet(wanted) => {
                if wanted.iter().any(|doc| self.poisoned.contains(&*doc.id)) {
                    return Err(Error::remote(500, "badmatch", "oops"));
                }
                self.held.0 += wanted.len();
                self.held.1 = self.held.1.max(self.held.0);
                Answer::Docs(wanted.iter().map(|doc| self.latest(doc)).collect())
            }
            Request::OpenRevs(wanted) => {
                if self.poisoned.contains(&*wanted.id) {
                    return Err(Error::remote(500, "badmatch", "oops"));
                }
                Answer::Docs(vec![self.latest(&wanted)])
            }
            Request::WriteDocs(docs) => {
                if docs.iter().any(|doc| self.unacceptable.contains(&*doc.id)) {
                    return Err(Error::remote(400, "doc_validation", "Bad special document member: _x"));
                }
                self.held.0 = self.held.0.saturating_sub(docs.len());
                let mut failures = Vec::new();
                for doc in docs {
                    if self.forbidden.contains(&*doc.id) {
                        let (id, rev) = (Some(doc.id.to_string()), doc.rev());
                        let error = Error::remote(403, "forbidden", "not that");
                        failures.push(WriteFailure { id, rev, error, cause: Cause::Target });
                        continue;
                    }
                    if !self.target.insert((doc.id.to_string(), doc.rev().unwrap())) {
                        self.written_twice += 1;
                    }
                }
                Answer::Written(failures)
            }
            Request::BackOff(_) => Answer::BackOff(10.0),
            Request::Sleep(span) => {
                self.now += span.0;
                Answer::Slept
            }
        })
    }

    fn latest(&self, wanted: &DocRevs) -> Got {
        match self.feed.values().find(|(id, _)| **id == *wanted.id) {
            Some((id, rev)) => {
                let mut body = json!({"_id": id, "_rev": rev});
                if self.text_bytes > 0 {
                    body["text"] = "x".repeat(self.text_bytes).into();
                }
                let body = RawValue::from_string(body.to_string()).unwrap();
                Got::Doc(Rc::new(Doc { id: wanted.id.clone(), body, ancestors: wanted.ancestors.clone() }))
            }
            None => Got::Missing { id: wanted.id.clone() },
        }
    }

    pub(super) fn has_everything(&self) -> bool {
        self.feed
            .values()
            .all(|(id, rev)| self.target.contains(&(id.clone(), rev.clone())) || self.is_passed(id))
    }
}

fn generation(rev: &str) -> u32 {
    rev.split('-').next().unwrap().parse().unwrap()
}

pub(super) fn world(docs: u8) -> World {
    let mut world = World::new();
    for id in 0..docs {
        world.edit(&format!("doc{id}"));
    }
    world
}

pub(super) fn settle(machine: &mut Machine, world: &mut World) {
    for _ in 0..10_000 {
        let Some(index) = (0..world.waiting.len()).find(|index| world.is_ready(&world.waiting[*index].1))
        else {
            return;
        };
        let (token, request) = world.waiting.remove(index);
        let answer = world.answer(request);
        let effects = machine.handle(Event::Answered(token, answer), Millis(world.now));
        world.do_effects(effects);
        if world.finished {
            return;
        }
    }
    panic!("it never comes to rest: {:?}", world.waiting);
}
