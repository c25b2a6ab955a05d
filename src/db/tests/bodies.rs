//! Where bodies are kept: with their document, apart, or not at all.

use super::*;
use crate::engine::{Engine, Settings};
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use std::rc::Rc;

/// A text that makes its document's body so many bytes more than `{"t":""}`.
fn text(length: usize) -> String {
    "x".repeat(length)
}

#[test]
fn old_revisions_stay_readable() {
    block_on(async {
        let db = new_database().await;
        let mut revs: Vec<String> = Vec::new();
        for number in 0..20 {
            let mut doc = json!({"_id": "a", "n": number});
            if let Some(rev) = revs.last() {
                doc["_rev"] = json!(rev);
            }
            revs.push(put(&db, doc).await);
        }
        for (number, rev) in revs.iter().enumerate() {
            let expected = json!({"n": number, "_id": "a", "_rev": rev});
            assert_eq!(get(&db, "a", json!({"rev": rev})).unwrap(), expected);
        }
        let info = get(&db, "a", json!({"revs_info": true})).unwrap();
        assert!(info["_revs_info"].as_array().unwrap().iter().all(|entry| entry["status"] == "available"));
    });
}

#[test]
fn bodies_grow_and_shrink_across_the_limit() {
    block_on(async {
        let db = new_database().await;
        let sizes = [10, 8_183, 8_184, 8_185, 100_000, 8_185, 8_184, 0, 9_000, 9_000, 1];
        let mut revs: Vec<String> = Vec::new();
        for size in sizes {
            let mut doc = json!({"_id": "a", "t": text(size)});
            if let Some(rev) = revs.last() {
                doc["_rev"] = json!(rev);
            }
            revs.push(put(&db, doc).await);
            assert_eq!(get(&db, "a", json!({})).unwrap()["t"], text(size));
        }
        for (size, rev) in sizes.iter().zip(&revs) {
            assert_eq!(get(&db, "a", json!({"rev": rev})).unwrap()["t"], text(*size));
        }
    });
}

#[test]
fn long_and_short_branches_win_in_turn() {
    block_on(async {
        let db = new_database().await;
        let branch = |path: &[&str], size| json!({"_id": "a", "_revisions": {"start": path.len(), "ids": path}, "t": text(size)});
        let branches = [
            (branch(&["b", "a"], 9_000), "2-b", 9_000),
            (branch(&["c", "a"], 5), "2-c", 5),
            (branch(&["d", "b", "a"], 20_000), "3-d", 20_000),
            (branch(&["e", "c", "a"], 9_001), "3-e", 9_001),
            (branch(&["f", "e", "c", "a"], 7), "4-f", 7),
        ];
        for (index, (doc, rev, size)) in branches.iter().enumerate() {
            replicate(&db, json!([doc])).await;
            let found = get(&db, "a", json!({})).unwrap();
            assert_eq!((&found["_rev"], &found["t"]), (&json!(rev), &json!(text(*size))));
            for (_, rev, size) in &branches[..=index] {
                assert_eq!(get(&db, "a", json!({"rev": rev})).unwrap()["t"], text(*size), "{rev}");
            }
        }
        // The winner is deleted, and what was kept apart comes back.
        put(&db, json!({"_id": "a", "_rev": "4-f", "_deleted": true})).await;
        assert_eq!(get(&db, "a", json!({})).unwrap()["t"], text(20_000));
    });
}

#[test]
fn a_losing_branch_leaves_a_long_winner_where_it_is() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let engine =
            Engine::open(Box::new(MemoryStorage::on(disk.clone())), Settings::default()).await.unwrap();
        let db = Database::over(engine, DatabaseOptions::in_memory());
        put(&db, json!({"_id": "a", "t": text(1_000_000)})).await;
        let bytes = || disk.records().iter().map(|(_, content)| content.len()).sum::<usize>();
        let before = bytes();
        replicate(&db, json!([{"_id": "a", "_rev": "1-0", "t": "short"}])).await;
        let written = bytes() - before;
        assert!(written < 1_000, "{written} bytes were written");
        assert_eq!(get(&db, "a", json!({})).unwrap()["t"], text(1_000_000));
    });
}

#[test]
fn what_the_limit_of_revisions_forgets_takes_its_bodies_along() {
    block_on(async {
        let options = DatabaseOptions { revs_limit: 3, ..DatabaseOptions::in_memory() };
        let db = new_database_with(options).await;
        let mut revs: Vec<String> = Vec::new();
        for number in 1..=6 {
            let mut doc =
                json!({"_id": "s", "n": number, "t": text(if number % 2 == 0 { 9_000 } else { 9 })});
            if let Some(rev) = revs.last() {
                doc["_rev"] = json!(rev);
            }
            revs.push(put(&db, doc).await);
        }
        let found = get(&db, "s", json!({"revs": true})).unwrap();
        assert_eq!(found["_revisions"]["start"], 6);
        assert_eq!(found["_revisions"]["ids"].as_array().unwrap().len(), 3);
        for (index, rev) in revs.iter().enumerate() {
            let found = get(&db, "s", json!({"rev": rev}));
            if index < 3 {
                assert_eq!(found.unwrap_err().reason(), Some("missing"));
            } else {
                assert_eq!(found.unwrap()["n"], index + 1);
            }
        }
    });
}

#[test]
fn the_text_of_a_document_is_kept_to_the_letter() {
    block_on(async {
        let db = new_database().await;
        let body = r#""z":1.0,"a":1e400,"b":"\u00e9\ud800","nested":{"_id":1,"_x":[{}]},"0":-0,"é":12345678901234567890"#;
        let docs = format!("[{{\"_id\":\"a\",{body}}}]");
        let results = db.bulk_docs(&docs, "{}").await.unwrap();
        let results: Value = serde_json::from_str(&results).unwrap();
        let found = at_once(db.get("a", &GetOptions::default())).unwrap();
        assert_eq!(found, format!("{{{body},\"_id\":\"a\",\"_rev\":{}}}", results[0]["rev"]));
    });
}
