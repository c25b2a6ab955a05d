//! The whole over HTTP, from one database of a model CouchDB to another, with faults at every request.

use super::observed::{
    Observed, assert_checkpoints_agree, assert_same, checkpoints, fill, impatient, leaves, names, peer,
    report, run,
};
use crate::env::block_on;
use crate::http::testing::{Couch, Database, Fault};
use crate::replicate::driver::{Hooks, replicate};
use crate::replicate::{Replication, ReplicationEvent, ReplicationOptions, Status};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::rc::Rc;

#[test]
fn everything_arrives_with_its_history_and_a_second_run_asks_little() {
    let couch = Couch::new();
    fill(&couch, 50);
    let events = run(&couch, json!({"batch_size": 7}));
    let report = report(&events);
    assert_eq!((report.ok, report.status, report.doc_write_failures), (true, Some(Status::Complete), 0));
    assert_eq!(report.docs_read, report.docs_written);
    assert_eq!(names(&events)[0], "active");
    assert_eq!(names(&events)[names(&events).len() - 2..], ["paused", "complete"]);
    assert_same(&couch);
    assert_checkpoints_agree(&couch);

    let before = couch.log().len();
    let events = run(&couch, json!({"batch_size": 7}));
    assert_eq!(names(&events), ["paused", "complete"]);
    let log = couch.log();
    assert_eq!(
        log[before..].iter().filter(|line| line.contains("_changes")).count(),
        1,
        "{:?}",
        &log[before..]
    );
    assert!(!log[before..].iter().any(|line| line.starts_with("PUT") || line.starts_with("POST")));
}

#[test]
fn a_target_that_is_empty_is_not_asked_what_it_has() {
    let couch = Couch::new();
    fill(&couch, 20);
    run(&couch, json!({}));
    assert!(!couch.log().iter().any(|line| line.contains("_revs_diff")));
    assert_same(&couch);
    couch.put("from", json!({"_id": "new"}));
    run(&couch, json!({}));
    assert!(couch.log().iter().any(|line| line.contains("_revs_diff")));
    assert_same(&couch);
}

#[test]
fn a_fault_at_any_one_request_is_survived() {
    for fault in [
        Fault::Refuse,
        Fault::Lose,
        Fault::Cut,
        Fault::Truncate,
        Fault::Page,
        Fault::Status(500),
        Fault::Status(404),
    ] {
        for number in 0.. {
            let couch = Couch::new();
            fill(&couch, 12);
            couch.fail(number, fault.clone());
            // A 404 at the wrong place is believed: no database, no checkpoint. Everything else is tried again.
            let events = run(&couch, json!({"batch_size": 3, "retry": true}));
            let failures = report(&events).doc_write_failures;
            assert_eq!(failures, 0, "{fault:?} at {number}: {:?}", couch.log());
            assert_same(&couch);
            if couch.log().len() <= number {
                break;
            }
        }
    }
}

#[test]
fn without_retry_an_error_is_the_end_and_the_next_run_goes_on_from_there() {
    for number in 0.. {
        let couch = Couch::new();
        fill(&couch, 12);
        couch.fail(number, Fault::Refuse);
        let events = run(&couch, json!({"batch_size": 3}));
        if couch.log().len() <= number {
            break;
        }
        if let Some(ReplicationEvent::Error(failure)) = events.last() {
            assert_eq!((failure.report.ok, failure.report.status), (false, Some(Status::Aborting)));
            assert_eq!(failure.error.message(), "Failed to fetch");
        }
        let events = run(&couch, json!({"batch_size": 3}));
        assert!(report(&events).ok);
        assert_same(&couch);
    }
}

fn faults() -> impl Strategy<Value = Vec<(usize, Fault)>> {
    let fault = prop::sample::select(vec![
        Fault::Refuse,
        Fault::Lose,
        Fault::Cut,
        Fault::Truncate,
        Fault::Page,
        Fault::Status(500),
        // Not 503: with it the server asks for a pause, and gets it.
        Fault::Status(502),
        Fault::Status(429),
    ]);
    prop::collection::vec((0_usize..80, fault), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn many_faults_are_survived(faults in faults(), docs in 0_usize..30, batch_size in 1_u64..10) {
        let couch = Couch::new();
        fill(&couch, docs);
        for (number, fault) in faults {
            couch.fail(number, fault);
        }
        let events = run(&couch, json!({"batch_size": batch_size, "retry": true}));
        prop_assert!(report(&events).ok);
        assert_same(&couch);
    }
}

#[test]
fn a_live_replication_brings_what_comes_and_says_when_it_rests() {
    let couch = Couch::new();
    fill(&couch, 5);
    block_on(async {
        let mut live = Observed::start(
            peer(&couch, "from"),
            peer(&couch, "to"),
            json!({"live": true}),
            Hooks::default(),
        );
        live.next("paused").await;
        assert_same(&couch);
        for number in 0..5 {
            couch.put("from", json!({"_id": format!("later{number}")}));
            live.next("active").await;
            let ReplicationEvent::Change { docs, report, .. } = live.next("change").await else { panic!() };
            assert_eq!(&*docs[0].id, format!("later{number}"));
            assert_eq!(report.docs_written, docs_written(&couch));
            live.next("paused").await;
            assert_same(&couch);
            assert_checkpoints_agree(&couch);
        }
        live.handle.cancel();
        let events = live.rest().await;
        assert_eq!(report(&events).status, Some(Status::Cancelled));
        assert_eq!(names(&events), ["complete"]);
    });
}

fn docs_written(couch: &Couch) -> u64 {
    leaves(couch, "to").values().map(|leaves| leaves.len() as u64).sum()
}

#[test]
fn a_live_replication_that_starts_without_a_network_begins_when_it_is_woken() {
    let couch = Couch::new();
    fill(&couch, 5);
    couch.rule("GET /to/", 502, json!({}));
    block_on(async {
        // Nobody would wait for this pause.
        let hooks = Hooks { back_off: Some(Box::new(|_| 1e9)), ..Hooks::default() };
        let options = json!({"live": true, "retry": true, "since": "now"});
        let mut live = Observed::start(peer(&couch, "from"), peer(&couch, "to"), options, hooks);
        let ReplicationEvent::Paused(Some(failure)) = live.next("paused").await else { panic!() };
        assert_eq!(failure.error.status(), 502);
        couch.put("from", json!({"_id": "written while it was away"}));
        couch.clear_rules();
        live.handle.wake();
        let ReplicationEvent::Change { docs, .. } = live.next("change").await else { panic!() };
        assert_eq!(docs.len(), 1, "what was there before `now` stays away");
        live.next("paused").await;
        live.handle.cancel();
    });
    assert_eq!(leaves(&couch, "to").len(), 1);
}

#[test]
fn a_live_replication_that_retries_goes_on_from_where_it_stood() {
    let couch = Couch::new();
    block_on(async {
        let options = json!({"live": true, "retry": true, "since": "now"});
        let mut live = Observed::start(peer(&couch, "from"), peer(&couch, "to"), options, impatient());
        live.next("paused").await;
        couch.rule("/to/_revs_diff", 502, json!({}));
        couch.put("from", json!({"_id": "a"}));
        let ReplicationEvent::Paused(Some(_)) = live.next("paused").await else { panic!() };
        couch.put("from", json!({"_id": "b"}));
        couch.clear_rules();
        live.next("change").await;
        live.next("paused").await;
        live.handle.cancel();
    });
    assert_same(&couch);
}

#[test]
fn a_target_that_was_made_anew_is_filled_again() {
    let couch = Couch::new();
    fill(&couch, 5);
    block_on(async {
        let options = json!({"live": true, "retry": true});
        let mut live = Observed::start(peer(&couch, "from"), peer(&couch, "to"), options, impatient());
        live.next("paused").await;
        couch.with("to", |database| *database = Database::default());
        couch.rule("/to/_revs_diff", 502, json!({}));
        couch.put("from", json!({"_id": "a"}));
        let ReplicationEvent::Paused(Some(_)) = live.next("paused").await else { panic!() };
        couch.clear_rules();
        live.next("change").await;
        live.next("paused").await;
        live.handle.cancel();
    });
    assert_same(&couch);
}

#[test]
fn a_source_that_can_only_be_read_leaves_the_checkpoint_to_the_target() {
    let couch = Couch::new();
    fill(&couch, 5);
    couch.rule("PUT /from/_local", 401, json!({"error": "unauthorized", "reason": "read only"}));
    assert!(report(&run(&couch, json!({}))).ok);
    assert_eq!((checkpoints(&couch, "from"), checkpoints(&couch, "to")), (0, 1));
    couch.put("from", json!({"_id": "new"}));
    let before = couch.log().len();
    let events = run(&couch, json!({}));
    assert_eq!(report(&events).docs_read, 1);
    assert!(couch.log()[before..].iter().any(|line| line.contains("since=") && !line.contains("since=0")));
    assert_same(&couch);
}

#[test]
fn a_server_without_bulk_get_is_asked_for_one_after_the_other() {
    for status in [404, 405, 400, 415, 501] {
        let couch = Couch::new();
        fill(&couch, 20);
        couch.rule("POST /from/_bulk_get", status, json!({"error": "method_not_allowed", "reason": "no"}));
        assert!(report(&run(&couch, json!({"batch_size": 6}))).ok);
        assert_same(&couch);
        let tries = couch.log().iter().filter(|line| line.contains("_bulk_get")).count();
        assert!(tries <= 4, "{tries} tries");
    }
}

#[test]
fn an_error_of_the_network_does_not_give_bulk_get_up() {
    let couch = Couch::new();
    fill(&couch, 20);
    couch.rule("POST /from/_bulk_get", 502, json!({}));
    assert!(matches!(run(&couch, json!({})).last(), Some(ReplicationEvent::Error(_))));
    assert!(!couch.log().iter().any(|line| line.contains("open_revs")));
}

#[test]
fn a_write_that_is_too_large_for_something_on_the_way_is_made_smaller() {
    let couch = Couch::new();
    for number in 0..8 {
        couch.put("from", json!({"_id": number.to_string(), "text": "x".repeat(400_000)}));
    }
    assert!(report(&run(&couch, json!({}))).ok);
    assert_same(&couch);
    assert_eq!(couch.log().iter().filter(|line| line.contains("_bulk_docs")).count(), 4);
}

#[test]
fn checkpoints_are_kept_where_the_option_says() {
    for (checkpoint, from, to) in
        [(json!(false), 0, 0), (json!("source"), 1, 0), (json!("target"), 0, 1), (json!(true), 1, 1)]
    {
        let couch = Couch::new();
        fill(&couch, 5);
        run(&couch, json!({"checkpoint": checkpoint}));
        assert_eq!((checkpoints(&couch, "from"), checkpoints(&couch, "to")), (from, to));
        couch.put("from", json!({"_id": "new"}));
        let before = couch.log().len();
        run(&couch, json!({"checkpoint": checkpoint}));
        assert_same(&couch);
        let resumes =
            !couch.log()[before..].iter().any(|line| line.contains("since=0&") || line.ends_with("since=0"));
        assert_eq!(resumes, checkpoint != json!(false), "{checkpoint}");
    }
}

#[test]
fn since_says_where_it_starts_with_and_without_checkpoints() {
    for checkpoint in [json!(true), json!(false)] {
        let couch = Couch::new();
        couch.put("from", json!({"_id": "old"}));
        couch.put("from", json!({"_id": "new"}));
        let events = run(&couch, json!({"since": "1-g1AAA1", "checkpoint": checkpoint}));
        assert_eq!(report(&events).docs_written, 1);
        assert_eq!(leaves(&couch, "to").keys().collect::<Vec<_>>(), ["new"]);
        let events = run(&couch, json!({"since": 0, "checkpoint": checkpoint}));
        assert_eq!(report(&events).docs_written, 1);
        assert_same(&couch);
    }
}

#[test]
fn only_what_is_chosen_is_replicated() {
    let couch = Couch::new();
    for number in 0..9 {
        couch.put("from", json!({"_id": number.to_string(), "number": number}));
    }
    run(&couch, json!({"doc_ids": ["1", "2"], "batch_size": 1}));
    assert_eq!(leaves(&couch, "to").keys().collect::<Vec<_>>(), ["1", "2"]);
    let filter = |rows: &str| {
        let rows: Vec<Value> = serde_json::from_str(rows).unwrap();
        Ok(rows.iter().map(|row| row["doc"]["number"].as_u64().unwrap() > 6).collect())
    };
    let hooks = Hooks { filter: Some(Box::new(filter)), ..Hooks::default() };
    let options = json!({"filter_source": "function", "batch_size": 2});
    let events = block_on(Observed::start(peer(&couch, "from"), peer(&couch, "to"), options, hooks).rest());
    assert_eq!(report(&events).docs_written, 2);
    assert_eq!(leaves(&couch, "to").keys().collect::<Vec<_>>(), ["1", "2", "7", "8"]);
    assert_eq!(checkpoints(&couch, "to"), 2);
}

#[test]
fn a_listener_may_cancel_and_hears_nothing_but_the_end() {
    let couch = Couch::new();
    fill(&couch, 30);
    let seen = Rc::new(std::cell::RefCell::new(Vec::new()));
    let handle: Rc<std::cell::OnceCell<Replication>> = Rc::default();
    let options = ReplicationOptions::parse(r#"{"live":true,"batch_size":2}"#, false).unwrap();
    let (replication, run) =
        replicate(peer(&couch, "from"), peer(&couch, "to"), options, Hooks::default(), {
            let (seen, handle) = (seen.clone(), handle.clone());
            move |event| {
                seen.borrow_mut().push(event.name());
                if event.name() == "change" {
                    handle.get().unwrap().cancel();
                }
            }
        });
    handle.set(replication).unwrap();
    block_on(run);
    let seen: Vec<_> =
        seen.borrow().iter().copied().filter(|name| !matches!(*name, "checkpoint" | "status")).collect();
    assert_eq!(seen, ["active", "change", "complete"]);
    assert_checkpoints_agree(&couch);
}
