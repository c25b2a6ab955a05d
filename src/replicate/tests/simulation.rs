//! The machine alone against a world of tables, with answers in any order and errors anywhere.

use crate::env::Millis;
use crate::error::Error;
use crate::replicate::effect::{Answer, Effect, Event, Request, Side, Token};
use crate::replicate::options::Limits;
use crate::replicate::{
    ChangeRow, ChangedRev, ChangesPage, Doc, DocRevs, Got, LocalDoc, Machine, Missing, PeerInfo,
    ReplicationEvent, ReplicationOptions, Seq, Status, WriteFailure,
};
use proptest::prelude::*;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// Two databases and what the machine is waiting for.
pub(super) struct World {
    /// Seq to document; a document has one row, its newest.
    feed: BTreeMap<u64, (String, String)>,
    next_seq: u64,
    pub(super) target: BTreeSet<(String, String)>,
    pub(super) source_log: Option<LocalDoc>,
    pub(super) target_log: Option<LocalDoc>,
    /// Documents the source can't give.
    poisoned: BTreeSet<String>,
    /// Documents the target does not take.
    pub(super) unacceptable: BTreeSet<String>,
    pub(super) waiting: Vec<(Token, Request)>,
    pub(super) events: Vec<ReplicationEvent>,
    finished: bool,
    pub(super) now: u64,
    pub(super) written_twice: usize,
    /// Whether the source's edits are made on it.
    pub(super) is_own_feed: bool,
    /// How often the target was asked what it has not.
    pub(super) asked: usize,
    /// How much is done at once.
    limits: Limits,
    /// Documents that were given and are not written yet, and the most at a time.
    held: (usize, usize),
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
            waiting: Vec::new(),
            events: Vec::new(),
            finished: false,
            now: 1_700_000_000_000,
            written_twice: 0,
            is_own_feed: false,
            asked: 0,
            limits: Limits::default(),
            held: (0, 0),
        }
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
                    if let Request::WriteCheckpoint(Side::Target, doc) = &request {
                        self.check_checkpoint(doc);
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

    /// What is behind a checkpoint is in the target, or was reported, or has changed since.
    fn check_checkpoint(&self, doc: &LocalDoc) {
        let seq = doc.get("last_seq").unwrap().as_u64().unwrap();
        for (_, (id, rev)) in self.feed.range(..=seq) {
            let is_there = self.target.contains(&(id.clone(), rev.clone()));
            assert!(is_there || self.is_passed(id), "the checkpoint {seq} passes {id} {rev}");
        }
    }

    fn is_passed(&self, id: &str) -> bool {
        self.poisoned.contains(id) || self.unacceptable.contains(id)
    }

    /// Whether the request could be answered now.
    pub(super) fn is_ready(&self, request: &Request) -> bool {
        match request {
            Request::Changes(changes) if changes.waits => {
                self.next_seq - 1 > changes.since.to_value().as_u64().unwrap()
            }
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
                for doc in docs {
                    if !self.target.insert((doc.id.to_string(), doc.rev().unwrap())) {
                        self.written_twice += 1;
                    }
                }
                Answer::Written(Vec::<WriteFailure>::new())
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
                let body = RawValue::from_string(json!({"_id": id, "_rev": rev}).to_string()).unwrap();
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

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// One of the requests is answered.
    Answer(prop::sample::Index),
    /// One of them fails without having done anything.
    Fail(prop::sample::Index, u16),
    /// One of them does what it should and its answer is lost.
    Lose(prop::sample::Index),
    /// A document changes in the source.
    Edit(u8),
    Wake,
    /// Time passes.
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => any::<prop::sample::Index>().prop_map(Step::Answer),
        1 => (any::<prop::sample::Index>(), prop::sample::select(vec![0, 408, 429, 500, 503]))
            .prop_map(|(index, status)| Step::Fail(index, status)),
        1 => any::<prop::sample::Index>().prop_map(Step::Lose),
        2 => (0_u8..40).prop_map(Step::Edit),
        1 => Just(Step::Wake),
        1 => (0_u16..20_000).prop_map(Step::Wait),
    ]
}

fn error(status: u16) -> Error {
    match status {
        0 => Error::network("Failed to fetch"),
        status => Error::remote(status, "trouble", "later"),
    }
}

/// Runs the steps, then answers everything in order until nothing happens any more.
fn simulate(world: &mut World, options: &str, steps: &[Step]) {
    let mut options = ReplicationOptions::parse(options, false).unwrap();
    options.limits = Limits { batch_size: options.limits.batch_size, ..world.limits };
    let (mut machine, effects) = Machine::start(options, "session".into(), true, Millis(world.now));
    world.do_effects(effects);
    for step in steps {
        if world.finished {
            break;
        }
        let ready: Vec<_> =
            (0..world.waiting.len()).filter(|index| world.is_ready(&world.waiting[*index].1)).collect();
        let event = match step {
            Step::Answer(index) | Step::Fail(index, _) | Step::Lose(index) => {
                if ready.is_empty() {
                    continue;
                }
                let (token, request) = world.waiting.remove(*index.get(&ready));
                let has_an_error =
                    !matches!(request, Request::Sleep(_) | Request::BackOff(_) | Request::Filter(_));
                let answer = match step {
                    Step::Fail(_, status) if has_an_error => Err(error(*status)),
                    Step::Lose(_) if has_an_error => world.answer(request).and(Err(error(0))),
                    _ => world.answer(request),
                };
                Event::Answered(token, answer)
            }
            Step::Edit(id) => {
                world.edit(&format!("doc{id}"));
                continue;
            }
            Step::Wake => Event::Wake,
            Step::Wait(span) => {
                world.now += u64::from(*span);
                continue;
            }
        };
        let effects = machine.handle(event, Millis(world.now));
        world.do_effects(effects);
    }
    settle(&mut machine, world);
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

/// Active and paused take turns, and nothing follows the end.
fn check_events(events: &[ReplicationEvent]) {
    let mut active = false;
    for (index, event) in events.iter().enumerate() {
        match event {
            ReplicationEvent::Active => assert!(!std::mem::replace(&mut active, true), "active twice"),
            ReplicationEvent::Paused(_) => active = false,
            ReplicationEvent::Change { .. } => assert!(active, "a change while paused"),
            ReplicationEvent::Complete(_) | ReplicationEvent::Error(_) => assert_eq!(index + 1, events.len()),
            _ => {}
        }
    }
}

pub(super) fn world(docs: u8) -> World {
    let mut world = World::new();
    for id in 0..docs {
        world.edit(&format!("doc{id}"));
    }
    world
}

/// As usual, or with documents that are large in comparison.
fn limits() -> impl Strategy<Value = Limits> {
    let usual = Limits::default();
    let small = (1_usize..200, 1_usize..6).prop_map(move |(bytes_held, revs_in_fetch)| Limits {
        bytes_held,
        revs_in_fetch,
        bytes_in_write: bytes_held,
        ..usual
    });
    prop_oneof![Just(usual), small]
}

/// How many documents were told of.
fn told(events: &[ReplicationEvent]) -> u64 {
    let docs = |event: &ReplicationEvent| {
        if let ReplicationEvent::Change { docs, .. } = event { docs.len() } else { 0 }
    };
    events.iter().map(docs).sum::<usize>() as u64
}

#[test]
fn large_documents_are_written_before_all_of_their_batch_is_here() {
    let mut world = world(100);
    world.limits = Limits { bytes_held: 200, revs_in_fetch: 2, bytes_in_write: 100, ..Limits::default() };
    simulate(&mut world, "{}", &[]);
    assert!(world.has_everything() && world.finished);
    let Some(ReplicationEvent::Complete(report)) = world.events.last() else {
        panic!("{:?}", world.events.last())
    };
    assert_eq!((report.docs_read, report.docs_written, told(&world.events)), (100, 100, 100));
    // What is held is below 200 bytes before five requests bring two documents of 27 bytes each.
    assert!(world.held.1 <= 200 / 27 + 10, "{:?}", world.held);
    let changes =
        world.events.iter().filter(|event| matches!(event, ReplicationEvent::Change { .. })).count();
    assert!(changes > 5, "{changes}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_everything_arrives_and_no_checkpoint_passes_what_has_not(
        docs in 0_u8..40,
        batch_size in 1_u8..12,
        limits in limits(),
        since_zero: bool,
        steps in prop::collection::vec(step(), 0..300),
    ) {
        let mut world = World { limits, ..world(docs) };
        let mut options = json!({"retry": true, "batch_size": batch_size});
        if since_zero {
            options["since"] = 0.into();
        }
        simulate(&mut world, &options.to_string(), &steps);
        prop_assert!(world.finished);
        prop_assert!(matches!(world.events.last(), Some(ReplicationEvent::Complete(report)) if report.status == Some(Status::Complete)));
        check_events(&world.events);
        // An edit after the last page was read is for the next replication.
        let last = world.target_log.clone();
        simulate_again(&mut world);
        prop_assert!(world.has_everything(), "{:?} {:?}", world.feed, last);
    }

    #[test]
    fn a_live_replication_ends_up_paused_with_everything_there(
        docs in 0_u8..40,
        batch_size in 1_u8..12,
        limits in limits(),
        own: bool,
        steps in prop::collection::vec(step(), 0..300),
    ) {
        let mut world = World { limits, is_own_feed: own, ..world(docs) };
        let options = json!({"live": true, "retry": true, "batch_size": batch_size}).to_string();
        simulate(&mut world, &options, &steps);
        prop_assert!(!world.finished);
        check_events(&world.events);
        prop_assert!(world.has_everything());
        let told = world.events.iter().rev().find(|event| {
            !matches!(event, ReplicationEvent::Checkpoint(_) | ReplicationEvent::Status(_))
        });
        prop_assert!(matches!(told, Some(ReplicationEvent::Paused(None))), "{told:?}");
        // Both sides know how far it has come.
        let position = |log: &Option<LocalDoc>| log.as_ref().map_or(0, |log| log["last_seq"].as_u64().unwrap());
        prop_assert_eq!(position(&world.target_log), world.next_seq - 1);
        prop_assert_eq!(position(&world.source_log), world.next_seq - 1);
    }

    #[test]
    fn without_errors_no_document_is_written_twice(
        docs in 0_u8..40,
        batch_size in 1_u8..12,
        limits in limits(),
        steps in prop::collection::vec(
            prop_oneof![
                6 => any::<prop::sample::Index>().prop_map(Step::Answer),
                1 => (0_u8..40).prop_map(Step::Edit),
            ],
            0..300,
        ),
    ) {
        let mut world = World { limits, ..world(docs) };
        simulate(&mut world, &json!({"live": true, "batch_size": batch_size}).to_string(), &steps);
        prop_assert_eq!(world.written_twice, 0);
        prop_assert_eq!(told(&world.events), world.target.len() as u64);
        prop_assert!(world.has_everything());
    }

    #[test]
    fn a_cancelled_replication_ends_at_once_wherever_it_is(
        docs in 0_u8..40,
        live: bool,
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut world = world(docs);
        let options = json!({"live": live, "retry": true, "batch_size": 5}).to_string();
        let options = ReplicationOptions::parse(&options, false).unwrap();
        let (mut machine, effects) = Machine::start(options, "session".into(), true, Millis(world.now));
        world.do_effects(effects);
        for step in &steps {
            let (Step::Answer(index), false) = (step, world.waiting.is_empty()) else { continue };
            let at = index.index(world.waiting.len());
            if !world.finished && world.is_ready(&world.waiting[at].1) {
                let (token, request) = world.waiting.remove(at);
                let answer = world.answer(request);
                let effects = machine.handle(Event::Answered(token, answer), Millis(world.now));
                world.do_effects(effects);
            }
        }
        if !world.finished {
            let effects = machine.handle(Event::Cancel, Millis(world.now));
            world.do_effects(effects);
            let only_checkpoints = |(_, request): &(Token, Request)| {
                matches!(request, Request::WriteCheckpoint(..) | Request::ReadCheckpoint(..) | Request::Sleep(_))
            };
            prop_assert!(world.waiting.iter().all(only_checkpoints), "{:?}", world.waiting);
            settle(&mut machine, &mut world);
            prop_assert!(world.finished);
            let ended = matches!(world.events.last(), Some(ReplicationEvent::Complete(report)) if report.status == Some(Status::Cancelled));
            prop_assert!(ended);
        }
        simulate_again(&mut world);
        prop_assert!(world.has_everything());
    }

    #[test]
    fn documents_the_source_can_not_give_are_reported_and_the_rest_arrives(
        docs in 2_u8..40,
        poisoned in prop::collection::btree_set(0_u8..40, 1..4),
        batch_size in 1_u8..12,
        limits in limits(),
    ) {
        let mut world = World { limits, ..world(docs) };
        world.poisoned = poisoned.iter().filter(|id| **id < docs).map(|id| format!("doc{id}")).collect();
        simulate(&mut world, &json!({"retry": true, "batch_size": batch_size}).to_string(), &[]);
        prop_assert!(world.has_everything());
        let Some(ReplicationEvent::Complete(report)) = world.events.last() else { panic!("it did not complete") };
        prop_assert!(report.ok);
        let denied: BTreeSet<_> = world.events.iter().filter_map(|event| match event {
            ReplicationEvent::Denied(error) => Some(error.doc_id().unwrap().to_owned()),
            _ => None,
        }).collect();
        prop_assert_eq!(denied, world.poisoned);
    }
}

/// The same replication once more, without trouble.
fn simulate_again(world: &mut World) {
    world.finished = false;
    world.events.clear();
    simulate(world, "{}", &[]);
    assert!(world.finished);
}
