//! A run that begins before the checkpoints are read.

use super::scripted::{Script, asks_at_once, offline};
use super::world::world;
use crate::replicate::ReplicationEvent;
use crate::replicate::effect::{Request, Side};
use serde_json::json;

fn looks(request: &Request) -> bool {
    matches!(request, Request::Info(Side::Target))
}

fn is_start(request: &Request) -> bool {
    matches!(request, Request::Id(_) | Request::ReadCheckpoint(..))
}

/// Does everything that can be done without the checkpoints.
fn run_ahead(script: &mut Script) {
    script.answer(looks);
    while script.has(|request| !is_start(request)) {
        script.answer(|request| !is_start(request));
    }
}

#[test]
fn an_untouched_target_is_brought_documents_before_the_checkpoints_are_read_and_nothing_is_told() {
    let mut script = Script::start(world(5), json!({}));
    run_ahead(&mut script);
    assert!(script.world.has_everything());
    assert_eq!(script.events(), [""; 0]);
    script.settle();
    assert_eq!(script.events(), ["active", "change", "paused", "complete"]);
    assert_eq!(script.world.target_log.as_ref().unwrap()["last_seq"], 5);
    assert_eq!(script.world.written_twice, 0);
}

#[test]
fn a_run_that_the_checkpoints_contradict_is_forgotten() {
    let mut script = Script::start(world(5), json!({"checkpoint": "target"}));
    // As where the target has refused everything so far.
    script.world.unacceptable = ["doc0", "doc1", "doc2"].map(str::to_owned).into();
    let entry = json!({"session_id": "before", "last_seq": 3});
    let log = json!({"_id": "x", "_rev": "0-1", "version": 1, "session_id": "before", "last_seq": 3, "history": [entry]});
    script.world.target_log = log.as_object().cloned();
    script.answer(looks);
    script.answer(asks_at_once);
    assert!(script.has(|request| matches!(request, Request::BulkGet(wanted) if wanted.len() == 5)));
    while script.has(is_start) {
        script.answer(is_start);
    }
    assert!(!script.has(|request| matches!(request, Request::BulkGet(_))));
    assert!(
        script.has(|request| matches!(request, Request::Changes(changes) if changes.since.as_json() == "3"))
    );
    script.settle();
    let Some(ReplicationEvent::Complete(report)) = script.last() else { panic!("it did not complete") };
    assert_eq!((report.docs_read, report.docs_written), (2, 2));
    assert_eq!(script.events(), ["active", "change", "paused", "complete"]);
}

#[test]
fn a_run_that_could_not_be_told_of_leaves_no_trace() {
    let mut script = Script::start(world(5), json!({"live": true, "retry": true}));
    run_ahead(&mut script);
    script.reply(|request| matches!(request, Request::Id(Side::Source)), Err(offline()));
    script.answer(is_start);
    assert_eq!(script.events(), ["requestError", "paused"]);
    script.settle();
    // What was brought is there, and found there.
    assert_eq!(script.events(), ["active", "paused"]);
    assert_eq!(script.world.written_twice, 0);
    assert_eq!(script.world.target_log.as_ref().unwrap()["last_seq"], 5);
}

#[test]
fn an_error_ahead_of_the_checkpoints_is_told_after_them() {
    let mut script = Script::start(world(5), json!({}));
    script.answer(looks);
    script.reply(asks_at_once, Err(offline()));
    assert_eq!(script.events(), [""; 0]);
    while script.has(is_start) {
        script.answer(is_start);
    }
    assert_eq!(script.events(), ["error"]);
}

#[test]
fn a_target_with_something_in_it_is_asked_first() {
    let mut script = Script::start(world(5), json!({}));
    script.world.target.insert(("other".into(), "1-x".into()));
    script.answer(looks);
    assert!(!script.has(asks_at_once));
    script.settle();
    assert_eq!(script.events(), ["active", "change", "paused", "complete"]);
}

#[test]
fn who_is_live_is_up_to_date_with_what_there_is_by_then() {
    let mut script = Script::start(world(0), json!({"live": true, "retry": true}));
    run_ahead(&mut script);
    script.world.edit("meanwhile");
    script.settle();
    assert_eq!(script.events(), ["active", "change", "paused"]);
    assert!(script.world.has_everything());
}
