//! What a selector asks, and whether it holds.

use super::field::{Path, find, read};
use crate::doc::Members;
use crate::env::Regex;
use crate::query::collation::compare;
use serde_json::Value;
use std::cmp::Ordering;

/// What is asked of a value, or of the lack of one.
#[derive(Debug)]
pub(super) enum Condition {
    /// All of these hold.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// It holds of what is found there.
    Field(Path, Box<Condition>),
    /// It is there, and before, at or after a value.
    Order(Vec<Ordering>, Value),
    /// It is not this value; null stands for what is not there.
    Other(Value),
    /// It is there, or not.
    Exists(bool),
    /// It is of the type of that name.
    Type(String),
    /// It, or one of its elements, is one of these (or none of them is).
    OneOf(Vec<Value>, bool),
    /// Its elements are at least these.
    HasAll(Vec<Value>),
    /// It has as many elements.
    Size(Value),
    /// It is a whole number that leaves this remainder.
    Remainder { divisor: f64, remainder: f64 },
    /// It is a text in which this is found.
    Matches(Regex),
    /// It is a text that begins so.
    BeginsWith(String),
    /// One of its elements is such.
    Some(Box<Condition>),
    /// It has elements and all of them are such.
    Every(Box<Condition>),
    /// One of its members' names is such.
    SomeName(Box<Condition>),
}

/// What a condition is asked of.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    /// A document: members are read as they are needed.
    Document(&'a Members<'a>),
    /// A value in it, or nothing.
    Value(Option<&'a Value>),
}

impl Condition {
    /// Whether it holds.
    pub(super) fn holds_for(&self, subject: Subject<'_>) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds_for(subject)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds_for(subject)),
            Self::Not(condition) => !condition.holds_for(subject),
            Self::Field(path, condition) => match subject {
                Subject::Value(value) => {
                    condition.holds_for(Subject::Value(value.and_then(|value| find(value, path))))
                }
                Subject::Document(members) => {
                    let Some((first, rest)) = path.split_first() else { return false };
                    let member = members.get(first).map(read);
                    let value = member.as_ref().and_then(|value| find(value, rest));
                    condition.holds_for(Subject::Value(value))
                }
            },
            _ => match subject {
                Subject::Value(value) => self.holds_for_value(value),
                // A document is asked for its fields.
                Subject::Document(_) => false,
            },
        }
    }

    fn holds_for_value(&self, value: Option<&Value>) -> bool {
        let is = |condition: &Self, value: &Value| condition.holds_for(Subject::Value(Some(value)));
        match self {
            Self::Exists(wanted) => value.is_some() == *wanted,
            Self::Other(other) => compare(value.unwrap_or(&Value::Null), other).is_ne(),
            _ => match (self, value) {
                (_, None) => false,
                (Self::Order(orderings, other), Some(value)) => orderings.contains(&compare(value, other)),
                (Self::Type(name), Some(value)) => type_name(value) == name,
                (_, Some(Value::Null)) => false,
                (Self::OneOf(values, wanted), Some(Value::Array(elements))) => {
                    elements.iter().any(|element| contains(values, element)) == *wanted
                }
                (Self::OneOf(values, wanted), Some(value)) => contains(values, value) == *wanted,
                (Self::HasAll(values), Some(Value::Array(elements))) => {
                    values.iter().all(|value| contains(elements, value))
                }
                (Self::Size(size), Some(Value::Array(elements))) => {
                    size.as_f64() == Some(elements.len() as f64)
                }
                (Self::Remainder { divisor, remainder }, Some(Value::Number(number))) => {
                    let number = number.as_f64().unwrap_or_default();
                    number.fract() == 0.0 && number % divisor == *remainder
                }
                (Self::Matches(regex), Some(Value::String(text))) => regex.is_match(text),
                (Self::BeginsWith(prefix), Some(Value::String(text))) => text.starts_with(prefix),
                (Self::Some(condition), Some(Value::Array(elements))) => {
                    elements.iter().any(|element| is(condition, element))
                }
                (Self::Every(condition), Some(Value::Array(elements))) => {
                    !elements.is_empty() && elements.iter().all(|element| is(condition, element))
                }
                (Self::SomeName(condition), Some(Value::Object(members))) => {
                    members.keys().any(|name| is(condition, &Value::String(name.clone())))
                }
                _ => false,
            },
        }
    }
}

fn contains(values: &[Value], wanted: &Value) -> bool {
    values.iter().any(|value| compare(value, wanted).is_eq())
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
