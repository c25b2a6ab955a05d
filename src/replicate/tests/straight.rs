//! Edits that a live push sends without asking first whether the server has them.

use super::local::{local, open, put};
use super::observed::{Observed, impatient, peer};
use super::scripted::{LIVE, Script, offline, sleeps, waits};
use super::world::{World, world};
use crate::db::Database;
use crate::env::block_on;
use crate::http::testing::Couch;
use crate::replicate::effect::{Answer, Request};
use crate::replicate::options::Limits;
use serde_json::{Value, json};

/// Pushes what `write` writes into a database that is up to date; the questions and the writes of that.
fn pushed(name: &str, write: impl AsyncFnOnce(&Database, Value)) -> (usize, usize) {
    let couch = Couch::new();
    block_on(async {
        let database = open(name).await;
        let rev = put(&database, json!({"_id": "a"})).await;
        let options = json!({"live": true, "retry": true});
        let mut live = Observed::start(local(&database), peer(&couch, "to"), options, impatient());
        live.next("paused").await;
        let before = couch.log().len();
        write(&database, rev).await;
        live.next("change").await;
        live.next("paused").await;
        live.handle.cancel();
        live.rest().await;
        assert_eq!(couch.with("to", |to| to.leaves().len()) as u64, database.info().unwrap().doc_count);
        let log = couch.log().split_off(before);
        let count = |part: &str| log.iter().filter(|line| line.contains(part)).count();
        (count("_revs_diff"), count("_bulk_docs") + count("new_edits=false"))
    })
}

async fn bulk(database: &Database, docs: Value, options: &str) {
    database.bulk_docs(&docs.to_string(), options).await.unwrap();
}

#[test]
fn an_edit_is_sent_at_once() {
    let edit =
        async |database: &Database, rev| drop(put(database, json!({"_id": "a", "_rev": rev, "b": 1})).await);
    assert_eq!(pushed("straight_edit", edit), (0, 1));
    let several = async |database: &Database, _| {
        let docs = (0..8).map(|number| json!({"_id": format!("n{number}")}));
        bulk(database, docs.collect(), "{}").await;
    };
    assert_eq!(pushed("straight_several", several), (0, 1));
}

#[test]
fn what_the_server_may_have_is_asked_for() {
    let foreign = async |database: &Database, _| {
        let doc = json!([{"_id": "b", "_rev": "1-x", "_revisions": {"start": 1, "ids": ["x"]}}]);
        bulk(database, doc, r#"{"new_edits":false}"#).await;
    };
    assert_eq!(pushed("straight_foreign", foreign), (1, 1));
    let many = async |database: &Database, _| {
        let docs = (0..9).map(|number| json!({"_id": format!("n{number}")}));
        bulk(database, docs.collect(), "{}").await;
    };
    assert_eq!(pushed("straight_many", many), (1, 1));
    let large = async |database: &Database, rev| {
        drop(put(database, json!({"_id": "a", "_rev": rev, "text": "x".repeat(64 << 10)})).await);
    };
    assert_eq!(pushed("straight_large", large), (1, 1));
    let attached = async |database: &Database, rev| {
        let attachments = json!({"a": {"content_type": "text/plain", "data": "YQ=="}});
        drop(put(database, json!({"_id": "a", "_rev": rev, "_attachments": attachments})).await);
    };
    assert_eq!(pushed("straight_attached", attached), (1, 1));
}

#[test]
fn what_came_while_nobody_waited_is_asked_for() {
    let mut world = world(3);
    world.is_own_feed = true;
    let mut script = Script::at_rest(world, LIVE());
    script.reply(waits, Err(offline()));
    script.world.edit("doc1");
    script.settle();
    assert_eq!(script.world.asked, 1);
    script.world.edit("doc2");
    script.settle();
    assert_eq!(script.world.asked, 1, "this one is news");
}

#[test]
fn what_can_not_be_sent_whole_is_asked_for() {
    let mut world = World::new();
    world.is_own_feed = true;
    let mut script = Script::at_rest(world, LIVE());
    script.world.edit("doc1");
    let is_fetch = |request: &Request| matches!(request, Request::BulkGet(_));
    while !script.has(is_fetch) {
        script.answer(|_| true);
    }
    assert_eq!(script.world.asked, 0);
    // The source has it no longer.
    script.reply(is_fetch, Ok(Answer::Docs(Vec::new())));
    script.reply(|request| matches!(request, Request::OpenRevs(_)), Ok(Answer::Docs(Vec::new())));
    script.settle();
    assert_eq!(script.world.asked, 1);
}

#[test]
fn a_checkpoint_waits_until_nothing_more_comes_and_not_for_ever() {
    let writes = |request: &Request| matches!(request, Request::WriteCheckpoint(..));
    let mut script = Script::at_rest(world(3), LIVE());
    let begun = script.world.now;
    let mut edits = 0;
    while !script.has(writes) {
        edits += 1;
        script.world.edit("doc1");
        script.answer(waits);
        while script.has(|request| !waits(request) && !sleeps(request) && !writes(request)) {
            script.answer(|request| !waits(request) && !sleeps(request) && !writes(request));
        }
        script.world.now += 60;
        // The pause ends meanwhile.
        if script.has(sleeps) {
            script.reply(sleeps, Ok(Answer::Slept));
        }
    }
    assert!(script.world.now >= begun + 1_000 && edits < 20, "{edits}");
    script.settle();
    assert_eq!(script.world.target_log.as_ref().unwrap()["last_seq"], 3 + edits);
    assert_eq!(script.events().last(), Some(&"paused"));

    script.world.edit("doc1");
    script.answer(waits);
    while script.has(|request| !waits(request) && !sleeps(request)) {
        script.answer(|request| !waits(request) && !sleeps(request));
    }
    assert!(!script.has(writes) && !script.events().contains(&"paused"));
    script.answer(sleeps);
    assert!(script.has(writes), "nothing more has come");
}

/// Edits of so many documents that are larger than what is held in memory, or as large together.
fn large_edits(count: usize, limits: Limits) {
    let mut script = Script::at_rest(World { is_own_feed: true, limits, ..World::new() }, LIVE());
    script.world.text_bytes = 100 << 10;
    for number in 0..count {
        script.world.edit(&format!("doc{number}"));
    }
    script.settle();
    assert!(script.world.has_everything(), "{:?}", script.world.waiting);
    assert_eq!(script.events().last(), Some(&"paused"));
    assert_eq!(script.world.asked, 1);
}

#[test]
fn what_is_larger_than_may_be_held_arrives_all_the_same() {
    let bytes_held = 50 << 10;
    large_edits(1, Limits { bytes_held, ..Limits::default() });
    large_edits(8, Limits { bytes_held, revs_in_fetch: 1, ..Limits::default() });
}
