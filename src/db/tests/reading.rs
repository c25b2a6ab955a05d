//! Reading one document, its revisions, and several at once.

use super::*;
use std::collections::BTreeMap;

/// A document with the leaves 3-d (deleted), 2-c and 2-b, upon 1-a.
async fn with_branches() -> Database {
    let db = new_database().await;
    let docs = json!([
        {"_id": "a", "_rev": "1-a", "v": "a"},
        {"_id": "a", "_revisions": {"start": 2, "ids": ["b", "a"]}, "v": "b"},
        {"_id": "a", "_revisions": {"start": 2, "ids": ["c", "a"]}, "v": "c"},
        {"_id": "a", "_revisions": {"start": 3, "ids": ["d", "e", "a"]}, "v": "d", "_deleted": true},
        {"_id": "other", "_rev": "1-x"},
    ]);
    replicate(&db, docs).await;
    db
}

#[test]
fn a_revision_is_found_by_its_name() {
    block_on(async {
        let db = with_branches().await;
        assert_eq!(
            get(&db, "a", json!({"rev": "2-b"})).unwrap(),
            json!({"v": "b", "_id": "a", "_rev": "2-b"})
        );
        let deleted = get(&db, "a", json!({"rev": "3-d"})).unwrap();
        assert_eq!(deleted, json!({"v": "d", "_id": "a", "_rev": "3-d", "_deleted": true}));
        for rev in ["2-e", "9-z", "rubbish"] {
            let error = error(&db, "a", json!({"rev": rev}));
            assert_eq!(
                (error.status(), error.reason(), error.doc_id()),
                (404, Some("missing"), Some("a")),
                "{rev}"
            );
        }
    });
}

#[test]
fn latest_leads_from_a_revision_to_a_leaf() {
    block_on(async {
        let db = with_branches().await;
        assert_eq!(get(&db, "a", json!({"rev": "2-b", "latest": true})).unwrap()["_rev"], "2-b");
        assert_eq!(get(&db, "a", json!({"rev": "2-e", "latest": true})).unwrap()["_rev"], "3-d");
        let leaf = get(&db, "a", json!({"rev": "1-a", "latest": true})).unwrap();
        assert_eq!(leaf["_rev"], "3-d");
    });
}

#[test]
fn conflicts_are_the_other_leaves_that_are_not_deleted() {
    block_on(async {
        let db = with_branches().await;
        let found = get(&db, "a", json!({"conflicts": true})).unwrap();
        assert_eq!(found, json!({"v": "c", "_id": "a", "_rev": "2-c", "_conflicts": ["2-b"]}));
        assert_eq!(
            get(&db, "other", json!({"conflicts": true})).unwrap(),
            json!({"_id": "other", "_rev": "1-x"})
        );
    });
}

#[test]
fn open_revs_lists_all_leaves_or_the_revisions_asked_for() {
    block_on(async {
        let db = with_branches().await;
        let revs = |list: Value| -> Vec<String> {
            let entries = list.as_array().unwrap().iter();
            entries
                .map(|entry| match (&entry["ok"]["_rev"], &entry["missing"]) {
                    (Value::String(rev), _) => rev.clone(),
                    (_, missing) => format!("missing {}", missing.as_str().unwrap()),
                })
                .collect()
        };
        let all = get(&db, "a", json!({"open_revs": "all"})).unwrap();
        assert_eq!(revs(all), ["3-d", "2-b", "2-c"]);
        let some =
            get(&db, "a", json!({"open_revs": ["1-a", "2-b", "2-b", "2-e", "9-z"], "revs": true})).unwrap();
        assert_eq!(some[1]["ok"]["_revisions"], json!({"start": 2, "ids": ["b", "a"]}));
        assert_eq!(revs(some), ["1-a", "2-b", "missing 2-e", "missing 9-z"]);
        let latest = get(&db, "a", json!({"open_revs": ["2-e", "3-d", "2-b"], "latest": true})).unwrap();
        assert_eq!(revs(latest), ["3-d", "2-b"]);
        assert_eq!(get(&db, "a", json!({"open_revs": []})).unwrap(), json!([]));
        assert_eq!(revs(get(&db, "none", json!({"open_revs": ["1-a"]})).unwrap()), ["missing 1-a"]);
        assert_eq!(error(&db, "none", json!({"open_revs": "all"})).status(), 404);
        for (wrong, status, message) in [
            (json!(["x"]), 400, "Invalid rev format"),
            (json!([1]), 400, "Invalid rev format"),
            (json!(5), 500, "Database encountered an unknown error"),
        ] {
            let error = error(&db, "a", json!({"open_revs": wrong}));
            assert_eq!((error.status(), error.message()), (status, message));
        }
    });
}

#[test]
fn open_revs_does_not_look_at_other_options() {
    block_on(async {
        let db = with_branches().await;
        let options = json!({"open_revs": ["2-c"], "conflicts": true, "deleted_conflicts": true, "revs_info": true, "rev": "2-b"});
        let expected = json!([{"ok": {"v": "c", "_id": "a", "_rev": "2-c"}}]);
        assert_eq!(get(&db, "a", options).unwrap(), expected);
    });
}

fn bulk_get(db: &Database, request: Value) -> Value {
    let answer = at_once(db.bulk_get(&serde_json::from_value(request).unwrap())).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["results"].clone()
}

#[test]
fn bulk_get_answers_for_each_revision_the_ones_of_a_document_together() {
    block_on(async {
        let db = with_branches().await;
        let request = json!({"docs": [{"id": "a", "rev": "2-b"}, {"id": "none"}, {"id": "other"}, {"id": "a", "rev": "9-z"},
            {"id": "a", "rev": "3-d"}]});
        let results = bulk_get(&db, request);
        let expected = json!([
            {"id": "a", "docs": [{"ok": {"v": "b", "_id": "a", "_rev": "2-b"}}]},
            {"id": "a", "docs": [{"missing": "9-z"}]},
            {"id": "a", "docs": [{"ok": {"v": "d", "_id": "a", "_rev": "3-d", "_deleted": true}}]},
            {"id": "none", "docs": [{"error": {"status": 404, "name": "not_found", "message": "missing", "error": true,
                "reason": "missing", "id": "none", "docId": "none"}}]},
            {"id": "other", "docs": [{"ok": {"_id": "other", "_rev": "1-x"}}]},
        ]);
        assert_eq!(results, expected);
    });
}

#[test]
fn bulk_get_gives_the_winner_history_and_leaves_as_asked() {
    block_on(async {
        let db = with_branches().await;
        let winner = bulk_get(&db, json!({"docs": [{"id": "a"}], "revs": true}));
        assert_eq!(winner[0]["docs"][0]["ok"]["_revisions"], json!({"start": 2, "ids": ["c", "a"]}));
        let latest = bulk_get(
            &db,
            json!({"docs": [{"id": "a", "rev": "2-e"}, {"id": "a", "rev": "3-d"}], "latest": true}),
        );
        assert_eq!(latest.as_array().unwrap().len(), 1);
        assert_eq!(latest[0]["docs"][0]["ok"]["_rev"], "3-d");
        let wrong = bulk_get(&db, json!({"docs": [{"id": "a", "rev": "rubbish"}, {"id": "other"}]}));
        assert_eq!(wrong[0]["docs"][0]["error"]["status"], 400);
        assert_eq!(wrong[1]["docs"][0]["ok"]["_rev"], "1-x");
        assert_eq!(bulk_get(&db, json!({"docs": []})), json!([]));
    });
}

#[test]
fn revs_diff_names_what_is_not_stored() {
    block_on(async {
        let db = with_branches().await;
        let request: BTreeMap<_, _> = [
            ("a", vec!["1-a", "2-b", "2-e", "2-x", "rubbish"]),
            ("none", vec!["1-a"]),
            ("other", vec!["1-x"]),
            ("\"", vec![]),
        ]
        .into_iter()
        .map(|(id, revs)| (id.to_owned(), revs.into_iter().map(str::to_owned).collect()))
        .collect();
        let answer: Value = serde_json::from_str(&at_once(db.revs_diff(&request)).unwrap()).unwrap();
        let expected = json!({
            "a": {"missing": ["2-e", "2-x", "rubbish"]}, "none": {"missing": ["1-a"]}, "\"": {"missing": []},
        });
        assert_eq!(answer, expected);
    });
}
