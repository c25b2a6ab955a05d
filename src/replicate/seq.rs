//! Positions in a changes feed.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use std::rc::Rc;

/// A position in a changes feed: whatever JSON its source gave, unopened.
///
/// A local database counts, CouchDB gives strings, Cloudant has given arrays. Two are the same where their texts are;
/// nothing else may be concluded from them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Seq(Rc<str>);

impl Seq {
    /// The beginning of every feed.
    pub fn zero() -> Self {
        Self("0".into())
    }

    /// The seq that a checkpoint or an option holds; `None` where JavaScript would take the value for false, as
    /// PouchDB does with a `last_seq`.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null | Value::Bool(false) => None,
            Value::String(text) if text.is_empty() => None,
            other => Some(Self(other.to_string().into())),
        }
    }

    /// The seq as JSON.
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or(Value::Null)
    }

    /// The seq's JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Whether this is the beginning.
    pub fn is_zero(&self) -> bool {
        &*self.0 == "0"
    }

    /// Whether a database whose `update_seq` this is has never been written to: 0, or CouchDB's `"0-..."`.
    pub fn is_untouched(&self) -> bool {
        let text = self.0.trim_start_matches('"');
        text.strip_prefix('0')
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit() || next == '.'))
    }
}

impl From<u64> for Seq {
    fn from(seq: u64) -> Self {
        Self(seq.to_string().into())
    }
}

impl fmt::Debug for Seq {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Seq {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer)?.get().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seq_is_given_back_as_it_came() {
        for text in ["0", "17", r#""17-g1AAAACbeJzLYWBgYMpg""#, r#"[17,"g1"]"#, "1.5"] {
            let seq: Seq = serde_json::from_str(text).unwrap();
            assert_eq!(seq.as_json(), text);
            assert_eq!(Seq::from_value(&seq.to_value()), Some(seq));
        }
    }

    #[test]
    fn only_what_was_never_written_to_is_untouched() {
        for (text, untouched) in [
            ("0", true),
            (r#""0-g1AAA""#, true),
            (r#""0""#, true),
            ("10", false),
            (r#""10-g1AAA""#, false),
            ("01", false),
        ] {
            let seq = Seq(text.into());
            assert_eq!(seq.is_untouched(), untouched, "{text}");
        }
    }
}
