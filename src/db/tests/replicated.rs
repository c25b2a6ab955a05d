//! Revisions made elsewhere: `new_edits: false`.

use super::*;

fn revision(id: &str, path: &[&str], value: &str) -> Value {
    json!({"_id": id, "_revisions": {"start": path.len(), "ids": path}, "v": value})
}

#[test]
fn revisions_are_stored_as_they_are_in_any_order() {
    block_on(async {
        let revisions = [
            revision("a", &["b", "a"], "b"),
            revision("a", &["c", "a"], "c"),
            json!({"_id": "a", "_rev": "1-a", "v": "a"}),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let db = new_database().await;
            replicate(&db, json!(order.map(|index| revisions[index].clone()))).await;
            let found = get(&db, "a", json!({"conflicts": true, "revs_info": true})).unwrap();
            let expected = json!({"v": "c", "_id": "a", "_rev": "2-c", "_conflicts": ["2-b"], "_revs_info":
                [{"rev": "2-c", "status": "available"}, {"rev": "1-a", "status": "available"}]});
            assert_eq!(found, expected, "{order:?}");
            assert_eq!(get(&db, "a", json!({"rev": "2-b"})).unwrap()["v"], "b");
            assert_eq!(get(&db, "a", json!({"rev": "1-a"})).unwrap()["v"], "a");
            assert_eq!(counts(&db), (1, 3));
        }
    });
}

#[test]
fn an_ancestor_that_was_only_named_is_missing() {
    block_on(async {
        let db = new_database().await;
        replicate(&db, json!([revision("a", &["c", "b", "a"], "c")])).await;
        let found = get(&db, "a", json!({"revs_info": true, "revs": true})).unwrap();
        let expected = json!([{"rev": "3-c", "status": "available"}, {"rev": "2-b", "status": "missing"},
            {"rev": "1-a", "status": "missing"}]);
        assert_eq!(found["_revs_info"], expected);
        assert_eq!(found["_revisions"], json!({"start": 3, "ids": ["c", "b", "a"]}));
        assert_eq!(error(&db, "a", json!({"rev": "2-b"})).reason(), Some("missing"));
    });
}

#[test]
fn a_revision_that_is_known_changes_nothing() {
    block_on(async {
        let db = new_database().await;
        let docs = json!([revision("a", &["b", "a"], "b"), revision("b", &["x"], "x")]);
        replicate(&db, docs.clone()).await;
        let before = at_once(db.all_docs(&serde_json::from_value(json!({"include_docs": true})).unwrap()));
        replicate(&db, docs.clone()).await;
        replicate(&db, json!([revision("a", &["b", "a"], "another text for the same revision")])).await;
        let after = at_once(db.all_docs(&serde_json::from_value(json!({"include_docs": true})).unwrap()));
        assert_eq!((before, counts(&db)), (after, (2, 2)));
    });
}

#[test]
fn the_winner_is_the_same_whatever_came_first_and_its_text_comes_with_it() {
    block_on(async {
        let db = new_database().await;
        replicate(&db, json!([revision("a", &["b", "a"], "b")])).await;
        // A longer branch wins, a deletion never does while there is another, and a shorter branch never.
        replicate(&db, json!([revision("a", &["e", "d", "a"], "e")])).await;
        assert_eq!(get(&db, "a", json!({})).unwrap(), json!({"v": "e", "_id": "a", "_rev": "3-e"}));
        let mut deletion = revision("a", &["f", "e", "d", "a"], "f");
        deletion["_deleted"] = json!(true);
        replicate(&db, json!([deletion])).await;
        let found = get(&db, "a", json!({"conflicts": true, "deleted_conflicts": true})).unwrap();
        assert_eq!(found, json!({"v": "b", "_id": "a", "_rev": "2-b", "_deleted_conflicts": ["4-f"]}));
        replicate(&db, json!([revision("a", &["g"], "g")])).await;
        let found = get(&db, "a", json!({"conflicts": true})).unwrap();
        assert_eq!(found, json!({"v": "b", "_id": "a", "_rev": "2-b", "_conflicts": ["1-g"]}));
        for (rev, value) in [("3-e", "e"), ("4-f", "f"), ("1-g", "g")] {
            assert_eq!(get(&db, "a", json!({"rev": rev})).unwrap()["v"], value);
        }
        assert_eq!(counts(&db), (1, 4));
    });
}

#[test]
fn deleting_the_winner_lets_the_loser_win_and_deleting_all_the_document() {
    block_on(async {
        let db = new_database().await;
        replicate(&db, json!([revision("a", &["b", "a"], "b"), revision("a", &["c", "a"], "c")])).await;
        assert_eq!(counts(&db), (1, 2));
        put(&db, json!({"_id": "a", "_rev": "2-c", "_deleted": true})).await;
        assert_eq!(
            get(&db, "a", json!({"conflicts": true})).unwrap(),
            json!({"v": "b", "_id": "a", "_rev": "2-b"})
        );
        assert_eq!(counts(&db), (1, 3));
        put(&db, json!({"_id": "a", "_rev": "2-b", "_deleted": true})).await;
        assert_eq!(error(&db, "a", json!({})).reason(), Some("deleted"));
        assert_eq!(counts(&db), (0, 4));
    });
}

#[test]
fn an_edit_upon_a_loser_is_allowed() {
    block_on(async {
        let db = new_database().await;
        replicate(&db, json!([revision("a", &["b", "a"], "b"), revision("a", &["c", "a"], "c")])).await;
        let rev = put(&db, json!({"_id": "a", "_rev": "2-b", "v": "d"})).await;
        let found = get(&db, "a", json!({"conflicts": true, "revs": true})).unwrap();
        let hash = rev.trim_start_matches("3-");
        let expected = json!({"v": "d", "_id": "a", "_rev": rev, "_conflicts": ["2-c"],
            "_revisions": {"start": 3, "ids": [hash, "b", "a"]}});
        assert_eq!(found, expected);
    });
}

#[test]
fn a_document_that_is_first_known_deleted_does_not_count() {
    block_on(async {
        let db = new_database().await;
        replicate(&db, json!([{"_id": "a", "_rev": "3-x", "_deleted": true}])).await;
        assert_eq!(counts(&db), (0, 1));
        replicate(&db, json!([{"_id": "a", "_rev": "1-y", "v": 1}])).await;
        assert_eq!(counts(&db), (1, 2));
    });
}

#[test]
fn revisions_without_a_rev_or_an_id_are_refused_whole() {
    block_on(async {
        let db = new_database().await;
        for (wrong, message) in [
            (json!({"_id": "a"}), "Invalid rev format"),
            (json!({"_id": "a", "_revisions": {"start": 1, "ids": []}}), "Invalid rev format"),
            (json!({"_id": "a", "_revisions": "x"}), "Invalid rev format"),
            (json!({"_rev": "1-x"}), "_id is required for puts"),
        ] {
            let outcome =
                write_with(&db, json!([{"_id": "b", "_rev": "1-x"}, wrong]), json!({"new_edits": false}));
            assert_eq!(outcome.await.unwrap_err().message(), message);
        }
        assert_eq!(counts(&db), (0, 0));
    });
}

#[test]
fn write_revisions_answers_with_what_was_refused() {
    block_on(async {
        let db = new_database().await;
        let fine = r#"{"_id":"a","_rev":"1-x"}"#;
        let local = r#"{"_id":"_local/b","_rev":"0-3"}"#;
        let refused = db.write_revisions([fine, local], Vec::new()).await.unwrap();
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].status(), refused[0].doc_id()), (409, Some("_local/b")));
        assert_eq!(counts(&db), (1, 1));
    });
}
