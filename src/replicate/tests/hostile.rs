//! Servers that answer anything at all: a database that pulls from one, or pushes to it, comes to an end, keeps what it
//! has, and works with a server that has come to its senses.

use super::attachments::{attachment, local, open, put};
use super::observed::{Observed, impatient, peer};
use crate::db::GetOptions;
use crate::env::block_on;
use crate::http::testing::Couch;
use crate::replicate::{Peer, ReplicationEvent};
use serde_json::json;
use std::rc::Rc;

/// What may come in the place of an answer.
fn answers() -> Vec<Vec<u8>> {
    let texts = [
        "",
        "<html>Welcome! Log in</html>",
        "{",
        "{\"results\":[",
        "null",
        "true",
        "0",
        "-1e999",
        "\"text\"",
        "[]",
        "{}",
        "[[]]",
        "[null]",
        "[{}]",
        r#"[{"error":{}}]"#,
        r#"[{"id":"a","error":"unknown","reason":null}]"#,
        r#"{"ok":true}"#,
        r#"{"error":{},"reason":[]}"#,
        r#"{"doc_count":"many","update_seq":[]}"#,
        r#"{"doc_count":-1,"update_seq":{"a":[1]}}"#,
        r#"{"a":1,"b":{"missing":"1-x"},"c":{"missing":[1]}}"#,
        r#"{"a":{"missing":["1-zz"],"possible_ancestors":{}}}"#,
        r#"{"results":0}"#,
        r#"{"results":[0]}"#,
        r#"{"results":[{}]}"#,
        r#"{"results":null,"last_seq":null}"#,
        r#"{"results":[{"id":1,"seq":{},"changes":{}}],"last_seq":{}}"#,
        r#"{"results":[{"id":"a","seq":null,"changes":[{"rev":5}]}],"last_seq":5}"#,
        r#"{"results":[{"id":"a","seq":1,"changes":[{"rev":"no revision"}]}],"last_seq":"x","pending":-3}"#,
        r#"{"results":[{"id":"","seq":1,"changes":[{"rev":"1-x"}]}],"last_seq":1,"pending":0}"#,
        r#"{"results":[{"id":"a","docs":[]}]}"#,
        r#"{"results":[{"id":"a","docs":[{}]}]}"#,
        r#"{"results":[{"id":"a","docs":[{"ok":5}]}]}"#,
        r#"{"results":[{"id":"a","docs":[{"ok":{}}]}]}"#,
        r#"{"results":[{"id":"a","docs":[{"ok":{"_id":"a"}}]}]}"#,
        r#"{"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"x"}}]}]}"#,
        r#"{"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"1-x","_revisions":{"start":-1,"ids":5}}}]}]}"#,
        r#"{"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"9-x","_revisions":{"start":2,"ids":["x","y","z"]}}}]}]}"#,
        r#"{"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"1-x","_unknown":1}}]}]}"#,
        r#"{"results":[{"id":"a","docs":[{"error":"text"},{"missing":7}]}]}"#,
        r#"{"results":[{"id":"x","docs":[{"ok":{"_id":"_local/evil","_rev":"0-1","n":1}}]}]}"#,
        r#"{"_id":"_local/other","last_seq":{"a":1},"history":"none","version":1,"session_id":5}"#,
        r#"{"_id":"x","last_seq":[1],"history":[5,{"last_seq":1}],"version":1,"replicator":"pouchdb","session_id":"y"}"#,
        "\u{feff}{}",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push(b"{\"a\":\"\xff\xfe\"}".to_vec());
    all.push("[".repeat(20_000).into_bytes());
    all.push(
        format!(
            r#"{{"results":[{{"id":"a","docs":[{{"ok":{}1{}}}]}}]}}"#,
            "[".repeat(9_000),
            "]".repeat(9_000)
        )
        .into_bytes(),
    );
    all
}

/// It ends, well or not.
async fn end(source: Rc<dyn Peer>, target: Rc<dyn Peer>) -> bool {
    let mut events = Observed::start(source, target, json!({}), impatient()).rest().await;
    match events.pop() {
        Some(ReplicationEvent::Complete(_)) => true,
        Some(ReplicationEvent::Error(_)) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pull_from_a_server_that_answers_anything_ends_and_the_next_one_gets_all() {
    let places = [
        "GET /$",
        "GET /from/$",
        "GET /from/_local",
        "PUT /from/_local",
        "_changes",
        "_bulk_get",
        "GET /from/a/x",
        "GET /from/a",
    ];
    for (index, answer) in answers().iter().enumerate() {
        for status in if index == 0 {
            vec![200, 204, 302, 400, 403, 404, 409, 412, 413, 429, 500, 503]
        } else {
            vec![200]
        } {
            for place in places {
                block_on(async {
                    let couch = Couch::new();
                    let mut revs = Vec::new();
                    for id in ["a", "b", "c"] {
                        revs.push(couch.put("from", json!({"_id": id, "_attachments": {"x": attachment("x/y", id.as_bytes()), "y": attachment("text/x", b"y")}})));
                    }
                    let db = open("hostile_pull").await;
                    put(&db, json!({"_id": "mine"})).await;
                    couch.raw_rule(place, status, answer);
                    end(peer(&couch, "from"), local(&db)).await;
                    let case = || {
                        format!(
                            "{place} {status} {}",
                            String::from_utf8_lossy(&answer[..answer.len().min(200)])
                        )
                    };
                    assert!(db.check().await.unwrap().problems.is_empty(), "{}", case());
                    assert!(db.get("_local/evil", &GetOptions::default()).await.is_err(), "{}", case());
                    couch.clear_rules();
                    // What the server has said it has not got, or not for us, is passed by for good.
                    let options = json!({"checkpoint": false});
                    let events =
                        Observed::start(peer(&couch, "from"), local(&db), options, impatient()).rest().await;
                    assert!(
                        matches!(events.last(), Some(ReplicationEvent::Complete(_))),
                        "{} {events:?}",
                        case()
                    );
                    // It may have given other revisions as well.
                    for (id, rev) in ["a", "b", "c"].into_iter().zip(revs) {
                        let options = GetOptions { rev: Some(rev), ..GetOptions::default() };
                        let found = db.attachment(id, "x", &options).await;
                        let bytes = found.unwrap_or_else(|error| panic!("{} {error}", case())).content;
                        assert_eq!(bytes.to_bytes().await.unwrap(), id, "{}", case());
                    }
                    assert!(db.check().await.unwrap().problems.is_empty(), "{}", case());
                    db.destroy().await.unwrap();
                });
            }
        }
    }
}

#[test]
fn a_push_to_a_server_that_answers_anything_ends_and_the_next_one_brings_all() {
    let places = [
        "GET /$",
        "GET /to/$",
        "GET /to/_local",
        "PUT /to/_local",
        "_revs_diff",
        "_bulk_docs",
        "PUT /to/a?new_edits=false",
    ];
    for (index, answer) in answers().iter().enumerate() {
        for status in
            if index == 0 { vec![200, 302, 400, 403, 404, 409, 412, 413, 429, 500, 503] } else { vec![200] }
        {
            for place in places {
                block_on(async {
                    let couch = Couch::new();
                    couch.put("to", json!({"_id": "theirs"}));
                    let db = open("hostile_push").await;
                    put(&db, json!({"_id": "a", "_attachments": {"x": attachment("x/y", &[1; 70_000])}}))
                        .await;
                    put(&db, json!({"_id": "b", "_attachments": {"x": attachment("x/y", b"b")}})).await;
                    put(&db, json!({"_id": "c"})).await;
                    couch.raw_rule(place, status, answer);
                    end(local(&db), peer(&couch, "to")).await;
                    let case = || {
                        format!(
                            "{place} {status} {}",
                            String::from_utf8_lossy(&answer[..answer.len().min(200)])
                        )
                    };
                    assert!(db.check().await.unwrap().problems.is_empty(), "{}", case());
                    assert_eq!(db.info().unwrap().doc_count, 3, "{}", case());
                    couch.clear_rules();
                    let options = json!({"checkpoint": false});
                    let events =
                        Observed::start(local(&db), peer(&couch, "to"), options, impatient()).rest().await;
                    assert!(
                        matches!(events.last(), Some(ReplicationEvent::Complete(_))),
                        "{} {events:?}",
                        case()
                    );
                    let at = |id: &str| couch.with("to", |to| to.content(id, None, "x"));
                    assert_eq!(
                        (at("a").unwrap().len(), at("b").unwrap()),
                        (70_000, "b".into()),
                        "{}",
                        case()
                    );
                    db.destroy().await.unwrap();
                });
            }
        }
    }
}

#[test]
fn seqs_of_any_type_are_gone_on_from() {
    for seq in [json!(3), json!(3.5), json!("3-x"), json!([3, "x"]), json!({"a": [3]}), json!(true)] {
        block_on(async {
            let couch = Couch::new();
            let rev = couch.put("from", json!({"_id": "a"}));
            let row = json!({"id": "a", "seq": seq, "changes": [{"rev": rev}]});
            couch.rule("_changes", 200, json!({"results": [row], "last_seq": seq, "pending": 0}));
            let db = open("hostile_seqs").await;
            assert!(end(peer(&couch, "from"), local(&db)).await, "{seq}");
            assert_eq!(db.info().unwrap().doc_count, 1);
            couch.clear_rules();
            couch.rule("_changes", 200, json!({"results": [], "last_seq": seq, "pending": 0}));
            assert!(end(peer(&couch, "from"), local(&db)).await, "{seq}");
            let asked = couch.log().into_iter().rfind(|line| line.contains("_changes")).unwrap();
            let since = asked.split("since=").nth(1).unwrap();
            let since =
                percent_encoding::percent_decode_str(since.split('&').next().unwrap()).decode_utf8().unwrap();
            let expected = seq.as_str().map_or_else(|| seq.to_string(), str::to_owned);
            assert_eq!(since, expected);
            db.destroy().await.unwrap();
        });
    }
}

#[test]
fn a_feed_that_never_ends_can_be_cancelled() {
    block_on(async {
        let couch = Couch::new();
        couch.rule("_changes", 200, json!({"results": [], "last_seq": "same", "pending": 1}));
        let db = open("hostile_endless").await;
        let options = json!({"live": true, "retry": true});
        let mut endless = Observed::start(peer(&couch, "from"), local(&db), options, impatient());
        endless.next("paused").await;
        endless.handle.cancel();
        let Some(ReplicationEvent::Complete(report)) = endless.rest().await.pop() else { panic!() };
        assert_eq!(report.docs_read, 0);
        db.destroy().await.unwrap();
    });
}
