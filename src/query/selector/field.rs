//! Names of fields: `a.b` is `b` in `a`; a backslash takes a dot, or a dollar sign at the start, for what it is.

use serde_json::Value;
use serde_json::value::RawValue;

/// The way to a field.
pub(super) type Path = Vec<String>;

/// Takes a name apart.
pub(super) fn parse(name: &str) -> Path {
    let mut path = vec![String::new()];
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let part = path.last_mut().expect("BUG: a path has a part");
        match (character, characters.peek()) {
            ('\\', Some(escaped @ ('.' | '$'))) => {
                part.push(*escaped);
                characters.next();
            }
            ('.', _) => path.push(String::new()),
            _ => part.push(character),
        }
    }
    path
}

/// What is at the end of the way.
pub(super) fn find<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, part| match value {
        Value::Object(members) => members.get(part),
        Value::Array(elements) => elements.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A value out of its text. Where that is more deeply nested than can be read, or has half a surrogate pair in it, what is
/// known is of which type it is.
pub(super) fn read(text: &RawValue) -> Value {
    serde_json::from_str(text.get()).unwrap_or_else(|_| match text.get().as_bytes().first() {
        Some(b'{') => Value::Object(serde_json::Map::new()),
        Some(b'[') => Value::Array(Vec::new()),
        _ => Value::String("\u{fffd}".to_owned()),
    })
}
