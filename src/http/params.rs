//! Options as PouchDB's users give them, and query strings made of them.

use super::url::encode_component;
use crate::doc::is_true;
use crate::error::{Error, ErrorKind, Result};
use serde_json::{Map, Value};

/// A call's options: a JSON object, read with JavaScript's idea of truth.
#[derive(Debug, Clone, Default)]
pub struct Options(Map<String, Value>);

impl Options {
    /// Reads a JSON object; an empty text and `null` are no options.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(Value::Null) => Ok(Self::default()),
            _ => Err(Error::new(ErrorKind::BadArgument).with_reason("options must be an object")),
        }
    }

    /// The option, unless it is absent or null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// The option as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Whether JavaScript would take the option for true.
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(is_true)
    }

    /// A span of time in milliseconds, where it is a positive number.
    pub fn millis(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(Value::as_f64).filter(|value| *value > 0.0).map(|value| value as u64)
    }

    /// A number of things, any number where none is given.
    pub(super) fn count(&self, name: &str) -> u64 {
        self.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX)
    }

    /// The same for a feed that stays open: each row is one that can be gone on from, however many come.
    pub(super) fn continuous(&self) -> Self {
        let mut options = self.0.clone();
        options.insert("feed".into(), "continuous".into());
        options.retain(|name, _| !matches!(name.as_str(), "limit" | "seq_interval"));
        Self(options)
    }

    /// The same from another position in the feed.
    pub(super) fn since(&self, since: Value) -> Self {
        let mut options = self.0.clone();
        options.insert("since".into(), since);
        Self(options)
    }

    /// The same for a feed that answers at once with what there is.
    pub(super) fn without_waiting(&self) -> Self {
        let mut options = self.0.clone();
        options.shift_remove("feed");
        Self(options)
    }
}

impl From<Map<String, Value>> for Options {
    fn from(options: Map<String, Value>) -> Self {
        Self(options)
    }
}

/// A query string in the making.
#[derive(Debug, Default)]
pub(super) struct Query(String);

impl Query {
    /// Adds a parameter, as text.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(&encode_component(name));
        self.0.push('=');
        self.0.push_str(&encode_component(value));
    }

    /// Adds a parameter as CouchDB reads it from a query string: texts bare, everything else as JSON.
    pub(super) fn add_bare(&mut self, name: &str, value: &Value) {
        match value {
            Value::String(text) => self.add(name, text),
            other => self.add(name, &other.to_string()),
        }
    }

    /// Adds `name=true` for each of the options that is set.
    pub(super) fn add_flags(&mut self, options: &Options, names: &[&str]) {
        for name in names.iter().filter(|name| options.is_set(name)) {
            self.add(name, "true");
        }
    }

    /// The query string with its question mark, or nothing.
    pub(super) fn finish(self) -> String {
        self.0
    }
}
