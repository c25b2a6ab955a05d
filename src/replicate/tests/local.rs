//! A local database as a side: pushed to a server, pulled from one, and two with each other.

use super::observed::{Observed, impatient, peer};
use crate::db::{Database, DatabaseOptions, GetOptions};
use crate::env::block_on;
use crate::http::testing::Couch;
use crate::replicate::driver::Hooks;
use crate::replicate::{LocalPeer, Peer, ReplicationEvent, Report};
use serde_json::{Value, json};
use std::rc::Rc;

pub(super) async fn open(name: &str) -> Database {
    Database::open(name, DatabaseOptions::in_memory()).await.unwrap()
}

pub(super) fn local(database: &Database) -> Rc<dyn Peer> {
    Rc::new(LocalPeer::new(database.clone()))
}

pub(super) async fn put(database: &Database, doc: Value) -> Value {
    let results = database.bulk_docs(&json!([doc]).to_string(), "{}").await.unwrap();
    let results: Vec<Value> = serde_json::from_str(&results).unwrap();
    assert_eq!(results[0]["ok"], true, "{results:?}");
    results[0]["rev"].clone()
}

fn get(database: &Database, id: &str) -> Value {
    serde_json::from_str(&crate::env::at_once(database.get(id, &GetOptions::default())).unwrap()).unwrap()
}

async fn run(source: Rc<dyn Peer>, target: Rc<dyn Peer>, options: Value) -> Report {
    match Observed::start(source, target, options, impatient()).rest().await.pop() {
        Some(ReplicationEvent::Complete(report)) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn edits_conflicts_and_deletions_go_to_a_server_and_back() {
    block_on(async {
        let couch = Couch::new();
        let one = open("replicate_push").await;
        for number in 0..30 {
            let rev = put(&one, json!({"_id": format!("n{number}"), "text": "größe 😀"})).await;
            if number % 3 == 0 {
                put(&one, json!({"_id": format!("n{number}"), "_rev": rev, "_deleted": number % 2 == 0}))
                    .await;
            }
        }
        let branch = json!([{"_id": "n1", "_rev": "2-x", "other": true, "_revisions": {"start": 2, "ids": ["x", "y"]}}]);
        one.bulk_docs(&branch.to_string(), r#"{"new_edits":false}"#).await.unwrap();
        let report = run(local(&one), peer(&couch, "to"), json!({"batch_size": 4})).await;
        assert_eq!((report.docs_read, report.docs_written, report.doc_write_failures), (31, 31, 0));

        let two = open("replicate_pull").await;
        let report = run(peer(&couch, "to"), local(&two), json!({"batch_size": 7})).await;
        assert_eq!(report.docs_written, 31);
        assert_eq!(two.info().unwrap().doc_count, one.info().unwrap().doc_count);
        for id in ["n0", "n1", "n29"] {
            let whole = GetOptions { open_revs: Some("all".into()), revs: true, ..GetOptions::default() };
            assert_eq!(one.get(id, &whole).await.ok(), two.get(id, &whole).await.ok());
        }

        let report = run(local(&two), local(&one), json!({})).await;
        assert_eq!((report.docs_read, report.last_seq.unwrap().as_json()), (0, "31"));
        one.destroy().await.unwrap();
        two.destroy().await.unwrap();
    });
}

#[test]
fn a_replication_of_no_documents_is_none_of_all() {
    block_on(async {
        let (one, two) = (open("replicate_none").await, open("replicate_none_to").await);
        put(&one, json!({"_id": "a"})).await;
        for nothing in [json!([]), json!([""]), json!([null])] {
            let report = run(local(&one), local(&two), json!({"doc_ids": nothing})).await;
            assert_eq!(report.docs_read, 0);
        }
        assert_eq!(run(local(&one), local(&two), json!({})).await.docs_written, 1);
        one.destroy().await.unwrap();
        two.destroy().await.unwrap();
    });
}

#[test]
fn two_databases_that_follow_each_other_come_to_rest() {
    block_on(async {
        let (one, two) = (open("replicate_one").await, open("replicate_two").await);
        let live = json!({"live": true, "retry": true});
        let mut there = Observed::start(local(&one), local(&two), live.clone(), Hooks::default());
        let mut back = Observed::start(local(&two), local(&one), live, Hooks::default());
        there.next("paused").await;
        back.next("paused").await;
        for number in 0..10 {
            let id = format!("n{number}");
            put(&one, json!({"_id": id, "from": "one"})).await;
            let ReplicationEvent::Change { docs, .. } = there.next("change").await else { panic!() };
            assert_eq!((docs.len(), &*docs[0].id), (1, id.as_str()));
            let rev = get(&two, &id)["_rev"].clone();
            put(&two, json!({"_id": id, "_rev": rev, "from": "two"})).await;
            back.next("change").await;
            assert_eq!(get(&one, &id)["from"], "two");
        }
        there.handle.cancel();
        back.handle.cancel();
        for events in [there.rest().await, back.rest().await] {
            assert!(!events.iter().any(|event| event.name() == "change"), "what came back was sent again");
        }
        one.destroy().await.unwrap();
        two.destroy().await.unwrap();
    });
}

#[test]
fn a_destroyed_database_ends_a_live_replication() {
    block_on(async {
        let (one, two) = (open("replicate_gone").await, open("replicate_stays").await);
        let mut live =
            Observed::start(local(&one), local(&two), json!({"live": true, "retry": true}), impatient());
        live.next("paused").await;
        one.destroy().await.unwrap();
        let ReplicationEvent::Error(failure) = live.next("error").await else { panic!() };
        assert_eq!(failure.error.message(), "database is destroyed");
        two.destroy().await.unwrap();
    });
}

#[test]
fn an_untouched_database_is_known_as_one() {
    block_on(async {
        let database = open("replicate_untouched").await;
        assert!(local(&database).info().await.unwrap().is_untouched());
        put(&database, json!({"_id": "a"})).await;
        assert!(!local(&database).info().await.unwrap().is_untouched());
        database.destroy().await.unwrap();
    });
}
