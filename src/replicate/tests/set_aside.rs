//! What one side did not give or take, and is tried again: what is told of it, where it is kept, and when it goes.

use super::scripted::{LIVE, Script, asks_at_once, offline, waits};
use super::world::{World, world};
use crate::error::Error;
use crate::replicate::effect::{Event, Request, Side};
use crate::replicate::options::Limits;
use crate::replicate::{ReplicationEvent, Report, State};
use serde_json::{Value, json};

const MINUTE: u64 = 60_000;

/// With documents that the target forbids.
fn forbidding(docs: u8, forbidden: &[&str]) -> World {
    let forbidden = forbidden.iter().map(|id| (*id).to_owned()).collect();
    World { forbidden, ..world(docs) }
}

fn tries_again(request: &Request) -> bool {
    matches!(request, Request::Sleep(span) if span.0 >= 15_000)
}

fn diffs(request: &Request) -> bool {
    matches!(request, Request::RevsDiff(_))
}

fn gets(request: &Request) -> bool {
    matches!(request, Request::BulkGet(_))
}

fn writes(request: &Request) -> bool {
    matches!(request, Request::WriteDocs(_))
}

impl Script {
    /// Waits until the next try, and for what comes of it.
    fn try_again(&mut self) {
        while !self.has(diffs) {
            self.answer(tries_again);
        }
        self.settle();
    }

    fn status(&self) -> (State, u64, u64) {
        let status = self.world.events.iter().rev().find_map(|event| match event {
            ReplicationEvent::Status(status) => Some((status.state, status.docs_written, status.set_aside)),
            _ => None,
        });
        status.expect("no status was told")
    }

    fn list(&self) -> Option<&Value> {
        self.world.kept()?.get("set_aside")
    }

    fn has_all(&self) -> bool {
        self.world.forbidden.is_empty() && self.world.has_everything()
    }
}

/// Replicates what there is and ends.
fn once(world: World) -> Script {
    once_with(world, json!({}))
}

fn once_with(mut world: World, options: Value) -> Script {
    world.finished = false;
    world.events.clear();
    let mut script = Script::start(world, options);
    script.settle();
    assert!(script.world.finished, "{:?}", script.world.waiting);
    script
}

fn report(script: &Script) -> &Report {
    let Some(ReplicationEvent::Complete(report)) = script.last() else { panic!("{:?}", script.last()) };
    report
}

#[test]
fn at_rest_it_is_tried_again_and_told_of_when_it_is_taken() {
    let mut script = Script::start(forbidding(3, &["doc1"]), LIVE());
    script.settle();
    assert_eq!(script.status(), (State::UpToDate, 2, 1));
    assert_eq!(script.events(), ["active", "denied", "change", "paused"]);
    assert_eq!(script.list(), Some(&json!([{"id": "doc1", "revs": ["1-x"]}])));
    let start = script.world.now;
    for _ in 0..3 {
        script.try_again();
        assert!(script.has(tries_again) && script.has(waits));
    }
    assert!(script.world.events.is_empty(), "nothing was news: {:?}", script.world.events);
    script.world.heal();
    script.try_again();
    assert!(script.has_all());
    assert_eq!(script.status(), (State::UpToDate, 3, 0));
    assert_eq!(script.events(), ["active", "change", "paused"]);
    // After one minute, two, four and eight, or a little sooner.
    assert!(
        (12 * MINUTE..=15 * MINUTE).contains(&(script.world.now - start)),
        "{}",
        script.world.now - start
    );
    assert_eq!(script.list(), None);
    assert!(!script.has(tries_again));
}

#[test]
fn paused_does_not_wait_for_another_try_and_no_more_is_asked_at_a_time_than_one_thing() {
    let ids: Vec<String> = (0..30).map(|id| format!("doc{id}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut script = once(forbidding(40, &ids));
    assert_eq!(report(&script).doc_write_failures, 30);
    script.world.heal();
    let limits = Limits { bytes_in_write: 60, ..Limits::default() };
    let world = World { finished: false, events: Vec::new(), limits, ..script.world };
    let mut script = Script::start(world, LIVE());
    while !script.events().contains(&"paused") {
        script.answer(|request| !waits(request));
    }
    assert!(script.has(diffs) && script.has(waits));
    while script.has(|request| !waits(request)) {
        // Whatever else happens meanwhile.
        script.handle(Event::Wake);
        script.answer(asks_at_once);
        let is_work = |request: &Request| diffs(request) || gets(request) || writes(request);
        assert!(script.world.waiting.iter().filter(|(_, request)| is_work(request)).count() <= 1);
        script.answer(|request| !waits(request));
    }
    assert!(script.has_all());
    // The first one alone, then twice as many each time.
    let changes = script.events().into_iter().filter(|name| *name == "change").count();
    assert_eq!(changes, 5);
}

#[test]
fn what_is_new_does_not_wait_for_what_is_tried_again() {
    for stage in [diffs, gets, writes] {
        let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
        script.answer(tries_again);
        while !script.has(stage) {
            script.answer(|request| !waits(request) && !tries_again(request));
        }
        let (token, request) = {
            let at = script.world.waiting.iter().position(|(_, request)| stage(request)).unwrap();
            script.world.waiting.remove(at)
        };
        script.world.edit("new");
        script.settle();
        assert_eq!(script.events(), ["active", "change", "paused"]);
        script.world.heal();
        let answer = script.world.answer(request);
        script.handle(Event::Answered(token, answer));
        script.settle();
        assert!(script.has_all());
        assert_eq!(script.events(), ["active", "change", "paused"]);
    }
}

#[test]
fn a_replication_that_ends_tries_once_and_reports_as_the_first_did() {
    for target_is_remote in [true, false] {
        let world = World { target_is_remote, ..forbidding(3, &["doc1"]) };
        let script = once(world);
        assert_eq!(script.list(), Some(&json!([{"id": "doc1", "revs": ["1-x"]}])));
        let mut script = once(script.world);
        let report_of = |script: &Script| {
            let report = report(script);
            (report.docs_read, report.docs_written, report.doc_write_failures, report.errors.len())
        };
        assert_eq!(report_of(&script), (1, 0, 1, 1));
        assert_eq!(script.status(), (State::Complete, 0, 1));
        assert_eq!(script.events(), ["denied", "paused", "complete"]);
        script.world.heal();
        let mut script = once(script.world);
        assert_eq!(report_of(&script), (1, 1, 0, 0));
        assert!(script.has_all() && script.list().is_none());
        assert_eq!(script.events(), ["active", "change", "paused", "complete"]);
    }
}

#[test]
fn a_document_that_the_source_can_not_give_is_tried_again_in_the_same_way() {
    // One that fails alone is a suspect twice, before it is set aside.
    let mut alone = world(1);
    alone.poisoned.insert("doc0".into());
    let mut script = Script::start(alone, LIVE());
    script.settle();
    assert_eq!(script.status(), (State::UpToDate, 0, 1));
    assert_eq!(script.events().iter().filter(|name| **name == "denied").count(), 1);
    script.try_again();
    assert_eq!(script.events(), [""; 0]);
    let mut script = once(script.into_world());
    assert_eq!(script.events(), ["denied", "paused", "complete"]);
    script.world.heal();
    let script = once(script.world);
    assert!(script.has_all() && script.list().is_none());
}

#[test]
fn a_document_that_alone_is_too_large_is_tried_again_and_stops_nothing() {
    let mut world = world(3);
    world.unacceptable.insert("doc1".into());
    let script = once(world);
    assert_eq!(report(&script).doc_write_failures, 1);
    let mut script = once(script.world);
    assert_eq!(script.events(), ["denied", "paused", "complete"]);
    script.world.heal();
    assert!(once(script.world).has_all());
}

#[test]
fn an_error_while_trying_again_puts_it_off_and_nobody_is_told() {
    for error in [offline(), Error::remote(500, "oops", ""), Error::remote(401, "unauthorized", "")] {
        for stage in [diffs, gets, writes] {
            let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
            script.answer(tries_again);
            while !script.has(stage) {
                script.answer(|request| !waits(request) && !tries_again(request));
            }
            script.world.heal();
            script.reply(stage, Err(error.clone()));
            // The source may not be able to give this one; that is told.
            let is_told = error.status() == 500;
            if !is_told {
                assert_eq!(script.world.events.len(), 0, "{error}");
            }
            while script.has(|request| !waits(request) && !tries_again(request)) {
                script.answer(|request| !waits(request) && !tries_again(request));
            }
            script.settle();
            assert!(script.has(waits) && !script.events().contains(&"requestError"));
            while !script.has_all() {
                script.try_again();
            }
        }
    }
    // One that ends does so.
    let script = once(forbidding(3, &["doc1"]));
    let mut script = Script::start(World { finished: false, ..script.world }, json!({}));
    while !script.has(diffs) {
        script.answer(|_| true);
    }
    script.reply(diffs, Err(offline()));
    script.settle();
    assert_eq!((report(&script).ok, report(&script).doc_write_failures), (true, 0));
    assert_eq!(script.status().2, 1);
}

#[test]
fn what_was_superseded_comes_by_the_feed_or_if_the_filter_keeps_it_back_not_at_all() {
    let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
    script.world.heal();
    script.world.edit("doc1");
    // The feed has not given the edit yet, or never will.
    script.answer(tries_again);
    while script.has(|request| !waits(request)) {
        script.answer(|request| !waits(request));
    }
    assert!(!script.world.target.iter().any(|(id, _)| id == "doc1"));
    assert_eq!(script.status(), (State::UpToDate, 2, 0));
    assert_eq!((script.events(), script.list()), (vec![], None));
    script.settle();
    assert!(script.has_all());
    // A newer one that is refused too takes its place.
    let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
    script.world.edit("doc1");
    script.settle();
    assert_eq!(script.list(), Some(&json!([{"id": "doc1", "revs": ["2-x"]}])));
    assert_eq!(script.events(), ["active", "denied", "paused"]);
    script.world.heal();
    script.world.edit("doc1");
    script.settle();
    assert!(script.has_all() && script.list().is_none());
    assert_eq!(script.events(), ["active", "change", "paused"]);
}

#[test]
fn what_the_target_has_from_elsewhere_is_not_brought() {
    let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
    script.world.target.insert(("doc1".into(), "1-x".into()));
    script.try_again();
    assert_eq!((script.events(), script.list(), script.world.written_twice), (vec![], None, 0));
}

#[test]
fn another_reason_is_told() {
    let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
    script.world.poisoned.insert("doc1".into());
    script.try_again();
    let denied = script.world.events.iter().find_map(|event| match event {
        ReplicationEvent::Denied(error) => Some((error.status(), error.doc_id())),
        _ => None,
    });
    assert_eq!(denied, Some((500, Some("doc1"))));
    script.events();
    script.try_again();
    assert_eq!(script.events(), [""; 0]);
}

#[test]
fn without_a_checkpoint_it_is_kept_as_long_as_the_replication_runs() {
    for options in [json!({"checkpoint": false}), json!({"doc_ids": []}), json!({"checkpoint": "target"})] {
        let mut all = options.clone();
        all["live"] = true.into();
        let mut script = Script::at_rest(forbidding(3, &["doc1"]), all);
        assert_eq!(script.list(), None);
        script.world.heal();
        script.try_again();
        assert!(script.has_all(), "{options}");
        assert!(script.world.target_log.is_none_or(|log| !log.contains_key("set_aside")));
    }
}

#[test]
fn an_outage_does_not_lose_it() {
    let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
    script.reply(waits, Err(offline()));
    script.settle();
    assert_eq!(script.status().2, 1);
    script.events();
    script.try_again();
    // It is not told anew.
    assert_eq!(script.events(), [""; 0]);
    script.world.heal();
    script.try_again();
    assert!(script.has_all());
}

#[test]
fn a_list_that_could_not_be_written_is_written_when_the_network_is_back() {
    let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
    script.world.heal();
    let is_checkpoint = |request: &Request| matches!(request, Request::WriteCheckpoint(..));
    script.answer(tries_again);
    while !script.has(is_checkpoint) {
        script.answer(|request| !waits(request));
    }
    script.reply(is_checkpoint, Err(offline()));
    script.settle();
    assert!(script.has_all() && script.list().is_none());
    assert_eq!(script.events(), ["active", "change", "requestError", "paused", "paused"]);
}

#[test]
fn from_the_beginning_everything_comes_by_the_feed() {
    let script = once(World { target_is_remote: false, ..forbidding(3, &["doc1"]) });
    // The source was made anew.
    let mut world = World { source_log: None, ..script.world };
    world.target_log.as_mut().unwrap().insert("set_aside".into(), json!([{"id": "gone", "revs": ["1-x"]}]));
    world.heal();
    let mut script = once(world);
    assert_eq!(script.world.asked, 1, "for what came by the feed alone");
    assert!(script.has_all() && script.list().is_none());
    assert_eq!(script.events(), ["active", "change", "paused", "complete"]);
}

#[test]
fn a_checkpoint_is_pouchdbs_but_for_the_list_while_there_is_one() {
    let plain = once(world(3)).world;
    let mut world = once(forbidding(3, &["doc1"])).world;
    assert_eq!(world.target_log, plain.target_log);
    world.heal();
    let world = once(world).world;
    let without_rev = |side: Side, world: &World| {
        let log = if side == Side::Source { &world.source_log } else { &world.target_log };
        let mut log = log.clone().unwrap();
        log.shift_remove("_rev");
        Value::Object(log).to_string()
    };
    for side in [Side::Source, Side::Target] {
        assert_eq!(without_rev(side, &world), without_rev(side, &plain));
    }
}

#[test]
fn a_list_of_nonsense_does_no_harm() {
    for list in
        [json!(7), json!([7, {"id": "_local/x", "revs": ["1-x"]}]), json!([{"id": "gone", "revs": ["1-x"]}])]
    {
        let mut world = once(world(3)).world;
        world.source_log.as_mut().unwrap().insert("set_aside".into(), list.clone());
        let mut script = once(world);
        let is_tried = list[0]["id"] == "gone";
        let expected: &[&str] =
            if is_tried { &["denied", "paused", "complete"] } else { &["paused", "complete"] };
        assert_eq!(script.events(), expected);
        script.world.edit("doc1");
        let script = once(script.world);
        assert_eq!(script.list(), if is_tried { Some(&list) } else { None });
    }
}

#[test]
fn it_can_be_cancelled_while_it_tries_again() {
    let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
    script.answer(tries_again);
    while !script.has(writes) {
        script.answer(|request| !waits(request) && !tries_again(request));
    }
    script.cancel();
    assert_eq!(script.events(), ["complete"]);
    assert_eq!(script.list().unwrap()[0]["id"], "doc1");
}

#[test]
fn a_clock_that_is_put_back_delays_no_try_for_long() {
    let mut script = Script::at_rest(forbidding(3, &["doc1"]), LIVE());
    script.world.now -= 365 * 24 * 60 * MINUTE;
    let start = script.world.now;
    script.world.heal();
    script.try_again();
    assert!(script.has_all() && script.world.now - start <= 2 * MINUTE);
}
