//! The machine step by step: what it does about silence, errors, waking up, and what it tells.

use super::world::{World, settle, world};
use crate::env::Millis;
use crate::error::Error;
use crate::replicate::effect::{Answer, Event, Request, Side};
use crate::replicate::{Cause, Machine, ReplicationEvent, WriteFailure};
use serde_json::{Value, json};

pub(super) struct Script {
    pub(super) world: World,
    machine: Machine,
}

impl Script {
    pub(super) fn start(mut world: World, options: Value) -> Self {
        let machine = world.start(&options.to_string());
        Self { world, machine }
    }

    pub(super) fn handle(&mut self, event: Event) {
        let effects = self.machine.handle(event, Millis(self.world.now));
        self.world.do_effects(effects);
    }

    pub(super) fn cancel(&mut self) {
        self.handle(Event::Cancel);
    }

    /// Takes the first of these requests out of those waiting and answers it.
    pub(super) fn reply(&mut self, which: impl Fn(&Request) -> bool, reply: Result<Answer, Error>) {
        let index = self.world.waiting.iter().position(|(_, request)| which(request));
        let (token, _) =
            self.world.waiting.remove(index.unwrap_or_else(|| panic!("{:?}", self.world.waiting)));
        self.handle(Event::Answered(token, reply));
    }

    /// Answers the first of these requests as the world would.
    pub(super) fn answer(&mut self, which: impl Fn(&Request) -> bool) {
        let index = self.world.waiting.iter().position(|(_, request)| which(request));
        let (token, request) =
            self.world.waiting.remove(index.unwrap_or_else(|| panic!("{:?}", self.world.waiting)));
        let answer = self.world.answer(request);
        self.handle(Event::Answered(token, answer));
    }

    pub(super) fn has(&self, which: impl Fn(&Request) -> bool) -> bool {
        self.world.waiting.iter().any(|(_, request)| which(request))
    }

    pub(super) fn settle(&mut self) {
        settle(&mut self.machine, &mut self.world);
    }

    /// What is left when it dies.
    pub(super) fn into_world(self) -> World {
        World { waiting: Vec::new(), ..self.world }
    }

    /// The last event, which stays.
    pub(super) fn last(&self) -> Option<&ReplicationEvent> {
        self.world.events.last()
    }

    /// Names of the events since the last call.
    pub(super) fn events(&mut self) -> Vec<&'static str> {
        let events = std::mem::take(&mut self.world.events);
        events
            .iter()
            .map(ReplicationEvent::name)
            .filter(|name| !matches!(*name, "checkpoint" | "status"))
            .collect()
    }

    /// Until everything is replicated and the feed waits.
    pub(super) fn at_rest(world: World, options: Value) -> Self {
        let mut script = Self::start(world, options);
        script.settle();
        assert!(script.has(waits));
        script.events();
        script
    }
}

pub(super) fn waits(request: &Request) -> bool {
    matches!(request, Request::Changes(request) if request.waits)
}

pub(super) fn asks_at_once(request: &Request) -> bool {
    matches!(request, Request::Changes(request) if !request.waits)
}

pub(super) fn sleeps(request: &Request) -> bool {
    matches!(request, Request::Sleep(_))
}

pub(super) fn offline() -> Error {
    Error::network("Failed to fetch")
}

pub(super) const LIVE: fn() -> Value = || json!({"live": true, "retry": true});

#[test]
fn a_feed_that_fell_silent_is_asked_again_without_waiting_and_nobody_is_told() {
    let mut script = Script::at_rest(world(3), LIVE());
    script.reply(waits, Err(Error::remote(408, "timeout", "silence")));
    assert!(script.has(asks_at_once) && !script.has(waits));
    script.answer(asks_at_once);
    assert!(script.has(waits));
    assert_eq!(script.events(), [""; 0]);
    // The second time it does not answer at all.
    script.reply(waits, Err(Error::remote(408, "timeout", "silence")));
    script.reply(asks_at_once, Err(offline()));
    assert_eq!(script.events(), ["requestError", "paused"]);
}

#[test]
fn waking_up_makes_sure_of_a_feed_that_waits() {
    let mut script = Script::at_rest(world(3), LIVE());
    script.handle(Event::Wake);
    assert!(script.has(asks_at_once) && !script.has(waits));
    script.settle();
    assert!(script.has(waits));
    assert_eq!(script.events(), [""; 0]);
}

#[test]
fn waking_up_ends_a_pause_at_once() {
    let mut script = Script::at_rest(world(3), LIVE());
    script.reply(waits, Err(offline()));
    script.reply(|request| matches!(request, Request::BackOff(_)), Ok(Answer::BackOff(600_000.0)));
    assert!(script.has(sleeps));
    script.handle(Event::Wake);
    assert!(!script.has(sleeps));
    script.settle();
    assert!(script.has(waits));
    assert_eq!(script.events(), ["requestError", "paused", "paused"]);
}

#[test]
fn waking_up_does_not_wait_for_requests_from_before_the_sleep() {
    let mut script = Script::start(world(3), LIVE());
    while !script.has(|request| matches!(request, Request::BulkGet(_))) {
        script.answer(|_| true);
    }
    script.handle(Event::Wake);
    assert!(script.has(|request| matches!(request, Request::BulkGet(_))), "a fresh one is left alone");
    script.world.now += 60_000;
    script.handle(Event::Wake);
    assert!(!script.has(|request| matches!(request, Request::BulkGet(_))));
    script.settle();
    assert_eq!(script.events(), ["active", "change", "paused"]);
}

#[test]
fn an_outage_is_told_once_and_each_try_by_its_own_event() {
    let mut script = Script::at_rest(world(3), LIVE());
    script.reply(waits, Err(offline()));
    for (last, pause) in [(0.0, 100.0), (100.0, 200.0), (200.0, 400.0)] {
        let is_next = |request: &Request| matches!(request, Request::BackOff(previous) if *previous == last);
        script.reply(is_next, Ok(Answer::BackOff(pause)));
        script.answer(|request| matches!(request, Request::Sleep(span) if span.0 == pause as u64));
        while script.has(|request| matches!(request, Request::ReadCheckpoint(..))) {
            script.reply(|request| matches!(request, Request::ReadCheckpoint(..)), Err(offline()));
        }
    }
    assert_eq!(script.events(), ["requestError", "paused", "requestError", "requestError", "requestError"]);
    script.settle();
    assert_eq!(script.events(), ["paused"]);
    // It is over: the next pause begins anew.
    script.reply(waits, Err(offline()));
    assert!(script.has(|request| matches!(request, Request::BackOff(previous) if *previous == 0.0)));
}

#[test]
fn the_server_may_ask_for_a_longer_pause() {
    let mut script = Script::at_rest(world(0), LIVE());
    script.reply(waits, Err(Error::remote(503, "busy", "").with_retry_after(Some(7))));
    script.reply(|request| matches!(request, Request::BackOff(_)), Ok(Answer::BackOff(10.0)));
    assert!(script.has(|request| matches!(request, Request::Sleep(span) if span.0 == 7_000)));
    // Also from a page that comes back meanwhile.
    script.world.now += 6_999;
    script.handle(Event::Wake);
    assert!(script.has(sleeps));
    script.world.now += 1;
    script.handle(Event::Wake);
    assert!(!script.has(sleeps));
}

#[test]
fn a_feed_that_does_not_wait_though_it_should_is_not_asked_without_end() {
    let mut script = Script::at_rest(world(3), LIVE());
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let index = script.world.waiting.iter().position(|(_, request)| waits(request)).unwrap();
        let (token, request) = script.world.waiting.remove(index);
        let empty = script.world.answer(request);
        script.handle(Event::Answered(token, empty));
        pauses.extend(script.world.waiting.iter().filter_map(|(_, request)| match request {
            Request::Sleep(span) => Some(span.0),
            _ => None,
        }));
        script.answer(sleeps);
    }
    assert!(pauses.is_sorted() && pauses[0] < 50 && pauses[11] == 1_000, "{pauses:?}");
}

#[test]
fn checkpoints_are_written_one_at_a_time_and_not_too_often() {
    let mut script = Script::start(world(40), json!({"batch_size": 1}));
    let is_checkpoint = |request: &Request| matches!(request, Request::WriteCheckpoint(..));
    let mut written = 0;
    while !script.world.waiting.is_empty() {
        assert!(script.world.waiting.iter().filter(|(_, request)| is_checkpoint(request)).count() <= 1);
        // Time stands still for as long as anything else happens.
        if script.world.waiting.iter().all(|(_, request)| sleeps(request)) {
            script.answer(sleeps);
        } else {
            let next = script.world.waiting.iter().find(|(_, request)| !sleeps(request));
            written += usize::from(matches!(next, Some((_, Request::WriteCheckpoint(Side::Target, _)))));
            script.answer(|request| !sleeps(request));
        }
    }
    // The first batch's, and the last's.
    assert_eq!(written, 2);
    assert_eq!(script.world.target_log.unwrap()["last_seq"], 40);
    assert_eq!(script.world.source_log.unwrap()["last_seq"], 40);
}

#[test]
fn the_first_checkpoint_is_that_of_the_first_batch_whatever_else_is_done_by_then() {
    let mut script = Script::start(world(2), json!({"batch_size": 1}));
    let writes = |request: &Request| matches!(request, Request::WriteDocs(_));
    let is_checkpoint = |request: &Request| matches!(request, Request::WriteCheckpoint(..));
    let both_are_written =
        |script: &Script| script.world.waiting.iter().filter(|(_, request)| writes(request)).count() == 2;
    while !both_are_written(&script) {
        script.answer(|request| !writes(request) && !is_checkpoint(request));
    }
    script.answer(|request| matches!(request, Request::WriteDocs(docs) if &*docs[0].id == "doc1"));
    script.answer(writes);
    script.answer(is_checkpoint);
    assert_eq!(script.world.target_log.as_ref().unwrap()["last_seq"], 1);
    script.settle();
    assert_eq!(script.world.target_log.unwrap()["last_seq"], 2);
}

#[test]
fn a_checkpoint_that_another_tab_has_written_is_read_and_written_on() {
    let mut script = Script::at_rest(world(3), LIVE());
    let other = script.world.target_log.as_mut().unwrap();
    other.insert("session_id".into(), "other".into());
    other.insert("history".into(), json!([{"session_id": "other", "last_seq": 2}]));
    other.insert("_rev".into(), "0-9".into());
    script.world.edit("doc1");
    script.settle();
    let target = script.world.target_log.unwrap();
    assert_eq!(target["_rev"], "0-10");
    assert_eq!(target["session_id"], "session");
    assert_eq!(
        target["history"],
        json!([{"last_seq": 4, "session_id": "session"}, {"session_id": "other", "last_seq": 2}])
    );
    assert_eq!(script.world.source_log.unwrap()["last_seq"], 4);
}

#[test]
fn the_feed_is_read_ahead_as_far_as_the_limit_says() {
    let mut script = Script::start(world(40), json!({"batch_size": 1, "batches_limit": 3}));
    let mut pages = 0;
    loop {
        let is_work = |request: &Request| {
            matches!(request, Request::RevsDiff(_) | Request::BulkGet(_) | Request::WriteDocs(_))
        };
        let Some((_, request)) = script.world.waiting.iter().find(|(_, request)| !is_work(request)) else {
            break;
        };
        pages += usize::from(matches!(request, Request::Changes(_)));
        script.answer(|request| !is_work(request));
    }
    assert_eq!(pages, 4, "one in hand and three ahead");
    let fetches =
        script.world.waiting.iter().filter(|(_, request)| matches!(request, Request::BulkGet(_))).count();
    assert_eq!(fetches, 4, "one for each");
}

#[test]
fn progress_is_told_in_pouchdbs_order_and_words() {
    let mut script = Script::start(world(3), json!({}));
    script.settle();
    let payloads = script.world.events.iter().filter(|event| event.name() == "checkpoint");
    let steps: Vec<Value> = payloads
        .flat_map(|event| serde_json::from_str::<Vec<Value>>(&event.payload().unwrap()).unwrap())
        .collect();
    let row = |seq: u64| json!({"revs_diff": {"id": format!("doc{}", seq - 1), "seq": seq, "changes": [{"rev": "1-x"}]}});
    assert_eq!(
        steps,
        [
            json!({"pending_batch": 1}),
            json!({"pending_batch": 2}),
            json!({"pending_batch": 3}),
            json!({"start_next_batch": 3}),
            row(1),
            row(2),
            row(3),
            json!({"checkpoint": 3}),
        ]
    );
}

#[test]
fn a_document_that_fails_for_no_known_reason_stops_it_before_the_checkpoint() {
    let mut script = Script::start(world(2), json!({"batch_size": 1}));
    let is_write = |request: &Request| matches!(request, Request::WriteDocs(_));
    while !script.has(is_write) {
        script.answer(|_| true);
    }
    script.answer(is_write);
    while !script.has(is_write) {
        script.answer(|_| true);
    }
    let error = Error::remote(500, "internal server error", "test document write error");
    let failure = WriteFailure { id: Some("doc1".into()), rev: None, error, cause: Cause::Target };
    script.reply(is_write, Ok(Answer::Written(vec![failure])));
    script.settle();
    let Some(ReplicationEvent::Error(failure)) = script.world.events.last() else { panic!() };
    let report = &failure.report;
    assert_eq!(
        (report.ok, report.docs_read, report.docs_written, report.doc_write_failures),
        (false, 2, 1, 1)
    );
    assert_eq!(failure.error.name(), "internal server error");
    let payload: Value =
        serde_json::from_str(&script.world.events.last().unwrap().payload().unwrap()).unwrap();
    assert_eq!(payload["result"]["status"], "aborting");
    assert_eq!(payload["result"]["last_seq"], 1);
    assert_eq!(payload["result"]["errors"][0]["name"], "internal server error");
    assert_eq!(script.world.target_log.unwrap()["last_seq"], 1);
}

#[test]
fn a_write_that_fails_as_a_whole_counts_its_documents_as_failed() {
    let mut script = Script::start(world(2), json!({"batch_size": 1}));
    let is_write = |request: &Request| matches!(request, Request::WriteDocs(_));
    while !script.has(is_write) {
        script.answer(|_| true);
    }
    script.reply(is_write, Err(offline()));
    script.settle();
    let Some(ReplicationEvent::Error(failure)) = script.world.events.last() else { panic!() };
    let report = &failure.report;
    assert_eq!((report.docs_read, report.docs_written, report.doc_write_failures), (1, 0, 1));
    assert_eq!(report.last_seq.as_ref().unwrap().as_json(), "0");
}

#[test]
fn a_document_the_target_can_not_hold_is_passed_once_it_has_taken_another() {
    let mut world = world(8);
    world.unacceptable.insert("doc5".into());
    let mut script = Script::start(world, json!({}));
    script.settle();
    let Some(ReplicationEvent::Complete(report)) = script.world.events.last() else { panic!() };
    assert_eq!((report.docs_read, report.docs_written, report.doc_write_failures), (8, 7, 1));
    assert_eq!(report.errors[0].doc_id(), Some("doc5"));
}

#[test]
fn one_that_is_waiting_for_the_network_is_cancelled_at_once() {
    let mut script = Script::at_rest(world(3), LIVE());
    script.reply(waits, Err(offline()));
    script.handle(Event::Cancel);
    assert!(script.world.waiting.is_empty());
    assert_eq!(script.events(), ["requestError", "paused", "complete"]);
}

#[test]
fn a_last_checkpoint_that_can_not_be_written_does_not_keep_it_from_ending() {
    let mut script = Script::start(world(3), LIVE());
    let is_checkpoint = |request: &Request| matches!(request, Request::WriteCheckpoint(..));
    while !script.has(is_checkpoint) {
        script.answer(|_| true);
    }
    script.handle(Event::Cancel);
    assert!(script.has(is_checkpoint));
    assert!(!script.events().contains(&"complete"));
    script.answer(sleeps);
    assert_eq!(script.events(), ["complete"]);
}

#[test]
fn a_feed_is_not_waited_upon_while_documents_are_under_way() {
    let mut script = Script::at_rest(world(3), LIVE());
    script.world.edit("new");
    script.answer(waits);
    let mut steps = 0;
    while !script.world.has_everything() {
        assert!(!script.has(waits), "it keeps a connection that the documents need");
        script.answer(|request| !sleeps(request));
        steps += 1;
    }
    assert!(steps >= 3);
    script.settle();
    assert!(script.has(waits));
    assert_eq!(script.events(), ["active", "change", "paused"]);
}
