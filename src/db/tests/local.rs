//! Local documents.

use super::*;

#[test]
fn a_local_document_has_numbered_revisions() {
    block_on(async {
        let db = new_database().await;
        assert_eq!(put(&db, json!({"_id": "_local/x", "a": 1})).await, "0-1");
        assert_eq!(refusal(&db, json!({"_id": "_local/x", "a": 2})).await["status"], 409);
        assert_eq!(put(&db, json!({"_id": "_local/x", "_rev": "0-1", "a": 2})).await, "0-2");
        assert_eq!(refusal(&db, json!({"_id": "_local/x", "_rev": "0-1", "a": 3})).await["status"], 409);
        let found = get(&db, "_local/x", json!({})).unwrap();
        assert_eq!(found, json!({"a": 2, "_id": "_local/x", "_rev": "0-2"}));
        assert_eq!(refusal(&db, json!({"_id": "_local/y", "_rev": "0-1"})).await["name"], "conflict");
    });
}

#[test]
fn a_local_document_is_removed_upon_its_revision_only() {
    block_on(async {
        let db = new_database().await;
        put(&db, json!({"_id": "_local/x", "a": 1})).await;
        for rev in [json!("0-2"), json!(null)] {
            let error = refusal(&db, json!({"_id": "_local/x", "_rev": rev, "_deleted": true})).await;
            assert_eq!((&error["status"], &error["message"]), (&json!(404), &json!("missing")));
        }
        assert_eq!(put(&db, json!({"_id": "_local/x", "_rev": "0-1", "_deleted": true})).await, "0-0");
        let gone = error(&db, "_local/x", json!({}));
        assert_eq!((gone.status(), gone.doc_id()), (404, Some("_local/x")));
        // And begins anew.
        assert_eq!(put(&db, json!({"_id": "_local/x"})).await, "0-1");
    });
}

#[test]
fn local_documents_are_not_counted_listed_or_told() {
    block_on(async {
        let db = new_database().await;
        let results = write(&db, json!([{"_id": "_local/z", "b": 1}, {"_id": "zz"}])).await;
        assert_eq!(results[0], json!({"ok": true, "id": "_local/z", "rev": "0-1"}));
        assert_eq!(counts(&db), (1, 1));
        let all: Value = serde_json::from_str(&at_once(db.all_docs(&Default::default())).unwrap()).unwrap();
        assert_eq!((&all["total_rows"], all["rows"].as_array().unwrap().len()), (&json!(1), 1));
        assert_eq!(at_once(db.changes(&Default::default())).unwrap().results.len(), 1);
    });
}

#[test]
fn a_local_document_keeps_members_with_an_underscore() {
    block_on(async {
        let db = new_database().await;
        put(&db, json!({"_id": "_local/x", "_mine": 1, "_conflicts": [], "_revisions": {"start": 1, "ids": ["x"]}})).await;
        let found = get(&db, "_local/x", json!({})).unwrap();
        assert_eq!(found, json!({"_mine": 1, "_conflicts": [], "_id": "_local/x", "_rev": "0-1"}));
    });
}

#[test]
fn local_documents_survive_being_replicated_at() {
    block_on(async {
        let db = new_database().await;
        replicate(&db, json!([{"_id": "_local/x", "a": 1}, {"_id": "a", "_rev": "1-x"}])).await;
        assert_eq!(get(&db, "_local/x", json!({})).unwrap()["_rev"], "0-1");
        assert_eq!(counts(&db), (1, 1));
    });
}
