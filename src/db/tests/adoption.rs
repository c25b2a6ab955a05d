//! Databases that take the place of one of PouchDB's: filled in pieces, with everything as it was there.

use super::*;
use crate::db::WITH_ATTACHMENTS;
use crate::edit::{Counters, first_mark, read_local};
use crate::engine::{Beginning, Engine, Settings};
use crate::error::ErrorKind;
use crate::query::ChangesOptions;
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use futures_util::FutureExt as _;
use std::rc::Rc;

const FOO: &str = "md5-rL0Y20zC+Fzt72VPzMSk2A==";

async fn open(disk: &Rc<MemoryDisk>, beginning: Option<Beginning>) -> Result<Database> {
    let origin = async move { beginning.ok_or_else(|| Error::new(ErrorKind::Storage)) };
    let storage = Box::new(MemoryStorage::on(disk.clone()));
    let engine = Engine::open_from(storage, Settings::default(), Some(origin.boxed_local())).await?;
    Ok(Database::over(engine, DatabaseOptions::in_memory()))
}

/// A database that is to be filled.
async fn begun(disk: &Rc<MemoryDisk>) -> Database {
    let beginning = Beginning { instance: Some("theirs".into()), first_commit: Some(first_mark("0")) };
    open(disk, Some(beginning)).await.unwrap()
}

/// `tree` is PouchDB's, `revs` are the bodies.
fn document(id: &str, seq: u64, tree: Value, revs: Value) -> Value {
    json!({"id": id, "seq": seq, "tree": tree.to_string(), "revs": revs})
}

/// `1-x`, with one body.
fn simple(id: &str, seq: u64) -> Value {
    let tree = json!([{"pos": 1, "ids": ["x", {"status": "available"}, []]}]);
    document(id, seq, tree, json!([{"_rev": "1-x", "n": 1}]))
}

/// `1-a` with `2-b` and `2-c` upon it, and `3-d`, a deletion, upon `2-c`; of `2-c` there is no body any more.
fn branched(id: &str, seq: u64) -> Value {
    let children = json!([
        ["b", {"status": "available"}, []],
        ["c", {"status": "missing"}, [["d", {"status": "available", "deleted": true}, []]]]
    ]);
    let tree = json!([{"pos": 1, "ids": ["a", {"status": "available"}, children]}]);
    let bodies = json!([
        {"_rev": "1-a", "n": 1},
        {"_rev": "2-b", "n": 2},
        {"_rev": "3-d", "_deleted": true, "why": "old"}
    ]);
    document(id, seq, tree, bodies)
}

fn with_foo(rev: &str) -> Value {
    let attachments = json!({"a.txt": {"content_type": "text/plain", "revpos": 1, "data": "Zm9v"}});
    json!({"_rev": rev, "_attachments": attachments})
}

async fn adopt(db: &Database, before: &str, after: Option<&str>, documents: Value) -> Option<String> {
    adopt_with(db, before, after, documents, json!([])).await.unwrap()
}

async fn adopt_with(
    db: &Database,
    before: &str,
    after: Option<&str>,
    documents: Value,
    locals: Value,
) -> Result<Option<String>> {
    let piece = json!({
        "before": before, "after": after, "update_seq": 20, "documents": documents, "locals": locals
    });
    let mark = db.adopt(&piece.to_string(), Vec::new()).await?;
    check(db);
    Ok(mark)
}

async fn changed(db: &Database) -> Vec<(u64, String)> {
    let page =
        db.changes(&ChangesOptions { style: crate::query::Style::AllDocs, ..Default::default() }).await;
    page.unwrap().results.into_iter().map(|change| (change.seq, change.id)).collect()
}

#[test]
fn everything_is_as_it_was_there() {
    block_on(async {
        let disk = Rc::default();
        let db = begun(&disk).await;
        assert_eq!(db.id(), "theirs");
        assert_eq!(db.adoption_mark().unwrap().as_deref(), Some("0"));
        let gone = json!([{"pos": 2, "ids": ["g", {"status": "available", "deleted": true}, []]}]);
        let documents = json!([
            simple("b", 3),
            branched("a", 7),
            document("c", 5, gone, json!([{"_rev": "2-g", "_deleted": true}])),
        ]);
        assert_eq!(adopt(&db, "0", None, documents).await, None);
        assert_eq!(db.adoption_mark().unwrap(), None);
        assert_eq!(counts(&db), (2, 20));
        assert_eq!(changed(&db).await, [(3, "b".into()), (5, "c".into()), (7, "a".into())]);
        let found = get(&db, "a", json!({"revs": true, "deleted_conflicts": true})).unwrap();
        assert_eq!(found["n"], 2);
        assert_eq!(found["_revisions"], json!({"start": 2, "ids": ["b", "a"]}));
        assert_eq!(found["_deleted_conflicts"], json!(["3-d"]));
        assert_eq!(get(&db, "a", json!({"rev": "1-a"})).unwrap()["n"], 1);
        assert_eq!(get(&db, "a", json!({"rev": "3-d"})).unwrap()["why"], "old");
        assert_eq!(error(&db, "a", json!({"rev": "2-c"})).reason(), Some("missing"));
        assert_eq!(error(&db, "c", json!({})).reason(), Some("deleted"));
        // The next change comes after what there was.
        put(&db, json!({"_id": "d"})).await;
        assert_eq!(counts(&db), (3, 21));
    });
}

#[test]
fn what_has_changed_meanwhile_is_taken_again() {
    block_on(async {
        let disk = Rc::default();
        let db = begun(&disk).await;
        let tree = json!([{"pos": 1, "ids": ["x", {"status": "available"}, []]}]);
        let first = json!([document("a", 1, tree, json!([with_foo("1-x")])), simple("b", 2)]);
        assert_eq!(adopt(&db, "0", Some("1"), first).await.as_deref(), Some("1"));
        let next = json!(["y", {"status": "available"}, []]);
        let tree = json!([{"pos": 1, "ids": ["x", {"status": "missing"}, [next]]}]);
        let again = json!([document("a", 9, tree, json!([with_foo("2-y")]))]);
        assert_eq!(adopt(&db, "1", None, again).await, None);
        assert_eq!(changed(&db).await, [(2, "b".into()), (9, "a".into())]);
        assert_eq!(counts(&db).0, 2);
        let contents = db.contents(&[FOO.parse().unwrap()]).await.unwrap();
        assert!(contents[0].is_some());
        // Its one reference is that of the body there is.
        let db_without = put(&db, json!({"_id": "a", "_rev": "2-y"})).await;
        db.compact_document("a", 0).await.unwrap();
        assert!(db_without.starts_with("3-"));
        assert!(db.contents(&[FOO.parse().unwrap()]).await.unwrap()[0].is_none());
        assert!(db.check().await.unwrap().problems.is_empty());
    });
}

#[test]
fn two_tabs_write_each_piece_once_and_a_third_goes_on_after_their_death() {
    block_on(async {
        let disk = Rc::default();
        let left = begun(&disk).await;
        let right = begun(&disk).await;
        assert_eq!(adopt(&left, "0", Some("a"), json!([simple("a", 1)])).await.as_deref(), Some("a"));
        // Another content, which shows that it is not written.
        let late = json!([simple("a", 4), simple("b", 5)]);
        assert_eq!(adopt(&right, "0", Some("b"), late).await.as_deref(), Some("a"));
        assert_eq!(changed(&right).await, [(1, "a".into())]);
        let third = open(&disk, None).await.unwrap();
        assert_eq!(third.adoption_mark().unwrap().as_deref(), Some("a"));
        assert_eq!(adopt(&third, "a", None, json!([simple("b", 2)])).await, None);
        assert_eq!(adopt(&left, "a", Some("z"), json!([simple("z", 3)])).await, None);
        assert_eq!(changed(&left).await, [(1, "a".into()), (2, "b".into())]);
    });
}

#[test]
fn trees_and_bodies_that_disagree_lose_no_leaf() {
    block_on(async {
        let db = begun(&Rc::default()).await;
        let tree =
            json!([{"pos": 1, "ids": ["a", {"status": "available"}, [["b", {"status": "missing"}, []]]]}]);
        let documents = json!([
            document("lacks", 1, tree.clone(), json!([])),
            document("has", 2, tree.clone(), json!([{"_rev": "2-b", "n": 2}, {"_rev": "7-left", "n": 7}])),
            // Without a seq, and with one that another has.
            document("late", 0, tree.clone(), json!([{"_rev": "2-b", "n": 3}])),
            document("twice", 2, tree, json!([{"_rev": "2-b", "n": 4}])),
        ]);
        adopt(&db, "0", None, documents).await;
        assert_eq!(get(&db, "lacks", json!({})).unwrap(), json!({"_id": "lacks", "_rev": "2-b"}));
        assert_eq!(error(&db, "lacks", json!({"rev": "1-a"})).reason(), Some("missing"));
        assert_eq!(get(&db, "has", json!({})).unwrap()["n"], 2);
        assert_eq!(get(&db, "late", json!({})).unwrap()["n"], 3);
        assert_eq!(get(&db, "twice", json!({})).unwrap()["n"], 4);
        assert_eq!(changed(&db).await.len(), 4);
        assert!(db.check().await.unwrap().problems.is_empty());
    });
}

#[test]
fn local_documents_keep_their_revisions_and_checkpoints_say_that_attachments_are_there() {
    block_on(async {
        let db = begun(&Rc::default()).await;
        let checkpoint =
            json!({"_id": "_local/c", "_rev": "0-3", "replicator": "pouchdb", "version": 1, "last_seq": 4});
        let locals = json!([checkpoint, {"_id": "_local/n", "_rev": "2-abc", "_attachments": {"a": {"data": "Zm9v"}}}]);
        adopt_with(&db, "0", None, json!([]), locals).await.unwrap();
        let found = get(&db, "_local/c", json!({})).unwrap();
        assert_eq!((&found["_rev"], &found["last_seq"]), (&json!("0-3"), &json!(4)));
        assert_eq!(found[WITH_ATTACHMENTS], true);
        let found = get(&db, "_local/n", json!({})).unwrap();
        assert_eq!((&found["_rev"], &found["_attachments"]["a"]["data"]), (&json!("0-2"), &json!("Zm9v")));
    });
}

#[test]
fn what_is_no_piece_is_refused_and_writes_nothing() {
    block_on(async {
        let db = begun(&Rc::default()).await;
        for documents in [
            json!([simple("a", 1), document("b", 2, json!("no tree"), json!([]))]),
            json!([simple("", 1)]),
            json!([document("a", 1, json!([]), json!([{"_rev": "x"}]))]),
        ] {
            assert!(adopt_with(&db, "0", None, documents, json!([])).await.is_err());
        }
        assert!(adopt_with(&db, "0", None, json!([]), json!([{"_id": "a", "_rev": "0-1"}])).await.is_err());
        assert!(db.adopt("{", Vec::new()).await.is_err());
        assert_eq!(db.adoption_mark().unwrap().as_deref(), Some("0"));
        let engine = db.engine().unwrap();
        assert_eq!(engine.peek(Counters::read).unwrap(), Counters::default());
        assert!(engine.peek(|view| read_local(view, "_local/a")).unwrap().is_none());
    });
}

#[test]
fn only_a_database_that_is_new_asks_what_it_begins_with() {
    block_on(async {
        let disk = Rc::default();
        // What cannot be asked makes no database, so that the next one asks again.
        assert!(open(&disk, None).await.is_err());
        assert!(disk.records().is_empty());
        let first = open(&disk, Some(Beginning::default())).await.unwrap();
        assert_eq!(first.adoption_mark().unwrap(), None);
        let second = open(&disk, None).await.unwrap();
        assert_eq!(first.id(), second.id());
    });
}
