//! `conflicts`.

use super::*;
use crate::query::{Conflicts, ConflictsOptions};

fn page(store: &Store, options: Value) -> Value {
    let options: ConflictsOptions = serde_json::from_value(options).unwrap();
    let text = store.in_steps(|| Conflicts::new(&options), Conflicts::step).into_text();
    serde_json::from_str(&text).unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    page["results"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

fn branch(id: &str, path: &[&str], deleted: bool) -> Value {
    let mut doc = json!({"_id": id, "_revisions": {"start": path.len(), "ids": path}, "v": path[0]});
    if deleted {
        doc["_deleted"] = json!(true);
    }
    doc
}

/// `a` and `c` have a conflict, `b` none, `d` had one, of `e` everything is deleted.
fn conflicting() -> Store {
    let store = Store::new();
    store.replicate(json!([
        branch("a", &["2", "1"], false),
        branch("a", &["3", "1"], false),
        branch("b", &["2", "1"], false),
        branch("c", &["2", "1"], false),
        branch("c", &["3", "1"], false),
        branch("c", &["4", "1"], false),
        branch("c", &["6", "5", "1"], true),
        branch("d", &["2", "1"], false),
        branch("d", &["4", "3", "1"], true),
        branch("e", &["2", "1"], true),
        branch("e", &["3", "1"], true),
    ]));
    store
}

#[test]
fn only_documents_with_several_leaves_that_are_not_deleted_are_listed() {
    let store = conflicting();
    let expected = json!({"results": [
        {"id": "a", "seq": 2, "rev": "2-3", "conflicts": ["2-2"]},
        {"id": "c", "seq": 7, "rev": "2-4", "conflicts": ["2-2", "2-3"]},
    ], "last_seq": 11});
    assert_eq!(page(&store, json!({})), expected);
    assert_eq!(page(&Store::new(), json!({})), json!({"results": [], "last_seq": 0}));
    let settled = page(&store, json!({"settled": true}));
    assert_eq!(ids(&settled), ["a", "c", "d", "e"]);
    assert_eq!(settled["results"][2]["conflicts"], json!([]));
}

#[test]
fn the_winner_comes_with_it_where_it_is_wanted() {
    let found = page(&conflicting(), json!({"include_docs": true, "limit": 1}));
    let doc = json!({"_id": "a", "_rev": "2-3", "v": "3", "_conflicts": ["2-2"]});
    assert_eq!(found["results"][0]["doc"], doc);
}

#[test]
fn pages_give_each_once_and_what_is_settled_goes() {
    let store = conflicting();
    let first = page(&store, json!({"limit": 1}));
    assert_eq!((ids(&first), first["last_seq"].as_u64()), (vec!["a"], Some(2)));
    let second = page(&store, json!({"limit": 1, "since": 2}));
    assert_eq!((ids(&second), second["last_seq"].as_u64()), (vec!["c"], Some(7)));
    let third = page(&store, json!({"limit": 1, "since": 7}));
    assert_eq!((ids(&third), third["last_seq"].as_u64()), (vec![], Some(11)));
    store.edit(json!([{"_id": "a", "_rev": "2-2", "_deleted": true}]));
    assert_eq!(ids(&page(&store, json!({}))), ["c"]);
    let since = page(&store, json!({"since": 11, "settled": true}));
    assert_eq!(since["results"], json!([{"id": "a", "seq": 12, "rev": "2-3", "conflicts": []}]));
}
