//! The client against the model, and against answers that no CouchDB gives.

use super::testing::{Couch, Fault};
use super::{Client, ClientOptions, Credentials, Fresh};
use crate::env::block_on;
use crate::error::{Error, Result};
use futures_util::future::FutureExt as _;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;

fn client(couch: &Couch, url: &str, options: Value) -> Client {
    Client::new(Rc::new(couch.clone()), url, serde_json::from_value(options).unwrap(), None).unwrap()
}

fn db(couch: &Couch) -> Client {
    client(couch, "http://couch/db", json!({}))
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_database_is_looked_for_once_and_made_where_it_is_not_there() {
    block_on(async {
        let couch = Couch::new();
        let client = db(&couch);
        let (one, two) = futures_util::join!(client.info(), client.all_docs("{}"));
        assert_eq!(parsed(&one.unwrap())["doc_count"], 0);
        assert_eq!(two.unwrap_err().status(), 404, "the model knows no _all_docs");
        assert_eq!(couch.log(), ["GET /db/", "PUT /db/", "GET /db/", "GET /db/_all_docs"]);
        client.setup().await.unwrap();
        assert_eq!(couch.log().len(), 4);
    });
}

#[test]
fn a_setup_that_failed_is_tried_again_at_the_next_call() {
    block_on(async {
        for fault in [Fault::Refuse, Fault::Status(500), Fault::Page, Fault::Lose] {
            let couch = Couch::new();
            let client = db(&couch);
            couch.fail(0, fault);
            client.info().await.unwrap_err();
            assert!(!couch.has_database("db"));
            client.info().await.unwrap();
        }
    });
}

#[test]
fn somebody_else_may_make_the_database_first_and_setup_may_be_skipped() {
    block_on(async {
        let couch = Couch::new();
        couch.rule("PUT /db/", 412, json!({"error": "file_exists", "reason": "it exists"}));
        db(&couch).setup().await.unwrap();

        let client = client(&couch, "http://couch/other", json!({"skip_setup": true}));
        assert_eq!(client.get("a", "{}").await.unwrap_err().message(), "Database does not exist.");
        assert_eq!(couch.log().last().unwrap(), "GET /other/a");
    });
}

#[test]
fn every_request_carries_the_credentials_and_the_headers() {
    block_on(async {
        let couch = Couch::new();
        let header =
            |name: &str| couch.headers().into_iter().find(|(key, _)| key == name).map(|(_, value)| value);
        client(&couch, "http://j%C3%BCrgen:pa%3Ass@couch/db", json!({"headers": {"X-Tenant": "a"}}))
            .setup()
            .await
            .unwrap();
        assert_eq!(header("Authorization").unwrap(), "Basic asO8cmdlbjpwYTpzcw==");
        assert_eq!(header("X-Tenant").unwrap(), "a");
        assert_eq!(header("Content-Type"), None, "a GET with it would cost a preflight");

        let auth = json!({"auth": {"username": "a", "password": "b"}});
        client(&couch, "http://c:d@couch/db", auth).setup().await.unwrap();
        assert_eq!(header("Authorization").unwrap(), "Basic YTpi");
    });
    let credentials = Credentials { username: "a".into(), password: "secret".into() };
    let options = ClientOptions { auth: Some(credentials), ..ClientOptions::default() };
    assert!(!format!("{options:?}").contains("secret"));
}

#[test]
fn documents_are_written_read_and_their_errors_named() {
    block_on(async {
        let couch = Couch::new();
        let client = db(&couch);
        let written = parsed(&client.put(r#"{"_id":"a/b c","n":1}"#, "{}").await.unwrap());
        assert_eq!(written["ok"], true);
        assert_eq!(couch.log().last().unwrap(), "PUT /db/a%2Fb%20c");
        let doc = parsed(&client.get("a/b c", r#"{"revs":true,"conflicts":false}"#).await.unwrap());
        assert_eq!((&doc["_rev"], &doc["n"]), (&written["rev"], &json!(1)));
        assert_eq!(couch.log().last().unwrap(), "GET /db/a%2Fb%20c?revs=true");

        let error = client.put(r#"{"_id":"a/b c"}"#, "{}").await.unwrap_err();
        assert_eq!((error.status(), error.name(), error.doc_id()), (409, "conflict", Some("a/b c")));
        let error = client.get("none", "{}").await.unwrap_err();
        assert_eq!((error.status(), error.name(), error.reason()), (404, "not_found", Some("missing")));
        assert_eq!(client.put("{}", "{}").await.unwrap_err().name(), "missing_id");

        let results =
            client.bulk_docs(r#"[{"_id":"x"},{"_id":"a/b c"}]"#, r#"{"new_edits":true}"#).await.unwrap();
        let results = parsed(&results);
        assert_eq!(results[0]["ok"], true);
        let error = &results[1];
        assert_eq!(
            (&error["status"], &error["name"], &error["id"]),
            (&json!(409), &json!("conflict"), &json!("a/b c"))
        );
    });
}

#[test]
fn local_documents_and_revisions_made_elsewhere_are_written_too() {
    block_on(async {
        let couch = Couch::new();
        let client = db(&couch);
        client.put(r#"{"_id":"_local/x y","n":1}"#, "").await.unwrap();
        assert_eq!(couch.log().last().unwrap(), "PUT /db/_local/x%20y");
        assert_eq!(parsed(&client.get("_local/x y", "").await.unwrap())["n"], 1);
        let doc = r#"{"_id":"a","_rev":"3-c","_revisions":{"start":3,"ids":["c","b"]}}"#;
        let written = client.put(doc, r#"{"new_edits":false}"#).await.unwrap();
        assert_eq!(parsed(&written), json!({"ok": true, "id": "a", "rev": "3-c"}));
        assert_eq!(parsed(&client.get("a", "{}").await.unwrap())["_rev"], "3-c");
    });
}

#[test]
fn options_become_parameters_as_pouchdb_makes_them() {
    block_on(async {
        let couch = Couch::new();
        let client = db(&couch);
        client.setup().await.unwrap();
        couch.rule("/db/_", 200, json!({"rows": []}));
        let last = || couch.log().pop().unwrap();
        let options = json!({
            "startkey": "ä b", "end_key": "z", "inclusive_end": false, "include_docs": true, "limit": 0, "skip": 2,
            "descending": true, "conflicts": false, "key": null,
        });
        client.all_docs(&options.to_string()).await.unwrap();
        assert_eq!(
            last(),
            "GET /db/_all_docs?descending=true&include_docs=true&startkey=%22%C3%A4%20b%22&endkey=%22z%22&inclusive_end=false&limit=0&skip=2"
        );
        client.all_docs(r#"{"keys":["a"]}"#).await.unwrap();
        assert_eq!(last(), "POST /db/_all_docs");

        client.changes(r#"{"since":"5-abc","limit":25,"feed":"longpoll"}"#).await.unwrap();
        assert_eq!(last(), "GET /db/_changes?heartbeat=10000&limit=25&feed=longpoll&since=5-abc");
        client
            .changes(r#"{"since":[3,"x"],"heartbeat":false,"timeout":20000,"feed":"longpoll"}"#)
            .await
            .unwrap();
        assert_eq!(last(), "GET /db/_changes?timeout=20000&feed=longpoll&since=%5B3%2C%22x%22%5D");
        client.changes(r#"{"doc_ids":["a"],"style":"all_docs"}"#).await.unwrap();
        assert_eq!(last(), "POST /db/_changes?style=all_docs&filter=_doc_ids&since=0");
        client.changes(r#"{"selector":{"a":1}}"#).await.unwrap();
        assert_eq!(last(), "POST /db/_changes?filter=_selector&since=0");
        client.changes(r#"{"filter":"app/mine","query_params":{"who":"a&b","n":1}}"#).await.unwrap();
        assert_eq!(last(), "GET /db/_changes?filter=app%2Fmine&who=a%26b&n=1&since=0");
        client.changes(r#"{"filter":"_view","view":"app/x"}"#).await.unwrap();
        assert_eq!(last(), "GET /db/_changes?filter=_view&view=app%2Fx&since=0");
    });
}

#[test]
fn an_id_is_the_servers_and_the_databases_or_the_address() {
    block_on(async {
        let couch = Couch::new();
        assert_eq!(client(&couch, "http://couch/a%2Fb", json!({})).id().await.unwrap(), "modela%2Fb");
        // A lost answer does not make it another database.
        let client = db(&couch);
        client.setup().await.unwrap();
        couch.fail(couch.log().len(), Fault::Refuse);
        assert_eq!(client.id().await.unwrap(), "modeldb");
        let hidden = db(&couch);
        hidden.setup().await.unwrap();
        couch.fail(couch.log().len(), Fault::Page);
        assert_eq!(hidden.id().await.unwrap(), "http://couch/db/");
    });
}

#[test]
fn bulk_get_falls_back_only_where_the_server_does_not_know_it() {
    block_on(async {
        let couch = Couch::new();
        let rev = couch.put("db", json!({"_id": "a"}));
        couch.put("db", json!({"_id": "b"}));
        let client = db(&couch);
        let request =
            json!({"docs": [{"id": "a", "rev": rev}, {"id": "b"}, {"id": "c", "rev": "1-x"}], "revs": true});
        couch.rule("_bulk_get", 502, json!({}));
        assert_eq!(client.bulk_get(&request.to_string()).await.unwrap_err().status(), 502);
        couch.clear_rules();
        couch.rule("_bulk_get", 405, json!({"error": "method_not_allowed", "reason": "no"}));
        let answer = parsed(&client.bulk_get(&request.to_string()).await.unwrap());
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.iter().map(|result| &result["id"]).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(results[0]["docs"][0]["ok"]["_rev"], rev);
        assert_eq!(results[1]["docs"][0]["ok"]["_id"], "b");
        assert_eq!(results[2]["docs"][0]["missing"], "1-x");
    });
}

#[test]
fn what_is_no_json_is_an_error_worth_another_try_and_never_a_panic() {
    block_on(async {
        for fault in [Fault::Page, Fault::Truncate, Fault::Cut, Fault::Lose] {
            let couch = Couch::new();
            couch.put("db", json!({"_id": "a"}));
            let client = db(&couch);
            client.setup().await.unwrap();
            for call in 0..6 {
                couch.fail(couch.log().len(), fault.clone());
                let error = match call {
                    0 => client.info().await,
                    1 => client.get("a", "{}").await,
                    2 => client.changes("{}").await,
                    3 => client.revs_diff("{}").await,
                    4 => client.bulk_docs("[]", "{}").await,
                    _ => client.bulk_get(r#"{"docs":[]}"#).await,
                };
                let error = error.unwrap_err();
                assert_eq!((error.status(), error.is_denied()), (0, false), "{fault:?} {call}");
            }
        }
    });
}

#[test]
fn the_servers_wish_for_a_pause_is_kept() {
    block_on(async {
        let couch = Couch::new();
        let client = db(&couch);
        client.setup().await.unwrap();
        couch.fail(couch.log().len(), Fault::Status(503));
        assert_eq!(client.info().await.unwrap_err().retry_after_seconds(), Some(7));
    });
}

#[test]
fn a_destroyed_database_is_gone_and_destroying_it_again_is_no_error() {
    block_on(async {
        let couch = Couch::new();
        let client = db(&couch);
        client.info().await.unwrap();
        client.destroy().await.unwrap();
        assert!(!couch.has_database("db"));
        couch.rule("DELETE", 404, json!({"error": "not_found", "reason": "missing"}));
        client.destroy().await.unwrap();
    });
}

/// A client that gets these answers one after the other when it asks for fresh credentials, and how often it has asked.
fn renewing(couch: &Couch, answers: Vec<Result<Option<Value>>>) -> (Client, Rc<RefCell<usize>>) {
    let asked = Rc::new(RefCell::new(0));
    let count = asked.clone();
    let answers = RefCell::new(std::collections::VecDeque::from(answers));
    let reauthenticate = move |refusal: &Error| {
        assert_eq!((refusal.status(), refusal.name()), (401, "unauthorized"));
        *count.borrow_mut() += 1;
        let answer = answers.borrow_mut().pop_front().expect("asked too often");
        async move {
            // Others are refused meanwhile.
            crate::env::sleep(crate::env::Millis(2)).await;
            answer.map(|fresh| fresh.map(|fresh| serde_json::from_value::<Fresh>(fresh).unwrap()))
        }
        .boxed_local()
    };
    let url = "http://a:old@couch/db";
    let options = ClientOptions { skip_setup: true, ..ClientOptions::default() };
    let reauthenticate = Some(Box::new(reauthenticate) as _);
    (Client::new(Rc::new(couch.clone()), url, options, reauthenticate).unwrap(), asked)
}

#[test]
fn fresh_credentials_are_asked_for_once_and_the_refused_requests_sent_again() {
    block_on(async {
        let couch = Couch::new();
        couch.put("db", json!({"_id": "a"}));
        couch.require("Authorization", "Basic YTpuZXc=");
        let fresh = json!({"auth": {"username": "a", "password": "new"}});
        let (client, asked) = renewing(
            &couch,
            vec![Ok(Some(fresh)), Ok(Some(json!({"headers": {"authorization": "Bearer x"}})))],
        );
        let (one, two) = futures_util::join!(client.get("a", ""), client.info());
        one.unwrap();
        two.unwrap();
        assert_eq!((*asked.borrow(), couch.log().len()), (1, 4));
        client.get("a", "").await.unwrap();
        assert_eq!((*asked.borrow(), couch.log().len()), (1, 5), "they are kept");

        // Headers take the place of those of the same name.
        couch.require("authorization", "Bearer x");
        client.put(r#"{"_id":"b"}"#, "").await.unwrap();
        assert_eq!(*asked.borrow(), 2);
        assert_eq!(client.headers(), [("authorization".to_owned(), "Bearer x".to_owned())]);
    });
}

#[test]
fn a_renewed_cookie_needs_no_other_headers_and_a_second_refusal_stands() {
    block_on(async {
        let couch = Couch::new();
        couch.put("db", json!({"_id": "a"}));
        couch.require("Authorization", "never");
        let (client, asked) = renewing(&couch, vec![Ok(Some(json!({})))]);
        let error = client.get("a", "").await.unwrap_err();
        assert_eq!(
            (error.status(), error.doc_id(), couch.log().len(), *asked.borrow()),
            (401, Some("a"), 2, 1)
        );
    });
}

#[test]
fn who_has_nothing_better_is_refused_and_who_could_not_ask_may_try_again() {
    block_on(async {
        let couch = Couch::new();
        couch.put("db", json!({"_id": "a"}));
        couch.require("Authorization", "Basic YTpuZXc=");
        let fresh = json!({"auth": {"username": "a", "password": "new"}});
        let answers = vec![Ok(None), Err(Error::network("no way to the login page")), Ok(Some(fresh))];
        let (client, asked) = renewing(&couch, answers);
        assert!(client.info().await.unwrap_err().is_denied());
        let error = client.info().await.unwrap_err();
        assert_eq!((error.is_denied(), error.message()), (false, "no way to the login page"));
        client.info().await.unwrap();
        assert_eq!(*asked.borrow(), 3);
    });
}

#[test]
fn documents_that_are_refused_because_a_session_has_expired_are_sent_again() {
    block_on(async {
        let couch = Couch::new();
        couch.put("db", json!({"_id": "a"}));
        let refused = json!([{"id": "x", "rev": "1-x", "error": "unauthorized", "reason": "log in"}]);
        couch.rule("_bulk_docs", 201, refused.clone());
        let docs = r#"[{"_id":"x","_rev":"1-x"}]"#;
        let (client, asked) = renewing(&couch, vec![Ok(Some(json!({}))), Ok(Some(json!({})))]);
        // New edits could be made twice.
        client.bulk_docs(docs, "{}").await.unwrap();
        assert_eq!((*asked.borrow(), couch.log().len()), (0, 1));
        client.bulk_docs(docs, r#"{"new_edits":false}"#).await.unwrap();
        assert_eq!((*asked.borrow(), couch.log().len()), (1, 3));
        // Whoever asks, it is refused: nobody is asked for another password.
        client.bulk_docs(docs, r#"{"new_edits":false}"#).await.unwrap();
        assert_eq!((*asked.borrow(), couch.log().len()), (1, 4));
    });
}
