//! What selectors select.

use super::Selector;
use serde_json::{Value, json};

fn matches(selector: &Value, document: &Value) -> bool {
    Selector::parse(selector).unwrap().matches(&document.to_string())
}

/// Of these documents, the `_id`s of those that are selected.
fn selected(selector: &Value) -> String {
    let documents = json!([
        {"_id": "A", "n": 1, "s": "text", "a": [1, 2, 3], "o": {"x": 1, "y": {"z": null}}},
        {"_id": "B", "n": 2.5, "s": "Text", "a": [], "o": {}},
        {"_id": "C", "n": -4, "s": "", "a": [{"k": 1}, {"k": 5}], "o": null},
        {"_id": "D", "n": "1", "s": null, "a": ["1", null], "o": {"x": [10, 20], "y": 1}},
        {"_id": "E", "n": true},
    ]);
    let documents = documents.as_array().unwrap();
    let ids =
        documents.iter().filter(|document| matches(selector, document)).map(|document| &document["_id"]);
    ids.map(|id| id.as_str().unwrap()).collect()
}

#[test]
fn each_operator_selects() {
    for (selector, expected) in [
        (json!({}), "ABCDE"),
        (json!({"n": 1}), "A"),
        (json!({"n": "1"}), "D"),
        (json!({"n": {"$eq": true}}), "E"),
        (json!({"s": null}), "D"),
        (json!({"a": [1, 2, 3]}), "A"),
        (json!({"o": {"$eq": {}}}), "B"),
        (json!({"n": {"$gt": 1}}), "BD"),
        (json!({"n": {"$gte": 1}}), "ABD"),
        (json!({"n": {"$lt": 1}}), "CE"),
        (json!({"n": {"$lte": 1}}), "ACE"),
        (json!({"n": {"$gt": null}}), "ABCDE"),
        (json!({"s": {"$gt": null}}), "ABC"),
        (json!({"s": {"$ne": ""}}), "ABDE"),
        (json!({"s": {"$ne": null}}), "ABC"),
        (json!({"s": {"$exists": true}}), "ABCD"),
        (json!({"s": {"$exists": false}}), "E"),
        (json!({"o.y.z": {"$exists": true}}), "A"),
        (json!({"n": {"$type": "number"}}), "ABC"),
        (json!({"o": {"$type": "object"}}), "ABD"),
        (json!({"o": {"$type": "null"}}), "C"),
        (json!({"a": {"$type": "array"}}), "ABCD"),
        (json!({"n": {"$type": "boolean"}}), "E"),
        (json!({"n": {"$in": [1, "1", true]}}), "ADE"),
        (json!({"a": {"$in": [3, "1"]}}), "AD"),
        (json!({"s": {"$nin": ["text"]}}), "BC"),
        (json!({"a": {"$nin": [3]}}), "BCD"),
        (json!({"a": {"$all": [3, 1]}}), "A"),
        (json!({"a": {"$all": []}}), "ABCD"),
        (json!({"a": {"$size": 2}}), "CD"),
        (json!({"n": {"$mod": [2, 1]}}), "A"),
        (json!({"n": {"$mod": [4, 0]}}), "C"),
        (json!({"s": {"$regex": "^[a-z]+$"}}), "A"),
        (json!({"s": {"$beginsWith": "Te"}}), "B"),
        (json!({"a": {"$elemMatch": {"$gt": 2, "$lt": 4}}}), "A"),
        (json!({"a": {"$elemMatch": {"k": {"$gt": 3}}}}), "C"),
        (json!({"a": {"$elemMatch": {"k": 1}}}), "C"),
        (json!({"a": {"$allMatch": {"$type": "number"}}}), "A"),
        (json!({"a": {"$allMatch": {"k": {"$exists": true}}}}), "C"),
        (json!({"o": {"$keyMapMatch": {"$eq": "y"}}}), "AD"),
        (json!({"o": {"$keyMapMatch": {"$gt": "x"}}}), "AD"),
        (json!({"$and": [{"n": {"$gt": 0}}, {"n": {"$lt": 2}}]}), "A"),
        (json!({"$or": [{"n": 1}, {"s": ""}]}), "AC"),
        (json!({"$or": []}), ""),
        (json!({"$nor": [{"n": 1}, {"s": ""}]}), "BDE"),
        (json!({"$not": {"n": 1}}), "BCDE"),
        (json!({"n": {"$not": {"$gt": 0}}}), "CE"),
        (json!({"n": {"$or": [{"$eq": 1}, {"$lt": 0}]}}), "ACE"),
        (json!({"n": {"$gt": 0, "$lt": 2}, "s": "text"}), "A"),
    ] {
        assert_eq!(selected(&selector), expected, "{selector}");
    }
}

#[test]
fn what_a_conjunction_says_twice_must_both_hold() {
    assert_eq!(selected(&json!({"$and": [{"n": 1}, {"n": 2.5}]})), "");
    assert_eq!(selected(&json!({"n": 1, "$and": [{"s": {"$gt": null}}]})), "A");
    assert_eq!(
        selected(&json!({"$and": [{"$or": [{"n": 1}, {"n": -4}]}, {"$or": [{"s": ""}, {"s": "Text"}]}]})),
        "C"
    );
}

#[test]
fn names_lead_into_objects_and_lists() {
    let document = json!({"a": {"b": {"c": 1}}, "a.b": 2, "$a": 3, "l": [{"m": 4}], "é": {"": 5}});
    for (selector, expected) in [
        (json!({"a.b.c": 1}), true),
        (json!({"a": {"b": {"c": 1}}}), true),
        (json!({"a": {"b.c": {"$gt": 0}}}), true),
        (json!({"a": {"b": {"c": 1, "d": 1}}}), false),
        (json!({"a\\.b": 2}), true),
        (json!({"\\$a": 3}), true),
        (json!({"l.0.m": 4}), true),
        (json!({"l.1.m": {"$exists": true}}), false),
        (json!({"é.": 5}), true),
        (json!({"x": {"y": {"z": 1}}}), false),
        (json!({"a.b.c.d": {"$exists": false}}), true),
    ] {
        assert_eq!(matches(&selector, &document), expected, "{selector}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (selector, problem) in [
        (json!([]), "Selector error: expected a JSON object"),
        (json!({"a": {"$in": 1}}), "Query operator $in must be an array."),
        (json!({"$or": {}}), "Query operator $or must be an array."),
        (json!({"a": {"$beginsWith": 1}}), "Query operator $beginsWith must be a string."),
        (json!({"a": {"$eqq": 1}}), "unknown operator \"$eqq\" - should be one of $eq, "),
    ] {
        let found = Selector::parse(&selector).unwrap_err();
        assert!(found.starts_with(problem), "{selector}: {found}");
    }
    assert!(Selector::parse(&json!({"a": {"$regex": "("}})).is_err());
}

#[test]
fn a_field_that_cannot_be_read_does_not_hide_the_others() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let text = format!(r#"{{"deep":{deep},"half":"\ud800","n":1}}"#);
    for (selector, expected) in [
        (json!({"n": 1}), true),
        (json!({"deep": {"$type": "array"}, "half": {"$exists": true}}), true),
        (json!({"deep": [[]]}), false),
    ] {
        assert_eq!(Selector::parse(&selector).unwrap().matches(&text), expected, "{selector}");
    }
    assert!(!Selector::parse(&json!({})).unwrap().matches("[]"));
}
