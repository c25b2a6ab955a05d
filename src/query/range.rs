//! Ranges of ids as PouchDB's `idb` adapter reads them.

use crate::doc::id_key;
use serde_json::Value;
use std::ops::Bound;

/// Bounds of document keys; `None` where no id can be between them.
pub(super) type IdRange = Option<(Bound<Vec<u8>>, Bound<Vec<u8>>)>;

/// Where a JSON value stands among ids in IndexedDB's order: numbers before strings, arrays after.
enum Place {
    Before,
    At(Vec<u8>),
    After,
    Nowhere,
}

fn place(value: &Value) -> Place {
    match value {
        Value::String(id) => Place::At(id_key(id).to_vec()),
        Value::Number(_) => Place::Before,
        Value::Array(_) => Place::After,
        Value::Bool(_) | Value::Object(_) | Value::Null => Place::Nowhere,
    }
}

/// PouchDB takes a falsy key for none at all.
fn given(value: &Option<Value>) -> Option<&Value> {
    value.as_ref().filter(|value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    })
}

/// The range of ids between `start` and `end`, or else of the one `key`; in the direction of reading.
pub(super) fn id_range(
    start: &Option<Value>,
    end: &Option<Value>,
    key: &Option<Value>,
    inclusive_end: bool,
    descending: bool,
) -> IdRange {
    let (start, end, key) = (given(start), given(end), given(key));
    if start.is_none() && end.is_none() {
        return match key.map(place) {
            None => Some((Bound::Unbounded, Bound::Unbounded)),
            Some(Place::At(key)) => Some((Bound::Included(key.clone()), Bound::Included(key))),
            Some(_) => None,
        };
    }
    let end_bound = |key| if inclusive_end { Bound::Included(key) } else { Bound::Excluded(key) };
    let (low, high) = if descending { (end, start) } else { (start, end) };
    let low = match low.map(place) {
        None | Some(Place::Before) => Bound::Unbounded,
        Some(Place::At(key)) if descending => end_bound(key),
        Some(Place::At(key)) => Bound::Included(key),
        Some(Place::After | Place::Nowhere) => return None,
    };
    let high = match high.map(place) {
        None | Some(Place::After) => Bound::Unbounded,
        Some(Place::At(key)) if descending => Bound::Included(key),
        Some(Place::At(key)) => end_bound(key),
        Some(Place::Before | Place::Nowhere) => return None,
    };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn between(start: Value, end: Value, descending: bool) -> IdRange {
        id_range(&Some(start), &Some(end), &None, true, descending)
    }

    #[test]
    fn the_end_comes_first_when_descending() {
        let expected = Some((Bound::Included(b"a".to_vec()), Bound::Included(b"c".to_vec())));
        assert_eq!(between(json!("a"), json!("c"), false), expected);
        assert_eq!(between(json!("c"), json!("a"), true), expected);
        let open = id_range(&Some(json!("c")), &Some(json!("a")), &None, false, true);
        assert_eq!(open, Some((Bound::Excluded(b"a".to_vec()), Bound::Included(b"c".to_vec()))));
    }

    #[test]
    fn falsy_keys_are_none() {
        let everything = Some((Bound::Unbounded, Bound::Unbounded));
        for falsy in [json!(null), json!(""), json!(0), json!(false)] {
            assert_eq!(between(falsy.clone(), falsy.clone(), false), everything);
            assert_eq!(id_range(&None, &None, &Some(falsy), true, false), everything);
        }
    }

    #[test]
    fn other_types_stand_where_indexeddb_has_them() {
        assert_eq!(between(json!(5), json!([]), false), Some((Bound::Unbounded, Bound::Unbounded)));
        assert_eq!(between(json!([]), json!("z"), false), None);
        assert_eq!(between(json!("a"), json!(5), false), None);
        assert_eq!(between(json!({}), json!("z"), false), None);
        assert_eq!(id_range(&None, &None, &Some(json!(5)), true, false), None);
    }
}
