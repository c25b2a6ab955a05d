//! What a replication says of its state, on a clock of the test's own.

use super::scripted::{LIVE, Script, asks_at_once, offline, sleeps, waits};
use super::world::world;
use crate::env::Millis;
use crate::error::Error;
use crate::replicate::effect::{Answer, Request};
use crate::replicate::{ReplicationEvent, ReplicationStatus, State};
use serde_json::{Value, json};

/// The newest that was told.
fn told(script: &Script) -> ReplicationStatus {
    let statuses = script.world.events.iter().rev().filter_map(|event| match event {
        ReplicationEvent::Status(status) => Some((**status).clone()),
        _ => None,
    });
    statuses.take(1).next().expect("no status was told")
}

/// Each state once that was told, in a row.
fn states(script: &Script) -> Vec<State> {
    let mut states: Vec<State> = script
        .world
        .events
        .iter()
        .filter_map(|event| match event {
            ReplicationEvent::Status(status) => Some(status.state),
            _ => None,
        })
        .collect();
    states.dedup();
    states
}

fn backs_off(request: &Request) -> bool {
    matches!(request, Request::BackOff(_))
}

fn writes(request: &Request) -> bool {
    matches!(request, Request::WriteDocs(_))
}

#[test]
fn a_replication_goes_through_its_states() {
    let mut script = Script::start(world(3), LIVE());
    script.settle();
    assert_eq!(states(&script), [State::Connecting, State::CatchingUp, State::UpToDate]);
    script.world.edit("doc1");
    script.settle();
    script.cancel();
    script.settle();
    let expected = [
        State::Connecting,
        State::CatchingUp,
        State::UpToDate,
        State::CatchingUp,
        State::UpToDate,
        State::Cancelled,
    ];
    assert_eq!(states(&script), expected);
    assert!(matches!(script.world.events.last(), Some(ReplicationEvent::Complete(_))));

    let mut script = Script::start(world(3), json!({}));
    script.settle();
    assert_eq!(states(&script), [State::Connecting, State::CatchingUp, State::Complete]);
}

#[test]
fn what_is_pending_and_done_makes_a_progress_bar() {
    let mut script = Script::start(world(40), json!({"live": true, "batch_size": 10, "batches_limit": 1}));
    let mut bars = Vec::new();
    while script.has(|request| !waits(request)) {
        script.answer(|request| !waits(request));
        let status = told(&script);
        if status.state == State::CatchingUp {
            bars.extend(status.pending.map(|pending| (status.done, pending)));
        }
    }
    bars.dedup();
    assert_eq!(bars, [(0, 40), (10, 30), (20, 20), (30, 10), (40, 0)]);
    let status = told(&script);
    assert_eq!((status.state, status.done, status.pending), (State::UpToDate, 40, Some(0)));
    assert_eq!((status.docs_read, status.docs_written, status.doc_write_failures), (40, 40, 0));
    // The next bar begins anew.
    script.world.edit("doc1");
    script.settle();
    let status = told(&script);
    assert_eq!((status.done, status.pending, status.docs_written), (1, Some(0), 41));
}

#[test]
fn the_rate_is_that_of_the_last_seconds() {
    let mut script = Script::start(world(40), json!({"live": true, "batch_size": 10}));
    let mut rates = Vec::new();
    while script.has(|request| !waits(request)) {
        if script.has(writes) {
            script.world.now += 2_000;
            script.answer(writes);
        } else {
            script.answer(|request| !waits(request));
        }
        rates.push(told(&script).rate);
    }
    rates.dedup();
    assert!(rates.contains(&5.0), "ten in two seconds: {rates:?}");
    assert_eq!(told(&script).rate, 0.0, "at rest there is none");
}

#[test]
fn who_has_no_answer_is_offline_and_who_has_one_waits() {
    let mut script = Script::at_rest(world(3), LIVE());
    script.world.now += 60_000;
    let start = script.world.now;
    script.reply(waits, Err(offline()));
    script.reply(backs_off, Ok(Answer::BackOff(5_000.0)));
    let status = told(&script);
    assert_eq!(status.state, State::Offline);
    assert_eq!(status.next_retry, Some(Millis(start + 5_000)));
    assert_eq!(status.last_error_time, Some(Millis(start)));
    assert_eq!(status.last_success, Some(Millis(start - 60_000)));
    script.answer(sleeps);
    assert_eq!((told(&script).state, told(&script).next_retry), (State::Connecting, None));
    let busy = Error::remote(503, "busy", "Too much to do").with_retry_after(Some(7));
    let reads = |request: &Request| matches!(request, Request::ReadCheckpoint(..));
    script.reply(reads, Err(busy.clone()));
    script.reply(reads, Err(busy));
    script.reply(backs_off, Ok(Answer::BackOff(10.0)));
    let status = told(&script);
    assert_eq!(status.state, State::WaitingToRetry);
    assert_eq!(status.next_retry, Some(Millis(script.world.now + 7_000)));
    let error = status.last_error.unwrap();
    assert_eq!((error.status(), error.name(), error.reason()), (503, "busy", Some("Too much to do")));
    script.settle();
    let status = told(&script);
    assert_eq!((status.state, status.next_retry), (State::UpToDate, None));
    assert!(status.last_success > status.last_error_time, "the error stays, and is seen to be over");
}

#[test]
fn what_was_done_before_an_outage_counts_on_after_it() {
    let mut script = Script::start(world(20), json!({"live": true, "retry": true, "batch_size": 10}));
    while !script.has(writes) {
        script.answer(|_| true);
    }
    script.answer(writes);
    while !script.has(writes) {
        script.answer(|request| !waits(request));
    }
    script.reply(writes, Err(offline()));
    script.settle();
    let status = told(&script);
    assert_eq!((status.state, status.done, status.docs_written), (State::UpToDate, 20, 20));
}

#[test]
fn an_error_without_another_try_is_a_stop_and_told_before_the_end() {
    let mut script = Script::start(world(3), json!({"live": true}));
    script.reply(|request| matches!(request, Request::Id(_)), Err(offline()));
    script.settle();
    let [.., ReplicationEvent::Status(status), ReplicationEvent::Error(_)] = &script.world.events[..] else {
        panic!("{:?}", script.world.events)
    };
    assert_eq!(status.state, State::Stopped);
    assert_eq!(status.last_error.as_ref().map(Error::message), Some("Failed to fetch"));
}

#[test]
fn who_is_told_of_something_finds_it_in_the_status() {
    let mut script = Script::at_rest(world(3), LIVE());
    script.world.events.clear();
    script.reply(waits, Err(offline()));
    let names: Vec<_> = script.world.events.iter().map(ReplicationEvent::name).collect();
    assert_eq!(names, ["status", "requestError", "paused"]);
}

#[test]
fn what_changes_nothing_is_not_told() {
    let mut script = Script::at_rest(world(3), LIVE());
    script.world.events.clear();
    for _ in 0..5 {
        script.reply(waits, Err(Error::remote(408, "timeout", "silence")));
        script.answer(asks_at_once);
    }
    assert_eq!(script.world.events.len(), 0);
}

#[test]
fn the_status_is_told_in_words_and_iso_times() {
    let mut script = Script::at_rest(world(1), LIVE());
    script.world.edit("doc1");
    script.settle();
    let event = script.world.events.iter().rev().find(|event| event.name() == "status").unwrap();
    let payload: Value = serde_json::from_str(&event.payload().unwrap()).unwrap();
    let mut expected = json!({"state": "up to date", "pending": 0, "done": 1, "rate": 0.0, "docs_read": 2, "docs_written": 2,
        "doc_write_failures": 0, "set_aside": 0, "last_seq": 2});
    expected["last_success"] = payload["last_success"].clone();
    assert_eq!(payload, expected);
    assert!(payload["last_success"].as_str().unwrap().starts_with("2023-11-14T22:13:"), "{payload}");
}
