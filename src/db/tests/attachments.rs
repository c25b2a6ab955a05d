//! Attachments: what is given, what is told, and what is on the disk.

use super::*;
use crate::doc::Digest;
use crate::engine::{Engine, Settings};
use crate::query::AllDocsOptions;
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use crate::storage::{Content, Key, Space};
use std::rc::Rc;

const FOO: &str = "md5-rL0Y20zC+Fzt72VPzMSk2A==";
const BAR: &str = "md5-N7UdGUp1E+RbVvZSTy1R8g==";

/// A database, and the disk that it is on.
async fn new_database_on(options: DatabaseOptions) -> (Database, Rc<MemoryDisk>) {
    let disk = Rc::<MemoryDisk>::default();
    let storage = MemoryStorage::on(disk.clone());
    let engine = Engine::open(Box::new(storage), Settings::default()).await.unwrap();
    (Database::over(engine, options), disk)
}

/// The names of the contents on the disk.
fn stored(disk: &MemoryDisk) -> Vec<String> {
    let name = |(key, _)| match key {
        (Space::Attachment, Key::Text(name)) => Some(name),
        _ => None,
    };
    disk.records().into_iter().filter_map(name).collect()
}

fn text(data: &str) -> Value {
    json!({"content_type": "text/plain", "data": data})
}

/// `foo` and `bar` in base64.
fn foo() -> Value {
    text("Zm9v")
}

fn bar() -> Value {
    text("YmFy")
}

fn stub(digest: &str) -> Value {
    json!({"stub": true, "digest": digest, "content_type": "text/plain", "length": 3, "revpos": 1})
}

fn with_contents(db: &Database, id: &str, binary: bool) -> (Value, Vec<Content>) {
    let options = GetOptions { attachments: true, ..GetOptions::default() };
    let answer = at_once(db.with_contents(binary, async || db.get(id, &options).await)).unwrap();
    (serde_json::from_str(&answer.text).unwrap(), answer.contents)
}

fn bytes(text: &'static str) -> Content {
    Content::Bytes(text.into())
}

#[test]
fn contents_are_stored_once_and_told_as_stubs() {
    block_on(async {
        let (db, disk) = new_database_on(DatabaseOptions::in_memory()).await;
        put(&db, json!({"_id": "a", "_attachments": {"x": foo(), "y": foo(), "z": bar()}, "n": 1})).await;
        put(&db, json!({"_id": "b", "_attachments": {"x": foo()}})).await;
        assert_eq!(stored(&disk), [BAR, FOO]);
        let found = get(&db, "a", json!({})).unwrap();
        let expected = |digest: &str| stub(digest);
        assert_eq!(
            found["_attachments"],
            json!({"x": expected(FOO), "y": expected(FOO), "z": expected(BAR)})
        );
        let (found, contents) = with_contents(&db, "a", false);
        let full = |data: &str, digest: &str| json!({"content_type": "text/plain", "digest": digest, "data": data, "revpos": 1});
        assert_eq!(
            found["_attachments"],
            json!({"x": full("Zm9v", FOO), "y": full("Zm9v", FOO), "z": full("YmFy", BAR)})
        );
        assert_eq!(contents, []);
        let (found, contents) = with_contents(&db, "a", true);
        let index = |name: &str| found["_attachments"][name]["data"].as_u64();
        assert_eq!([index("x"), index("y"), index("z")], [Some(0), Some(0), Some(1)]);
        assert_eq!(contents, [bytes("foo"), bytes("bar")]);
        let attachment = db.attachment("a", "z", &GetOptions::default()).await.unwrap();
        assert_eq!(attachment.content, bytes("bar"));
        assert_eq!(attachment.content_type.as_deref(), Some("text/plain"));
        let report = db.check().await.unwrap();
        assert!(report.ok, "{:?}", report.problems);
        let contents = report.contents.unwrap();
        assert_eq!((contents.attachments, contents.attachment_bytes), (2, 6));
    });
}

#[test]
fn listings_have_contents_too() {
    block_on(async {
        let db = new_database().await;
        put(&db, json!({"_id": "a", "_attachments": {"x": foo()}})).await;
        put(&db, json!({"_id": "b"})).await;
        let options = AllDocsOptions { include_docs: true, attachments: true, ..AllDocsOptions::default() };
        let answer = db.with_contents(false, async || db.all_docs(&options).await).await.unwrap();
        assert!(answer.text.contains(r#""data":"Zm9v""#) && !answer.text.contains("stub"), "{}", answer.text);
        let request = serde_json::from_value(json!({"docs": [{"id": "a"}], "attachments": true})).unwrap();
        let answer = db.with_contents(true, async || db.bulk_get(&request).await).await.unwrap();
        assert_eq!(answer.contents, [bytes("foo")]);
        assert!(answer.text.contains(r#""data":0"#), "{}", answer.text);
    });
}

#[test]
fn contents_beside_the_documents_are_found_by_their_index() {
    block_on(async {
        let (db, disk) = new_database_on(DatabaseOptions::in_memory()).await;
        let docs = json!([{"_id": "a", "_attachments": {"x": {"data": 1}, "y": {"data": 0}}}]).to_string();
        let results = db.bulk_docs_with(&docs, vec![bytes("foo"), bytes("bar")], "{}").await.unwrap();
        let other = new_database().await;
        let again = other.bulk_docs_with(&docs, vec![bytes("foo"), bytes("baz")], "{}").await.unwrap();
        check(&db);
        assert_eq!(stored(&disk), [BAR, FOO]);
        assert_eq!(db.attachment("a", "x", &GetOptions::default()).await.unwrap().content, bytes("bar"));
        assert_ne!(results, again, "two contents are one revision");
        let missing = db.bulk_docs_with(&docs, vec![bytes("foo")], "{}").await.unwrap_err();
        assert_eq!((missing.status(), missing.name()), (500, "badarg"));
    });
}

#[test]
fn stubs_need_their_content() {
    block_on(async {
        let (db, disk) = new_database_on(DatabaseOptions::in_memory()).await;
        let rev = put(&db, json!({"_id": "a", "_attachments": {"x": foo()}})).await;
        let doc = json!({"_id": "a", "_rev": rev, "_attachments": {"x": stub(FOO), "y": bar()}});
        put(&db, doc).await;
        let attachments = get(&db, "a", json!({})).unwrap()["_attachments"].clone();
        assert_eq!((&attachments["x"]["revpos"], &attachments["y"]["revpos"]), (&json!(1), &json!(2)));
        // What comes in the same call does not count.
        let docs = json!([{"_id": "b", "_attachments": {"x": text("YmF6")}}, {"_id": "c", "_attachments": {"x": stub("md5-c/j1dHvXOtV/XEzP2i18Vg==")}}]);
        let refused = write_with(&db, docs, json!({})).await.unwrap_err();
        assert_eq!((refused.status(), refused.name()), (412, "missing_stub"));
        assert_eq!(
            refused.reason(),
            Some("unknown stub attachment with digest md5-c/j1dHvXOtV/XEzP2i18Vg==")
        );
        assert_eq!(error(&db, "b", json!({})).status(), 404);
        assert_eq!(stored(&disk), [BAR, FOO]);
        let [foo, other] = [FOO.parse().unwrap(), Digest::of(b"other")];
        assert_eq!(db.known_contents(&[foo, other]).await.unwrap(), [foo].into());
        assert_eq!(db.contents(&[other, foo]).await.unwrap(), [None, Some(bytes("foo"))]);
    });
}

#[test]
fn what_nothing_refers_to_leaves_the_disk() {
    block_on(async {
        for options in [
            DatabaseOptions { auto_compaction: true, ..DatabaseOptions::in_memory() },
            DatabaseOptions { revs_limit: 1, ..DatabaseOptions::in_memory() },
        ] {
            let (db, disk) = new_database_on(options).await;
            let first = put(&db, json!({"_id": "a", "_attachments": {"x": foo(), "y": foo()}})).await;
            put(&db, json!({"_id": "b", "_attachments": {"x": foo()}})).await;
            let second = put(&db, json!({"_id": "a", "_rev": first, "_attachments": {"x": bar()}})).await;
            assert_eq!(stored(&disk), [BAR, FOO]);
            // The last reference goes, and one comes back, in one call.
            let b = get(&db, "b", json!({})).unwrap()["_rev"].clone();
            let docs = json!([{"_id": "b", "_rev": b}, {"_id": "a", "_rev": second, "_attachments": {"x": stub(FOO)}}]);
            let results = write(&db, docs).await;
            assert_eq!(stored(&disk), [FOO]);
            put(&db, json!({"_id": "a", "_rev": results[1]["rev"], "_deleted": true, "_attachments": {"x": bar()}})).await;
            assert_eq!(stored(&disk), [""; 0]);
            assert!(db.check().await.unwrap().ok);
        }
    });
}

#[test]
fn a_refused_document_leaves_nothing() {
    block_on(async {
        let (db, disk) = new_database_on(DatabaseOptions::in_memory()).await;
        put(&db, json!({"_id": "a"})).await;
        let results = write(
            &db,
            json!([{"_id": "a", "_attachments": {"x": foo()}}, {"_id": "b", "_attachments": {"x": bar()}}]),
        )
        .await;
        assert_eq!((&results[0]["status"], &results[1]["ok"]), (&json!(409), &json!(true)));
        assert_eq!(stored(&disk), [BAR]);
        for (attachments, status) in [
            (json!({"x": text("%"), "y": foo()}), 500),
            (json!({"_x": foo()}), 400),
            (json!({"x": {}}), 500),
            (json!("x"), 500),
        ] {
            let docs = json!([{"_id": "c"}, {"_id": "d", "_attachments": attachments}]);
            assert_eq!(write_with(&db, docs, json!({})).await.unwrap_err().status(), status);
            assert_eq!(error(&db, "c", json!({})).status(), 404);
        }
        let absent = db.attachment("b", "y", &GetOptions::default()).await.unwrap_err();
        assert_eq!((absent.status(), absent.message()), (404, "missing"));
    });
}

#[test]
fn revisions_from_elsewhere_keep_their_revpos() {
    block_on(async {
        let (db, disk) = new_database_on(DatabaseOptions::in_memory()).await;
        let doc = |rev: &[&str], attachments: Value| json!({"_id": "a", "_revisions": {"start": rev.len(), "ids": rev}, "_attachments": attachments});
        let given = |revpos: u64| json!({"content_type": "text/plain", "data": "Zm9v", "revpos": revpos});
        replicate(&db, json!([doc(&["c", "b", "a"], json!({"x": given(2), "y": given(7)}))])).await;
        // A revision that is known already brings nothing.
        replicate(&db, json!([doc(&["c", "b", "a"], json!({"x": bar()}))])).await;
        assert_eq!(stored(&disk), [FOO]);
        let found = get(&db, "a", json!({})).unwrap();
        assert_eq!(found["_attachments"]["x"]["revpos"], 2);
        assert_eq!(found["_attachments"]["y"]["revpos"], 3);
        let old = GetOptions { rev: Some("3-c".into()), ..GetOptions::default() };
        replicate(&db, json!([doc(&["d", "c", "b", "a"], json!({"x": bar()}))])).await;
        assert_eq!(db.attachment("a", "x", &GetOptions::default()).await.unwrap().content, bytes("bar"));
        assert_eq!(db.attachment("a", "x", &old).await.unwrap().content, bytes("foo"));
    });
}

#[test]
fn a_check_names_contents_that_are_wrong() {
    block_on(async {
        let (db, disk) = new_database_on(DatabaseOptions::in_memory()).await;
        put(&db, json!({"_id": "a", "_attachments": {"x": foo(), "y": bar()}})).await;
        disk.tamper(Space::Attachment, FOO, Some("fop".into()));
        disk.tamper(Space::Attachment, BAR, None);
        disk.tamper(Space::Attachment, "other", Some("".into()));
        let report = db.check().await.unwrap();
        let problems: Vec<_> =
            report.problems.iter().map(|it| (it.record.as_str(), it.problem.as_str())).collect();
        assert_eq!(
            problems,
            [
                (format!("attachment/{FOO}").as_str(), "it is not what was written"),
                (format!("attachment/{BAR}").as_str(), "it is missing"),
                ("attachment/other", "nothing refers to it"),
            ]
        );
        let lost = db.attachment("a", "y", &GetOptions::default()).await.unwrap_err();
        assert_eq!((lost.status(), lost.reason()), (500, Some("DataError")));
    });
}

#[test]
fn a_new_document_upon_a_deletion_has_pouchdbs_revision() {
    block_on(async {
        let db = new_database().await;
        let first = put(&db, json!({"_id": "a"})).await;
        let deletion = put(&db, json!({"_id": "a", "_rev": first, "_deleted": true})).await;
        let rev = put(&db, json!({"_id": "a", "_attachments": {"x": foo()}})).await;
        let text = format!(
            r#"{{"_attachments":{{"x":{{"data":{{}},"content_type":"text/plain","length":3,"digest":"{FOO}"}}}},"_rev":"{deletion}","_id":"a"}}"#
        );
        let hash: String = crate::doc::md5(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(rev, format!("3-{hash}"));
    });
}
