//! Compaction and purge.

use super::*;
use crate::db::CompactionStep;
use crate::engine::{Engine, Settings};
use crate::env::{Millis, now, sleep};
use crate::storage::memory::{MemoryDisk, MemoryStorage};
use std::rc::Rc;

/// Three revisions of a document, whose bodies say which they are.
async fn edited(db: &Database, id: &str) -> Vec<String> {
    let mut revs: Vec<String> = Vec::new();
    for number in 1..=3 {
        let mut doc = json!({"_id": id, "n": number});
        if let Some(rev) = revs.last() {
            doc["_rev"] = json!(rev);
        }
        revs.push(put(db, doc).await);
    }
    revs
}

/// Which of the revisions can be read.
fn readable(db: &Database, id: &str, revs: &[String]) -> Vec<bool> {
    revs.iter().map(|rev| get(db, id, json!({"rev": rev})).is_ok()).collect()
}

#[test]
fn only_leaves_keep_their_bodies() {
    block_on(async {
        let db = new_database().await;
        let revs = edited(&db, "a").await;
        let first = revs[0].trim_start_matches("1-");
        replicate(
            &db,
            json!([{"_id": "a", "_revisions": {"start": 2, "ids": ["x", first]}, "n": "conflict"}]),
        )
        .await;
        let before = counts(&db);
        db.compact().await.unwrap();
        check(&db);
        assert_eq!(readable(&db, "a", &revs), [false, false, true]);
        assert_eq!(get(&db, "a", json!({"rev": "2-x"})).unwrap()["n"], "conflict");
        let found = get(&db, "a", json!({"revs_info": true, "conflicts": true})).unwrap();
        let statuses: Vec<_> =
            found["_revs_info"].as_array().unwrap().iter().map(|info| info["status"].clone()).collect();
        assert_eq!(statuses, ["available", "missing", "missing"]);
        assert_eq!(found["_conflicts"], json!(["2-x"]));
        assert_eq!(counts(&db), before, "a compaction is no change");
    });
}

#[test]
fn compaction_goes_on_where_the_last_one_ended() {
    block_on(async {
        let db = new_database().await;
        let revs = edited(&db, "a").await;
        put(&db, json!({"_id": "_local/compaction", "last_seq": 3})).await;
        db.compact().await.unwrap();
        assert_eq!(readable(&db, "a", &revs), [true, true, true]);
        let others = edited(&db, "b").await;
        db.compact().await.unwrap();
        assert_eq!(readable(&db, "a", &revs), [true, true, true]);
        assert_eq!(readable(&db, "b", &others), [false, false, true]);
        assert_eq!(get(&db, "_local/compaction", json!({})).unwrap()["last_seq"], 6);
    });
}

#[test]
fn many_documents_are_compacted_in_slices() {
    block_on(async {
        let db = new_database().await;
        let docs = |revs: &[Value]| -> Value {
            let doc = |number: usize| {
                let mut doc = json!({"_id": format!("{number:04}"), "t": "x".repeat(number)});
                if let Some(result) = revs.get(number) {
                    doc["_rev"] = result["rev"].clone();
                    doc["edited"] = json!(true);
                }
                doc
            };
            (0..2000).map(doc).collect()
        };
        let first = write(&db, docs(&[])).await;
        // Every second one was never edited.
        let edits = docs(&first);
        let edits: Value = edits.as_array().unwrap().iter().step_by(2).cloned().collect();
        write(&db, edits).await;
        let mut step = db.begin_compaction().await.unwrap();
        let mut slices = 0;
        while !step.is_done() {
            let next = db.compact_further(step).await.unwrap();
            assert!(next.last_seq > step.last_seq && next.changes - step.changes <= 512, "{next:?}");
            step = next;
            slices += 1;
        }
        assert_eq!((step.last_seq, step.changes, step.dropped), (3000, 2000, 1000));
        assert!(slices >= 4, "{slices} slices");
        check(&db);
        let report = db.check().await.unwrap();
        assert_eq!(report.contents.unwrap().revisions, 2000);
    });
}

#[test]
fn what_was_dropped_leaves_the_disk() {
    block_on(async {
        let disk: Rc<MemoryDisk> = Rc::default();
        let settings = Settings { flush_bytes: 100_000, merge_after_read: Millis(0), ..Settings::default() };
        let engine = Engine::open(Box::new(MemoryStorage::on(disk.clone())), settings).await.unwrap();
        let db = Database::over(engine, DatabaseOptions::in_memory());
        let text: String = (0..2000).map(|number| format!("{:x}", number * 7919 % 65536)).collect();
        for id in 0..20 {
            let mut rev = None;
            for number in 0..10 {
                let mut doc = json!({"_id": id.to_string(), "text": format!("{number}{}", text.repeat(2))});
                if let Some(rev) = rev.take() {
                    doc["_rev"] = json!(rev);
                }
                rev = Some(put(&db, doc).await);
            }
        }
        let bytes = || disk.records().iter().map(|(_, content)| content.len()).sum::<usize>();
        let before = bytes();
        db.compact().await.unwrap();
        let began = now();
        while bytes() * 4 >= before {
            assert!(now().0 < began.0 + 20_000, "{before} bytes before, {} afterwards", bytes());
            sleep(Millis(5)).await;
        }
        check(&db);
    });
}

#[test]
fn a_document_is_compacted_to_a_height() {
    block_on(async {
        let db = new_database().await;
        let revs = edited(&db, "a").await;
        db.compact_document("a", 2).await.unwrap();
        assert_eq!(readable(&db, "a", &revs), [true, true, true]);
        db.compact_document("a", 1).await.unwrap();
        assert_eq!(readable(&db, "a", &revs), [false, true, true]);
        check(&db);
        assert_eq!(db.compact_document("b", 0).await.unwrap_err().status(), 404);
    });
}

#[test]
fn with_auto_compaction_only_leaves_have_bodies() {
    block_on(async {
        let options = DatabaseOptions { auto_compaction: true, ..DatabaseOptions::in_memory() };
        let db = new_database_with(options).await;
        let revs = edited(&db, "a").await;
        assert_eq!(readable(&db, "a", &revs), [false, false, true]);
        let ancestors: Vec<&str> = revs.iter().rev().filter_map(|rev| Some(rev.split_once('-')?.1)).collect();
        let path: Vec<&str> = std::iter::once("y").chain(ancestors).collect();
        replicate(&db, json!([{"_id": "a", "_revisions": {"start": 4, "ids": path}}])).await;
        assert_eq!(readable(&db, "a", &revs), [false, false, false]);
        assert_eq!(db.check().await.unwrap().contents.unwrap().revisions, 1);
    });
}

#[test]
fn a_compaction_of_nothing_is_done_at_once() {
    block_on(async {
        let db = new_database().await;
        let step = db.begin_compaction().await.unwrap();
        assert_eq!(step, CompactionStep { last_seq: 0, until: 0, changes: 0, dropped: 0 });
        assert!(step.is_done());
    });
}

#[test]
fn a_purged_document_is_gone_and_counted_as_gone() {
    block_on(async {
        let db = new_database().await;
        let revs = edited(&db, "a").await;
        put(&db, json!({"_id": "b"})).await;
        let purged = db.purge("a", &revs[2]).await.unwrap();
        check(&db);
        let purged = serde_json::to_value(purged).unwrap();
        let expected = json!({
            "ok": true,
            "deletedRevs": [revs[2], revs[1], revs[0]],
            "documentWasRemovedCompletely": true,
        });
        assert_eq!(purged, expected);
        assert_eq!(error(&db, "a", json!({})).reason(), Some("missing"));
        assert_eq!(readable(&db, "a", &revs), [false, false, false]);
        assert_eq!(counts(&db), (1, 5));
        let log = get(&db, "_local/purges", json!({})).unwrap();
        assert_eq!(log["purges"], json!([{"docId": "a", "rev": revs[2], "purgeSeq": 0}]));
        // It may be written again, as if it had never been.
        assert!(put(&db, json!({"_id": "a"})).await.starts_with("1-"));
    });
}

#[test]
fn a_purged_branch_leaves_the_others() {
    block_on(async {
        let db = new_database().await;
        let revs = edited(&db, "a").await;
        let first = revs[0].trim_start_matches("1-");
        let branch = |leaf: &str, n: &str| json!([{"_id": "a", "_revisions": {"start": 2, "ids": [leaf, first]}, "n": n}]);
        replicate(&db, branch("x", &"long".repeat(3000))).await;
        put(&db, json!({"_id": "a", "_rev": revs[2], "_deleted": true})).await;
        let (_, seq) = counts(&db);
        let deletion = {
            let leaves: Value = get(&db, "a", json!({"open_revs": "all"})).unwrap();
            leaves[0]["ok"]["_rev"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            db.purge("a", &revs[0]).await.unwrap_err().message(),
            "The requested revision is not a leaf"
        );
        let refused = db.purge("a", "9-z").await.unwrap_err();
        assert_eq!((refused.status(), refused.message()), (404, "The requested revision does not exist"));
        assert_eq!(db.purge("b", "1-x").await.unwrap_err().message(), "missing");
        assert_eq!(counts(&db), (1, seq), "a refusal changes nothing");
        let purged = db.purge("a", "2-x").await.unwrap();
        check(&db);
        assert_eq!(purged.deleted_revs.iter().map(ToString::to_string).collect::<Vec<_>>(), ["2-x"]);
        assert!(!purged.document_was_removed_completely);
        // What is left is a deletion, and that is a change.
        assert_eq!(counts(&db), (0, seq + 1));
        assert_eq!(error(&db, "a", json!({})).reason(), Some("deleted"));
        db.purge("a", &deletion).await.unwrap();
        check(&db);
        assert_eq!(counts(&db), (0, seq + 2));
    });
}

#[test]
fn the_list_of_purges_is_not_endless() {
    block_on(async {
        let options = DatabaseOptions { purged_infos_limit: 2, ..DatabaseOptions::in_memory() };
        let db = new_database_with(options).await;
        for id in ["a", "b", "c"] {
            let rev = put(&db, json!({"_id": id})).await;
            db.purge(id, &rev).await.unwrap();
        }
        let log = get(&db, "_local/purges", json!({})).unwrap();
        let ids: Vec<_> =
            log["purges"].as_array().unwrap().iter().map(|entry| entry["docId"].clone()).collect();
        assert_eq!((ids, &log["purgeSeq"]), (vec![json!("b"), json!("c")], &json!(2)));
    });
}
