//! `allDocs`.

use super::*;
use crate::query::{AllDocs, AllDocsOptions};

fn answer(store: &Store, options: &Value) -> Value {
    let options: AllDocsOptions = serde_json::from_value(options.clone()).unwrap();
    let answer = store.in_steps(|| AllDocs::new(&options), AllDocs::step);
    serde_json::from_str(&answer.into_text()).unwrap()
}

/// The ids of the rows, the deleted ones with `!`, what is not found with `?`.
fn ids(answer: &Value) -> String {
    let rows = answer["rows"].as_array().unwrap().iter().map(|row| {
        let key = row["key"].as_str().unwrap_or("-");
        match (&row["error"], &row["value"]["deleted"]) {
            (Value::String(_), _) => format!("{key}?"),
            (_, Value::Bool(true)) => format!("{key}!"),
            _ => key.to_owned(),
        }
    });
    rows.collect::<Vec<_>>().join(" ")
}

#[test]
fn ranges_limits_and_keys_choose_rows_as_in_pouchdb() {
    let store = alphabet();
    // Beyond the basic plane, ids sort by their UTF-16 units: U+10000 before U+FFFF.
    for (options, offset, expected) in [
        (json!({}), 0, "a b d \u{10000} \u{ffff}"),
        (json!({"limit": 2}), 0, "a b"),
        (json!({"limit": -1}), 0, "a b d \u{10000} \u{ffff}"),
        (json!({"limit": 0}), 0, ""),
        (json!({"skip": 1, "limit": 2}), 1, "b d"),
        (json!({"skip": 10}), 10, ""),
        (json!({"descending": true}), 0, "\u{ffff} \u{10000} d b a"),
        (json!({"descending": true, "skip": 2, "limit": 2}), 2, "d b"),
        (json!({"startkey": "b"}), 0, "b d \u{10000} \u{ffff}"),
        (json!({"startkey": "b1", "endkey": "d"}), 0, "d"),
        (json!({"endkey": "b"}), 0, "a b"),
        (json!({"endkey": "b", "inclusive_end": false}), 0, "a"),
        (json!({"endkey": "b", "descending": true}), 0, "\u{ffff} \u{10000} d b"),
        (json!({"startkey": "d", "endkey": "a", "descending": true}), 0, "d b a"),
        (json!({"startkey": "d", "endkey": "b", "descending": true, "inclusive_end": false}), 0, "d"),
        (json!({"startkey": "c", "endkey": "b"}), 0, ""),
        (json!({"startkey": "b", "endkey": "b", "inclusive_end": false}), 0, ""),
        (json!({"startkey": "d", "endkey": "\u{10000}"}), 0, "d \u{10000}"),
        (json!({"startkey": "\u{10000}"}), 0, "\u{10000} \u{ffff}"),
        (json!({"key": "b"}), 0, "b"),
        (json!({"key": "c"}), 0, ""),
        (json!({"key": "x"}), 0, ""),
        (json!({"keys": ["b", "x", "c", "a", "b"]}), 0, "b x? c! a b"),
        (json!({"keys": ["a", "b", "d"], "skip": 1, "limit": 1}), 0, "b"),
        (json!({"keys": ["a", "b", "d"], "descending": true}), 0, "d b a"),
        (json!({"keys": ["a", "b", "d"], "descending": true, "limit": 2}), 0, "b a"),
        (json!({"keys": []}), 0, ""),
    ] {
        let answer = answer(&store, &options);
        assert_eq!(ids(&answer), expected, "{options}");
        assert_eq!((&answer["total_rows"], &answer["offset"]), (&json!(5), &json!(offset)), "{options}");
    }
}

#[test]
fn rows_have_the_members_of_pouchdbs() {
    let store = alphabet();
    let rev = "1-13f945554d76000a9b9966c7f4b2dbb4";
    store.replicate(json!([{"_id": "\"", "_rev": rev, "n": 1}]));
    let row = |options| answer(&store, &options)["rows"][0].clone();
    assert_eq!(row(json!({"key": "\""})), json!({"id": "\"", "key": "\"", "value": {"rev": rev}}));
    let doc = json!({"n": 1, "_id": "\"", "_rev": rev});
    let with_doc = json!({"id": "\"", "key": "\"", "value": {"rev": rev}, "doc": doc});
    assert_eq!(row(json!({"key": "\"", "include_docs": true, "conflicts": true})), with_doc);
    assert_eq!(row(json!({"keys": ["\""], "include_docs": true})), with_doc);
    assert_eq!(row(json!({"keys": ["none"]})), json!({"key": "none", "error": "not_found"}));
    assert_eq!(row(json!({"keys": [5]})), json!({"key": 5, "error": "not_found"}));
    let deleted = row(json!({"keys": ["c"], "include_docs": true}));
    let deletion = store.snapshot();
    let deletion = crate::edit::StoredDocument::find(&deletion, "c").unwrap().unwrap();
    let deletion = deletion.tree.winner().unwrap().rev.to_string();
    let expected = json!({"id": "c", "key": "c", "value": {"rev": deletion, "deleted": true}, "doc": null});
    assert_eq!(deleted, expected);
}

#[test]
fn conflicts_and_the_update_seq_come_when_asked_for() {
    let store = Store::new();
    assert_eq!(answer(&store, &json!({})), json!({"total_rows": 0, "offset": 0, "rows": []}));
    store.replicate(json!([{"_id": "a", "_rev": "1-a"}, {"_id": "a", "_rev": "1-b"}, {"_id": "a", "_rev": "2-c", "_deleted": true}]));
    let with = answer(&store, &json!({"include_docs": true, "conflicts": true, "update_seq": true}));
    assert_eq!(with["rows"][0]["doc"], json!({"_id": "a", "_rev": "1-b", "_conflicts": ["1-a"]}));
    assert_eq!((&with["update_seq"], &with["total_rows"]), (&json!(3), &json!(1)));
    let without = answer(&store, &json!({"include_docs": true}));
    assert_eq!(without["rows"][0]["doc"], json!({"_id": "a", "_rev": "1-b"}));
    assert_eq!(without.get("update_seq"), None);
}
