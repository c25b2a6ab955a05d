//! `changes`.

use super::*;
use crate::query::{Changes, ChangesOptions, ChangesPage, changes_text};

fn page(store: &Store, options: &Value) -> ChangesPage {
    let options: ChangesOptions = serde_json::from_value(options.clone()).unwrap();
    store.in_steps(|| Changes::new(&options), Changes::step).into_page()
}

/// The seqs and ids, the deletions with `!`.
fn rows(page: &ChangesPage) -> String {
    let rows = page.results.iter().map(|change| {
        let mark = if change.deleted { "!" } else { "" };
        format!("{}{}{mark}", change.seq, change.id)
    });
    rows.collect::<Vec<_>>().join(" ")
}

#[test]
fn since_limit_and_direction_choose_changes_as_in_pouchdb() {
    let store = alphabet();
    for (options, expected, last_seq, pending) in [
        (json!({}), "1a 2b 4d 5\u{ffff} 6\u{10000} 7c!", 7, 0),
        (json!({"limit": 2}), "1a 2b", 2, 5),
        (json!({"limit": 0}), "1a", 1, 6),
        (json!({"limit": 6}), "1a 2b 4d 5\u{ffff} 6\u{10000} 7c!", 7, 0),
        (json!({"since": 3}), "4d 5\u{ffff} 6\u{10000} 7c!", 7, 0),
        (json!({"since": 4, "limit": 1}), "5\u{ffff}", 5, 2),
        (json!({"since": 7}), "", 7, 0),
        (json!({"since": 100}), "", 100, 0),
        (json!({"descending": true}), "7c! 6\u{10000} 5\u{ffff} 4d 2b 1a", 1, 0),
        (json!({"descending": true, "limit": 2}), "7c! 6\u{10000}", 6, 0),
        (json!({"descending": true, "since": 3}), "7c! 6\u{10000} 5\u{ffff} 4d 2b 1a", 1, 0),
        (json!({"doc_ids": ["a", "c"]}), "1a 7c!", 7, 0),
        (json!({"doc_ids": ["a"]}), "1a", 7, 0),
        (json!({"doc_ids": ["a", "d"], "limit": 1}), "1a", 1, 6),
        (json!({"doc_ids": []}), "", 7, 0),
    ] {
        let page = page(&store, &options);
        assert_eq!(rows(&page), expected, "{options}");
        assert_eq!((page.last_seq, page.pending), (last_seq, pending), "{options}");
    }
}

#[test]
fn pages_of_any_size_give_each_change_once_and_in_order() {
    let store = alphabet();
    let all = rows(&page(&store, &json!({})));
    for limit in 1..8 {
        let (mut since, mut found) = (0, Vec::new());
        loop {
            let page = page(&store, &json!({"since": since, "limit": limit}));
            if page.results.is_empty() {
                assert_eq!(page.pending, 0);
                break;
            }
            found.push(rows(&page));
            since = page.last_seq;
        }
        assert_eq!(found.join(" "), all, "in pages of {limit}");
    }
}

#[test]
fn nothing_has_changed_in_a_new_database() {
    let store = Store::new();
    for options in [json!({}), json!({"descending": true}), json!({"limit": 5})] {
        let page = page(&store, &options);
        assert_eq!(changes_text(&page), r#"{"results":[],"last_seq":0,"pending":0}"#);
    }
}

#[test]
fn an_edit_moves_its_document_to_the_end() {
    let store = alphabet();
    let snapshot = store.snapshot();
    let document = crate::edit::StoredDocument::find(&snapshot, "a").unwrap().unwrap();
    let rev = document.tree.winner().unwrap().rev.to_string();
    store.edit(json!([{"_id": "a", "_rev": rev, "n": 2}]));
    assert_eq!(rows(&page(&store, &json!({}))), "2b 4d 5\u{ffff} 6\u{10000} 7c! 8a");
    // Who has read the database before sees it as it was.
    let options = ChangesOptions::default();
    let mut before = Changes::new(&options);
    assert_eq!(before.step(&snapshot), Ok(Step::Done));
    assert_eq!(rows(&before.into_page()), "1a 2b 4d 5\u{ffff} 6\u{10000} 7c!");
}

#[test]
fn changes_name_the_winner_or_all_leaves() {
    let store = Store::new();
    let branch = |path: &[&str], value: &str| json!({"_id": "a", "_revisions": {"start": path.len(), "ids": path}, "v": value});
    let mut deletion = branch(&["d", "b", "a"], "d");
    deletion["_deleted"] = json!(true);
    store.replicate(json!([branch(&["b", "a"], "b"), branch(&["c", "a"], "c"), deletion]));
    let text = |options| changes_text(&page(&store, &options));
    assert_eq!(
        text(json!({})),
        r#"{"results":[{"id":"a","changes":[{"rev":"2-c"}],"seq":3}],"last_seq":3,"pending":0}"#
    );
    assert_eq!(
        text(json!({"style": "all_docs"})),
        r#"{"results":[{"id":"a","changes":[{"rev":"3-d"},{"rev":"2-c"}],"seq":3}],"last_seq":3,"pending":0}"#
    );
    store.replicate(json!([branch(&["e", "a"], "e")]));
    let with_docs = text(json!({"include_docs": true, "conflicts": true}));
    let doc = r#"{"v":"e","_id":"a","_rev":"2-e","_conflicts":["2-c"]}"#;
    let change = format!(r#"{{"id":"a","changes":[{{"rev":"2-e"}}],"doc":{doc},"seq":4}}"#);
    assert_eq!(with_docs, format!(r#"{{"results":[{change}],"last_seq":4,"pending":0}}"#));
}

#[test]
fn a_deletion_comes_with_its_own_members() {
    let store = Store::new();
    store.replicate(json!([{"_id": "a\u{0}", "_rev": "1-x", "_deleted": true, "why": "old"}]));
    let text = changes_text(&page(&store, &json!({"include_docs": true})));
    let found: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({"id": "a\u{0}", "changes": [{"rev": "1-x"}], "deleted": true, "seq": 1,
        "doc": {"why": "old", "_id": "a\u{0}", "_rev": "1-x", "_deleted": true}});
    assert_eq!(found["results"][0], expected);
}

#[test]
fn a_selector_chooses_changes_by_their_winners() {
    let store = alphabet();
    for (selector, options, expected, last_seq) in [
        (json!({"name": {"$gte": "b"}}), json!({}), "2b 4d 5\u{ffff} 6\u{10000}", 7),
        (json!({"name": {"$gte": "b"}}), json!({"limit": 2}), "2b 4d", 4),
        (json!({"_deleted": true}), json!({}), "7c!", 7),
        (json!({"_id": {"$in": ["a", "d"]}}), json!({"descending": true}), "4d 1a", 1),
        (json!({"name": {"$lt": "\u{ffff}"}}), json!({"since": 2}), "4d 6\u{10000}", 7),
    ] {
        let mut options: ChangesOptions = serde_json::from_value(options).unwrap();
        options.select(&selector).unwrap();
        let page = store.in_steps(|| Changes::new(&options), Changes::step).into_page();
        assert_eq!((rows(&page).as_str(), page.last_seq), (expected, last_seq), "{selector}");
        assert!(page.results.iter().all(|change| change.doc.is_none()));
    }
    let error = ChangesOptions::default().select(&json!(1)).unwrap_err();
    assert_eq!(error.status(), 400);
}
