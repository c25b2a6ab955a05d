//! Documents with attachments between databases here and servers, and servers that give other things than they say.

use super::observed::{Observed, impatient, peer};
use crate::db::{Database, DatabaseOptions, GetOptions};
use crate::doc::Digest;
use crate::env::block_on;
use crate::http::testing::Couch;
use crate::replicate::{LocalPeer, Peer, ReplicationEvent, Report};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use std::rc::Rc;

pub(super) async fn open(name: &str) -> Database {
    Database::open(name, DatabaseOptions::in_memory()).await.unwrap()
}

pub(super) fn local(database: &Database) -> Rc<dyn Peer> {
    Rc::new(LocalPeer::new(database.clone()))
}

/// Until it completes; what was denied on the way.
async fn run(source: Rc<dyn Peer>, target: Rc<dyn Peer>) -> (Report, Vec<String>) {
    let mut events = Observed::start(source, target, json!({}), impatient()).rest().await;
    let Some(ReplicationEvent::Complete(report)) = events.pop() else { panic!("{events:?}") };
    let denied = events.into_iter().filter_map(|event| match event {
        ReplicationEvent::Denied(error) => Some(error.doc_id().unwrap().to_owned()),
        _ => None,
    });
    (report, denied.collect())
}

pub(super) fn attachment(content_type: &str, bytes: &[u8]) -> Value {
    json!({"content_type": content_type, "data": STANDARD.encode(bytes)})
}

pub(super) async fn put(database: &Database, doc: Value) -> String {
    let results = database.bulk_docs(&json!([doc]).to_string(), "{}").await.unwrap();
    let results: Vec<Value> = serde_json::from_str(&results).unwrap();
    results[0]["rev"].as_str().unwrap_or_else(|| panic!("{results:?}")).to_owned()
}

pub(super) async fn content(database: &Database, id: &str, name: &str) -> Option<Bytes> {
    let found = database.attachment(id, name, &GetOptions::default()).await.ok()?;
    Some(found.content.to_bytes().await.unwrap())
}

async fn get(database: &Database, id: &str) -> Value {
    serde_json::from_str(&database.get(id, &GetOptions::default()).await.unwrap()).unwrap()
}

/// Requests for contents so far, by their end.
fn content_requests(couch: &Couch) -> Vec<String> {
    let is_content = |line: &String| {
        line.contains("?rev=") || line.contains("attachments=true") || line.contains("new_edits")
    };
    couch.log().into_iter().filter(is_content).collect()
}

#[test]
fn contents_come_from_a_server_with_their_documents_and_only_once() {
    block_on(async {
        let couch = Couch::new();
        let large = vec![7_u8; 300_000];
        let rev = couch.put("from", json!({"_id": "a", "_attachments": {
            "t": attachment("text/plain", b"text"), "dir/b +": attachment("x/y", &large), "n": attachment("x/y", b""),
        }}));
        couch.put("from", json!({"_id": "b", "_attachments": {"same": attachment("x/z", &large)}}));
        couch.put("from", json!({"_id": "c"}));
        let db = open("attachments_pull").await;
        let (report, denied) = run(peer(&couch, "from"), local(&db)).await;
        assert_eq!((report.docs_written, denied), (3, vec![]));
        assert_eq!(content(&db, "a", "t").await.unwrap(), "text");
        assert_eq!(content(&db, "a", "dir/b +").await.unwrap(), large);
        assert_eq!(content(&db, "a", "n").await.unwrap(), "");
        assert_eq!(content(&db, "b", "same").await.unwrap(), large);
        assert_eq!(
            content_requests(&couch).len(),
            3,
            "one of two equal ones: {:?}",
            content_requests(&couch)
        );
        assert!(content_requests(&couch).iter().all(|line| line.ends_with(&format!("?rev={rev}"))));
        // The digest of what the server has compressed is not that of the text.
        let stub = get(&db, "a").await["_attachments"]["t"].clone();
        assert_eq!(
            (&stub["digest"], &stub["length"], &stub["revpos"]),
            (&json!(Digest::of(b"text").to_string()), &json!(4), &json!(1))
        );
        assert_eq!((stub.get("encoding"), &stub["stub"]), (None, &json!(true)));

        // What has not changed is not asked for again, compressed or not.
        let doc = couch.with("from", |from| from.get("a", None, false)).unwrap();
        let mut doc = Value::Object(doc);
        doc["n"] = 1.into();
        doc["_attachments"]["new"] = attachment("text/plain", b"more");
        let rev = couch.put("from", doc);
        let before = content_requests(&couch).len();
        let (report, _) = run(peer(&couch, "from"), local(&db)).await;
        assert_eq!(report.docs_written, 1);
        assert_eq!(content_requests(&couch)[before..], [format!("GET /from/a/new?rev={rev}")]);
        assert_eq!(content(&db, "a", "t").await.unwrap(), "text");
        assert_eq!(content(&db, "a", "new").await.unwrap(), "more");
        assert!(db.check().await.unwrap().problems.is_empty());
        db.destroy().await.unwrap();
    });
}

#[test]
fn many_small_ones_come_together() {
    block_on(async {
        let couch = Couch::new();
        for number in 0..40 {
            let attachments =
                json!({"x": attachment("x/y", &[number; 50]), "y": attachment("x/y", &[number, 1])});
            couch.put("from", json!({"_id": format!("d{number}"), "_attachments": attachments}));
        }
        let db = open("attachments_together").await;
        let (report, denied) = run(peer(&couch, "from"), local(&db)).await;
        assert_eq!((report.docs_written, denied), (40, vec![]));
        assert_eq!(content_requests(&couch), ["POST /from/_bulk_get?revs=true&attachments=true"]);
        assert_eq!(content(&db, "d39", "x").await.unwrap(), [39; 50].as_slice());

        // A server that answers in its own way, or with nonsense, is asked for each.
        let broken = "POST /from/_bulk_get?revs=true&attachments=true";
        couch.rule(broken, 200, json!({"results": []}));
        let other = open("attachments_one_by_one").await;
        let (report, denied) = run(peer(&couch, "from"), local(&other)).await;
        assert_eq!((report.docs_written, denied), (40, vec![]));
        assert_eq!(content_requests(&couch).len(), 2 + 80);
        assert_eq!(content(&other, "d39", "y").await.unwrap(), [39, 1].as_slice());
        db.destroy().await.unwrap();
        other.destroy().await.unwrap();
    });
}

#[test]
fn contents_go_to_a_server_small_ones_inside_and_large_ones_after_their_documents() {
    block_on(async {
        for ignores_multipart in [false, true] {
            let couch = Couch::new();
            if ignores_multipart {
                couch.ignore_multipart();
            }
            let large: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
            let db = open("attachments_push").await;
            let rev = put(&db, json!({"_id": "a", "_attachments": {
                "small": attachment("text/plain", b"small"), "large": attachment("x/y", &large), "z": attachment("x/y", &large[1..]),
            }})).await;
            put(&db, json!({"_id": "b", "_attachments": {"small": attachment("x/y", b"other")}})).await;
            put(&db, json!({"_id": "c"})).await;
            let (report, denied) = run(local(&db), peer(&couch, "to")).await;
            assert_eq!((report.docs_written, denied), (3, vec![]));
            let at = |id: &str, name: &str| couch.with("to", |to| to.content(id, None, name)).unwrap();
            assert_eq!(
                (at("a", "small"), at("a", "large"), at("b", "small")),
                ("small".into(), large.clone().into(), "other".into())
            );
            assert_eq!(at("a", "z"), large[1..]);
            assert_eq!(content_requests(&couch), ["PUT /to/a?new_edits=false"]);

            // Unchanged ones stay where they are.
            let mut doc = get(&db, "a").await;
            assert_eq!(doc["_rev"], rev);
            doc["n"] = 1.into();
            doc["_attachments"]["small"] = attachment("text/plain", b"changed");
            let rev = put(&db, doc).await;
            couch.rule("PUT /to/a", 500, json!({"error": "sent again", "reason": ""}));
            let (report, denied) = run(local(&db), peer(&couch, "to")).await;
            assert_eq!((report.docs_written, denied), (1, vec![]));
            assert_eq!((at("a", "small"), at("a", "large")), ("changed".into(), large.clone().into()));
            let stubs = couch.with("to", |to| to.get("a", None, false)).unwrap();
            assert_eq!(
                (
                    &stubs["_rev"],
                    &stubs["_attachments"]["large"]["revpos"],
                    &stubs["_attachments"]["small"]["revpos"]
                ),
                (&json!(rev), &json!(1), &json!(2))
            );
            db.destroy().await.unwrap();
        }
    });
}

#[test]
fn a_server_that_lost_what_a_stub_is_of_gets_it_again() {
    block_on(async {
        let couch = Couch::new();
        let db = open("attachments_lost_stub").await;
        let large = vec![1_u8; 100_000];
        put(&db, json!({"_id": "a", "_attachments": {"large": attachment("x/y", &large), "small": attachment("x/y", b"s")}})).await;
        put(&db, json!({"_id": "b", "_attachments": {"small": attachment("x/y", b"t")}})).await;
        run(local(&db), peer(&couch, "to")).await;
        for id in ["a", "b"] {
            let mut doc = get(&db, id).await;
            doc["n"] = 1.into();
            put(&db, doc).await;
        }
        put(&db, json!({"_id": "c"})).await;
        // Another client has replaced them: the revisions are there, and their attachments are other ones.
        couch.with("to", |to| to.forget_attachments());
        let (report, denied) = run(local(&db), peer(&couch, "to")).await;
        assert_eq!((report.docs_written, denied), (3, vec![]));
        let at = |id: &str, name: &str| couch.with("to", |to| to.content(id, None, name)).unwrap();
        assert_eq!(
            (at("a", "large"), at("a", "small"), at("b", "small")),
            (large.into(), "s".into(), "t".into())
        );
        db.destroy().await.unwrap();
    });
}

#[test]
fn between_databases_here_contents_go_as_they_are() {
    block_on(async {
        let (one, two) = (open("attachments_one").await, open("attachments_two").await);
        let old = put(&one, json!({"_id": "a", "_attachments": {"x": attachment("x/y", b"old")}})).await;
        // Two leaves with other contents under the same name.
        let branch = json!([{"_id": "a", "_rev": "1-z", "_attachments": {"x": attachment("x/y", b"other")}}]);
        one.bulk_docs(&branch.to_string(), r#"{"new_edits":false}"#).await.unwrap();
        let (report, _) = run(local(&one), local(&two)).await;
        assert_eq!(report.docs_written, 2);
        for (rev, bytes) in [(old.as_str(), "old"), ("1-z", "other")] {
            let options = GetOptions { rev: Some(rev.into()), ..GetOptions::default() };
            let found = two.attachment("a", "x", &options).await.unwrap();
            assert_eq!(found.content.to_bytes().await.unwrap(), bytes);
        }
        assert!(two.check().await.unwrap().problems.is_empty());
        one.destroy().await.unwrap();
        two.destroy().await.unwrap();
    });
}

#[test]
fn the_right_revisions_contents_come_from_a_server() {
    block_on(async {
        let couch = Couch::new();
        let leaf = |rev: &str, bytes: &[u8]| {
            let doc =
                json!({"_id": "a", "_rev": rev, "_attachments": {"x": attachment("text/plain", bytes)}});
            couch.with("from", |from| from.graft(doc.as_object().unwrap().clone(), Vec::new()).unwrap());
        };
        leaf("1-a", b"loser");
        leaf("1-b", b"winner");
        let db = open("attachments_revisions").await;
        run(peer(&couch, "from"), local(&db)).await;
        for (rev, bytes) in [("1-a", "loser"), ("1-b", "winner")] {
            let options = GetOptions { rev: Some(rev.into()), ..GetOptions::default() };
            let found = db.attachment("a", "x", &options).await.unwrap();
            assert_eq!(found.content.to_bytes().await.unwrap(), bytes);
        }
        db.destroy().await.unwrap();
    });
}

#[test]
fn what_a_server_does_not_give_as_it_says_is_told_and_not_stored_and_does_not_stop_the_rest() {
    let other = json!("not what was said");
    for (status, answer) in [
        (200, other),
        (200, json!("x".repeat(5000))),
        (404, json!({"error": "not_found", "reason": "Document is missing attachment"})),
        (403, json!({"error": "forbidden", "reason": "not for you"})),
        (500, json!({"error": "badmatch", "reason": "oops"})),
    ] {
        block_on(async {
            let couch = Couch::new();
            for id in ["a", "b", "c"] {
                let attachments = json!({"x": attachment("x/y", format!("content of {id}").as_bytes()), "t": attachment("text/x", b"0123456")});
                couch.put("from", json!({"_id": id, "_attachments": attachments}));
            }
            couch.rule("/from/b/x", status, answer.clone());
            let db = open("attachments_wrong").await;
            let (report, denied) = run(peer(&couch, "from"), local(&db)).await;
            assert_eq!(
                (report.docs_written, report.doc_write_failures, denied),
                (2, 1, vec!["b".to_owned()]),
                "{status} {answer}"
            );
            assert_eq!(content(&db, "c", "x").await.unwrap(), "content of c");
            assert!(db.get("b", &GetOptions::default()).await.is_err());
            assert!(db.check().await.unwrap().problems.is_empty());
            db.destroy().await.unwrap();
        });
    }
}

#[test]
fn documents_that_no_database_takes_are_passed_by() {
    block_on(async {
        let couch = Couch::new();
        couch.put("from", json!({"_id": "good", "_attachments": {"x": attachment("x/y", b"1")}}));
        let bad = [
            json!({"x": {"follows": true, "length": 1}}),
            json!({"x": {}}),
            json!({"x": null}),
            json!({"_x": {"data": ""}}),
            json!([1]),
            json!("text"),
            json!({"x": {"stub": true, "length": "many", "digest": 1}}),
            json!({"x": {"data": "%%%"}}),
        ];
        let results: Vec<Value> = bad.iter().enumerate().map(|(number, attachments)| {
            let id = format!("bad{number}");
            json!({"id": id, "docs": [{"ok": {"_id": id, "_rev": "1-x", "_revisions": {"start": 1, "ids": ["x"]}, "_attachments": attachments}}]})
        }).collect();
        let good = couch.with("from", |from| {
            from.open_revs("good", &[from.leaves()["good"].keys().next().unwrap().clone()])
        });
        let results = [results, vec![json!({"id": "good", "docs": good})]].concat();
        let rows: Vec<Value> = results
            .iter()
            .map(|result| json!({"id": result["id"], "seq": 1, "changes": [{"rev": "1-x"}]}))
            .collect();
        couch.rule("_changes", 200, json!({"results": rows, "last_seq": 1, "pending": 0}));
        couch.rule("_bulk_get", 200, json!({"results": results}));
        let db = open("attachments_bad").await;
        let (report, mut denied) = run(peer(&couch, "from"), local(&db)).await;
        denied.sort();
        let expected: Vec<String> = (0..bad.len()).map(|number| format!("bad{number}")).collect();
        assert_eq!((report.docs_written, denied), (1, expected));
        assert_eq!(content(&db, "good", "x").await.unwrap(), "1");
        assert!(db.check().await.unwrap().problems.is_empty());
        db.destroy().await.unwrap();
    });
}

#[test]
fn a_document_that_a_server_forbids_is_told_whichever_way_it_is_sent() {
    block_on(async {
        for bytes in [10, 100_000] {
            let couch = Couch::new();
            let db = open("attachments_forbidden").await;
            put(&db, json!({"_id": "a", "forbidden": 1, "_attachments": {"x": attachment("x/y", &vec![1; bytes])}})).await;
            put(&db, json!({"_id": "b", "_attachments": {"x": attachment("x/y", &vec![2; bytes])}})).await;
            let (report, denied) = run(local(&db), peer(&couch, "to")).await;
            assert_eq!((report.docs_written, denied), (1, vec!["a".to_owned()]), "{bytes}");
            db.destroy().await.unwrap();
        }
    });
}

#[test]
fn what_was_passed_by_before_there_were_attachments_is_brought_once() {
    block_on(async {
        let couch = Couch::new();
        couch.put("from", json!({"_id": "a", "_attachments": {"x": attachment("x/y", b"1")}}));
        couch.put("from", json!({"_id": "b"}));
        let db = open("attachments_upgrade").await;
        run(peer(&couch, "from"), local(&db)).await;
        // As an earlier version has left it: without the document, and with a checkpoint after it.
        let rev = get(&db, "a").await["_rev"].clone();
        db.destroy().await.unwrap();
        let db = open("attachments_upgrade").await;
        let checkpoint = couch.with("from", |from| from.locals().pop().unwrap());
        let mut old = checkpoint.clone();
        old.shift_remove("_rev");
        put(&db, Value::Object(old)).await;
        let (report, _) = run(peer(&couch, "from"), local(&db)).await;
        assert_eq!((report.docs_read, report.docs_written), (2, 2));
        assert_eq!(
            (get(&db, "a").await["_rev"].clone(), content(&db, "a", "x").await.unwrap()),
            (rev, "1".into())
        );
        // From then on as ever.
        couch.put("from", json!({"_id": "c"}));
        let (report, _) = run(peer(&couch, "from"), local(&db)).await;
        assert_eq!(report.docs_read, 1);
        let asked = couch.log().into_iter().rfind(|line| line.contains("_changes")).unwrap();
        assert!(!asked.contains("since=0"), "{asked}");
        db.destroy().await.unwrap();
    });
}
