//! What one side will not give or take, over HTTP.

use super::observed::{assert_checkpoints_agree, fill, leaves, names, report, run};
use crate::http::testing::Couch;
use crate::replicate::ReplicationEvent;
use serde_json::json;

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
