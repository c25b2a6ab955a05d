//! New edits.

use super::*;

/// In a browser, that is: in Node, PouchDB hashes one byte for each UTF-16 unit.
#[test]
fn revisions_have_the_hashes_that_pouchdb_gives_them() {
    block_on(async {
        let db = new_database().await;
        let first = put(&db, json!({"_id": "a"})).await;
        assert_eq!(first, "1-13f945554d76000a9b9966c7f4b2dbb4");
        let other = put(&db, json!({"_id": "z", "x": 1, "y": [true, null, "é\u{1f600}"]})).await;
        assert_eq!(other, "1-1d7fc28691f0ff430d7ad1eb36367aab");
        let second = put(&db, json!({"_id": "a", "_rev": first, "n": 2})).await;
        assert_eq!(second, "2-417f366efaee4b3ed5ddbf57cb78b4b3");
        let third = put(&db, json!({"_id": "a", "_rev": second, "_deleted": true})).await;
        assert_eq!(third, "3-e83d69682e044b074101b556254b73c9");
        let anew = put(&db, json!({"_id": "a", "n": 3})).await;
        assert_eq!(anew, "4-caabd24ca386c6b637d4a668a58cbdcf");
    });
}

#[test]
fn without_deterministic_revs_equal_edits_are_two_revisions() {
    block_on(async {
        let options = DatabaseOptions { deterministic_revs: false, ..DatabaseOptions::in_memory() };
        let db = new_database_with(options).await;
        let results = write(&db, json!([{"_id": "a"}, {"_id": "b"}])).await;
        let hashes: Vec<_> = results.iter().map(|result| result["rev"].as_str().unwrap()).collect();
        assert_ne!(hashes[0], hashes[1]);
        assert!(hashes.iter().all(|rev| rev.starts_with("1-") && rev.len() == 34), "{hashes:?}");
    });
}

#[test]
fn an_edit_upon_another_revision_than_the_newest_is_a_conflict() {
    block_on(async {
        let db = new_database().await;
        let first = put(&db, json!({"_id": "a", "n": 1})).await;
        let second = put(&db, json!({"_id": "a", "_rev": first, "n": 2})).await;
        for doc in [
            json!({"_id": "a"}),
            json!({"_id": "a", "_rev": first, "n": 3}),
            json!({"_id": "a", "_rev": first, "_deleted": true}),
            json!({"_id": "a", "_rev": "2-x"}),
            json!({"_id": "a", "_rev": "9-x", "_deleted": true}),
            json!({"_id": "unknown", "_rev": first}),
        ] {
            let error = refusal(&db, doc.clone()).await;
            let expected = json!({"status": 409, "name": "conflict", "message": "Document update conflict",
                "error": true, "id": doc["_id"], "docId": doc["_id"]});
            assert_eq!(error, expected);
        }
        let found = get(&db, "a", json!({"conflicts": true})).unwrap();
        assert_eq!(found, json!({"n": 2, "_id": "a", "_rev": second}));
        assert_eq!(counts(&db), (1, 2));
    });
}

#[test]
fn the_same_edit_twice_is_a_conflict_the_second_time() {
    block_on(async {
        let db = new_database().await;
        let first = put(&db, json!({"_id": "a"})).await;
        refusal(&db, json!({"_id": "a"})).await;
        let edit = json!({"_id": "a", "_rev": first, "n": 2});
        put(&db, edit.clone()).await;
        refusal(&db, edit).await;
        assert_eq!(counts(&db), (1, 2));
    });
}

#[test]
fn a_deleted_document_is_gone_and_can_be_written_anew() {
    block_on(async {
        let db = new_database().await;
        let first = put(&db, json!({"_id": "a", "n": 1})).await;
        let deletion = put(&db, json!({"_id": "a", "_rev": first, "_deleted": true, "why": "old"})).await;
        assert_eq!(counts(&db), (0, 2));
        let gone = error(&db, "a", json!({}));
        assert_eq!((gone.status(), gone.reason(), gone.doc_id()), (404, Some("deleted"), Some("a")));
        let found = get(&db, "a", json!({"rev": deletion})).unwrap();
        assert_eq!(found, json!({"why": "old", "_id": "a", "_rev": deletion, "_deleted": true}));
        assert_eq!(get(&db, "a", json!({"rev": first})).unwrap()["n"], 1);
        // Deleting it again is an edit upon nothing.
        refusal(&db, json!({"_id": "a", "_rev": deletion.replace("2-", "1-"), "_deleted": true})).await;
        refusal(&db, json!({"_id": "a", "_deleted": true})).await;
        let again = put(&db, json!({"_id": "a", "_rev": deletion, "_deleted": true})).await;
        assert!(again.starts_with("3-"));
        let anew = put(&db, json!({"_id": "a", "n": 2})).await;
        assert!(anew.starts_with("4-"));
        let found = get(&db, "a", json!({"revs": true})).unwrap();
        assert_eq!(found["_revisions"]["ids"].as_array().unwrap().len(), 4);
        assert_eq!(counts(&db), (1, 4));
    });
}

#[test]
fn a_deleted_document_can_be_written_upon_a_revision_it_never_had() {
    block_on(async {
        let db = new_database().await;
        let first = put(&db, json!({"_id": "a"})).await;
        let deletion = put(&db, json!({"_id": "a", "_rev": first, "_deleted": true})).await;
        // But not beside its deletion.
        refusal(&db, json!({"_id": "a", "_rev": first, "n": 1})).await;
        let rev = put(&db, json!({"_id": "a", "_rev": "7-x", "back": 1})).await;
        assert_eq!(rev, "8-0136e7b3a02a0c045c0ca4cebaf352b3");
        let leaves = get(&db, "a", json!({"open_revs": "all"})).unwrap();
        assert_eq!(leaves[0]["ok"], json!({"back": 1, "_id": "a", "_rev": rev}));
        assert_eq!(leaves[1]["ok"], json!({"_id": "a", "_rev": deletion, "_deleted": true}));
        assert_eq!(counts(&db), (1, 3));
    });
}

#[test]
fn removing_what_never_was_finds_nothing() {
    block_on(async {
        let db = new_database().await;
        for doc in
            [json!({"_id": "a", "_deleted": true}), json!({"_id": "a", "_rev": "1-x", "_deleted": true})]
        {
            let results = write_with(&db, json!([doc]), json!({"was_delete": true})).await.unwrap();
            let expected = json!({"status": 404, "name": "not_found", "message": "missing", "error": true,
                "reason": "deleted", "id": "a", "docId": "a"});
            assert_eq!(results, [expected]);
        }
        assert_eq!(counts(&db), (0, 0));
        // Not through remove, it is a document that begins with its deletion.
        assert_eq!(
            put(&db, json!({"_id": "nope", "_deleted": true})).await,
            "1-e8df5142cf1cc96a3fe056ead2912b1d"
        );
        assert_eq!(counts(&db), (0, 1));
    });
}

#[test]
fn of_one_document_twice_in_a_bulk_the_first_wins() {
    block_on(async {
        let db = new_database().await;
        let results = write(
            &db,
            json!([{"_id": "d", "n": 1}, {"_id": "e"}, {"_id": "d", "n": 1}, {"_id": "d", "n": 2}]),
        )
        .await;
        let statuses: Vec<_> = results.iter().map(|result| result["status"].as_u64()).collect();
        assert_eq!(statuses, [None, None, Some(409), Some(409)]);
        assert_eq!(results[0]["rev"], "1-f316c29def1126a98d11a7f00c837ca6");
        assert_eq!(get(&db, "d", json!({})).unwrap()["n"], 1);
        assert_eq!(counts(&db), (2, 2));
    });
}

#[test]
fn a_bulk_sees_its_own_edits() {
    block_on(async {
        let db = new_database().await;
        let first = "1-13f945554d76000a9b9966c7f4b2dbb4";
        let docs = json!([{"_id": "a"}, {"_id": "a", "_rev": first, "_deleted": true}, {"_id": "a", "n": 3}]);
        let results = write(&db, docs).await;
        assert!(results.iter().all(|result| result["ok"] == true), "{results:?}");
        assert!(get(&db, "a", json!({})).unwrap()["_rev"].as_str().unwrap().starts_with("3-"));
        assert_eq!(counts(&db), (1, 3));
    });
}

#[test]
fn a_document_without_an_id_gets_one() {
    block_on(async {
        let db = new_database().await;
        let results = write(&db, json!([{"n": 1}, {"n": 1, "_id": ""}])).await;
        for result in &results {
            let id = result["id"].as_str().unwrap();
            assert_eq!((id.len(), get(&db, id, json!({})).unwrap()["n"].as_u64()), (36, Some(1)));
        }
        assert_ne!(results[0]["id"], results[1]["id"]);
    });
}

#[test]
fn what_is_no_document_refuses_the_whole_bulk() {
    block_on(async {
        let db = new_database().await;
        for (wrong, status, message) in [
            (json!(null), 400, "Document must be a JSON object"),
            (json!([]), 400, "Document must be a JSON object"),
            (json!("a"), 400, "Document must be a JSON object"),
            (json!({"_id": 1}), 400, "_id field must contain a string"),
            (json!({"_id": "_a"}), 400, "Only reserved document ids may start with underscore."),
            (json!({"_id": "b", "_rev": "x"}), 400, "Invalid rev format"),
            (json!({"_id": "b", "_rev": 1}), 400, "Invalid rev format"),
            (json!({"_id": "b", "_foo": 1}), 500, "Bad special document member: _foo"),
        ] {
            let outcome = write_with(&db, json!([{"_id": "a"}, wrong]), json!({})).await;
            let error = outcome.unwrap_err();
            assert_eq!((error.status(), error.message()), (status, message), "{wrong}");
        }
        assert_eq!(db.bulk_docs("{}", "{}").await.unwrap_err().message(), "Missing JSON list of 'docs'");
        assert_eq!(counts(&db), (0, 0));
    });
}

#[test]
fn a_generation_that_has_no_next_is_refused() {
    block_on(async {
        let db = new_database().await;
        let last = format!("{}-x", u64::MAX);
        let refused = refusal(&db, json!({"_id": "a", "_rev": last})).await;
        assert_eq!((&refused["status"], &refused["message"]), (&json!(400), &json!("Invalid rev format")));
        replicate(&db, json!([{"_id": "a", "_rev": last, "_deleted": true}])).await;
        assert_eq!(refusal(&db, json!({"_id": "a", "n": 1})).await["status"], 400);
        assert_eq!(counts(&db), (0, 1));
    });
}

#[test]
fn ids_of_any_characters_are_kept() {
    block_on(async {
        let db = new_database().await;
        let ids = [
            "\u{0}",
            "a\u{0}b",
            "\"quoted\\\"",
            "\u{10000}\u{ffff}",
            "é\u{301}",
            "\u{2028}",
            "a/b?c#d%20",
            " ",
            "\u{10ffff}",
        ];
        let docs: Vec<_> = ids.iter().map(|id| json!({"_id": id, "name": id})).collect();
        let results = write(&db, json!(docs)).await;
        for (id, result) in ids.iter().zip(results) {
            assert_eq!(result["id"], *id);
            let expected = json!({"name": id, "_id": id, "_rev": result["rev"]});
            assert_eq!(get(&db, id, json!({})).unwrap(), expected);
        }
        assert_eq!(counts(&db), (9, 9));
    });
}

#[test]
fn members_that_only_say_something_about_a_document_are_not_kept() {
    block_on(async {
        let db = new_database().await;
        let rev = put(
            &db,
            json!({"_id": "a", "_conflicts": ["1-x"], "_revs_info": [], "_local_seq": 3, "_replication_state": "done", "n": 1}),
        )
        .await;
        let expected = json!({"_replication_state": "done", "n": 1, "_id": "a", "_rev": rev});
        assert_eq!(get(&db, "a", json!({})).unwrap(), expected);
    });
}

#[test]
fn of_an_atomic_call_either_everything_is_written_or_nothing() {
    block_on(async {
        let db = new_database().await;
        let first = put(&db, json!({"_id": "a", "n": 1})).await;
        let second = put(&db, json!({"_id": "a", "_rev": first, "n": 2})).await;
        let before = counts(&db);
        let options = r#"{"atomic":true}"#;
        let docs = json!([{"_id": "b"}, {"_id": "a", "_rev": first, "n": 3}, {"_id": "c"}]).to_string();
        let error = db.bulk_docs(&docs, options).await.unwrap_err();
        assert_eq!((error.is_conflict(), error.doc_id()), (true, Some("a")));
        assert_eq!(counts(&db), before);
        assert!(get(&db, "b", json!({})).is_err());
        let docs = json!([{"_id": "b"}, {"_id": "a", "_rev": second, "n": 3}]).to_string();
        let results = db.bulk_docs(&docs, options).await.unwrap();
        let results: Value = serde_json::from_str(&results).unwrap();
        assert!(results[0]["ok"] == true && results[1]["ok"] == true, "{results}");
    });
}
