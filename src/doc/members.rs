//! The members of a JSON object, as the texts they are.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A member of a JSON object: its name and its value, as the JSON texts they are.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The name, in quotation marks. It may have a lone surrogate, which JavaScript allows and no Rust text can have.
    pub name: &'a RawValue,
    /// The value.
    pub value: &'a RawValue,
}

impl<'a> Member<'a> {
    /// What the name stands for; where it has a lone surrogate, the text of the name.
    pub fn name(&self) -> Cow<'a, str> {
        let text = self.name.get();
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        if !inner.contains('\\') {
            return inner.into();
        }
        serde_json::from_str(text).map_or(Cow::Borrowed(inner), Cow::Owned)
    }
}

/// A JSON object's members in their order.
#[derive(Debug)]
pub struct Members<'a>(pub Vec<Member<'a>>);

impl<'a> Members<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// What `serde_json` says of a text that is no JSON object.
    pub fn parse(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// The value of a member; the last one's where a name is there twice, as in JavaScript.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|member| member.name() == name).map(|member| member.value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Vec<Member<'de>>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some((name, value)) = map.next_entry()? {
                    members.push(Member { name, value });
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(MembersVisitor).map(Members)
    }
}

/// Whether JavaScript takes the value for true.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(value) => value.as_f64() != Some(0.0),
        Value::String(value) => !value.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// The same of a value's text.
pub fn is_truthy(value: &RawValue) -> bool {
    !matches!(value.get(), "false" | "null" | "0" | "-0" | "\"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_javascript_reads_them() {
        let text = r#"{"a":1,"\u00e9\n":2,"\ud800":3,"\ud83d\ude00":4,"a":5}"#;
        let members = Members::parse(text).unwrap();
        let names: Vec<_> = members.0.iter().map(|member| member.name().into_owned()).collect();
        assert_eq!(names, ["a", "é\n", "\\ud800", "😀", "a"]);
        assert_eq!(members.get("a").unwrap().get(), "5");
        assert!(members.get("b").is_none());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "null", "{", r#"{"a"}"#, r#"{1:2}"#, r#"{a:2}"#, r#"{"a":1}x"#, r#"{"a":1,}"#]
        {
            assert!(Members::parse(text).is_err(), "{text}");
        }
    }
}
