//! What one side will not give or take, over HTTP.

use super::local::{local, open, put};
use super::observed::{
    Observed, assert_checkpoints_agree, assert_same, fill, impatient, leaves, names, peer, report, run,
};
use crate::db::GetOptions;
use crate::env::block_on;
use crate::http::testing::{Couch, Fault};
use crate::replicate::ReplicationEvent;
use serde_json::{Value, json};

#[test]
fn refused_credentials_end_it_even_with_retry() {
    for (status, name) in [(401, "unauthorized"), (403, "forbidden"), (401, "Unauthorized")] {
        for part in [
            "GET /to/ ",
            "GET /from/_changes",
            "POST /from/_bulk_get",
            "POST /to/_bulk_docs",
            "PUT /to/_local",
        ] {
            let couch = Couch::new();
            fill(&couch, 5);
            couch.rule(part.trim_end(), status, json!({"error": name, "reason": "no"}));
            let events = run(&couch, json!({"live": true, "retry": true}));
            let Some(ReplicationEvent::Error(failure)) = events.last() else { panic!("{part}") };
            assert_eq!((failure.error.status(), failure.error.name()), (status, name));
            assert!(!names(&events).contains(&"requestError"));
        }
    }
}

#[test]
fn documents_the_target_forbids_are_told_and_passed() {
    let couch = Couch::new();
    for number in 0..6 {
        couch.put("from", json!({"_id": number.to_string(), "forbidden": true}));
        couch.put("from", json!({"_id": format!("fine{number}")}));
    }
    let events = run(&couch, json!({"batch_size": 4}));
    let report = report(&events);
    assert_eq!(
        (report.ok, report.docs_read, report.docs_written, report.doc_write_failures),
        (true, 12, 6, 6)
    );
    assert_eq!(report.errors.len(), 6);
    for event in events.iter().filter(|event| event.name() == "denied") {
        let ReplicationEvent::Denied(error) = event else { panic!() };
        assert_eq!((error.status(), error.name(), error.message()), (403, "forbidden", "not that"));
        assert_eq!(leaves(&couch, "to").get(error.doc_id().unwrap()), None);
    }
    assert_eq!(names(&events).iter().filter(|name| **name == "denied").count(), 6);
    assert_checkpoints_agree(&couch);
}

#[test]
fn documents_the_source_can_not_give_are_told_and_passed() {
    for (status, error) in [
        (500, json!({"error": "badmatch", "reason": "corrupt"})),
        (200, json!({"error": "not_found", "reason": "missing", "id": "doc 1/é"})),
        (200, json!({"error": "forbidden", "reason": "not yours", "id": "doc 1/é"})),
        (200, json!({"error": "badmatch", "reason": "corrupt", "id": "doc 1/é"})),
    ] {
        let couch = Couch::new();
        fill(&couch, 12);
        couch.poison("doc 1/é", status, error.clone());
        couch.poison("doc 2/é", status, error.clone());
        let events = run(&couch, json!({}));
        let report = report(&events);
        assert_eq!((report.ok, report.doc_write_failures), (true, 2), "{error}");
        assert_eq!(names(&events).iter().filter(|name| **name == "denied").count(), 2);
        let (mut from, to) = (leaves(&couch, "from"), leaves(&couch, "to"));
        from.remove("doc 1/é");
        from.remove("doc 2/é");
        assert_eq!(from, to);
    }
}

#[test]
fn a_single_document_that_can_not_be_given_stops_a_single_run_and_is_passed_by_one_that_retries() {
    let couch = Couch::new();
    couch.put("from", json!({"_id": "a"}));
    couch.poison("a", 500, json!({"error": "badmatch", "reason": "corrupt"}));
    assert!(matches!(run(&couch, json!({})).last(), Some(ReplicationEvent::Error(_))));
    let events = run(&couch, json!({"retry": true}));
    assert_eq!(report(&events).doc_write_failures, 1);
    assert_eq!(names(&events).iter().filter(|name| **name == "requestError").count(), 2);
}

/// With documents of which the source does not give two and the target does not take six.
fn refusing() -> Couch {
    let couch = Couch::new();
    fill(&couch, 12);
    for number in 0..6 {
        couch.put("from", json!({"_id": number.to_string(), "forbidden": true}));
    }
    couch.poison("doc 1/é", 500, json!({"error": "badmatch", "reason": "corrupt"}));
    couch.poison("doc 2/é", 200, json!({"error": "not_found", "reason": "missing"}));
    couch
}

/// What a database's checkpoint says to be set aside.
fn set_aside(couch: &Couch, name: &str) -> Option<Value> {
    couch.with(name, |database| database.locals())[0].get("set_aside").cloned()
}

#[test]
fn what_was_refused_arrives_by_the_first_run_in_which_it_is_not() {
    let couch = refusing();
    for _ in 0..2 {
        let events = run(&couch, json!({}));
        assert_eq!(report(&events).doc_write_failures, 8, "{:?}", report(&events).errors);
        assert_eq!(names(&events).iter().filter(|name| **name == "denied").count(), 8);
        assert_checkpoints_agree(&couch);
        let ids = |list: Value| -> Vec<String> {
            list.as_array().unwrap().iter().map(|kept| kept["id"].as_str().unwrap().to_owned()).collect()
        };
        let expected = ["0", "1", "2", "3", "4", "5", "doc 1/é", "doc 2/é"];
        assert_eq!(set_aside(&couch, "from").map(ids).unwrap(), expected);
        assert_eq!(set_aside(&couch, "to"), None);
    }
    couch.relent();
    let events = run(&couch, json!({}));
    assert_eq!((report(&events).doc_write_failures, report(&events).errors.len()), (0, 0));
    assert_same(&couch);
    assert_eq!((set_aside(&couch, "from"), set_aside(&couch, "to")), (None, None));
    let before = couch.log().len();
    assert_eq!(report(&run(&couch, json!({}))).docs_read, 0);
    assert!(!couch.log()[before..].iter().any(|line| line.starts_with("PUT") || line.starts_with("POST")));
}

#[test]
fn a_fault_at_any_one_request_while_it_is_tried_again_is_survived() {
    for fault in [Fault::Refuse, Fault::Lose, Fault::Cut, Fault::Truncate, Fault::Page, Fault::Status(500)] {
        for number in 0.. {
            let couch = refusing();
            run(&couch, json!({}));
            couch.relent();
            let before = couch.log().len();
            couch.fail(before + number, fault.clone());
            assert!(report(&run(&couch, json!({"retry": true}))).ok, "{fault:?} at {number}");
            if couch.log().len() - before <= number {
                assert_same(&couch);
                break;
            }
            assert!(report(&run(&couch, json!({}))).ok);
            assert_same(&couch);
            assert_eq!(set_aside(&couch, "from"), None);
        }
    }
}

#[test]
fn a_database_here_keeps_what_was_set_aside_whichever_side_it_is() {
    block_on(async {
        let couch = Couch::new();
        let db = open("set_aside").await;
        put(&db, json!({"_id": "mine", "forbidden": true})).await;
        couch.put("to", json!({"_id": "theirs"}));
        couch.poison("theirs", 200, json!({"error": "forbidden", "reason": "not yours"}));
        let push =
            || async { Observed::start(local(&db), peer(&couch, "to"), json!({}), impatient()).rest().await };
        let pull =
            || async { Observed::start(peer(&couch, "to"), local(&db), json!({}), impatient()).rest().await };
        let both = [push().await, pull().await];
        assert!(both.iter().all(|events| report(events).doc_write_failures == 1));
        let on_server = couch.with("to", |database| database.locals());
        assert_eq!(on_server.len(), 2);
        let mut kept = Vec::new();
        for log in &on_server {
            assert!(!log.contains_key("set_aside"));
            let here = db.get(log["_id"].as_str().unwrap(), &GetOptions::default()).await.unwrap();
            let here: Value = serde_json::from_str(&here).unwrap();
            kept.push(here["set_aside"][0]["id"].as_str().unwrap().to_owned());
        }
        kept.sort();
        assert_eq!(kept, ["mine", "theirs"]);
        couch.relent();
        let both = [push().await, pull().await];
        assert!(both.iter().all(|events| report(events).docs_written == 1));
        assert!(leaves(&couch, "to").contains_key("mine"));
        assert_eq!(db.info().unwrap().doc_count, 2);
        db.destroy().await.unwrap();
    });
}
